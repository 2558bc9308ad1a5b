"""What the ledger keeps for the policy: what was begun, and maintenance windows.  Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

#: How long an action may take until it is taken for dead: a stop and a start at systemd's limits
#: of 90 s each, a state that does more, and the verification.
LEASE_SECONDS = 600.0


class Begun(Protocol):
    """What is entered of an action before it begins."""

    @property
    def key(self) -> str:
        """The name under which it is done once."""

    @property
    def minion(self) -> str:
        """The node that is touched."""

    @property
    def told(self) -> str:
        """What it is, for people."""


@dataclass(frozen=True)
class Deed:
    """Something that was begun.  Times are seconds since the epoch; ended is None while it is
    under way, or for ever when the master died in the middle: then lease says until when to
    believe it."""

    key: str
    cluster: str
    minion: str
    action: str
    started: float
    lease: float
    ended: float | None = None


@dataclass(frozen=True)
class Silence:
    """A maintenance window of one cluster: nobody is told and nothing is done until it ends."""

    cluster: str
    since: float
    until: float
    reason: str
    who: str
    #: Whether what was wrong at its end has been told.
    closed: bool = False
