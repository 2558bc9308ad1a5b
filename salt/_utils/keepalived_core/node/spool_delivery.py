"""Who brings the events of a spool to the bus, and how far they got.

Two can: the relay (an engine of the minion, acknowledged, at once) and the beacon (within a second,
unacknowledged).  The relay holds a lease while it lives; the beacon hands over only when there is
none.  Both may send an event twice, neither leaves one out: ``stream_id`` and ``seq`` tell the
repetition.
"""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .. import sqlite_file
from . import process, spool_file
from .event import boot_id
from .spool_file import SpoolError

#: The relay renews its lease this often, and loses it after so long.
LEASE_RENEWED = 2.0
LEASE_SECONDS = 6.0


class Lease(NamedTuple):
    """``owner`` is a :func:`process.self_id`, ``kind`` says what it is, in a word."""

    owner: str
    kind: str


class Delivery:
    """The delivering side of an open spool."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self.path = path

    # -- the lease --

    def lease(self, owner: str, kind: str, seconds: float = LEASE_SECONDS) -> bool:
        """Take or renew the lease; return whether ``owner`` has it now.

        It ends by itself after ``seconds``, with the process that owns it, and with the boot; a
        wall clock that is set does not matter.  Raises :class:`SpoolError`.
        """
        with self._changing():
            holder = self.holder()
            if holder is not None and holder.owner != owner:
                return False
            until = time.monotonic_ns() // 1000 + int(seconds * 1e6)
            self._db.execute("DELETE FROM lease")
            self._db.execute(
                "INSERT INTO lease VALUES (?, ?, ?, ?)", (owner, kind, until, boot_id() or "")
            )
        return True

    def end_lease(self, owner: str) -> None:
        """Give the lease back, if ``owner`` has it.  Raises :class:`SpoolError`."""
        with self._changing():
            self._db.execute("DELETE FROM lease WHERE owner = ?", (owner,))

    def holder(self) -> Lease | None:
        """Return who holds the lease, None when nobody does."""
        if spool_file.schema(self._db) < 2:
            # the watch that made it is of an older version, and so is no relay there
            return None
        row = self._db.execute("SELECT owner, kind, until_us, boot_id FROM lease").fetchone()
        if row is None:
            return None
        owner, kind, until, boot = row
        over = boot != (boot_id() or "") or until <= time.monotonic_ns() // 1000
        return None if over or not process.lives(owner) else Lease(owner, kind)

    # -- the relay: acknowledged, each master for itself --

    def reached(self, master: str) -> int:
        """Return the seq up to which ``master`` has the events.

        One that is new here starts where the delivery is, not at the beginning of the stream.
        """
        row = self._db.execute("SELECT seq FROM reached WHERE master = ?", (master,)).fetchone()
        return row[0] if row else self._delivery()[0]

    def acknowledged(self, master: str, seq: int, owner: str) -> None:
        """Note that ``master`` has everything up to ``seq``.  Raises :class:`SpoolError`."""
        with self._changing():
            confirmed, _, _ = self._delivery()
            confirmed = max(confirmed, seq)
            self._db.execute("INSERT OR REPLACE INTO reached VALUES (?, ?)", (master, seq))
            self._db.execute(
                "UPDATE delivery SET confirmed = ?, handed = ?, owner = ?",
                (confirmed, confirmed, owner),
            )

    # -- the beacon --

    def hand_over(self, limit: int, owner: str) -> list[dict[str, Any]]:
        """Return the next events to deliver, at most ``limit``, the oldest first.

        What one call returned is taken as delivered when the same ``owner`` calls again: a process
        that asks for more has got rid of what it had.  Another owner (a restarted minion) gets
        what was handed out but never confirmed once more, so nothing is lost; ``stream_id`` and
        ``seq`` tell the repetition.  Nothing is handed over while another process has the lease.

        Raises :class:`SpoolError`.
        """
        try:
            if self.idle(owner):
                return []
            with sqlite_file.transaction(self._db):
                holder = self.holder()
                if holder is not None and holder.owner != owner:
                    return []
                confirmed, handed, last_owner = self._delivery()
                start = handed if last_owner == owner else confirmed
                rows = self.read(start, limit)
                end = rows[-1]["seq"] if rows else start
                self._db.execute(
                    "UPDATE delivery SET confirmed = ?, handed = ?, owner = ?", (start, end, owner)
                )
        except sqlite3.Error as err:
            raise SpoolError(f"{self.path}: {err}") from err
        return rows

    def idle(self, owner: str) -> bool:
        """Return whether there is nothing for ``owner`` to hand over or to confirm."""
        # asked without a write lock: this is the case once a second
        confirmed, handed, last_owner = self._delivery()
        (last,) = self._db.execute("SELECT last_seq FROM stream").fetchone()
        if last_owner == owner and confirmed == handed and last <= confirmed:
            return True
        holder = self.holder()
        return holder is not None and holder.owner != owner

    def read(self, after_seq: int = 0, limit: int = 500) -> list[dict[str, Any]]:
        """Return at most ``limit`` events with a seq above ``after_seq``, the oldest first."""
        raise NotImplementedError

    def _delivery(self) -> tuple[int, int, str]:
        return self._db.execute("SELECT confirmed, handed, owner FROM delivery").fetchone()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            with sqlite_file.transaction(self._db):
                yield
        except sqlite3.Error as err:
            raise SpoolError(f"{self.path}: {err}") from err
