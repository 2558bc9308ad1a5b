"""The heartbeat: a signed word on how far a node's stream goes, and what its states are.

Without it nobody would miss the last event of a stream when just that one is lost.  It has no
number of its own and is stored nowhere: whoever delivers makes one when it is due.
"""

from __future__ import annotations

import contextlib
from datetime import datetime
from typing import Any

from .. import signing
from . import event, event_key, settings, watch_status
from .paths import Paths
from .spool import Spool

#: Seconds between two of them; a new stream is told at once.
INTERVAL = 10.0
#: Where an event's tag names the instance.
INSTANCE = "node"


def make(spool: Spool, paths: Paths) -> dict[str, Any]:
    """Return a heartbeat of this moment, signed when the node has a key.

    ``seq`` is that of the newest event, ``first`` that of the oldest one that can still be fetched.
    ``states`` is ``{instance: [state, vip_present, since_us]}``, empty when nobody watches.
    Raises :class:`sqlite3.Error`.
    """
    who = settings.read(paths)
    now = event.Moment.now()
    stream_id, last_seq, dropped = spool.figures()
    told = watch_status.read(paths)
    row: dict[str, Any] = {
        "schema": event.SCHEMA,
        "type": "node",
        "id": who.id,
        "cluster": who.cluster,
        "stream_id": stream_id,
        "seq": last_seq,
        "first": spool.first_seq,
        "dropped": dropped,
        "instance": INSTANCE,
        "to": "heartbeat",
        "time": event.rfc3339(now.wall_us),
        "monotonic_us": now.monotonic_us,
        "boot_id": event.boot_id(),
        "planned": False,
        "watched": told is not None,
        "states": _states(told),
    }
    key = None
    with contextlib.suppress(event_key.NoKey):
        key = event_key.read(paths)
    row["signature"] = signing.sign(row, key) if key else None
    return row


def _states(told: dict[str, Any] | None) -> dict[str, list[Any]]:
    instances = (told or {}).get("instances")
    if not isinstance(instances, dict):
        return {}
    return {
        name: [one.get("state"), one.get("vip_present"), _microseconds(one.get("since"))]
        for name, one in instances.items()
        if isinstance(one, dict)
    }


def _microseconds(since: object) -> int | None:
    if not isinstance(since, str):
        return None
    try:
        # Python 3.10 does not read the Z
        moment = datetime.fromisoformat(since.replace("Z", "+00:00"))
    except ValueError:
        return None
    return round(moment.timestamp() * 1e6)
