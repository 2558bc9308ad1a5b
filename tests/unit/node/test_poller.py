"""Where no watch runs: what the dump and the addresses say is recorded, once, with its source."""

import os
import sqlite3

import pytest

from keepalived_core import signing
from keepalived_core.node import addresses, dump, heartbeat, poller, process, watch_lock
from keepalived_core.node import watch_status as status
from keepalived_core.node.journal import journal
from keepalived_core.node.paths import Paths
from keepalived_core.node.poller import Identity, Poller
from keepalived_core.node.recorder import Recorder
from keepalived_core.node.spool import Spool, SpoolError
from keepalived_core.node.state import Instance, parse_vip

KEY = signing.node_key(b"s" * 32, "n1")
WHO = Identity("n1", "controllers", KEY)
VIP = "10.0.0.100"
CONFIG = f"""
vrrp_instance VI {{
    interface eth0
    virtual_router_id 5
    virtual_ipaddress {{
        {VIP}
    }}
}}
"""


class Daemon:
    """A keepalived that lives as long as the test says."""

    def __init__(self):
        self.lives = True

    def alive(self):
        return self.lives


class World:
    """What a node would show: keepalived's answer, and the kernel's addresses."""

    def __init__(self, paths):
        self.paths = paths
        self.daemon = Daemon()
        self.state = "BACKUP"
        self.since = 1000.0
        self.held = False
        self.asked = 0
        self.problem = None

    def kernel(self):
        return {"eth0": [("10.0.0.1", 24), *([(VIP, 32)] if self.held else [])]}

    def becomes(self, state, held):
        self.state, self.held, self.since = state, held, self.since + 1

    def find(self, paths):
        return self.daemon if self.daemon is not None and self.daemon.lives else None


@pytest.fixture
def world(tmp_path, monkeypatch):
    paths = Paths.under(tmp_path)
    paths.config.parent.mkdir(parents=True)
    paths.config.write_text(CONFIG)
    world = World(paths)

    class Request:
        """Answers in the call after the one that asked, as keepalived does."""

        def __init__(self, daemon):
            if world.problem:
                raise dump.DumpUnavailable(world.problem)
            world.asked += 1
            self.asked_us = poller.Moment.now().monotonic_us

        def poll(self):
            one = Instance(
                "VI", state=world.state, interface="eth0", vips=(parse_vip(f"{VIP}/32"),),
                since=world.since, effective_priority=100,
            )  # fmt: skip
            return dump.Dump((one,), 2000.0, self.asked_us, 1)

    monkeypatch.setattr(dump, "Request", Request)
    monkeypatch.setattr(addresses, "snapshot", world.kernel)
    monkeypatch.setattr(process, "find", world.find)
    monkeypatch.setattr(process, "find_by_pid_file", world.find)
    monkeypatch.setattr(process, "version", lambda: None)
    return world


def states(paths):
    return [(row["from"], row["to"]) for row in journal(paths, last=100) if row["to"].isupper()]


def call(made, times=1):
    for _ in range(times):
        assert made.poll(lambda: WHO) is True


def test_a_transition_is_recorded_once_in_the_call_after_the_question(world):
    made = Poller(world.paths)
    call(made)
    assert journal(world.paths) == []
    call(made, 3)
    assert states(world.paths) == [(None, "BACKUP")]
    world.becomes("MASTER", held=True)
    call(made, 4)
    assert states(world.paths) == [(None, "BACKUP"), ("BACKUP", "MASTER")]


def test_its_events_say_where_they_come_from_and_are_signed(world):
    call(Poller(world.paths), 2)
    (row,) = journal(world.paths)
    assert row["source"] == "poll"
    assert (row["id"], row["cluster"], row["vips"]) == ("n1", "controllers", [f"{VIP}/32"])
    assert signing.verify(row, [KEY])


def test_a_refresh_of_the_beacons_repeats_nothing(world):
    call(Poller(world.paths), 3)
    call(Poller(world.paths), 3)
    assert states(world.paths) == [(None, "BACKUP")]


def test_the_end_of_keepalived_is_seen_and_an_address_it_left_is_told(world):
    made = Poller(world.paths)
    world.becomes("MASTER", held=True)
    call(made, 3)
    world.daemon.lives = False
    call(made, 2)
    assert journal(world.paths)[-1]["to"] == "ghost"
    world.held = False
    call(made, 2)
    assert states(world.paths)[-1] == ("MASTER", "STOP")


def test_without_an_answer_the_addresses_alone_tell(world):
    world.problem = "this keepalived was built without JSON support"
    made = Poller(world.paths)
    call(made, 2)
    world.held = True
    call(made, 2)
    assert states(world.paths)[-1][1] == "MASTER"
    assert journal(world.paths)[-1]["source"] == "poll"


def test_it_leaves_a_node_with_a_watch_alone(world):
    lock = watch_lock.take(world.paths)
    made = Poller(world.paths)
    assert made.poll(lambda: pytest.fail("nobody asked")) is False
    os.close(lock)
    status.write(world.paths, {})
    assert made.poll(lambda: pytest.fail("nobody asked")) is False
    assert not world.paths.spool.exists()


def test_a_watch_that_starts_later_knows_what_was_recorded_in_its_stead(world):
    call(Poller(world.paths), 3)
    store = Recorder(world.paths)
    assert store.latest["instance", "VI"].state == "BACKUP"
    assert store.stood_in is True
    store.close()


def test_the_heartbeat_has_the_states_it_saw(world):
    call(Poller(world.paths), 3)
    with Spool.open(world.paths.spool) as spool:
        beat = heartbeat.make(spool, world.paths)
    assert beat["states"]["VI"][:2] == ["BACKUP", False]
    assert signing.verify(beat, [KEY])


def test_what_cannot_be_stored_is_kept_and_said(world, monkeypatch):
    def fails(*_):
        raise sqlite3.OperationalError("database or disk is full")

    made = Poller(world.paths)
    with monkeypatch.context() as patch:
        patch.setattr(Spool, "extend", fails)
        call(made)
        with pytest.raises(SpoolError, match="disk is full"):
            made.poll(lambda: WHO)
    call(made)
    assert states(world.paths) == [(None, "BACKUP")]
