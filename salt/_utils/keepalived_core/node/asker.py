"""Ask keepalived for its dump without ever waiting for it: for an event loop."""

from __future__ import annotations

import os
import time

from . import dump, process
from .paths import Paths

#: The retry while keepalived starts, or while somebody else holds the lock …
_SOON = 0.1
#: … but one that still does not take the signal after this long never will.
_STARTED = 5.0
#: Each dump stops keepalived's VRRP process for a moment (5 ms for 200 instances, 100 for 2500).
_APART = 0.05


class Asker:
    """At most one question under way, and at most one more wanted."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._request: dump.Request | None = None
        self._lock = -1
        self._wait = dump.FIRST_WAIT
        self._wanted: tuple[float, str] | None = None
        #: What the answer under way, or the last one, was wanted for: ``json`` or ``resync``.
        self.source = "resync"
        #: When :meth:`step` has something to do, in monotonic seconds; None: never.
        self.due: float | None = None
        self._last = 0.0
        #: When the last answer came, in monotonic seconds.
        self.answered = 0.0
        self._unready: float | None = None

    def want(self, source: str, delay: float = 0.0) -> None:
        """Ask in ``delay`` seconds, or earlier if that was wanted before."""
        at = time.monotonic() + delay
        if self._wanted is None or at < self._wanted[0]:
            self._wanted = (at, source)
        self._plan()

    @property
    def explaining(self) -> bool:
        """Whether the next question is about an address that contradicts a state."""
        return self._wanted is not None and self._wanted[1] == "json"

    def explained(self, delay: float) -> None:
        """The contradiction is gone: no need to hurry any more."""
        self._wanted = None
        self.want("resync", delay)

    def step(self, daemon: process.Daemon) -> dump.Dump | None:
        """Do what is due; return the dump when there is one.

        Raises :class:`dump.DumpUnavailable` when a question came to nothing.
        """
        if self.due is None or time.monotonic() < self.due:
            return None
        try:
            if self._request is not None:
                return self._poll()
            self._ask(daemon)
            return None
        except dump.DumpUnavailable:
            self._end()
            raise
        finally:
            self._plan()

    def cancel(self) -> None:
        """Forget what was asked and wanted: that keepalived is gone."""
        self._wanted = None
        self._unready = None
        self._end()
        self._plan()

    def _ask(self, daemon: process.Daemon) -> None:
        assert self._wanted is not None
        _, source = self._wanted
        self._wanted = None
        lock = dump.try_lock(self._paths)
        if lock is None:
            self.want(source, _SOON)
            return
        self._lock = lock
        self.source = source
        self._wait = dump.FIRST_WAIT
        try:
            self._request = dump.Request(daemon)
        except dump.NotReady:
            now = time.monotonic()
            self._unready = self._unready or now
            if now - self._unready > _STARTED:
                raise
            self._end()
            self.want(source, _SOON)
        else:
            self._unready = None

    def _poll(self) -> dump.Dump | None:
        assert self._request is not None
        found = self._request.poll()
        if found is None:
            self._wait = min(self._wait * 2, dump.LONGEST_WAIT)
        else:
            self._end()
            self.answered = self._last
        return found

    def _end(self) -> None:
        self._request = None
        self._last = time.monotonic()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _plan(self) -> None:
        if self._request is not None:
            self.due = time.monotonic() + self._wait
        elif self._wanted is not None:
            self.due = max(self._wanted[0], self._last + _APART)
        else:
            self.due = None
