"""One of relay and beacon delivers at a time, and whoever dies makes place at once."""

import os
import subprocess
import time

import pytest

from keepalived_core.node import beacon, process, spool_delivery
from keepalived_core.node.paths import Paths
from keepalived_core.node.spool import Spool

US = process.self_id()


@pytest.fixture
def paths(tmp_path):
    return Paths.under(tmp_path)


@pytest.fixture
def spool(paths):
    with Spool.create(paths.spool) as spool:
        spool.extend(
            {"type": "instance", "instance": "A", "to": "MASTER", "time_us": 1} for _ in range(5)
        )
        yield spool


@pytest.fixture
def other():
    """Another process and its name."""
    child = subprocess.Popen(["sleep", "60"])
    with open(f"/proc/{child.pid}/stat") as stat:
        start = stat.read().rpartition(")")[2].split()[19]
    yield child, f"{child.pid}:{start}"
    child.kill()
    child.wait()


def seqs(rows):
    return [row["seq"] for row in rows if row["to"] != "heartbeat"]


def test_the_beacon_hands_over_nothing_while_a_relay_has_the_lease(paths, spool, other):
    _, relay = other
    assert spool.lease(relay, "relay")
    assert spool.holder() == (relay, "relay")
    assert beacon.beacon_rows(paths, 10, US) == []
    spool.end_lease(relay)
    assert seqs(beacon.beacon_rows(paths, 10, US)) == [1, 2, 3, 4, 5]


def test_a_relay_that_is_killed_has_no_lease_from_then_on(paths, spool, other):
    child, relay = other
    spool.lease(relay, "relay", 3600)
    assert beacon.beacon_rows(paths, 10, US) == []
    child.kill()
    child.wait()
    assert seqs(beacon.beacon_rows(paths, 10, US)) == [1, 2, 3, 4, 5]


def test_a_relay_that_stands_still_loses_it_after_its_time(spool, other):
    _, relay = other
    spool.lease(relay, "relay", 0.05)
    time.sleep(0.1)
    assert spool.holder() is None
    assert spool.lease(US, "relay")
    assert not spool.lease(relay, "relay")


def test_two_relays_do_not_share_it_and_the_one_that_has_it_renews_it(spool, other):
    _, relay = other
    assert spool.lease(US, "relay")
    assert not spool.lease(relay, "relay")
    assert spool.lease(US, "relay")
    spool.end_lease(relay)
    assert spool.holder().owner == US


def test_a_lease_does_not_outlive_the_boot_nor_mind_the_wall_clock(spool, monkeypatch):
    spool.lease(US, "relay")
    monkeypatch.setattr(time, "time", lambda: 4e9)
    assert spool.holder() is not None
    monkeypatch.setattr(spool_delivery, "boot_id", lambda: "another")
    assert spool.holder() is None


def test_a_relay_goes_on_where_the_beacon_stopped_and_the_other_way_round(spool, other):
    _, relay = other
    spool.hand_over(2, US)
    spool.hand_over(1, US)
    # 3 was handed over but nothing says that it was sent
    assert spool.reached("tcp://m:4506") == 2
    spool.lease(relay, "relay")
    spool.acknowledged("tcp://m:4506", 4, relay)
    assert spool.reached("tcp://m:4506") == 4
    spool.end_lease(relay)
    assert seqs(spool.hand_over(10, US)) == [5]


def test_each_master_has_its_own_place_and_the_furthest_counts(spool):
    spool.acknowledged("a", 4, US)
    assert spool.reached("new") == 4
    spool.acknowledged("b", 2, US)
    assert (spool.reached("a"), spool.reached("b")) == (4, 2)
    assert seqs(spool.hand_over(10, "9:9")) == [5]


def test_a_beacon_that_had_nothing_to_send_sees_the_lease_end(paths, spool, other):
    """The shortcut for an idle node must not hide that the relay has gone."""
    child, relay = other
    spool.lease(relay, "relay", 3600)
    for _ in range(3):
        assert beacon.beacon_rows(paths, 10, US) == []
        time.sleep(0.06)
    child.kill()
    child.wait()
    assert seqs(beacon.beacon_rows(paths, 10, US)) == [1, 2, 3, 4, 5]


def test_the_name_of_a_process_is_not_that_of_the_next_one_with_its_number():
    assert process.lives(US)
    assert not process.lives(f"{os.getpid()}:1")
    for nonsense in ("", ":", "x:y", "0:0", "-1:1"):
        assert not process.lives(nonsense)
