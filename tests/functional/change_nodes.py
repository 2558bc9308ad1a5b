"""Two nodes that hold many virtual routers at once, and what the kernel says of each address.

Every case is an instance of its own with a network of its own, so one reload tries all of them.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vrrp_nodes import Node, Switch, until

from tests.unit.check.change_text import instance

MASTER, BACKUP = "master", "backup"
# As the nodes differ: @p priority, @i the other's, @me, @alt, @peer addresses; as cases do: @n.
_NODES = {
    MASTER: {"@me": "10.99.0.1", "@alt": "10.99.0.11", "@peer": "10.99.0.2", "@p": "150",
             "@i": "100"},
    BACKUP: {"@me": "10.99.0.2", "@alt": "10.99.0.12", "@peer": "10.99.0.1", "@p": "100",
             "@i": "150"},
}  # fmt: skip
HEAD = """
global_defs {
 router_id test
 enable_script_security
 script_user root
}
vrrp_script good {
 script "/usr/bin/test -d /run"
 interval 1
}
vrrp_script plus {
 script "/usr/bin/test -d /run"
 interval 1
 weight 60
}
"""
Words = Mapping[str, Any]
# Another suite's files with the node's own places; 2.3.3 wants the file of its build's options.
_ROOT = """
test ! -d /run/root || exit 0
mkdir /run/root
mount -t overlay overlay -o "lowerdir=$0" /run/root
cp -n /run/root/etc/keepalived/*opts* /etc/keepalived/
for place in run proc dev etc/keepalived; do mount --bind /$place /run/root/$place; done
mount -t tmpfs tmpfs /run/root/tmp
"""


@dataclass
class Case:
    """One change.  old, new: the words of its instance, or of several; group: members of a sync
    group that is there afterwards; master, backup: what is seen when only that node is reloaded,
    and after: who has it when both are; address: which one is looked at; settled: whether the
    master has it first; kind: the class, below 2.3.3 when another table says otherwise.
    """

    name: str
    kind: str
    old: Words | Sequence[Words] | None
    new: Words | Sequence[Words] | None
    master: str = "stays"
    backup: str = "stays"
    after: str = "one"
    address: str = "10.20.@n.100"
    group: Sequence[str] = ()
    settled: bool = True


def text(cases: Mapping[int, Case], node: str, which: int, defaults: Words) -> str:
    """The whole configuration of a node; which: 0 before, 1 after."""
    parts = [HEAD]
    for number, case in cases.items():
        said = (case.old, case.new)[which]
        for words in [] if said is None else [said] if isinstance(said, Mapping) else said:
            own = {
                "virtual_router_id": "@n",
                "priority": "@p",
                "virtual_ipaddress": ["10.20.@n.100/24"],
                **defaults,
                **words,
            }
            parts.append(_fill(instance(own.pop("name", "V@n"), **own), number, node))
        if case.group and which:
            members = "\n".join(f"  {name}" for name in case.group)
            parts.append(_fill(f"vrrp_sync_group G@n {{\n group {{\n{members}\n }}\n}}\n", number))
    return "\n".join(parts)


def _fill(words: str, number: int, node: str = MASTER) -> str:
    for mark, value in _NODES[node].items():
        words = words.replace(mark, value)
    return words.replace("@v", str(number + 100)).replace("@n", str(number))


class Release(Node):
    """A node that runs keepalived of another suite, from the lab's image layers."""

    layers: str = ""

    def start_keepalived(self) -> None:
        if not self.layers:
            super().start_keepalived()
            return
        self.run("sh", "-ec", _ROOT, self.layers)
        command = ("chroot", "/run/root", "/usr/sbin/keepalived", "-n", "-l", "-D")
        self.start(*command, log="keepalived.log", TMPDIR="/run/tmp")
        self.keepalived_pids()  # are written

    def hurry(self) -> None:
        """On a busy machine adverts that come late are failovers that nobody ordered.

        Not by vrrp_rt_priority: its limit of CPU time kills at a large reload.
        """
        todo = [process.pid for process in self._started]
        while todo:
            pid = todo.pop()
            _hurry(pid, 20)
            children = Path(f"/proc/{pid}/task/{pid}/children")
            # it may end at any moment
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                todo += map(int, children.read_text().split())


def _hurry(pid: int, priority: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.sched_setscheduler(pid, os.SCHED_RR, os.sched_param(priority))


class Two:
    """A master and a backup, with a second network between them."""

    def __init__(self, work: Path, layers: str = "") -> None:
        self.switch = Switch()
        self.switch.ip("link", "add", "br1", "type", "bridge")
        self.switch.ip("link", "set", "br1", "up")
        self.nodes: dict[str, Release] = {}
        for number, name in enumerate((MASTER, BACKUP), 1):
            node = Release(self.switch, work, number)
            node.layers = layers
            _hurry(node._observer.pid, 30)
            self.nodes[name] = node
            node.add_interface("eth1", "br1")
            node.run("ip", "addr", "add", f"10.98.0.{number}/24", "dev", "eth1")
            node.run("ip", "addr", "add", f"10.99.0.1{number}/24", "dev", "eth0")
            node.run("ip", "route", "add", "10.20.0.0/16", "dev", "eth0")
            node.run("ip", "link", "add", "m0", "type", "veth", "peer", "name", "m1")

    def close(self) -> None:
        for node in self.nodes.values():
            node.close()
        self.switch.close()

    def reload(self, name: str, config: str) -> None:
        node = self.nodes[name]
        node.configure(config)
        node.signal("HUP", node.keepalived_pids()[0])

    def events(self) -> dict[str, list[tuple[str, str, int]]]:
        return {name: list(node.observed()) for name, node in self.nodes.items()}

    def answers(self, address: str) -> bool:
        """Whether the address answers the backup's ping."""
        ping = self.nodes[BACKUP].enter("ping", "-c1", "-W1", address)
        return subprocess.run(ping, capture_output=True, timeout=9, check=False).returncode == 0


def now() -> int:
    """Microseconds, as the observers count."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


Span = tuple[int, int]


def held(events: Iterable[tuple[str, str, int]], address: str, begin: int, end: int) -> list[Span]:
    """When an address was on a node, between begin and end."""
    found: list[Span] = []
    since = None
    for what, where, when in events:
        if where != address:
            continue
        if what == "NEWADDR" and since is None:
            since = when
        elif what == "DELADDR" and since is not None:
            found.append((since, when))
            since = None
    if since is not None:
        found.append((since, end))
    return [(max(s, begin), min(e, end)) for s, e in found if e > begin and s < end]


def seen(
    events: Mapping[str, list[tuple[str, str, int]]],
    address: str,
    begin: int,
    end: int,
    overlap: float,
) -> str:
    """What became of an address, in one word; overlap: seconds from which on two are two.

    stays: nobody touched it; blinks: taken off and put back at once; moves: went, for a time or
    for good; flash: another one had it for less than overlap; two: two have it; gone: nobody has
    it; comes: somebody has it now; none: nobody ever had it.
    """
    spans = {name: held(events[name], address, begin, end) for name in (MASTER, BACKUP)}
    marks = sorted({begin, end, *(mark for some in spans.values() for one in some for mark in one)})
    history = [
        (
            "".join(
                name for name, some in spans.items() if any(s <= a and b <= e for s, e in some)
            ),
            (b - a) / 1e6,
        )
        for a, b in itertools.pairwise(marks)
    ]
    first, last = history[0][0], history[-1][0]
    both = sum(seconds for who, seconds in history if who == MASTER + BACKUP)
    if last == MASTER + BACKUP or both > overlap:
        return "two"
    if not last:
        return "gone" if first else "none"
    if not first:
        return "comes"
    if len(history) == 1:
        return "stays"
    away = sum(seconds for who, seconds in history if first not in who)
    if last == first and away < 0.1:
        return "blinks" if away else "flash"
    return "moves"


def settled(two: Two, cases: Mapping[int, Case]) -> bool:
    """Whether the master has had every address of the old configuration for a second."""
    events, end = two.events(), now()
    begin = end - 1_000_000
    return all(
        held(events[MASTER], f"10.20.{number}.100", begin, end) == [(begin, end)]
        and not held(events[BACKUP], f"10.20.{number}.100", begin, end)
        for number, case in cases.items()
        if case.old is not None and case.settled
    )


def observe(
    two: Two,
    cases: Mapping[int, Case],
    side: str,
    defaults: Words,
    watch: tuple[float, float],
    overlap: float,
) -> dict[str, tuple[str, str]]:
    """{case: (seen after one side's reload, who has it after the other's too)}.

    watch: seconds after each of the two; overlap: from which on two holders are two.
    """
    for name, node in two.nodes.items():
        node.configure(text(cases, name, 0, defaults))
    for node in two.nodes.values():
        node.start_keepalived()
        node.hurry()
    assert until(lambda: settled(two, cases), 30, 0.2), two.nodes[MASTER].log("keepalived")
    pids = {name: node.keepalived_pids() for name, node in two.nodes.items()}
    other = BACKUP if side == MASTER else MASTER
    begin = now()
    two.reload(side, text(cases, side, 1, defaults))
    time.sleep(watch[0])
    middle = now()
    two.reload(other, text(cases, other, 1, defaults))
    time.sleep(watch[1])
    end = now()
    events = two.events()
    assert {name: node.keepalived_pids() for name, node in two.nodes.items()} == pids
    found = {}
    for number, case in cases.items():
        address = _fill(case.address, number)
        once = seen(events, address, begin, middle, overlap)
        if once == "stays" and case.master == "silent" and not two.answers(address):
            once = "silent"
        late = seen(events, address, end - 300_000, end, overlap)
        found[case.name] = (once, "one" if late == "stays" else late)
    return found
