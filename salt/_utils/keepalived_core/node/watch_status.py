"""The status file of the watch: what it sees by and what it last saw."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

from . import files
from .paths import Paths

#: It is written at least every 5 s: three missed times is a dead or frozen watch.
STALE = 15.0


def write(paths: Paths, status: Mapping[str, Any]) -> None:
    """Replace the status file; a directory that cannot be written is no reason to stop watching."""
    with contextlib.suppress(OSError):
        files.make_private(paths.run_dir)
        text = json.dumps({**status, "updated": time.time(), "monotonic": time.monotonic()})
        files.write_atomically(paths.watch_status, text)


def read(paths: Paths) -> dict[str, Any] | None:
    """Return what a watch that lives has written; None when it is too old, or there is none.

    Its age is that on the monotonic clock (the directory does not outlive the boot), so a clock
    that is set makes no watch look dead.
    """
    return _read(paths, STALE)


def ever(paths: Paths, within: float) -> bool:
    """Return whether a watch wrote in the last ``within`` seconds."""
    return _read(paths, within) is not None


def _read(paths: Paths, within: float) -> dict[str, Any] | None:
    try:
        told = json.loads(paths.watch_status.read_text(encoding="utf-8"))
        age = time.monotonic() - float(told["monotonic"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if 0 <= age < within else None
