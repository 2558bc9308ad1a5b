"""I1, I2, I3: however the bus mangles what the nodes wrote, the timeline is the same."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hub_nodes import Node, World
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalived_core.cluster import timeline
from keepalived_core.cluster.settle import judge
from keepalived_core.cluster.store_read import _mark

STATES = ("MASTER", "BACKUP", "FAULT", "STOP", "rx_lower")
MEMBERS = ("n1", "n2", "n3")

#: What happens on the nodes: (node, instance, to, milliseconds since the one before).
happenings = st.lists(
    st.tuples(
        st.sampled_from(MEMBERS),
        st.sampled_from(("VI_1", "VI_2")),
        st.sampled_from(STATES),
        st.sampled_from((0, 1, 400, 1000, 5000)),
    ),
    min_size=1,
    max_size=25,
)
#: What happens to one delivery: which of the undelivered it is, and what becomes of it.
deliveries = st.lists(
    st.tuples(
        st.integers(0, 30), st.sampled_from(("send", "send", "twice", "lose", "beat", "restart"))
    ),
    max_size=60,
)


def play(path: Path, happened, delivered) -> World:
    nodes = {name: Node(name) for name in MEMBERS}
    world = World(path, *nodes.values())
    at, waiting = 0.0, []
    for name, instance, to, pause in happened:
        at += pause / 1000
        # as the tracker: a state is told when it is another, the rest always
        if nodes[name].states.get(instance, [None])[0] != to:
            waiting.append(nodes[name].row(to, at, instance))
    world.now = at
    for place, fate in delivered:
        if fate == "restart":
            world.restart(clean=place % 2 == 0)
        elif fate == "beat":
            world.send(nodes[MEMBERS[place % 3]].heartbeat(at + place / 1000))
        elif waiting:
            row = waiting.pop(place % len(waiting))
            if fate != "lose":
                world.send(*[row] * (2 if fate == "twice" else 1))
            if place % 3 == 0:
                world.step(0.2)
    # the end of all trouble: each node's relay says how far it is
    for node in nodes.values():
        world.send(node.heartbeat(at + 100))
    world.settle(40)
    return world


@settings(max_examples=60, deadline=None)
@given(happened=happenings, delivered=deliveries)
def test_any_delivery_gives_the_timeline_that_happened(happened, delivered) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = play(Path(folder) / "db", happened, delivered)
        for name, node in world.nodes.items():
            stored = world.rows(name)
            # I1, I2, I3: every row, no other, each once, in the node's order
            assert [{k: v for k, v in row.items() if k != "hub"} for row in stored] == node.spool
            for instance in ("VI_1", "VI_2"):
                states = [
                    row for row in node.spool if row["instance"] == instance and row["to"].isupper()
                ]
                words, settler = judge(_mark(row["stream_id"], row["seq"], row) for row in states)
                expected = {word.key: word.word for word in words}
                if settler.pending is not None:
                    expected[settler.pending.key] = "yes"  # long ago by now
                found = {
                    (row["stream_id"], row["seq"]): row["hub"]["settled"]
                    for row in stored
                    if row["instance"] == instance and row["to"].isupper()
                }
                assert found == expected
            # one settled event for each transition that counts, but for those taken back
            told = world.told_keys("settled", name)
            back = world.told_keys("retracted", name)
            yes = [row["seq"] for row in stored if row["hub"]["settled"] == "yes"]
            assert sorted(set(told) - (set(back) - set(yes))) == yes
        journals = {name: node.spool for name, node in world.nodes.items()}
        kept = {name: world.rows(name) for name in MEMBERS}
        assert [strip(row) for row in timeline.merge(kept)] == timeline.merge(journals)
        world.session.close()


def strip(row):
    return {key: value for key, value in row.items() if key not in timeline.HUB_FIELDS}
