"""What an incident is made from: one row of one node, as far as it matters.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from . import clock
from .saved import known

Key = tuple[str, str, int]  # node, stream_id, seq


@dataclass(frozen=True)
class Mark:
    """What matters of one row.  Times are microseconds since the epoch.

    time_us
        When it happened, by its node's clock; by the master's where that is far ahead.
    stream_id, seq
        Its name; ``seq`` is 0 for what a heartbeat alone says.
    late
        It came after rows that follow it: it changes no state.
    """

    node: str
    instance: str
    to: str
    time_us: int
    received_us: int
    stream_id: str
    seq: int
    came_from: str | None = None
    reason: str | None = None
    planned: bool = False
    group: str | None = None
    vips: tuple[str, ...] = ()
    vrid: int | None = None
    base_priority: int | None = None
    effective_priority: int | None = None
    version: str | None = None
    #: Which boot of its machine wrote it.
    boot: str | None = None
    late: bool = False

    @property
    def key(self) -> Key:
        return self.node, self.stream_id, self.seq

    @property
    def is_state(self) -> bool:
        return self.to.isupper()

    @property
    def is_lowered(self) -> bool:
        """Whether a check has lowered its priority."""
        base, effective = self.base_priority, self.effective_priority
        return base is not None and effective is not None and effective < base

    def save(self) -> dict[str, Any]:
        """All of it as plain data."""
        return asdict(self)

    @classmethod
    def load(cls, saved: Mapping[str, Any]) -> Mark:
        """What :meth:`save` returned."""
        return cls(**{**known(cls, saved), "vips": tuple(saved["vips"])})

    def evidence(self) -> dict[str, Any]:
        """The row as ``explain`` shows it."""
        return {
            "time": clock.render(self.time_us / 1e6),
            "node": self.node,
            "instance": self.instance,
            "from": self.came_from,
            "to": self.to,
            "reason": self.reason,
            "planned": self.planned,
            "late": self.late,
            "stream_id": self.stream_id,
            "seq": self.seq,
        }


def saved_key(saved: Any) -> Key:
    """A key that was plain data meanwhile."""
    node, stream_id, seq = saved
    return str(node), str(stream_id), int(seq)
