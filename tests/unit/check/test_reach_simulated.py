"""Random clusters: what is predicted is what happens in a simulation of timers and adverts."""

from __future__ import annotations

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from vrrp_simulation import ADVERT, Peer, Simulation

from keepalived_core import conf
from keepalived_core.check import reach

LONG = 12 * ADVERT
NODES = ("a", "b", "c", "d")


@st.composite
def nodes(draw, most: int = 4):
    """Of each node: priority, nopreempt, preempt_delay in seconds, and the host's address."""
    count = draw(st.integers(2, most))
    priorities = st.one_of(st.integers(95, 103), st.integers(1, 254), st.just(254))
    hosts = draw(st.permutations(range(1, count + 1)))
    return {
        name: (
            draw(priorities),
            draw(st.booleans()),
            draw(st.sampled_from((0, 0, 0, 5))),
            hosts[index],
        )
        for index, name in enumerate(NODES[:count])
    }


def config(one, weight: int, members: dict[int, int], group: str = "") -> str:
    """members: {VRID: priority}; the check is tracked by the first, or by the group."""
    _priority, nopreempt, delay, host = one
    text = f"vrrp_script chk {{\n script /bin/true\n weight {weight}\n}}\n{group}"
    track = "" if group else "track_script {\n chk\n}\n"
    for vrid, priority in members.items():
        text += f"vrrp_instance V{vrid} {{\n interface eth0\n virtual_router_id {vrid}\n"
        text += f"priority {priority}\n unicast_src_ip 10.0.0.{host}\n{track}"
        text += f"virtual_ipaddress {{\n 10.0.1.{vrid}\n}}\n"
        # keepalived clears preempt_delay where there is nopreempt.
        text += ("nopreempt\n" if nopreempt else f"preempt_delay {delay}\n") + "}\n"
    return text


def lowered(priority: int, weight: int, failing: bool) -> int:
    if weight > 0:
        return min(254, priority + (0 if failing else weight))
    return max(1, priority + (weight if failing else 0))


def peer(name: str, slot: int, priority: int, one) -> Peer:
    _priority, nopreempt, delay, host = one
    return Peer(name, slot, priority, nopreempt, 0 if nopreempt else delay * ADVERT, host)


@given(nodes(), st.one_of(st.integers(-12, 12), st.integers(-253, 253)))
@settings(max_examples=150, deadline=None)
def test_one_instance(cluster, weight) -> None:
    trees = {name: conf.evaluate(config(one, weight, {1: one[0]})) for name, one in cluster.items()}
    instance = reach.reach(trees).instances[0]
    peers = {
        name: peer(name, 1, lowered(one[0], weight, False), one) for name, one in cluster.items()
    }
    world = Simulation(list(peers.values()))
    world.run(LONG)
    (holder,) = world.owners(1)
    assert holder == instance.owner
    assert holder in instance.holders

    for failure in ("check", "dies", "all"):
        row = next(
            row
            for row in instance.rows
            if row.kind == failure and row.name in ("", "chk") and row.holder == holder
        )
        failed = cluster if failure == "all" else [holder]
        peers = {
            name: peer(name, 1, lowered(one[0], weight, False), one)
            for name, one in cluster.items()
        }
        world = Simulation(list(peers.values()))
        world.run(LONG)
        for name in failed:
            if failure == "dies" or not weight:
                world.fault(peers[name])
            else:
                peers[name].priority = lowered(cluster[name][0], weight, True)
        # As long as a preempt_delay and some failovers.
        world.run(2 * LONG)
        found = world.owners(1)
        assert found == ([row.owner] if row.owner else []), (row, cluster, weight)
        if row.verdict in ("moves", "late"):
            assert row.owner != holder


@given(
    nodes(3),
    st.integers(-12, -1),
    st.lists(st.integers(95, 103), min_size=3, max_size=3),
    st.booleans(),
)
@settings(max_examples=100, deadline=None)
def test_a_sync_group(cluster, weight, others, everybody) -> None:
    """Two members; the weight is the group's or the first member's alone."""
    group = "vrrp_sync_group G {\n group {\n V1\n V2\n}\n"
    group += "track_script {\n chk\n}\n}\n" if everybody else "sync_group_tracking_weight\n}\n"
    second = dict(zip(cluster, others, strict=False))
    trees = {}
    for name, one in cluster.items():
        text = config(one, weight, {1: one[0], 2: second[name]}, group)
        if not everybody:
            text = text.replace(
                "virtual_router_id 1\n", "virtual_router_id 1\ntrack_script {\n chk\n}\n"
            )
        trees[name] = conf.evaluate(text)
    instance = reach.reach(trees).instances[0]
    # Where members disagree, chance decides, and that is what the report says.
    assume(instance.owner is not None and not instance.tied)
    holder = instance.owner
    rows = [each for each in instance.rows if (each.kind, each.holder) == ("check", holder)]
    row = next(each for each in rows if each.name == "chk")
    assume(not row.tied)
    peers = {
        name: [peer(name, 1, one[0], one), peer(name, 2, second[name], one)]
        for name, one in cluster.items()
    }
    world = Simulation([each for both in peers.values() for each in both], groups=True)
    world.run(LONG)
    assert world.owners(1) == world.owners(2) == [holder]
    peers[holder][0].priority = lowered(cluster[holder][0], weight, True)
    if everybody:
        peers[holder][1].priority = lowered(second[holder], weight, True)
    world.run(2 * LONG)
    assert world.owners(1) == world.owners(2) == [row.owner], (row, cluster, second)
