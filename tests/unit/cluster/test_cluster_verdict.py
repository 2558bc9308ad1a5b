"""One word for the state of an instance: every verdict, by claims, addresses and answers."""

from __future__ import annotations

import pytest
from cluster_samples import VIP, WHEN, answers, node_status

from keepalived_core.cluster import facts
from keepalived_core.cluster.facts import Answer, Evidence, Member
from keepalived_core.cluster.mismatch import Difference
from keepalived_core.cluster.verdict import VERDICTS, judge, rank, retcode, tally, worst


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
    "a state that is on its way": ([MASTER, row("c2", "INIT", False)], "degraded", "c2 is INIT"),
}


@pytest.mark.parametrize(("rows", "verdict", "reason"), JUDGED.values(), ids=JUDGED)
def test_the_verdict_follows_from_claims_and_addresses(
    rows: list, verdict: str, reason: str
) -> None:
    found = judge(rows)

    assert found[0] == verdict
    assert reason in found[1]


DIFFER = [Difference("advert_int", "advert_int differs: 1 s on c3, 2 s on c2", ("c2",))]
BESIDES = {
    "settings differ": ([MASTER, BACKUP], DIFFER, None, "mismatch", "advert_int differs"),
    "settings differ, and a peer is in FAULT": (
        [MASTER, row("c2", "FAULT", False)],
        DIFFER,
        None,
        "mismatch",
        "advert_int differs",
    ),
    "settings differ, and two claim it": (
        [MASTER, row("c2", "MASTER", True)],
        DIFFER,
        None,
        "split brain",
        "c3 and c2 all claim",
    ),
    "it flaps": ([MASTER, BACKUP], [], "c2 lost its state", "flapping", "c2 lost its state"),
    "it flaps, and nobody has it now": (
        [row("c3", "FAULT", False)],
        [],
        "c3 lost its state",
        "no master",
        "no node holds",
    ),
}


@pytest.mark.parametrize(
    ("rows", "differ", "flapping", "verdict", "reason"), BESIDES.values(), ids=BESIDES
)
def test_the_worst_of_several_troubles_is_the_verdict(
    rows: list, differ: list, flapping: str | None, verdict: str, reason: str
) -> None:
    found = judge(rows, (), differ, flapping)

    assert found[0] == verdict
    assert reason in found[1]


NODES = ("controller1", "controller2", "controller3")
STRANGER = "52:54:00:aa:bb:cc"
GOOD = {1: node_status(1), 2: node_status(2), 3: node_status(3, "MASTER")}
#: name: (what nodes say, what controller1 hears, the verdict, its reason, the arp column).
#: A node that is None does not answer.
ANSWERED = {
    "the holder answers": (GOOD, answers(3), "ok", "2 ready", [False, False, True]),
    "nobody was asked": (GOOD, None, "ok", "2 ready", [None, None, None]),
    "nobody answers for it, though the holder can be reached": (
        GOOD,
        answers(),
        "hollow master",
        f"controller3 has {VIP}, but nobody answers for it (asked from controller1",
        [False, False, False],
    ),
    "the holder cannot be reached at all": (
        GOOD,
        answers(reached=0),
        "ok",
        "2 ready",
        [False, False, False],
    ),
    "a stranger answers too": (
        GOOD,
        answers(3, also=(STRANGER,)),
        "split brain",
        f"controller3 holds {VIP}, and {STRANGER} (of no node here) answers for it",
        [False, False, True],
    ),
    "a stranger answers instead": (
        GOOD,
        answers(also=(STRANGER,)),
        "split brain",
        "of no node here",
        [False, False, False],
    ),
    "a second one answers while a node is silent": (
        {**GOOD, 2: None},
        answers(3, also=(STRANGER,)),
        "split brain",
        f"{STRANGER} (of controller2, or of a stranger) answers",
        [False, None, True],
    ),
    "the silent node answers too": (
        {**GOOD, 2: None},
        answers(3, 2),
        "split brain",
        "controller2, which does not answer the master, answers for it",
        [False, True, True],
    ),
    "only the silent node answers": (
        {1: node_status(1), 2: node_status(2), 3: None},
        answers(3),
        "unknown",
        f"unknown: controller3; controller3 answers for {VIP}",
        [False, False, True],
    ),
    "a node answers without having it": (
        GOOD,
        answers(3, 2),
        "ghost vip",
        f"controller2 answers for {VIP} without having it",
        [False, True, True],
    ),
    "both of two holders answer": (
        {**GOOD, 2: node_status(2, "MASTER")},
        answers(2, 3),
        "split brain",
        "controller2 and controller3 all claim MASTER",
        [False, True, True],
    ),
    "all are BACKUP and a stranger answers": (
        {**GOOD, 3: node_status(3)},
        answers(also=(STRANGER,), reached=0),
        "no master",
        "no node holds the address",
        [False, False, False],
    ),
    "the node that asks cannot": (
        GOOD,
        {VIP: {"interface": "eth1", "macs": [], "problem": "eth1: Network is down"}},
        "ok",
        "2 ready",
        [None, None, None],
    ),
    "the node that asks has an older bundle": (
        GOOD,
        "'keepalived.answers' is not available.",
        "ok",
        "2 ready",
        [None, None, None],
    ),
    "the network answers for everybody": (
        GOOD,
        {
            VIP: {"interface": "eth1", "macs": [STRANGER], "problem": None},
            "192.168.1.13": {"interface": "eth1", "macs": [STRANGER], "problem": None},
        },
        "ok",
        "2 ready",
        [None, None, None],
    ),
    "nonsense": (GOOD, {VIP: {"macs": ["x", 7, STRANGER.upper()]}}, "ok", "2 ready", [False] * 3),
}


@pytest.mark.parametrize(
    ("said", "heard", "verdict", "reason", "column"), ANSWERED.values(), ids=ANSWERED
)
def test_who_answers_on_the_wire_counts(
    said: dict, heard: object, verdict: str, reason: str, column: list
) -> None:
    members = {"controllers": [Member(node, ("VI_PUBLIC",)) for node in NODES]}
    nodes = {f"controller{number}": Answer(one, WHEN) for number, one in said.items() if one}
    replies = None if heard is None else {"controller1": Answer(heard, WHEN)}
    macs = {"controller2": ["02:00:00:00:00:02"] if heard == answers(3, 2) else []}
    macs["controller3"] = ["02:00:00:00:00:03"]

    data = facts.gather(members, nodes, WHEN, Evidence(replies, macs))

    (instance,) = data["clusters"][0]["instances"]
    assert instance["verdict"] == verdict
    assert reason in instance["reason"]
    shown = {row["node"]: row["answers"] for row in instance["nodes"]}
    assert [shown[node] for node in NODES] == column


def test_every_verdict_has_a_case() -> None:
    tried = {case[1] for case in JUDGED.values()} | {case[3] for case in BESIDES.values()}

    assert tried == set(VERDICTS)


def test_verdicts_are_ordered_and_counted() -> None:
    assert worst(["ok", "flapping", "mismatch"]) == "mismatch"
    assert worst([]) == "unknown"
    assert [retcode([word]) for word in ("ok", "flapping", "no master", "unknown")] == [0, 1, 2, 3]
    assert rank("split brain") == 0
    assert tally(["ok", "degraded", "mismatch", "ghost vip"]) == {
        "critical": 1,
        "unknown": 0,
        "warnings": 2,
        "ok": 1,
    }
