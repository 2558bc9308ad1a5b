"""What the policy decides about an incident, case by case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from rollout_samples import row, status

from keepalived_core.cluster.deeds import LEASE_SECONDS, Deed, Silence
from keepalived_core.cluster.policy import (
    Action,
    Facts,
    Skip,
    decide,
    failing,
    state_of,
)
from keepalived_core.policy_pillar import Policy, Rule

NOW = 1_800_000_000.0
POLICY = Policy(
    rules={
        "split_brain": Rule("drain"),
        "ghost_vip": Rule("restart", service="keepalived"),
        "hollow_master": Rule("restart", service="keepalived"),
        "no_master": Rule("restart", service="haproxy"),
        "flapping": Rule("drain"),
        "failover": Rule("reannounce"),
        "degraded": Rule("restart", service="haproxy"),
    }
)
MASTER, BACKUP, FAULT = row("MASTER"), row("BACKUP"), row("FAULT")
GHOST = row("BACKUP", held=True)
HOLLOW = row("MASTER", held=False)
STOPPED = {"keepalived": {"running": False}}
DRAINED = {"drain": {"drained": True, "missing": [], "reason": "policy i0: flapping"}}


def low(state: str) -> dict:
    return row(state, effective_priority=50)


def incident(kind: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "i1",
        "cluster": "c",
        "kind": kind,
        "instances": ["VI"],
        "nodes": [],
        "planned": False,
        **more,
    }


def judged(kind: str, *nodes: Any, policy: Policy = POLICY, **more: Any) -> Action | Skip:
    """The decision about nodes n1, n2, … that say so; a row is what a healthy node says of it."""
    statuses = {
        f"n{number}": status(said) if isinstance(said, dict) and "state" in said else said
        for number, said in enumerate(nodes, 1)
    }
    facts = Facts(statuses, "open", 0)
    changed = replace(facts, **{name: more.pop(name) for name in vars(facts) if name in more})
    about = incident(kind, **more.pop("incident", {}))
    return decide(about, policy, changed, more.pop("history", []), NOW)


SPLIT = (low("MASTER"), MASTER, BACKUP)

# kind, what the nodes say, (action, node) or a part of the reason
CASES: dict[str, tuple[str, tuple[Any, ...], tuple[str, str] | str]] = {
    "split brain: the lower is drained": ("split_brain", SPLIT, ("drain", "n1")),
    "split brain of three": ("split_brain", (MASTER, low("MASTER"), MASTER), ("drain", "n2")),
    "split brain: equals": ("split_brain", (MASTER, MASTER, BACKUP), "have one priority"),
    "split brain is over": ("split_brain", (MASTER, BACKUP, BACKUP), "no two nodes say"),
    "split brain: one lacks the address": ("split_brain", (HOLLOW, MASTER, BACKUP), "no two"),
    "split brain: nobody else": (
        "split_brain",
        (low("MASTER"), MASTER),
        "2 nodes must be well: n2",
    ),
    "split brain: the third is silent": (
        "split_brain",
        (low("MASTER"), MASTER, None),
        "n1 has VI, and besides it 2 nodes must be well: n2",
    ),
    "split brain: the third is drained": (
        "split_brain",
        (low("MASTER"), MASTER, status(BACKUP, **DRAINED)),
        "2 nodes must be well: n2",
    ),
    "split brain: no priority is told": (
        "split_brain",
        (row("MASTER", effective_priority=None), MASTER, BACKUP),
        "unknown: the priorities",
    ),
    "split brain: the lower cannot be drained": (
        "split_brain",
        (
            status(low("MASTER"), drain={"drained": False, "missing": ["no track_file"]}),
            MASTER,
            BACKUP,
        ),
        "n1 cannot be drained: no track_file",
    ),
    "ghost beside its owner": ("ghost_vip", (GHOST, MASTER, BACKUP), ("restart", "n1")),
    "ghost of a keepalived that is gone": (
        "ghost_vip",
        (status(row("MASTER"), **STOPPED), MASTER, BACKUP),
        ("restart", "n1"),
    ),
    "ghost that is all there is": ("ghost_vip", (GHOST, BACKUP, BACKUP), "no node is its owner"),
    "ghost is gone": ("ghost_vip", (MASTER, BACKUP, BACKUP), "no node has an address without"),
    "hollow master": ("hollow_master", (HOLLOW, BACKUP, BACKUP), ("restart", "n1")),
    "hollow master without peers": ("hollow_master", (HOLLOW, FAULT, BACKUP), "2 nodes must be"),
    "hollow master, address not known": (
        "hollow_master",
        (row("MASTER", held=None, vip_present=None), BACKUP, BACKUP),
        "no node is MASTER without",
    ),
    "no master: the preferred one first": (
        "no_master",
        (FAULT, row("FAULT", base_priority=103), FAULT),
        ("restart", "n2"),
    ),
    "no master, but there is one": ("no_master", (FAULT, MASTER, FAULT), "every address has"),
    "no master, and one claims it": ("no_master", (FAULT, HOLLOW, FAULT), "every address has"),
    "no master, all ready": ("no_master", (BACKUP, BACKUP, BACKUP), "no node is in FAULT"),
    "no master, and the one in FAULT is drained": (
        "no_master",
        (status(FAULT, **DRAINED), BACKUP, BACKUP),
        "no node is in FAULT",
    ),
    "degraded": ("degraded", (FAULT, MASTER, BACKUP), ("restart", "n1")),
    "degraded, owner unknown": ("degraded", (FAULT, None, BACKUP), "no node has it"),
    "degraded, by now well": ("degraded", (BACKUP, MASTER, BACKUP), "no node is in FAULT"),
    "failover: the new owner says so again": (
        "failover",
        (FAULT, MASTER, BACKUP),
        ("reannounce", "n2"),
    ),
    "failover, two owners": ("failover", (MASTER, MASTER, BACKUP), "exactly one owner"),
    "nobody answers": ("no_master", (None, None, None), "unknown: no node answered"),
    "one answers": ("no_master", (FAULT, None, "Traceback"), "unknown: n1 answered"),
    "answers that are none": ("no_master", ({"instances": 5}, [], 7), "unknown: no node"),
}


@pytest.mark.parametrize(("kind", "nodes", "wanted"), CASES.values(), ids=CASES)
def test_what_nodes_say_now_decides(kind: str, nodes: tuple, wanted: Any) -> None:
    decision = judged(kind, *nodes)

    if isinstance(wanted, tuple):
        assert isinstance(decision, Action), decision
        assert (decision.action, decision.minion) == wanted
        assert decision.key == f"i1/{kind}/{wanted[0]}"
    else:
        assert isinstance(decision, Skip), decision
        assert wanted in decision.reason
        assert decision.tell, "the pillar wanted something done: a person must know"


def test_one_other_node_is_enough_where_the_pillar_says_so() -> None:
    policy = Policy(rules={"split_brain": Rule("drain", peers=1)})

    decision = judged("split_brain", low("MASTER"), MASTER, policy=policy)

    assert isinstance(decision, Action)


def test_a_node_that_has_another_address_too_is_not_touched_unless_that_is_safe() -> None:
    both = [row("FAULT"), row("MASTER", name="VI_2")]
    others = [status(MASTER, row("FAULT", name="VI_2")), status(BACKUP, row("BACKUP", name="VI_2"))]

    decision = judged("degraded", status(*both), *others)

    assert decision == Skip("n1 has VI_2, and besides it 2 nodes must be well: n3", tell=True)


FLAPPING = {
    "the one that flaps": (["n1"], ("drain", "n1")),
    "it is no member": (["n9"], "not one node flaps but 0"),
    "two flap": (["n1", "n2"], "not one node flaps but 2"),
}


@pytest.mark.parametrize(("named", "wanted"), FLAPPING.values(), ids=FLAPPING)
def test_only_a_node_that_flaps_alone_is_drained(named: list[str], wanted: Any) -> None:
    decision = judged("flapping", MASTER, BACKUP, BACKUP, incident={"nodes": named})

    if isinstance(decision, Action):
        assert (decision.action, decision.minion) == wanted
    else:
        assert wanted in decision.reason


UNDRAIN = Policy(rules={"no_master": Rule("undrain")})
DRAINS = {
    "by the policy": ("policy i0: flapping", True),
    "by a person": ("new disk", False),
    "by nobody knows whom": (None, False),
}


@pytest.mark.parametrize(("reason", "undrained"), DRAINS.values(), ids=DRAINS)
def test_only_what_the_policy_drained_is_undrained(reason: str | None, undrained: bool) -> None:
    drain = {"drained": True, "missing": [], "reason": reason}

    decision = judged("no_master", status(FAULT, drain=drain), FAULT, FAULT, policy=UNDRAIN)

    assert isinstance(decision, Action) is undrained


def deed(ago: float, key: str = "i0/split_brain/drain", **more: Any) -> Deed:
    began = NOW - ago
    return Deed(key, "c", "n1", "drain", began, began + LEASE_SECONDS, more.get("ended", began))


SILENCE = Silence("c", NOW - 10, NOW + 60, "new switch", "root")
# what is different, a part of the reason, whether a person must know
LEFT_ALONE: dict[str, tuple[dict[str, Any], str, bool]] = {
    "no rule": ({"policy": Policy()}, "allows nothing about split_brain", False),
    "the rule none": (
        {"policy": Policy(rules={"split_brain": Rule("none")})},
        "allows nothing",
        False,
    ),
    "planned": ({"incident": {"planned": True}}, "planned", False),
    "maintenance": ({"silence": SILENCE}, "silenced until 2027-01-15T08:01:00", False),
    "done": ({"history": [deed(9999, "i1/split_brain/drain")]}, "done already", False),
    "begun, and the master was killed": (
        {"history": [deed(9999, "i1/split_brain/drain", ended=None)]},
        "done already",
        False,
    ),
    "another under way": ({"history": [deed(400, ended=None)]}, "is under way", True),
    "cool-down": ({"history": [deed(100)]}, "cool-down: drain on n1 was 1 m 40 s ago", True),
    "a clock set back": ({"history": [deed(-100)]}, "cool-down", True),
    "budget": ({"history": [deed(1000, "a"), deed(2000, "b")]}, "budget: 2 actions", True),
    "mass failure": ({"failing": 3}, "mass failure: 3 other clusters", True),
    "mass not known": ({"failing": None}, "unknown: how many clusters", True),
    "over by now": ({"state": "resolved"}, "it is resolved by now", False),
    "the hub does not know it": ({"state": None}, "unknown: the hub's file", True),
    "dry run": ({"policy": replace(POLICY, dry_run=True)}, "dry run: would drain on n1", False),
}


@pytest.mark.parametrize(("more", "reason", "tell"), LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_keeps_the_policy_from_acting(more: dict, reason: str, tell: bool) -> None:
    assert isinstance(judged("split_brain", *SPLIT), Action)

    decision = judged("split_brain", *SPLIT, **more)

    assert isinstance(decision, Skip)
    assert reason in decision.reason
    assert decision.tell is tell


PAST: dict[str, dict[str, Any]] = {
    "a maintenance that is over": {"silence": replace(SILENCE, until=NOW - 1)},
    "an action long ago": {"history": [deed(4000)]},
    "one whose master was killed, its lease over": {"history": [deed(700, ended=None)]},
    "two failing clusters": {"failing": 2},
}


@pytest.mark.parametrize("more", PAST.values(), ids=PAST)
def test_what_does_not_keep_it(more: dict) -> None:
    assert isinstance(judged("split_brain", *SPLIT, **more), Action)


def test_clusters_that_fail_now_are_counted_once_and_without_this_one() -> None:
    def open_one(
        cluster: str, kind: str = "no_master", opened: str = "2027-01-15T07:59:00Z"
    ) -> dict:
        return {"cluster": cluster, "kind": kind, "opened": opened}

    found = [
        open_one("c"),
        open_one("a"),
        open_one("a", "split_brain"),
        open_one("b", "degraded"),
        open_one("d", opened="2027-01-15T07:30:00Z"),
    ]

    assert failing(found, "c", NOW) == 1


def test_an_incident_that_got_worse_is_not_the_one_that_was_told() -> None:
    kept = [{"id": "i1", "kind": "split_brain", "state": "open"}]

    assert state_of(kept, incident("split_brain")) == "open"
    assert state_of(kept, incident("degraded")) == "split_brain"
    assert state_of([], incident("degraded")) is None
    assert state_of([{**kept[0], "id": "i12"}], incident("split_brain")) is None
