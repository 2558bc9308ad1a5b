"""What a rollout may do, in which order, and whether it went well: clusters as data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rollout_samples import NOW, facts, healthy, plan, row, status

from keepalived_core.cluster import picture as pictures
from keepalived_core.cluster import rollout

TWO = {"n1": plan("safe"), "n3": plan("safe")}
OFF = {"keepalived": {"version": "2.2.7", "running": False, "pid": None, "problem": None}}
FROZEN = {"keepalived": {"version": "2.2.7", "running": True, "problem": "no answer in 5 s"}}
DRAINED = {"drain": {"drained": True, "mode": "fault", "missing": []}}
UNTRACKED = {"drain": {"drained": False, "missing": ["track_file salt_drain"]}}

# what is different from a healthy cluster -> an error or warning with these words, or none
STATUS = {
    "all is well": ({}, None, None),
    "a node does not answer": ({"n2": None}, "error", "n2: it does not answer"),
    "a node's status fails": ({"n2": "Traceback\nOSError: no"}, "error", "status failed: OSError"),
    "keepalived does not run": (
        {"n2": status(row("STOP"), **OFF)},
        "error",
        "n2: keepalived does not run",
    ),
    "keepalived is frozen": ({"n2": status(row(None), **FROZEN)}, "error", "no answer in 5 s"),
    "a backup is in FAULT": ({"n2": status(row("FAULT"))}, "error", "n2: VI is FAULT"),
    "a backup is still in INIT": ({"n2": status(row("INIT"))}, "error", "n2: VI is INIT"),
    "a drained backup is in FAULT": (
        {"n2": status(row("FAULT"), **DRAINED)},
        "warning",
        "n2: VI is FAULT (the node is drained)",
    ),
    "a drained node stays so": (
        {"n2": status(row("BACKUP"), **DRAINED)},
        "warning",
        "n2: it is drained",
    ),
    "two claim MASTER": ({"n2": status(row("MASTER"))}, "error", "n2 and n3 claims MASTER"),
    "nobody is MASTER": ({"n3": status(row("BACKUP"))}, "error", "no node claims MASTER"),
    "a master without its address": (
        {"n3": status(row("MASTER", held=False))},
        "error",
        "10.0.0.1/24 is on no node",
    ),
    "a backup with the address": (
        {"n2": status(row("BACKUP", held=True))},
        "error",
        "10.0.0.1/24 is on n2 and n3",
    ),
    "a clock is ahead": (
        {"n2": status(row("BACKUP"), time="2026-11-22T03:04:07.000000+00:00")},
        "error",
        "n2: its clock is at least 1.8 s ahead of",
    ),
    "a clock is behind": (
        {"n2": status(row("BACKUP"), time="2026-11-22T03:04:03.000000Z")},
        "error",
        "n2: its clock is at least 2.0 s behind",
    ),
    "a clock within a second": (
        {"n2": status(row("BACKUP"), time="2026-11-22T03:04:06.100000Z")},
        None,
        None,
    ),
    "versions differ": (
        {"n2": status(row("BACKUP"), keepalived={"version": "2.3.3", "running": True})},
        "warning",
        "different keepalived: 2.2.7, 2.3.3",
    ),
}


@pytest.mark.parametrize(("changes", "level", "words"), STATUS.values(), ids=STATUS)
def test_what_stands_in_the_way(changes: dict, level: str | None, words: str | None) -> None:
    found = rollout.preflight(facts({**healthy(), **changes}))

    said = [f"{one.level}|{one.node}: {one.text}" for one in found]
    if words is None:
        assert said == []
    else:
        assert any(text.startswith(f"{level}|") and words in text for text in said), said
    assert not (level == "warning" and any(text.startswith("error") for text in said))


PLANS = {
    "a plan is refused": (
        "the file would be empty\nsecond line",
        "the file would be empty; second",
    ),
    "a traceback is cut to its end": ("Traceback (most recent):\n x\nValueError: no", "ValueError"),
    "no plan at all": (None, "gave no answer"),
}


@pytest.mark.parametrize(("said", "words"), PLANS.values(), ids=PLANS)
def test_a_node_that_would_not_take_it_stops_the_rollout_of_all(said: Any, words: str) -> None:
    found = rollout.preflight(facts(healthy(), {"n2": said}))

    assert [(one.level, one.node) for one in found] == [("error", "n2")]
    assert words in found[0].text


def test_a_node_without_an_accepted_key_is_said_so() -> None:
    nodes = facts(healthy())
    found = rollout.preflight([replace(nodes[0], accepted=False, status=None), *nodes[1:]])

    assert [one.text for one in found] == ["the master accepts no key of it"]


def test_a_slow_answer_leaves_the_clock_unknown() -> None:
    nodes = facts(healthy())
    found = rollout.preflight([replace(nodes[0], asked=NOW - 3), *nodes[1:]])

    assert [one.level for one in found] == ["warning"]
    assert "3.2 s to answer" in found[0].text


def test_a_prepared_change_of_somebody_else_is_in_the_way_but_not_when_resuming() -> None:
    nodes = facts(healthy(), n2={"pending": {"phase": "prepared"}})

    assert "prepared configuration" in rollout.preflight(nodes)[0].text
    assert rollout.preflight(nodes, resuming=True) == []


def test_a_split_cluster_may_be_resumed() -> None:
    split = {**healthy(), "n2": status(row("MASTER"))}

    assert rollout.preflight(facts(split), resuming=True) == []


# plans, what is special about the nodes -> the way, and the steps in order
WAYS = {
    "nothing": ({}, {}, "nothing", []),
    "form counts as a safe change": (
        {"n1": {**plan("safe"), "action": "form", "change": None}},
        {},
        "rolling",
        ["apply n1"],
    ),
    "backups first, the master last": (
        dict.fromkeys(("n3", "n1", "n2"), plan("safe")),
        {},
        "rolling",
        ["apply n1", "apply n2", "apply n3"],
    ),
    "whoever is master, not who is last by name": (
        dict.fromkeys(("n1", "n2", "n3"), plan("moves")),
        {"n1": status(row("MASTER")), "n3": status(row("BACKUP"))},
        "rolling",
        ["apply n2", "apply n3", "apply n1"],
    ),
    "only what changes": (TWO, {}, "rolling", ["apply n1", "apply n3"]),
    "masters of more come later": (
        dict.fromkeys(("n1", "n2", "n3"), plan("safe")),
        {
            "n1": status(row("MASTER", name="A"), row("MASTER", name="B")),
            "n2": status(row("MASTER", name="C")),
        },
        "rolling",
        ["apply n2", "apply n3", "apply n1"],
    ),
    "a restart on a backup is plain, on the master drained": (
        {"n1": plan("restart"), "n3": plan("restart")},
        {},
        "rolling",
        ["apply n1", "drain n3", "apply n3", "undrain n3"],
    ),
    "a restart of a master that does not follow the drain file is its own graceful stop": (
        {"n3": plan("restart")},
        {"n3": status(row("MASTER"), **UNTRACKED)},
        "rolling",
        ["apply n3"],
    ),
    "a restart of a master whose drain is not known": (
        {"n3": plan("restart")},
        {"n3": status(row("MASTER"), drain=None)},
        "rolling",
        ["apply n3"],
    ),
    "a cluster change is prepared on all and reloaded together": (
        dict.fromkeys(("n1", "n2", "n3"), plan("cluster")),
        {},
        "together",
        ["prepare n1 n2 n3", "commit n1 n2 n3"],
    ),
    "one cluster change takes the others along": (
        {"n1": plan("safe"), "n3": plan("cluster")},
        {},
        "together",
        ["prepare n1 n3", "commit n1 n3"],
    ),
    "a removed address is a cluster change as well": (
        dict.fromkeys(("n1", "n2", "n3"), plan("removes", "VI", "cluster")),
        {},
        "together",
        ["prepare n1 n2 n3", "commit n1 n2 n3"],
    ),
    "a removed instance goes node by node": (
        dict.fromkeys(("n1", "n2", "n3"), plan("removes")),
        {},
        "rolling",
        ["apply n1", "apply n2", "apply n3"],
    ),
}


@pytest.mark.parametrize(("plans", "special", "mode", "steps"), WAYS.values(), ids=WAYS)
def test_the_way_and_its_order(plans: dict, special: dict, mode: str, steps: list[str]) -> None:
    found = rollout.make_plan(facts({**healthy(), **special}, plans))

    assert found.mode == mode
    assert [" ".join([step.do, *step.nodes]) for step in found.steps] == steps


def test_a_restart_and_a_cluster_change_do_not_go_in_one() -> None:
    mixed = facts(healthy(), {"n1": plan("restart", "", "cluster"), "n2": plan("cluster")})

    assert [one.node for one in rollout.refuse_mixture(mixed)] == ["n1"]
    assert rollout.refuse_mixture(facts(healthy(), {"n1": plan("restart")})) == []


def picture(**nodes: Any) -> dict:
    return pictures.picture({**healthy(), **nodes})


# what is different afterwards, how it is judged -> the words of the problem, or none
AFTER = {
    "as before": ({}, {}, None),
    "the address moved": (
        {"n2": status(row("MASTER")), "n3": status(row("BACKUP"))},
        {"final": True},
        None,
    ),
    "nobody has it": ({"n3": status(row("BACKUP"))}, {}, "10.0.0.1/24 is on no node"),
    "two have it": (
        {"n2": status(row("MASTER"))},
        {},
        "10.0.0.1/24 is on n2 and n3",
    ),
    "two claim it, one has it": (
        {"n2": status(row("MASTER", held=False))},
        {},
        "VI: n2 and n3 claim MASTER",
    ),
    "a backup failed": ({"n1": status(row("FAULT"))}, {}, "VI is FAULT on n1"),
    "a backup fell silent": ({"n1": None}, {}, "n1 does not answer"),
    "a daemon is gone": (
        {"n1": status(row("STOP"), **OFF)},
        {},
        "keepalived does not run any more",
    ),
    "a drained node is in FAULT": ({"n1": status(row("FAULT"), **DRAINED)}, {}, None),
    "the address is in no configuration any more": (
        {name: status(row("BACKUP", addresses=[])) for name in ("n1", "n2")}
        | {"n3": status(row("MASTER", addresses=[]))},
        {},
        "no node has 10.0.0.1/24 in what it runs",
    ),
    "and that was wanted": (
        {name: status(row("BACKUP", addresses=[])) for name in ("n1", "n2")}
        | {"n3": status(row("MASTER", addresses=[]))},
        {"removed": ["VI"], "final": True},
        None,
    ),
    "a new address is not there yet": (
        {"n1": status(row("BACKUP"), row("BACKUP", name="NEW", addresses=["10.0.0.2/24"]))},
        {},
        None,
    ),
    "a new address is still not there at the end": (
        {"n1": status(row("BACKUP"), row("BACKUP", name="NEW", addresses=["10.0.0.2/24"]))},
        {"final": True},
        "the new 10.0.0.2/24 is on no node",
    ),
    "a new instance has no master at the end": (
        {"n1": status(row("BACKUP"), row("BACKUP", name="NEW", addresses=[]))},
        {"final": True},
        "NEW: no node is MASTER",
    ),
}


@pytest.mark.parametrize(("changes", "how", "words"), AFTER.values(), ids=AFTER)
def test_what_is_worse_than_before(changes: dict, how: dict, words: str | None) -> None:
    found = pictures.judge(picture(), picture(**changes), **how)

    assert (found == []) if words is None else any(words in text for text in found), found


def test_what_was_wrong_before_is_no_reason_to_go_back_midway_but_counts_at_the_end() -> None:
    split = picture(n2=status(row("MASTER", held=True)))
    now = picture(n2=status(row("BACKUP", held=True)))

    assert pictures.judge(split, now) == []
    assert pictures.judge(split, now, final=True) == ["10.0.0.1/24 is on n2 and n3"]


def test_who_can_have_an_instance_is_asked_of_the_present() -> None:
    statuses = {
        "n1": status(row("BACKUP", effective_priority=90)),
        "n2": status(row("BACKUP", effective_priority=95)),
        "n3": status(row("MASTER")),
        "n4": status(row("FAULT")),
        "n5": status(row("BACKUP"), **DRAINED),
        "n6": None,
    }

    assert pictures.candidates("VI", statuses, {"n3"}) == [("n2", 95), ("n1", 90)]
    assert pictures.peers_ready("n3", statuses) == {"VI": True}
    assert pictures.peers_ready("n3", {"n3": statuses["n3"], "n4": statuses["n4"]}) == {"VI": False}
