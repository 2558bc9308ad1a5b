"""Who is drained so that a node gets the addresses; an upgrade, node by node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rollout_samples import row, status
from rollout_world import Node, World

from keepalived_core.cluster.conductor import DONE, PUT_BACK, Refused
from keepalived_core.cluster.journal import Journal
from keepalived_core.cluster.moving import Moving, plan_switchover
from keepalived_core.cluster.rollout_table import screen
from keepalived_core.cluster.table import Painter
from keepalived_core.cluster.upgrade import Upgrade

DRAINED = {"drain": {"drained": True, "mode": "weight", "missing": []}}
UNTRACKED = {"drain": {"drained": False, "missing": ["the running file has no track_file"]}}


def at(state: str, priority: int, name: str = "VI", base: int | None = None) -> dict:
    return row(state, name=name, effective_priority=priority, base_priority=base or priority)


def three(**changes: dict) -> dict[str, Any]:
    return {
        "n1": status(at("BACKUP", 101)),
        "n2": status(at("BACKUP", 102)),
        "n3": status(at("MASTER", 103)),
        **changes,
    }


# the cluster, what is asked for -> to, undrained, drained
MOVES = {
    "to the best backup": (three(), {}, ("n2", (), ("n3",))),
    "to another, past the better one": (three(), {"to": "n1"}, ("n1", (), ("n2", "n3"))),
    "of equals both are drained": (
        three(n1=status(at("BACKUP", 102))),
        {"to": "n2"},
        ("n2", (), ("n1", "n3")),
    ),
    "a backup in FAULT interferes with nobody": (
        three(n2=status(at("FAULT", 102))),
        {},
        ("n1", (), ("n3",)),
    ),
    "a drained backup is not the best": (
        three(n2=status(at("BACKUP", 1), **DRAINED)),
        {},
        ("n1", (), ("n3",)),
    ),
    "back to the one that was drained": (
        three(n2=status(at("MASTER", 102)), n3=status(at("BACKUP", 1, base=103), **DRAINED)),
        {"to": "n3"},
        ("n3", ("n3",), ()),
    ),
    "a drained one that would not win by itself": (
        three(n3=status(at("MASTER", 103)), n1=status(at("BACKUP", 1, base=101), **DRAINED)),
        {"to": "n1"},
        ("n1", ("n1",), ("n2", "n3")),
    ),
    "a holder of low priority is drained as well": (
        three(n3=status(at("MASTER", 50))),
        {"to": "n2"},
        ("n2", (), ("n3",)),
    ),
    "one instance of two": (
        {
            "n1": status(at("BACKUP", 100, "A"), at("MASTER", 103, "B")),
            "n2": status(at("MASTER", 103, "A"), at("BACKUP", 100, "B")),
        },
        {"instance": "A"},
        ("n1", (), ("n2",)),
    ),
}


@pytest.mark.parametrize(("statuses", "asked", "wanted"), MOVES.values(), ids=MOVES)
def test_who_is_drained_and_who_last(statuses: dict, asked: dict, wanted: tuple) -> None:
    move = plan_switchover(statuses, **asked)

    assert (move.to, move.undrain, move.drain) == wanted


REFUSALS = {
    "no such node": (three(), {"to": "n9"}, "there is no node n9 in this cluster: n1, n2, n3"),
    "no such instance": (three(), {"instance": "X"}, "no node runs X; there are: VI"),
    "it has it already": (three(), {"to": "n3"}, "n3 has VI already"),
    "it is in FAULT": (
        three(n2=status(at("FAULT", 102))),
        {"to": "n2"},
        "n2 cannot have VI: it is FAULT there",
    ),
    "two masters": (three(n2=status(at("MASTER", 102))), {}, "n2 and n3 claims MASTER"),
    "a silent node": (three(n1=None), {}, "n1 does not answer"),
    "no backup": ({"n3": status(at("MASTER", 103))}, {}, "no healthy backup could have VI"),
    "a holder that does not follow the drain file": (
        three(n3=status(at("MASTER", 103), **UNTRACKED)),
        {},
        "n3 cannot be drained: the running file has no track_file",
    ),
}


@pytest.mark.parametrize(("statuses", "asked", "words"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_refused_and_why(statuses: dict, asked: dict, words: str) -> None:
    with pytest.raises(Refused, match=words):
        plan_switchover(statuses, **asked)


def test_what_else_a_drained_node_gives_away_is_said() -> None:
    statuses = {
        "n1": status(at("BACKUP", 100, "A"), at("BACKUP", 100, "B")),
        "n2": status(at("MASTER", 103, "A"), at("MASTER", 103, "B")),
    }

    notes = plan_switchover(statuses, instance="A").notes

    assert notes == ("n2 gives away B as well: a drain is of a node",)


# --- carried out ------------------------------------------------------------------------------


class Packed(Node):
    """A node with a package."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.have, self.newest, self.deaf = "1.0", "1.1", False

    def status(self, world: World) -> dict:
        found = super().status(world)
        for each in found["instances"]:
            each["effective_priority"] = 100 + int(self.name[1])
        return found

    def version(self, _world: World, arg: list[str]) -> str:
        assert arg == ["keepalived"]
        return self.have

    def latest_version(self, _world: World, arg: list[str], refresh: bool) -> str:
        return "" if self.have == self.newest else self.newest

    def install(self, _world: World, name: str, version: str, refresh: bool) -> dict:
        assert self.state == "BACKUP"
        self.have = version
        return {name: {"new": version}}

    def adverts(self, _world: World) -> dict:
        return {"VI": {"receiving": not self.deaf}}

    def journal(self, _world: World, last: int, since: str) -> list:
        return []


@pytest.fixture
def world() -> World:
    found = World()
    found.nodes = {name: Packed(name, name == "n3", "safe") for name in ("n1", "n2", "n3")}
    return found


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, "controllers")


def test_an_upgrade_drains_each_node_and_takes_the_master_last(
    world: World, journal: Journal
) -> None:
    done = Upgrade(world.members, journal, world).run()

    assert (done["result"], done["retcode"]) == ("done", DONE)
    assert [node.have for node in world.nodes.values()] == ["1.1"] * 3
    assert [nodes[0] for fun, nodes in world.asked if fun == "pkg.install"] == ["n1", "n2", "n3"]
    assert not any(node.is_drained for node in world.nodes.values())
    assert world.nodes["n3"].state == "MASTER"
    assert Upgrade(world.members, journal, world).run()["result"] == "nothing"


def test_in_test_mode_an_upgrade_installs_nothing(world: World, journal: Journal) -> None:
    done = Upgrade(world.members, journal, world).run(version="9", test=True)

    assert done["result"] == "would"
    assert {each["to"] for each in done["packages"]} == {"9"}
    assert not {"pkg.install", "keepalived.drain"} & {fun for fun, _ in world.asked}


def test_an_upgrade_stops_at_the_first_node_that_is_not_well(
    world: World, journal: Journal
) -> None:
    world.nodes["n2"].deaf = True

    done = Upgrade(world.members, journal, world).run()

    assert (done["result"], done["retcode"]) == ("failed", PUT_BACK)
    assert "n2: VI hears no adverts" in done["message"]
    assert [node.have for node in world.nodes.values()] == ["1.1", "1.1", "1.0"]
    assert world.nodes["n2"].is_drained
    assert world.nodes["n3"].state == "MASTER"


def test_a_switchover_says_who_has_it_now_and_how_to_go_back(
    world: World, journal: Journal
) -> None:
    done = Moving(world.members, journal, world).switchover()

    assert done["retcode"] == DONE, done["message"]
    assert world.nodes["n2"].state == "MASTER"
    assert done["back"] == ["salt-run keepalived.undrain n3"]
    text = "\n".join(screen(done, Painter(False)))
    assert "controllers  switchover: DONE" in text
    assert "VI        n3    MASTER 10.0.0.1/24  BACKUP" in text
    assert "  salt-run keepalived.undrain n3" in text


ROWS = {
    "n3": [
        {"seq": 1, "time": "2026-11-22T03:04:06.000000Z", "from": "MASTER", "vip_present": False}
    ],
    "n2": [
        {"seq": 1, "time": "2026-11-22T03:04:06.250000Z", "from": "BACKUP", "vip_present": True}
    ],
}


@pytest.mark.parametrize(("late", "seconds"), [(0, 0.25), (3, 0.25), (99, None)])
def test_the_gap_is_what_both_journals_say_or_it_is_not_known(
    late: int, seconds: float | None, world: World, journal: Journal
) -> None:
    asked = {"count": 0}

    def tell(node: Packed) -> list[dict]:
        asked["count"] += node.name == "n2"
        if node.name not in ROWS or (node.name == "n2" and asked["count"] <= late):
            return []
        return [{**each, "vips": ["10.0.0.1/24"]} for each in ROWS[node.name]]

    for node in world.nodes.values():
        node.journal = lambda _world, last, since, node=node: tell(node)

    done = Moving(world.members, journal, world).switchover()

    assert done["gaps"] == [{"address": "10.0.0.1/24", "seconds": seconds}]
    said = "for 0.250 s" if seconds else "for how long is not known"
    assert f"10.0.0.1/24 was on no node {said}" in screen(done, Painter(False))


def test_a_switchover_that_fails_undrains_what_it_drained(world: World, journal: Journal) -> None:
    world.elect = lambda: None  # nobody takes over

    done = Moving(world.members, journal, world).switchover()

    assert (done["result"], done["retcode"]) == ("failed", PUT_BACK)
    assert "VI is not on n2" in done["message"]
    assert not world.nodes["n3"].is_drained


@pytest.mark.parametrize("drained_before", [True, False])
def test_a_drain_that_the_node_refuses_leaves_the_drain_of_somebody_else(
    drained_before: bool, world: World, journal: Journal
) -> None:
    node = world.nodes["n3"]
    node.is_drained = drained_before
    world.elect()
    node.broken = "keepalived.drain"

    done = Moving(world.members, journal, world).drain("n3")

    assert (done["result"], done["retcode"]) == ("failed", PUT_BACK)
    assert node.is_drained is drained_before
    assert ("n3 was drained before and was left so" in done["message"]) is drained_before
    undrained = ("keepalived.undrain", ("n3",)) in world.asked
    assert undrained is not drained_before, "a drain whose answer was lost would last for ever"


def test_the_last_healthy_node_is_not_drained_unless_forced(world: World, journal: Journal) -> None:
    for name in ("n1", "n2"):
        world.nodes[name].state = "FAULT"

    with pytest.raises(Refused, match="no healthy node would take VI from n3"):
        Moving(world.members, journal, world).drain("n3")

    assert not world.nodes["n3"].is_drained


def test_a_node_that_is_not_of_the_cluster_cannot_be_drained(
    world: World, journal: Journal
) -> None:
    with pytest.raises(Refused, match="there is no node n9"):
        Moving(world.members, journal, world).drain("n9")


def test_a_refusal_lists_what_stands_in_the_way(world: World, journal: Journal) -> None:
    world.nodes["n2"].broken = "keepalived.status"
    run = Upgrade(world.members, journal, world)
    try:
        run.run()
    except Refused as why:
        lines = screen(run.refused(why), Painter(False))
    assert lines[0].startswith("controllers  upgrade: REFUSED")
    assert lines[1] == "nothing was changed:"
    assert "error: n2: keepalived.status failed: ERROR: keepalived.status is broken" in lines[2]
