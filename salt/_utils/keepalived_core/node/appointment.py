"""The second at which all nodes of a cluster reload: waiting for it, confirming it, calling it off.

Who waits says so in a small file, so that the master can see that every node will be in time; who
calls it off leaves another, which the one who waits sees within a tenth of a second.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from . import files
from .paths import DEFAULT, Paths


class CalledOff(Exception):
    """The appointment was called off; nothing was done."""


def keep(at: int, paths: Paths = DEFAULT) -> None:
    """Wait until the second *at* (since the epoch).  Raises CalledOff, OSError."""
    files.make_private(paths.run_dir)
    here, off = _waiting(paths), _called_off(paths)
    files.write_atomically(here, json.dumps({"at": at, "pid": os.getpid()}))
    try:
        while (left := at - time.time()) > 0:
            if _read(off).get("at") == at:
                raise CalledOff(f"the common reload at {at} was called off; nothing was reloaded")
            # Short: the clock may be set meanwhile, and the order taken back.
            time.sleep(min(0.1, left))
    finally:
        here.unlink(missing_ok=True)


def waits_for(paths: Paths = DEFAULT) -> int | None:
    """The second that somebody on this node waits for; None when nobody does."""
    said = _read(_waiting(paths))
    at, pid = said.get("at"), said.get("pid")
    if not isinstance(at, int) or not isinstance(pid, int) or at < time.time():
        return None
    return at if Path(f"/proc/{pid}").exists() else None


def call_off(at: int, paths: Paths = DEFAULT) -> None:
    """Nobody on this node shall reload at the second *at*.  Raises OSError."""
    files.make_private(paths.run_dir)
    files.write_atomically(_called_off(paths), json.dumps({"at": at}))
    # keepalived itself may have been told.
    paths.reload_time.unlink(missing_ok=True)


def _waiting(paths: Paths) -> Path:
    return paths.run_dir / "appointment.json"


def _called_off(paths: Paths) -> Path:
    return paths.run_dir / "called-off.json"


def _read(path: Path) -> dict[str, object]:
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}
