"""The kernel's own record of an address on every node, kept apart from all that is tested."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from lab.machine import Node

PROGRAM = Path(__file__).with_name("observe_address.py")


class Observer:
    """Records on each node when an address came and went.  A context manager.

    ``rows``: ``{"node", "time", "address", "present"}``, one for each change.
    """

    def __init__(self, nodes: Iterable[Node], *addresses: str) -> None:
        self.addresses = addresses
        self.rows: list[dict] = []
        self._nodes = list(nodes)
        self._processes: list[subprocess.Popen] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Observer:
        for node in self._nodes:
            process = subprocess.Popen(
                ["nsenter", f"--net={node.netns}", sys.executable, str(PROGRAM), *self.addresses],
                stdout=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
            assert process.stdout is not None
            assert json.loads(process.stdout.readline()) == "listening"
            thread = threading.Thread(target=self._read, args=(node.name, process), daemon=True)
            thread.start()
            self._processes.append(process)
            self._threads.append(thread)
        return self

    def __exit__(self, *_exc: object) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
        for thread in self._threads:
            thread.join(5)

    def _read(self, name: str, process: subprocess.Popen) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.rows.append({"node": name, **json.loads(line)})

    def changes(
        self, node: str | None = None, address: str | None = None, since: float = 0.0
    ) -> list[dict]:
        """What happened so far (from *since* on), to all or one, in order of time."""
        rows = [
            row
            for row in self.rows
            if node in (None, row["node"])
            and address in (None, row["address"])
            and row["time"] >= since
        ]
        return sorted(rows, key=lambda row: row["time"])

    def shared_seconds(
        self, start: set[str], address: str | None = None, since: float = 0.0
    ) -> float:
        """For how long, in all, more than one node had the address; *start*: who had it first."""
        return self._seconds(start, lambda count: count > 1, address, since)

    def empty_seconds(self, start: set[str]) -> float:
        """For how long, in all, no node had the address; *start*: who had it first."""
        return self._seconds(start, lambda count: count == 0)

    def _seconds(
        self,
        start: set[str],
        counts: Callable[[int], bool],
        address: str | None = None,
        since: float = 0.0,
    ) -> float:
        holders = set(start)
        total, begun = 0.0, None
        for row in self.changes(address=address, since=since):
            (holders.add if row["present"] else holders.discard)(row["node"])
            if counts(len(holders)) and begun is None:
                begun = row["time"]
            elif not counts(len(holders)) and begun is not None:
                total, begun = total + row["time"] - begun, None
        return total + (time.time() - begun if begun is not None else 0.0)
