"""Histories of a cluster for tests of incidents: what nodes say and when, on our clock."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from keepalived_core.cluster.incident import Incidents, Member
from keepalived_core.cluster.incident_mark import Mark

EPOCH = 1_800_000_000
CLUSTER = "controllers"
NODES = ("n1", "n2", "n3")
#: Seconds between two heartbeats of a node, and between two looks of the hub.
BEAT, LOOK = 10.0, 0.25

#: (second, node, to) and, as a dict behind them, what else the row says; ``beat`` and ``silent``
#: begin and end a node's heartbeats.
Happening = tuple[Any, ...]


class Play:
    """Plays happenings to the engine as a hub does, and notes what it tells.

    delay
        Seconds that a row takes to the master.
    adverts
        Of the instances of every node, seconds.
    asked
        Whether a node whose word is needed is asked.
    look
        Seconds between two looks of the hub.
    copies
        How often each row is delivered.
    """

    def __init__(
        self,
        nodes: Iterable[str] = NODES,
        delay: float = 0.05,
        adverts: dict[str, float] | None = None,
        asked: bool = True,
        look: float = LOOK,
        copies: int = 1,
    ) -> None:
        self.members = {node: Member(CLUSTER, adverts or {"VI": 1.0}) for node in nodes}
        self.delay = delay
        self.asked, self.look, self.copies = asked, look, copies
        self.incidents = Incidents()
        self.incidents.configure(self.members, EPOCH)
        self.told: list[tuple[float, str, str, dict[str, Any]]] = []
        self.kept: dict[str, dict[str, Any]] = {}
        self.states: dict[str, dict[str, tuple[str, int]]] = {node: {} for node in self.members}
        self.boots = dict.fromkeys(self.members, "boot")
        self.seqs = dict.fromkeys(self.members, 0)
        self.dumb: set[str] = set()
        self.now = 0.0
        self.marks: list[Mark] = []
        self._on_the_way: list[tuple[float, Mark]] = []
        self._beats = {node: 0.5 + place for place, node in enumerate(self.members)}
        #: (cluster, subject) -> what a store would hold
        self.saved: dict[tuple[str, str], Any] = {}

    def mark(self, at: float, node: str, to: str, **more: Any) -> Mark:
        """Write a row on a node."""
        self.seqs[node] += 1
        self.boots[node] = more.get("boot", self.boots[node])
        instance = more.pop("instance", "VI")
        before = self.states[node].get(instance, (None, 0))[0]
        at_us = round((EPOCH + at) * 1e6)
        mark = Mark(
            node,
            instance,
            to,
            at_us,
            0,
            f"stream-{node}",
            self.seqs[node],
            **{"came_from": before, "vips": ("192.0.2.10/24",), "boot": self.boots[node], **more},
        )
        if to.isupper():
            self.states[node][instance] = (to, at_us)
        self.marks.append(mark)
        return mark

    def play(self, happenings: Iterable[Happening], until: float) -> Play:
        waiting = sorted(happenings, key=lambda each: each[0])
        while self.now < until:
            self.now = round(self.now + self.look, 6)
            while waiting and waiting[0][0] <= self.now:
                at, node, to, *more = waiting.pop(0)
                if to == "silent":
                    self.dumb.add(node)
                elif to == "heard":
                    self.dumb.discard(node)
                else:
                    mark = self.mark(at, node, to, **(more[0] if more else {}))
                    self._on_the_way.append((at + self.delay, mark))
            self.step()
        return self

    def send_later(self, happenings: Iterable[Happening], at: float) -> None:
        """What nodes wrote before is sent at ``at``, one node after the other."""
        marks = [self.mark(*each[:3], **(each[3] if each[3:] else {})) for each in happenings]
        order = sorted(self.members)
        self._on_the_way += [(at + 3 * order.index(mark.node), mark) for mark in marks]

    def step(self) -> None:
        arrived = [each for each in self._on_the_way if each[0] <= self.now]
        self._on_the_way = [each for each in self._on_the_way if each[0] > self.now]
        for _, mark in arrived:
            if mark.node in self.dumb:
                self._on_the_way.append((self.now + self.look, mark))
                continue
            arrived = replace(mark, received_us=round((EPOCH + self.now) * 1e6))
            for _ in range(self.copies):
                self.incidents.take(CLUSTER, arrived)
        for node, due in self._beats.items():
            if self.now >= due:
                self._beats[node] = self.now + BEAT
                self.beat(node)
        self._look()
        if self.asked:
            doubts = self.incidents.doubts()
            for node in sorted(doubts):
                self.beat(node)
            if doubts:
                self._look()

    def beat(self, node: str) -> None:
        complete = not any(mark.node == node for _, mark in self._on_the_way)
        if node not in self.dumb and complete:
            self.incidents.beat(
                CLUSTER, node, self.states[node], EPOCH + self.now, self.boots[node]
            )

    def _look(self) -> None:
        for what, kind, public in self.incidents.advance(EPOCH + self.now):
            self.told.append((self.now, what, kind, public))
        self.keep()

    def keep(self) -> None:
        for case in self.incidents.take_cases():
            self.kept[case.id] = case.public()
        for place, data in self.incidents.take_changed(EPOCH + self.now).items():
            self.saved[place] = data

    def restart(self) -> None:
        """A new hub from what was stored."""
        stored = {place: data for place, data in self.saved.items() if data is not None}
        stored = {place: json.loads(json.dumps(data)) for place, data in stored.items()}
        self.incidents = Incidents(stored)
        self.incidents.configure(self.members, EPOCH + self.now)

    @property
    def words(self) -> list[str]:
        return [f"{kind} {what}" for _, what, kind, _ in self.told if what != "updated"]

    def last(self, what: str) -> dict[str, Any]:
        return [public for _, word, _, public in self.told if word == what][-1]
