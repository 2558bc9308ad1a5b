"""A look at clusters: who is asked what, and what is looked at twice."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from cluster_samples import VIP, answers, node_status

from keepalived_core.cluster.facts import Answer, Member
from keepalived_core.cluster.look import look

STRANGER = "52:54:00:aa:bb:cc"


class World:
    """Nodes that say one thing after the other, on a clock that only jobs and sleep move.

    said: ``{node: [its statuses]}``, the last one from then on; a node without any is silent.
    """

    def __init__(self, said: dict[str, list[dict]], heard: list[dict] | None = None) -> None:
        self.said, self.heard = said, heard or [answers(3)]
        self.jobs: list[tuple[str, list[str]]] = []
        self.addresses: list[dict] = []
        self.slept: list[float] = []
        self.time = 1_800_000_000.0
        self._looks = -1

    def ask(self, nodes: Iterable[str], fun: str, timeout: int, **kwarg: Any) -> dict[str, Answer]:
        nodes = sorted(nodes)
        self.jobs.append((fun, nodes))
        self.time += 0.1
        if fun == "keepalived.status":
            self._looks += 1
            told = {node: self._at(self.said[node]) for node in nodes if self.said.get(node)}
        else:
            self.addresses.append(kwarg["addresses"])
            told = {node: self._at(self.heard) for node in nodes}
        return {node: Answer(one, self.time) for node, one in told.items()}

    def _at(self, listed: list) -> Any:
        return listed[min(self._looks, len(listed) - 1)]

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def hub(self) -> None:
        return None

    def last_macs(self, nodes: Iterable[str]) -> dict[str, list[str]]:
        return {node: [f"02:00:00:00:00:0{node[-1]}"] for node in nodes}


def members(*numbers: int, cluster: str = "controllers") -> dict[str, list[Member]]:
    return {cluster: [Member(f"controller{n}", ("VI_PUBLIC",)) for n in numbers]}


def nodes(**said: Any) -> dict[str, list[dict]]:
    return {name: one if isinstance(one, list) else [one] for name, one in said.items()}


def good() -> dict[str, list[dict]]:
    return nodes(
        controller1=node_status(1), controller2=node_status(2), controller3=node_status(3, "MASTER")
    )


def test_a_healthy_cluster_takes_two_jobs_and_one_look() -> None:
    world = World(good())

    data = look(world, members(1, 2, 3))

    assert data["verdict"] == "ok"
    assert [fun for fun, _ in world.jobs] == ["keepalived.status", "keepalived.answers"]
    assert world.addresses == [{"controller1": [VIP, "192.168.1.13"]}]
    assert world.slept == []


def test_what_was_true_for_a_moment_is_not_shown() -> None:
    """A failover in between: at the first look two claim it, at the second one does."""
    said = good()
    said["controller2"] = [node_status(2, "MASTER"), node_status(2)]
    world = World(said, [answers(2, 3), answers(3)])

    assert look(world, members(1, 2, 3))["verdict"] == "ok"
    assert [fun for fun, _ in world.jobs] == ["keepalived.status", "keepalived.answers"] * 2


def test_what_stays_critical_has_a_cause_from_what_came_in_between() -> None:
    said = good()
    said["controller2"] = [node_status(2, "MASTER")]

    data = look(World(said, [answers(2, 3)]), members(1, 2, 3))

    (instance,) = data["clusters"][0]["instances"]
    assert (instance["verdict"], instance["cause"]["class"]) == ("split brain", "no_adverts")


@pytest.mark.parametrize(("advert_int", "seconds"), [(0.1, 1.0), (2.0, 2.6), (60.0, 4.0)])
def test_the_second_look_waits_for_an_advert(advert_int: float, seconds: float) -> None:
    said = nodes(
        controller1=node_status(1, advert_int=advert_int),
        controller2=node_status(2, "MASTER", advert_int=advert_int),
        controller3=node_status(3, "MASTER", advert_int=advert_int),
    )
    world = World(said)

    look(world, members(1, 2, 3))

    # one job was done since the statuses came
    assert world.slept == [pytest.approx(seconds - 0.1)]


def test_only_critical_clusters_are_looked_at_twice() -> None:
    bad = {"bad": [Member("n7", ("VI_PUBLIC",)), Member("n8", ("VI_PUBLIC",))]}
    world = World({**good(), "n7": [node_status(7, "FAULT")], "n8": [node_status(8, "FAULT")]})

    data = look(world, {**members(1, 2, 3), **bad})

    assert [(each["cluster"], each["verdict"]) for each in data["clusters"]] == [
        ("bad", "no master"),
        ("controllers", "ok"),
    ]
    assert world.jobs[2] == ("keepalived.status", ["n7", "n8"])
    assert world.jobs[3][1] == ["n7"]


def test_a_silent_node_is_not_asked_again() -> None:
    said = {**good(), "controller2": [], "controller3": [node_status(3, "MASTER", False)]}
    world = World(said)

    assert look(world, members(1, 2, 3))["verdict"] == "hollow master"
    assert world.jobs[2] == ("keepalived.status", ["controller1", "controller3"])


def test_a_node_alone_is_not_asked_about_itself() -> None:
    world = World(nodes(controller3=node_status(3, "MASTER")))

    data = look(world, members(3))

    (instance,) = data["clusters"][0]["instances"]
    assert [fun for fun, _ in world.jobs] == ["keepalived.status"]
    assert instance["verdict"] == "ok"
    assert "every node that answers holds it" in instance["wire"][0]["why_not"]


#: The claims of controller1 and controller2 -> who asks; 3 is the MASTER.
ASKERS = {
    "a standby before one in FAULT": (("FAULT", "BACKUP"), "controller2"),
    "one in FAULT before one that is stopped": (("STOP", "FAULT"), "controller2"),
    "a stopped one when there is no other": (("STOP", None), "controller1"),
    "the first by name of two alike": (("BACKUP", "BACKUP"), "controller1"),
}


@pytest.mark.parametrize(("claims", "who"), ASKERS.values(), ids=ASKERS)
def test_who_is_asked(claims: tuple, who: str) -> None:
    said = {"controller3": [node_status(3, "MASTER")]}
    for number, claim in enumerate(claims, 1):
        said[f"controller{number}"] = [node_status(number, claim, False)] if claim else []
    world = World(said)

    look(world, members(1, 2, 3))

    assert world.jobs[1] == ("keepalived.answers", [who])


def test_a_node_that_holds_a_part_of_the_addresses_is_not_asked() -> None:
    part = [
        {"address": "192.168.1.221/24", "present": True},
        {"address": f"{VIP}/24", "present": False},
    ]
    said = good()
    said["controller1"] = [node_status(1, "BACKUP", False, vips=part)]
    world = World(said)

    look(world, members(1, 2, 3))

    assert world.jobs[1][1] == ["controller2"]


VMAC = "00:00:5e:00:01:34"


@pytest.mark.parametrize(
    ("mac", "verdict"),
    [(VMAC, "ok"), ("00:00:5e:00:01:35", "split brain"), ("00:00:5e:00:02:34", "split brain")],
)
def test_a_virtual_router_answers_with_its_own_address(mac: str, verdict: str) -> None:
    """By use_vmac: 00-00-5E-00-01-{VRID}, here 52; another number's is a stranger's."""
    said = {
        f"controller{n}": [node_status(n, "MASTER" if n == 3 else "BACKUP", use_vmac=True)]
        for n in (1, 2, 3)
    }

    assert look(World(said, [answers(also=(mac,))]), members(1, 2, 3))["verdict"] == verdict


def test_copied_machines_with_one_hardware_address_are_no_ghost() -> None:
    said = good()
    said["controller2"][0]["interfaces"]["eth1"]["mac"] = "02:00:00:00:00:03"

    assert look(World(said), members(1, 2, 3))["verdict"] == "ok"


def test_a_node_that_no_key_is_accepted_of_is_not_asked() -> None:
    clusters = members(1, 2, 3)
    clusters["controllers"][1] = Member("controller2", ("VI_PUBLIC",), accepted=False)
    world = World(good())

    look(world, clusters)

    assert world.jobs[0][1] == ["controller1", "controller3"]
