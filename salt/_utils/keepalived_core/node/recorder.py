"""The way of the events to the spool: completed here, and kept while they cannot be stored.

A thread of its own writes them.  To be durable a commit waits for the disk, which on a busy machine
takes seconds; meanwhile the watch must go on hearing, or every event would get the time at which
the disk let go.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from .. import signing
from . import event, event_key, planned, settings, wake
from .paths import Paths
from .spool import Spool, SpoolError

log = logging.getLogger("keepalived.watch")

#: Events that cannot be stored (disk full) wait in memory: about 10 MB of them.
MAX_PENDING = 10_000
RETRY = 1.0
#: How long the end of the watch may wait for the disk, in seconds.
FAREWELL = 5.0


class Recorder:
    """Events on their way to disk.

    ``problem`` says why they cannot get there, if so, ``key_problem`` why they are not signed
    although there is a key.  :meth:`fileno` becomes readable when
    something was stored or failed; :meth:`news` then resets it.
    """

    def __init__(self, paths: Paths) -> None:
        """Open the spool.  Raises :class:`SpoolError`."""
        self._paths = paths
        self._settings = settings.read(paths)
        self.keepalived_version: str | None = None
        self.problem: str | None = None
        self.key_problem: str | None = None
        self._key: str | None = None
        self._read_key()
        self._spool = self._open()
        self.latest = self._spool.latest()
        #: Whether somebody recorded in the watch's stead until now: then lines that still wait in
        #: the FIFO tell what is recorded already.
        self.stood_in = any(
            row["source"] == "poll" for row in self._spool.tail(1) if "source" in row
        )
        self._figures = self._spool.figures()
        self._changed = threading.Condition()
        self._pending: list[dict[str, Any]] = []
        self._writing = 0
        self._lost = 0
        self._closing = False
        self._news = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether events still get stored; an error nobody foresaw ends that."""
        return self._thread.is_alive()

    def fileno(self) -> int:
        return self._news

    def news(self) -> bool:
        """Return whether something was stored or failed since the last call."""
        try:
            return os.eventfd_read(self._news) > 0
        except BlockingIOError:
            return False

    def read_settings(self) -> None:
        """Look whether the formula told something new."""
        self._settings = settings.read(self._paths)
        self._read_key()

    def add(self, drafts: Iterable[Mapping[str, Any]]) -> None:
        """Take events of the tracker; they are stored in this order."""
        drafts = list(drafts)
        if not drafts:
            return
        is_planned = planned.active(self._paths) is not None
        whole = [
            event.complete(
                draft,
                self._settings.id,
                self._settings.cluster,
                is_planned,
                self.keepalived_version,
            )
            for draft in drafts
        ]
        with self._changed:
            self._pending += whole
            excess = max(0, len(self._pending) - MAX_PENDING)
            del self._pending[:excess]
            self._lost += excess
            self._changed.notify()

    def summary(self) -> dict[str, Any]:
        """Return the spool's figures for the status file."""
        stream_id, last_seq, dropped = self._figures
        with self._changed:
            return {
                "stream_id": stream_id,
                "last_seq": last_seq,
                "dropped": dropped + self._lost,
                "pending": len(self._pending) + self._writing,
                "event_key": signing.key_id(self._key) if self._key else None,
            }

    def close(self) -> None:
        """Store what is left, as far as the disk allows in :data:`FAREWELL` seconds."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(FAREWELL)

    # -- the thread --

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._pending or self._closing)
                batch, self._pending = self._pending, []
                lost, self._lost = self._lost, 0
                self._writing = len(batch)
            if not batch:
                break
            stored = self._store(batch, lost)
            with self._changed:
                self._writing = 0
                if not stored:
                    self._pending[:0] = batch
                    self._lost += lost
            os.eventfd_write(self._news, 1)
            with self._changed:
                if not stored and not self._closing:
                    self._changed.wait_for(lambda: self._closing, RETRY)
                elif not stored:
                    break
        self._spool.close()

    def _store(self, batch: list[dict[str, Any]], lost: int) -> bool:
        try:
            self._spool.key = self._key
            self._spool.extend(batch, lost)
            self._figures = self._spool.figures()
        except sqlite3.OperationalError as err:
            return self._failed(str(err))
        except sqlite3.DatabaseError as err:
            self._failed(str(err))
            return self._renew()
        if self.problem is not None:
            log.info("%s takes events again", self._paths.spool)
        self.problem = None
        wake.wake(self._paths)
        return True

    def _renew(self) -> bool:
        self._spool.close()
        try:
            self._spool = self._open()
        except SpoolError as err:
            return self._failed(str(err))
        return False

    def _failed(self, reason: str) -> bool:
        if reason != self.problem:
            log.error("events cannot be stored in %s: %s", self._paths.spool, reason)
        self.problem = reason
        return False

    def _read_key(self) -> None:
        problem = None
        try:
            self._key = event_key.read(self._paths)
        except event_key.NoKey as err:
            # the one before is better than none
            problem = str(err)
        if problem and problem != self.key_problem:
            log.error("events are not signed anew: %s", problem)
        self.key_problem = problem

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
