"""What the watch writes is what the master believes."""

from __future__ import annotations

from urllib.parse import quote

from keepalived_core.cluster.event import Event, validate_event
from keepalived_core.node import fifo, netlink
from keepalived_core.node.dump import Dump
from keepalived_core.node.event import Moment, complete
from keepalived_core.node.layout import Layout
from keepalived_core.node.spool import Spool
from keepalived_core.node.state import Instance, Vip
from keepalived_core.node.tracker import Tracker

START = Moment(5_000_000_000, 1_800_000_000_000_000)
VI = Instance(
    "VI PUBLIC",
    vrid=52,
    family="ipv4",
    interface="eth1",
    base_priority=103,
    vips=(Vip("10.0.0.1", 24, "eth1"), Vip("fd00::1", 64, excluded=True)),
)


def told() -> list[dict]:
    """A start, a failure, a lower peer, and a death that leaves the address behind."""
    tracker = Tracker(None)
    tracker.configured(Layout(True, {VI.name: VI}, {"VG1": (VI.name,)}, True))
    now = START

    def later() -> Moment:
        nonlocal now
        now = now.at_monotonic(now.monotonic_us + 100_000)
        return now

    def line(text: str) -> None:
        tracker.line(fifo.parse_line(text.encode()), later())

    def came(address: str, prefix: int) -> None:
        at = later()
        change = netlink.Change("NEWADDR", 7, "eth1", address, prefix, at.monotonic_us)
        tracker.address(change, at)

    at = later()
    tracker.dump(Dump((VI,), 0.0, at.monotonic_us, 1), "resync", at)
    for state in ("BACKUP", "MASTER"):
        line(f'INSTANCE "{VI.name}" {state} 103')
        line(f'GROUP "VG1" {state} 0')
    came("10.0.0.1", 24)
    came("fd00::1", 64)
    line(f'INSTANCE "{VI.name}" MASTER_RX_LOWER_PRI 103')
    line(f'INSTANCE "{VI.name}" FAULT 103')
    line(f'INSTANCE "{VI.name}" MASTER 103')
    tracker.daemon_gone("keepalived died", "netlink", later())
    tracker.tick(now.at_monotonic(now.monotonic_us + 5_000_000))
    drafts = tracker.take()
    return [complete(draft, "controller3", "controllers", False, "2.2.7") for draft in drafts]


def test_every_event_of_the_watch_is_believed(tmp_path) -> None:
    with Spool.create(tmp_path / "spool.db") as spool:
        spool.extend(told())
        rows = spool.tail(100, None, None)

    found = [
        validate_event(
            f"salt/beacon/controller3/keepalived/{quote(row['instance'], safe='')}/{row['to']}", row
        )
        for row in rows
    ]

    assert all(isinstance(each, Event) for each in found), found
    assert {each.to for each in found} == {*("BACKUP", "MASTER", "FAULT", "rx_lower", "ghost")}
    assert {each.type for each in found} == {"instance", "group"}
