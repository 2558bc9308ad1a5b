"""The spool: numbered without gaps, whole after kill -9, nothing lost on its way to the bus."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keepalived_core.node import spool as spooling
from keepalived_core.node.beacon import beacon_rows
from keepalived_core.node.journal import journal
from keepalived_core.node.paths import Paths
from keepalived_core.node.spool import Spool, SpoolError

NOW = 1_800_000_000


def event(number=0, to="MASTER", instance="A", at=None):
    seconds = NOW + number if at is None else at
    return {"type": "instance", "instance": instance, "to": to, "number": number,
            "time_us": int(seconds * 1e6)}  # fmt: skip


@pytest.fixture
def paths(tmp_path):
    return Paths.under(tmp_path)


@pytest.fixture
def spool(paths):
    with Spool.create(paths.spool) as spool:
        yield spool


def numbers(rows):
    return [row["number"] for row in rows if row["to"] != "heartbeat"]


def test_events_are_numbered_from_one_and_carry_the_stream(spool):
    assert [spool.append(event(n)) for n in range(3)] == [1, 2, 3]
    rows = spool.read()
    assert [row["seq"] for row in rows] == [1, 2, 3]
    assert {row["stream_id"] for row in rows} == {spool.stream_id}
    assert "time_us" not in rows[0]


def test_the_stream_outlives_its_process(paths):
    with Spool.create(paths.spool) as first:
        first.append(event())
        stream = first.stream_id
    with Spool.create(paths.spool) as second:
        assert second.stream_id == stream
        assert second.append(event()) == 2


def test_it_is_for_root_alone(spool):
    assert oct(spool.path.stat().st_mode) == "0o100600"
    assert oct(spool.path.parent.stat().st_mode) == "0o40700"


def test_a_batch_is_stored_whole_or_not_at_all(spool):
    with pytest.raises(KeyError):
        spool.extend([event(1), {"type": "instance"}])
    assert spool.read() == []
    assert spool.append(event(2)) == 1


def test_the_last_state_is_known_even_when_its_event_is_gone(spool):
    spool.extend([event(1), event(2, "rx_lower"), event(3, "BACKUP", "B"), event(4, "ghost", "B")])
    spool.hand_over(10, "x")
    spool.hand_over(10, "x")
    spool.prune(max_rows=0)
    assert spool.read() == []
    assert spool.latest() == {
        ("instance", "A"): ("MASTER", (NOW + 1) * 1_000_000, False),
        ("instance", "B"): ("BACKUP", (NOW + 3) * 1_000_000, True),
    }
    # a ghost outlasts what becomes of an instance that is not MASTER
    assert spool.append(event(to="FAULT", instance="B") | {"from": "BACKUP"}) == 5
    assert spool.latest()["instance", "B"].ghost
    assert spool.append(event(to="MASTER", instance="B") | {"from": "FAULT"}) == 6
    assert not spool.latest()["instance", "B"].ghost


WRITER = """
import sys
from keepalived_core.node.spool import Spool
from pathlib import Path
spool = Spool.create(Path(sys.argv[1]))
number = 0
while True:
    batch = [{"type": "instance", "instance": "A", "to": "MASTER", "time_us": 1,
              "number": number + i, "pad": "x" * 500} for i in range(number % 5 + 1)]
    number += len(batch)
    spool.extend(batch)
    print(spool.last_seq, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_neither_gap_nor_torn_row(paths):
    source = Path(spooling.__file__).parents[2]
    for delay in (0.02, 0.05, 0.11, 0.17):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(paths.spool)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(source)},
        )
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay)
        writer.send_signal(signal.SIGKILL)
        promised = int(writer.stdout.read().split()[-1:][0])
        writer.wait()
        with Spool.create(paths.spool) as spool:
            assert spool.replaced is None
            rows = spool.read(limit=1_000_000)
            assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
            assert promised <= len(rows) == spool.last_seq


# -- reading --


def test_the_journal_is_the_last_events_in_order(paths, spool):
    spool.extend([event(n, instance="AB"[n % 2]) for n in range(10)])
    assert numbers(journal(paths, last=3)) == [7, 8, 9]
    assert numbers(journal(paths, last=2, instance="A")) == [6, 8]
    assert numbers(journal(paths, since=NOW + 8)) == [8, 9]
    assert numbers(journal(paths, since="2027-01-15T08:00:08Z")) == [8, 9]
    assert numbers(journal(paths, since="2027-01-15T09:00:08+01:00")) == [8, 9]
    assert journal(paths, instance="C") == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"since": "yesterday"}, "since must be a time like .* not 'yesterday'"),
     ({"last": 0}, "last must be above 0, not 0")],
)  # fmt: skip
def test_the_journal_refuses_nonsense(paths, arguments, message):
    with pytest.raises(ValueError, match=message):
        journal(paths, **arguments)


def test_before_the_first_event_there_is_nothing_and_nothing_is_made(paths):
    assert journal(paths) == []
    assert beacon_rows(paths, 10, "1:1") == []
    assert not paths.state_dir.exists()


# -- handing over --


def test_what_was_handed_over_is_not_handed_over_again_to_the_same_process(spool):
    spool.extend([event(n) for n in range(5)])
    assert numbers(spool.hand_over(2, "1:1")) == [0, 1]
    assert numbers(spool.hand_over(2, "1:1")) == [2, 3]
    spool.append(event(5))
    assert numbers(spool.hand_over(9, "1:1")) == [4, 5]
    assert spool.hand_over(9, "1:1") == []
    assert spool.hand_over(9, "1:1") == []


def test_another_process_gets_again_what_was_not_confirmed_and_no_more(spool):
    spool.extend([event(n) for n in range(5)])
    assert numbers(spool.hand_over(2, "1:1")) == [0, 1]
    assert numbers(spool.hand_over(2, "1:1")) == [2, 3]
    assert numbers(spool.hand_over(2, "2:7")) == [2, 3]
    assert numbers(spool.hand_over(2, "2:7")) == [4]
    assert spool.hand_over(2, "2:7") == []
    assert spool.hand_over(2, "3:3") == []


def test_a_pid_used_again_is_another_process(spool):
    spool.append(event(1))
    assert numbers(spool.hand_over(2, "1:1")) == [1]
    assert numbers(spool.hand_over(2, "1:2")) == [1]


def test_an_idle_beacon_does_not_touch_the_file_until_it_changes(paths, spool, monkeypatch):
    opened = []
    real = Spool.open.__func__
    monkeypatch.setattr(
        Spool, "open", classmethod(lambda cls, path: opened.append(1) or real(cls, path))
    )
    for n in range(2):
        spool.append(event(n))
        assert numbers(beacon_rows(paths, 10, "1:1")) == [n]
        assert numbers(beacon_rows(paths, 10, "1:1")) == []
        time.sleep(0.1)
        assert beacon_rows(paths, 10, "1:1") == []
        opened.clear()
        assert [beacon_rows(paths, 10, "1:1") for _ in range(20)] == [[]] * 20
        assert opened == []


def test_no_event_is_missed_by_a_beacon_that_calls_as_fast_as_it_can(paths, spool):
    found = []
    for n in range(200):
        spool.append(event(n))
        found += numbers(beacon_rows(paths, 10, "1:1"))
        found += numbers(beacon_rows(paths, 10, "1:1"))
    assert found == list(range(200))


# -- bounds --


def test_age_removes_only_what_was_delivered(spool):
    spool.extend([event(n, at=1000 + n) for n in range(4)])
    spool.hand_over(2, "1:1")
    spool.hand_over(1, "1:1")
    assert spool.prune(now=NOW) == 0
    assert numbers(spool.read()) == [0, 1, 2, 3]
    assert spool.prune(now=NOW, keep_rows=0) == 0
    assert numbers(spool.read()) == [2, 3]
    assert spool.dropped == 0


def test_what_the_bound_removes_undelivered_is_counted_and_said_in_later_events(spool):
    spool.extend([event(n) for n in range(10)])
    spool.hand_over(3, "1:1")
    spool.hand_over(1, "1:1")
    assert spool.prune(max_rows=4, now=NOW) == 3
    assert numbers(spool.hand_over(10, "1:1")) == [6, 7, 8, 9]
    spool.append(event(10))
    assert spool.read()[-1]["dropped"] == 3


def test_the_bound_holds_by_itself(spool, monkeypatch):
    monkeypatch.setattr(Spool.prune, "__defaults__", (150, 30, NOW, 0, 1 << 30))
    for n in range(0, 1000, 10):
        spool.extend([event(m) for m in range(n, n + 10)])
    assert len(spool.read(limit=10_000)) <= 250
    assert spool.last_seq == 1000


def test_bounds_that_cannot_be_kept_now_do_not_make_a_stored_event_look_unstored(
    spool, monkeypatch
):
    def fails(_):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(Spool, "prune", fails)
    assert spool.extend([event(n) for n in range(200)])[-1] == 200


# -- a bad file --


@pytest.mark.parametrize("content", [b"no database" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_moved_aside_and_a_new_stream_begins(paths, content):
    paths.state_dir.mkdir(parents=True)
    paths.spool.write_bytes(content)
    with Spool.create(paths.spool) as spool:
        assert spool.replaced
        assert spool.append(event()) == 1
    assert paths.spool.with_suffix(".db.corrupt").read_bytes() == content


def test_a_damaged_page_is_found_when_the_spool_is_opened(paths):
    with Spool.create(paths.spool) as spool:
        spool.extend([event(n) for n in range(500)])
        before = spool.stream_id
    with paths.spool.open("r+b") as file:
        file.seek(4096 * 5)
        file.write(os.urandom(4096 * 3))
    with Spool.create(paths.spool) as spool:
        assert spool.replaced
        assert spool.stream_id != before


def test_readers_of_a_damaged_file_say_so_and_leave_it(paths):
    paths.state_dir.mkdir(parents=True)
    paths.spool.write_bytes(b"no database" * 1000)
    for read in (lambda: beacon_rows(paths, 10, "1:1"), lambda: journal(paths)):
        with pytest.raises(SpoolError, match=r"spool\.db: file is not a database"):
            read()
    assert paths.spool.exists()


def test_a_spool_of_a_newer_version_is_left_alone(paths):
    with Spool.create(paths.spool) as spool:
        spool.append(event())
    database = sqlite3.connect(paths.spool)
    database.execute("UPDATE stream SET schema = 99")
    database.commit()
    database.close()
    for open_it in (Spool.create, Spool.open):
        with pytest.raises(SpoolError, match="has schema 99, this program knows 2"):
            open_it(paths.spool)
    assert paths.spool.exists()


def test_a_file_that_has_just_been_made_is_no_spool_yet(paths):
    paths.state_dir.mkdir(parents=True)
    paths.spool.touch()
    assert beacon_rows(paths, 10, "1:1") == []
    assert journal(paths) == []


def test_a_commit_that_fails_does_not_block_the_next_one(spool):
    class Failing:
        """Fails as a full disk does: at the last moment."""

        def __init__(self, database):
            self.database, self.failed = database, False

        def execute(self, statement, *arguments):
            if statement == "COMMIT" and not self.failed:
                self.failed = True
                raise sqlite3.OperationalError("database or disk is full")
            return self.database.execute(statement, *arguments)

    database = spool._db
    spool._db = Failing(database)
    with pytest.raises(sqlite3.OperationalError):
        spool.append(event(1))
    assert spool.append(event(2)) == 1
    spool._db = database
    assert numbers(spool.read()) == [2]


def test_a_full_disk_loses_nothing_that_was_stored_and_is_survived(spool):
    spool.append(event(1))
    pages = spool._db.execute("PRAGMA page_count").fetchone()[0]
    spool._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        spool.extend([{**event(2), "pad": "x" * 100_000}])
    spool._db.execute("PRAGMA max_page_count = 1000000")
    assert spool.append(event(3)) == 2
    assert numbers(spool.read()) == [1, 3]


def test_rows_are_compact_json(spool):
    spool.append(event(1))
    (row,) = spool._db.execute("SELECT row FROM events").fetchone()
    assert row == json.dumps(json.loads(row), separators=(",", ":"))


def test_half_a_character_does_not_stop_the_delivery(spool):
    spool.append({**event(1, instance="A\udc80"), "vips": ["\ud800x"]})
    (row,) = spool.read()
    assert (row["instance"], row["vips"], row["number"]) == ("A?", ["?x"], 1)
    json.dumps(row, ensure_ascii=False).encode()
