"""Simulated histories of clusters for the page: a small story, and as much as it must bear.

Rows of nodes are made up; timelines, lanes, verdicts and the sheet are made of them by the
library.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "salt" / "_utils"))

from keepalived_core.cluster import clock, facts, lanes, timeline, topology
from keepalived_core.cluster.answers import Answer
from keepalived_core.cluster.audit_codes import CODES
from keepalived_core.cluster.membership import Member
from keepalived_core.cluster.report import sheet as sheets

NOW = 1_795_651_200.0  # 2026-11-26T00:00:00Z
DAY = 86_400.0
CHECK = {"kind": "track_script", "name": "chk_haproxy", "weight": 0, "reverse": False}
LINK = {"kind": "track_interface", "name": "eth1", "weight": 0, "reverse": False}
Data = dict[str, Any]


class Cluster:
    """One cluster: its wiring, and what its nodes wrote.

    instances: ``{name: (address, virtual_router_id)}``; nodes: by falling priority.
    """

    def __init__(self, name: str, nodes: list[str], instances: dict[str, tuple[str, int]]) -> None:
        self.name, self.nodes, self.instances = name, nodes, instances
        self.rows: dict[str, list[Data]] = {node: [] for node in nodes}
        self.state = {(node, each): "BACKUP" for node in nodes for each in instances}
        self.since: dict[tuple[str, str], float] = {}
        self.incidents: list[Data] = []

    def row(self, at: float, node: str, instance: str, to: str, reason: str = "unknown",
            planned: bool = False) -> None:  # fmt: skip
        self.rows[node].append(
            {
                "type": "instance",
                "instance": instance,
                "from": self.state[node, instance],
                "to": to,
                "reason": reason,
                "time": clock.render(at),
                "vips": [self.instances[instance][0]],
                "vip_present": to == "MASTER",
                "planned": planned,
                "source": "fifo",
                "stream_id": f"{node}-1",
            }
        )
        self.state[node, instance] = to
        self.since[node, instance] = at

    def begin(self, at: float) -> None:
        for instance in self.instances:
            for node in self.nodes:
                self.row(at, node, instance, "BACKUP")
            self.row(at + 4, self.nodes[0], instance, "MASTER")

    def incident(self, kind: str, instance: str, begin: float, end: float | None, without: float,
                 several: float, text: str, nodes: list[str]) -> None:  # fmt: skip
        last = NOW if end is None else end
        self.incidents.append(
            {
                "id": f"i{len(self.incidents):05x}{abs(hash_of(self.name, begin)) % 16**5:05x}",
                "cluster": self.name,
                "instance": instance,
                "instances": [instance],
                "kind": kind,
                "was": [],
                "state": "open" if end is None else "resolved",
                "opened": clock.render(begin),
                "resolved": None if end is None else clock.render(end),
                "as_of": clock.render(last),
                "seconds": round(last - begin, 6),
                "seconds_without_owner": without,
                "seconds_several_owners": several,
                "exact": True,
                "owners": {instance: [self.nodes[1]]} if end is None else {},
                "not_ready": {self.nodes[0]: text.partition(" is ")[2]} if end is None else {},
                "nodes": nodes,
                "cause": {"class": "fault", "text": text},
                "planned": False,
                "actions": [],
                "opening_row": {"node": nodes[0], "stream_id": f"{nodes[0]}-1", "seq": 1},
            }
        )

    def failover(self, at: float, lasts: float | None, gap: float = 0.601) -> None:
        """A check fails on the owner; lasts: seconds until it is well again."""
        first, second = self.nodes[:2]
        reason = "check chk_haproxy failed"
        for each in self.instances:
            self.row(at, first, each, "FAULT", reason)
            self.row(at + gap, second, each, "MASTER")
            end = None
            if lasts is not None:
                end = at + lasts + 3.6
                self.row(at + lasts, first, each, "BACKUP", f"no longer faulty (was: {reason})")
                self.row(end, first, each, "MASTER")
                self.row(end + 0.001, second, each, "BACKUP", "a peer took over")
            text = f"{first} is FAULT: {reason}"
            self.incident("failover", each, at, end, gap, 0.0, text, [first])

    def drain(self, at: float, lasts: float) -> None:
        """A planned move to the second node and home."""
        first, second = self.nodes[:2]
        for each in self.instances:
            self.row(at, second, each, "MASTER", planned=True)
            self.row(at + 0.002, first, each, "BACKUP", "drained by hand", planned=True)
            self.row(at + lasts, first, each, "MASTER", planned=True)
            self.row(at + lasts + 0.001, second, each, "BACKUP", planned=True)

    def split(self, at: float, lasts: float) -> None:
        """The second node does not hear the first."""
        first, second = self.nodes[:2]
        for each in self.instances:
            self.row(at, second, each, "MASTER")
            self.row(at + lasts, second, each, "BACKUP", "a peer with a higher priority is back")
            text = f"{second} receives no adverts: a firewall drops them, or they are refused"
            self.incident(
                "split_brain", each, at, at + lasts, 0.0, lasts - 2, text, [first, second]
            )

    def outage(self, at: float, lasts: float) -> None:
        """The check fails everywhere."""
        reason = "check chk_haproxy failed"
        for each in self.instances:
            for place, node in enumerate(self.nodes):
                self.row(at + place * 0.4, node, each, "FAULT", reason)
            for place, node in enumerate(self.nodes):
                self.row(at + lasts + place * 0.3, node, each, "BACKUP", "no longer faulty")
            self.row(at + lasts + 3.6, self.nodes[0], each, "MASTER")
            text = f"{', '.join(self.nodes)} are FAULT: {reason}"
            self.incident(
                "no_master", each, at, at + lasts + 3.6, lasts + 3.6, 0.0, text, self.nodes
            )

    def flap(self, at: float, times: int = 5) -> None:
        """The check of the owner fails again and again."""
        first, second = self.nodes[:2]
        reason = "check chk_haproxy failed"
        for each in self.instances:
            for turn in range(times):
                begin = at + turn * 11
                self.row(begin, first, each, "FAULT", reason)
                self.row(begin + 0.6, second, each, "MASTER")
                self.row(begin + 3, first, each, "BACKUP", f"no longer faulty (was: {reason})")
                self.row(begin + 6.6, first, each, "MASTER")
                self.row(begin + 6.601, second, each, "BACKUP", "a peer took over")
            text = f"{first} was in FAULT again and again: {reason}"
            self.incident(
                "flapping", each, at, at + times * 11 + 10, 0.6 * times, 0.0, text, [first]
            )

    # -- the same, as the verbs have it --

    def wiring(self) -> Data:
        nodes = [
            {
                "node": node,
                "interface": "eth1",
                "priority": 100 + len(self.nodes) - place,
                "nopreempt": False,
                "tracks": [CHECK, LINK],
            }
            for place, node in enumerate(self.nodes)
        ]
        where = dict.fromkeys(self.nodes, "eth1")
        return {
            "cluster": self.name,
            "problem": None,
            "nodes": sorted(self.nodes),
            "instances": [
                {
                    "instance": name,
                    "vrid": vrid,
                    "family": 6 if ":" in address else 4,
                    "sync_group": "VG_EDGE" if len(self.instances) > 1 else None,
                    "vips": [{"address": address, "excluded": False, "interfaces": where}],
                    "nodes": nodes,
                }
                for name, (address, vrid) in self.instances.items()
            ],
        }

    def timeline(self, begin: float) -> Data:
        # an instance after the other was written; a node numbers its rows by their times
        answers = {}
        for node, found in self.rows.items():
            ordered = sorted(found, key=lambda row: str(row["time"]))
            numbered = [{**row, "seq": place} for place, row in enumerate(ordered, 1)]
            answers[node] = Answer(numbered, NOW)
        data = timeline.collect(self.nodes, answers, 10**6, NOW)
        known = {key: (state, self.since.get(key, begin), NOW) for key, state in self.state.items()}
        rows: Any = data["rows"]
        vips: Any = data["vips"]
        return {**data, "lanes": lanes.lanes(rows, vips, known, begin, NOW)}

    def said(self, node: str) -> Data:
        """What ``keepalived.status`` returns there."""
        place = len(self.nodes) - self.nodes.index(node)
        return {
            "keepalived": {"version": "2.2.7", "running": True, "pid": 7, "problem": None},
            "watch": {"running": True},
            "drain": {"drained": False},
            "instances": [
                {
                    "instance": name,
                    "state": self.state[node, name],
                    "vrid": vrid,
                    "interface": "eth1",
                    "base_priority": 100 + place,
                    "effective_priority": 100 + place,
                    "vips": [{"address": address, "present": self.state[node, name] == "MASTER"}],
                    "vip_present": self.state[node, name] == "MASTER",
                    "since": clock.render(self.since[node, name]),
                    "advert_int": 1.0,
                }
                for name, (address, vrid) in self.instances.items()
            ],
        }


def hash_of(name: str, begin: float) -> int:
    """The same in every run, which the hash of a text is not."""
    return sum(ord(sign) * 31**place for place, sign in enumerate(name)) + round(begin * 1000)


def story() -> list[Cluster]:
    """Two weeks of two clusters; in one the owner's check has just failed."""
    one = Cluster(
        "controllers",
        ["controller3", "controller2", "controller1"],
        {"VI_PUBLIC": ("192.168.1.220/32", 52)},
    )
    two = Cluster(
        "edge",
        ["edge1", "edge2"],
        {"VI_WEB4": ("203.0.113.80/24", 80), "VI_WEB6": ("2001:db8:80::80/64", 81)},
    )
    begin = NOW - 14 * DAY
    for each in (one, two):
        each.begin(begin)
    one.failover(begin + 1.3 * DAY, 95)
    two.drain(begin + 2.1 * DAY, 1800)
    one.drain(begin + 3.2 * DAY, 900)
    two.split(begin + 4.4 * DAY, 14.5)
    one.failover(begin + 5.8 * DAY, 4200)
    one.flap(begin + 7.15 * DAY)
    two.failover(begin + 8.3 * DAY, 31, gap=0.804)
    one.outage(begin + 9.6 * DAY, 12.4)
    one.drain(begin + 11.5 * DAY, 2400)
    two.failover(begin + 12.2 * DAY, 610, gap=3.212)
    one.failover(begin + 13.99 * DAY, None)
    return [one, two]


def large(clusters: int = 33, incidents: int = 10_000, seed: int = 7) -> list[Cluster]:
    """Clusters of three nodes (the last of four) that had so many incidents in 30 days."""
    dice = random.Random(seed)
    found = []
    for number in range(clusters):
        count = 4 if number == clusters - 1 else 3
        name = f"cluster{number:02}"
        nodes = [f"{name}-n{place + 1}.example.net" for place in range(count)]
        one = Cluster(name, nodes, {"VI_1": (f"10.{number}.0.100/24", 51)})
        one.begin(NOW - 30 * DAY)
        share = incidents // clusters + (number < incidents % clusters)
        every = 29 * DAY / share
        for turn in range(share):
            at = NOW - 29.5 * DAY + (turn + dice.random() * 0.5) * every
            kind = dice.choices(("failover", "split", "outage", "flap"), (70, 10, 10, 10))[0]
            if kind == "failover":
                one.failover(at, dice.uniform(5, every * 0.3))
            elif kind == "split":
                one.split(at, dice.uniform(4, 60))
            elif kind == "outage":
                one.outage(at, dice.uniform(2, 90))
            else:
                one.flap(at)
        found.append(one)
    return found


def status_of(clusters: Iterable[Cluster]) -> Data:
    """What ``salt-run keepalived.status`` says of them."""
    members = {
        one.name: [Member(node, tuple(one.instances)) for node in sorted(one.nodes)]
        for one in clusters
    }
    answers = {node: Answer(one.said(node), NOW - 0.4) for one in clusters for node in one.nodes}
    return facts.gather(members, answers, NOW)


def finding(code: str, cluster: str, text: str, nodes: list[str], instance: str | None) -> Data:
    """One of an audit."""
    known = CODES[code]
    do = known.do.replace("CLUSTER", cluster)
    return {
        "code": code,
        "severity": known.severity,
        "cluster": cluster,
        "instance": instance,
        "nodes": nodes,
        "text": text,
        "seen": {},
        "why": known.why,
        "do": do.replace("NODE", nodes[0]) if len(nodes) == 1 else do,
    }


def audit_of(clusters: list[Cluster]) -> Data:
    first, last = clusters[0], clusters[-1]
    found = [
        finding("state-not-ok", first.name, f"{first.nodes[0]} is in FAULT",
                [first.nodes[0]], next(iter(first.instances))),
        finding("clock-skew", last.name, f"the clock of {last.nodes[-1]} is 2.3 s ahead",
                [last.nodes[-1]], None),
        finding("config-form", last.name, "the file differs in its words only",
                [last.nodes[0]], None),
    ]  # fmt: skip
    counts = {
        level: sum(each["severity"] == level for each in found)
        for level in ("error", "warning", "info")
    }
    return {"kind": "audit", "time": clock.render(NOW), "counts": counts, "findings": found}


def hub_of(clusters: Iterable[Cluster]) -> Data:
    nodes = [
        {
            "node": node,
            "cluster": one.name,
            "lag": 0,
            "missing": 0,
            "lost": 0,
            "refused": 0,
            "dropped": 0,
            "age": 3.4,
            "heartbeat_age": 3.4,
            "clock_ahead": 0.002,
            "signed": True,
            "states": {
                name: {
                    "state": one.state[node, name],
                    "vip_present": one.state[node, name] == "MASTER",
                    "since": clock.render(one.since[node, name]),
                    "age": 3.4,
                }
                for name in one.instances
            },
        }
        for one in clusters
        for node in sorted(one.nodes)
    ]
    rows = sum(len(found) for one in clusters for found in one.rows.values())
    return {
        "running": True,
        "problem": None,
        "started": clock.render(NOW - 11 * DAY),
        "signed": True,
        "members": len(nodes),
        "file": {"path": "/nowhere", "rows": rows, "bytes": rows * 900},
        "nodes": nodes,
        "rejected": [],
    }


def sheet_of(clusters: list[Cluster], days: float, **changes: Any) -> Data:
    """The sheet of all that, and what is to be another way in it."""
    begin = NOW - days * DAY
    wired = [one.wiring() for one in clusters]
    told = {
        "wiring": topology.topology(wired, None, NOW),
        "status": status_of(clusters),
        "audit": audit_of(clusters),
        "timelines": {one.name: one.timeline(begin) for one in clusters},
        "found": [each for one in clusters for each in one.incidents],
        "hub": hub_of(clusters),
        "begin": begin,
        "now": NOW,
        **changes,
    }
    return sheets.sheet(**told)
