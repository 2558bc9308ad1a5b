"""The journal of a node: what it recorded, for people."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from datetime import datetime, timezone
from typing import Any

from . import heartbeat
from . import paths as node_paths
from .spool import Spool, SpoolError

#: How soon a new row is seen, in seconds.
FOLLOW = 0.2
#: What one answer may hold; 10,000 events are about 7 MB.
MOST_ROWS = 10_000


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


def rows(
    paths: node_paths.Paths = node_paths.DEFAULT,
    stream_id: str | None = None,
    after: int = 0,
    limit: int = 1000,
) -> list[dict[str, Any]]:
    """Return rows for the hub, as they are stored, and last a heartbeat of this moment.

    :param stream_id: the stream it knows; of another one only the heartbeat is returned, which
        says which there is now.  None: the newest rows.
    :param after: only rows with a seq above this.
    :param limit: how many at most.

    Empty when there is no spool.  Raises :class:`ValueError`, :class:`SpoolError`.
    """
    if after < 0 or not 0 <= limit <= MOST_ROWS:
        raise ValueError(
            f"after must be 0 or more and limit 0 to {MOST_ROWS}, not {after!r} and {limit!r}"
        )
    try:
        with Spool.open(paths.spool) as spool:
            found: list[dict[str, Any]] = []
            if stream_id is None:
                found = spool.tail(limit) if limit else []
            elif stream_id == spool.stream_id:
                found = spool.read(after, limit)
            return [*found, heartbeat.make(spool, paths)]
    except FileNotFoundError:
        return []
    except sqlite3.Error as err:
        raise SpoolError(f"{paths.spool}: {err}") from err


def follow(
    paths: node_paths.Paths = node_paths.DEFAULT, last: int = 20, instance: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the last events and then each one as it comes, for ever.

    A spool that is made anew, or only later, is followed too.  Raises :class:`SpoolError`.
    """
    stream, seq = None, 0
    while True:
        try:
            with Spool.open(paths.spool) as spool:
                inode = os.stat(paths.spool).st_ino
                while os.stat(paths.spool).st_ino == inode:
                    if stream is None:
                        stream, seq = spool.stream_id, spool.last_seq
                        before = spool.tail(last, None, instance) if last else []
                        yield from (row for row in before if row["seq"] <= seq)
                    elif stream != spool.stream_id:
                        stream, seq = spool.stream_id, 0
                    found = spool.read(seq, 500)
                    for row in found:
                        seq = row["seq"]
                        if instance in (None, row["instance"]):
                            yield row
                    if not found:
                        time.sleep(FOLLOW)
        except FileNotFoundError:
            time.sleep(FOLLOW)
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
