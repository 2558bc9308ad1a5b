"""The topology: who owns what, what is not known, and its three pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from keepalived_core.cluster import topology, topology_draw
from keepalived_core.cluster.answers import Answer

SVG = "{http://www.w3.org/2000/svg}"
SCRIPT = {"kind": "track_script", "name": "chk", "weight": 0, "reverse": False}


def wiring(**instance: object) -> list[dict]:
    wired = {
        "instance": "VI_1",
        "vrid": 51,
        "family": 4,
        "sync_group": None,
        "vips": [{"address": "192.0.2.10/24", "excluded": False, "interfaces": {}}],
        "nodes": [node("n1", 102), node("n2", 101)],
        **instance,
    }
    for vip in wired["vips"]:
        vip["interfaces"] = vip["interfaces"] or {"n1": "eth0", "n2": "eth0"}
    return [{"cluster": "c", "problem": None, "nodes": ["n1", "n2"], "instances": [wired]}]


def node(name: str, priority: int, **more: object) -> dict:
    return {
        "node": name,
        "interface": "eth0",
        "priority": priority,
        "nopreempt": False,
        "tracks": [SCRIPT],
        **more,
    }


def says(state: str | None, has: object, *, running: bool = True) -> dict:
    vips = [{"address": "192.0.2.10", "present": has}]
    row = {"instance": "VI_1", "state": state, "effective_priority": 90, "vips": vips}
    return {"keepalived": {"running": running}, "instances": [row]}


def of(answers: dict | None, **instance: object) -> dict:
    told = {name: Answer(said, 0.0) for name, said in answers.items()} if answers else answers
    return {**topology.topology(wiring(**instance), told, 0.0), "format": "text", "out": None}


OWNERS = {
    "one": ({"n1": says("MASTER", True), "n2": says("BACKUP", False)}, "held by n1"),
    "two": (
        {"n1": says("MASTER", True), "n2": says("MASTER", True)},
        "held by n1 and n2",
    ),
    "none": ({"n1": says("FAULT", False), "n2": says("FAULT", False)}, "held by no node"),
    "one, and one that does not answer": ({"n1": says("MASTER", True)}, "held by n1 (n2: unknown)"),
    "nobody that answers": ({"n2": says("BACKUP", False)}, "owner unknown (n1 unknown)"),
    "an error is no answer": (
        {"n1": "Traceback\nKeyError", "n2": says("BACKUP", False)},
        "owner unknown (n1 unknown)",
    ),
    "an answer that is no word of it": (
        {"n1": says("MASTER", "yes"), "n2": says("BACKUP", False)},
        "owner unknown (n1 unknown)",
    ),
    "a ghost is an owner": (
        {"n1": says("MASTER", True, running=False), "n2": says("BACKUP", False)},
        "held by n1",
    ),
}


@pytest.mark.parametrize("name", OWNERS)
def test_the_owner_of_an_address(name: str) -> None:
    answers, text = OWNERS[name]
    data = of(answers)
    assert topology.owner_text(data["clusters"][0]["instances"][0]["vips"][0]) == text
    assert text in topology_draw.draw(data)


CLAIMS = {
    "its state": (says("BACKUP", False), "BACKUP"),
    "keepalived is gone": (says("MASTER", True, running=False), "STOP"),
    "no such instance": ({"keepalived": {"running": True}, "instances": []}, "missing"),
    "nothing that counts": ([], "unknown"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_what_a_node_claims(name: str) -> None:
    said, claim = CLAIMS[name]
    nodes = of({"n1": said})["clusters"][0]["instances"][0]["nodes"]
    assert [each["claim"] for each in nodes] == [claim, "unknown"]


TRACKS = {
    "fault": ({"weight": 0}, "script chk: FAULT when it fails"),
    "reversed": ({"weight": 0, "reverse": True}, "script chk: FAULT when it is well"),
    "less": ({"weight": -20}, "script chk: priority -20 when it fails"),
    "more": ({"weight": 20}, "script chk: priority +20 while it is well"),
    "file": ({"kind": "track_file", "weight": 2}, "file chk: priority + 2 x its value"),
}


@pytest.mark.parametrize("name", TRACKS)
def test_what_a_failure_does(name: str) -> None:
    changes, text = TRACKS[name]
    assert topology.track_text({**SCRIPT, **changes}) == text


def test_tracks_that_differ_stand_with_their_nodes() -> None:
    lines = topology_draw.draw(of(None, nodes=[node("n1", 2), node("n2", 1, tracks=[])]))
    assert "every node tracks" not in lines
    assert lines.index("n1  eth0") < lines.index("script chk") < lines.index("n2  eth0")


def test_a_sync_group_names_its_members() -> None:
    data = of(None, sync_group="VG1")
    assert data["clusters"][0]["sync_groups"] == [{"group": "VG1", "instances": ["VI_1"]}]
    assert "sync group VG1: VI_1" in topology_draw.draw(data)


def test_without_utf_8_the_tree_is_ascii() -> None:
    text = topology_draw.draw(of({"n1": says("MASTER", True)}), ascii_only=True)
    assert text.isascii()
    assert not topology_draw.draw(of(None)).isascii()


NASTY = '<script>alert("1")</script> & \x1b[2J'


def test_names_of_any_kind_are_text_in_the_svg() -> None:
    data = {**of({"n1": says("MASTER", True)}, instance=NASTY), "format": "svg"}
    root = ET.fromstring(topology_draw.draw(data))
    assert root.get("role") == "img"
    assert NASTY.split("\x1b")[0] in root.find(f"{SVG}desc").text
    assert any("<script>" in (each.text or "") for each in root.findall(f"{SVG}text"))
    assert {each.tag for each in root.iter()} <= {
        f"{SVG}{tag}" for tag in ("svg", "title", "desc", "style", "rect", "text", "line")
    }


def test_long_names_push_the_columns_apart() -> None:
    name = "controller1.rack-7.datacentre-3.example.com"
    long = wiring(nodes=[node(name, 2), node("n2", 1)])
    long[0]["nodes"] = [name, "n2"]
    data = {**topology.topology(long, None, 0.0), "format": "svg", "out": None}
    root = ET.fromstring(topology_draw.draw(data))
    named, other = (
        float(each.get("x")) for each in root.findall(f"{SVG}text") if each.text in (name, "n2")
    )
    assert other - named > len(name) * 7


def test_an_svg_fills_the_cells_of_who_has_an_address() -> None:
    def owners(answers: dict | None) -> int:
        root = ET.fromstring(topology_draw.draw({**of(answers), "format": "svg"}))
        return sum(each.get("class") == "owner" for each in root.findall(f"{SVG}rect"))

    assert owners(None) == 0
    assert owners({"n1": says("MASTER", True)}) == 1
    assert owners({"n1": says("MASTER", True), "n2": says("MASTER", True)}) == 2


def test_mermaid_has_a_thick_line_to_the_owner_and_no_sign_that_ends_a_label() -> None:
    data = {**of({"n1": says("MASTER", True)}, sync_group=NASTY), "format": "mermaid"}
    lines = topology_draw.draw(data).splitlines()
    assert [line.split()[-1] for line in lines if "==>" in line] == ["c0n0"]
    assert [line.split()[-1] for line in lines if "-->" in line] == ["c0n1"]
    (instance,) = (line for line in lines if "vrid" in line)
    assert instance.count('"') == 2
    assert "<" not in instance


def test_a_pillar_that_is_wrong_is_said_and_an_exit_status() -> None:
    wired = [{"cluster": "c", "problem": "keepalived:config: no", "nodes": [], "instances": []}]
    data = {**topology.topology(wired, None, 0.0), "format": "text", "out": None}
    assert data["retcode"] == 1
    assert "keepalived:config: no" in topology_draw.draw(data)
    assert topology.topology([], None, 0.0)["retcode"] == 1
