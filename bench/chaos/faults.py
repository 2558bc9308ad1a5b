"""The faults: each breaks something on one node (or the master) and can be mended.

``inject`` returns what mends it.  Mending twice, or when something else mended it, does no harm.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass

from lab.host import LabError
from lab.lab import Lab
from lab.machine import Node

VIP, PREFIX, INTERFACE = "192.168.1.220", 32, "eth1"
FIFO = "/run/salt-keepalived/notify.fifo"
WATCH = "salt-keepalived-watch.service"

Mend = Callable[[], None]


@dataclass(frozen=True)
class Kind:
    """One kind of fault: ``hold`` is the seconds between breaking and mending (from, to), ``heavy``
    how seldom it comes."""

    inject: Callable[[Lab, str, random.Random], Mend]
    hold: tuple[float, float] = (1.0, 6.0)
    weight: float = 1.0
    master: bool = False


def _run(lab: Lab, node: str, *argv: str, timeout: float = 60) -> None:
    machine = lab.node(node)
    if machine.running:
        machine.run(list(argv), check=False, timeout=timeout)


def _start(lab: Lab, node: str, unit: str = "keepalived") -> None:
    _run(lab, node, "systemctl", "reset-failed", unit)
    _run(lab, node, "systemctl", "start", unit)


def _shell(lab: Lab, node: str, script: str) -> None:
    _run(lab, node, "sh", "-c", script)


def _nothing() -> None:
    pass


# -- keepalived --


def _stop(lab: Lab, node: str, draw: random.Random) -> Mend:
    _run(lab, node, "systemctl", "stop", "keepalived")
    return lambda: _start(lab, node)


def _kill(what: str) -> Callable[[Lab, str, random.Random], Mend]:
    def inject(lab: Lab, node: str, draw: random.Random) -> Mend:
        try:
            lab.kill(node, what=what)
        except LabError:
            # another fault was there before
            return _nothing
        return lambda: _start(lab, node)

    return inject


def _freeze(lab: Lab, node: str, draw: random.Random) -> Mend:
    try:
        lab.freeze(node)
    except LabError:
        return _nothing
    return lambda: lab.thaw(node) if lab.node(node).running else None


def _reloads(lab: Lab, node: str, draw: random.Random) -> Mend:
    _shell(lab, node, "for n in 1 2 3 4 5 6; do systemctl reload keepalived; sleep 0.3; done")
    return _nothing


def _check_fails(lab: Lab, node: str, draw: random.Random) -> Mend:
    _run(lab, node, "systemctl", "stop", "haproxy")
    return lambda: _start(lab, node, "haproxy")


# -- wires and addresses --


def _cut(lab: Lab, node: str, draw: random.Random) -> Mend:
    lab.cut(node)
    return lambda: lab.reconnect(node)


def _partition(direction: str, one_peer: bool = False) -> Callable[[Lab, str, random.Random], Mend]:
    def inject(lab: Lab, node: str, draw: random.Random) -> Mend:
        others = [other.name for other in lab.controllers if other.name != node]
        peer = draw.choice(others) if one_peer else None
        lab.partition(node, direction=direction, peer=peer)
        return lambda: lab.reconnect(node)

    return inject


def _address_taken(lab: Lab, node: str, draw: random.Random) -> Mend:
    _run(lab, _holder(lab) or node, "ip", "addr", "del", f"{VIP}/{PREFIX}", "dev", INTERFACE)
    return _nothing


def _address_added(lab: Lab, node: str, draw: random.Random) -> Mend:
    if lab.node(node).holds(VIP):
        return _nothing
    _run(lab, node, "ip", "addr", "add", f"{VIP}/{PREFIX}", "dev", INTERFACE)
    # keepalived may have become MASTER meanwhile: then the address is its own
    return _nothing if _is_master(lab, node) else lambda: _take_back(lab, node)


def _take_back(lab: Lab, node: str) -> None:
    if lab.node(node).running and not _is_master(lab, node):
        _run(lab, node, "ip", "addr", "del", f"{VIP}/{PREFIX}", "dev", INTERFACE)


def _is_master(lab: Lab, node: str) -> bool:
    return any(
        vrrp.get("state") == "MASTER"
        for vrrp in _status(lab.node(node)).get("instances", {}).values()
    )


def _status(node: Node) -> dict:
    try:
        return json.loads(node.read_file("/run/salt-keepalived/watch.json"))
    except (LabError, ValueError):
        return {}


def _holder(lab: Lab) -> str | None:
    holders = [node.name for node in lab.controllers if node.running and node.holds(VIP)]
    return holders[0] if holders else None


# -- the FIFO, /tmp --


def _fifo_removed(lab: Lab, node: str, draw: random.Random) -> Mend:
    _run(lab, node, "rm", "-f", FIFO)
    return _nothing


def _fifo_full(lab: Lab, node: str, draw: random.Random) -> Mend:
    _run(lab, node, "systemctl", "kill", "-s", "STOP", WATCH)
    script = f"timeout 3 yes 'VS filler UP' | dd of={FIFO} oflag=nonblock bs=13 2>/dev/null"
    _shell(lab, node, script)
    return lambda: _run(lab, node, "systemctl", "kill", "-s", "CONT", WATCH)


def _second_reader(lab: Lab, node: str, draw: random.Random) -> Mend:
    unit = "second-reader"
    _run(lab, node, "systemctl", "stop", unit)
    _run(
        lab,
        node,
        "systemd-run",
        "--collect",
        f"--unit={unit}",
        "sh",
        "-c",
        f"cat {FIFO} >/dev/null",
    )
    return lambda: _run(lab, node, "systemctl", "stop", unit)


def _tmp_full(lab: Lab, node: str, draw: random.Random) -> Mend:
    _shell(lab, node, "mount -t tmpfs -o size=4k none /tmp && echo full > /tmp/filler")
    return lambda: _run(lab, node, "umount", "-l", "/tmp")


# -- what observes and delivers --


def _kill_unit(unit: str) -> Callable[[Lab, str, random.Random], Mend]:
    def inject(lab: Lab, node: str, draw: random.Random) -> Mend:
        _run(lab, node, "systemctl", "kill", "-s", "KILL", unit)
        return lambda: _start(lab, node, unit)

    return inject


def _kill_engine(name: str) -> Callable[[Lab, str, random.Random], Mend]:
    """One child of the minion or the master: its title names the engine."""

    def inject(lab: Lab, node: str, draw: random.Random) -> Mend:
        # the brackets keep the shell itself out
        found = f"pgrep -f '[{name[0]}]{name[1:]}'"
        _shell(lab, node, f"for pid in $({found}); do kill -KILL $pid; done")
        return _nothing

    return inject


def _freeze_watch(lab: Lab, node: str, draw: random.Random) -> Mend:
    _run(lab, node, "systemctl", "kill", "-s", "STOP", WATCH)
    return lambda: _run(lab, node, "systemctl", "kill", "-s", "CONT", WATCH)


def _master_away(lab: Lab, node: str, draw: random.Random) -> Mend:
    _run(lab, node, "systemctl", "stop", "salt-master", timeout=120)
    return lambda: _start(lab, node, "salt-master")


def _reboot(hard: bool) -> Callable[[Lab, str, random.Random], Mend]:
    def inject(lab: Lab, node: str, draw: random.Random) -> Mend:
        lab.reboot(node, hard=hard)
        return _nothing

    return inject


KINDS: dict[str, Kind] = {
    "stop": Kind(_stop, (0.2, 5)),
    "kill parent": Kind(_kill("parent"), (1, 5)),
    "kill child": Kind(_kill("child"), (1, 5)),
    "kill both": Kind(_kill("both"), (1, 8)),
    "freeze 2 s": Kind(_freeze, (2, 2), 0.6),
    "freeze 4 s": Kind(_freeze, (4, 4), 0.6),
    "freeze 10 s": Kind(_freeze, (10, 10), 0.3),
    "check fails": Kind(_check_fails, (2, 6)),
    "reloads": Kind(_reloads, (0, 0)),
    "cut": Kind(_cut, (0.1, 6)),
    "partition": Kind(_partition("both"), (1, 8)),
    "partition in": Kind(_partition("in"), (1, 8), 0.7),
    "partition out": Kind(_partition("out"), (1, 8), 0.7),
    "partition from one": Kind(_partition("both", one_peer=True), (1, 8), 0.7),
    "address taken": Kind(_address_taken, (0, 1)),
    "address added": Kind(_address_added, (1, 6)),
    "FIFO removed": Kind(_fifo_removed, (0, 3)),
    "FIFO full": Kind(_fifo_full, (0, 4)),
    "FIFO read twice": Kind(_second_reader, (3, 8)),
    "/tmp full": Kind(_tmp_full, (3, 10)),
    "watch killed": Kind(_kill_unit(WATCH), (0, 1)),
    "watch frozen": Kind(_freeze_watch, (0.5, 5), 0.5),
    "minion killed": Kind(_kill_unit("salt-minion"), (0, 2), 0.6),
    "relay killed": Kind(_kill_engine("keepalived_relay"), (0, 1), 0.6),
    "hub killed": Kind(_kill_engine("keepalived_hub"), (0, 1), 0.5, master=True),
    "master killed": Kind(_kill_unit("salt-master"), (1, 4), 0.3, master=True),
    "master away": Kind(_master_away, (10, 30), 0.15, master=True),
    "reboot": Kind(_reboot(False), (0, 0), 0.15),
    "plug pulled": Kind(_reboot(True), (0, 0), 0.15),
}

#: What cannot be done in a lab, and why.
LEFT_OUT = {
    "clock jump": "machines of a lab share the host's clock, which is not ours to set",
}
