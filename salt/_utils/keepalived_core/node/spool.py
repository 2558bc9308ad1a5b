"""Events on disk, numbered without gaps, until somebody has delivered them.

One SQLite file.  ``stream_id`` is born with it, ``seq`` counts from 1; the two together name an
event for ever.  The watch is the only one that appends; everybody else reads, and the beacon moves
the delivery cursor.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, NamedTuple

from . import paths as node_paths
from . import spool_file
from .spool_file import SpoolError

#: About 60 MB; a month of one transition every 26 seconds.
MAX_ROWS = 100_000
MAX_AGE_DAYS = 30
#: The bounds are looked at once in so many events.
_PRUNE_EVERY = 100
#: File times have the granularity of the kernel's tick: a file changed so recently may change
#: again without its times showing it.
_RACY_NS = 50_000_000

__all__ = ["Latest", "Spool", "SpoolError", "beacon_rows", "journal"]


class Latest(NamedTuple):
    """The state recorded last, when (epoch microseconds), and whether a ghost was told since."""

    state: str
    time_us: int
    ghost: bool


class Spool:
    """An open spool.  Use :meth:`create` to write, :meth:`open` to read and deliver."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self.path = path
        #: Why a new stream had to be begun when this one was opened, if so.
        self.replaced: str | None = None
        self._since_prune = 0

    @classmethod
    def create(cls, path: Path = node_paths.SPOOL) -> Spool:
        """Open the spool for appending, making it when it is missing.

        A file that is no sound database is moved to ``PATH.corrupt`` and a new stream begins;
        ``replaced`` then says why.  Raises :class:`SpoolError` when that cannot be done, or when
        the file was made by another version of this program: that one is left alone.
        """
        connection, replaced = spool_file.open_to_write(path)
        spool = cls(connection, path)
        spool.replaced = replaced
        return spool

    @classmethod
    def open(cls, path: Path = node_paths.SPOOL) -> Spool:
        """Open an existing spool.

        Raises :class:`FileNotFoundError` when there is none yet, :class:`SpoolError` when it
        cannot be used.
        """
        return cls(spool_file.open_to_read(path), path)

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def figures(self) -> tuple[str, int, int]:
        """Return stream_id, last_seq and dropped."""
        return self._db.execute("SELECT stream_id, last_seq, dropped FROM stream").fetchone()

    @property
    def stream_id(self) -> str:
        return self.figures()[0]

    @property
    def last_seq(self) -> int:
        return self.figures()[1]

    @property
    def dropped(self) -> int:
        """How many events were lost: removed by the bounds undelivered, or never stored."""
        return self.figures()[2]

    def append(self, event: Mapping[str, Any]) -> int:
        """Store one event durably; return its seq.  See :meth:`extend`."""
        return self.extend([event])[0]

    def extend(self, events: Iterable[Mapping[str, Any]], lost: int = 0) -> list[int]:
        """Store events durably, all or none, in order; return their seqs.

        :param lost: how many before them could not be stored at all; adds to :attr:`dropped`.

        The spool adds ``stream_id``, ``seq`` and ``dropped``.  An event needs ``type``,
        ``instance``, ``to`` and ``time_us`` (seconds since the epoch in microseconds; not stored
        in the row).  Raises :class:`sqlite3.Error`: a full disk is an ``OperationalError``, and
        nothing was stored.
        """
        seqs: list[int] = []
        with spool_file.transaction(self._db):
            stream_id, seq, dropped = self.figures()
            dropped += lost
            for event in events:
                seq += 1
                row = dict(event)
                time_us = row.pop("time_us")
                row.update(stream_id=stream_id, seq=seq, dropped=dropped)
                kind, instance, state = row["type"], row["instance"], row["to"]
                self._db.execute(
                    "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
                    (seq, time_us, kind, instance, json.dumps(row, separators=(",", ":"))),
                )
                # a lower-case kind (ghost, priority …) is no state
                if state.isupper():
                    self._db.execute(
                        "INSERT OR REPLACE INTO latest VALUES (?, ?, ?, ?, ?, 0)",
                        (kind, instance, state, seq, time_us),
                    )
                elif state == "ghost":
                    self._db.execute(
                        "UPDATE latest SET ghost = 1 WHERE type = ? AND instance = ?",
                        (kind, instance),
                    )
                seqs.append(seq)
            self._db.execute("UPDATE stream SET last_seq = ?, dropped = ?", (seq, dropped))
        self._since_prune += len(seqs)
        if self._since_prune >= _PRUNE_EVERY:
            # the events are stored whatever becomes of this: next time, then
            with contextlib.suppress(sqlite3.Error):
                self.prune()
        return seqs

    def prune(
        self, max_rows: int = MAX_ROWS, max_age_days: float = MAX_AGE_DAYS, now: float | None = None
    ) -> int:
        """Remove the oldest events above the bounds; return how many were lost undelivered.

        Age alone never removes an event that was not delivered: a clock set wrong must not cost
        one.  What the number of rows removes undelivered is counted in :attr:`dropped`.
        """
        self._since_prune = 0
        before_us = int(((time.time() if now is None else now) - max_age_days * 86400) * 1e6)
        with spool_file.transaction(self._db):
            (confirmed,) = self._db.execute("SELECT confirmed FROM delivery").fetchone()
            _, last, _ = self.figures()
            self._db.execute(
                "DELETE FROM events WHERE seq <= ? AND time_us < ?", (confirmed, before_us)
            )
            keep_after = last - max_rows
            (lost,) = self._db.execute(
                "SELECT count(*) FROM events WHERE seq <= ? AND seq > ?", (keep_after, confirmed)
            ).fetchone()
            self._db.execute("DELETE FROM events WHERE seq <= ?", (keep_after,))
            if lost:
                self._db.execute("UPDATE stream SET dropped = dropped + ?", (lost,))
        return lost

    def latest(self) -> dict[tuple[str, str], Latest]:
        """Return (type, instance) -> what was recorded last."""
        rows = self._db.execute("SELECT type, instance, state, time_us, ghost FROM latest")
        return {
            (kind, name): Latest(state, time_us, bool(ghost))
            for kind, name, state, time_us, ghost in rows
        }

    def read(self, after_seq: int = 0, limit: int = 500) -> list[dict[str, Any]]:
        """Return at most ``limit`` events with a seq above ``after_seq``, the oldest first."""
        rows = self._db.execute(
            "SELECT row FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after_seq, limit)
        )
        return [json.loads(row) for (row,) in rows]

    def tail(
        self, last: int = 20, since: float | None = None, instance: str | None = None
    ) -> list[dict[str, Any]]:
        """Return the last events, the oldest first.

        :param last: how many at most.
        :param since: only events from then on, seconds since the epoch.
        :param instance: only events of this instance or sync group.
        """
        wanted: list[str] = []
        values: list[Any] = []
        if since is not None:
            wanted.append("time_us >= ?")
            values.append(int(since * 1e6))
        if instance is not None:
            wanted.append("instance = ?")
            values.append(instance)
        where = f"WHERE {' AND '.join(wanted)}" if wanted else ""
        rows = self._db.execute(
            f"SELECT row FROM events {where} ORDER BY seq DESC LIMIT ?", (*values, last)
        )
        return [json.loads(row) for (row,) in rows][::-1]

    def hand_over(self, limit: int, owner: str) -> list[dict[str, Any]]:
        """Return the next events to deliver, at most ``limit``, the oldest first.

        What one call returned is taken as delivered when the same ``owner`` calls again: a process
        that asks for more has got rid of what it had.  Another owner (a restarted minion) gets
        what was handed out but never confirmed once more, so nothing is lost; ``stream_id`` and
        ``seq`` tell the repetition.

        Raises :class:`SpoolError`.
        """
        try:
            if self._idle(owner):
                return []
            with spool_file.transaction(self._db):
                confirmed, handed, holder = self._delivery()
                start = handed if holder == owner else confirmed
                rows = self.read(start, limit)
                end = rows[-1]["seq"] if rows else start
                self._db.execute(
                    "UPDATE delivery SET confirmed = ?, handed = ?, owner = ?", (start, end, owner)
                )
        except sqlite3.Error as err:
            raise SpoolError(f"{self.path}: {err}") from err
        return rows

    def _delivery(self) -> tuple[int, int, str]:
        return self._db.execute("SELECT confirmed, handed, owner FROM delivery").fetchone()

    def _idle(self, owner: str) -> bool:
        # asked without a write lock: this is the case once a second
        confirmed, handed, holder = self._delivery()
        return holder == owner and confirmed == handed and self.last_seq <= confirmed


def _signature(path: Path) -> tuple[Any, ...] | None:
    """Return what changes when the spool does; None when it changed too recently to tell."""
    found: list[Any] = []
    for name in (str(path), f"{path}-wal"):
        try:
            stat = os.stat(name)
        except FileNotFoundError:
            found.append(None)
            continue
        if time.time_ns() - stat.st_mtime_ns < _RACY_NS:
            return None
        found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


#: (path, owner) -> signature of the spool when it last had nothing for that owner
_quiet: dict[tuple[Path, str], tuple[Any, ...]] = {}


def beacon_rows(
    paths: node_paths.Paths = node_paths.DEFAULT, limit: int = 500, owner: str = ""
) -> list[dict[str, Any]]:
    """Return what the beacon has to send now: :meth:`Spool.hand_over`, cheap when idle.

    :param owner: ``process.self_id()`` of the minion process.

    Two ``stat`` calls as long as the spool did not change; an empty list when there is none yet.
    Raises :class:`SpoolError`.
    """
    key = (paths.spool, owner)
    signature = _signature(paths.spool)
    if signature is not None and _quiet.get(key) == signature:
        return []
    _quiet.pop(key, None)
    try:
        with Spool.open(paths.spool) as spool:
            rows = spool.hand_over(limit, owner)
            confirmed = rows or not spool._idle(owner)
    except FileNotFoundError:
        return []
    if not confirmed and signature is not None:
        _quiet[key] = signature
    return rows


def journal(
    paths: node_paths.Paths = node_paths.DEFAULT,
    last: int = 20,
    since: str | float | None = None,
    instance: str | None = None,
) -> list[dict[str, Any]]:
    """Return what the node recorded, the oldest first; empty when there is no spool yet.

    :param last: how many events at most, above 0.
    :param since: only events from then on: RFC 3339 (UTC when it names no zone) or epoch seconds.
    :param instance: only events of this instance or sync group.

    Raises :class:`ValueError` for a ``last`` or ``since`` that is none, :class:`SpoolError`.
    """
    if last < 1:
        raise ValueError(f"last must be above 0, not {last!r}")
    start = _epoch(since)
    try:
        with Spool.open(paths.spool) as spool:
            return spool.tail(last, start, instance)
    except FileNotFoundError:
        return []
    except sqlite3.Error as err:
        raise SpoolError(f"{paths.spool}: {err}") from err


def _epoch(since: str | float | None) -> float | None:
    if since is None or isinstance(since, (int, float)):
        return since
    try:
        # Python 3.10 does not read the Z
        found = datetime.fromisoformat(since.strip().replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        raise ValueError(f"since must be a time like 2026-01-31T12:00:00Z, not {since!r}") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone.utc)
    return found.timestamp()
