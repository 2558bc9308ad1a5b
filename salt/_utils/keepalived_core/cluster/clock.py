"""Times as events carry them (RFC 3339, UTC) and spans as people say them (``90s``, ``2h``)."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_RFC3339_UTC = re.compile(
    r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?(?:Z|\+00:00)", re.ASCII
)
_SPAN = re.compile(r"(\d{1,9})\s*([smhd]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


def parse(text: object) -> float | None:
    """Seconds since the epoch for an RFC 3339 time in UTC; None for anything else."""
    match = _RFC3339_UTC.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    day, time, fraction = match.groups()
    try:
        # thousands of times a second in the hub: several times quicker than strptime
        whole = datetime.fromisoformat(f"{day}T{time}+00:00")
    except ValueError:
        return None
    return whole.timestamp() + int((fraction or "0").ljust(6, "0")) / 1e6


def render(seconds: float) -> str:
    """The same time as RFC 3339 in UTC with microseconds."""
    moment = datetime.fromtimestamp(seconds, tz=timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def seconds(text: object) -> float:
    """A length of time: ``90``, ``90s``, ``15m``, ``2h``, ``3d``.  Raises ValueError."""
    match = _SPAN.fullmatch(str(text).strip())
    if match is None or isinstance(text, bool):
        raise ValueError(f"{text!r} is no length of time: give 90s, 15m, 2h or 3d")
    return float(int(match[1]) * _SECONDS[match[2]])


def since(text: object, now: float) -> float:
    """The start of a period: ``90``, ``90s``, ``15m``, ``2h``, ``3d`` ago, or an RFC 3339 time.

    Raises ValueError, with what would be right, for anything else.
    """
    moment = parse(text)
    match = None if moment is not None else _SPAN.fullmatch(str(text).strip())
    if moment is None and (match is None or isinstance(text, bool)):
        raise ValueError(
            f"since={text!r} is no time: give a span back from now (90s, 15m, 2h, 3d) "
            "or a UTC time (2026-11-22T03:04:05Z)"
        )
    if match is not None:
        moment = now - int(match[1]) * _SECONDS[match[2]]
    if moment is None or moment < 0:
        raise ValueError(f"since={text!r} is before 1970")
    return moment


def span(seconds: float) -> str:
    """A length of time in at most two units: ``3 s``, ``2 m 5 s``, ``2 d 3 h``."""
    left = max(0, int(seconds))
    parts = []
    for name, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def offset(told: float, asked: float, answered: float) -> float:
    """By how many seconds at least another clock is ahead (below 0: behind); 0.0 when it may be
    right.

    told: what it said at some moment between *asked* and *answered* of this one.
    """
    return min(0.0, told - asked) or max(0.0, told - answered)
