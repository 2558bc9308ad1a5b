"""Heartbeats: what a node says of itself every few seconds, and what the hub keeps of it.

A heartbeat carries the high-water mark of the node's stream, so that a lost last event is noticed
without a next one, and the states of all instances, so that the master knows them with their age.
An old one, sent again, would show an old state as the present: so within one boot each must be
later by the node's monotonic clock, and a boot that has ended does not come again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import clock, event
from .rows import Row

#: A clock that was set by more than this between two heartbeats is worth a word, in seconds.
JUMP_SECONDS = 1.0
#: Relay, beacon and the returns of jobs may overtake each other by so much, in seconds.
OVERTAKEN_SECONDS = 60.0
#: Boots of a node that are remembered.
MAX_BOOTS = 64
MAX_INSTANCES = 4096

_BOOT = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_STREAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{3,63}", re.ASCII)
_HUGE = (1 << 63) - 1


@dataclass(frozen=True)
class Heartbeat:
    """A heartbeat, checked.  Times are microseconds."""

    minion: str
    stream_id: str
    seq: int
    time_us: int
    monotonic_us: int
    boot_id: str
    dropped: int
    #: The oldest row that the node still has.
    first: int
    #: instance -> (state, vip_present, since_us)
    states: Mapping[str, tuple[str, bool | None, int | None]]


@dataclass
class Facts:
    """What is known of one node, of which age."""

    cluster: str
    #: When the hub last had something of it, by the master's clock.
    received_us: int = 0
    #: When the last heartbeat came; 0 for never.
    heartbeat_us: int = 0
    #: By the node's clocks, of its last heartbeat.
    time_us: int = 0
    monotonic_us: int = 0
    boot_id: str = ""
    boots: list[str] = field(default_factory=list)
    stream_id: str = ""
    seq: int = 0
    dropped: int = 0
    signed: bool = False
    #: How far its clock is ahead of the master's, with the way of the message in it.
    skew_us: int = 0
    clock_jumps: int = 0
    #: instance -> {"state", "vip_present", "since_us", "told_us"}
    states: dict[str, dict[str, Any]] = field(default_factory=dict)

    def save(self) -> dict[str, Any]:
        """All of it as plain data, which later changes leave alone."""
        return {**vars(self), "states": dict(self.states), "boots": list(self.boots)}

    def take_row(self, row: Row) -> None:
        """A transition that is newer than the last heartbeat."""
        if row.stream_id == self.stream_id and row.seq <= self.seq:
            return
        if row.type == "instance" and row.is_state:
            self.states[row.instance] = {
                "state": row.to,
                "vip_present": row.data.get("vip_present"),
                "since_us": row.time_us,
                "told_us": row.received_us,
            }

    def take_heartbeat(self, beat: Heartbeat, signed: bool, now_us: int) -> float | None:
        """The newest word of a node; returns by how many seconds its clock was set, if it was."""
        jump = None
        skew = beat.time_us - now_us
        if self.boot_id == beat.boot_id:
            before = self.time_us - self.monotonic_us
            by = (beat.time_us - beat.monotonic_us - before) / 1e6
            if abs(by) > JUMP_SECONDS:
                jump = by
                self.clock_jumps += 1
        elif self.boot_id:
            self.boots = [*self.boots, self.boot_id][-MAX_BOOTS:]
        self.boot_id, self.time_us, self.monotonic_us = (
            beat.boot_id,
            beat.time_us,
            beat.monotonic_us,
        )
        self.stream_id, self.seq, self.dropped = beat.stream_id, beat.seq, beat.dropped
        self.signed, self.skew_us, self.heartbeat_us = signed, skew, now_us
        self.states = {
            name: {
                "state": state,
                "vip_present": present,
                "since_us": since_us,
                "told_us": now_us,
            }
            for name, (state, present, since_us) in beat.states.items()
        }
        return jump

    def is_overtaken(self, beat: Heartbeat) -> bool:
        """Whether it is no news: a newer one came by another way.  Nothing is wrong with that."""
        behind = self.monotonic_us - beat.monotonic_us
        return beat.boot_id == self.boot_id and 0 <= behind <= OVERTAKEN_SECONDS * 1e6

    def why_old(self, beat: Heartbeat) -> str | None:
        """Why a heartbeat must be a replay; None when it is news, or overtaken."""
        if beat.boot_id == self.boot_id:
            if beat.monotonic_us < self.monotonic_us and not self.is_overtaken(beat):
                return "a heartbeat much older than one that was there before"
        elif beat.boot_id in self.boots:
            return "a heartbeat from before the node's last boot"
        return None


def read(tag: object, data: Mapping[object, object]) -> Heartbeat | event.Rejected:
    """Check a heartbeat; its tag is ``salt/beacon/<minion>/keepalived/…/heartbeat``."""
    parts = tag.split("/") if isinstance(tag, str) and len(tag) <= 1024 else []
    if len(parts) != 6 or parts[:2] != ["salt", "beacon"] or parts[3] != "keepalived":
        return event.Rejected("the tag is not salt/beacon/<minion>/keepalived/<instance>/<TO>")
    minion = data.get("id")
    if not isinstance(minion, str) or not event.MINION_ID.fullmatch(minion) or minion != parts[2]:
        return event.Rejected("id is not the minion of the tag")
    if data.get("schema") != event.SCHEMA:
        return event.Rejected(f"schema is not {event.SCHEMA}")
    moment = clock.parse(data.get("time"))
    if moment is None:
        return event.Rejected("time is no RFC 3339 time in UTC")
    for name, pattern in (("stream_id", _STREAM), ("boot_id", _BOOT)):
        value = data.get(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            return event.Rejected(f"{name} is missing or malformed")
    numbers = {}
    for name in ("seq", "monotonic_us", "dropped", "first"):
        value = data.get(name)
        if value is None and name in ("dropped", "first"):
            value = 0
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= _HUGE:
            return event.Rejected(f"{name} is no whole number from 0 to {_HUGE}")
        numbers[name] = value
    states = _states(data.get("states"))
    if states is None:
        return event.Rejected("states is no mapping of instances to [state, vip_present, since]")
    return Heartbeat(
        minion=minion,
        stream_id=str(data["stream_id"]),
        seq=numbers["seq"],
        time_us=round(moment * 1e6),
        monotonic_us=numbers["monotonic_us"],
        boot_id=str(data["boot_id"]),
        dropped=numbers["dropped"],
        first=numbers["first"],
        states=states,
    )


def _states(value: object) -> dict[str, tuple[str, bool | None, int | None]] | None:
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MAX_INSTANCES:
        return None
    found: dict[str, tuple[str, bool | None, int | None]] = {}
    for name, entry in value.items():
        if not isinstance(name, str) or not event.NAME.fullmatch(name):
            return None
        if not isinstance(entry, (list, tuple)) or len(entry) < 3:
            return None
        state, present, since = entry[:3]
        if state not in event.STATES and state != "unknown" and state is not None:
            return None
        if present not in (True, False, None) or not isinstance(since, (int, type(None))):
            return None
        found[name] = (state or "unknown", present, since)
    return found
