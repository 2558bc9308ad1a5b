"""The verb report, as Salt loads it, on a file that a hub wrote."""

from __future__ import annotations

import json
import os
import pathlib
import re
import stat
import sys

import pytest
import salt.exceptions
import yaml

from keepalived_core.check import wiring
from keepalived_core.cluster import answers, topology

sys.path.insert(0, str(pathlib.Path(__file__).parent / "cluster"))
from hub_nodes import EPOCH, Node, World
from runner_loading import load

REPO = pathlib.Path(__file__).resolve().parents[2]
NODES = ("n1", "n2", "n3")


def wired() -> dict:
    pillar = {
        "config": {
            "vrrp_instance": {
                "VI_1": {
                    "interface": "eth1",
                    "virtual_router_id": 51,
                    "virtual_ipaddress": ["192.0.2.10/24 dev eth1"],
                }
            }
        },
        "nodes": {node: {} for node in NODES},
        "priorities": {"VI_1": ["n3", "n2", "n1"]},
        "cluster": "controllers",
    }
    found = wiring.wiring_of_clusters({"controllers": dict.fromkeys(NODES, pillar)})
    return topology.topology(found, None, EPOCH)


def instance(node: str) -> dict:
    return {
        "node": node,
        "claim": "MASTER" if node == "n2" else "BACKUP",
        "holds_vip": node == "n2",
        "effective_priority": 100,
        "since": None,
        "age": 0.1,
        "drained": False,
        "note": "",
        "base_priority": 100,
        "interface": "eth1",
        "answers": None,
        "keepalived": True,
    }


STATUS = {
    "kind": "status",
    "time": "2027-01-15T08:01:00.000000Z",
    "summary": {"clusters": 1, "critical": 0, "unknown": 0, "warnings": 0, "ok": 1, "max_age": 0.1},
    "hub": None,
    "message": None,
    "clusters": [
        {
            "cluster": "controllers",
            "verdict": "ok",
            "expected": 3,
            "answered": 3,
            "instances": [
                {
                    "instance": "VI_1",
                    "verdict": "ok",
                    "reason": "n2 holds the address",
                    "cause": None,
                    "next": None,
                    "incident": None,
                    "vrid": 51,
                    "sync_group": None,
                    "vips": ["192.0.2.10/24"],
                    "wire": [],
                    "nodes": [instance(node) for node in NODES],
                }
            ],
        }
    ],
}
AUDIT = {
    "kind": "audit",
    "time": "2027-01-15T08:01:00.000000Z",
    "counts": {"error": 0, "warning": 0, "info": 0},
    "findings": [],
}


class Site:
    """A master whose hub saw n3 fail at second 30; and the verb."""

    def __init__(self, tmp: pathlib.Path, monkeypatch: pytest.MonkeyPatch, *, hub: bool) -> None:
        self.out = tmp / "page.html"
        self.asked: list[str] = []
        self.refused = False
        self.now = EPOCH + 40
        if hub:
            self._history(tmp / "keepalived" / "timeline.db")
        self.runner = load(
            monkeypatch, "_runners/keepalived_report.py", {"cachedir": tmp},
            keepalived__topology=self._topology, keepalived__status=self._says(STATUS),
            keepalived__audit=self._says(AUDIT),
        )  # fmt: skip
        self.output = load(monkeypatch, "_output/keepalived.py", {"color": False})
        monkeypatch.setattr(self.runner.time, "time", lambda: self.now)
        site = self

        class Master:
            def __init__(self, *_: object) -> None:
                pass

            def is_accepted(self, node):
                return node != "n1"

            def ask(self, nodes, fun, *_: object, **asked):
                site.asked.append(fun)
                assert (list(nodes), "since" in asked) == (["n2", "n3"], True)
                rows = Node("n2")
                return {"n2": answers.Answer([rows.row("MASTER", 1.0)], EPOCH)}

        monkeypatch.setattr(self.runner.keepalived_master, "Master", Master)

    def _history(self, path: pathlib.Path) -> None:
        nodes = {name: Node(name) for name in NODES}
        world = World(path, *nodes.values())

        def live(seconds: float) -> None:
            for _ in range(int(seconds)):
                world.send(*(node.heartbeat(world.now) for node in nodes.values()))
                world.step(1.0)

        for name in NODES:
            world.send(nodes[name].row("BACKUP", 0.0))
        world.send(nodes["n3"].row("MASTER", 4.0))
        live(30)
        world.send(nodes["n3"].row("FAULT", 30.0, reason="chk_haproxy failed"))
        live(1)
        world.send(nodes["n2"].row("MASTER", 30.603))
        live(9)
        world.session.close()

    def _topology(self, cluster=None, now=True):
        assert now is False
        if cluster not in (None, "controllers"):
            return {"data": {"clusters": [], "message": f"There is no cluster {cluster}."}}
        return {"data": {**wired(), "message": None}}

    def _says(self, data: dict):
        def verb(_cluster=None):
            self.asked.append(data["kind"])
            if self.refused:
                raise salt.exceptions.SaltClientError("no master here")
            return {"data": data}

        return verb

    def report(self, **arguments: object) -> dict:
        returned = self.runner.report(out=str(self.out), **arguments)
        assert returned["outputter"] == "keepalived"
        return json.loads(json.dumps(returned["data"]))

    def sheet(self) -> dict:
        text = self.out.read_text(encoding="utf-8")
        return json.loads(re.findall(r'id="sheet">(.*?)</script>', text, re.S)[0])


@pytest.fixture
def site(tmp_path, monkeypatch):
    return Site(tmp_path, monkeypatch, hub=True)


@pytest.fixture
def hubless(tmp_path, monkeypatch):
    return Site(tmp_path, monkeypatch, hub=False)


def test_the_page_has_what_the_hub_knows_and_the_nodes_say(site) -> None:
    said = site.report(since="1h")
    sheet = site.sheet()

    assert (said["retcode"], said["incidents"], said["findings"]) == (0, 1, 0)
    assert site.asked == ["status", "audit"]
    assert sheet["clusters"][0]["instances"][0]["vips"][0]["told"] == "held by n2"
    (number,) = sheet["numbers"]
    assert (number["without"], number["outages"], number["changes"]) == (0.603, 1, 1)
    assert {lane["node"] for lane in sheet["timeline"]["lanes"]} == set(NODES)


def test_the_file_is_for_its_owner_and_group_and_nothing_is_left_beside_it(site) -> None:
    site.out.write_text("the one before")
    site.report()
    assert stat.S_IMODE(site.out.stat().st_mode) == 0o640
    assert sorted(path.name for path in site.out.parent.iterdir()) == ["keepalived", "page.html"]


def test_what_the_verb_says_on_a_screen(site) -> None:
    said = site.report(since="1h")
    lines = site.output.output(said).splitlines()
    assert lines[0] == f"Written: {site.out}  {said['bytes']} bytes"
    assert lines[1].startswith("  1 cluster, 3 lanes, 1 incident, 0 findings, since 2027-01-15T")


def test_without_asking_no_node_is_asked(site) -> None:
    said = site.report(ask=False, since="1h")
    (cluster,) = site.sheet()["clusters"]

    assert (site.asked, said["asked"], said["findings"]) == ([], False, None)
    assert cluster["verdict"] == "degraded"
    assert cluster["instances"][0]["vips"][0]["owners"] == ["n2"]


def test_without_a_hub_the_nodes_are_asked_for_their_journals(hubless) -> None:
    said = hubless.report(since="1h")
    sheet = hubless.sheet()

    assert hubless.asked == ["status", "audit", "keepalived.journal"]
    assert (said["hub"], said["incidents"], said["retcode"]) == (False, None, 0)
    assert sheet["missing"] == [
        {"cluster": "controllers", "node": node, "why": "no answer"} for node in ("n1", "n3")
    ]
    assert "There is no hub" in said["notes"][0]


def test_with_neither_hub_nor_nodes_nothing_is_written(hubless) -> None:
    said = hubless.report(ask=False)
    assert said["retcode"] == 1
    assert said["message"] == "Nothing to show: no node was asked, and there is no hub."
    assert not hubless.out.exists()


def test_nodes_that_could_not_be_asked_are_told_by_the_exit_status(site) -> None:
    site.refused = True
    said = site.report()

    assert said["retcode"] == 3
    assert said["notes"][0] == "The nodes could not be asked (status): no master here"
    assert site.sheet()["asked"] is False


MISTAKES = {
    "no file": ({"out": None}, "out is missing: give the absolute path of the file to write"),
    "no absolute path": (
        {"out": "page.html"},
        "out='page.html' is no absolute path: the master may run elsewhere",
    ),
    "a directory": ({"out": "/"}, "out='/' is a directory: give the name of a file"),
    "a name too long": (
        {"out": f"/{'a' * 300}"},
        f"out='/{'a' * 300}' cannot be written: File name too long",
    ),
    "a null character": (
        {"out": "/a\0b"},
        r"out='/a\x00b' is no path: it has a null character in it",
    ),
    "no such directory": (
        {"out": "/nowhere/at/all.html"},
        "out='/nowhere/at/all.html' cannot be written: No such file or directory",
    ),
    "no time": (
        {"since": "yesterday"},
        "since='yesterday' is no time: give a span back from now (90s, 15m, 2h, 3d) "
        "or a UTC time (2026-11-22T03:04:05Z)",
    ),
    "a time to come": ({"since": "2999-01-01T00:00:00Z"},
                       "since='2999-01-01T00:00:00Z' is not in the past"),
    "ask": ({"ask": "no"}, "ask='no' is neither True nor False"),
    "no such cluster": ({"cluster": "other"}, "There is no cluster other."),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said_and_nothing_is_written(site, name) -> None:
    arguments, text = MISTAKES[name]
    returned = site.runner.report(**{"out": str(site.out), **arguments})

    assert site.output.output(json.loads(json.dumps(returned["data"]))) == text
    assert returned["data"]["retcode"] == 1
    assert not site.out.exists()


def test_what_is_no_regular_file_is_not_replaced_by_one(site) -> None:
    """A FIFO here; /dev/null is the one that would be missed."""
    os.mkfifo(site.out)
    data = site.report()

    assert data["message"] == f"out='{site.out}' is no regular file: give the name of a file"
    assert data["retcode"] == 1
    assert site.out.is_fifo()


def test_the_keys_of_the_json_are_those_of_the_docs(site) -> None:
    docs = (REPO / "docs" / "report.md").read_text(encoding="utf-8")
    described = {
        name
        for line in re.findall(r"^\| (`[^|]*`) \|", docs, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", line)
    }
    assert set(site.report()) == described


def test_the_example_pillar_makes_a_page(site) -> None:
    """The wiring of the classic pillar, its tracks and all, is drawn."""
    text = (REPO / "pillar/keepalived/classic.sls").read_text(encoding="utf-8")
    pillar = yaml.safe_load(text)["keepalived"]
    nodes = dict.fromkeys(pillar["nodes"], pillar)
    found = topology.topology(wiring.wiring_of_clusters({"controllers": nodes}), None, EPOCH)
    site.runner.__salt__["keepalived.topology"] = lambda *_, **__: {"data": found}

    site.report(ask=False)

    (cluster,) = site.sheet()["clusters"]
    tracks = cluster["instances"][0]["nodes"][0]["tracks"]
    assert {"kind": "script", "name": "chk_haproxy", "does": "FAULT when it fails"} in tracks
