"""The journal of a node: what it recorded, for people."""

from __future__ import annotations

import sqlite3
from datetime import datetime, timezone
from typing import Any

from . import paths as node_paths
from .spool import Spool, SpoolError

#: How soon a new row is seen, in seconds.
FOLLOW = 0.2


def journal(
    paths: node_paths.Paths = node_paths.DEFAULT,
    last: int = 20,
    since: str | float | None = None,
    instance: str | None = None,
) -> list[dict[str, Any]]:
    """Return what the node recorded, the oldest first; empty when there is no spool yet.

    :param last: how many events at most, above 0.
    :param since: only events from then on: RFC 3339 (UTC when it names no zone) or epoch seconds.
    :param instance: only events of this instance or sync group.

    Raises :class:`ValueError` for a ``last`` or ``since`` that is none, :class:`SpoolError`.
    """
    if last < 1:
        raise ValueError(f"last must be above 0, not {last!r}")
    start = _epoch(since)
    try:
        with Spool.open(paths.spool) as spool:
            return spool.tail(last, start, instance)
    except FileNotFoundError:
        return []
    except sqlite3.Error as err:
        raise SpoolError(f"{paths.spool}: {err}") from err


def _epoch(since: str | float | None) -> float | None:
    if since is None or isinstance(since, (int, float)):
        return since
    try:
        # Python 3.10 does not read the Z
        found = datetime.fromisoformat(since.strip().replace("Z", "+00:00").replace("z", "+00:00"))
    except ValueError:
        raise ValueError(f"since must be a time like 2026-01-31T12:00:00Z, not {since!r}") from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=timezone.utc)
    return found.timestamp()
