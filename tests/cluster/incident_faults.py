"""What can go wrong with a cluster, as data: each fault, and the one incident that it is."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from observer import Observer
from support import CONFIG, NODES, VIP, wait_until

from lab.lab import Lab

OWNER, SECOND, THIRD = "controller3", "controller2", "controller1"
STRANGER = Path(__file__).with_name("stranger.py")
Doing = Callable[[Lab], contextlib.AbstractContextManager[None]]


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong.

    doing: a context manager; inside it the fault is there, afterwards it is not (the rest is
        ``Lab.heal``).
    kind, cause: what the incident is in the end, and the class of its cause as rows tell it.
    truth: from the kernels' rows (in order) and the moment the fault began, when it was so.
    now: the class of the cause that ``explain`` finds by asking the nodes while it is so.
    waits: seconds that pass on purpose before it counts (docs/incidents.md).
    always: part of every run; the others only with SALT_KEEPALIVED_LONG=1.
    """

    name: str
    doing: Doing
    kind: str
    cause: str
    truth: Callable[[Observer, float], float | None]
    now: str | None = None
    waits: float = 0.0
    always: bool = False


# -- when it was so ---------------------------------------------------------------------------


def at_once(_kernel: Observer, begun: float) -> float:
    return begun


def _first(kernel: Observer, begun: float, present: bool, not_by: str = "") -> float | None:
    rows = kernel.changes(since=begun)
    return next((r["time"] for r in rows if r["present"] == present and r["node"] != not_by), None)


def taken(kernel: Observer, begun: float) -> float | None:
    """Another node has the address."""
    return _first(kernel, begun, True, not_by=OWNER)


def gone(kernel: Observer, begun: float) -> float | None:
    """Nobody has it any more, since the last one that had it lost it."""
    rows = kernel.changes(since=begun)
    lost = [row["time"] for row in rows if not row["present"]]
    return lost[-1] if lost else None


def back(kernel: Observer, begun: float) -> float | None:
    """Some node has it again."""
    return _first(kernel, begun, True)


def not_elected(kernel: Observer, begun: float) -> float | None:
    """Nobody took it although an election is over: three adverts and the skew (RFC 5798 6.1)."""
    lost = gone(kernel, begun)
    return None if lost is None else lost + 3 + (256 - 101) / 256


def lost_five_times(kernel: Observer, begun: float) -> float | None:
    rows = kernel.changes(node=OWNER, since=begun)
    lost = [row["time"] for row in rows if not row["present"]]
    return lost[4] if len(lost) > 4 else None


# -- what goes wrong --------------------------------------------------------------------------


def lab_fault(name: str, *arguments: str, **more: str) -> Doing:
    @contextlib.contextmanager
    def doing(lab: Lab) -> Iterator[None]:
        getattr(lab, name)(*arguments, **more)
        try:
            yield
        finally:
            lab.heal()

    return doing


def partition(node: str, direction: str) -> Doing:
    """The node's packets to or from its peers are dropped; the client's are not."""

    @contextlib.contextmanager
    def doing(lab: Lab) -> Iterator[None]:
        for peer in NODES:
            if peer != node:
                lab.partition(node, direction=direction, peer=peer)
        try:
            yield
        finally:
            lab.heal()

    return doing


def firewall(node: str) -> Doing:
    """The node drops all adverts that come in."""
    rule = ["INPUT", "-p", "112", "-j", "DROP"]

    @contextlib.contextmanager
    def doing(lab: Lab) -> Iterator[None]:
        lab.node(node).run(["iptables", "-I", *rule])
        try:
            yield
        finally:
            lab.node(node).run(["iptables", "-D", *rule])

    return doing


def edited(node: str, *changes: tuple[str, str]) -> Doing:
    """Somebody edits keepalived.conf on one node, and reloads it."""

    @contextlib.contextmanager
    def doing(lab: Lab) -> Iterator[None]:
        machine = lab.node(node)
        before = text = machine.read_file(CONFIG)
        for old, new in changes:
            assert old in text, f"{old!r} is not in\n{text}"
            text = text.replace(old, new)
        machine.write_file(CONFIG, text, 0o640)
        machine.run(["systemctl", "reload", "keepalived"])
        try:
            yield
        finally:
            machine.write_file(CONFIG, before, 0o640)
            machine.run(["systemctl", "reload", "keepalived"])

    return doing


@contextlib.contextmanager
def stranger(lab: Lab) -> Iterator[None]:
    """A router that is no member sends better adverts under the same VRID."""
    process = subprocess.Popen(
        ["nsenter", f"--net={lab.state.netns}", sys.executable, str(STRANGER),
         "br-vip", "192.168.1.250", "52", "254", VIP],
        start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        process.kill()
        process.wait()


@contextlib.contextmanager
def hollow(lab: Lab) -> Iterator[None]:
    """The address goes, and keepalived is not able to notice."""
    lab.freeze(OWNER)
    lab.node(OWNER).run(["ip", "address", "del", f"{VIP}/32", "dev", "eth1"])
    try:
        yield
    finally:
        lab.heal()


@contextlib.contextmanager
def removed_by_hand(lab: Lab) -> Iterator[None]:
    lab.node(OWNER).run(["ip", "address", "del", f"{VIP}/32", "dev", "eth1"])
    yield


@contextlib.contextmanager
def all_in_fault(lab: Lab) -> Iterator[None]:
    for node in NODES:
        lab.stop(node, "haproxy")
    try:
        yield
    finally:
        lab.heal()


@contextlib.contextmanager
def flapping(lab: Lab) -> Iterator[None]:
    """The owner's check fails and passes again, five times."""
    node = lab.node(OWNER)
    for _ in range(5):
        node.run(["systemctl", "stop", "haproxy"])
        wait_until(lambda: not node.holds(VIP), 10, "the owner gives the address up")
        node.run(["systemctl", "start", "haproxy"])
        wait_until(lambda: node.holds(VIP), 15, "it has the address again")
    yield


@contextlib.contextmanager
def unplugged(lab: Lab) -> Iterator[None]:
    """The owner has no power any more."""
    node = lab.node(OWNER)
    node.stop(hard=True)
    try:
        yield
    finally:
        node.start()
        node.wait_booted()
        time.sleep(1)


def differs(more: str = "", vrid: int = 52, address: str = "") -> Doing:
    """The instance is not on SECOND what it is on the others."""
    vips = f"{VIP} dev eth1"
    return edited(
        SECOND,
        ("virtual_router_id 52", f"virtual_router_id {vrid}\n    {more}"),
        (vips, f"{vips}\n        {address}"),
    )


#: What rows alone tell of such a split.
DEAF = ("split_brain", "no_adverts")
FAULTS = [
    Fault("packets of the owner are lost, both ways", partition(OWNER, "both"),
          *DEAF, taken, now="no_adverts", always=True),
    Fault("what the owner sends is lost", partition(OWNER, "out"),
          "split_brain", "one_way", taken, now="one_way"),
    Fault("a backup's firewall drops adverts", firewall(SECOND),
          "split_brain", "one_way", taken, now="one_way"),
    Fault("another list of addresses", differs(address="192.168.1.221 dev eth1"),
          "split_brain", "vip_list", taken, now="vip_list"),
    Fault("another password",
          differs("authentication {\n auth_type PASS\n auth_pass other\n }"),
          *DEAF, taken, now="authentication"),
    Fault("another advert_int", differs("advert_int 2"), *DEAF, taken, now="advert_int"),
    Fault("another version", differs("version 3"), *DEAF, taken, now="version"),
    Fault("another VRID", differs(vrid=53), "split_brain", "vrid", taken, now="vrid"),
    Fault("keepalived is frozen on the owner", lab_fault("freeze", OWNER),
          *DEAF, taken, now="frozen"),
    Fault("keepalived is killed on the owner", lab_fault("kill", OWNER, "both"),
          "ghost_vip", "ghost_vip", at_once, now="stopped"),
    Fault("the address goes while keepalived is frozen", hollow,
          "hollow_master", "hollow_master", gone, now="frozen"),
    Fault("the address is removed by hand", removed_by_hand, "failover", "owner_lost", back),
    Fault("the check fails on all nodes", all_in_fault, "no_master", "fault", gone, always=True),
    Fault("a stranger has the same VRID", stranger,
          "no_master", "stranger", not_elected),
    Fault("the check fails on the owner", lab_fault("stop", OWNER, "haproxy"),
          "failover", "fault", taken),
    Fault("the owner's cable is cut", lab_fault("cut", OWNER), "failover", "fault", taken),
    Fault("keepalived is stopped on the owner", lab_fault("stop", OWNER),
          "failover", "stopped", taken, now="stopped"),
    Fault("the owner has no power", unplugged, "failover", "silent", taken,
          waits=3),
    Fault("the check fails on a backup", lab_fault("stop", THIRD, "haproxy"),
          "degraded", "fault", at_once, waits=12),
    Fault("the owner's check fails five times", flapping,
          "flapping", "flapping", lost_five_times),
]  # fmt: skip
