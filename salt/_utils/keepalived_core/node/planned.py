"""The marker that says: what happens now on this node was meant to happen.

A state or verb that is about to move an address sets it; the watch copies it into the events, and
whoever alerts or repairs leaves planned ones alone.  It runs out by itself: a marker forgotten by
a run that died cannot silence the node.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass

from . import files
from . import paths as node_paths

#: A marker is for one action, not for a maintenance window of days.
LONGEST = 24 * 3600


@dataclass(frozen=True)
class Planned:
    """``until`` is in seconds since the epoch; ``jid`` the Salt job that set it, if any."""

    until: float
    reason: str
    jid: str | None = None


def begin(
    seconds: float,
    reason: str,
    jid: str | None = None,
    paths: node_paths.Paths = node_paths.DEFAULT,
) -> Planned:
    """Declare what happens in the next ``seconds`` as planned; replaces an earlier marker.

    Raises :class:`ValueError` for a time that is not above 0 and at most a day, :class:`OSError`
    when the marker cannot be written.
    """
    if not 0 < seconds <= LONGEST:
        raise ValueError(f"seconds must be above 0 and at most {LONGEST}, not {seconds!r}")
    marker = Planned(time.time() + seconds, str(reason), jid)
    files.make_private(paths.run_dir)
    files.write_atomically(paths.planned, json.dumps(asdict(marker)))
    return marker


def end(paths: node_paths.Paths = node_paths.DEFAULT) -> bool:
    """Remove the marker; return whether one was there."""
    try:
        paths.planned.unlink()
    except FileNotFoundError:
        return False
    return True


def active(paths: node_paths.Paths = node_paths.DEFAULT) -> Planned | None:
    """Return the marker in force, or None.  An expired or unreadable one does not count."""
    try:
        data = json.loads(paths.planned.read_text())
        marker = Planned(float(data["until"]), str(data["reason"]), data.get("jid"))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    # a clock set back must not make a marker last: none is written for longer than LONGEST
    left = marker.until - time.time()
    return marker if 0 < left <= LONGEST else None
