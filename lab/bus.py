"""Listen on the master's event bus of a lab, and wait for what should come."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

from lab.host import LabError
from lab.lab import Lab

Event = tuple[str, dict[str, Any]]
_READY = "lab/keepalived/ready"


class EventTap:
    """Our events on the master's bus, from ``start`` on; use it as a context manager.

    ``seen`` holds ``(tag, data)`` in order of arrival; ``show`` is called with each of them as
    ``pump`` or ``wait`` takes it in.
    """

    def __init__(self, lab: Lab, show: Callable[[str, dict[str, Any]], None] | None = None) -> None:
        self.lab, self.show = lab, show
        self.seen: list[Event] = []
        self._rest = b""
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> EventTap:
        self._process = self.lab.master.popen(
            ["salt-run", "--no-color", "state.event", "tagmatch=*keepalived*"]
        )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        # The listener says nothing when it is ready: speak until it hears.
        deadline = time.monotonic() + 30
        while not any(tag == _READY for tag, _ in self.seen):
            if time.monotonic() > deadline:
                self._stop()
                raise LabError("the listener on the master's event bus did not come up")
            self.lab.salt_run("event.send", _READY)
            self.pump()
        self.seen.clear()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        err: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def pump(self) -> None:
        """Take in what has arrived."""
        assert self._process is not None and self._process.stdout is not None
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._process.stdout.fileno(), 65536):
                self._rest += chunk
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            tag, _, rest = line.decode("utf-8", "replace").partition("\t")
            try:
                data = json.loads(rest)
            except ValueError:
                continue  # a log line
            tag = tag.strip()
            if not tag.startswith(("salt/beacon/", "keepalived/", "lab/")):
                continue  # Salt's own events about our runners and jobs
            self.seen.append((tag, data))
            if self.show is not None and tag != _READY:
                self.show(tag, data)

    def wait(
        self, what: str, wanted: Callable[[str, dict[str, Any]], bool], timeout: float
    ) -> dict[str, Any]:
        """Data of the first event for which ``wanted(tag, data)`` holds, seen already or to come.

        Raises LabError naming *what* and all that came instead.
        """
        deadline = time.monotonic() + timeout
        looked = 0
        while True:
            self.pump()
            for tag, data in self.seen[looked:]:
                if wanted(tag, data):
                    return data
            looked = len(self.seen)
            if time.monotonic() > deadline:
                came = "\n".join(tag for tag, _ in self.seen) or "nothing"
                raise LabError(f"no event within {timeout:g} s: {what}; what came:\n{came}")
            time.sleep(0.02)

    def transitions(self, **fields: Any) -> list[dict[str, Any]]:
        """Data of the events seen so far that have these fields; heartbeats are none of them."""
        self.pump()
        return [
            data
            for tag, data in self.seen
            if tag.startswith("salt/beacon/")
            and data.get("to") != "heartbeat"
            and fields.items() <= data.items()
        ]
