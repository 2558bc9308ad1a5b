"""Why an instance changes its state, as far as the watch has seen the reason itself.

What only keepalived knows is asked of it (:mod:`evidence`); :meth:`Why.of` says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from .cause import UNKNOWN
from .event import Moment
from .netlink import Change

LATE = "happened while the watch was away"
STARTED = "keepalived started"
STOPPED = "keepalived stopped"
ORPHANED = "keepalived's parent process was killed, the VRRP process gave up in order"
RESPAWNED = "keepalived's VRRP process died and was started anew"
RECONFIGURED = "its configuration was changed"
MENDED = "no longer faulty"

#: keepalived comes up, or takes in a new file, within seconds; the handover after a changed
#: priority takes four adverts more.
RECENT_US = 10_000_000
#: keepalived begins in FAULT, which it tells nobody, until each check has run once.
STARTING_US = 3_000_000


class Reason(NamedTuple):
    """``ask`` is what to ask keepalived to know it, or know it better; None: nothing."""

    text: str
    ask: str | None = None


class Why:
    """What was seen of links, processes and the configuration.

    ``orphaned``: keepalived's parent process is gone while its VRRP process still speaks.
    """

    def __init__(self) -> None:
        self.orphaned = False
        self._links: dict[str, str] = {}
        self._started_us = self._respawned_us = -RECENT_US

    def link(self, change: Change) -> None:
        """Take a message about a link."""
        if change.fault is not None and change.ifname:
            self._links[change.ifname] = change.fault

    def started(self, at: Moment) -> None:
        """A keepalived was started."""
        self._started_us = at.monotonic_us
        self._respawned_us = -RECENT_US

    def starting(self, monotonic_us: int) -> bool:
        """Return whether FAULT may still mean that the checks have not run for the first time."""
        last = max(self._started_us, self._respawned_us)
        return monotonic_us - last < STARTING_US

    def respawned(self, at: Moment) -> None:
        """The VRRP process died, and keepalived starts another one."""
        self._respawned_us = at.monotonic_us

    def of(
        self,
        before: str | None,
        to: str,
        at: Moment,
        interfaces: Iterable[str] = (),
        fault: str = UNKNOWN,
        changed_us: int | None = None,
    ) -> Reason:
        """Return the reason of a transition.

        :param interfaces: whose links the instance needs.
        :param fault: why it was in FAULT, when that is what it leaves.
        :param changed_us: when its part of keepalived.conf was last changed, on the monotonic
            clock.
        """
        if to == "STOP":
            return Reason(ORPHANED if self.orphaned else STOPPED)
        if to == "FAULT":
            broken = sorted(
                f"{name} {self._links[name]}" for name in interfaces if self._links.get(name)
            )
            if broken:
                return Reason("; ".join(broken))
            return Reason(UNKNOWN, "fault")
        if before == "FAULT":
            return Reason(MENDED if fault == UNKNOWN else f"{MENDED} (was: {fault})")
        if to == "BACKUP" and self._recent(self._respawned_us, at):
            return Reason(RESPAWNED)
        if before == "STOP" or (before is None and self._recent(self._started_us, at)):
            return Reason(STARTED if to == "BACKUP" else UNKNOWN)
        if changed_us is not None and self._recent(changed_us, at):
            return Reason(RECONFIGURED, "backup" if to == "BACKUP" else None)
        return Reason(UNKNOWN, "backup" if (before, to) == ("MASTER", "BACKUP") else None)

    @staticmethod
    def _recent(when_us: int, at: Moment) -> bool:
        return at.monotonic_us - when_us < RECENT_US
