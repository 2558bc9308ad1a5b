"""The verbs alerts and alert_test as Salt loads them, with receivers on this machine."""

from __future__ import annotations

import contextlib
import http.server
import importlib.util
import json
import pathlib
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "cluster"))
from cluster_samples import event
from runner_loading import load

from keepalived_core.cluster import hub_session, secret
from keepalived_core.cluster.alert import Alert
from keepalived_core.cluster.ledger import Ledger
from keepalived_core.cluster.outbox import Outbox

SECRET = "T0KEN-4711"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Site:
    """A master that has only its settings and its file."""

    def __init__(self, cache: pathlib.Path, monkeypatch: pytest.MonkeyPatch, url: str) -> None:
        self.cache, self.patch, self.url = cache, monkeypatch, url
        self.alerts: dict[str, Any] = {}

    def opts(self) -> dict[str, Any]:
        folder = str(self.cache)
        return {"cachedir": folder, "pki_dir": folder, "keepalived": {"alerts": self.alerts}}

    def hub(self) -> None:
        """A hub runs, until half a minute from now."""
        session = hub_session.Session(self.cache / "keepalived" / "timeline.db")
        session.configure({}, False, time.time())
        session.step(time.time())
        session.close()

    def ghost(self) -> dict[str, Any]:
        """What the reaction to a ghost is, of an event that was believed."""
        runner = load(self.patch, "_runners/keepalived.py", self.opts())
        pillar = {"keepalived": {"cluster": "controllers"}}
        master = types.SimpleNamespace(cached_pillar=lambda _node: pillar)
        self.patch.setattr(runner, "_master", lambda: master)
        self.patch.setattr(runner.reacting, "configured_for", lambda *_: True)
        trail = runner.keepalived_trail.Trail(runner.__opts__)
        self.patch.setattr(trail, "fire", lambda *_: None)
        return runner._alert(trail, event(to="ghost"))

    def call(self, verb: str, *arguments: Any) -> dict[str, Any]:
        runner = load(self.patch, "_runners/keepalived_alerts.py", self.opts())
        returned = getattr(runner, verb)(*arguments)
        assert returned["outputter"] == "keepalived"
        return json.loads(json.dumps(returned["data"]))

    def screen(self, data: dict[str, Any]) -> str:
        return load(self.patch, "_output/keepalived.py", {"color": False}).output(data)


@contextlib.contextmanager
def server() -> Iterator[http.server.ThreadingHTTPServer]:
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.taken = []
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def site(tmp_path, monkeypatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with server() as receiver:
        site = Site(tmp_path, monkeypatch, f"127.0.0.1:{receiver.server_port}/{SECRET}")
        site.receiver = receiver
        yield site


def test_the_test_says_of_each_route_whether_it_was_taken(site: Site) -> None:
    site.alerts = {
        "routes": {
            "chat": {
                "apprise": [f"json://{site.url}", f"json://127.0.0.1:1/{SECRET}"],
                "severity": "critical",
                "clusters": ["prod*"],
                "group": 300,
            },
            "hook": {"webhook": f"http://{site.url}", "template": "({{ text }})"},
        }
    }

    data = site.call("alert_test")

    assert [(each["route"], each["result"], each["why"]) for each in data["routes"]] == [
        ("chat/1", "sent", None),
        ("chat/2", "failed", "no connection from json://…"),
        ("hook", "sent", None),
    ]
    assert data["retcode"] == 1
    texts = [taken.get("message") or taken.get("text") for taken in site.receiver.taken]
    assert len(texts) == 2
    assert all("This is a test of this route" in text for text in texts)
    assert [text for text in texts if text.startswith("(") and text.endswith(")")]
    shown = site.screen(data)
    assert [line.split()[:3] for line in shown.splitlines()[:2]] == [
        ["route", "to", "result"],
        ["chat/1", "json://…", "sent"],
    ]
    assert SECRET not in f"{data}{shown}"


@pytest.mark.parametrize(
    ("asked", "routes"), [("chat", ["chat/1", "chat/2"]), ("chat/2", ["chat/2"]), ("t", ["t"])]
)
def test_one_route_can_be_tested_alone(site: Site, asked: str, routes: list[str]) -> None:
    url = f"json://{site.url}"
    site.alerts = {"routes": {"chat": {"apprise": [url, url]}, "t": {"log": True}, "bad": {}}}

    data = site.call("alert_test", asked)

    assert [each["route"] for each in data["routes"]] == routes
    assert (data["mistakes"], data["retcode"]) == ([], 0)


def test_a_route_that_there_is_not_is_an_error_that_names_the_others(site: Site) -> None:
    site.alerts = {"log": True, "routes": {"chat": {"log": True}}}

    data = site.call("alert_test", "chatt")

    assert data["kind"] == "message"
    assert data["message"] == "keepalived:alerts names no route chatt; there are: log, chat"
    assert data["retcode"] == 1


def test_a_route_with_a_mistake_is_tested_by_saying_the_mistake(site: Site) -> None:
    site.alerts = {"routes": {"bad": {"log": True, "severity": "fatal"}}}

    data = site.call("alert_test", "bad")

    assert data["routes"] == []
    (mistake,) = data["mistakes"]
    assert mistake.startswith("keepalived:alerts:routes:bad:severity must be a list of info")
    assert data["retcode"] == 1
    assert mistake in site.screen(data)


def test_the_routes_are_shown_as_they_are_understood_and_how_they_are(site: Site) -> None:
    site.alerts = {
        "routes": {
            "hook": {"webhook": f"http://{site.url}", "severity": "critical", "remind": "30m"},
            "pager": {"apprise": f"json://127.0.0.1:1/{SECRET}", "clusters": ["prod*"]},
            "typo": {"apprise": f"slakc://{SECRET}/{SECRET}/{SECRET}"},
        }
    }
    site.call("alert_test")
    outbox = Outbox(Ledger(site.cache / "keepalived" / "react.db"))
    outbox.enter(Alert("info", "t", "s", "c", "i"), {"pager": 0, "old": 0}, {}, 1_900_000_000)

    data = site.call("alerts")

    hook, pager = data["routes"]
    assert (hook["type"], hook["severity"], hook["remind"]) == ("webhook", ["critical"], 1800)
    assert (hook["failures"], hook["why"]) == (0, None)
    assert hook["last_sent"] is not None
    assert (pager["failures"], pager["why"]) == (1, "no connection from json://…")
    assert (pager["waiting"], pager["clusters"]) == (1, ["prod*"])
    assert data["gone"] == [{"route": "old", "waiting": 1}]
    assert data["mistakes"] == [
        "keepalived:alerts:routes:typo: apprise does not understand this URL"
    ]
    assert (data["retcode"], data["clock"]) == (1, False)
    shown = site.screen(data)
    assert "no connection from json://…; 1 waiting" in shown
    assert "No hub runs" in shown
    assert "mistake: keepalived:alerts:routes:typo" in shown
    assert SECRET not in f"{data}{shown}"


SECRETS = {"missing": "is missing: make it with", "readable by others": "others may have read it"}


@pytest.mark.parametrize(("state", "says"), SECRETS.items(), ids=SECRETS)
def test_a_hub_that_cannot_be_believed_is_a_mistake_and_nodes_speak_for_themselves(
    site: Site, state: str, says: str
) -> None:
    site.alerts = {"log": True}
    file = site.cache / secret.FILE_NAME
    if state != "missing":
        secret.create(file)
        file.chmod(0o640)
    site.hub()

    data = site.call("alerts")

    (mistake,) = data["mistakes"]
    assert mistake.startswith("keepalived:alerts: nobody is told of incidents, for nothing proves")
    assert says in mistake
    assert data["retcode"] == 1
    assert site.ghost()["result"] == "sent"


def test_a_hub_that_can_be_believed_tells_of_a_ghost_itself(site: Site) -> None:
    site.alerts = {"log": True}
    secret.create(site.cache / secret.FILE_NAME)
    site.hub()

    assert site.call("alerts")["mistakes"] == []
    assert site.ghost()["reason"] == "the hub tells it as an incident, when it lasts"


def test_without_routes_that_is_said(site: Site) -> None:
    data = site.call("alerts")

    assert (data["routes"], data["mistakes"], data["retcode"]) == ([], [], 0)
    assert site.screen(data) == "keepalived:alerts names no route: nobody is told."


def test_a_file_that_cannot_be_read_is_an_error_with_a_way_out(site: Site) -> None:
    (site.cache / "keepalived").mkdir()
    (site.cache / "keepalived" / "react.db").write_text("no database" * 100, encoding="utf-8")
    site.alerts = {"log": True}

    data = site.call("alerts")

    assert data["retcode"] == 1
    assert "move it away" in data["message"]


def test_where_apprise_is_missing_its_routes_alone_are_mistakes(site: Site, monkeypatch) -> None:
    site.alerts = {"log": True, "routes": {"pager": {"apprise": f"json://{site.url}"}}}
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "apprise" else find(name)
    )

    data = site.call("alerts")

    assert [each["route"] for each in data["routes"]] == ["log"]
    (mistake,) = data["mistakes"]
    assert mistake.startswith("keepalived:alerts:routes:pager: the Python package apprise is miss")
