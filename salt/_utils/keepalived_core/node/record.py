"""What the tracker knows of one instance or sync group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .cause import UNKNOWN
from .event import Moment, rfc3339
from .oddity import Oddity
from .state import Instance

#: An address change this long before a state is told still belongs to it: keepalived writes its
#: line 0.05 to 11 ms later; a dump is there within 50 ms, or given up after 2 s.
EVIDENCE_US = 5_000_000
#: A keepalived that stops takes some milliseconds an address, and answers nothing meanwhile.
STOPPING_US = 60_000_000


@dataclass
class Record:
    """What is known of one instance or sync group.

    ``heard_us`` is when its last FIFO line came, ``moved`` when one of its addresses last came
    (True) or went (False), ``lower`` how many MASTER_RX_LOWER_PRI lines were not yet told,
    ``fault`` why it is or was in FAULT, ``changed_us`` when its configuration was last changed,
    ``stopped_us`` when a keepalived that has not ended yet said that it stops.
    """

    type: str
    name: str
    state: str | None = None
    since: Moment | None = None
    since_wall_us: int = 0
    priority: int | None = None
    details: Instance | None = None
    heard_us: int = -1
    moved: tuple[Moment, bool] | None = None
    ghost: bool = False
    lower: int = 0
    lower_told_us: int | None = None
    lower_heard_us: int | None = None
    fault: str = UNKNOWN
    changed_us: int | None = None
    odd: Oddity | None = None
    stopped_us: int | None = None

    @property
    def settled(self) -> bool:
        """Nothing of a running keepalived's is left in it."""
        return self.state in (None, "STOP", "DELETED")

    def stopping(self, at: Moment) -> bool:
        """Whether its keepalived is about to end: then there is no way back, whatever it seems."""
        return self.stopped_us is not None and at.monotonic_us - self.stopped_us < STOPPING_US

    def seen(self, to: str, at: Moment) -> Moment:
        """Return when the kernel saw the transition, when it did: nearer to it than the teller."""
        if self.moved is None:
            return at
        when, came = self.moved
        near = 0 <= at.monotonic_us - when.monotonic_us <= EVIDENCE_US
        after = self.since is None or when > self.since
        return when if near and after and came == (to == "MASTER") else at

    def entered(self, told: float, at: Moment) -> Moment:
        """Return when keepalived says that it entered this state, if that can be.

        told: seconds since the epoch.
        """
        told_us = int(told * 1e6)
        return at.at_wall(told_us) if self.since_wall_us < told_us <= at.wall_us else at

    def draft(self, details: Instance, group: str | None) -> dict[str, Any]:
        """Return what each event about it has; ``group`` is its sync group."""
        return {
            "type": self.type,
            "instance": self.name,
            "sync_group": self.name if self.type == "group" else group,
            "vrid": details.vrid,
            "family": details.family,
            "interface": details.interface,
            "base_priority": details.base_priority,
            "effective_priority": self.priority,
            "vips": [f"{vip.address}/{vip.prefix}" for vip in details.vips],
        }

    def summary(self, presence: tuple[bool, bool] | None, group: str | None) -> dict[str, Any]:
        """Return what is known of it, as plain data for the status file."""
        return {
            "state": self.state,
            "since": rfc3339(self.since_wall_us) if self.since_wall_us else None,
            "effective_priority": self.priority,
            "vip_present": presence[0] if presence else None,
            "ghost": self.ghost,
            "hollow": bool(self.odd and self.odd.told and self.odd.kind == "hollow"),
            "sync_group": group,
        }
