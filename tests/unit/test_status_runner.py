"""The verb status as Salt loads it: nodes that only answer, and the file that a hub wrote."""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "cluster"))
from cluster_samples import node_status
from hub_nodes import EPOCH, Node, World
from runner_loading import load

from keepalived_core.cluster import secret

REPO = pathlib.Path(__file__).resolve().parents[2]
NODES = ("n1", "n2", "n3")
OLDER = "'keepalived.answers' is not available."


class Site:
    """A hub on three nodes, what the nodes say when they are asked, and the runner."""

    def __init__(self, cache: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.nodes = {name: Node(name) for name in NODES}
        self.cache, self.patch = cache, monkeypatch
        secret.create(cache / secret.FILE_NAME)
        self.hub: World | None = None
        self.late = 5.0
        self.settings: dict[str, Any] = {}
        self.said: dict[str, Any] = {}
        self.error: Exception | None = None

    def live(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.hub.send(*(node.heartbeat(self.hub.now) for node in self.nodes.values()))
            self.hub.step(1.0)

    def begin(self) -> None:
        self.hub = World(self.cache / "keepalived" / "timeline.db", *self.nodes.values())
        for name in NODES:
            self.hub.send(self.nodes[name].row("BACKUP", 0.0))
        self.hub.send(self.nodes["n3"].row("MASTER", 4.0))
        self.live(30)

    def status(self, cluster: str | None = None) -> dict[str, Any]:
        """What the verb returns: plain data, once through JSON."""
        now = EPOCH + (self.hub.now if self.hub else 0.0) + self.late
        opts = {
            "cachedir": self.cache,
            "pki_dir": str(self.cache),
            "keepalived": self.settings,
        }
        runner = load(self.patch, "_runners/keepalived_status.py", opts)
        self.patch.setattr(runner.time, "time", lambda: now)
        self.patch.setattr(runner.time, "sleep", lambda _seconds: None)
        world = runner._World
        facts = sys.modules["keepalived_core.cluster.facts"]

        def ask(_self: Any, nodes: Any, fun: str, *_args: Any, **_kwarg: Any) -> dict[str, Any]:
            if self.error:
                raise self.error
            said = self.said if fun == "keepalived.status" else dict.fromkeys(nodes, OLDER)
            return {node: facts.Answer(said[node], now) for node in nodes if node in said}

        def clusters(_self: Any, only: Any) -> tuple[dict, str | None]:
            known = {"controllers": [facts.Member(node, ("VI_1",)) for node in NODES]}
            return (known, None) if only in (None, "controllers") else ({}, f"no cluster {only}")

        for name, fake in (("ask", ask), ("clusters", clusters), ("last_macs", lambda *_: {})):
            self.patch.setattr(world, name, fake, raising=False)
        returned = runner.status(cluster)
        assert returned["outputter"] == "keepalived"
        return json.loads(json.dumps(returned["data"]))

    def screen(self, data: dict) -> list[str]:
        output = load(self.patch, "_output/keepalived.py", {"color": False})
        return output.output(data).splitlines()


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = Site(tmp_path, monkeypatch)
    site.said = {
        f"n{n}": node_status(n, "MASTER" if n == 3 else "BACKUP", instance="VI_1")
        for n in (1, 2, 3)
    }
    yield site
    if site.hub:
        site.hub.session.close()


def failed_over(site: Site) -> dict[str, Any]:
    """n3's check fails, n2 takes over; the nodes say so too."""
    site.begin()
    site.hub.send(site.nodes["n3"].row("FAULT", 30.0, reason="chk_haproxy \x1b[31mfailed"))
    site.live(1)
    site.hub.send(site.nodes["n2"].row("MASTER", 30.603))
    site.live(9)
    site.said["n3"] = node_status(3, "FAULT", instance="VI_1")
    site.said["n2"] = node_status(2, "MASTER", instance="VI_1")
    return site.status()


def test_the_hubs_open_incident_says_what_an_answer_of_now_cannot(site) -> None:
    data = failed_over(site)

    (instance,) = data["clusters"][0]["instances"]
    assert (data["verdict"], data["retcode"]) == ("degraded", 1)
    assert instance["cause"]["class"] == "fault"
    assert "chk_haproxy ?[31mfailed" in instance["cause"]["text"]
    incident = instance["incident"]
    assert (incident["kind"], incident["opened"]) == ("failover", "2027-01-15T08:00:30.000000Z")
    assert data["hub"]["running"] is True
    assert "incidents" not in data["hub"]
    last = site.screen(data)
    assert f"  incident {incident['id']}: failover, open for 15 s; " in "\n".join(last)
    assert last[-1].startswith("1 cluster, 0 critical, 0 unknown, 1 warning; ")
    assert last[-1].endswith("hub: 0 rows behind, 0 missing, 0 lost")


def test_what_a_hub_said_that_has_stopped_is_not_now(site) -> None:
    failed_over(site)
    site.late = 3600.0

    data = site.status()

    (instance,) = data["clusters"][0]["instances"]
    assert instance["incident"] is None
    assert data["hub"]["problem"].startswith("the hub has not run for")
    assert data["hub"]["problem"] in site.screen(data)[-1]


def test_without_a_hub_all_else_is_there(site) -> None:
    data = site.status()

    assert (data["verdict"], data["hub"], data["message"]) == ("ok", None, None)
    assert site.screen(data)[-1].endswith("; no hub")


def test_a_hub_file_that_cannot_be_read_is_said(site, tmp_path) -> None:
    (tmp_path / "keepalived").mkdir()
    (tmp_path / "keepalived" / "timeline.db").write_text("no database" * 100)

    data = site.status()

    assert data["verdict"] == "ok"
    assert "What the hub knows cannot be read" in data["message"]


def test_an_instance_that_flaps_is_flapping_while_all_is_well_for_a_moment(site) -> None:
    site.begin()
    for turn in range(6):
        at = site.hub.now
        site.hub.send(site.nodes["n1"].row("FAULT", at, reason="chk_haproxy failed"))
        site.live(1)
        site.hub.send(site.nodes["n1"].row("BACKUP", at + 1.0))
        site.live(2 if turn < 5 else 3)

    data = site.status()

    (instance,) = data["clusters"][0]["instances"]
    assert (data["verdict"], data["retcode"]) == ("flapping", 1)
    assert instance["reason"] == "n1 lost its state of VI_1 several times within a minute"
    assert instance["next"].startswith("salt-run keepalived.drain n1")


def test_a_cluster_that_is_mistyped_is_unknown(site) -> None:
    data = site.status("controller")

    assert (data["retcode"], data["clusters"], data["message"]) == (3, [], "no cluster controller")
    assert site.screen(data) == ["no cluster controller"]


def test_a_master_that_cannot_ask_says_so(site) -> None:
    exceptions = pytest.importorskip("salt.exceptions")
    site.error = exceptions.SaltClientError("the master does not run")

    data = site.status()

    assert (data["kind"], data["retcode"]) == ("message", 3)
    assert data["message"] == "the master does not run"


def test_a_route_of_alerts_that_fails_is_said_below_all(site, tmp_path) -> None:
    site.settings = {"alerts": {"webhook": {"url": "http://127.0.0.1:1/T0KEN"}, "mail": {}}}
    opts = {"cachedir": tmp_path, "pki_dir": str(tmp_path), "keepalived": site.settings}
    load(site.patch, "_runners/keepalived_alerts.py", opts).alert_test()

    data = site.status()

    (failing,) = data["alerts"]["failing"]
    assert (failing["route"], failing["to"]) == ("webhook", "http://127.0.0.1:1")
    assert (data["alerts"]["routes"], data["alerts"]["mistakes"]) == (1, 1)
    last = site.screen(data)[-2:]
    assert last[0].startswith("alerts: webhook (http://127.0.0.1:1) has failed for ")
    assert "Connection refused from http://127.0.0.1:1; 0 waiting, 0 given up" in last[0]
    assert last[1].startswith("alerts: 1 mistake in keepalived:alerts; salt-run keepalived.alerts")
    assert "T0KEN" not in f"{data}{last}"


def test_where_all_routes_are_well_the_status_says_nothing_of_them(site) -> None:
    site.settings = {"alerts": {"log": True}}

    data = site.status()

    assert data["alerts"] == {"routes": 1, "mistakes": 0, "failing": []}
    assert "alerts" not in "".join(site.screen(data))
