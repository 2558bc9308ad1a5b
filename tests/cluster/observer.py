"""The kernel's own record of an address on every node, kept apart from all that is tested.

Uses pyroute2, shares no code with the watch.  As a program (run inside a node's network
namespace) it prints one JSON line for each RTM_NEWADDR and RTM_DELADDR of the address.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from lab.machine import Node


class Observer:
    """Records on each node when *address* came and went.  A context manager.

    ``rows``: ``{"node", "time", "present"}`` in order of time, one for each change.
    """

    def __init__(self, nodes: Iterable[Node], address: str) -> None:
        self.address = address
        self.rows: list[dict] = []
        self._nodes = list(nodes)
        self._processes: list[subprocess.Popen] = []
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Observer:
        for node in self._nodes:
            process = subprocess.Popen(
                ["nsenter", f"--net={node.netns}", sys.executable, __file__, self.address],
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

    def changes(self, node: str | None = None) -> list[dict]:
        """What happened so far, on all nodes or one, in order of time."""
        rows = [row for row in self.rows if node in (None, row["node"])]
        return sorted(rows, key=lambda row: row["time"])

    def shared_seconds(self, start: set[str]) -> float:
        """For how long, in all, more than one node had the address; *start*: who had it first."""
        holders = set(start)
        total, since = 0.0, None
        for row in self.changes():
            (holders.add if row["present"] else holders.discard)(row["node"])
            if len(holders) > 1 and since is None:
                since = row["time"]
            elif len(holders) <= 1 and since is not None:
                total, since = total + row["time"] - since, None
        return total + (time.time() - since if since is not None else 0.0)


def main(address: str) -> None:
    from pyroute2 import IPRoute

    with IPRoute() as ipr:
        ipr.bind()
        print(json.dumps("listening"), flush=True)
        present = bool(ipr.get_addr(address=address))
        while True:
            for message in ipr.get():
                event = message.get("event")
                if event not in ("RTM_NEWADDR", "RTM_DELADDR"):
                    continue
                attributes = dict(message["attrs"])
                found = attributes.get("IFA_LOCAL") or attributes.get("IFA_ADDRESS")
                now = event == "RTM_NEWADDR"
                if found == address and now != present:
                    present = now
                    print(json.dumps({"time": time.time(), "present": present}), flush=True)


if __name__ == "__main__":
    socket.setdefaulttimeout(None)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    main(sys.argv[1])
