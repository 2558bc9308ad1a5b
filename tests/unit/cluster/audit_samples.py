"""Clusters as their nodes and pillars tell of them: a healthy one, to be made wrong."""

from __future__ import annotations

import copy
from typing import Any

from rollout_samples import NOW, row, status

from keepalived_core.cluster.audit import Cluster, Node

NAMES = ("n1", "n2", "n3")
PRIORITIES = {"n1": 101, "n2": 102, "n3": 103}


def described(node: str, **changes: Any) -> dict[str, Any]:
    """One instance as ``check.describe`` shows it."""
    return {
        "instance": "VI",
        "vrid": 52,
        "family": 4,
        "interface": "eth1",
        "version": 2,
        "priority": PRIORITIES[node],
        "advert_int": 1.0,
        "vips": ["10.0.0.100"],
        "excluded": [],
        "way": "224.0.0.18",
        "peers": [],
        "vmac": False,
        "group": [],
        "auth": {"type": "PASS", "mark": "the mark of a secret"},
        **changes,
    }


def runs(node: str, **changes: Any) -> dict[str, Any]:
    """One instance as ``audit_facts`` shows what runs."""
    state = "MASTER" if node == "n3" else "BACKUP"
    return {
        "vrid": 52,
        "family": 4,
        "interface": "eth1",
        "version": 2,
        "base_priority": PRIORITIES[node],
        "effective_priority": PRIORITIES[node],
        "advert_interval": 1.0,
        "nopreempt": False,
        "vips": ["10.0.0.100/32"],
        "excluded": [],
        "state": state,
        "was": state,
        "seconds": 1.3,
        "heard": 0 if state == "MASTER" else 1,
        "rejected": {},
        **changes,
    }


def facts(node: str) -> dict[str, Any]:
    """What ``keepalived.audit_facts`` returns on a healthy node."""
    file = described(node)
    file["auth"] = {"type": "PASS", "as_pillar": True}
    return {
        "schema": 1,
        "node": node,
        "version": {"version": "2.2.7", "json": True, "lost_protection": []},
        "plan": {"action": "nothing", "kind": None, "reasons": []},
        "file": {"path": "/x", "changed": None, "instances": [file], "words": []},
        "running": {"VI": runs(node)},
        "not_loaded": [],
        "firewall": {"ok": True, "missing": {}, "stale": {}},
        "links": {"eth1": [f"10.0.0.{NAMES.index(node) + 1}/24"], "mgmt0": ["10.7.0.1/24"]},
        "sysctl": {
            "ip_nonlocal_bind": {"ipv4": 0, "ipv6": 0},
            "interfaces": {
                "all": {"rp_filter": 0, "arp_ignore": 0, "arp_announce": 0},
                "eth1": {"rp_filter": 1, "arp_ignore": 0, "arp_announce": 0},
            },
        },
        "binds": [],
        "managers": {},
        "missing": {},
    }


class Site:
    """A healthy cluster whose parts a test changes before it is audited."""

    def __init__(self, name: str = "c") -> None:
        self.name = name
        watch = {"running": True, "sources": ["netlink"], "problems": [], "delivery": "relay"}
        self.status: dict[str, Any] = {
            node: status(row("MASTER" if node == "n3" else "BACKUP"), watch=dict(watch))
            for node in NAMES
        }
        self.facts: dict[str, Any] = {node: facts(node) for node in NAMES}
        self.pillar: dict[str, Any] = {node: [described(node)] for node in NAMES}
        self.accepted = dict.fromkeys(NAMES, True)
        self.verdicts: list[dict[str, Any]] = [
            {
                "instance": "VI",
                "verdict": "ok",
                "reason": "n3 holds the address",
                "nodes": [
                    {"node": node, "claim": "MASTER" if node == "n3" else "BACKUP"}
                    for node in NAMES
                ],
            }
        ]
        self.reach: list[dict[str, Any]] = []
        self.mistakes: dict[str, list[str]] = {}

    def every(self, **changes: Any) -> Site:
        """Change the instance of all nodes, in the pillar, the file and what runs."""
        for node in NAMES:
            self.one(node, **changes)
        return self

    def one(self, node: str, **changes: Any) -> None:
        """The same on one node."""
        self.in_pillar(node, **changes)
        self.in_file(node, **changes)
        words = {"priority": "base_priority", "advert_int": "advert_interval"}
        for key, value in changes.items():
            if words.get(key, key) in self.facts[node]["running"]["VI"]:
                self.running(node, **{words.get(key, key): value})

    def in_pillar(self, node: str, **changes: Any) -> None:
        self.pillar[node][0].update(copy.deepcopy(changes))

    def in_file(self, node: str, **changes: Any) -> None:
        self.facts[node]["file"]["instances"][0].update(copy.deepcopy(changes))

    def running(self, node: str, **changes: Any) -> None:
        self.facts[node]["running"]["VI"].update(copy.deepcopy(changes))

    def cluster(self) -> Cluster:
        return Cluster(
            self.name,
            tuple(
                Node(
                    node,
                    self.accepted[node],
                    ("VI",),
                    status=self.status[node],
                    asked=NOW - 0.1,
                    answered=NOW + 0.2,
                    facts=self.facts[node],
                    pillar=None if self.pillar[node] is None else tuple(self.pillar[node]),
                )
                for node in NAMES
            ),
            tuple(self.verdicts),
            tuple(self.reach),
            self.mistakes,
        )
