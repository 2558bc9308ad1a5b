"""Brings alerts from the outbox to their routes, each route in a thread of its own.

Nothing here knows Salt: whoever uses it says what is to be noted of what came of an alert.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from . import alert_incident, clock, deliver
from .alert import Alert
from .alert_message import Failure, Kept, Message, bundles, compose
from .alert_route import Route, Routes, Target
from .ledger import Claim, LedgerError
from .outbox import GIVE_UP, Busy, Outbox

log = logging.getLogger(__name__)

#: A sender goes on for so long, in seconds, while more comes in; the rest is the next one's.
LONGEST = 20.0

Attempt = Callable[[Target, Message], Failure | None]
#: What came of an alert later: ("sent" or "failed", the route, the alert, why).
Note = Callable[[str, str, Kept, str], None]


class Postman:
    """Sends, keeps what could not be sent, and reminds.

    routes
        Where alerts go.
    note
        Told of each alert that was sent after its own moment, or given up.
    """

    def __init__(
        self,
        outbox: Outbox,
        routes: Routes,
        note: Note,
        now: Callable[[], float] = time.time,
        attempt: Attempt = deliver.attempt,
    ) -> None:
        self._outbox = outbox
        self._routes = {route.name: route for route in routes.routes}
        self._note = note
        self._now = now
        self._attempt = attempt

    def post(
        self,
        alert: Alert,
        about: Mapping[str, Any],
        claim: Claim | None = None,
        clock_runs: bool = False,
    ) -> dict[str, str] | None:
        """Keep an alert for its routes, and send it to those that are well.

        claim
            What may be told once.
        clock_runs
            Whether somebody calls :meth:`work` every moment: then a group may wait, and a route
            that is dead costs the caller nothing.

        Returns ``{route: "sent", "failed: why" or "waiting: why"}``; None when it was told before.
        What failed or waits is sent later by :meth:`work`.  Raises LedgerError.
        """
        wanted = {route.name: route.group if clock_runs else 0.0 for route in self._wanted(alert)}
        # before it is entered: one who gets a LedgerError may send it past the outbox
        ready = set() if clock_runs else self._ready()
        numbers = self._outbox.enter(alert, wanted, about, self._now(), claim)
        if numbers is None:
            return None
        done, busy = self._send(
            ready | numbers.keys(), patient=clock_runs, own=frozenset(numbers.values())
        )
        results = {}
        for name, number in numbers.items():
            if number in done:
                failure = done[number]
                results[name] = "sent" if failure is None else f"failed: {failure.reason}"
            elif name in busy:
                results[name] = f"waiting: {busy[name]}"
            else:
                wait = clock.span(wanted[name])
                results[name] = f"waiting: for others of this cluster, {wait} at most"
        return results

    def broadcast(self, alert: Alert) -> dict[str, str]:
        """Send an alert once to all its routes, past the outbox: that cannot be used."""
        routes = list(self._wanted(alert))
        kept = Kept(0, alert, {}, self._now())
        return {
            name: "sent" if failure is None else f"failed: {failure.reason}"
            for name, (failure, _) in self.attempt(routes, kept).items()
        }

    def attempt(
        self, routes: Sequence[Route], kept: Kept
    ) -> dict[str, tuple[Failure | None, float]]:
        """Send one alert to routes at once, and keep nothing; the seconds that each took."""
        done: dict[str, tuple[Failure | None, float]] = {}

        def send(route: Route) -> None:
            begin = time.monotonic()
            message = compose([kept], route.template, self._now())
            failure = self._attempt(route.target, message)
            done[route.name] = failure, time.monotonic() - begin

        _together(routes, send)
        broke_off = Failure("it broke off"), 0.0
        return {route.name: done.get(route.name, broke_off) for route in routes}

    def work(self, running: dict[str, threading.Thread] | None = None) -> float | None:
        """Send all that is due, and give up what is too old for routes that are no more.

        running
            The threads of the calls before, by their routes.  With it no route is waited for: each
            that is ready gets a thread unless its last one is at work still.

        Returns when there is something to do next, None: when an alert comes.  Raises LedgerError.
        """
        now = self._now()
        for name, each in self._outbox.give_up_strangers(self._routes, now):
            self._note("failed", name, each, f"given up: there is no route {name} any more")
        if running is None:
            self._send(self._ready(), patient=False, own=frozenset())
        else:
            self._begin(self._ready(), running)
        return self._outbox.due(self._now())[1]

    def reminds(self) -> bool:
        """Whether any route wants reminders."""
        return any(route.remind for route in self._routes.values())

    def remind(
        self,
        look: Callable[[str], Mapping[str, Any] | None],
        silent: Callable[[str], str | None],
    ) -> None:
        """Enter reminders of the incidents that are open still, for :meth:`work`.

        look
            The incident of an id as the hub has it now; None: it knows of none.
        silent
            Why nobody is told of a cluster now.

        An incident that is over, whose end was not told (the reactor was away), is told as over.
        Raises LedgerError.
        """
        for route in self._routes.values():
            if not route.remind:
                continue
            now = self._now()
            for name in self._outbox.to_remind(route.name, now - route.remind, now):
                incident = look(name)
                if incident is None:
                    self._outbox.forget(name, now)
                elif incident["state"] != "open":
                    self._enter(incident, "resolved", self._routes.values(), now)
                elif silent(str(incident["cluster"])):
                    self._outbox.reminded(route.name, name, now)
                elif alert_incident.why_silent(incident, "reminder"):
                    self._outbox.forget(name, now)
                else:
                    self._enter(incident, "reminder", [route], now)

    def _enter(
        self, incident: Mapping[str, Any], word: str, routes: Iterable[Route], now: float
    ) -> None:
        alert = alert_incident.compose(incident, word, now)
        claim = alert_incident.claim_of(incident, word) if word == "resolved" else None
        about = {**alert_incident.about(incident), "to": word}
        self._outbox.enter(alert, {each.name: each.group for each in routes}, about, now, claim)

    def _wanted(self, alert: Alert) -> Iterable[Route]:
        """The routes for an alert; the end of an incident is for whoever was told that it began,
        which the outbox knows."""
        return [
            route
            for route in self._routes.values()
            if alert.word == "resolved" or route.takes(alert.severity, alert.cluster)
        ]

    def _ready(self) -> set[str]:
        return self._outbox.due(self._now())[0] & self._routes.keys()

    def _send(
        self, names: Iterable[str], patient: bool, own: frozenset[int]
    ) -> tuple[dict[int, Failure | None], dict[str, str]]:
        """What came of each message, and why a route was left alone."""
        done: dict[int, Failure | None] = {}
        busy: dict[str, str] = {}

        def serve(route: Route) -> None:
            self._serve(route, patient, own, done, busy)

        _together([self._routes[name] for name in sorted(names)], serve)
        return done, busy

    def _begin(self, names: Iterable[str], running: dict[str, threading.Thread]) -> None:
        def serve(route: Route) -> None:
            self._serve(route, False, frozenset(), {}, {})

        for name in sorted(names):
            if name not in running or not running[name].is_alive():
                # whoever ends waits for none: what is not sent then is the next one's
                running[name] = _thread(self._routes[name], serve, daemon=True)
                running[name].start()

    def _serve(
        self,
        route: Route,
        patient: bool,
        own: frozenset[int],
        done: dict[int, Failure | None],
        busy: dict[str, str],
    ) -> None:
        try:
            self._bring(route, patient, own, done, busy)
        except LedgerError as error:
            log.error("keepalived: what came of the alerts for %s: %s", route.name, error)
        except Exception:
            self._outbox.release(route.name)
            raise

    def _bring(
        self,
        route: Route,
        patient: bool,
        own: frozenset[int],
        done: dict[int, Failure | None],
        busy: dict[str, str],
    ) -> None:
        end = time.monotonic() + LONGEST
        while True:
            taken = self._outbox.take(route.name, self._now(), patient)
            if isinstance(taken, Busy):
                busy.setdefault(route.name, taken.reason)
                return
            if not taken:
                return
            for bundle in bundles(taken, bool(route.group)):
                failure = self._try(route, bundle)
                done.update((each.number, failure) for each in bundle)
                self._came_of(route.name, bundle, failure, own)
                if (failure and not failure.refused) or time.monotonic() > end:
                    self._outbox.release(route.name)
                    return

    def _try(self, route: Route, bundle: Sequence[Kept]) -> Failure | None:
        """Send a bundle; an error nobody foresaw is a failure as any other."""
        try:
            message = compose(bundle, route.template, self._now())
        except Exception as error:
            # of this message alone
            return Failure(type(error).__name__, refused=True)
        try:
            return self._attempt(route.target, message)
        except Exception as error:
            # its words may quote the address
            return Failure(type(error).__name__)

    def _came_of(
        self, route: str, bundle: Sequence[Kept], failure: Failure | None, own: frozenset[int]
    ) -> None:
        now = self._now()
        if failure is None:
            self._outbox.sent(route, bundle, now)
            for each in bundle:
                if each.number not in own:
                    waited = clock.span(now - each.entered)
                    self._note("sent", route, each, f"{each.alert.subject}, {waited} later")
            return
        over = self._outbox.failed(route, bundle, failure, now)
        while over:
            for each in over:
                limit = clock.span(GIVE_UP)
                self._note("failed", route, each, f"given up after {limit}: {failure.reason}")
            over = [] if failure.refused else self._outbox.give_up_old(route, self._now())


def _together(routes: Sequence[Route], work: Callable[[Route], None]) -> None:
    """Do something for each route at once; a dead one delays no other."""
    threads = [_thread(route, work) for route in routes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _thread(
    route: Route, work: Callable[[Route], None], daemon: bool | None = None
) -> threading.Thread:
    def guarded() -> None:
        try:
            work(route)
        except Exception as error:
            # the words of an error may quote an address
            log.error("keepalived: the route %s broke off: %s", route.name, type(error).__name__)

    return threading.Thread(target=guarded, name=f"alerts {route.name}", daemon=daemon)
