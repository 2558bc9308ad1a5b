"""What the hub keeps of events: rows, the streams they come in, and what is to be stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: Why rows of a gap are not there.
MISSING = "not fetched yet"
LOST = "the node no longer has them"


@dataclass(slots=True)
class Row:
    """One event of a node, checked.  Times are microseconds since the epoch."""

    minion: str
    stream_id: str
    seq: int
    cluster: str
    type: str
    instance: str
    to: str
    came_from: str | None
    time_us: int
    monotonic_us: int | None
    #: When the hub had it, by the master's clock.
    received_us: int
    signed: bool
    #: All fields as the node wrote them, the signature too.
    data: Mapping[str, Any]
    #: Where it stands among the rows of other nodes: its time, but never before its predecessor's.
    order_us: int = 0
    #: It came after rows that follow it had been let through.
    late: bool = False
    #: One of the words of :mod:`settle`; None for what is no state.
    settled: str | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.stream_id, self.seq

    @property
    def is_state(self) -> bool:
        return self.type in ("instance", "group") and self.to.isupper()


@dataclass(slots=True)
class Stream:
    """How far the hub is with one stream of one node."""

    minion: str
    stream_id: str
    #: The hub has taken the stream from here on.
    first: int = 1
    #: Every row up to here was let through, except those in ``gaps``.
    high: int = 0
    #: The node has written so far, as its heartbeats or rows say.
    tail: int = 0
    #: Ranges (first, last, why) below ``high`` that are not there.
    gaps: list[tuple[int, int, str]] = field(default_factory=list)
    #: The latest time of its rows: none is placed before it.
    order_us: int = 0
    #: What the node itself lost before it could number or hand it over.
    dropped: int = 0
    born_us: int = 0
    contact_us: int = 0

    def count(self, why: str) -> int:
        return sum(last - first + 1 for first, last, reason in self.gaps if reason == why)

    def remove_from_gap(self, seq: int) -> bool:
        """Take one number out of the gap it is in; whether it was in one."""
        for place, (first, last, why) in enumerate(self.gaps):
            if first <= seq <= last:
                parts = [(first, seq - 1, why), (seq + 1, last, why)]
                self.gaps[place : place + 1] = [part for part in parts if part[0] <= part[1]]
                return True
        return False


@dataclass(slots=True)
class Rejection:
    """An event that was not believed, or every one of the same kind."""

    reason: str
    #: In whose name it came, as far as that is a name.
    minion: str
    #: Who sent it, where the bus tells.
    culprit: str | None
    tag: str
    first_us: int
    last_us: int
    count: int = 1


@dataclass(slots=True)
class Settled:
    """A transition that counts, or (``retracted``) one told before that did not."""

    minion: str
    key: tuple[str, int]
    before: str | None
    retracted: bool = False
    #: None when the row was stored in an earlier batch.
    row: Row | None = None


@dataclass
class Batch:
    """What changed since the last batch: to store in one transaction, then to tell."""

    rows: list[Row] = field(default_factory=list)
    #: (minion, stream_id, seq) -> word
    words: dict[tuple[str, str, int], str] = field(default_factory=dict)
    streams: dict[tuple[str, str], Stream] = field(default_factory=dict)
    #: minion -> facts
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: (minion, type, instance) -> a settler's plain data
    settlers: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    rejected: dict[tuple[str, str, str | None], Rejection] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    settled: list[Settled] = field(default_factory=list)
    #: Instances with a late row among others: their words must be found anew.
    unsettled: set[tuple[str, str, str]] = field(default_factory=set)
    #: Rows given up: {"cluster", "id", "stream_id", "first", "last", "why"}.
    lost: list[dict[str, Any]] = field(default_factory=list)
    #: Nodes that gave a heartbeat, and of whose stream nothing is missing.
    beats: set[str] = field(default_factory=set)
    #: Incidents as they are now: what is fired of them, and their rows.
    incidents: list[dict[str, Any]] = field(default_factory=list)
    #: (cluster, sync group or instance) -> what is known there, as plain data; None: nothing more
    subjects: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)
    #: Events about incidents: (tag, data).
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: Nodes that are no members any more.
    forgotten: set[str] = field(default_factory=set)
    #: (logging level, text)
    notes: list[tuple[int, str]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return any(vars(self).values())
