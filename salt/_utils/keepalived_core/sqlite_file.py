"""A SQLite file that is opened with care: its mode, its soundness, whole transactions.

What the spool of a node and the timeline of the hub have in common; tables are theirs.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from pathlib import Path


def connect(path: Path, busy_seconds: float) -> sqlite3.Connection:
    """Open an existing file.

    busy_seconds
        How long to wait for another's transaction.

    The connection may be used in another thread than this one, never in two at once.
    """
    uri = f"{path.absolute().as_uri()}?mode=rw"
    return sqlite3.connect(
        uri, uri=True, timeout=busy_seconds, isolation_level=None, check_same_thread=False
    )


def touch(path: Path) -> None:
    """Make a file with mode 0600 where there is none: SQLite would ask the umask.

    It is not opened for that: who closes any descriptor of a file gives up all locks that his
    process has on it (fcntl_locking(2)), those of SQLite in other threads among them.

    Raises OSError where no file can be made, or a directory is there.
    """
    try:
        os.mknod(path, 0o600 | stat.S_IFREG)
    except FileExistsError:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path)) from None


def make(
    path: Path,
    busy_seconds: float,
    synchronous: str,
    journal_bytes: int,
    bring_up: Callable[[sqlite3.Connection], None],
) -> sqlite3.Connection:
    """Open a file to write, making it with mode 0600 when it is missing.

    synchronous
        ``FULL``: each commit is on disk before it returns.  ``NORMAL``: a crash of the machine may
        lose the last seconds, never the file.
    journal_bytes
        What the write-ahead log is cut back to.
    bring_up
        Makes its tables or brings them up to date, inside a transaction.

    Raises :class:`sqlite3.DatabaseError` for a file that is no sound database, its subclass
    :class:`sqlite3.OperationalError` when nothing is wrong with the file, and OSError.
    """
    touch(path)
    connection = connect(path, busy_seconds)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute(f"PRAGMA journal_size_limit={journal_bytes}")
        (sound,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if sound != "ok":
            raise sqlite3.DatabaseError(sound)
        with transaction(connection):
            bring_up(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def make_or_replace(
    path: Path, attempt: Callable[[Path], sqlite3.Connection]
) -> tuple[sqlite3.Connection, str | None]:
    """Open with *attempt*; a file that is no sound database is moved to ``PATH.corrupt`` and a new
    one made.  Returns the connection and why the file had to be replaced.

    Raises what *attempt* raises, but for that.
    """
    try:
        return attempt(path), None
    except sqlite3.OperationalError:
        # locked, full, not permitted: nothing is wrong with the file
        raise
    except sqlite3.DatabaseError as error:
        reason = str(error)
    # one is kept, not one for each time: a dying disk must not fill itself
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{path}.corrupt{suffix}")
    return attempt(path), reason


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Everything inside happens or nothing does."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # some errors have rolled back already
        with contextlib.suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise
