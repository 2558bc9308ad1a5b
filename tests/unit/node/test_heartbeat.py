"""Heartbeats: what they say, when they come, and that a node with nothing to say has none."""

import json
import time

import pytest

from keepalived_core import signing
from keepalived_core.cluster import heartbeat as hub_side
from keepalived_core.node import beacon, event_key, heartbeat, process, settings, watch_status
from keepalived_core.node import status as looking
from keepalived_core.node.paths import Paths
from keepalived_core.node.spool import Spool

US = process.self_id()
KEY = signing.node_key(b"s" * 32, "n1")
TAG = "salt/beacon/n1/keepalived/node/heartbeat"


@pytest.fixture
def paths(tmp_path):
    paths = Paths.under(tmp_path)
    settings.write("controllers", "n1", paths=paths)
    event_key.write(KEY, paths)
    return paths


@pytest.fixture
def spool(paths):
    with Spool.create(paths.spool) as spool:
        yield spool


def event(to="MASTER"):
    return {"type": "instance", "instance": "A", "to": to, "time_us": 1}


def beats(rows):
    return [row for row in rows if row["to"] == "heartbeat"]


def test_it_says_how_far_the_stream_goes_and_where_it_begins(paths, spool):
    spool.extend([event()] * 7, lost=2)
    spool.prune(max_rows=4)
    beat = heartbeat.make(spool, paths)
    assert (beat["seq"], beat["first"], beat["dropped"]) == (7, 4, 5)
    assert (beat["id"], beat["cluster"], beat["stream_id"]) == (
        "n1",
        "controllers",
        spool.stream_id,
    )
    assert signing.verify(json.loads(json.dumps(beat)), [KEY])


def test_of_an_empty_stream_it_says_zero(paths, spool):
    beat = heartbeat.make(spool, paths)
    assert (beat["seq"], beat["first"]) == (0, 1)


def test_it_has_the_states_while_somebody_watches_and_none_after(paths, spool):
    instances = {
        "A": {"state": "MASTER", "vip_present": True, "since": "2027-01-15T08:00:00.000001Z"},
        "B": {"state": None, "vip_present": None, "since": None},
    }
    watch_status.write(paths, {"instances": instances})
    beat = heartbeat.make(spool, paths)
    assert beat["watched"] is True
    assert beat["states"] == {
        "A": ["MASTER", True, 1_800_000_000_000_001],
        "B": [None, None, None],
    }
    told = json.loads(paths.watch_status.read_text())
    told["monotonic"] -= 20
    paths.watch_status.write_text(json.dumps(told))
    beat = heartbeat.make(spool, paths)
    assert (beat["watched"], beat["states"]) == (False, {})


@pytest.mark.parametrize("text", ["", "[]", '{"monotonic": "x"}', '{"monotonic": 1e99}', "{"])
def test_a_status_file_of_no_use_is_no_watch(paths, spool, text):
    paths.run_dir.mkdir(parents=True)
    paths.watch_status.write_text(text)
    assert heartbeat.make(spool, paths)["states"] == {}


def test_the_hub_reads_it(paths, spool):
    watch_status.write(paths, {"instances": {"A": {"state": "MASTER", "vip_present": True}}})
    spool.append(event())
    read = hub_side.read(TAG, heartbeat.make(spool, paths))
    assert isinstance(read, hub_side.Heartbeat)
    assert (read.minion, read.seq, read.states["A"][0]) == ("n1", 1, "MASTER")


def test_the_beacon_sends_one_with_the_first_events_and_then_every_ten_seconds(
    paths, spool, monkeypatch
):
    spool.extend([event()] * 3)
    first = beacon.beacon_rows(paths, 2, US)
    assert beats(first) == []
    second = beacon.beacon_rows(paths, 2, US)
    assert [row["seq"] for row in second] == [3, 3]
    assert len(beats(second)) == 1
    assert beacon.beacon_rows(paths, 2, US) == []
    real = time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: real() + heartbeat.INTERVAL)
    assert len(beats(beacon.beacon_rows(paths, 2, US))) == 1
    assert beacon.beacon_rows(paths, 2, US) == []


def test_a_new_stream_is_told_at_once(paths, spool):
    (before,) = beacon.beacon_rows(paths, 2, US)
    spool.close()
    for name in ("", "-wal", "-shm"):
        paths.spool.with_name(paths.spool.name + name).unlink(missing_ok=True)
    with Spool.create(paths.spool) as fresh:
        (after,) = beacon.beacon_rows(paths, 2, US)
        assert after["stream_id"] == fresh.stream_id != before["stream_id"]


def test_status_says_who_watches_and_who_delivers(paths):
    assert looking.watch_summary(paths)["delivery"] is None
    assert looking.watch_summary(paths)["running"] is False
    with Spool.create(paths.spool) as spool:
        watch_status.write(paths, {"running": 7, "sources": ["fifo"], "problems": ["full"]})
        told = looking.watch_summary(paths)
        assert (told["running"], told["problems"], told["delivery"]) == (True, ["full"], "beacon")
        spool.lease(US, "relay")
        assert looking.watch_summary(paths)["delivery"] == "relay"
    paths.watch_status.unlink()
    watch_status.write_poll(paths, {"sources": ["poll"], "instances": {}})
    told = looking.watch_summary(paths)
    assert (told["running"], told["sources"]) == (False, ["poll"])
