"""Thousands of random histories of a cluster whose policy allows all there is.

Each history is made from its number alone: ``play(4711)`` in a shell is that one again.
"""

from __future__ import annotations

import random

import pytest
from policy_world import LIES, Cluster, any_policy, with_rule

from keepalived_core.cluster.deeds import Silence
from keepalived_core.policy_pillar import Rule

#: So many in each of the blocks.
HISTORIES = 500
BLOCKS = range(4)
MOVES = ("service.restart", "keepalived.drain", "keepalived.undrain", "state.apply")


def play(seed: int, *, liar: bool = True) -> Cluster:
    """One history; every invariant is looked at after each of its steps."""
    dice = random.Random(seed)
    policy = any_policy(dice, budget=dice.randint(1, 4), cooldown=dice.choice([1, 30, 300]))
    cluster = Cluster(dice, policy, nodes=dice.choice([2, 3, 3, 4, 5]))
    told: list[dict] = []
    for step in range(dice.randint(3, 12)):
        for _ in range(dice.randint(0, 2)):
            cluster.break_something()
        if liar:
            one = dice.choice(list(cluster.hosts.values()))
            for host in cluster.hosts.values():
                host.lies = dice.choice(LIES) if host is one else None
        if dice.random() < 0.15:
            until = cluster.at + dice.choice([5, 500])
            cluster.silence = Silence("c", cluster.at, until, "new switch", "root")
        new = cluster.open_incident(step)
        told.append(new)
        deliver = [new, *dice.choices(told, k=dice.randint(0, 3))]  # duplicates, old ones
        dice.shuffle(deliver)
        for incident in deliver:
            step_of(cluster, incident)
        cluster.at += dice.choice([1, 60, 400])
    return cluster


def step_of(cluster: Cluster, incident: dict) -> None:
    dice = cluster.dice
    served, effects, began = cluster.served, len(cluster.effects), cluster.at
    quiet = cluster.silence is not None and cluster.silence.until > began + 60
    if dice.random() < 0.2:
        cluster.fuse = dice.randint(0, 8)
    cluster.react(incident)
    cluster.settle()
    done = cluster.effects[effects:]
    if quiet or incident["planned"]:
        assert not done, "something was done during a maintenance, or about what was planned"
    # I9: who could be reached before can be reached now
    if served:
        assert cluster.served, f"nobody has the address after {done} about {incident}"
    assert len({key for key, _, _ in done}) <= 1


@pytest.mark.parametrize("block", BLOCKS)
def test_i9_never_fewer_healthy_owners_whatever_is_told_and_whoever_lies(block: int) -> None:
    done = 0
    for seed in range(block * HISTORIES, (block + 1) * HISTORIES):
        try:
            done += len(play(seed).effects)
        except AssertionError as wrong:
            raise AssertionError(f"history {seed}: {wrong}") from wrong
    # a policy that never does anything would pass
    assert done > HISTORIES / 10


def repetitions(cluster: Cluster) -> dict[str, int]:
    """How often each incident had an effect; an undrain that takes back a drain is part of it."""
    found: dict[str, int] = {}
    drained = set()
    for key, fun, _ in cluster.effects:
        if fun == "keepalived.undrain" and key in drained:
            drained.discard(key)
            continue
        if fun == "keepalived.drain":
            drained.add(key)
        found[key] = found.get(key, 0) + 1
    return found


@pytest.mark.parametrize("block", BLOCKS)
def test_i10_at_most_one_effect_for_an_incident_however_often_it_comes(block: int) -> None:
    for seed in range(block * HISTORIES, (block + 1) * HISTORIES):
        found = repetitions(play(seed))
        assert all(count == 1 for count in found.values()), f"history {seed}: {found}"


def test_i10_a_master_killed_in_mid_action_does_not_do_it_again() -> None:
    killed = 0
    for seed in range(HISTORIES):
        dice = random.Random(seed)
        cluster = Cluster(dice, any_policy(dice, cooldown=1))
        cluster.break_something()
        incident = cluster.open_incident(1)
        cluster.fuse = dice.randint(1, 6)
        died = cluster.react(incident) is None
        entered = set(cluster.book.deeds)
        before = len(cluster.effects)
        cluster.at += 3600
        again = cluster.react(incident)
        if died and entered:
            killed += 1
            assert again is not None
            assert (again.result, again.reason) == ("skipped", "done already")
            assert len(cluster.effects) == before
    assert killed > 10


def test_an_action_whose_master_was_killed_holds_up_others_only_until_its_lease_ends() -> None:
    cluster, first = split()
    cluster.fuse = 2
    assert cluster.react(first) is None
    deed = next(iter(cluster.book.deeds.values()))
    assert deed.ended is None

    cluster.at = deed.lease - 10
    early = cluster.react({**first, "id": "i2"})
    cluster.at = deed.lease + 10
    late = cluster.react({**first, "id": "i3"})

    assert early is not None and early.reason.endswith("is under way")
    assert late is not None and late.result == "succeeded"


def split(**limits: int) -> tuple[Cluster, dict]:
    """Four nodes; n1 is cut off and so is MASTER beside n4."""
    dice = random.Random(0)
    policy = with_rule(any_policy(dice, **limits), "split_brain", Rule("drain"))
    cluster = Cluster(dice, policy, nodes=4)
    cluster.hosts["n1"].alone = True
    cluster.settle()
    incident = {**cluster.open_incident(1), "kind": "split_brain", "planned": False}
    return cluster, incident


def test_of_two_owners_the_lower_is_drained_and_it_helps() -> None:
    cluster, incident = split()

    result = cluster.react(incident)

    assert result is not None and result.result == "succeeded"
    assert {host.name for host in cluster.hosts.values() if host.holds} == {"n4"}
    assert cluster.hosts["n1"].drained == "fault"
    assert [what for what, _ in cluster.trail] == ["started", "succeeded"]
    assert cluster.escalations == []
    assert not cluster.marked


def test_i11_what_our_own_action_causes_has_no_effect() -> None:
    answered = 0
    for seed in range(HISTORIES):
        dice = random.Random(seed)
        cluster = Cluster(dice, any_policy(dice, cooldown=1, budget=100))
        cluster.break_something()
        caused: list[dict] = []

        def note(incident: dict, cluster: Cluster = cluster, caused: list = caused) -> None:
            settle = cluster.settle

            def settle_and_tell() -> None:
                was = {name: host.master for name, host in cluster.hosts.items()}
                settle()
                if was != {name: host.master for name, host in cluster.hosts.items()}:
                    caused.append(cluster.open_incident(len(caused) + 100))

            cluster.settle = settle_and_tell  # type: ignore[method-assign]
            cluster.react(incident)
            cluster.settle = settle  # type: ignore[method-assign]

        note(cluster.open_incident(1))
        before = len(cluster.effects)
        for incident in caused:
            # an instance that becomes healthy by a repair of its service is no trouble to mend
            if incident["planned"]:
                answered += 1
                cluster.react(incident)
        assert len(cluster.effects) == before, f"history {seed}"
    assert answered > 10


def test_i11_all_haproxies_dead_is_no_loop() -> None:
    """Nothing can be mended: the same again and again ends at the budget."""
    dice = random.Random(1)
    policy = any_policy(dice, budget=3, cooldown=60, window=3600)
    policy = with_rule(policy, "no_master", Rule("restart", service="haproxy"))
    cluster = Cluster(dice, policy)
    for host in cluster.hosts.values():
        host.haproxy = host.mendable = False
    cluster.settle()
    rounds = 200
    for number in range(rounds):
        incident = {**cluster.open_incident(number), "kind": "no_master", "planned": False}
        cluster.react(incident)
        cluster.at += 30

    # 200 rounds of 30 s and what the actions take: less than three windows
    assert 1 <= len(cluster.effects) <= 3 * 3
    assert any("budget" in text for text in cluster.escalations)


@pytest.mark.parametrize("block", BLOCKS)
def test_no_window_ever_has_more_than_its_budget(block: int) -> None:
    for seed in range(block * HISTORIES, (block + 1) * HISTORIES):
        cluster = play(seed)
        begun = sorted(deed.started for deed in cluster.book.deeds.values())
        most = max(
            (sum(first <= at < first + cluster.policy.window for at in begun) for first in begun),
            default=0,
        )
        assert most <= cluster.policy.budget, f"history {seed}"


def test_two_nodes_of_which_one_may_lie_are_left_alone() -> None:
    """Each would vouch for itself: which of them lies cannot be seen."""
    dice = random.Random(3)
    for lie in LIES:
        cluster = Cluster(dice, any_policy(dice), nodes=2)
        cluster.hosts["n1"].lies = lie
        for number, kind in enumerate(("split_brain", "hollow_master", "ghost_vip", "flapping")):
            incident = {**cluster.open_incident(number), "kind": kind, "nodes": ["n2"]}
            cluster.react(incident)
        assert not [fun for _, fun, _ in cluster.effects if fun in MOVES]
