"""One at a time records what happens: the watch, for as long as it lives, or who stands in."""

from __future__ import annotations

import fcntl
import os
import time

from . import files
from .paths import Paths


def take(paths: Paths) -> int | None:
    """Take the lock; return its descriptor, None while another process has it.

    Closing the descriptor, or the end of the process, gives it back.  Raises :class:`OSError`.
    """
    files.make_private(paths.run_dir)
    descriptor = os.open(paths.watch_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def wait(paths: Paths, seconds: float) -> int | None:
    """Take the lock, waiting for it at most so long.  Raises :class:`OSError`."""
    deadline = time.monotonic() + seconds
    while (descriptor := take(paths)) is None and time.monotonic() < deadline:
        time.sleep(0.02)
    return descriptor
