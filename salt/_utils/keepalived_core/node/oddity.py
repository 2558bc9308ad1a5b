"""A state and an address that contradict each other while keepalived lives.

Both change within milliseconds of each other; longer than :data:`AFTER_US`, and confirmed by
keepalived since, it is one of

* ``hollow``: MASTER without one of its addresses; a client gets no answer and no peer takes over;
* ``ghost``: an address without being MASTER; two nodes answer for it.
"""

from __future__ import annotations

from dataclasses import dataclass

from .addresses import Held
from .event import OFF_DUTY, Moment
from .state import Instance

AFTER_US = 500_000
#: … of which so much passes before keepalived is asked.
_PATIENCE_US = 200_000


@dataclass
class Oddity:
    """``kind`` is None while all is as it should be; ``confirmed_us`` when keepalived was last
    asked for its states, on the monotonic clock."""

    kind: str | None
    since: Moment
    told: bool = False
    confirmed_us: int = -1

    @property
    def due_us(self) -> int | None:
        """When to look at it again, on the monotonic clock; None: nothing is to be done."""
        if not self.kind or self.told:
            return None
        asked = self.confirmed_us > self.since.monotonic_us + _PATIENCE_US
        return self.since.monotonic_us + (AFTER_US if asked else _PATIENCE_US)

    def doubted(self, at: Moment) -> bool:
        """Return whether keepalived must be asked now."""
        asked = self.confirmed_us > self.since.monotonic_us + _PATIENCE_US
        return bool(self.kind) and not self.told and not asked and self._age(at) >= _PATIENCE_US

    def due(self, at: Moment) -> bool:
        """Return whether it must be told now."""
        asked = self.confirmed_us > self.since.monotonic_us + _PATIENCE_US
        return bool(self.kind) and not self.told and asked and self._age(at) >= AFTER_US

    def _age(self, at: Moment) -> int:
        return at.monotonic_us - self.since.monotonic_us


def kind(state: str | None, presence: tuple[bool, bool] | None) -> str | None:
    """Return what is wrong, None for nothing.

    :param presence: all addresses are held, any is held; None: the instance has none.
    """
    if presence is None:
        return None
    whole, some = presence
    if state == "MASTER":
        return None if whole else "hollow"
    return "ghost" if some and state in OFF_DUTY else None


def sentence(kind: str | None, instance: Instance, held: Held, state: str | None) -> str:
    """Return what is wrong, in words."""
    wrong = [vip.address for vip in instance.vips if held.holds(instance, vip) == (kind == "ghost")]
    return f"{', '.join(wrong[:8])} is {'there' if kind == 'ghost' else 'missing'} in state {state}"
