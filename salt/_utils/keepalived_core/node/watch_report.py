"""What the watch writes into its status file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .watch import Watch


def of(watch: Watch) -> dict[str, Any]:
    """Return it as plain data."""
    sources = ["netlink"]
    if watch.connected:
        sources.append("fifo")
    daemon = watch.life.daemon
    if daemon is not None and watch.json_problem is None:
        sources.append("json")
    return {
        "running": os.getpid(),
        "started": watch.started,
        "sources": sources,
        "spool": watch.recorder.summary(),
        "fifo_configured": watch.tracker.layout.fifo,
        "fifo_garbage": watch.reader.garbage,
        "fifo_overflows": watch.reader.overflows,
        "problems": [
            problem
            for problem in (
                watch.fifo_problem,
                watch.json_problem,
                watch.recorder.problem,
                watch.recorder.key_problem,
            )
            if problem
        ],
        "keepalived": None
        if daemon is None
        else {"pid": daemon.pid, "version": watch.recorder.keepalived_version},
        "instances": watch.tracker.summary(),
    }
