"""The SQLite file under the timeline: its tables, their versions, and how it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from .. import sqlite_file

#: Longer than any transaction of the hub.
BUSY_SECONDS = 5.0

#: ``MIGRATIONS[n]`` brings a file of version n to n + 1; a new file begins at 0.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE streams (
            number INTEGER PRIMARY KEY, minion TEXT NOT NULL, stream_id TEXT NOT NULL,
            first INTEGER NOT NULL, high INTEGER NOT NULL, tail INTEGER NOT NULL,
            gaps TEXT NOT NULL, order_us INTEGER NOT NULL, dropped INTEGER NOT NULL,
            born_us INTEGER NOT NULL, contact_us INTEGER NOT NULL, UNIQUE (minion, stream_id))""",
        """CREATE TABLE events (
            id INTEGER PRIMARY KEY AUTOINCREMENT, stream INTEGER NOT NULL, seq INTEGER NOT NULL,
            minion TEXT NOT NULL, cluster TEXT NOT NULL, type TEXT NOT NULL,
            instance TEXT NOT NULL, state TEXT NOT NULL, order_us INTEGER NOT NULL,
            received_us INTEGER NOT NULL, signed INTEGER NOT NULL, late INTEGER NOT NULL,
            settled TEXT, row TEXT NOT NULL, UNIQUE (stream, seq))""",
        "CREATE INDEX events_minion ON events (minion, order_us)",
        """CREATE TABLE settlers (
            minion TEXT NOT NULL, type TEXT NOT NULL, instance TEXT NOT NULL, data TEXT NOT NULL,
            PRIMARY KEY (minion, type, instance))""",
        "CREATE TABLE facts (minion TEXT PRIMARY KEY, data TEXT NOT NULL)",
        """CREATE TABLE rejected (
            reason TEXT NOT NULL, minion TEXT NOT NULL, culprit TEXT NOT NULL, tag TEXT NOT NULL,
            first_us INTEGER NOT NULL, last_us INTEGER NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (reason, minion, culprit))""",
        "CREATE TABLE counters (name TEXT PRIMARY KEY, count INTEGER NOT NULL)",
        "CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, tag TEXT NOT NULL, "
        "data TEXT NOT NULL)",
        "CREATE TABLE hub (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    ),
    (
        """CREATE TABLE incidents (
            id TEXT PRIMARY KEY, cluster TEXT NOT NULL, state TEXT NOT NULL,
            opened TEXT NOT NULL, changed_us INTEGER NOT NULL, data TEXT NOT NULL)""",
        "CREATE INDEX incidents_opened ON incidents (opened)",
        """CREATE TABLE subjects (
            cluster TEXT NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL,
            PRIMARY KEY (cluster, name))""",
    ),
)


class StoreError(Exception):
    """The timeline cannot be used; the text names the file and the reason."""


def open_to_write(path: Path) -> tuple[sqlite3.Connection, str | None]:
    """Open the file, making it when it is missing; return it and why it had to be replaced.

    Raises :class:`StoreError` when that cannot be done, and for a newer release's file.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return sqlite_file.make_or_replace(path, _create)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path}: {error}") from error


def open_to_read(path: Path) -> sqlite3.Connection | None:
    """Open the file, which nothing read through this can change; None when there is none yet.

    Raises :class:`StoreError` when it cannot be read, or is of another version.
    """
    try:
        if not path.exists():
            return None
        connection = sqlite_file.connect(path, BUSY_SECONDS)
        try:
            connection.execute("PRAGMA query_only=ON")
            version = _version(connection)
        except BaseException:
            connection.close()
            raise
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"{path}: {error}") from error
    if version == 0:
        connection.close()
        return None
    if version != len(MIGRATIONS):
        connection.close()
        raise StoreError(_other_version(path, version))
    return connection


def _create(path: Path) -> sqlite3.Connection:
    def bring_up(connection: sqlite3.Connection) -> None:
        version = _version(connection)
        if version > len(MIGRATIONS):
            raise StoreError(_other_version(path, version))
        for statements in MIGRATIONS[version:]:
            for statement in statements:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")

    # A crash of the process loses nothing; one of the machine perhaps the last seconds, rows and
    # high-water marks alike, and those rows are fetched from the nodes again.
    return sqlite_file.make(path, BUSY_SECONDS, "NORMAL", 16 << 20, bring_up)


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _other_version(path: Path, version: int) -> str:
    newer = version > len(MIGRATIONS)
    return f"{path} has schema {version}, this release knows {len(MIGRATIONS)}: " + (
        "update this master, or move the file away" if newer else "restart salt-master"
    )
