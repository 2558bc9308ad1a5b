"""Who stands in for the watch where there is none: in a container, or without systemd.

The beacon calls it once a second.  It compares what keepalived's JSON dump and the kernel's
addresses say with what was recorded last, and records the difference.  It never waits: a dump that
is asked for in one call is read in the next.  What came and went between two calls is not seen,
and no line of the FIFO is; so its events say ``poll`` as their source.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from . import (
    addresses,
    dump,
    event,
    event_key,
    layout,
    planned,
    process,
    settings,
    watch_lock,
    watch_status,
)
from .event import Moment
from .paths import Paths
from .spool import Spool, SpoolError
from .tracker import Tracker

SOURCE = "poll"
#: A watch that is only being restarted, or that failed just now, has the FIFO for its memory.
WATCH_AWAY = 60.0
#: Without a pid file every process has to be looked at: only in one of so many calls.
SEARCH_EVERY = 10
#: A full disk must not fill the memory of the minion.
MAX_PENDING = 1000


class Identity(NamedTuple):
    """The minion's id, the cluster's name, and what events are signed with.

    Without a ``key`` the one that the node has already is used.
    """

    minion: str
    cluster: str | None
    key: str | None


class Poller:
    """What is known between two calls of :meth:`poll`."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._tracker: Tracker | None = None
        self._request: dump.Request | None = None
        self._daemon: process.Daemon | None = None
        self._version: str | None = None
        self._config: tuple[int, int] | None = None
        self._pending: list[dict[str, Any]] = []
        self._lost = 0
        self._calls = 0

    def poll(self, identify: Callable[[], Identity]) -> bool:
        """Look, and record what is new; return False, having done nothing, where a watch lives.

        :param identify: asked for the node's identity when there is something to do.

        Raises :class:`SpoolError` and :class:`OSError` when they cannot be stored; they are kept.
        """
        lock = watch_lock.take(self._paths)
        if lock is None or watch_status.ever(self._paths, WATCH_AWAY):
            self._tracker = None
            if lock is not None:
                os.close(lock)
            return False
        try:
            who = identify()
            # what the heartbeats of a relay need as well
            settings.write(who.cluster, who.minion, self._paths)
            if who.key is not None:
                event_key.write(who.key, self._paths)
            self._look()
            self._store(who)
        finally:
            os.close(lock)
        return True

    def _look(self) -> None:
        now = Moment.now()
        if self._tracker is None:
            self._tracker = Tracker(_latest(self._paths))
            self._config = None
            self._daemon = None
        tracker = self._tracker
        mark = _mark(self._paths.config)
        if mark != self._config:
            self._config = mark
            tracker.configured(layout.read(self._paths))
        self._find_daemon(tracker, now)
        found, blind = self._answer()
        if blind is not None:
            tracker.blind = blind
        tracker.snapshot(addresses.snapshot(), SOURCE, now)
        if found is not None:
            tracker.dump(found, SOURCE, now)
        self._ask()

    def _find_daemon(self, tracker: Tracker, now: Moment) -> None:
        search = self._calls % SEARCH_EVERY == 0
        self._calls += 1
        before = self._daemon
        if before is not None and before.alive():
            return
        self._daemon = (process.find if search else process.find_by_pid_file)(self._paths)
        if self._daemon is not None:
            self._request = None
            version = process.version()
            self._version = version.text if version else None
            tracker.daemon_found()
        elif before is not None or search:
            self._request = None
            tracker.daemon_gone("keepalived does not run", SOURCE, now)

    def _answer(self) -> tuple[dump.Dump | None, bool | None]:
        """(what keepalived answered to the last call's question, whether it never will)."""
        request, self._request = self._request, None
        if request is None:
            return None, None
        try:
            found = request.poll()
        except (dump.Ended, dump.NotReady):
            return None, None
        except dump.DumpUnavailable:
            return None, True
        if found is None:
            # not yet
            self._request = request
            return None, None
        return found, False

    def _ask(self) -> None:
        if self._daemon is None or self._request is not None:
            return
        try:
            lock = dump.try_lock(self._paths)
            if lock is None:
                return
            # The lock is not kept for a second: whoever asks meanwhile gets a newer dump, and so
            # does this.
            try:
                self._request = dump.Request(self._daemon)
            finally:
                os.close(lock)
        except (dump.Ended, dump.NotReady):
            return
        except dump.DumpUnavailable:
            if self._tracker is not None:
                self._tracker.blind = True

    def _store(self, who: Identity) -> None:
        assert self._tracker is not None
        is_planned = planned.active(self._paths) is not None
        self._pending += [
            event.complete(draft, who.minion, who.cluster, is_planned, self._version)
            for draft in self._tracker.take()
        ]
        excess = max(0, len(self._pending) - MAX_PENDING)
        del self._pending[:excess]
        self._lost += excess
        if self._pending:
            with Spool.create(self._paths.spool) as spool:
                with contextlib.suppress(event_key.NoKey):
                    spool.key = event_key.read(self._paths)
                try:
                    spool.extend(self._pending, self._lost)
                except sqlite3.Error as err:
                    raise SpoolError(f"{self._paths.spool}: {err}") from err
            self._pending, self._lost = [], 0
        watch_status.write_poll(
            self._paths,
            {"sources": [SOURCE], "instances": self._tracker.summary(), "at": time.time()},
        )


def _latest(paths: Paths) -> Any:
    try:
        with Spool.open(paths.spool) as spool:
            return spool.latest()
    except FileNotFoundError:
        return {}


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


_pollers: dict[Paths, Poller] = {}


def poll(paths: Paths, identify: Callable[[], Identity]) -> bool:
    """:meth:`Poller.poll`, with what this process knows from the last call."""
    return _pollers.setdefault(paths, Poller(paths)).poll(identify)
