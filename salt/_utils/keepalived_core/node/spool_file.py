"""The SQLite file under the spool: its tables, its soundness, and how it is opened."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

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
        try:
            return _create(path), None
        except sqlite3.OperationalError:
            # locked, full, not permitted: nothing is wrong with the file
            raise
        except sqlite3.DatabaseError as err:
            reason = str(err)
        _move_aside(path)
        return _create(path), reason
    except (sqlite3.Error, OSError) as err:
        raise SpoolError(f"{path}: {err}") from err


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open an existing file, to read and to move the delivery cursor.

    Raises :class:`FileNotFoundError` when there is none yet, :class:`SpoolError` when it cannot be
    used.
    """
    try:
        path.stat()
        connection = _connect(path)
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


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside happens, durably, or nothing does."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # some errors have rolled back already
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _create(path: Path) -> sqlite3.Connection:
    if not path.exists():
        # sqlite would make it with the wrong mode
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = _connect(path)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        # every commit is on disk before the event can be sent
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA journal_size_limit=1048576")
        (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if sound != "ok":
            raise sqlite3.DatabaseError(sound)
        with transaction(connection):
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
    except BaseException:
        connection.close()
        raise
    return connection


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


def _connect(path: Path) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode=rw"
    # the watch opens it in one thread and uses it in another, never in two at once
    return sqlite3.connect(
        uri, uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _move_aside(path: Path) -> None:
    # one is kept, not one for each time: a dying disk must not fill itself
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{path}.corrupt{suffix}")
