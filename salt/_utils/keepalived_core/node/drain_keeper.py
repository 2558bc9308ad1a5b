"""The watch's part in a drain: it ends when its time is over, and not before."""

from __future__ import annotations

import logging

from . import apply, drain_file
from .paths import DEFAULT, Paths

log = logging.getLogger("keepalived.watch")


class DrainKeeper:
    """Ends a drain in time, and puts right a file that forgot that this node is drained."""

    def __init__(self, paths: Paths = DEFAULT) -> None:
        self._paths = paths
        self._problem: str | None = None

    def tend(self) -> None:
        """Look, which costs a stat(2) on a node that is not drained; do what is due."""
        problem = None
        try:
            if done := self._do():
                log.warning("%s", done)
        except OSError as err:
            problem = f"the drain cannot be kept: {err}"
            if problem != self._problem:
                log.error("%s", problem)
        self._problem = problem

    def _do(self) -> str | None:
        if not self._paths.drain_record.exists():
            return None
        record = drain_file.read(self._paths)
        if record is None or drain_file.kept(record, self._paths):
            return None
        try:
            with drain_file.lock(self._paths, timeout=0):
                return drain_file.keep(self._paths)
        except apply.ApplyError:
            return None  # somebody is at it
