"""The status file of the watch: what it sees by and what it last saw."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Mapping
from typing import Any

from . import files
from .paths import Paths


def write(paths: Paths, status: Mapping[str, Any]) -> None:
    """Replace the status file; a directory that cannot be written is no reason to stop watching."""
    with contextlib.suppress(OSError):
        files.make_private(paths.run_dir)
        text = json.dumps({**status, "updated": time.time()})
        files.write_atomically(paths.watch_status, text)
