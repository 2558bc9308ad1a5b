"""One sync group, or an instance without one: its rows in, its incident out.  Pure.

Rows are taken in the order of their times.  Between two rows time goes by in steps: whenever a
condition has lasted long enough it counts, at that moment, however much later the rows came.
"""

from __future__ import annotations

import bisect
import functools
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from . import clock, incident_text
from .incident_case import Incident, name_of
from .incident_mark import Mark
from .incident_state import PLANNED_US, RANK, SECOND, Condition, Instance, Judged, holds, is_whole
from .incident_track import World

#: An incident is over when all has been well for so long; it then ended when it became well.
CALM_US = 10 * SECOND
#: Between two times that an open incident is told anew.
UPDATE_US = 10 * SECOND
#: What a hub meets for the first time it judges from so long ago on: older history is history.
HISTORY_US = 60 * SECOND
#: Changes of owners that are kept while nothing is wrong.
IDLE_US = 600 * SECOND
#: Rows kept in case an incident opens: so many, and none older than this before it began.
RECENT, RECENT_US = 40, SECOND
#: Transitions of each node that are kept, to tell what was so before.
KEPT = 4
#: Streams of one node that are remembered.
MAX_STREAMS = 16

#: What is to be told: ``opened``, ``updated`` or ``resolved``, under which kind, and the incident
#: as it was then.
Told = tuple[str, str, dict[str, Any]]


class Ready(World, Protocol):
    """A world that also knows when a row's turn has come."""

    def is_ready(self, mark: Mark) -> bool:
        """Whether no earlier row of another node can be on its way any more."""


class Subject:
    """The instances that fail together.

    saved
        What :meth:`save` returned.
    """

    def __init__(self, cluster: str, name: str, saved: Mapping[str, Any] | None = None) -> None:
        data = saved or {}
        self.cluster, self.name = cluster, name
        self.instances = {
            each: Instance(each, kept) for each, kept in data.get("instances", {}).items()
        }
        self.pending = [Mark.load(each) for each in data.get("pending", ())]
        self.clock_us: int = data.get("clock", 0)
        #: From when until when all that happens may be planned.
        self._planned_from_us: int = data.get("planned_from", 0)
        self.planned_us: int = data.get("planned", 0)
        self._born_us: int = data.get("born", 0)
        #: Where the last incident ended: the next one begins no earlier.
        self._floor_us: int = data.get("floor", 0)
        #: Since when all is well.
        self._whole_us: int | None = data.get("whole")
        self._highs: dict[str, dict[str, int]] = data.get("highs", {})
        #: (instance, node) -> the state last heard of it.
        self._heard: dict[str, dict[str, str]] = data.get("heard", {})
        self._recent: list[dict[str, Any]] = list(data.get("recent", ()))
        #: instance -> node -> its last transitions, the newest last
        self._last: dict[str, dict[str, list[dict[str, Any]]]] = data.get("last", {})
        self.incident: Incident | None = None
        #: Those that ended since somebody looked.
        self.closed: list[Incident] = []
        if data.get("incident"):
            self.incident = Incident.load(data["incident"])
        self.dirty = False
        self._judged: dict[str, Judged] = {}
        self.doubts: set[str] = set()
        #: When to look again although nothing comes; None: not before something does.
        self.wake_us: int | None = self.clock_us or None

    def save(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "instances": {name: each.save() for name, each in self.instances.items()},
            "pending": [each.save() for each in self.pending],
            "clock": self.clock_us,
            "planned_from": self._planned_from_us,
            "planned": self.planned_us,
            "born": self._born_us,
            "floor": self._floor_us,
            "whole": self._whole_us,
            "highs": self._highs,
            "heard": self._heard,
            "recent": self._recent,
            "last": self._last,
            "incident": self.incident.save() if self.incident else None,
        }

    @property
    def nodes(self) -> set[str]:
        """The nodes that it was ever heard of on."""
        known = {node for each in self.instances.values() for node in each.tracks}
        return known | {mark.node for mark in self.pending}

    # -- what comes --

    def take(self, mark: Mark) -> bool:
        """Take a row, or what a heartbeat says; False when it is known already."""
        if mark.seq and not mark.late:
            streams = self._highs.setdefault(mark.node, {})
            if mark.seq <= streams.get(mark.stream_id, 0):
                return False
            streams[mark.stream_id] = mark.seq
            while len(streams) > MAX_STREAMS:
                del streams[next(iter(streams))]
        if not self._born_us:
            self._born_us = mark.received_us - HISTORY_US
        if mark.is_state and not mark.late:
            self._heard.setdefault(mark.instance, {})[mark.node] = mark.to
        bisect.insort(self.pending, mark, key=_place)
        self.dirty = True
        return True

    def heard(self, instance: str, node: str) -> str | None:
        """The state that a node's last row told."""
        return self._heard.get(instance, {}).get(node)

    def forget(self, node: str) -> None:
        """The node is no member any more."""
        self.pending = [mark for mark in self.pending if mark.node != node]
        for name, each in self.instances.items():
            each.forget(node, self.clock_us)
            self._heard.get(name, {}).pop(node, None)
            self._last.get(name, {}).pop(node, None)
        self._highs.pop(node, None)
        self.dirty, self.wake_us = True, self.clock_us

    # -- time goes by --

    def run(self, until_us: int, world: Ready) -> Iterator[Told]:
        """Apply the rows whose turn it is, and let the time pass up to ``until_us``."""
        self._judged.clear()
        while True:
            first = self.pending[0] if self.pending else None
            ready = first is not None and world.is_ready(first)
            stop = until_us if first is None else min(until_us, first.time_us)
            yield from self._advance(stop, world)
            if first is None or not ready:
                break
            del self.pending[0]
            self._apply(first, world)
        if self.incident is None:
            for each in self.instances.values():
                each.owners.idle(self.clock_us - IDLE_US)

    def _apply(self, mark: Mark, world: World) -> None:
        self.dirty = True
        self.clock_us = max(self.clock_us, mark.time_us)
        row = mark.evidence()
        if self.incident is not None:
            self.incident.add(row)
        self._recent = [*self._recent, row][-RECENT:]
        if mark.late:
            return
        instance = self.instances.setdefault(mark.instance, Instance(mark.instance))
        instance.apply(mark, world.advert_us(mark.instance), self.planned_us)
        self._judged.pop(mark.instance, None)
        if mark.planned:
            self._judged.clear()
            if mark.time_us > self.planned_us:
                self._planned_from_us = mark.time_us
            self.planned_us = max(self.planned_us, mark.time_us + PLANNED_US)
        if mark.is_state or mark.to in ("ghost", "hollow", "restored"):
            known = self._last.setdefault(mark.instance, {})
            known[mark.node] = [*known.get(mark.node, ()), row][-KEPT:]

    def _advance(self, stop_us: int, world: World) -> Iterator[Told]:
        while True:
            judged = self._judge(world)
            yield from self._decide(judged)
            due = self._next(judged)
            if due is None or due > stop_us:
                break
            self.clock_us = due
        self.clock_us = max(self.clock_us, stop_us)
        self.doubts = {node for each in judged.values() for node in each.doubts}
        # while somebody's word is awaited it is looked at whenever time goes by
        self.wake_us = self.clock_us if self.doubts else due

    def _judge(self, world: World) -> dict[str, Judged]:
        """What is wrong with each instance; anew only where something has changed."""
        for name, each in self.instances.items():
            known = self._judged.get(name)
            if known is None or any(wake <= self.clock_us for wake in known.wakes):
                coming = functools.partial(self._coming, name)
                self._judged[name] = each.judge(self.clock_us, world, self.planned_us, coming)
        return dict(self._judged)

    def _forgive(self) -> None:
        """Who lost the address is told, or is none of our business."""
        for name, each in self.instances.items():
            if each.lost is not None:
                each.lost = None
                self._judged.pop(name, None)

    def _coming(self, instance: str, node: str) -> Mark | None:
        for mark in self.pending:
            if (mark.node, mark.instance, mark.late) == (node, instance, False) and mark.is_state:
                return mark
        return None

    def _next(self, judged: Mapping[str, Judged]) -> int | None:
        found = [each.due_us for one in judged.values() for each in one.conditions]
        found += [wake for one in judged.values() for wake in one.wakes]
        incident = self.incident
        if incident is not None:
            if incident.ended_us is not None:
                found.append(incident.ended_us + CALM_US)
            elif incident.summary != incident.told:
                found.append(incident.told_us + UPDATE_US)
        if any(each.conditions for each in judged.values()):
            found.append(self._born_us)
        return min((at for at in found if at > self.clock_us), default=None)

    # -- what it means --

    def _decide(self, judged: Mapping[str, Judged]) -> Iterator[Told]:
        if not is_whole(judged):
            self._whole_us = None
        elif self._whole_us is None:
            self._whole_us = self.clock_us
        if self.clock_us < self._born_us:
            self._forgive()
            return
        ripe = [
            each
            for one in judged.values()
            for each in one.conditions
            if each.due_us <= self.clock_us
        ]
        worst = max(ripe, key=lambda each: (RANK[each.kind], -each.since_us), default=None)
        if self.incident is None and worst is not None:
            yield from self._open(worst, judged)
        incident = self.incident
        if incident is None:
            return
        if worst is not None and RANK[worst.kind] > RANK[incident.kind]:
            incident.was.append(incident.kind)
            incident.kind = worst.kind
            incident.ended_us = None
            self._refresh(incident, judged, worst)
            yield self._tell("opened", incident)
            return
        lasts = holds(incident.kind, judged)
        if lasts:
            incident.ended_us = None
        elif incident.ended_us is None:
            ended = self._whole_us if self._whole_us is not None else self.clock_us
            incident.ended_us = max(ended, incident.began_us)
            self.dirty = True
        self._refresh(incident, judged, worst if lasts else None)
        if incident.ended_us is not None and self.clock_us >= incident.ended_us + CALM_US:
            yield self._resolve(incident)
            return
        news = incident.ended_us is None and incident.summary != incident.told
        if news and self.clock_us >= incident.told_us + UPDATE_US:
            yield self._tell("updated", incident)

    def _open(self, worst: Condition, judged: Mapping[str, Judged]) -> Iterator[Told]:
        began = max(worst.since_us, self._floor_us)
        incident = Incident(
            name_of(self.cluster, self.name, worst.kind, worst.opener, began),
            self.cluster,
            self.name,
            worst.kind,
            began,
            worst.opener,
            planned=self._planned_from_us <= began < self.planned_us,
        )
        self.incident = incident
        for each in self.instances.values():
            each.owners.begin(began)
        for row in self._evidence(began):
            incident.add(row, context=_us(row) < began)
        self._refresh(incident, judged, worst)
        yield self._tell("opened", incident)

    def _evidence(self, began_us: int) -> Iterator[dict[str, Any]]:
        """What each node's state was before, and all rows from a moment before it began on."""
        for nodes in self._last.values():
            for rows in nodes.values():
                yield from [row for row in rows if _us(row) < began_us][-1:]
                yield from (row for row in rows if _us(row) >= began_us)
        yield from (row for row in self._recent if _us(row) >= began_us - RECENT_US)

    def _resolve(self, incident: Incident) -> Told:
        incident.resolved = True
        self._floor_us = incident.ended_us or self.clock_us
        self._count(incident)
        told = self._tell("resolved", incident)
        self.closed.append(incident)
        self.incident = None
        return told

    def take_cases(self) -> list[Incident]:
        """The incidents that changed since the last call."""
        cases, self.closed = self.closed, []
        if self.incident is not None and self.incident.dirty:
            cases.append(self.incident)
        for each in cases:
            each.dirty = False
        return cases

    def hand_over(self, instance: str, target: Subject) -> None:
        """An instance joined another group: what is known of it goes there."""
        found = self.instances.pop(instance, None)
        if found is not None:
            target.instances[instance] = found
        if instance in self._heard:
            target._heard[instance] = self._heard.pop(instance)
        if instance in self._last:
            target._last[instance] = self._last.pop(instance)
        moved = [mark for mark in self.pending if mark.instance == instance]
        self.pending = [mark for mark in self.pending if mark.instance != instance]
        for mark in moved:
            bisect.insort(target.pending, mark, key=_place)
        for node, streams in self._highs.items():
            known = target._highs.setdefault(node, {})
            for stream_id, high in streams.items():
                known[stream_id] = max(high, known.get(stream_id, 0))
        target.clock_us = max(target.clock_us, self.clock_us)
        if self.planned_us > target.planned_us:
            target.planned_us = self.planned_us
            target._planned_from_us = self._planned_from_us
        target._born_us = min(self._born_us, target._born_us or self._born_us)
        self.dirty = target.dirty = True

    def withdraw(self) -> Iterator[Told]:
        """No node runs it any more: an open incident ends here."""
        if self.incident is not None:
            self.incident.ended_us = self.clock_us
            self.incident.cause = {
                "class": "removed",
                "text": "no member of the cluster runs it any more",
            }
            yield self._resolve(self.incident)

    def _refresh(
        self, incident: Incident, judged: Mapping[str, Judged], worst: Condition | None
    ) -> None:
        """Bring what an incident says up to what is known."""
        if RANK[incident.kind] >= RANK["failover"]:
            self._forgive()
        before = incident.save()
        concerned = {each.instance for one in judged.values() for each in one.conditions}
        incident.instances = sorted({*incident.instances, *concerned})
        incident.owners = {name: self.instances[name].owners.now() for name in incident.instances}
        nodes = set(incident.nodes) | set(worst.nodes if worst else ())
        incident.nodes = sorted(nodes | {incident.opener[0]})
        incident.not_ready = incident_text.not_ready(self.instances, judged)
        incident.exact &= not any(each.silent or each.unknown for each in judged.values())
        if worst is not None and worst.kind == incident.kind:
            found = incident_text.cause(
                worst, self.instances[worst.instance], judged, self.clock_us
            )
            incident.cause = found or incident.cause
        self._count(incident)
        changed = {name for name, old in before.items() if old != getattr(incident, name)}
        if changed - {"as_of_us", "without", "several"}:
            incident.dirty = self.dirty = True

    def _count(self, incident: Incident) -> None:
        end = self.clock_us if incident.ended_us is None else incident.ended_us
        counts = [each.owners.seconds(end) for each in self.instances.values()]
        incident.without = max((without for without, _ in counts), default=0.0)
        incident.several = max((several for _, several in counts), default=0.0)
        incident.as_of_us = end

    def _tell(self, what: str, incident: Incident) -> Told:
        incident.told, incident.told_us = incident.summary, self.clock_us
        incident.dirty = self.dirty = True
        return what, incident.kind, incident.public()


def _place(mark: Mark) -> tuple[int, str, int]:
    return mark.time_us, mark.node, mark.seq


def _us(row: Mapping[str, Any]) -> int:
    return round((clock.parse(row["time"]) or 0.0) * 1e6)
