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
    """instance -> [(from, to, word, µs)] of the transitions of this chapter."""
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
        found[name] = [(told[m.key].before, m.to, told[m.key].word, m.monotonic_us) for m in marks]
    return found


def masters(told):
    """[(word, when it began and ended in µs)] of the times as MASTER; one that lasts ends never."""
    rows = [*told, (None, None, None, math.inf)]
    return [
        (word, (begin, end))
        for (_, to, word, begin), (*_, end) in itertools.pairwise(rows)
        if to == "MASTER"
    ]


def stays(node):
    """instance -> when its address came and went in µs, each time; the kernel's word for it."""
    found, since = collections.defaultdict(list), {}
    for kind, address, at in node.observed():
        name = ADDRESS.get(address)
        if name and kind == "NEWADDR":
            since[name] = at
        elif name in since:
            found[name].append((since.pop(name), at))
    for name, at in since.items():
        found[name].append((at, math.inf))
    return found


def compare(node, after):
    """Each time that the address came is told once as MASTER, which settled if it stayed for an
    advert and is a flash if not; what settled last is *after*.

    Returns how many were flashes, and by how many seconds the two witnesses' times differ at most:
    on a machine with too much to do both are late, each by its own."""
    told, kernel = words(node), stays(node)
    wrong, flashes, late = {}, 0, 0.0
    for name in NAMES:
        claims, held = masters(told[name]), kernel[name]
        fit = [math.isinf(claim[1]) for _, claim in claims] == [
            math.isinf(stay[1]) for stay in held
        ]
        if fit:
            for (word, claim), stay in zip(claims, held, strict=True):
                ends = [(a, b) for a, b in zip(claim, stay, strict=True) if not math.isinf(a)]
                differ = max(abs(a - b) for a, b in ends) / 1e6
                late = max(late, differ)
                seconds = (stay[1] - stay[0]) / 1e6
                near = abs(seconds - ADVERT) < NEAR + 2 * differ
                fit = fit and (near or (word == settle.YES) == (seconds > ADVERT))
                flashes += word == settle.FLASH
        settled = [row for row in told[name] if row[2] == settle.YES]
        last = settled[-1][1] if settled else node.states_before[name]
        chained = all(old[1] == new[0] for old, new in itertools.pairwise(settled))
        if not fit or last != after or not chained:
            wrong[name] = (told[name], held)
    some = dict(itertools.islice(wrong.items(), 5))
    assert wrong == {}, (
        f"{node.name}: {len(wrong)} instances, (told, when its address was there): {some}"
    )
    return flashes, round(late, 3)


def test_all_of_them_fail_over_at_once_and_back(three, capsys):
    one = three[0]
    seen = []
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
        seen.append([compare(node, state) for node, state in zip(three, states, strict=True)])
    with capsys.disabled():
        print(
            f"\n{INSTANCES} instances over and back, as the kernels say; (flashes, late by): {seen}"
        )
