"""What is true about a cluster, from what its nodes say."""

from __future__ import annotations

import json

import pytest
from cluster_samples import PILLAR, WHEN, status

from keepalived_core.cluster.facts import Answer, Member, gather, members
from keepalived_core.cluster.verdict import VERDICTS, judge


def row(node: str, claim: str, holds: bool | None) -> dict:
    return {"node": node, "claim": claim, "holds_vip": holds}


MASTER = row("c3", "MASTER", True)
BACKUP = row("c2", "BACKUP", False)
SILENT = row("c1", "unknown", None)

JUDGED = {
    "one holds it": ([MASTER, BACKUP], "ok", "c3 holds the address, 1 ready to take over"),
    "alone": ([MASTER], "ok", "c3 holds the address, none ready to take over"),
    "whether it holds it is not known": ([row("c3", "MASTER", None), BACKUP], "ok", "c3 holds"),
    "a peer in FAULT": ([MASTER, row("c2", "FAULT", False)], "degraded", "c2 is FAULT"),
    "a peer without keepalived": ([MASTER, row("c2", "STOP", False)], "degraded", "c2 is STOP"),
    "a peer without the instance": ([MASTER, row("c2", "missing", None)], "degraded", "c2 is miss"),
    "a drained peer": (
        [MASTER, {**row("c2", "FAULT", False), "drained": True}],
        "degraded",
        "c2 is drained",
    ),
    "a peer that is drained by its priority": (
        [MASTER, {**BACKUP, "drained": True}],
        "degraded",
        "c2 is drained",
    ),
    "a drained one that had to keep it": (
        [{**MASTER, "drained": True}, BACKUP],
        "degraded",
        "c3 holds the address; c3 is drained",
    ),
    "a drained peer without keepalived": (
        [MASTER, {**row("c2", "STOP", False), "drained": True}],
        "degraded",
        "c2 is STOP",
    ),
    "a silent peer": ([MASTER, SILENT], "degraded", "c1 is unknown"),
    "all in FAULT": (
        [row("c3", "FAULT", False), row("c2", "FAULT", False)],
        "no master",
        "no node holds the address",
    ),
    "nobody, but one is silent": ([BACKUP, SILENT], "unknown", "unknown: c1"),
    "all silent": ([SILENT, row("c2", "unknown", None)], "unknown", "unknown: c1 and c2"),
    "two claim it": (
        [MASTER, row("c2", "MASTER", False)],
        "split brain",
        "c3 and c2 all claim MASTER",
    ),
    "three claim it": (
        [MASTER, row("c2", "MASTER", True), row("c1", "MASTER", True)],
        "split brain",
        "c3, c2 and c1 all claim MASTER",
    ),
    "left behind on a peer": (
        [MASTER, row("c2", "STOP", True)],
        "ghost vip",
        "c2 holds the address without being MASTER, beside c3, which is",
    ),
    "held by the MASTER and by one that does not answer": (
        [MASTER, row("c2", "unknown", True)],
        "split brain",
        "c3 and c2 all hold",
    ),
    "held without keepalived": (
        [row("c3", "STOP", True), BACKUP],
        "ghost vip",
        "c3 holds the address without being MASTER",
    ),
    "held by one that does not say": ([row("c3", "unknown", True), BACKUP], "unknown", "c3"),
    "claimed without address": (
        [row("c3", "MASTER", False), BACKUP],
        "hollow master",
        "c3 is MASTER without the address",
    ),
    "no node": ([], "no master", "no node holds the address"),
}


@pytest.mark.parametrize(("rows", "verdict", "reason"), JUDGED.values(), ids=JUDGED)
def test_the_verdict_follows_from_claims_and_addresses(
    rows: list, verdict: str, reason: str
) -> None:
    found = judge(rows)

    assert found[0] == verdict
    assert reason in found[1]


def test_every_verdict_has_a_case() -> None:
    assert {verdict for _, verdict, _ in JUDGED.values()} == set(VERDICTS)


NODES = ("controller1", "controller2", "controller3")
CLUSTER = {"controllers": [Member(node, ("VI_PUBLIC",)) for node in NODES]}


def ask(**said: object) -> dict:
    answers = {node: Answer(what, WHEN + 1) for node, what in said.items()}
    return gather(CLUSTER, answers, WHEN + 1.5)


def states(data: dict) -> dict[str, str]:
    (instance,) = data["clusters"][0]["instances"]
    return {node["node"]: node["claim"] for node in instance["nodes"]}


def test_the_answers_of_all_nodes_make_one_table() -> None:
    data = ask(
        controller1=status("BACKUP"),
        controller2=status("BACKUP"),
        controller3=status("MASTER", held=True),
    )

    assert (data["verdict"], data["retcode"]) == ("ok", 0)
    (cluster,) = data["clusters"]
    assert (cluster["cluster"], cluster["expected"], cluster["answered"]) == ("controllers", 3, 3)
    (instance,) = cluster["instances"]
    assert (instance["vrid"], instance["vips"]) == (52, ["192.168.1.220/24"])
    assert instance["nodes"][0] == {
        "node": "controller3",
        "claim": "MASTER",
        "holds_vip": True,
        "base_priority": 103,
        "effective_priority": 103,
        "interface": "eth1",
        "since": "2026-11-22T03:04:05.000000+00:00",
        "age": 0.5,
        "keepalived": True,
        "drained": None,
        "note": "",
    }
    assert json.loads(json.dumps(data)) == data


STOPPED = {"version": "2.2.7", "running": False, "pid": None, "problem": None}
FROZEN = {"version": "2.2.7", "running": True, "pid": 7, "problem": "no dump within 2 s"}


@pytest.mark.parametrize(
    ("said", "claim", "note"),
    [
        (None, "unknown", "no answer"),
        (
            "Traceback:\n  x\nOSError: boom\x1b",
            "unknown",
            "keepalived.status failed: OSError: boom?",
        ),
        (False, "unknown", "keepalived.status failed: False"),
        ("", "unknown", "keepalived.status failed: no answer"),
        (status("MASTER", keepalived=STOPPED), "STOP", "keepalived does not run"),
        (status(None, keepalived=FROZEN), "unknown", "no dump within 2 s"),
        (status(instances=[]), "missing", "its keepalived has no such instance"),
        (status("BACKUP", watch={"running": False}), "BACKUP", "no events from here"),
        ({}, "missing", "no such instance"),
        (
            status("FAULT", drain={"drained": True, "reason": "disk\x1b", "until": "18:00"}),
            "FAULT",
            "drained: disk? until 18:00",
        ),
        (
            status("FAULT", drain={"drained": True, "problem": "its time is over"}),
            "FAULT",
            "drained: no reason given; its time is over",
        ),
    ],
)
def test_a_node_is_shown_as_what_is_known_of_it(said: object, claim: str, note: str) -> None:
    others = {"controller2": status("BACKUP"), "controller3": status("MASTER", held=True)}
    data = ask(**others, **({} if said is None else {"controller1": said}))

    (instance,) = data["clusters"][0]["instances"]
    (found,) = [node for node in instance["nodes"] if node["node"] == "controller1"]
    assert found["claim"] == claim
    assert note in found["note"]
    assert data["verdict"] == ("ok" if claim == "BACKUP" else "degraded")


def test_the_worst_node_comes_first() -> None:
    data = ask(
        controller1=status("MASTER", held=True),
        controller2=status("BACKUP"),
        controller3=status("BACKUP", held=True),
    )

    assert list(states(data)) == ["controller3", "controller1", "controller2"]


def test_the_worst_cluster_comes_first_and_gives_the_exit_status() -> None:
    clusters = {name: [Member(f"{name}1", ("VI",))] for name in ("a", "b", "c")}
    good, bad = status("MASTER", held=True), status("FAULT")
    for one in (good, bad):
        one["instances"][0]["instance"] = "VI"
    answers = {"a1": Answer(good, 1.0), "b1": Answer(bad, 1.0)}

    data = gather(clusters, answers, 1.0)

    assert [(each["cluster"], each["verdict"]) for each in data["clusters"]] == [
        ("b", "no master"),
        ("c", "unknown"),
        ("a", "ok"),
    ]
    assert (data["verdict"], data["retcode"]) == ("no master", 2)


def test_without_any_cluster_nothing_is_known() -> None:
    data = gather({}, {}, WHEN)

    assert (data["verdict"], data["retcode"], data["clusters"]) == ("unknown", 3, [])


def test_members_are_those_the_pillar_names_asked_or_not() -> None:
    clusters = members({"controller1": PILLAR, "web1": {}, "web2": {"keepalived": {}}}, NODES[:2])

    assert clusters == {
        "controllers": [
            Member("controller1", ("VI_PUBLIC",), True),
            Member("controller2", ("VI_PUBLIC",), True),
            Member("controller3", ("VI_PUBLIC",), False),
        ]
    }


def test_a_node_may_run_more_than_the_others() -> None:
    own = {
        "keepalived": {
            **PILLAR["keepalived"],
            "nodes": {
                "controller1": {"config": {"vrrp_instance": {"VI_EXTRA": {}}}},
                "controller2": None,
            },
        }
    }

    (found,) = members({"controller1": own, "controller2": own}, NODES).values()

    assert [each.instances for each in found] == [("VI_PUBLIC", "VI_EXTRA"), ("VI_PUBLIC",)]


def test_a_node_with_its_own_pillar_knows_best_what_it_runs() -> None:
    own = {"keepalived": {**PILLAR["keepalived"], "config": {"vrrp_instance": {"VI_MINE": {}}}}}

    (found,) = members({"controller1": PILLAR, "controller3": own}, NODES).values()

    assert found[2] == Member("controller3", ("VI_MINE",), True)


def test_a_pillar_without_cluster_and_nodes_is_a_cluster_of_its_own_kind() -> None:
    pillar = {"keepalived": {"config": {"vrrp_instance": {"VI": {}}}}}

    assert members({"a": pillar, "b": pillar}, ["a"]) == {
        "default": [Member("a", ("VI",), True), Member("b", ("VI",), False)]
    }
