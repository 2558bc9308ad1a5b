"""The way of the events to the spool: completed here, and kept while they cannot be stored."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterable, Mapping
from typing import Any

from . import event, planned, settings
from .paths import Paths
from .spool import Spool, SpoolError

log = logging.getLogger("keepalived.watch")

#: Events that cannot be stored (disk full) wait in memory: about 10 MB of them.
MAX_PENDING = 10_000
RETRY = 1.0


class Recorder:
    """Events on their way to disk.  ``problem`` says why they cannot get there, if so."""

    def __init__(self, paths: Paths) -> None:
        """Open the spool.  Raises :class:`SpoolError`."""
        self._paths = paths
        self._pending: list[dict[str, Any]] = []
        self._lost = 0
        self.problem: str | None = None
        self.keepalived_version: str | None = None
        #: When to :meth:`flush` again, in monotonic seconds.
        self.due: float | None = None
        self.spool = self._open()
        self._settings = settings.read(paths)

    def _open(self) -> Spool:
        spool = Spool.create(self._paths.spool)
        if spool.replaced:
            log.error(
                "%s was damaged (%s): moved to %s.corrupt, a new stream begins",
                spool.path,
                spool.replaced,
                spool.path,
            )
        return spool

    def read_settings(self) -> None:
        """Look whether the formula told something new."""
        self._settings = settings.read(self._paths)

    def add(self, drafts: Iterable[Mapping[str, Any]]) -> None:
        """Take events of the tracker."""
        drafts = list(drafts)
        if not drafts:
            return
        is_planned = planned.active(self._paths) is not None
        for draft in drafts:
            self._pending.append(
                event.complete(
                    draft,
                    self._settings.id,
                    self._settings.cluster,
                    is_planned,
                    self.keepalived_version,
                )
            )
        excess = len(self._pending) - MAX_PENDING
        if excess > 0:
            del self._pending[:excess]
            self._lost += excess

    def flush(self) -> bool:
        """Store what is pending; return whether something changed."""
        if not self._pending or (self.due is not None and time.monotonic() < self.due):
            return False
        try:
            self.spool.extend(self._pending, self._lost)
        except sqlite3.OperationalError as err:
            return self._failed(str(err))
        except sqlite3.DatabaseError as err:
            log.error("%s: %s", self._paths.spool, err)
            return self._renew(str(err))
        if self.problem is not None:
            log.info("%s takes events again", self._paths.spool)
        self._pending.clear()
        self._lost, self.problem, self.due = 0, None, None
        return True

    def _renew(self, reason: str) -> bool:
        self.spool.close()
        try:
            self.spool = self._open()
        except SpoolError as err:
            return self._failed(str(err))
        return self._failed(reason)

    def _failed(self, reason: str) -> bool:
        if reason != self.problem:
            log.error("events cannot be stored in %s: %s", self._paths.spool, reason)
        self.problem = reason
        self.due = time.monotonic() + RETRY
        return True

    def summary(self) -> dict[str, Any]:
        """Return the spool's figures for the status file."""
        try:
            stream_id, last_seq, dropped = self.spool.figures()
        except sqlite3.Error:
            return {"pending": len(self._pending)}
        return {
            "stream_id": stream_id,
            "last_seq": last_seq,
            "dropped": dropped + self._lost,
            "pending": len(self._pending),
        }

    def close(self) -> None:
        self.spool.close()
