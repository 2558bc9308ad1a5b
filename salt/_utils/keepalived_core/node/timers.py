"""Tasks of an event loop that come again and again."""

from __future__ import annotations

import time
from collections.abc import Callable


class Timers:
    """Tasks, each with its interval in seconds."""

    def __init__(self) -> None:
        self._tasks: dict[Callable[[], None], tuple[float, float]] = {}

    def every(self, interval: float, task: Callable[[], None], at_once: bool = False) -> None:
        """Run *task* every *interval* seconds, the first time after one of them or at once."""
        first = time.monotonic() + (0 if at_once else interval)
        self._tasks[task] = (first, interval)

    @property
    def due(self) -> list[float]:
        """When each is due, in monotonic seconds."""
        return [at for at, _ in self._tasks.values()]

    def run(self) -> None:
        """Run what is due."""
        now = time.monotonic()
        for task, (at, interval) in self._tasks.items():
            if now >= at:
                self._tasks[task] = (now + interval, interval)
                task()
