"""The verbs topology and live, as Salt loads them."""

from __future__ import annotations

import json
import pathlib
import re
import sys
import types
import xml.etree.ElementTree as ET

import pytest
import yaml

from keepalived_core.cluster import answers, facts, membership

sys.path.insert(0, str(pathlib.Path(__file__).parent / "cluster"))
from hub_nodes import EPOCH, Node, World
from runner_loading import load

REPO = pathlib.Path(__file__).resolve().parents[2]
NODES = ("controller1", "controller2", "controller3")
PILLAR = yaml.safe_load((REPO / "pillar/keepalived/classic.sls").read_text(encoding="utf-8"))
SVG = "{http://www.w3.org/2000/svg}"


def status(state: str, vip: bool) -> dict:
    return {
        "keepalived": {"running": True},
        "instances": [
            {
                "instance": "VI_PUBLIC",
                "state": state,
                "effective_priority": 103,
                "vips": [{"address": "192.168.1.220/32", "present": vip}],
                "vip_present": vip,
            }
        ],
    }


class FakeMaster:
    """Three nodes with the classic pillar, of which controller1 does not answer."""

    asked = 0

    def __init__(self, *_: object) -> None:
        pass

    def clusters(self, only=None):
        if only not in (None, "controllers"):
            return {}, f"There is no cluster {only}; known: controllers."
        members = [membership.Member(node, ("VI_PUBLIC",)) for node in NODES]
        return {"controllers": members}, None

    def compiled_pillar(self, _node):
        return PILLAR

    def ask(self, *_: object):
        type(self).asked += 1
        said = {"controller2": status("BACKUP", False), "controller3": status("MASTER", True)}
        return {node: answers.Answer(each, EPOCH) for node, each in said.items()}


@pytest.fixture
def topology(monkeypatch):
    runner = load(monkeypatch, "_runners/keepalived_topology.py", {}, mine__get=lambda *_: {})
    monkeypatch.setattr(runner.keepalived_master, "Master", FakeMaster)
    monkeypatch.setattr(FakeMaster, "asked", 0)
    return runner.topology


@pytest.fixture
def output(monkeypatch):
    module = load(monkeypatch, "_output/keepalived.py", {"color": False})
    return lambda returned: module.output(json.loads(json.dumps(returned["data"])))


def test_the_topology_says_who_owns_what_and_of_whom_nothing_is_known(topology, output) -> None:
    returned = topology()
    (cluster,) = returned["data"]["clusters"]
    (instance,) = cluster["instances"]
    (vip,) = instance["vips"]

    assert (vip["owners"], vip["unknown"]) == (["controller3"], ["controller1"])
    assert [(each["node"], each["priority"], each["claim"]) for each in instance["nodes"]] == [
        ("controller3", 103, "MASTER"),
        ("controller2", 102, "BACKUP"),
        ("controller1", 101, "unknown"),
    ]
    assert returned["data"]["retcode"] == 0
    text = output(returned)
    assert "held by controller3 (controller1: unknown)" in text
    assert "script chk_haproxy: FAULT when it fails" in text


def test_from_the_pillar_alone_no_node_is_asked(topology) -> None:
    data = topology(now=False)["data"]

    assert FakeMaster.asked == 0
    assert data["now"] is False
    assert data["clusters"][0]["instances"][0]["vips"][0]["owners"] is None


def test_an_svg_is_written_whole_and_printed_no_more(topology, output, tmp_path) -> None:
    target = tmp_path / "picture.svg"
    target.write_text("the one before")

    returned = topology("controllers", format="svg", out=str(target))

    root = ET.fromstring(target.read_text(encoding="utf-8"))
    assert root.find(f"{SVG}title").text == "keepalived topology: controllers"
    assert "held by controller3" in root.find(f"{SVG}desc").text
    assert output(returned) == f"Written: {target}"
    assert [path.name for path in tmp_path.iterdir()] == ["picture.svg"]


MISTAKES = {
    "format": ({"format": "png"}, "format='png' is none of text, svg, mermaid"),
    "now": ({"now": "yes"}, "now='yes' is neither True nor False"),
    "out": ({"out": "a.svg"}, "out='a.svg' is no absolute path: the master may run elsewhere"),
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
        {"out": "/nowhere/at/all.svg"},
        "out='/nowhere/at/all.svg' cannot be written: No such file or directory",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said(topology, output, name) -> None:
    arguments, text = MISTAKES[name]
    returned = topology(**arguments)

    assert output(returned) == text
    assert returned["data"]["retcode"] == 1


def test_of_a_cluster_that_there_is_not_nothing_is_written(topology, tmp_path) -> None:
    data = topology("controller", format="svg", out=str(tmp_path / "a.svg"))["data"]

    assert (data["retcode"], data["message"]) == (
        1,
        "There is no cluster controller; known: controllers.",
    )
    assert not list(tmp_path.iterdir())


def test_the_keys_of_the_json_are_those_of_the_docs(topology) -> None:
    docs = (REPO / "docs" / "topology.md").read_text(encoding="utf-8")
    data = topology()["data"]
    (cluster,) = data["clusters"]
    (instance,) = cluster["instances"]
    of = (data, cluster, cluster["nodes"][0], instance, instance["vips"][0], instance["nodes"][0])

    for key in (*(key for each in of for key in each), *instance["nodes"][0]["tracks"][0]):
        assert f"`{key}`" in docs


# --- live ------------------------------------------------------------------------------------


class Live:
    """A hub on two nodes and the verb; time goes on while the verb sleeps."""

    def __init__(self, cache: pathlib.Path, monkeypatch: pytest.MonkeyPatch, opts: dict) -> None:
        self.nodes = {name: Node(name) for name in ("n1", "n2")}
        self.world = World(cache / "keepalived" / "timeline.db", *self.nodes.values())
        for node in self.nodes.values():
            self.world.send(node.row("BACKUP", 0.0))
        self.world.send(self.nodes["n1"].row("MASTER", 4.0))
        self.go(20)
        self.runner = load(monkeypatch, "_runners/keepalived_live.py", {"cachedir": cache, **opts})
        monkeypatch.setattr(self.runner.keepalived_master, "Master", FakeMaster)
        self.runner.__salt__ = {"keepalived.status": self.status}
        ours = {
            "time": lambda: EPOCH + self.world.now,
            "monotonic": lambda: self.world.now,
            "sleep": self.sleep,
        }
        monkeypatch.setattr(self.runner, "time", types.SimpleNamespace(**ours))
        self.later: list = []

    def status(self, cluster):
        clusters, _ = FakeMaster().clusters(cluster)
        return {"data": facts.gather(clusters, FakeMaster().ask(), EPOCH)}

    def go(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.world.send(*(node.heartbeat(self.world.now) for node in self.nodes.values()))
            self.world.step(1.0)

    def sleep(self, _seconds: float) -> None:
        if self.later:
            self.later.pop(0)()
        self.go(1)

    def failover(self) -> None:
        now = self.world.now
        self.world.send(self.nodes["n1"].row("FAULT", now, reason="chk \x1b[31mfailed"))
        self.world.send(self.nodes["n2"].row("MASTER", now + 0.6))


@pytest.fixture
def live(tmp_path, monkeypatch):
    made = []

    def make(**opts: object) -> Live:
        made.append(Live(tmp_path, monkeypatch, opts))
        return made[-1]

    yield make
    for each in made:
        each.world.session.close()


def test_each_transition_and_incident_is_one_line_once(live, output, capsys) -> None:
    master = live()
    master.later = [lambda: None, master.failover]

    returned = master.runner.live(seconds=20)

    assert returned["data"]["retcode"] == 0
    assert output(returned) == ""
    lines = capsys.readouterr().out.splitlines()
    head = next(at for at, line in enumerate(lines) if "n1" in line and "->" in line)
    assert lines[0].startswith("controllers  2 of 3 nodes answered")
    assert [re.sub(r"^\S+  ", "", line) for line in lines[head : head + 2]] == [
        "n1  VI_1  MASTER -> FAULT  chk ?[31mfailed",
        "n2  VI_1  BACKUP -> MASTER  has the address",
    ]
    assert [line.split()[1:3] for line in lines[head + 2 :]] == [["FAILOVER", "opened"]]


def test_json_is_a_document_a_line(live, capsys) -> None:
    master = live(output="json")
    master.later = [master.failover]

    returned = master.runner.live("controllers", seconds=20)

    documents = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["kind"] for each in documents] == [
        "status", "transition", "transition", "incident",
    ]  # fmt: skip
    assert documents[1]["reason"] == "chk \x1b[31mfailed"
    assert (documents[3]["word"], documents[3]["incident"]) == ("opened", "failover")
    # which Salt's json outputter prints as one line too
    assert returned["data"] == {}
    docs = (REPO / "docs" / "topology.md").read_text(encoding="utf-8")
    for key in {key for each in documents[1:] for key in each}:
        assert f"`{key}`" in docs


@pytest.mark.parametrize("end", [KeyboardInterrupt, SystemExit, BrokenPipeError])
def test_ctrl_c_and_a_closed_pipe_are_an_end_like_another(live, monkeypatch, end) -> None:
    master = live()
    monkeypatch.setattr(master.runner.os, "dup2", lambda *_: None)

    def stop() -> None:
        raise end

    master.later = [stop]
    assert master.runner.live()["data"]["retcode"] == 0


def test_a_hub_that_stops_is_said(live, capsys) -> None:
    master = live()

    def die() -> None:
        master.go = lambda _: None
        master.world.now += 100

    master.later = [die]
    data = master.runner.live()["data"]

    assert data["retcode"] == 3
    assert data["message"] == "Nothing more to follow: the hub has not run for 1 m 40 s."


def test_without_a_hub_there_is_nothing_to_follow(live, tmp_path) -> None:
    master = live()
    master.runner.__opts__ = {"cachedir": tmp_path / "no"}

    data = master.runner.live()["data"]

    assert data["retcode"] == 3
    assert data["message"].startswith("There is no hub: ")


@pytest.mark.parametrize("seconds", ["soon", 0, -1, True, "inf", "nan"])
def test_seconds_that_are_none_are_refused(live, seconds) -> None:
    data = live().runner.live(seconds=seconds)["data"]

    assert (data["retcode"], data["message"]) == (
        1,
        f"seconds={seconds!r} is no number of seconds above 0",
    )


def test_a_mistyped_cluster_is_an_error(live) -> None:
    data = live().runner.live("controller")["data"]

    assert (data["retcode"], data["message"]) == (
        1,
        "There is no cluster controller; known: controllers.",
    )
