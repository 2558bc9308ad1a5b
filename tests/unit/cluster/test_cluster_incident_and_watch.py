"""What the watches of three nodes see, and which incidents come of it.

A step is (second, node, words):

    line STATE       keepalived's FIFO said so; with a number, that priority
    + | -            the kernel says that the address came, or went
    dump STATE       keepalived, asked, says so
    gone WHY         no keepalived runs any more
    started          one was started
"""

from __future__ import annotations

import dataclasses

import pytest
from incident_play import EPOCH, NODES, Play

from keepalived_core.cluster.event import Event, validate_event
from keepalived_core.cluster.incident_state import REMOVED
from keepalived_core.node import cause, fifo, netlink
from keepalived_core.node.dump import Dump
from keepalived_core.node.event import Moment, complete
from keepalived_core.node.layout import Layout
from keepalived_core.node.state import Instance, Vip
from keepalived_core.node.tracker import Tracker

VI = Instance("VI", vrid=52, family="ipv4", interface="eth1", base_priority=100,
              vips=(Vip("10.0.0.1", 24, "eth1"),))  # fmt: skip


class Watch:
    """One node's tracker, with what the watch does around it."""

    def __init__(self, node: str) -> None:
        self.node = node
        self.tracker = Tracker(None)
        self.tracker.configured(Layout(True, {"VI": VI}, {}, True))
        self.state = "BACKUP"

    def at(self, second: float) -> Moment:
        return Moment(round((5000 + second) * 1e6), round((EPOCH + second) * 1e6))

    def do(self, second: float, words: str) -> list[tuple]:
        at = self.at(second)
        word, _, rest = words.partition(" ")
        if word == "line":
            self.state, _, priority = rest.partition(" ")
            line = f'INSTANCE "VI" {self.state} {priority or 100}'
            self.tracker.line(fifo.parse_line(line.encode()), at)
        elif word in "+-":
            kind = "NEWADDR" if word == "+" else "DELADDR"
            change = netlink.Change(kind, 7, "eth1", "10.0.0.1", 24, at.monotonic_us)
            self.tracker.address(change, at)
        elif word == "dump":
            self.state = rest or self.state
            found = dataclasses.replace(VI, state=self.state, effective_priority=100)
            self.tracker.dump(Dump((found,), 0.0, at.monotonic_us, 1), "json", at)
        elif word == "gone":
            self.tracker.daemon_gone(rest, "netlink", at)
        elif word == "started":
            self.tracker.daemon_found(at)
        return self.told()

    def look(self, second: float) -> list[tuple]:
        """As the watch does all the time; keepalived, when asked, tells the same state."""
        at = self.at(second)
        if self.tracker.look(at):
            self.do(second, "dump")
        self.tracker.tick(at)
        return self.told()

    def told(self) -> list[tuple]:
        found = []
        for draft in self.tracker.take():
            row = complete(draft, self.node, "controllers", False, "2.2.7")
            row = {**row, "stream_id": "0123456789abcdef", "seq": 1}
            tag = f"salt/beacon/{self.node}/keepalived/VI/{row['to']}"
            # what the master would not believe is no evidence
            assert isinstance(validate_event(tag, row), Event), row
            more = {"reason": row["reason"], "vips": tuple(row["vips"]), "vrid": row["vrid"]}
            found.append((row["time_us"] / 1e6 - EPOCH, self.node, row["to"], more))
        return found


def rows(steps: list[tuple[float, str, str]], until: float) -> list[tuple]:
    watches = {node: Watch(node) for node in NODES}
    whole = [(1.0, node, "dump BACKUP") for node in NODES]
    whole += [(5.0, "n3", "+"), (5.001, "n3", "line MASTER")]
    looks = [(place / 4, node, "look") for place in range(4, round(until * 4)) for node in NODES]
    found = []
    for second, node, words in sorted([*whole, *steps, *looks], key=lambda each: each[0]):
        watch = watches[node]
        found += watch.look(second) if words == "look" else watch.do(second, words)
    return found


def takes(node: str, at: float) -> list[tuple[float, str, str]]:
    return [(at, node, "+"), (at + 0.002, node, "line MASTER")]


def yields(node: str, at: float, state: str = "BACKUP") -> list[tuple[float, str, str]]:
    return [(at, node, "-"), (at + 0.002, node, f"line {state}")]


#: What happened (measured with keepalived 2.2.7), what is told, and the seconds without an owner
#: and with several.
CASES = {
    "SIGTERM": (
        [(60, "n3", "-"), (60.001, "n3", "line STOP"), *takes("n2", 60.605),
         (80, "n3", "started"), (80.5, "n3", "line BACKUP"),
         *takes("n3", 84.1), *yields("n2", 84.103)],
        ["failover opened", "failover resolved"], (0.605, 0),
    ),
    "SIGKILL of all its processes": (
        [(60, "n3", "gone keepalived was killed"), *takes("n2", 63.1), (80, "n3", "-"),
         (80.1, "n3", "started"), (80.6, "n3", "line BACKUP")],
        ["ghost_vip opened", "ghost_vip resolved"], (0, 16.9),
    ),
    "a failed check": (
        [*yields("n3", 60, "FAULT"), *takes("n2", 60.6), (70, "n3", "line BACKUP"),
         *takes("n3", 74), *yields("n2", 74.003)],
        ["failover opened", "failover resolved"], (0.6, 0),
    ),
    "a partition, and its end": (
        [*takes("n2", 60), *yields("n2", 80)],
        ["split_brain opened", "split_brain resolved"], (0, 20),
    ),
    "the address is taken away, and keepalived begins anew": (
        [*yields("n3", 60), *takes("n3", 60.61)],
        ["failover opened", "failover resolved"], (0.61, 0),
    ),
    "the address is taken away, and keepalived does not notice": (
        [(60, "n3", "-"), (75, "n3", "+")],
        ["hollow_master opened", "hollow_master resolved"], (15, 0),
    ),
    "the address is put onto a backup": (
        [(60, "n1", "+"), (75, "n1", "-")],
        ["ghost_vip opened", "ghost_vip resolved"], (0, 15),
    ),
    "checks fail on all": (
        [*yields("n3", 60, "FAULT"), (60.2, "n2", "line FAULT"), (60.4, "n1", "line FAULT"),
         (80, "n1", "line BACKUP"), (80, "n2", "line BACKUP"), (80, "n3", "line BACKUP"),
         *takes("n3", 83.6)],
        ["no_master opened", "no_master resolved"], (23.6, 0),
    ),
    "a normal failback": (
        [*takes("n2", 60), *yields("n3", 60.003)],
        [], None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_the_watches_tell_is_one_incident_of_its_kind(name: str) -> None:
    steps, told, seconds = CASES[name]

    play = Play().play(rows(steps, 120), 140)

    assert play.words == told
    if seconds is not None:
        (found,) = play.kept.values()
        cost = (found["seconds_without_owner"], found["seconds_several_owners"])
        assert cost == pytest.approx(seconds, abs=0.01)


def test_the_watch_names_a_removed_address_in_these_words() -> None:
    assert cause.REMOVED == REMOVED
