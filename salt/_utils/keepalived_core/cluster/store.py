"""The timeline of all clusters on the master: one SQLite file, written by the hub alone.

A row is stored together with how far its stream has come, in one transaction.  So after a crash
of the process, or of the machine, the file is whole, and what it lacks the hub asks of the nodes
again.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import sqlite_file
from . import settle, store_file
from .rows import Batch, Rejection, Settled, Stream
from .settle import Settler
from .store_file import StoreError
from .store_read import Reader

#: About a kilobyte each.
MAX_ROWS = 250_000
MAX_AGE_DAYS = 90.0
#: So many at a time, lest a clock set wrong for a moment empties the file.
PRUNE_AT_ONCE = 5_000
#: Incidents that are kept; those that are open always.
MAX_INCIDENTS = 10_000
#: Kinds of rejected events that are remembered.
MAX_REJECTED = 500

__all__ = ["Store", "StoreError"]


@dataclass
class Resettled:
    """An instance in whose history a late row was put."""

    key: tuple[str, str, str]
    settler: Settler
    #: What that made of its transitions.
    settled: list[Settled]


@dataclass
class Saved:
    """What came of storing."""

    resettled: list[Resettled]
    #: Events to fire: number, tag, data.
    outbox: list[tuple[int, str, dict[str, Any]]]


class Store(Reader):
    """The open file.  Every method raises :class:`StoreError` when it cannot be used."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        super().__init__(connection, path)
        #: Why the file had to be replaced when it was opened, if so.
        self.replaced: str | None = None
        self._numbers: dict[tuple[str, str], int] = {}

    @classmethod
    def create(cls, path: str | Path) -> Store:
        """Open the file to write, making it when it is missing.

        One that is no sound database is moved to ``PATH.corrupt`` and a new one is made;
        ``replaced`` then says why.  A newer release's file is left alone.
        """
        connection, replaced = store_file.open_to_write(Path(path))
        store = cls(connection, Path(path))
        store.replaced = replaced
        return store

    def save(
        self,
        batches: Sequence[Batch],
        status: Mapping[str, object],
        advert: Callable[[tuple[str, str, str]], float],
        tell: Callable[[list[Settled]], list[tuple[str, dict[str, Any]]]],
        told: int = 0,
    ) -> Saved:
        """Store all that some batches have, in their order, or nothing.

        status
            What the hub says of itself; see :meth:`Reader.hub`.
        advert
            ``advert_int`` of an instance, to settle those anew in which a late row was put.
        tell
            Makes events, ``(tag, data)``, of settled transitions; they are kept in the file until
            they are said to have been told.
        told
            The number up to which they were.
        """
        with self._transaction():
            anew: list[Resettled] = []
            settled: list[Settled] = []
            now = status.get("alive")
            for batch in batches:
                self._save(batch, now if isinstance(now, float) else 0.0)
                settled += batch.settled
                late = {row.key for row in batch.rows if row.late}
                for key in sorted(batch.unsettled):
                    found = self._resettle(key, late, advert(key))
                    if found is not None:
                        anew.append(found)
                        settled += found.settled
            self._db.executemany(
                "INSERT OR REPLACE INTO hub VALUES (?, ?)",
                [(name, json.dumps(value)) for name, value in status.items()],
            )
            if told:
                self._db.execute("DELETE FROM outbox WHERE id <= ?", (told,))
            told_now = tell(settled) + [each for batch in batches for each in batch.told]
            self._db.executemany(
                "INSERT INTO outbox (tag, data) VALUES (?, ?)",
                [(tag, json.dumps(data)) for tag, data in told_now],
            )
        return Saved(anew, self.outbox(told))

    def _save(self, batch: Batch, now: float) -> None:
        for key, stream in batch.streams.items():
            self._save_stream(key, stream)
        self._db.executemany(
            "INSERT OR IGNORE INTO events (stream, seq, minion, cluster, type, instance, "
            "state, order_us, received_us, signed, late, settled, row) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    self._number(row.minion, row.stream_id),
                    row.seq,
                    row.minion,
                    row.cluster,
                    row.type,
                    row.instance,
                    row.to,
                    row.order_us,
                    row.received_us,
                    row.signed,
                    row.late,
                    row.settled,
                    json.dumps(row.data, separators=(",", ":"), ensure_ascii=False),
                )
                for row in batch.rows
            ],
        )
        self._save_words(batch.words)
        self._db.executemany(
            "INSERT OR REPLACE INTO settlers VALUES (?, ?, ?, ?)",
            [(*key, json.dumps(data)) for key, data in batch.settlers.items()],
        )
        self._db.executemany(
            "INSERT OR REPLACE INTO facts VALUES (?, ?)",
            [(minion, json.dumps(facts)) for minion, facts in batch.facts.items()],
        )
        for each in batch.rejected.values():
            self._save_rejection(each)
        for name, count in batch.counters.items():
            self._db.execute(
                "INSERT INTO counters VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET count = count + excluded.count",
                (name, count),
            )
        self._save_incidents(batch, now)
        for minion in batch.forgotten:
            self._db.execute("DELETE FROM facts WHERE minion = ?", (minion,))

    def _save_incidents(self, batch: Batch, now: float) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO incidents VALUES (?, ?, ?, ?, ?, ?)",
            [
                (
                    each["id"],
                    each["cluster"],
                    each["state"],
                    each["opened"],
                    round(now * 1e6),
                    json.dumps(each, separators=(",", ":"), ensure_ascii=False),
                )
                for each in batch.incidents
            ],
        )
        for place, data in batch.subjects.items():
            if data is None:
                self._db.execute("DELETE FROM subjects WHERE cluster = ? AND name = ?", place)
            else:
                self._db.execute(
                    "INSERT OR REPLACE INTO subjects VALUES (?, ?, ?)",
                    (*place, json.dumps(data, separators=(",", ":"))),
                )

    def _resettle(
        self, key: tuple[str, str, str], late: Set[tuple[str, int]], advert_int: float
    ) -> Resettled | None:
        """Settle one instance anew from the row before its first late one."""
        history = self.history(key)
        places = [place for place, (mark, _) in enumerate(history) if mark.key in late]
        if not places:
            return None
        words, settler = settle.judge((mark for mark, _ in history), advert_int)
        by_key = {word.key: word for word in words}
        settled: list[Settled] = []
        changed: dict[tuple[str, str, int], str] = {}
        # What came before cannot change; but of a history cut short the oldest would.
        for mark, old in history[max(0, places[0] - 1) :]:
            word = by_key.get(mark.key)
            new = word.word if word else settle.PENDING
            if new == old:
                continue
            which = (key[0], *mark.key)
            changed[which] = new
            if settle.YES in (new, old):
                before = word.before if word else None
                settled.append(Settled(key[0], mark.key, before, retracted=new != settle.YES))
        self._save_words(changed)
        self._db.execute(
            "INSERT OR REPLACE INTO settlers VALUES (?, ?, ?, ?)",
            (*key, json.dumps(settler.save())),
        )
        return Resettled(key, settler, settled)

    def prune(
        self, now: float, max_rows: int = MAX_ROWS, max_age_days: float = MAX_AGE_DAYS
    ) -> int:
        """Remove the oldest rows above the bounds, at most :data:`PRUNE_AT_ONCE` for their age.

        Age is counted from when the master had a row, for a node's clock may be anything.
        Returns how many went.
        """
        before_us = int((now - max_age_days * 86400) * 1e6)
        with self._transaction():
            removed = self._db.execute(
                "DELETE FROM events WHERE id <= (SELECT max(id) FROM events) - ?", (max_rows,)
            ).rowcount
            removed += self._db.execute(
                "DELETE FROM events WHERE id IN "
                "(SELECT id FROM events ORDER BY id LIMIT ?) AND received_us < ?",
                (PRUNE_AT_ONCE, before_us),
            ).rowcount
            # what is open stays, however old
            self._db.execute(
                "DELETE FROM incidents WHERE state != 'open' AND changed_us < ?", (before_us,)
            )
            self._db.execute(
                "DELETE FROM incidents WHERE state != 'open' AND id NOT IN "
                "(SELECT id FROM incidents ORDER BY changed_us DESC LIMIT ?)",
                (MAX_INCIDENTS,),
            )
            self._db.execute(
                "DELETE FROM rejected WHERE rowid NOT IN "
                "(SELECT rowid FROM rejected ORDER BY last_us DESC LIMIT ?)",
                (MAX_REJECTED,),
            )
        return removed

    def _save_stream(self, key: tuple[str, str], stream: Stream) -> None:
        self._db.execute(
            "INSERT INTO streams (minion, stream_id, first, high, tail, gaps, order_us, dropped, "
            "born_us, contact_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (minion, stream_id) DO UPDATE SET first = excluded.first, "
            "high = excluded.high, tail = excluded.tail, gaps = excluded.gaps, "
            "order_us = excluded.order_us, dropped = excluded.dropped, "
            "contact_us = excluded.contact_us",
            (
                *key,
                stream.first,
                stream.high,
                stream.tail,
                json.dumps(stream.gaps),
                stream.order_us,
                stream.dropped,
                stream.born_us,
                stream.contact_us,
            ),
        )

    def _save_words(self, words: Mapping[tuple[str, str, int], str]) -> None:
        self._db.executemany(
            "UPDATE events SET settled = ? WHERE stream = ? AND seq = ?",
            [
                (word, self._number(minion, stream_id), seq)
                for (minion, stream_id, seq), word in words.items()
            ],
        )

    def _save_rejection(self, each: Rejection) -> None:
        self._db.execute(
            "INSERT INTO rejected VALUES (?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (reason, minion, culprit) DO UPDATE SET tag = excluded.tag, "
            "last_us = excluded.last_us, count = count + excluded.count",
            (
                each.reason,
                each.minion,
                each.culprit or "",
                each.tag,
                each.first_us,
                each.last_us,
                each.count,
            ),
        )

    def _number(self, minion: str, stream_id: str) -> int:
        key = (minion, stream_id)
        number = self._numbers.get(key)
        if number is None:
            found = self._db.execute(
                "SELECT number FROM streams WHERE minion = ? AND stream_id = ?", key
            ).fetchone()
            number = self._numbers[key] = found[0] if found else 0
        return number

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._errors(), sqlite_file.transaction(self._db):
                yield
        except BaseException:
            # the number of a stream that was rolled back must not be used
            self._numbers.clear()
            raise
