"""What a node tells of its past: to people as lines, to the hub as it is stored."""

import json
import threading

import pytest

from keepalived_core import __main__ as command
from keepalived_core import signing
from keepalived_core.node import event_key, journal, settings
from keepalived_core.node.paths import Paths
from keepalived_core.node.spool import Spool

KEY = signing.node_key(b"s" * 32, "n1")


@pytest.fixture
def paths(tmp_path, monkeypatch):
    paths = Paths.under(tmp_path)
    settings.write("controllers", "n1", paths=paths)
    event_key.write(KEY, paths)
    for function in (journal.journal, journal.follow, journal.rows):
        given = (paths, *function.__defaults__[1:])
        monkeypatch.setattr(function, "__defaults__", given)
    return paths


@pytest.fixture
def spool(paths):
    with Spool.create(paths.spool) as spool:
        spool.key = KEY
        yield spool


def event(number=0, instance="A", **more):
    return {"type": "instance", "instance": instance, "from": "BACKUP", "to": "MASTER",
            "number": number, "time": "2027-01-15T08:00:00.000001Z", "reason": "x\x1b[2J\n",
            "time_us": 1_800_000_000_000_001, **more}  # fmt: skip


def seqs(rows):
    return [row["seq"] for row in rows]


def test_the_hub_gets_rows_as_they_are_stored_and_a_heartbeat_after_them(spool):
    spool.extend([event(n) for n in range(6)])
    *rows, beat = journal.rows(stream_id=spool.stream_id, after=2, limit=3)
    assert seqs(rows) == [3, 4, 5]
    assert all(signing.verify(row, [KEY]) for row in [*rows, beat])
    assert (beat["to"], beat["seq"], beat["first"]) == ("heartbeat", 6, 1)


def test_of_a_stream_that_is_no_more_there_is_only_the_word_which_there_is(spool):
    spool.extend([event()])
    (beat,) = journal.rows(stream_id="0123456789abcdef")
    assert (beat["stream_id"], beat["seq"]) == (spool.stream_id, 1)


def test_without_a_stream_the_newest_rows_are_meant(spool):
    spool.extend([event(n) for n in range(6)])
    assert seqs(journal.rows(limit=2)) == [5, 6, 6]
    assert seqs(journal.rows(limit=0)) == [6]


def test_before_the_first_event_there_is_nothing_for_the_hub(paths):
    assert journal.rows() == []


@pytest.mark.parametrize("wrong", [{"after": -1}, {"limit": -1}, {"limit": 10_001}])
def test_the_hub_cannot_ask_for_everything(paths, wrong):
    with pytest.raises(ValueError, match="limit 0 to 10000"):
        journal.rows(**wrong)


def test_the_command_prints_a_line_for_each_and_nothing_that_moves_the_cursor(spool, capsys):
    spool.extend([event(n, "AB"[n % 2]) for n in range(4)])
    assert command.main(["journal", "-n", "1", "--instance", "A"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.split() == [
        "2027-01-15T08:00:00.000001Z", "3", "A", "BACKUP", "->", "MASTER", "x?[2J?",
    ]  # fmt: skip
    assert command.main(["journal", "--json"]) == 0
    assert seqs(json.loads(text) for text in capsys.readouterr().out.splitlines()) == [1, 2, 3, 4]


def test_the_command_says_what_it_cannot_read(paths, capsys):
    paths.spool.write_bytes(b"no database" * 1000)
    assert command.main(["journal"]) == 3
    assert "spool.db: file is not a database" in capsys.readouterr().err
    assert command.main(["journal", "--since", "yesterday"]) == 3


def test_following_shows_the_last_ones_and_then_each_that_comes_even_in_a_new_stream(paths):
    found, seen = [], threading.Event()

    def read():
        for row in journal.follow(last=2, instance="A"):
            found.append(row["number"])
            seen.set()
            if row["number"] == 99:
                return

    with Spool.create(paths.spool) as spool:
        spool.extend([event(n, "AAAB"[n % 4]) for n in range(4)])
        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        while len(found) < 2:
            seen.wait(0.01)
        spool.extend([event(4), event(5, "B"), event(6)])
        while len(found) < 4:
            seen.wait(0.01)
    for name in ("", "-wal", "-shm"):
        file = paths.spool.with_name(paths.spool.name + name)
        if file.exists():
            file.rename(f"{file}.aside")
    with Spool.create(paths.spool) as spool:
        spool.extend([event(7), event(99)])
        reader.join(10)
    assert found == [1, 2, 4, 6, 7, 99]
