"""Events reach the spool whole and in order, whatever the disk does, and nobody waits for it."""

import logging
import sqlite3
import threading
import time

import pytest

from keepalived_core.node import planned, recorder, settings
from keepalived_core.node.event import Moment, boot_id
from keepalived_core.node.journal import journal
from keepalived_core.node.paths import Paths
from keepalived_core.node.recorder import Recorder
from keepalived_core.node.spool import Spool

AT = Moment(7, 1_800_000_000_000_001)


def draft(number):
    return {"type": "instance", "instance": "A", "from": None, "to": "MASTER", "number": number,
            "at": AT}  # fmt: skip


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    # Salt, when it is imported, keeps what is logged and prints it at the very end
    monkeypatch.setattr(recorder, "log", logging.Logger("recorder"))


@pytest.fixture
def paths(tmp_path):
    return Paths.under(tmp_path)


@pytest.fixture
def store(paths, monkeypatch):
    """A recorder on a disk that the test rules: ``disk`` is asked before each batch is stored."""
    real = Spool.extend
    monkeypatch.setattr(recorder, "RETRY", 0.05)
    rules = {"disk": lambda: None}

    def extend(self, events, lost=0):
        rules["disk"]()
        return real(self, events, lost)

    monkeypatch.setattr(Spool, "extend", extend)
    store = Recorder(paths)
    yield store, rules
    store.close()


def stored(paths):
    return [row["number"] for row in journal(paths, last=100_000)]


def until(condition, timeout=10):
    deadline = time.monotonic() + timeout
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.005)
    assert condition()


def full():
    raise sqlite3.OperationalError("database or disk is full")


def test_events_are_completed_with_what_is_true_of_the_node(paths):
    settings.write("controllers", "n1", paths=paths)
    planned.begin(60, "reload", paths=paths)
    store = Recorder(paths)
    store.keepalived_version = "2.2.7"
    store.add([draft(1)])
    store.close()
    (row,) = journal(paths)
    stream = store.summary()["stream_id"]
    assert row == {
        "schema": 1, "type": "instance", "id": "n1", "cluster": "controllers", "instance": "A",
        "from": None, "to": "MASTER", "number": 1, "time": "2027-01-15T08:00:00.000001Z",
        "monotonic_us": 7, "planned": True, "keepalived_version": "2.2.7", "stream_id": stream,
        "seq": 1, "dropped": 0,
        "boot_id": boot_id(), "signature": None,
    }  # fmt: skip


def test_nobody_waits_for_a_slow_disk_and_order_is_kept(paths, store):
    store, rules = store
    free = threading.Event()
    rules["disk"] = lambda: free.wait(10)
    before = time.monotonic()
    for number in range(50):
        store.add([draft(number)])
    assert time.monotonic() - before < 1
    assert stored(paths) == []
    assert store.summary()["pending"] == 50
    assert not store.news()
    free.set()
    until(lambda: store.summary()["pending"] == 0)
    assert stored(paths) == list(range(50))
    assert store.news()
    assert store.summary()["last_seq"] == 50


def test_a_full_disk_is_said_and_nothing_is_lost_when_it_is_full_no_more(paths, store):
    store, rules = store
    rules["disk"] = full
    store.add([draft(1)])
    until(lambda: store.problem)
    assert "full" in store.problem
    assert store.news()
    store.add([draft(2)])
    rules["disk"] = lambda: None
    until(lambda: store.summary()["pending"] == 0)
    assert store.problem is None
    assert stored(paths) == [1, 2]


def test_what_is_too_much_for_memory_is_counted_and_said_in_the_next_event(
    paths, store, monkeypatch
):
    store, rules = store
    monkeypatch.setattr(recorder, "MAX_PENDING", 10)
    rules["disk"] = full
    store.add([draft(0)])
    until(lambda: store.problem)
    store.add([draft(number) for number in range(1, 31)])
    assert store.summary()["dropped"] >= 20
    dropped = store.summary()["dropped"]
    rules["disk"] = lambda: None
    until(lambda: store.summary()["pending"] == 0)
    rows = journal(paths, last=100)
    assert rows[-1]["number"] == 30
    assert len(rows) + dropped == 31
    assert {row["dropped"] for row in rows} == {dropped}
    assert store.summary()["dropped"] == dropped


def test_a_database_damaged_meanwhile_is_replaced_and_the_event_stored(paths, store):
    store, rules = store
    before = store.summary()["stream_id"]
    store.add([draft(1)])
    until(lambda: stored(paths) == [1])

    def damaged():
        rules["disk"] = lambda: None
        for path in (paths.spool, paths.spool.with_name("spool.db-wal")):
            path.write_bytes(b"x" * 10_000)
        raise sqlite3.DatabaseError("database disk image is malformed")

    rules["disk"] = damaged
    store.add([draft(2)])
    until(lambda: store.summary()["stream_id"] != before)
    until(lambda: stored(paths) == [2])


def test_what_is_left_is_stored_at_the_end(paths):
    store = Recorder(paths)
    store.add([draft(number) for number in range(500)])
    store.close()
    assert stored(paths) == list(range(500))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_an_error_nobody_foresaw_is_noticed(store):
    store, rules = store

    def breaks():
        raise RuntimeError("a bug")

    rules["disk"] = breaks
    assert store.running
    store.add([draft(1)])
    until(lambda: not store.running)
