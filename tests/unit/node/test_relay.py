"""The relay: everything, in order, to every master, however often it or they fail."""

import logging
import threading
import time

import pytest

from keepalived_core.node import beacon, process, relay, settings, wake
from keepalived_core.node.paths import Paths
from keepalived_core.node.relay import Relay, Unreached
from keepalived_core.node.spool import Spool


@pytest.fixture(autouse=True)
def said(monkeypatch):
    """What the relay logs."""
    lines = []

    class Keep(logging.Handler):
        def emit(self, record):
            lines.append(f"{record.levelname} {record.getMessage()}")

    log = logging.Logger("relay")
    log.addHandler(Keep())
    monkeypatch.setattr(relay, "log", log)
    return lines


@pytest.fixture
def paths(tmp_path):
    paths = Paths.under(tmp_path)
    settings.write("controllers", "n1", paths=paths)
    return paths


@pytest.fixture
def spool(paths):
    with Spool.create(paths.spool) as spool:
        yield spool


def event(number=0, **more):
    return {"type": "instance", "id": "n1", "instance": "VI 1", "to": "MASTER", "number": number,
            "time_us": 1, **more}  # fmt: skip


class Master:
    """Keeps what it acknowledges; ``away`` says why it does not."""

    def __init__(self, away=None):
        self.away = away
        self.requests = []
        self.tries = 0

    def way(self):
        return self.take

    def take(self, events):
        self.tries += 1
        if self.away:
            raise Unreached(self.away)
        self.requests.append(events)

    @property
    def rows(self):
        return [
            one["data"]
            for request in list(self.requests)
            for one in request
            if one["data"]["to"] != "heartbeat"
        ]

    @property
    def seqs(self):
        return [row["seq"] for row in self.rows]

    @property
    def beats(self):
        return [
            one["data"]
            for request in list(self.requests)
            for one in request
            if one["data"]["to"] == "heartbeat"
        ]


@pytest.fixture
def start(paths):
    """Start relays; all are stopped at the end."""
    running = []

    def start(**masters):
        made = Relay("n1", {name: one.way for name, one in masters.items()}, paths)
        thread = threading.Thread(target=made.run)
        thread.start()
        running.append((made, thread))

        def stop():
            made.stop()
            thread.join(10)
            assert not thread.is_alive()

        return stop

    yield start
    for made, thread in running:
        made.stop()
        thread.join(10)


def until(condition, timeout=10):
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.002)
    assert condition()


def test_it_sends_what_is_there_and_then_what_comes_with_the_beacons_tags(paths, spool, start):
    spool.extend([event(n) for n in range(3)])
    master = Master()
    start(m=master)
    until(lambda: master.seqs == [1, 2, 3])
    begin = time.monotonic()
    spool.append(event(3))
    wake.wake(paths)
    until(lambda: master.seqs == [1, 2, 3, 4])
    assert time.monotonic() - begin < relay.LOOK / 2
    (first,) = master.requests[-1]
    assert first["tag"] == "salt/beacon/n1/keepalived/VI%201/MASTER"
    assert first["data"] == spool.read(3)[0]


def test_a_word_that_was_missed_costs_a_second_and_no_event(spool, start):
    master = Master()
    start(m=master)
    until(lambda: master.beats)
    spool.append(event())
    until(lambda: master.seqs == [1], timeout=5)


def test_after_an_outage_everything_comes_once_and_in_order(paths, spool, start, said):
    master = Master(away="SaltReqTimeoutError: Message timed out")
    start(m=master)
    for n in range(40):
        spool.append(event(n))
        wake.wake(paths)
        time.sleep(0.01)
    until(lambda: master.tries >= 3)
    master.away = None
    until(lambda: len(master.seqs) == 40)
    assert master.seqs == list(range(1, 41))
    warnings = [line for line in said if line.startswith("WARNING")]
    assert len(warnings) == 1
    assert "m does not take events, they are kept: SaltReqTimeoutError" in warnings[0]
    until(lambda: any("m is there again" in line for line in said))
    assert any("m is there again" in line for line in said)


def test_a_master_that_is_away_delays_no_other_and_gets_everything_later(paths, spool, start):
    here, away = Master(), Master(away="gone")
    start(here=here, away=away)
    until(lambda: here.beats and away.tries)
    spool.extend([event(n) for n in range(5)])
    wake.wake(paths)
    until(lambda: here.seqs == [1, 2, 3, 4, 5])
    assert away.seqs == []
    away.away = None
    until(lambda: away.seqs == [1, 2, 3, 4, 5])


def test_the_next_relay_goes_on_where_this_one_stopped(paths, spool, start):
    first, second = Master(), Master()
    stop = start(m=first)
    spool.extend([event(n) for n in range(5)])
    wake.wake(paths)
    until(lambda: first.seqs == [1, 2, 3, 4, 5])
    stop()
    spool.append(event(5))
    start(m=second)
    until(lambda: second.seqs[-1:] == [6])
    assert second.seqs == [6]


def test_one_that_died_without_a_word_repeats_at_most_what_it_had_not_noted(spool, start):
    spool.extend([event(n) for n in range(5)])
    spool.acknowledged("m", 3, "7:7")
    master = Master()
    start(m=master)
    until(lambda: master.seqs == [4, 5])


def test_the_beacon_is_silent_while_it_runs_and_goes_on_when_it_stops(paths, spool, start):
    beacon_process = "1:1"  # another process than the relay's
    master = Master()
    stop = start(m=master)
    spool.append(event())
    wake.wake(paths)
    until(lambda: master.seqs == [1])
    assert beacon.beacon_rows(paths, 10, beacon_process) == []
    stop()
    spool.append(event())
    rows = beacon.beacon_rows(paths, 10, beacon_process)
    assert [row["seq"] for row in rows if row["to"] != "heartbeat"] == [2]


def test_of_two_relays_one_delivers(paths, spool, start, monkeypatch):
    one, other = Master(), Master()
    start(m=one)
    until(lambda: one.beats)
    monkeypatch.setattr(process, "self_id", lambda: "1:1")
    start(m=other)
    spool.append(event())
    wake.wake(paths)
    until(lambda: one.seqs == [1], timeout=5)
    assert other.tries == 0


def test_it_waits_for_a_spool_that_is_not_there_yet(paths, start, said):
    master = Master()
    start(m=master)
    time.sleep(0.1)
    with Spool.create(paths.spool) as spool:
        spool.append(event())
        until(lambda: master.seqs == [1], timeout=5)
    assert [line for line in said if "WARNING" in line] == []


def test_a_heartbeat_follows_the_events_and_tells_a_new_stream_at_once(
    paths, spool, start, monkeypatch
):
    spool.extend([event(n) for n in range(3)])
    master = Master()
    start(m=master)
    until(lambda: master.beats)
    assert [one["data"]["seq"] for one in master.requests[0]] == [1, 2, 3, 3]
    spool.close()
    for name in ("", "-wal", "-shm"):
        file = paths.spool.with_name(paths.spool.name + name)
        if file.exists():
            file.rename(f"{file}.aside")
    with Spool.create(paths.spool) as fresh:
        fresh.append(event())
        until(lambda: len(master.beats) == 2, timeout=5)
        assert master.seqs == [1, 2, 3, 1]
        assert master.beats[-1]["stream_id"] == fresh.stream_id


def test_heartbeats_come_by_themselves(spool, start, monkeypatch):
    monkeypatch.setattr(relay.heartbeat, "INTERVAL", 0.05)
    master = Master()
    start(m=master)
    until(lambda: len(master.beats) >= 3)
    assert master.seqs == []


def test_large_events_make_small_requests(spool, start):
    spool.extend([event(n, pad="x" * 100_000) for n in range(10)])
    master = Master()
    start(m=master)
    until(lambda: len(master.seqs) == 10)
    assert max(len(request) for request in master.requests) <= 4


def test_the_next_listener_takes_the_place_of_the_one_before(paths):
    before, after = wake.Listener(paths), wake.Listener(paths)
    wake.wake(paths)
    assert after.wait(1)
    assert not before.wait(0)
    before.close()
    wake.wake(paths)
    assert after.wait(1)
    after.close()
    wake.wake(paths)
    assert paths.relay_socket.stat().st_mode & 0o777 == 0o600
