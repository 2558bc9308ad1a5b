"""Who had an address when: the seconds without an owner, and with several.  Pure.

Times are the rows' own, in microseconds since the epoch, so the order in which rows arrive changes
no second.  The clocks of the nodes are taken to agree: the seconds are as good as they do.
"""

from __future__ import annotations

import bisect
from collections.abc import Mapping
from typing import Any

#: Changes that are kept one by one; older ones are only counted.
MAX_FLIPS = 1_000


class Owners:
    """The owners of one instance's address.

    saved
        What :meth:`save` returned.
    """

    def __init__(self, saved: Mapping[str, Any] | None = None) -> None:
        data = saved or {}
        #: Who had it before the first of the changes.
        self._before: dict[str, bool] = dict(data.get("before", {}))
        self._flips: list[tuple[int, str, bool]] = [
            (at, node, holds) for at, node, holds in data.get("flips", ())
        ]
        self._begin: int | None = data.get("begin")
        self._without, self._several = data.get("counted", (0, 0))

    def save(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "before": dict(self._before),
            "flips": [list(each) for each in self._flips],
            "begin": self._begin,
            "counted": [self._without, self._several],
        }

    def note(self, at_us: int, node: str, holds: bool, before: bool) -> None:
        """A node got or lost the address.  before: whether it had it until its first change."""
        self._before.setdefault(node, before)
        # of one moment, in the order that the node told them
        bisect.insort(self._flips, (at_us, node, holds), key=_when)
        if len(self._flips) > MAX_FLIPS:
            self._fold(self._flips[MAX_FLIPS // 2][0])

    def knows(self, node: str) -> bool:
        """Whether it was ever said of the node that it has the address, or has not."""
        return node in self._before

    def forget(self, node: str, at_us: int) -> None:
        """A node is no member any more: it counts for nothing from then on."""
        if node in self._before:
            self.note(at_us, node, False, False)

    def begin(self, at_us: int) -> None:
        """Count from here on."""
        self._begin, self._without, self._several = at_us, 0, 0

    def idle(self, before_us: int) -> None:
        """Nothing is counted: changes before that time need not be kept."""
        self._begin = None
        self._fold(before_us)

    def now(self) -> list[str]:
        """Who has it after the last change."""
        holders = self._before | {node: holds for _, node, holds in self._flips}
        return sorted(node for node, holds in holders.items() if holds)

    def seconds(self, until_us: int) -> tuple[float, float]:
        """Seconds without an owner, and with several, since :meth:`begin`."""
        if self._begin is None:
            return 0.0, 0.0
        without, several = self._measure(self._begin, until_us)
        return (self._without + without) / 1e6, (self._several + several) / 1e6

    def _measure(self, since_us: int, until_us: int) -> tuple[int, int]:
        holders = {node for node, holds in self._before.items() if holds}
        found = {0: 0, 2: 0}
        at = since_us
        for when, node, holds in [*self._flips, (until_us, "", False)]:
            end = min(max(when, since_us), until_us)
            if end > at and len(holders) != 1:
                found[min(len(holders), 2)] += end - at
            at = max(at, end)
            (holders.add if holds else holders.discard)(node)
        return found[0], found[2]

    def _fold(self, before_us: int) -> None:
        if self._begin is not None and before_us > self._begin:
            without, several = self._measure(self._begin, before_us)
            self._without += without
            self._several += several
            self._begin = before_us
        place = bisect.bisect_left(self._flips, before_us, key=_when)
        for _, node, holds in self._flips[:place]:
            self._before[node] = holds
        del self._flips[:place]


def _when(flip: tuple[int, str, bool]) -> int:
    return flip[0]
