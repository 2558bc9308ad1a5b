"""The life of the keepalived daemon: noticed at once when it ends, within a second when it starts.

Every process of it is held by a pidfd, which becomes readable the moment that process ends.
"""

from __future__ import annotations

import os
import time

from . import process
from .paths import Paths

#: keepalived starts a dead VRRP process again, at once or after a few seconds; while it is gone
#: nobody speaks for the addresses.
RESPAWN_GRACE = 0.3

FOUND, GONE, CHANGED = "found", "gone", "changed"


class Life:
    """What became of keepalived: ask :meth:`check` whenever a descriptor is readable, and now
    and then without that."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self.daemon: process.Daemon | None = None
        #: How it ended, after :meth:`check` returned GONE.
        self.why = "keepalived does not run"
        self._pidfds: dict[int, int] = {}
        self._vrrp_lost: float | None = None
        self._had_vrrp = False
        self._told_gone = False
        #: When a VRRP process ended whose parent lives, in monotonic seconds.
        self.vrrp_died: float | None = None

    def descriptors(self) -> list[int]:
        """The open pidfds."""
        return list(self._pidfds.values())

    @property
    def due(self) -> float | None:
        """When to :meth:`check` at the latest, in monotonic seconds."""
        if self._vrrp_lost is None or self._told_gone:
            return None
        return self._vrrp_lost + RESPAWN_GRACE

    def check(self, search: bool = False) -> str | None:
        """Look; return FOUND, GONE, CHANGED (another child process) or None.

        :param search: without a pid file, look at every process there is.
        """
        if self.daemon is None:
            found = (process.find if search else process.find_by_pid_file)(self._paths)
            if found is None:
                return None
            self._attach(found)
            return FOUND
        if self.daemon.alive():
            return self._check_children(self.daemon)
        self._drop_ended()
        if self._pidfds:
            # its children shut down by themselves when the parent dies, and say STOP
            return None
        self.close()
        self.why = "keepalived died"
        return None if self._told_gone else GONE

    def vrrp_ended(self) -> bool:
        """Return whether the VRRP process is gone, and :meth:`check` has not seen it yet."""
        daemon = self.daemon
        return daemon is not None and bool(daemon.vrrp) and process.ended(daemon.vrrp or 0)

    def close(self) -> None:
        """Let go of the daemon."""
        for descriptor in self._pidfds.values():
            os.close(descriptor)
        self._pidfds.clear()
        self.daemon = None
        self._vrrp_lost = None

    def _attach(self, daemon: process.Daemon) -> None:
        self.daemon = daemon
        self._vrrp_lost = None
        self._had_vrrp = daemon.vrrp is not None
        self._told_gone = False
        self._hold(daemon.pid, *daemon.children)

    def _hold(self, *pids: int) -> None:
        for pid in pids:
            if pid not in self._pidfds:
                try:
                    self._pidfds[pid] = os.pidfd_open(pid)
                except OSError:
                    # ended already (the next check sees it), or a kernel before 5.3
                    continue

    def _drop_ended(self) -> None:
        for pid, descriptor in list(self._pidfds.items()):
            if process.ended(pid):
                os.close(descriptor)
                del self._pidfds[pid]

    def _check_children(self, daemon: process.Daemon) -> str | None:
        self._drop_ended()
        if process.children(daemon.pid) != daemon.children or daemon.vrrp is None:
            fresh = process.describe(daemon.pid, self._paths)
            if fresh is None:
                return None
            changed = fresh.children != daemon.children or fresh.vrrp != daemon.vrrp
            if daemon.vrrp not in (None, fresh.vrrp):
                self.vrrp_died = time.monotonic()
            self.daemon = daemon = fresh
            self._hold(*fresh.children)
        else:
            changed = False
        if daemon.vrrp is not None:
            was_gone, self._told_gone = self._told_gone, False
            self._had_vrrp, self._vrrp_lost = True, None
            return FOUND if was_gone else CHANGED if changed else None
        if self._had_vrrp and self._vrrp_lost is None:
            self._vrrp_lost = time.monotonic()
        if self.due is not None and time.monotonic() >= self.due:
            self._told_gone = True
            self.why = "keepalived's VRRP process died"
            return GONE
        return CHANGED if changed else None
