"""``metrics`` in the pillar: where the metrics file lies and how often it is written.  Pure.

The same below ``keepalived``, for a node, and below ``keepalived_master``, for the hub.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import textfile

# It stands in a unit of systemd, where blanks, % and quotes mean something.
_PATH = re.compile(r"(?:/[A-Za-z0-9_+-][A-Za-z0-9_.+-]*)+", re.ASCII)
#: Seconds between two writings.
SHORTEST, LONGEST, DEFAULT = 5, 3600, 15
EXAMPLE = "/var/lib/prometheus/node-exporter/keepalived.prom"
_KEYS = ("textfile", "interval")


@dataclass(frozen=True)
class Settings:
    """``textfile``: the path; ``interval``: seconds."""

    textfile: str
    interval: int = DEFAULT


def read(value: Any) -> tuple[Settings | None, list[tuple[str, str]]]:
    """The settings, and what is wrong with them: (path from ``metrics`` on, reason) of each.

    value
        What the pillar has under ``metrics``; None switches the writing off.

    With a mistake there are no settings.
    """
    if value is None:
        return None, []
    if not isinstance(value, Mapping):
        wanted = f"a mapping with textfile belongs here, not {type(value).__name__}"
        return None, [("metrics", wanted)]
    found = []
    for key in value:
        if key not in _KEYS:
            meant = difflib.get_close_matches(str(key)[:40], _KEYS, 1)
            hint = f"did you mean {meant[0]}?" if meant else f"known are {', '.join(_KEYS)}"
            found.append((f"metrics:{str(key)[:40]}", f"no such key; {hint}"))
    path = value.get("textfile")
    if path is None:
        found.append(("metrics:textfile", f"it is missing; it would be {EXAMPLE}"))
    elif not isinstance(path, str) or not _is_path(path):
        found.append(
            (
                "metrics:textfile",
                f"{str(path)[:80]!r} is no absolute path that ends in {textfile.SUFFIX}, of "
                f"letters, digits and ._+- alone; it would be {EXAMPLE}",
            )
        )
    interval = value.get("interval", DEFAULT)
    whole = isinstance(interval, int) and not isinstance(interval, bool)
    if not whole or not SHORTEST <= interval <= LONGEST:
        found.append(
            (
                "metrics:interval",
                f"{str(interval)[:20]!r} is no whole number of seconds from {SHORTEST} to "
                f"{LONGEST}",
            )
        )
    return (None, found) if found else (Settings(str(path), interval), [])


def _is_path(path: str) -> bool:
    return bool(_PATH.fullmatch(path)) and path.endswith(textfile.SUFFIX) and path.count("/") > 1
