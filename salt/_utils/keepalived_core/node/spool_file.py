"""The SQLite file under the spool: its tables, its soundness, and how it is opened."""

from __future__ import annotations

import sqlite3
import time
import uuid
from pathlib import Path

from .. import sqlite_file
from . import files

#: 2: who delivers (lease, reached), and signatures in the rows; rows of 1 have none.
SCHEMA = 2
#: A reader takes these as they are; only the watch brings a file up to date.
_READABLE = (1, 2)
#: Longer than any transaction of ours, shorter than a minion's patience.
_BUSY_SECONDS = 2.0

_TABLES = (
    """CREATE TABLE stream (
        stream_id TEXT NOT NULL, schema INTEGER NOT NULL, born_us INTEGER NOT NULL,
        last_seq INTEGER NOT NULL, dropped INTEGER NOT NULL)""",
    """CREATE TABLE events (
        seq INTEGER PRIMARY KEY, time_us INTEGER NOT NULL,
        type TEXT NOT NULL, instance TEXT NOT NULL, row TEXT NOT NULL)""",
    """CREATE TABLE latest (
        type TEXT NOT NULL, instance TEXT NOT NULL, state TEXT NOT NULL,
        seq INTEGER NOT NULL, time_us INTEGER NOT NULL, ghost INTEGER NOT NULL,
        PRIMARY KEY (type, instance))""",
    """CREATE TABLE delivery (
        confirmed INTEGER NOT NULL, handed INTEGER NOT NULL, owner TEXT NOT NULL)""",
    "INSERT INTO delivery VALUES (0, 0, '')",
)
_SINCE_2 = (
    """CREATE TABLE lease (
        owner TEXT NOT NULL, kind TEXT NOT NULL, until_us INTEGER NOT NULL,
        boot_id TEXT NOT NULL)""",
    "CREATE TABLE reached (master TEXT PRIMARY KEY, seq INTEGER NOT NULL)",
)


class SpoolError(Exception):
    """The spool cannot be used; the text names the file and the reason."""


def open_to_write(path: Path) -> tuple[sqlite3.Connection, str | None]:
    """Open the file, making it when it is missing; return it and why it had to be replaced.

    A file that is no sound database is moved to ``PATH.corrupt`` and a new one made; one of an
    older version is brought up to date with all that is in it.  Raises :class:`SpoolError` when
    that cannot be done, and for a file of a newer version, which is left alone.
    """
    try:
        files.make_private(path.parent)
        return sqlite_file.make_or_replace(path, _create)
    except (sqlite3.Error, OSError) as err:
        raise SpoolError(f"{path}: {err}") from err


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open an existing file, to read and to move the delivery cursor.

    Raises :class:`FileNotFoundError` when there is none yet, :class:`SpoolError` when it cannot be
    used.
    """
    try:
        path.stat()
        connection = sqlite_file.connect(path, _BUSY_SECONDS)
    except (sqlite3.Error, PermissionError) as err:
        raise SpoolError(f"{path}: {err}") from err
    try:
        # a cursor lost in a power failure only means that events are handed over again
        connection.execute("PRAGMA synchronous=NORMAL")
        if _is_empty(connection):
            raise FileNotFoundError(f"{path} is being made")
        _check_schema(connection, path)
    except BaseException as err:
        connection.close()
        if isinstance(err, sqlite3.Error):
            raise SpoolError(f"{path}: {err}") from err
        raise
    return connection


def _create(path: Path) -> sqlite3.Connection:
    def bring_up(connection: sqlite3.Connection) -> None:
        if _is_empty(connection):
            for statement in _TABLES:
                connection.execute(statement)
            connection.execute(
                "INSERT INTO stream VALUES (?, 1, ?, 0, 0)",
                (uuid.uuid4().hex, time.time_ns() // 1000),
            )
        if schema(connection) == 1:
            # what a version 1 that is still open uses stays as it is
            for statement in _SINCE_2:
                connection.execute(statement)
            connection.execute("UPDATE stream SET schema = 2")
        _check_schema(connection, path)

    # FULL: every commit is on disk before the event can be sent
    return sqlite_file.make(path, _BUSY_SECONDS, "FULL", 1 << 20, bring_up)


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone() is None


def schema(connection: sqlite3.Connection) -> int:
    """Return the version of an open file; 0 for one that does not say."""
    (found,) = connection.execute("SELECT schema FROM stream").fetchone() or (0,)
    return found


def _check_schema(connection: sqlite3.Connection, path: Path) -> None:
    found = schema(connection)
    if found not in _READABLE:
        raise SpoolError(
            f"{path} has schema {found}, this program knows {SCHEMA}: "
            "it was made by another version"
        )
