"""What was reacted to, what is being repaired, and what came of it: one SQLite file.

The master's reactor runs reactions in a pool of threads, out of order, and starts anew with
the master; events may come twice.  So whatever must happen once, or not too often, is decided
here, inside one transaction.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

SCHEMA_VERSION = 1
KEEP_SECONDS = 30 * 86400
# Longer than any other writer holds the lock: each transaction is a few statements.
BUSY_SECONDS = 10.0

_SCHEMA = """
CREATE TABLE claim (
    minion TEXT NOT NULL, stream_id TEXT NOT NULL, seq INTEGER NOT NULL, kind TEXT NOT NULL,
    at REAL NOT NULL, PRIMARY KEY (minion, stream_id, seq, kind)
) WITHOUT ROWID;
CREATE INDEX claim_at ON claim (at);
CREATE TABLE run (
    id INTEGER PRIMARY KEY, minion TEXT NOT NULL, check_name TEXT NOT NULL,
    service TEXT NOT NULL, started REAL NOT NULL, lease REAL NOT NULL, ended REAL
);
CREATE INDEX run_minion ON run (minion, started);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, what TEXT NOT NULL,
    cluster TEXT NOT NULL, data TEXT NOT NULL
);
CREATE INDEX audit_at ON audit (at);
"""


class LedgerError(Exception):
    """The ledger cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Run:
    """One repair.  Times are seconds since the epoch; ended is None while it is under way, or
    for ever when the master died in the middle: then lease says until when to believe it."""

    check: str
    service: str
    started: float
    lease: float
    ended: float | None = None


class Runs:
    """A minion's repairs, inside the transaction that decides the next."""

    def __init__(self, connection: sqlite3.Connection, minion: str) -> None:
        self._connection = connection
        self._minion = minion

    def all(self) -> list[Run]:
        rows = self._connection.execute(
            "SELECT check_name, service, started, lease, ended FROM run WHERE minion = ?",
            (self._minion,),
        )
        return [Run(*row) for row in rows]

    def start(self, check: str, service: str, now: float, lease: float) -> int:
        """Enter a repair that begins now; returns its number."""
        cursor = self._connection.execute(
            "INSERT INTO run (minion, check_name, service, started, lease) VALUES (?, ?, ?, ?, ?)",
            (self._minion, check, service, now, lease),
        )
        return int(cursor.lastrowid or 0)


class Ledger:
    """The file, made with mode 0600 in a directory with mode 0700 when it is not there.

    Raises LedgerError from every method when the file cannot be used.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def claim(self, minion: str, stream_id: str, seq: int, kind: str, now: float) -> bool:
        """Take an event for one kind of reaction.  True for exactly one of all who ask."""
        with self._transaction() as connection:
            for table, column in (("claim", "at"), ("run", "started"), ("audit", "at")):
                connection.execute(f"DELETE FROM {table} WHERE {column} < ?", (now - KEEP_SECONDS,))
            cursor = connection.execute(
                "INSERT OR IGNORE INTO claim VALUES (?, ?, ?, ?, ?)",
                (minion, stream_id, seq, kind, now),
            )
            return cursor.rowcount == 1

    @contextmanager
    def deciding(self, minion: str) -> Iterator[Runs]:
        """Look at a minion's repairs and start new ones with no one else in between."""
        with self._transaction() as connection:
            yield Runs(connection, minion)

    def finish(self, number: int, now: float) -> None:
        """Note that a repair is over."""
        with self._transaction() as connection:
            connection.execute("UPDATE run SET ended = ? WHERE id = ?", (now, number))

    def record(
        self, kind: str, what: str, cluster: str, data: Mapping[str, object], now: float
    ) -> None:
        """Add a row to the audit trail."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT INTO audit (at, kind, what, cluster, data) VALUES (?, ?, ?, ?, ?)",
                (now, kind, what, cluster, json.dumps(data, sort_keys=True)),
            )

    def trail(self, last: int) -> list[dict[str, object]]:
        """The newest rows of the audit trail, oldest first."""
        if not self.path.exists():
            return []
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT at, kind, what, cluster, data FROM audit ORDER BY id DESC LIMIT ?", (last,)
            ).fetchall()
        return [
            {"at": at, "kind": kind, "what": what, "cluster": cluster, **json.loads(data)}
            for at, kind, what, cluster, data in reversed(rows)
        ]

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(self._connect()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                self._bring_up_to_date(connection)
                try:
                    yield connection
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()
        except (sqlite3.Error, OSError) as error:
            raise LedgerError(
                f"{self.path}: {error}; if the file is damaged, move it away "
                "(cool-downs and the audit trail start anew)"
            ) from error

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made here with its mode: SQLite would ask the umask.  Its journal takes the mode over.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        # Transactions are begun by hand, for Python's own begin takes the lock only at the
        # first write, which is after the reading that must not be outrun.
        return sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)

    def _bring_up_to_date(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise LedgerError(
                f"{self.path} was written by a newer release (schema {version}, this one knows "
                f"{SCHEMA_VERSION}); update this master, or move the file away"
            )
        if version == 0:
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
