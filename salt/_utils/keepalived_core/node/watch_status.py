"""The status file of the watch: what it sees by and what it last saw."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import files
from .paths import Paths

#: It is written at least every 5 s: three missed times is a dead or frozen watch.
STALE = 15.0


def write(paths: Paths, status: Mapping[str, Any]) -> None:
    """Replace the status file; a directory that cannot be written is no reason to stop watching."""
    _write(paths.run_dir, paths.watch_status, status)


def write_poll(paths: Paths, status: Mapping[str, Any]) -> None:
    """The same for who stands in for the watch, in a file of its own: that is no watch."""
    _write(paths.run_dir, paths.poll_status, status)


def _write(directory: Path, path: Path, status: Mapping[str, Any]) -> None:
    with contextlib.suppress(OSError):
        files.make_private(directory)
        text = json.dumps({**status, "updated": time.time(), "monotonic": time.monotonic()})
        files.write_atomically(path, text)


def read(paths: Paths) -> dict[str, Any] | None:
    """Return what a watch that lives, or who stands in for it, has written; None without either.

    Its age is that on the monotonic clock (the directory does not outlive the boot), so a clock
    that is set makes no watch look dead.
    """
    return _read(paths.watch_status, STALE) or _read(paths.poll_status, STALE)


def ever(paths: Paths, within: float) -> bool:
    """Return whether a watch wrote in the last ``within`` seconds."""
    return _read(paths.watch_status, within) is not None


def _read(path: Path, within: float) -> dict[str, Any] | None:
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        age = time.monotonic() - float(told["monotonic"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return told if 0 <= age < within else None
