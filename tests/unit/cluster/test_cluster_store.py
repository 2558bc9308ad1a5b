"""The timeline's file: whole after a crash, bounded, migrated, and honest about a full disk."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import textwrap

import pytest
from hub_nodes import EPOCH, Node, World

from keepalived_core.cluster import hub_session, store_file
from keepalived_core.cluster.store import Store, StoreError
from keepalived_core.cluster.store_read import Reader


@pytest.fixture
def node() -> Node:
    return Node("n1")


@pytest.fixture
def world(tmp_path, node) -> World:
    return World(tmp_path / "sub" / "timeline.db", node)


def test_only_the_masters_user_may_read_it(world) -> None:
    assert stat.S_IMODE(os.stat(world.path).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(world.path.parent).st_mode) == 0o700


def test_reading_sees_what_is_stored_and_changes_nothing(world, node) -> None:
    for number in range(30):
        world.send(node.row("BACKUP" if number % 2 else "MASTER", number * 10))
    world.step()
    with Reader.open(world.path) as reader:
        assert [row["seq"] for row in reader.rows("n1", last=3)] == [28, 29, 30]
        assert [row["seq"] for row in reader.rows("n1", last=99, since=EPOCH + 250)] == [
            *range(26, 31)
        ]
        assert reader.rows("n2") == []
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader._db.execute("DELETE FROM events")


def test_no_file_is_no_error(tmp_path) -> None:
    assert Reader.open(tmp_path / "none.db") is None


def test_a_damaged_file_is_moved_aside_and_the_nodes_fill_a_new_one(world, node) -> None:
    world.send(node.row("MASTER", 1), node.row("BACKUP", 9))
    world.step()
    world.session.close()
    for suffix in ("-wal", "-shm"):
        world.path.with_name(world.path.name + suffix).unlink(missing_ok=True)
    world.path.write_bytes(b"this is no database" * 500)
    world.session = world._begin()
    world.settle(5)
    assert world.stored() == [1, 2]
    assert any("was damaged" in note for note in world.notes)
    assert world.path.with_name("timeline.db.corrupt").exists()


def test_an_older_file_is_brought_up_to_date(world, node, monkeypatch) -> None:
    world.send(node.row("MASTER", 1))
    world.step()
    world.session.close()
    newer = (*store_file.MIGRATIONS, ("ALTER TABLE events ADD COLUMN colour TEXT",))
    monkeypatch.setattr(store_file, "MIGRATIONS", newer)
    with pytest.raises(StoreError, match=r"schema 2, this release knows 3: restart salt-master"):
        Reader.open(world.path)
    with Store.create(world.path) as store:
        assert [row["seq"] for row in store.rows("n1")] == [1]
        assert store._db.execute("SELECT colour FROM events").fetchall() == [(None,)]


def test_a_newer_releases_file_is_left_alone(world) -> None:
    world.session.close()
    with sqlite3.connect(world.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    for opening in (Store.create, Reader.open):
        with pytest.raises(StoreError, match="schema 99, this release knows 2: update"):
            opening(world.path)
    assert not world.path.with_name("timeline.db.corrupt").exists()


def test_old_rows_go_by_number_and_by_age_since_they_came(world, node) -> None:
    for number in range(20):
        world.send(node.row("BACKUP" if number % 2 else "MASTER", number * 10))
    world.step()
    store = world.session.store
    assert store.prune(EPOCH, max_rows=15) == 5
    assert world.stored() == list(range(6, 21))
    assert store.prune(EPOCH + 86400, max_age_days=2) == 0
    assert store.prune(EPOCH + 3 * 86400, max_age_days=2) == 15
    assert world.stored() == []
    # what was there before does not come again
    world.restart()
    world.settle(10)
    assert world.stored() == []


def test_a_full_disk_is_said_once_nothing_is_lost_and_nothing_told_before(world, node) -> None:
    world.step()
    (page,) = world.session.store._db.execute("PRAGMA page_count").fetchone()
    world.session.store._db.execute(f"PRAGMA max_page_count = {page}")
    for number in range(60):
        world.send(node.row("BACKUP" if number % 2 else "MASTER", number * 10))
        world.step()
    assert len(world.told()) == len(world.stored()) < 60
    assert sum("database or disk is full" in note for note in world.notes) == 1
    world.session.store._db.execute("PRAGMA max_page_count = 100000")
    world.settle(20)
    assert world.stored() == list(range(1, 61))
    assert len(world.told()) == 60
    assert any("takes events again" in note for note in world.notes)


def test_memory_is_bounded_while_the_disk_is_full(world, node, monkeypatch) -> None:
    monkeypatch.setattr(hub_session, "MAX_UNSAVED", 10)
    world.step()
    (page,) = world.session.store._db.execute("PRAGMA page_count").fetchone()
    world.session.store._db.execute(f"PRAGMA max_page_count = {page}")
    with pytest.raises(hub_session.Overflow):
        for number in range(300):
            world.send(node.row("BACKUP" if number % 2 else "MASTER", number * 10))
            world.step()
    world.session.close()
    world.session = world._begin()
    world.settle(20)
    assert len(world.stored()) == len(node.spool)


def test_what_was_stored_but_not_told_is_told_after_a_restart(world, node) -> None:
    world.send(node.row("BACKUP", 1))
    world.session.step(EPOCH)  # and then the process dies before it fires
    world.restart(clean=False)
    world.settle(2)
    assert world.told() == [("n1", None, "BACKUP")]
    world.settle(10)
    world.restart()
    world.settle(2)
    assert len(world.told()) == 1


def test_killed_at_any_moment_it_catches_up(tmp_path) -> None:
    """Each time the process is killed while it stores; at the end nothing is missing."""
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        sys.path.insert(0, sys.argv[2])
        from hub_nodes import Node, World
        Node._born = iter([1] * 99)
        node = Node("n1")
        for number in range(3000):
            node.row("BACKUP" if number % 2 else "MASTER", number * 10)
        world = World(Path(sys.argv[1]), node)
        world.step()
        print("up", flush=True)
        start = world.session.hub.streams
        sent = max((stream.high for stream in start.values()), default=0)
        while sent < 3000:
            world.send(*node.spool[sent : sent + 7])
            sent += 7
            world.step()
        world.settle(5)
        print(len(world.stored()), world.stored() == list(range(1, 3001)), flush=True)
        """
    )
    command = [sys.executable, "-c", program, str(tmp_path / "db"), os.path.dirname(__file__)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for moment in (0.05, 0.1, 0.2):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment)
        assert process.stdout.readline() == b"up\n"
        try:
            process.wait(moment)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
        process.communicate()
    done = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=True)
    assert done.stdout.split()[1:] == [b"3000", b"True"]
