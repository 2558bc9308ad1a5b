"""What was reacted to, what is being repaired, and what came of it: one SQLite file.

The master's reactor runs reactions in a pool of threads, out of order, and starts anew with
the master; events may come twice.  So whatever must happen once, or not too often, is decided
here, inside one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .. import sqlite_file
from .deeds import LEASE_SECONDS, Begun, Deed, Silence

SCHEMA_VERSION = 3
KEEP_SECONDS = 30 * 86400
# Longer than any other writer holds the lock: each transaction is a few statements.
BUSY_SECONDS = 10.0

#: Who tells that a silence has ended has so long; then somebody else may.
CLOSING_SECONDS = 300.0

#: What each version adds to the one before.
_SCHEMAS = (
    """
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
""",
    """
CREATE TABLE deed (
    key TEXT PRIMARY KEY, cluster TEXT NOT NULL, minion TEXT NOT NULL, action TEXT NOT NULL,
    started REAL NOT NULL, lease REAL NOT NULL, ended REAL
) WITHOUT ROWID;
CREATE INDEX deed_cluster ON deed (cluster, started);
CREATE TABLE silence (
    id INTEGER PRIMARY KEY, cluster TEXT NOT NULL, since REAL NOT NULL, until REAL NOT NULL,
    reason TEXT NOT NULL, who TEXT NOT NULL, closed INTEGER NOT NULL DEFAULT 0, closing REAL
);
CREATE INDEX silence_cluster ON silence (cluster, until);
""",
    # of outbox.py
    """
CREATE TABLE message (
    id INTEGER PRIMARY KEY, route TEXT NOT NULL, cluster TEXT NOT NULL, entered REAL NOT NULL,
    due REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, alert TEXT NOT NULL, about TEXT NOT NULL
);
CREATE INDEX message_route ON message (route, due);
CREATE TABLE route (
    name TEXT PRIMARY KEY, holder TEXT, lease REAL, next_try REAL,
    failures INTEGER NOT NULL DEFAULT 0, failing_since REAL, why TEXT, last_sent REAL,
    last_failed REAL, sent INTEGER NOT NULL DEFAULT 0, given_up INTEGER NOT NULL DEFAULT 0,
    last_given_up REAL
) WITHOUT ROWID;
CREATE TABLE told (
    route TEXT NOT NULL, incident TEXT NOT NULL, last REAL NOT NULL, resolved REAL,
    PRIMARY KEY (route, incident)
) WITHOUT ROWID;
CREATE INDEX told_last ON told (last);
""",
)


#: By which column rows grow old.
_AGES = (
    ("claim", "at"),
    ("run", "started"),
    ("audit", "at"),
    ("deed", "started"),
    ("told", "last"),
)


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


class Deeds:
    """What was begun in a cluster, inside the transaction that decides the next."""

    def __init__(self, connection: sqlite3.Connection, cluster: str) -> None:
        self._connection = connection
        self._cluster = cluster

    def all(self) -> list[Deed]:
        rows = self._connection.execute(
            "SELECT key, cluster, minion, action, started, lease, ended FROM deed "
            "WHERE cluster = ?",
            (self._cluster,),
        )
        return [Deed(*row) for row in rows]

    def start(self, action: Begun, now: float) -> None:
        """Enter what begins now.  Raises LedgerError when it was begun before."""
        self._connection.execute(
            "INSERT INTO deed VALUES (?, ?, ?, ?, ?, ?, NULL)",
            (action.key, self._cluster, action.minion, action.told, now, now + LEASE_SECONDS),
        )


#: minion, stream_id, seq, and the kind of reaction.
Claim = tuple[str, str, int, str]


def claim(connection: sqlite3.Connection, wanted: Claim, now: float) -> bool:
    """:meth:`Ledger.claim`, inside a transaction."""
    for table, column in _AGES:
        connection.execute(f"DELETE FROM {table} WHERE {column} < ?", (now - KEEP_SECONDS,))
    cursor = connection.execute(
        "INSERT OR IGNORE INTO claim VALUES (?, ?, ?, ?, ?)", (*wanted, now)
    )
    return cursor.rowcount == 1


class Ledger:
    """The file, made with mode 0600 in a directory with mode 0700 when it is not there.

    Raises LedgerError from every method when the file cannot be used.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def claim(self, minion: str, stream_id: str, seq: int, kind: str, now: float) -> bool:
        """Take an event for one kind of reaction.  True for exactly one of all who ask."""
        with self.transaction() as connection:
            return claim(connection, (minion, stream_id, seq, kind), now)

    @contextmanager
    def deciding(self, minion: str) -> Iterator[Runs]:
        """Look at a minion's repairs and start new ones with no one else in between."""
        with self.transaction() as connection:
            yield Runs(connection, minion)

    def finish(self, number: int, now: float) -> None:
        """Note that a repair is over."""
        with self.transaction() as connection:
            connection.execute("UPDATE run SET ended = ? WHERE id = ?", (now, number))

    @contextmanager
    def deciding_about(self, cluster: str) -> Iterator[Deeds]:
        """Look at what was done in a cluster and start something with no one else in between."""
        with self.transaction() as connection:
            yield Deeds(connection, cluster)

    def finish_deed(self, key: str, now: float) -> None:
        """Note that an action on an incident is over."""
        with self.transaction() as connection:
            connection.execute("UPDATE deed SET ended = ? WHERE key = ?", (now, key))

    def silence(self, wanted: Silence) -> None:
        """Begin a maintenance window; it takes the place of one in force."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE silence SET until = min(until, ?), closed = 1 "
                "WHERE cluster = ? AND until > ?",
                (wanted.since, wanted.cluster, wanted.since),
            )
            connection.execute(
                "INSERT INTO silence (cluster, since, until, reason, who) VALUES (?, ?, ?, ?, ?)",
                (wanted.cluster, wanted.since, wanted.until, wanted.reason, wanted.who),
            )

    def unsilence(self, cluster: str, now: float) -> bool:
        """End a maintenance window now; whether there was one."""
        with self.transaction() as connection:
            cursor = connection.execute(
                "UPDATE silence SET until = ? WHERE cluster = ? AND until > ?", (now, cluster, now)
            )
            return cursor.rowcount > 0

    def silence_of(self, cluster: str, now: float) -> Silence | None:
        """The maintenance window of a cluster that is in force."""
        return next((each for each in self.silences(now) if each.cluster == cluster), None)

    def silences(self, now: float) -> list[Silence]:
        """All that are in force, the first to end first."""
        if not self.path.exists():
            return []
        with self.transaction() as connection:
            rows = connection.execute(
                f"SELECT {_SILENCE} FROM silence WHERE until > ? ORDER BY until, cluster", (now,)
            ).fetchall()
        return [_silence(row) for row in rows]

    def has_ended_silences(self, now: float) -> bool:
        """Whether one has ended of which that was not told, and nobody is at it."""
        if not self.path.exists():
            return False
        with self.transaction() as connection:
            (count,) = connection.execute(
                f"SELECT count(*) FROM silence WHERE {_ENDED}", (now, now - CLOSING_SECONDS)
            ).fetchone()
        return bool(count)

    def take_ended_silences(self, now: float) -> list[tuple[int, Silence]]:
        """Those that have ended, with their numbers, for the one who asks to tell of it."""
        with self.transaction() as connection:
            bounds = (now, now - CLOSING_SECONDS)
            rows = connection.execute(
                f"SELECT id, {_SILENCE} FROM silence WHERE {_ENDED}", bounds
            ).fetchall()
            connection.execute(f"UPDATE silence SET closing = ? WHERE {_ENDED}", (now, *bounds))
        return [(row[0], _silence(row[1:])) for row in rows]

    def close_silence(self, number: int) -> None:
        """Its end has been told."""
        with self.transaction() as connection:
            connection.execute("UPDATE silence SET closed = 1 WHERE id = ?", (number,))

    def record(
        self, kind: str, what: str, cluster: str, data: Mapping[str, object], now: float
    ) -> None:
        """Add a row to the audit trail."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO audit (at, kind, what, cluster, data) VALUES (?, ?, ?, ?, ?)",
                (now, kind, what, cluster, json.dumps(data, sort_keys=True)),
            )

    def trail(self, last: int) -> list[dict[str, object]]:
        """The newest rows of the audit trail, oldest first."""
        if not self.path.exists():
            return []
        with self.transaction() as connection:
            rows = connection.execute(
                "SELECT at, kind, what, cluster, data FROM audit ORDER BY id DESC LIMIT ?", (last,)
            ).fetchall()
        return [
            {"at": at, "kind": kind, "what": what, "cluster": cluster, **json.loads(data)}
            for at, kind, what, cluster, data in reversed(rows)
        ]

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The file, with no one else in between; all that is done here counts, or nothing."""
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
        # with its mode, which its journal takes over
        sqlite_file.touch(self.path)
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
        if version == SCHEMA_VERSION:
            return
        for added in _SCHEMAS[version:]:
            for statement in filter(str.strip, added.split(";")):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


_SILENCE = "cluster, since, until, reason, who, closed"
_ENDED = "closed = 0 AND until <= ? AND (closing IS NULL OR closing < ?)"


def _silence(row: tuple[str, float, float, str, str, int]) -> Silence:
    cluster, since, until, reason, who, closed = row
    return Silence(cluster, since, until, reason, who, bool(closed))
