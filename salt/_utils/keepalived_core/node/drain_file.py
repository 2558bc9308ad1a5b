"""The drain file and its record: what is on the disk of a drained node.

The file holds the number that keepalived adds to each priority; the record says why, since and
until when.  Both survive a reboot.  The record is written before the number and removed when that
is 0 again: a number without a record is nobody's, a record without its number is completed.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import apply, files, planned
from .paths import DEFAULT, Paths

#: keepalived adds at most 253: what is less than that is FAULT.
VALUES = {"weight": -253, "fault": -254}
_NUMBER = re.compile(r"\s*([-+]?\d{1,9})(?!\d)")
_SPAN = re.compile(r"(\d{1,9})\s*([smhd]?)", re.ASCII)
#: The last second that has a date, in seconds since the epoch.
LAST = 253_402_300_799
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Record:
    """A drain.  ``since`` and ``until`` are in seconds since the epoch; ``handover`` is how many
    seconds the nodes need at most to pass the addresses on."""

    mode: str
    since: float
    until: float | None = None
    reason: str | None = None
    who: str | None = None
    handover: float = 10.0

    def over(self, now: float) -> bool:
        return self.until is not None and now >= self.until


def read(paths: Paths = DEFAULT) -> Record | None:
    """The record, or None: there is none, or it cannot be read."""
    try:
        data: Any = json.loads(paths.drain_record.read_text(encoding="utf-8"))
        until = data["until"]
        record = Record(
            mode=str(data["mode"]),
            since=float(data["since"]),
            until=None if until is None else float(until),
            reason=None if data.get("reason") is None else str(data["reason"]),
            who=None if data.get("who") is None else str(data["who"]),
            handover=float(data.get("handover", 10.0)),
        )
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return None
    return record if record.mode in VALUES else None


def value(paths: Paths = DEFAULT) -> int | None:
    """The number in the drain file as keepalived reads it; None: there is no file, or no number
    in it, which keepalived takes for 0."""
    try:
        content = paths.drain.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    match = _NUMBER.match(content)
    return int(match[1]) if match else None


def write(record: Record, paths: Paths = DEFAULT) -> None:
    """Drain.  Raises :class:`OSError`; then nothing is drained that was not before."""
    files.make_private(paths.state_dir)
    _durable(paths.drain_record, json.dumps(asdict(record), indent=1) + "\n")
    if value(paths) != VALUES[record.mode]:
        _durable(paths.drain, f"{VALUES[record.mode]}\n")


def clear(paths: Paths = DEFAULT) -> None:
    """Undrain.  Raises :class:`OSError`; then it is drained as before, and its time is known."""
    files.make_private(paths.state_dir)
    if value(paths) != 0:
        _durable(paths.drain, "0\n")
    if paths.drain_record.exists():
        paths.drain_record.unlink()
        # A record that came back with the power would drain the node anew.
        files.sync_directory(paths.state_dir)


def prepare(paths: Paths = DEFAULT, test: bool = False) -> bool:
    """Make sure that there is a drain file before a configuration names it, and that it says what
    the record says; a drain whose time is over is ended.  Returns whether anything was (with
    ``test``: would be) changed.  Raises :class:`OSError`, :class:`apply.ApplyError`.

    Without its directory 2.2.7 tracks nothing, silently; 2.3.3 refuses the file.
    """
    record = read(paths)
    if paths.drain.exists() and (record is None or kept(record, paths)):
        return False
    if not test:
        with lock(paths):
            if not keep(paths) and not paths.drain.exists():
                files.make_private(paths.state_dir)
                _durable(paths.drain, "0\n")
    return True


def keep(paths: Paths = DEFAULT) -> str | None:
    """End a drain whose time is over, complete one whose number is not in the file; say what was
    done.  Raises :class:`OSError`.  The caller holds the lock."""
    record = read(paths)
    if record is None or kept(record, paths):
        return None
    declare(record.handover, "a drain ends", paths)
    if record.over(time.time()):
        clear(paths)
        return f"the drain ({record.reason or 'no reason given'}) is over: its time has come"
    write(record, paths)
    return "the drain file did not say that this node is drained: it does again"


def kept(record: Record, paths: Paths) -> bool:
    """Whether there is nothing to do: its time is to come, and the file says what it says."""
    return not record.over(time.time()) and value(paths) == VALUES[record.mode]


@contextmanager
def stand_in(paths: Paths = DEFAULT) -> Iterator[None]:
    """While a configuration is judged on a new node, the drain file's directory is there."""
    made = not paths.state_dir.is_dir()
    if made:
        with suppress(OSError):  # then keepalived says what is missing
            files.make_private(paths.state_dir)
    try:
        yield
    finally:
        if made:
            with suppress(OSError):  # somebody has put something there meanwhile
                paths.state_dir.rmdir()


def lock(paths: Paths = DEFAULT, timeout: float = 30.0) -> Any:
    """One at a time; raises :class:`apply.ApplyError` when another holds it for too long."""
    return apply.lock(str(paths.drain_lock), timeout)


def declare(seconds: float, reason: str, paths: Paths = DEFAULT) -> None:
    """Mark what happens in the next seconds as planned, unless it is for longer than that."""
    marker = planned.active(paths)
    if marker is None or marker.until < time.time() + seconds:
        planned.begin(min(seconds, planned.LONGEST), reason, paths=paths)


def moment(expires: object, now: float) -> float | None:
    """When a drain ends: a span from now (``90``, ``90s``, ``2h``, ``1d``), an RFC 3339 time, or
    None.  Raises :class:`ValueError`, with what would be right, for anything else."""
    if expires is None or expires == "":
        return None
    until = None
    span = _SPAN.fullmatch(str(expires).strip())
    if span and is_span(expires):
        until = now + int(span[1]) * _SECONDS[span[2]]
    else:
        try:
            found = (
                expires
                if isinstance(expires, datetime)
                else datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", str(expires).strip()))
            )
            until = found.replace(tzinfo=found.tzinfo or timezone.utc).timestamp()
        except (ValueError, OverflowError):
            pass
    if until is None:
        raise ValueError(
            f"expires={expires!r} is no time: give a span from now (90s, 15m, 2h, 3d) or a time "
            "(2026-11-22T03:04:05Z)"
        )
    if round(until) > LAST:
        raise ValueError(
            f"expires={expires!r} is later than the year 9999: give an earlier time (90s, 15m, 2h, "
            "3d, 2026-11-22T03:04:05Z), or leave it out for a drain without an end"
        )
    return until


def is_span(expires: object) -> bool:
    """Whether it counts from now."""
    return not isinstance(expires, bool) and bool(_SPAN.fullmatch(str(expires).strip()))


def text(seconds: float | None) -> str | None:
    """A time as people read it: RFC 3339, UTC, whole seconds; never raises."""
    if seconds is None:
        return None
    try:
        found = datetime.fromtimestamp(min(round(seconds), LAST), timezone.utc)
    except (ValueError, OverflowError, OSError):  # somebody's record: no number, no such year
        return None
    return found.strftime("%Y-%m-%dT%H:%M:%SZ")


def _durable(path: Path, content: str) -> None:
    """Write *content*, and have it on the disk: a drain is often followed by a power switch."""
    files.write_atomically(path, content, sync=True)
