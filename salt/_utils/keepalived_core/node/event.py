"""An event as it is written to the spool; docs of the fields: the beacon's docstring."""

from __future__ import annotations

import contextlib
import functools
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

SCHEMA = 1
#: States of a living keepalived in which an instance rightly has no address.
OFF_DUTY = ("BACKUP", "FAULT")


@dataclass(frozen=True, order=True)
class Moment:
    """One point in time on both clocks, in microseconds; ordered by the monotonic one."""

    monotonic_us: int
    wall_us: int

    @classmethod
    def now(cls) -> Moment:
        return cls(time.monotonic_ns() // 1000, time.time_ns() // 1000)

    def at_monotonic(self, monotonic_us: int) -> Moment:
        """Return the moment of another monotonic time, seen from this one."""
        return Moment(monotonic_us, self.wall_us + monotonic_us - self.monotonic_us)

    def at_wall(self, wall_us: int) -> Moment:
        """Return the moment of another wall clock time, seen from this one."""
        return Moment(self.monotonic_us + wall_us - self.wall_us, wall_us)


def rfc3339(wall_us: int) -> str:
    """Return a time as the events have it: ``2026-01-31T12:00:00.000001Z``."""
    seconds, rest = divmod(wall_us, 1_000_000)
    return f"{datetime.fromtimestamp(seconds, timezone.utc):%Y-%m-%dT%H:%M:%S}.{rest:06d}Z"


def ghost_outlasts(before: str | None, to: str) -> bool:
    """Return whether a ghost stays what it is through this transition.

    keepalived takes addresses away when it leaves MASTER, and does nothing to them between these.
    """
    return before in OFF_DUTY and to in OFF_DUTY


#: What the watch's unit sets.
BOOT_ID_VARIABLE = "SALT_KEEPALIVED_BOOT_ID"


@functools.cache
def boot_id() -> str | None:
    """Return what names this boot of the machine: monotonic times of two boots do not compare.

    In a container the watch, in its sandbox, would be shown the host's: systemd hands it the
    container's (``%b``, systemd.unit(5)), as everybody else there sees it.
    """
    told = os.environ.get(BOOT_ID_VARIABLE, "")
    with contextlib.suppress(ValueError):
        return str(uuid.UUID(told))
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return None


def complete(
    draft: Mapping[str, Any],
    id: str | None,
    cluster: str | None,
    planned: bool,
    keepalived_version: str | None,
) -> dict[str, Any]:
    """Return ``draft`` (one of the tracker's) with what is true of all events of this node."""
    when: Moment = draft["at"]
    rest = {key: value for key, value in draft.items() if key not in ("type", "at")}
    return {
        "schema": SCHEMA,
        "type": draft["type"],
        "id": id,
        "cluster": cluster,
        **rest,
        "time": rfc3339(when.wall_us),
        "monotonic_us": when.monotonic_us,
        "boot_id": boot_id(),
        "planned": planned,
        "keepalived_version": keepalived_version,
        "time_us": when.wall_us,
    }
