"""The truth of a lab: each kernel's addresses, what is on the wire, which processes live.

Written apart from the watch, and shares nothing with it.  All times are microseconds of the
monotonic clock, which the machines of a lab have in common with the host.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bench.chaos.compare import Flip, Window
from lab.host import LabError
from lab.lab import Lab
from lab.machine import Node

HERE = Path(__file__).parent
#: The processes are looked at so often; nothing tells the host of their births.
LOOK = 0.2
WATCH = "keepalived_core.node.watch"


def now_us() -> int:
    """The one clock."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


class _Listener:
    """A program whose lines are collected until it is stopped."""

    def __init__(self, argv: list[str], take: Callable[[list], None]) -> None:
        self._process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        self._take = take
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        if not self._ready.wait(30):
            self.stop()
            raise LabError(f"an observer did not begin: {' '.join(argv)}")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._take(json.loads(line))
            self._ready.set()

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        self._thread.join(5)


class Truth:
    """Observes a lab while it is open; a context manager.

    ``adverts``: [time, source, vrid, priority]; ``garps``: [time, MAC, address].
    """

    def __init__(self, lab: Lab, address: str, interface: str = "eth1") -> None:
        self.lab, self.address, self.interface = lab, address, interface
        self.nodes = {node.name: node for node in lab.controllers}
        self.begin = 0
        self.held_at_first: dict[str, bool] = {}
        self.adverts: list[tuple[int, str, int, int]] = []
        self.garps: list[tuple[int, str, str]] = []
        self._flips: dict[str, list[Flip]] = {name: [] for name in self.nodes}
        self._blind: dict[str, list[tuple[int, int | None]]] = {name: [] for name in self.nodes}
        self._dead: dict[str, list[tuple[int, int | None]]] = {name: [] for name in self.nodes}
        self._listeners: dict[str, _Listener] = {}
        self._netns: dict[str, int | None] = {}
        self._seen: dict[str, tuple[int, float | None]] = {}
        self._known: dict[tuple[int, str], tuple[int, str] | None] = {}
        self._stop = threading.Event()
        self._poller = threading.Thread(target=self._poll, daemon=True)

    def __enter__(self) -> Truth:
        for name, node in self.nodes.items():
            self._listen(name, node)
        wire = ["nsenter", f"--net={self.lab.state.netns}", sys.executable]
        self._wire = _Listener([*wire, str(HERE / "observe_wire.py"), "br-vip"], self._on_wire)
        self.begin = now_us()
        self._look()
        self._poller.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._stop.set()
        self._poller.join(10)
        for listener in [*self._listeners.values(), self._wire]:
            listener.stop()

    # -- what was seen --

    def flips(self, name: str) -> list[Flip]:
        """When the address came to this node, and when it went."""
        return list(self._flips[name])

    def holds(self, name: str) -> bool:
        """Whether the node has the address now."""
        flips = self._flips[name]
        return flips[-1].held if flips else self.held_at_first[name]

    def holders(self) -> list[str]:
        """The nodes that have the address now."""
        return [name for name in self.nodes if self.holds(name)]

    def blind(self, name: str) -> list[Window]:
        """When no watch ran on this node, or a stopped one."""
        return [Window(begin, end) for begin, end in self._blind[name]]

    def dead(self, name: str) -> list[tuple[int, int | None]]:
        """When no keepalived process lived on this node."""
        return list(self._dead[name])

    # -- addresses --

    def _listen(self, name: str, node: Node) -> None:
        if name in self._listeners:
            self._listeners.pop(name).stop()
        self._netns[name] = os.stat(node.netns).st_ino
        argv = ["nsenter", f"--net={node.netns}", sys.executable, str(HERE / "observe_node.py")]
        self._listeners[name] = _Listener(
            [*argv, self.interface], lambda row, name=name: self._on_node(name, row)
        )

    def _on_node(self, name: str, row: list) -> None:
        at, what, value = row
        if what == "begin":
            self.held_at_first.setdefault(name, self.address in value)
            self._flip(name, at, self.address in value, "begin")
        elif what in ("came", "went") and value == self.address:
            self._flip(name, at, what == "came", what)

    def _flip(self, name: str, at: int, held: bool, why: str) -> None:
        if held != self.holds(name):
            self._flips[name].append(Flip(at, held, why))

    def _on_wire(self, row: list) -> None:
        at, what, *values = row
        if what == "advert":
            self.adverts.append((at, *values))
        elif what == "garp":
            self.garps.append((at, *values))

    # -- processes --

    def _poll(self) -> None:
        while not self._stop.wait(LOOK):
            self._look()

    def _look(self) -> None:
        now = now_us()
        spaces: dict[int, str] = {}
        for name, node in self.nodes.items():
            try:
                leader = node.pid
                spaces[os.stat(f"/proc/{leader}/ns/pid").st_ino] = name
                space = os.stat(f"/proc/{leader}/ns/net").st_ino
            except (LabError, OSError):
                if self._netns.get(name) is not None:
                    self._netns[name] = None
                    self._flip(name, now, False, "off")
                continue
            if space != self._netns.get(name):
                try:
                    self._listen(name, node)
                except LabError:
                    # its cable is not plugged in yet
                    self._netns[name] = None
        alive = self._processes(spaces)
        for name in self.nodes:
            self._note(self._dead[name], "keepalived" not in alive.get(name, {}), now)
            self._watch(name, alive.get(name, {}).get(WATCH), now)

    def _processes(self, spaces: dict[int, str]) -> dict[str, dict[str, str]]:
        """{node: {process: its state's letter}} of keepalived and the watch."""
        found: dict[str, dict[str, str]] = {}
        for entry in os.listdir("/proc"):
            if not entry.isdecimal():
                continue
            try:
                stat = Path(f"/proc/{entry}/stat").read_text()
                fields = stat[stat.rindex(")") + 2 :].split()
                key = (int(entry), fields[19])
                if key not in self._known:
                    self._known[key] = _what(entry, stat)
            except (OSError, ValueError):
                continue
            about = self._known[key]
            if about is not None and about[0] in spaces and fields[0] not in "ZX":
                found.setdefault(spaces[about[0]], {})[about[1]] = fields[0]
        return found

    def _watch(self, name: str, state: str | None, now: int) -> None:
        last_good, started = self._seen.get(name, (now, None))
        fresh = self._started(name)
        runs = state is not None and state not in "Tt"
        blind = self._blind[name]
        if runs and fresh is not None and fresh != started and started is not None:
            # another watch: nobody looked between the last sight of the old one and its own start
            since = now - int((time.time() - fresh) * 1e6)
            if not blind or blind[-1][1] is not None:
                blind.append((last_good, None))
            blind[-1] = (blind[-1][0], max(since, blind[-1][0]))
        elif runs and blind and blind[-1][1] is None and fresh == started:
            # it was stopped and runs on
            blind[-1] = (blind[-1][0], now)
        elif not runs and (not blind or blind[-1][1] is not None):
            blind.append((last_good, None))
        if runs:
            self._seen[name] = (now, fresh if fresh is not None else started)

    def _started(self, name: str) -> float | None:
        try:
            path = Path(f"/proc/{self.nodes[name].pid}/root/run/salt-keepalived/watch.json")
            return float(json.loads(path.read_text())["started"])
        except (LabError, OSError, ValueError, KeyError):
            return None

    @staticmethod
    def _note(spans: list[tuple[int, int | None]], is_so: bool, now: int) -> None:
        opened = bool(spans) and spans[-1][1] is None
        if is_so and not opened:
            spans.append((now, None))
        elif not is_so and opened:
            spans[-1] = (spans[-1][0], now)


def _what(entry: str, stat: str) -> tuple[int, str] | None:
    name = stat[stat.index("(") + 1 : stat.rindex(")")]
    if name == "keepalived":
        kind = name
    elif name.startswith("python") and WATCH in Path(f"/proc/{entry}/cmdline").read_text():
        kind = WATCH
    else:
        return None
    return os.stat(f"/proc/{entry}/ns/pid").st_ino, kind
