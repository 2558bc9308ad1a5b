"""What is known of one instance on all its nodes, and what is wrong with it at a moment.  Pure.

Nothing here is an incident yet: a condition has a time from which on it counts as one
(``due_us``), for what a failover does within its first second is no trouble.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .incident_mark import Key, Mark, saved_key
from .incident_owner import Owners
from .incident_track import Coming, Track, World, lasted, told_until
from .saved import known

#: The worst last.  An open incident may become a worse one, never a lesser one.
KINDS = (
    "degraded",
    "failover",
    "flapping",
    "hollow_master",
    "no_master",
    "ghost_vip",
    "split_brain",
)
RANK = {kind: place for place, kind in enumerate(KINDS)}

SECOND = 1_000_000
#: For how many adverts two masters may overlap, and a cluster may be without one while somebody
#: stands ready (3 adverts and up to one more of skew), before that counts.
OVERLAP_ADVERTS, ELECTION_ADVERTS = 2, 4
#: Added to the election: what it takes to tell and to write.
ELECTION_SLACK_US = 300_000
#: A node that cannot take over may be on its way back for so long.
LAME_US = 10 * SECOND
#: How long a node that says it is MASTER, but not since another one became it, is waited for.
DOUBT_US = 3 * SECOND
#: The new owner may be told so much after the old one gave up, by their clocks, and still have
#: had it without a gap.
HANDOVER_US = 250_000
#: So many times a node lost what it had within so long: it flaps.
FLAPS, FLAP_US = 5, 60 * SECOND
#: What was planned has so long to come to its end.
PLANNED_US = 30 * SECOND

STEADY = frozenset({"MASTER", "BACKUP"})
#: States between which a ghost stays what it is.
_OFF_DUTY = frozenset({"BACKUP", "FAULT"})
#: What the watch says (node/cause.py) when an owner's address was taken from it.
REMOVED = "its address was removed by hand or by another program"


@dataclass(frozen=True)
class Condition:
    """Something that is wrong since ``since_us``, and an incident from ``due_us`` on."""

    kind: str
    since_us: int
    due_us: int
    opener: Key
    nodes: tuple[str, ...]
    instance: str


@dataclass
class Judged:
    """What is wrong with an instance at a moment."""

    conditions: list[Condition] = field(default_factory=list)
    #: Nodes whose word is needed before more can be said.
    doubts: set[str] = field(default_factory=set)
    #: When to look again although nothing comes.
    wakes: list[int] = field(default_factory=list)
    #: One owner, all others ready.
    whole: bool = False
    #: Whether it is meant to have an owner: some node runs it, and was not taken out on purpose.
    wanted: bool = False
    #: The longest time between two adverts.
    advert_us: int = SECOND
    silent: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


@dataclass
class Lost:
    """An owner lost the address, and nobody planned it."""

    node: str
    at_us: int
    key: Key
    #: It gave up for a better one, as it seems: no failover if that one had it at once.
    soft: bool


def holds(kind: str, judged: Mapping[str, Judged]) -> bool:
    """Whether an incident of that kind is not over yet; judged: by instance."""
    if kind == "failover":
        return not is_whole(judged)
    return any(each.kind == kind for one in judged.values() for each in one.conditions)


def lower_heard_us(lower_us: int, since_us: int, advert_us: int) -> int:
    """From when on a node that heard a lower one's advert is known to go on hearing it.

    The last adverts before that one yields are heard as well: soon after the two met, when they
    did not hear each other at first.
    """
    at_first = lower_us <= since_us + 2 * advert_us
    return lower_us + (3 * advert_us // 2 if at_first else 4 * advert_us)


def election_us(advert_us: int) -> int:
    """How long an election may take."""
    return ELECTION_ADVERTS * advert_us + ELECTION_SLACK_US


def is_whole(judged: Mapping[str, Judged]) -> bool:
    """One owner each, all others ready; an instance of which nobody speaks was taken out."""
    return all(
        each.whole or not (each.wanted or each.conditions or each.silent)
        for each in judged.values()
    )


#: Adds a condition: kind, whose, since when, from when on it counts, the row that began it.
Add = Callable[[str, "Iterable[Track]", int, int, Key], None]


class Instance:
    """One instance on all its nodes.

    saved
        What :meth:`save` returned.
    """

    def __init__(self, name: str, saved: Mapping[str, Any] | None = None) -> None:
        data = saved or {}
        self.name = name
        self.tracks = {node: Track.load(each) for node, each in data.get("tracks", {}).items()}
        self.owners = Owners(data.get("owners"))
        self.flaps: dict[str, list[int]] = {
            node: list(each) for node, each in data.get("flaps", {}).items()
        }
        #: Since when, and by which row, nobody has it.
        self.empty: tuple[int, Key] | None = None
        if data.get("empty"):
            self.empty = (data["empty"][0], saved_key(data["empty"][1]))
        self.lost: Lost | None = None
        if data.get("lost"):
            self.lost = Lost(**{**known(Lost, data["lost"]), "key": saved_key(data["lost"]["key"])})

    def save(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "tracks": {node: dict(vars(each)) for node, each in self.tracks.items()},
            "owners": self.owners.save(),
            "flaps": self.flaps,
            "empty": list(self.empty) if self.empty else None,
            "lost": dict(vars(self.lost)) if self.lost else None,
        }

    # -- rows --

    def apply(self, mark: Mark, advert_us: int, planned_us: int) -> None:
        """Take a node's next row.  planned_us: until when all that happens may be planned."""
        track = self.tracks.get(mark.node)
        held = track.holds if track else mark.came_from == "MASTER"
        if not mark.is_state:
            if track is None and mark.to in ("ghost", "hollow", "restored"):
                state = mark.came_from or "unknown"
                track = Track(mark.node, state, mark.time_us, mark.key, planned=mark.planned)
                self.tracks[mark.node] = track
            if track is not None:
                self._odd(track, mark, advert_us, planned_us)
        elif track is None or track.state != mark.to:
            fresh = Track(mark.node, mark.to, mark.time_us, mark.key, planned=mark.planned)
            if track is not None:
                at_us = self._gone_us(track, mark) if track.outlived(mark) else mark.time_us
                self._leave(track, mark, at_us, advert_us, planned_us)
                if track.outlived(mark):
                    self.owners.note(at_us, mark.node, False, held)
                    held = False
                _carry_over(track, fresh, mark)
            track = self.tracks[mark.node] = fresh
        if track is None:
            return
        if mark.is_state:
            track.reason = mark.reason or track.reason
        if mark.vips:
            track.vips = list(mark.vips)
        track.vrid = mark.vrid if mark.vrid is not None else track.vrid
        track.version = mark.version or track.version
        track.boot = mark.boot or track.boot
        if track.holds != held or not self.owners.knows(mark.node):
            self.owners.note(mark.time_us, mark.node, track.holds, held)
        lost = self.lost
        takes = lost is not None and mark.to == "MASTER" and mark.node != lost.node
        if lost is not None and takes and lost.soft and mark.time_us <= lost.at_us + HANDOVER_US:
            self.lost = None
        if any(each.claims or each.holds for each in self.tracks.values()):
            self.empty = None
        elif self.empty is None:
            self.empty = (mark.time_us, mark.key)

    def forget(self, node: str, at_us: int) -> None:
        """The node does not run it any more."""
        if self.tracks.pop(node, None) is not None:
            self.owners.forget(node, at_us)
            self.flaps.pop(node, None)

    def _odd(self, track: Track, mark: Mark, advert_us: int, planned_us: int) -> None:
        if mark.to == "rx_lower":
            track.lower_us = mark.time_us
        elif mark.to == "restored":
            track.odd = None
        elif mark.to in ("ghost", "hollow") and track.odd != mark.to:
            if mark.to == "ghost" and track.state == "MASTER":
                self._leave(track, mark, mark.time_us, advert_us, planned_us)
            track.odd, track.odd_us, track.odd_key = mark.to, mark.time_us, mark.key
            track.odd_reason = mark.reason
            track.planned = mark.planned

    def _gone_us(self, track: Track, mark: Mark) -> int:
        """When a machine that was started anew lost what it had: at the latest when another node
        got it."""
        others = [
            each.since_us
            for each in self.tracks.values()
            if each is not track and each.claims and each.since_us > track.since_us
        ]
        return min([*others, mark.time_us])

    def _leave(self, track: Track, mark: Mark, at_us: int, advert_us: int, planned_us: int) -> None:
        """A state is left: was something lost, and did anybody plan it?"""
        was_owner = track.claims and mark.time_us - track.since_us >= advert_us
        excused = mark.planned or (mark.to == "BACKUP" and mark.time_us <= planned_us)
        if excused:
            return
        if was_owner or (mark.to == "FAULT" and track.state in STEADY):
            times = [*self.flaps.get(mark.node, ()), mark.time_us]
            self.flaps[mark.node] = times[-2 * FLAPS :]
        if not was_owner or self.lost is not None:
            return
        soft = mark.to == "BACKUP" and not mark.is_lowered and mark.reason != REMOVED
        others = any(each.claims for each in self.tracks.values() if each is not track)
        if not (soft and others):
            self.lost = Lost(mark.node, at_us, mark.key, soft)

    # -- what is wrong --

    def judge(self, clock_us: int, world: World, planned_us: int, coming: Coming) -> Judged:
        """What is wrong now.

        planned_us
            Until when it may be what somebody planned.
        coming
            The next transition of a node, whose turn has not come yet.
        """
        advert = world.advert_us(self.name)
        found = Judged(advert_us=advert)
        since = {node: world.unknown_us(node) for node in self.tracks}
        # a node that was drained may be switched off
        live = [
            each
            for each in self.tracks.values()
            if each.state != "DELETED"
            and not (each.planned and each.state not in STEADY and since[each.node] is not None)
        ]
        fresh = [each for each in live if since[each.node] is None]
        found.wanted = any(not each.planned or each.state in STEADY for each in live)
        found.unknown = sorted(each.node for each in live if since[each.node] is not None)
        claims = sorted(
            (each for each in fresh if each.claims), key=lambda each: (each.since_us, each.node)
        )

        def add(kind: str, tracks: Iterable[Track], since_us: int, due: int, opener: Key) -> None:
            nodes = tuple(sorted({each.node for each in tracks}))
            # of what an owner lost it is known already that nobody planned it
            due = due if self.lost is not None and opener == self.lost.key else max(due, planned_us)
            found.conditions.append(Condition(kind, since_us, due, opener, nodes, self.name))

        ghosts = [each for each in fresh if each.odd == "ghost"]
        hollow = [each for each in claims if each.odd == "hollow"]
        if len(hollow) < len(claims):
            # who lacks the address does not share it
            claims = [each for each in claims if each not in hollow]
        claims, waiting = self._overlap(claims, clock_us, world, coming, found, add)
        for kind, tracks in (("ghost_vip", ghosts), ("hollow_master", hollow)):
            if tracks:
                first = min(tracks, key=lambda each: (each.odd_us, each.node))
                opener = first.odd_key or first.key
                add(kind, tracks, first.odd_us, first.odd_us + advert, opener)
        if fresh and not claims and not ghosts and not found.silent and not found.unknown:
            self._nobody(fresh, clock_us, world, coming, found, add)
        lame = [each for each in fresh if each.state not in STEADY and not each.planned]
        if fresh and (lame or found.unknown):
            missing = [each for each in live if since[each.node] is not None]
            began = [(each.since_us, each) for each in lame]
            began += [(since[each.node] or 0, each) for each in missing]
            at, first = min(began, key=lambda each: (each[0], each[1].node))
            # when nobody was heard it was the master that heard nothing
            witness = 0 if lame else min(world.back_us(each.node) for each in fresh)
            add("degraded", [*lame, *missing], at, max(at, witness) + LAME_US, first.key)
        self._flapping(clock_us, found, add)
        if self.lost is not None and claims:
            owner = claims[-1]
            nodes = [owner, *(each for each in live if each.node == self.lost.node)]
            add("failover", nodes, self.lost.at_us, owner.since_us + advert, self.lost.key)
        found.whole = len(claims) == 1 and not (
            ghosts or hollow or lame or waiting or found.unknown or found.silent
        )
        return found

    def _overlap(
        self,
        claims: list[Track],
        clock_us: int,
        world: World,
        coming: Coming,
        found: Judged,
        add: Add,
    ) -> tuple[list[Track], bool]:
        """Several say MASTER: since when, and have all of them said so since?

        Returns whose word counts, and whether there were several.
        """
        advert = world.advert_us(self.name)
        waiting = len(claims) > 1
        while len(claims) > 1:
            overlap = claims[1].since_us
            needed = overlap + advert
            unsure = [each for each in claims if not lasted(each, needed, world, coming)]
            due = overlap + OVERLAP_ADVERTS * advert
            if not unsure:
                add("split_brain", claims, overlap, due, claims[1].key)
                # then it is known who hears the other and does not yield (incident_text)
                heard = [
                    lower_heard_us(each.lower_us, overlap, advert)
                    for each in claims
                    if each.lower_us
                ]
                found.wakes += [at for at in heard if at > clock_us]
                break
            if clock_us < needed:
                found.wakes.append(needed)
                break
            if clock_us < due or min(world.waited_us(each.node) for each in unsure) < DOUBT_US:
                found.wakes.append(due)
                found.doubts |= {each.node for each in unsure}
                break
            # what they said before is no evidence of now
            found.silent += sorted(each.node for each in unsure)
            found.doubts |= {each.node for each in unsure}
            claims = [each for each in claims if each not in unsure]
            if claims:
                newest = claims[-1]
                add("failover", [newest, *unsure], overlap, due, newest.key)
        return claims, waiting

    def _nobody(
        self,
        fresh: list[Track],
        clock_us: int,
        world: World,
        coming: Coming,
        found: Judged,
        add: Add,
    ) -> None:
        """No living keepalived says MASTER, and nothing has the address."""
        if self.empty is None or not world.expected(self.name) <= set(self.tracks):
            return
        if all(each.planned and each.state not in STEADY for each in fresh):
            return
        since, opener = self.empty
        advert = world.advert_us(self.name)
        ready = any(each.state not in ("FAULT", "STOP") for each in fresh)
        due = since + (election_us(advert) if ready else advert)
        # the row of one that became MASTER meanwhile may still be on its way
        unsure = {each.node for each in fresh if told_until(each, world, coming) < due}
        if not unsure:
            # who took over for less than an advert ended no outage
            began = since if self.lost is None else min(since, self.lost.at_us)
            add("no_master", fresh, began, due, opener)
        elif clock_us < due:
            found.wakes.append(due)
        else:
            found.doubts |= unsure

    def _flapping(self, clock_us: int, found: Judged, add: Add) -> None:
        for node, times in sorted(self.flaps.items()):
            recent = [each for each in times if each > clock_us - FLAP_US]
            if not recent:
                continue
            found.wakes.append(recent[-1] + FLAP_US)
            track = self.tracks.get(node)
            if len(recent) >= FLAPS and track is not None:
                add("flapping", [track], recent[-FLAPS], recent[-1], track.key)


def _carry_over(old: Track, new: Track, mark: Mark) -> None:
    """What stays true through a transition."""
    new.lower_us = old.lower_us
    new.fault = mark.reason if mark.to == "FAULT" else old.fault
    new.restarted = mark.to != "MASTER" and (old.restarted or old.outlived(mark))
    if old.odd == "ghost" and {old.state, mark.to} <= _OFF_DUTY:
        new.odd, new.odd_us = old.odd, old.odd_us
        new.odd_key, new.odd_reason = old.odd_key, old.odd_reason
