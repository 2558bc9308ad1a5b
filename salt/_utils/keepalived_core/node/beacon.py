"""What the beacon has to send: from the spool, cheap while nothing happens."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, NamedTuple

from . import heartbeat, process
from . import paths as node_paths
from .spool import Spool
from .spool_delivery import LEASE_SECONDS

#: File times have the granularity of the kernel's tick: a file changed so recently may change
#: again without its times showing it.
_RACY_NS = 50_000_000


def _signature(path: Path) -> tuple[Any, ...] | None:
    """Return what changes when the spool does; None when it changed too recently to tell."""
    found: list[Any] = []
    for name in (str(path), f"{path}-wal"):
        try:
            stat = os.stat(name)
        except FileNotFoundError:
            found.append(None)
            continue
        if time.time_ns() - stat.st_mtime_ns < _RACY_NS:
            return None
        found.append((stat.st_ino, stat.st_size, stat.st_mtime_ns))
    return tuple(found)


class _Quiet(NamedTuple):
    """The spool with this ``signature`` has nothing to send: at all, or while ``relay`` lives."""

    signature: tuple[Any, ...]
    relay: str | None
    until: float

    def still(self, signature: tuple[Any, ...] | None) -> bool:
        if signature != self.signature or time.monotonic() >= self.until:
            return False
        return self.relay is None or process.lives(self.relay)


#: (path, owner) -> what is known of a spool that had nothing for that owner
_quiet: dict[tuple[Path, str], _Quiet] = {}
#: (path, owner) -> when the next heartbeat is due, and of which stream the last one was
_beats: dict[tuple[Path, str], tuple[float, str]] = {}


def beacon_rows(
    paths: node_paths.Paths = node_paths.DEFAULT, limit: int = 500, owner: str = ""
) -> list[dict[str, Any]]:
    """Return what the beacon has to send now: events in their order, or a heartbeat.

    :param owner: ``process.self_id()`` of the minion process.

    Nothing while a relay has the lease.  Two ``stat`` calls as long as the spool did not change;
    an empty list when there is none yet.  Raises :class:`SpoolError`.
    """
    key = (paths.spool, owner)
    signature = _signature(paths.spool)
    known = _quiet.get(key)
    if known is not None and known.still(signature):
        return []
    _quiet.pop(key, None)
    try:
        with Spool.open(paths.spool) as spool:
            rows = spool.hand_over(limit, owner)
            holder = spool.holder()
            relay = holder.owner if holder is not None and holder.owner != owner else None
            idle = not rows and spool.idle(owner)
            if relay is None and (idle or (rows and rows[-1]["seq"] == spool.last_seq)):
                rows += _heartbeat(paths, spool, key)
    except FileNotFoundError:
        return []
    if idle and signature is not None:
        until = time.monotonic() + LEASE_SECONDS if relay else _beats[key][0]
        _quiet[key] = _Quiet(signature, relay, until)
    return rows


def _heartbeat(
    paths: node_paths.Paths, spool: Spool, key: tuple[Path, str]
) -> list[dict[str, Any]]:
    due, stream = _beats.get(key, (0.0, ""))
    now = time.monotonic()
    if now < due and stream == spool.stream_id:
        return []
    _beats[key] = (now + heartbeat.INTERVAL, spool.stream_id)
    return [heartbeat.make(spool, paths)]
