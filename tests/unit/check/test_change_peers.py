"""With the peers' configurations at hand: whether a changed priority moves an address."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from change_text import block, group, instance

from keepalived_core import conf
from keepalived_core.check.change import Kind, classify

SAFE, MOVES = Kind.SAFE, Kind.MOVES
PLUS = block("vrrp_script plus", {"script": "/usr/bin/true", "weight": 20})
OTHER = {"virtual_router_id": 52, "virtual_ipaddress": ["10.99.0.101/24"]}


@dataclass
class Case:
    """peers: what the others have; kinds: by instance."""

    name: str
    old: str
    new: str
    peers: tuple[str, ...]
    kinds: dict[str, Kind]


def one(name: str, kind: Kind, old: dict, new: dict, *peers: dict) -> Case:
    texts = [instance(**said) for said in (old, new, *peers)]
    return Case(name, texts[0], texts[1], tuple(texts[2:]), {"VI": kind})


def two(first: int, second: int) -> str:
    return instance("VA", priority=first) + instance("VB", priority=second, **OTHER)


CASES = [
    one("the master stays the highest", SAFE, {"priority": 150}, {"priority": 120}, {}),
    one("the master falls below a peer", MOVES, {"priority": 150}, {"priority": 90}, {}),
    one("the master falls level with a peer", SAFE, {"priority": 150}, {"priority": 100}, {}),
    one("a backup stays below", SAFE, {"priority": 90}, {"priority": 95}, {}),
    one("a backup rises above the master", MOVES, {"priority": 90}, {"priority": 110}, {}),
    one("a backup that does not preempt rises", SAFE, {"priority": 90, "nopreempt": True},
        {"priority": 110, "nopreempt": True}, {}),
    one("the master falls below peers that do not preempt", SAFE, {"priority": 150},
        {"priority": 90}, {"nopreempt": True}, {"nopreempt": True}),
    one("one peer of two preempts", MOVES, {"priority": 150}, {"priority": 90},
        {"nopreempt": True}, {}),
    one("a backup below preempts again", SAFE, {"priority": 90, "nopreempt": True},
        {"priority": 90}, {}),
    one("one above that held back preempts again", MOVES, {"priority": 120, "nopreempt": True},
        {"priority": 120}, {}),
    one("an owner", MOVES, {"priority": 90}, {"priority": 255}, {}),
    one("no peer has the instance", MOVES, {"priority": 150}, {"priority": 120},
        {"virtual_router_id": 99}),
    one("nothing of the election is changed", SAFE, {"priority": 150},
        {"priority": 150, "garp_master_delay": 2}, {}),
    Case("a script adds too little", PLUS + instance(priority=70),
         PLUS + instance(priority=70, track_script=["plus"]), (instance(),), {"VI": SAFE}),
    Case("a script adds enough", PLUS + instance(priority=90),
         PLUS + instance(priority=90, track_script=["plus"]), (instance(),), {"VI": MOVES}),
    Case("a group of what one node holds", two(150, 150), two(150, 150) + group("G", "VA", "VB"),
         (two(100, 100) + group("G", "VA", "VB"),), {}),
    Case("a group of what two nodes hold", two(150, 90), two(150, 90) + group("G", "VA", "VB"),
         (two(100, 100) + group("G", "VA", "VB"),), {"VA": MOVES, "VB": MOVES}),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_election_has_its_class(case):
    peers = {f"n{number}": conf.parse(text) for number, text in enumerate(case.peers, 2)}
    change = classify(conf.parse(case.old), conf.parse(case.new), (2, 2, 7), peers=peers)
    assert change.instances == case.kinds, change.sentences()
