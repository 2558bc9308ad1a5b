"""250 instances on three nodes lose their owner at once, and get it back: what settled is what the
kernels say became of the addresses, instance by instance.

A node that is MASTER of some of them for a moment is told as flashes, no more and no fewer than its
kernel had.
"""

from __future__ import annotations

import collections
import itertools
import math
import time

import pytest
from vrrp_nodes import Node, Switch, until

from keepalived_core.cluster import settle

pytestmark = [pytest.mark.root, pytest.mark.timeout(180)]

INSTANCES = 250
ADVERT = 1.0
#: Seconds about an advert in which an address may count as either.
NEAR = 0.1
NAMES = [f"VI_{number}" for number in range(1, INSTANCES + 1)]
ADDRESS = {f"10.98.0.{number}": f"VI_{number}" for number in range(1, INSTANCES + 1)}
PRIORITIES = {1: 200, 2: 150, 3: 100}

GLOBAL = """global_defs {
 vrrp_garp_master_repeat 1
 vrrp_notify_fifo /run/salt-keepalived/notify.fifo
}
"""
INSTANCE = """vrrp_instance VI_{number} {{
 state BACKUP
 interface eth0
 virtual_router_id {number}
 priority {priority}
 advert_int 1
 virtual_ipaddress {{
  10.98.0.{number}/32
 }}
}}
"""


def config(priority):
    rows = (INSTANCE.format(number=n, priority=priority) for n in range(1, INSTANCES + 1))
    return GLOBAL + "".join(rows)


@pytest.fixture
def three(tmp_path):
    """Three nodes, the first one MASTER of everything."""
    switch = Switch()
    nodes = [Node(switch, tmp_path, number) for number in PRIORITIES]
    try:
        for node, priority in zip(nodes, PRIORITIES.values(), strict=True):
            node.configure(config(priority))
            node.start_watch()
            node.start_keepalived()
        wait(nodes[0], "MASTER")
        wait(nodes[1], "BACKUP")
        wait(nodes[2], "BACKUP")
        yield nodes
    finally:
        for node in nodes:
            node.close()
        switch.close()


def last_states(node):
    states = {row["instance"]: row["to"] for row in node.events(None) if row["to"].isupper()}
    return collections.Counter({**node.states_before, **states}[name] for name in NAMES)


def wait(node, state):
    def there():
        try:
            return last_states(node) == {state: INSTANCES}
        except KeyError:
            return False

    assert until(there, 60, 0.2), f"{node.name}: {last_states(node)}\n{node.log('watch')}"


def words(node):
    """instance -> [(from, to, word)] of the transitions of this chapter."""
    found = {}
    for name in NAMES:
        rows = [row for row in node.events(name) if row["to"].isupper()]
        marks = [
            settle.Mark((r["stream_id"], r["seq"]), r["to"], r["from"], 0, r["monotonic_us"])
            for r in rows
        ]
        settler = settle.Settler()
        settler.state = node.states_before[name]
        told = {}
        for mark in marks:
            told |= {word.key: word for word in settler.feed(mark, ADVERT)}
        if (word := settler.elapsed()) is not None:
            told[word.key] = word
        found[name] = [(told[m.key].before, m.to, told[m.key].word) for m in marks]
    return found


def stays(node):
    """instance -> for how long its address stayed, each time it came; the kernel's word for it."""
    found, since = collections.defaultdict(list), {}
    for kind, address, at in node.observed():
        name = ADDRESS.get(address)
        if name and kind == "NEWADDR":
            since[name] = at
        elif name in since:
            found[name].append((at - since.pop(name)) / 1e6)
    for name in since:
        found[name].append(math.inf)
    return found


def compare(node, after):
    """Each time that the address came is told once as MASTER, which settled if it stayed for an
    advert and is a flash if not; what settled last is *after*.  Returns how many were flashes."""
    told, kernel = words(node), stays(node)
    wrong, flashes = {}, 0
    for name in NAMES:
        masters = [word for _, to, word in told[name] if to == "MASTER"]
        fit = len(masters) == len(kernel[name]) and all(
            abs(seconds - ADVERT) < NEAR or (word == settle.YES) == (seconds > ADVERT)
            for word, seconds in zip(masters, kernel[name], strict=True)
        )
        settled = [row for row in told[name] if row[2] == settle.YES]
        last = settled[-1][1] if settled else node.states_before[name]
        chained = all(old[1] == new[0] for old, new in itertools.pairwise(settled))
        if not fit or last != after or not chained:
            wrong[name] = (told[name], kernel[name])
        flashes += masters.count(settle.FLASH)
    assert wrong == {}, f"{node.name}: (told, seconds that its address stayed)"
    return flashes


def test_all_of_them_fail_over_at_once_and_back(three, capsys):
    one = three[0]
    flashed = []
    for begin, states in (
        (one.stop_keepalived, ("STOP", "MASTER", "BACKUP")),
        (one.start_keepalived, ("MASTER", "BACKUP", "BACKUP")),
    ):
        for node in three:
            node.begin_chapter()
        begin()
        for node, state in zip(three, states, strict=True):
            wait(node, state)
        # the kernel's last message may still be on its way, and a short flash behind it
        time.sleep(2 * ADVERT)
        flashed.append([compare(node, state) for node, state in zip(three, states, strict=True)])
    with capsys.disabled():
        print(f"\n{INSTANCES} instances over and back, as the kernels say; flashes: {flashed}")
