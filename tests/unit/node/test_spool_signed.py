"""What the spool holds can be checked by who has the key, whatever made the file."""

import json
import sqlite3
import time

import pytest

from keepalived_core import signing
from keepalived_core.node import event_key, recorder
from keepalived_core.node.event import Moment
from keepalived_core.node.journal import journal
from keepalived_core.node.paths import Paths
from keepalived_core.node.recorder import Recorder
from keepalived_core.node.spool import Spool

KEY = signing.node_key(b"s" * 32, "n1")
OTHER = signing.node_key(b"t" * 32, "n1")


@pytest.fixture
def paths(tmp_path):
    return Paths.under(tmp_path)


def event(number=0, to="MASTER"):
    return {"type": "instance", "instance": "A", "to": to, "number": number, "time_us": 1}


def draft(number):
    return {"type": "instance", "instance": "A", "from": None, "to": "MASTER", "number": number,
            "at": Moment(7, 1_800_000_000_000_001)}  # fmt: skip


def test_each_row_is_signed_as_it_is_stored_and_read_back_the_same(paths):
    with Spool.create(paths.spool) as spool:
        spool.key = KEY
        spool.extend([event(n) for n in range(3)])
        rows = spool.read()
    assert all(signing.verify(row, [KEY]) for row in rows)
    assert not signing.verify({**rows[0], "seq": 2}, [KEY])


def test_without_a_key_a_row_says_that_it_is_not_signed(paths):
    with Spool.create(paths.spool) as spool:
        spool.append(event())
        assert spool.read()[0]["signature"] is None


def test_the_watch_signs_from_the_moment_the_key_is_there_and_says_with_which(paths):
    store = Recorder(paths)
    assert store.summary()["event_key"] is None
    event_key.write(KEY, paths)
    store.read_settings()
    store.add([draft(1)])
    while not journal(paths):
        time.sleep(0.005)
    assert store.summary()["event_key"] == signing.key_id(KEY)
    event_key.write(OTHER, paths)
    store.read_settings()
    store.close()
    assert signing.verify(journal(paths)[0], [KEY])
    assert store.summary()["event_key"] == signing.key_id(OTHER)


def test_a_key_that_is_of_no_use_is_said_and_the_one_before_is_kept(paths, monkeypatch):
    said = []
    monkeypatch.setattr(recorder.log, "error", lambda *words: said.append(words))
    event_key.write(KEY, paths)
    store = Recorder(paths)
    paths.event_key.write_text("T0PSECRET\n")
    for _ in range(3):
        store.read_settings()
    assert "holds no key of 64 hex digits" in store.key_problem
    assert len(said) == 1
    assert "T0PSECRET" not in repr(said) + store.key_problem
    assert store.summary()["event_key"] == signing.key_id(KEY)
    event_key.write(KEY, paths)
    store.read_settings()
    assert store.key_problem is None
    store.close()


def test_the_key_is_for_root_alone_and_written_only_when_it_is_another(paths):
    assert event_key.write(KEY, paths, test=True) is True
    assert not paths.event_key.exists()
    assert event_key.write(KEY, paths) is True
    assert paths.event_key.stat().st_mode & 0o777 == 0o600
    assert event_key.write(KEY, paths) is False
    paths.event_key.chmod(0o644)
    assert event_key.write(KEY, paths) is True
    assert paths.event_key.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("wrong", ["", "T0PSECRET", KEY.upper(), KEY + "\n", None, 5])
def test_what_is_no_key_is_refused_without_being_shown(paths, wrong):
    with pytest.raises(ValueError, match="is not 64 hex digits") as refused:
        event_key.write(wrong, paths)
    assert "T0PSECRET" not in str(refused.value)
    assert not paths.event_key.exists()


VERSION_1 = """
CREATE TABLE stream (stream_id TEXT NOT NULL, schema INTEGER NOT NULL, born_us INTEGER NOT NULL,
    last_seq INTEGER NOT NULL, dropped INTEGER NOT NULL);
CREATE TABLE events (seq INTEGER PRIMARY KEY, time_us INTEGER NOT NULL,
    type TEXT NOT NULL, instance TEXT NOT NULL, row TEXT NOT NULL);
CREATE TABLE latest (type TEXT NOT NULL, instance TEXT NOT NULL, state TEXT NOT NULL,
    seq INTEGER NOT NULL, time_us INTEGER NOT NULL, ghost INTEGER NOT NULL,
    PRIMARY KEY (type, instance));
CREATE TABLE delivery (
    confirmed INTEGER NOT NULL, handed INTEGER NOT NULL, owner TEXT NOT NULL);
INSERT INTO stream VALUES ('0123456789abcdef', 1, 5, 3, 2);
INSERT INTO delivery VALUES (1, 2, '7:7');
INSERT INTO latest VALUES ('instance', 'A', 'MASTER', 3, 9, 0);
PRAGMA journal_mode=WAL;
"""


@pytest.fixture
def version_1(paths):
    """A spool as the first version left it: three events, one delivered, one handed over."""
    paths.state_dir.mkdir(parents=True, mode=0o700)
    database = sqlite3.connect(paths.spool)
    database.executescript(VERSION_1)
    for seq in (1, 2, 3):
        row = {"type": "instance", "instance": "A", "to": "MASTER", "seq": seq, "dropped": 2}
        database.execute(
            "INSERT INTO events VALUES (?, 9, 'instance', 'A', ?)", (seq, json.dumps(row))
        )
    database.commit()
    yield database
    database.close()


def test_a_spool_of_the_version_before_goes_on_with_its_stream_and_numbers(paths, version_1):
    with Spool.create(paths.spool) as spool:
        assert spool.replaced is None
        assert spool.figures() == ("0123456789abcdef", 3, 2)
        assert spool.latest()["instance", "A"].state == "MASTER"
        spool.key = KEY
        assert spool.append(event()) == 4
        rows = spool.read()
        assert [row["seq"] for row in rows] == [1, 2, 3, 4]
        assert [row["signature"] is None for row in rows] == [True] * 3 + [False]
        assert [row["seq"] for row in spool.hand_over(9, "8:8")] == [2, 3, 4]
        assert spool.lease("1:1", "relay") is True


def test_a_watch_of_the_version_before_can_go_on_writing_while_it_is_migrated(paths, version_1):
    with Spool.create(paths.spool) as spool:
        version_1.execute("INSERT INTO events VALUES (4, 9, 'instance', 'A', '{\"seq\": 4}')")
        version_1.execute("UPDATE stream SET last_seq = 4, dropped = 2")
        version_1.commit()
        assert spool.append(event()) == 5


def test_readers_use_the_version_before_as_it_is(paths, version_1):
    with Spool.open(paths.spool) as spool:
        assert spool.holder() is None
        assert [row["seq"] for row in spool.hand_over(9, "8:8")] == [2, 3]
    assert version_1.execute("SELECT schema FROM stream").fetchone() == (1,)


def test_the_size_is_bounded_as_well_as_the_number(paths):
    with Spool.create(paths.spool) as spool:
        for n in range(40):
            spool.extend([{**event(n), "pad": "x" * 20_000} for _ in range(10)])
        assert spool.prune(max_bytes=1 << 20) > 300
        left = spool.read(limit=1000)
        assert sum(len(json.dumps(row)) for row in left) < 1 << 20
        assert len(left) > 30
        assert spool.first_seq == left[0]["seq"]
        assert left[-1]["seq"] == spool.last_seq == 400


def test_a_clock_that_jumps_ahead_does_not_empty_the_journal(paths):
    with Spool.create(paths.spool) as spool:
        spool.extend([event(n) for n in range(1200)])
        for _ in range(2):
            spool.hand_over(2000, "1:1")
        spool.prune(now=4e9)
        assert len(spool.read(limit=2000)) == 1000
