"""Alerts with a clock set by hand, on a real file, to receivers that do as they are told."""

from __future__ import annotations

import pathlib
from typing import Any

from keepalived_core.cluster.alert import Alert
from keepalived_core.cluster.alert_message import Failure, Kept, Message
from keepalived_core.cluster.alert_route import Routes, Target, Webhook, read_routes
from keepalived_core.cluster.ledger import Ledger
from keepalived_core.cluster.outbox import Outbox
from keepalived_core.cluster.postman import Postman

START = 1_000_000.0
DEAD = Failure("ConnectionRefusedError: Connection refused from http://x")
REFUSED = Failure("HTTP 400 from http://x", refused=True)


class World:
    """One file of one master; ``restart`` is a new process on it."""

    def __init__(self, folder: pathlib.Path, **routes: Any) -> None:
        self.path = folder / "react.db"
        self.now = START
        #: What each receiver says, by the route's name; None: it takes the message.
        self.answers: dict[str, Failure | None] = {}
        #: (route, text) of all that was taken; and of all that was tried.
        self.taken: list[tuple[str, str]] = []
        self.tried: list[tuple[str, str]] = []
        self.messages: list[Message] = []
        #: (what, route, incident, why) of what came later.
        self.notes: list[tuple[str, str, str, str]] = []
        self.incidents: dict[str, dict[str, Any]] = {}
        self.silenced: str | None = None
        #: Refuses messages of which this says True, whatever the receiver is like.
        self.refuses = lambda _message: False
        self.route(**routes)

    def route(self, **routes: Any) -> None:
        """Other routes from now on; the name of each is the host of its webhook."""
        named = {
            name: {"webhook": f"http://{name}.example.com/", **settings}
            for name, settings in routes.items()
        }
        self.routes: Routes = read_routes({"alerts": {"routes": named}})
        assert not self.routes.mistakes
        self.restart()

    def restart(self) -> None:
        self.outbox = Outbox(Ledger(self.path))
        self.postman = Postman(
            self.outbox, self.routes, self._note, lambda: self.now, self._attempt
        )

    def post(self, alert: Alert, clock_runs: bool = True, **more: Any) -> dict[str, str] | None:
        return self.postman.post(alert, {"incident": alert.incident}, None, clock_runs, **more)

    def wait(self, seconds: float, step: float = 1.0) -> None:
        """Time goes by, and the hub works."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + step)
            self.postman.remind(self.incidents.get, lambda _: self.silenced)
            self.postman.work()

    def texts(self, route: str) -> list[str]:
        return [text for name, text in self.taken if name == route]

    def _attempt(self, target: Target, message: Message) -> Failure | None:
        assert isinstance(target, Webhook)
        name = target.shown.removeprefix("http://").partition(".")[0]
        self.tried.append((name, message.text))
        answer = REFUSED if self.refuses(message) else self.answers.get(name)
        if answer is None:
            self.taken.append((name, message.text))
            self.messages.append(message)
        return answer

    def _note(self, what: str, route: str, kept: Kept, why: str) -> None:
        self.notes.append((what, route, kept.alert.incident, why))


def alert(text: str = "a", incident: str = "", severity: str = "critical", **more: Any) -> Alert:
    return Alert(severity, text, text, more.pop("cluster", "c"), incident or text, **more)


def incident(name: str, state: str = "open", **more: Any) -> dict[str, Any]:
    """As much of an incident as an alert needs; docs/incidents.md has all of it."""
    return {
        "id": name,
        "kind": "no_master",
        "cluster": "c",
        "instance": "VI_1",
        "instances": ["VI_1"],
        "nodes": ["n1"],
        "opened": "1970-01-12T13:46:40Z",
        "resolved": None if state == "open" else "1970-01-12T13:56:40Z",
        "state": state,
        "seconds": 600.0,
        "seconds_without_owner": 600.0,
        "seconds_several_owners": 0.0,
        "cause": {"class": "unknown", "text": "nobody knows"},
        **more,
    }
