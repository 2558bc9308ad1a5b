"""Incidents of all clusters: the hub's rows and heartbeats in, what opened and ended out.  Pure.

An incident is about one sync group, or one instance without a group, of one cluster; each has at
most one that is open.  It keeps its id while it gets worse.  What the rows say and when decides,
so a replay gives the same incidents with the same ids; a row that comes twice changes nothing.

A node is *unknown* when nothing was heard of it for :data:`STALE` seconds; what it said before is
then evidence for nothing.  A MASTER beside another MASTER counts only when it was heard again
after the other one came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .incident_case import Incident
from .incident_mark import Mark
from .incident_state import SECOND
from .incident_subject import Subject, Told

#: Seconds without a word of a node after which it is unknown: three of its heartbeats.
STALE = 30.0
#: Seconds that rows of one moment on different nodes may take to be here.
LAG = 1.2
#: Rows that were so long on their way are of a backlog: the other nodes' are waited for …
BACKLOG = 5.0
#: … but no longer than this; seconds, both.
PATIENCE = 15.0
#: A state that only heartbeats tell counts when it lasted so long: its row must have been lost.
UNTOLD = 15.0

#: A subject for which more rows wait than this (a backlog) is not stored at each of them, but
#: once in so many seconds.
FEW, SAVES_APART = 200, 5.0

Place = tuple[str, str]  # cluster, sync group or instance


@dataclass(frozen=True)
class Member:
    """A node that the pillar names.  adverts: ``advert_int`` of its instances, seconds."""

    cluster: str
    adverts: Mapping[str, float]


@dataclass
class _Heard:
    #: When anything of it came, and when its word was last complete, by the master's clock.
    heard_us: int = 0
    confirmed_us: int = 0
    #: When its last heartbeat came of whose stream nothing was missing.
    beat_us: int = 0
    unknown_us: int | None = None
    back_us: int = 0
    #: Since when its word is awaited.
    doubt_us: int | None = None
    boot: str | None = None
    #: Before the hub began, nothing of it was heard.
    since_begin: bool = False


class _World:
    """One cluster's nodes, as a subject sees them."""

    def __init__(self, incidents: Incidents, cluster: str, nodes: set[str], now_us: int) -> None:
        self._all, self._cluster, self._nodes, self._now_us = incidents, cluster, nodes, now_us

    def expected(self, instance: str) -> frozenset[str]:
        return self._all.expected.get((self._cluster, instance), (frozenset(), 0))[0]

    def advert_us(self, instance: str) -> int:
        return self._all.expected.get((self._cluster, instance), (frozenset(), SECOND))[1]

    def confirmed_us(self, node: str) -> int:
        heard = self._all.nodes.get(node)
        return heard.confirmed_us if heard else 0

    def waited_us(self, node: str) -> int:
        heard = self._all.nodes.get(node)
        asked = heard.doubt_us if heard else None
        return 0 if asked is None else self._now_us - asked

    def boot(self, node: str) -> str | None:
        heard = self._all.nodes.get(node)
        return heard.boot if heard else None

    def back_us(self, node: str) -> int:
        heard = self._all.nodes.get(node)
        return heard.back_us if heard else 0

    def unknown_us(self, node: str) -> int | None:
        heard = self._all.nodes.get(node)
        return heard.unknown_us if heard else None

    def is_ready(self, mark: Mark) -> bool:
        waited = self._now_us - mark.received_us
        if waited < LAG * SECOND:
            return False
        if mark.received_us - mark.time_us < BACKLOG * SECOND or waited >= PATIENCE * SECOND:
            return True
        return all(
            self._all.nodes[node].beat_us > mark.received_us
            for node in self._nodes
            if node in self._all.nodes
        )


class Incidents:
    """All of them.

    saved
        ``{(cluster, subject): what Subject.save returned}``.
    """

    def __init__(self, saved: Mapping[Place, Mapping[str, Any]] | None = None) -> None:
        self.subjects = {place: Subject(*place, data) for place, data in (saved or {}).items()}
        self.nodes: dict[str, _Heard] = {}
        self.members: dict[str, Member] = {}
        #: (cluster, instance) -> its members, and its advert in microseconds
        self.expected: dict[Place, tuple[frozenset[str], int]] = {}
        self._where = {
            (cluster, instance): (cluster, name)
            for (cluster, name), subject in self.subjects.items()
            for instance in subject.instances
        }
        #: node -> the subjects that it was ever heard of in
        self._parts: dict[str, set[Place]] = {}
        for place, subject in self.subjects.items():
            for node in subject.nodes:
                self._parts.setdefault(node, set()).add(place)
        self._hot = set(self.subjects)
        self._began: float | None = None
        self._cases: list[Incident] = []
        self._gone: set[Place] = set()
        self._told: list[Told] = []
        self._saved = 0.0

    # -- what comes --

    def configure(self, members: Mapping[str, Member], now: float) -> None:
        """Take over which nodes there are."""
        if self._began is None:
            self._began = now
        self.members = dict(members)
        for node in set(self.nodes) - set(members):
            del self.nodes[node]
            self._parts.pop(node, None)
        for node in set(members) - set(self.nodes):
            # until it is heard it has as long as any other
            self.nodes[node] = _Heard(heard_us=round(now * SECOND))
        found: dict[Place, tuple[set[str], float]] = {}
        for node, member in members.items():
            for instance, advert in member.adverts.items():
                nodes, longest = found.setdefault((member.cluster, instance), (set(), 0.0))
                nodes.add(node)
                found[member.cluster, instance] = (nodes, max(longest, advert))
        self.expected = {
            place: (frozenset(nodes), round(advert * SECOND))
            for place, (nodes, advert) in found.items()
        }
        for place, subject in list(self.subjects.items()):
            for node in subject.nodes:
                if node not in members or members[node].cluster != place[0]:
                    subject.forget(node)
                    self._hot.add(place)
            if not subject.nodes:
                self._remove(place, subject)

    def take(self, cluster: str, mark: Mark) -> None:
        """A row of a node, after all before it in its stream."""
        heard = self.nodes.setdefault(mark.node, _Heard())
        heard.heard_us = max(heard.heard_us, mark.received_us)
        if not mark.late:
            # all rows before it are here: until then its word is complete
            heard.confirmed_us = max(heard.confirmed_us, mark.time_us)
            heard.boot = mark.boot or heard.boot
        self._offer(cluster, mark)

    def beat(
        self,
        cluster: str,
        node: str,
        states: Mapping[str, tuple[str, int | None]],
        now: float,
        boot: str | None = None,
    ) -> None:
        """A heartbeat of a node of whose stream nothing is missing.

        states
            ``{instance: (state, since when in microseconds)}``; empty when nobody watches there:
            then the node is not heard.
        boot
            Which boot of its machine it is.
        """
        if not states:
            return
        now_us = round(now * SECOND)
        heard = self.nodes.setdefault(node, _Heard())
        heard.heard_us = heard.confirmed_us = max(heard.confirmed_us, now_us)
        heard.beat_us = now_us
        heard.since_begin, heard.boot, heard.doubt_us = True, boot, None
        for instance, (state, since_us) in states.items():
            if not state.isupper():
                continue
            place = self._where.get((cluster, instance))
            known = self.subjects[place].heard(instance, node) if place else None
            since_us = now_us if since_us is None else min(since_us, now_us)
            if state == known or (known and now_us - since_us < UNTOLD * SECOND):
                continue
            self._offer(
                cluster,
                Mark(node, instance, state, since_us, now_us, "heartbeat", 0, came_from=known),
            )
        for place in self._places_of(node):
            if self.subjects[place].doubts:
                self._hot.add(place)

    # -- time goes by --

    def advance(self, now: float) -> list[Told]:
        """Let the time pass.  Returns what is to be told, in order."""
        now_us = round(now * SECOND)
        told, self._told = self._told, []
        self._find_unknown(now_us)
        for place in sorted(self._hot):
            subject = self.subjects.get(place)
            if subject is None:
                self._hot.discard(place)
                continue
            if self._still_begins(subject, now):
                continue
            nodes = subject.nodes
            due = subject.wake_us
            until = now_us - round(LAG * SECOND)
            if not subject.pending and (due is None or due > until):
                if due is None and subject.incident is None:
                    self._hot.discard(place)
                continue
            told += subject.run(until, _World(self, place[0], nodes, now_us))
            self._cases += subject.take_cases()
            for node in subject.doubts & set(self.nodes):
                heard = self.nodes[node]
                heard.doubt_us = now_us if heard.doubt_us is None else heard.doubt_us
        return told

    def doubts(self) -> set[str]:
        """Nodes whose word is needed now."""
        return {
            node
            for place in self._hot
            if place in self.subjects
            for node in self.subjects[place].doubts
        }

    def busy(self, now: float) -> bool:
        """Whether something may happen within the next second, although nothing comes."""
        soon = round((now + 1.0 - LAG) * SECOND)
        return any(
            subject.pending or (subject.wake_us is not None and subject.wake_us <= soon)
            for place in self._hot
            if (subject := self.subjects.get(place)) is not None
        )

    # -- what is to be stored --

    def take_cases(self) -> list[Incident]:
        """The incidents that changed since the last call."""
        cases, self._cases = self._cases, []
        return cases

    def take_changed(self, now: float) -> dict[Place, dict[str, Any] | None]:
        """What to keep of the subjects that changed since the last call; None: nothing."""
        found: dict[Place, dict[str, Any] | None] = dict.fromkeys(self._gone)
        self._gone = set()
        many = now - self._saved >= SAVES_APART
        for place in self._hot:
            subject = self.subjects.get(place)
            if subject is None or not subject.dirty:
                continue
            if many or len(subject.pending) < FEW:
                subject.dirty = False
                found[place] = subject.save()
        if many:
            self._saved = now
        return found

    # -- inside --

    def _offer(self, cluster: str, mark: Mark) -> None:
        place = self._place(cluster, mark)
        subject = self.subjects.get(place)
        if subject is None:
            subject = self.subjects[place] = Subject(*place)
            self._gone.discard(place)
        self._parts.setdefault(mark.node, set()).add(place)
        if subject.take(mark):
            self._hot.add(place)

    def _place(self, cluster: str, mark: Mark) -> Place:
        """Where a row belongs; an instance that joined a group takes what is known with it."""
        known = self._where.get((cluster, mark.instance))
        if known is None or (mark.group and known != (cluster, mark.group)):
            place = (cluster, mark.group or mark.instance)
            if known is not None:
                self._move(mark.instance, known, place)
            self._where[cluster, mark.instance] = place
            return place
        return known

    def _move(self, instance: str, old: Place, new: Place) -> None:
        subject = self.subjects.get(old)
        if subject is None:
            return
        target = self.subjects.setdefault(new, Subject(*new))
        subject.hand_over(instance, target)
        for node in target.nodes:
            self._parts.setdefault(node, set()).add(new)
        self._hot |= {old, new}
        if not subject.nodes:
            self._remove(old, subject)

    def _remove(self, place: Place, subject: Subject) -> None:
        self._told += subject.withdraw()
        self._cases += subject.take_cases()
        del self.subjects[place]
        self._hot.discard(place)
        self._gone.add(place)
        for instance in subject.instances:
            if self._where.get((place[0], instance)) == place:
                del self._where[place[0], instance]

    def _places_of(self, node: str) -> Iterable[Place]:
        return [place for place in self._parts.get(node, ()) if place in self.subjects]

    def _find_unknown(self, now_us: int) -> None:
        for node, heard in self.nodes.items():
            since = heard.heard_us + round(STALE * SECOND)
            unknown = since if now_us - round(LAG * SECOND) >= since else None
            if (unknown is None) != (heard.unknown_us is None):
                for place in self._places_of(node):
                    self._hot.add(place)
                    subject = self.subjects[place]
                    subject.wake_us = subject.clock_us
                heard.back_us = now_us
            heard.unknown_us = unknown

    def _still_begins(self, subject: Subject, now: float) -> bool:
        """After a start the nodes are waited for: they may have rows of the time before."""
        if self._began is None:
            return True
        if now >= self._began + PATIENCE:
            return False
        return not all(self.nodes[node].since_begin for node in subject.nodes if node in self.nodes)
