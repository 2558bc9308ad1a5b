"""Events on disk, numbered without gaps, until somebody has delivered them.

One SQLite file.  ``stream_id`` is born with it, ``seq`` counts from 1; the two together name an
event for ever.  The watch is the only one that appends, and signs what it appends; everybody else
reads, and relay or beacon note how far they brought it (:mod:`spool_delivery`).
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .. import signing, sqlite_file
from . import paths as node_paths
from . import spool_file
from .event import ghost_outlasts
from .spool_delivery import Delivery
from .spool_file import SpoolError

#: About 70 MB; a month of one transition every 26 seconds.
MAX_ROWS = 100_000
#: An event with several hundred addresses is 20 KB: then the number of rows is no bound.
MAX_BYTES = 128 << 20
MAX_AGE_DAYS = 30
#: These stay whatever their age: a clock that jumps must not empty the journal.
KEEP_ROWS = 1000
#: The bounds are looked at once in so many events.
_PRUNE_EVERY = 100

__all__ = ["Latest", "Spool", "SpoolError"]


class Latest(NamedTuple):
    """The state recorded last, when (epoch microseconds), and whether a ghost was told since."""

    state: str
    time_us: int
    ghost: bool


class Spool(Delivery):
    """An open spool.  Use :meth:`create` to write, :meth:`open` to read and deliver."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection, path)
        #: What rows are signed with; without a key their ``signature`` is None.
        self.key: str | None = None
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

        The spool adds ``stream_id``, ``seq``, ``dropped``, ``signature``.  An event needs ``type``,
        ``instance``, ``to`` and ``time_us`` (seconds since the epoch in microseconds; not stored
        in the row).  Raises :class:`sqlite3.Error`: a full disk is an ``OperationalError``, and
        nothing was stored.
        """
        seqs: list[int] = []
        with sqlite_file.transaction(self._db):
            stream_id, seq, dropped = self.figures()
            dropped += lost
            for event in events:
                seq += 1
                row = _sendable(event)
                time_us = row.pop("time_us")
                row.update(stream_id=stream_id, seq=seq, dropped=dropped)
                row["signature"] = signing.sign(row, self.key) if self.key else None
                kind, instance, state = row["type"], row["instance"], row["to"]
                self._db.execute(
                    "INSERT INTO events VALUES (?, ?, ?, ?, ?)",
                    (seq, time_us, kind, instance, json.dumps(row, separators=(",", ":"))),
                )
                # a lower-case kind (ghost, priority …) is no state
                if state.isupper():
                    kept = ghost_outlasts(row.get("from"), state)
                    self._db.execute(
                        "INSERT INTO latest VALUES (?, ?, ?, ?, ?, 0) "
                        "ON CONFLICT (type, instance) DO UPDATE SET state = excluded.state, "
                        "seq = excluded.seq, time_us = excluded.time_us, ghost = ghost AND ?",
                        (kind, instance, state, seq, time_us, kept),
                    )
                elif state in ("ghost", "restored"):
                    self._db.execute(
                        "UPDATE latest SET ghost = ? WHERE type = ? AND instance = ?",
                        (state == "ghost", kind, instance),
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
        self,
        max_rows: int = MAX_ROWS,
        max_age_days: float = MAX_AGE_DAYS,
        now: float | None = None,
        keep_rows: int = KEEP_ROWS,
        max_bytes: int = MAX_BYTES,
    ) -> int:
        """Remove the oldest events above the bounds; return how many were lost undelivered.

        Age alone never removes an event that was not delivered, nor one of the last ``keep_rows``:
        a clock set wrong must not cost one.  What number and size remove undelivered is counted in
        :attr:`dropped`.
        """
        self._since_prune = 0
        before_us = int(((time.time() if now is None else now) - max_age_days * 86400) * 1e6)
        with sqlite_file.transaction(self._db):
            (confirmed,) = self._db.execute("SELECT confirmed FROM delivery").fetchone()
            _, last, _ = self.figures()
            self._db.execute(
                "DELETE FROM events WHERE seq <= ? AND time_us < ?",
                (min(confirmed, last - keep_rows), before_us),
            )
            keep_after = last - self._affordable(max_rows, max_bytes)
            (lost,) = self._db.execute(
                "SELECT count(*) FROM events WHERE seq <= ? AND seq > ?", (keep_after, confirmed)
            ).fetchone()
            self._db.execute("DELETE FROM events WHERE seq <= ?", (keep_after,))
            if lost:
                self._db.execute("UPDATE stream SET dropped = dropped + ?", (lost,))
        return lost

    def _affordable(self, max_rows: int, max_bytes: int) -> int:
        """Return how many of the newest rows may stay."""
        count = self.last_seq + 1 - self.first_seq
        pages, free, page = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
        size = (pages - free) * page
        if size > max_bytes:
            # a tenth more than needed, or the next rows would be too many again
            count = int(count * max_bytes / size * 0.9)
        return min(count, max_rows)

    @property
    def first_seq(self) -> int:
        """The seq of the oldest event that is still here; that of the next one when none is."""
        (first,) = self._db.execute("SELECT min(seq) FROM events").fetchone()
        return self.last_seq + 1 if first is None else first

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
        return [_row(text) for (text,) in rows]

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
        return [_row(text) for (text,) in rows][::-1]


def _sendable(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy without half characters: no transport takes one, and it would block all."""
    row = dict(event)
    try:
        text = json.dumps(row, ensure_ascii=False)
        text.encode()
    except UnicodeEncodeError:
        row = json.loads(text.encode(errors="replace"))
    return row


def _row(text: str) -> dict[str, Any]:
    # one that an older version wrote has no signature at all
    return {"signature": None, **json.loads(text)}
