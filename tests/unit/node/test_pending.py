"""The journal of a change outlives the run that wrote it, and tells the next one what to do."""

import errno
import json
import os
from dataclasses import replace

import pytest

from keepalived_core import deploy, judge
from keepalived_core.node import apply, pending, process, verify
from keepalived_core.node.paths import Paths


@pytest.fixture
def paths(tmp_path):
    found = Paths.under(tmp_path)
    found.config.parent.mkdir(parents=True)
    return found


def begin(paths, live="old\n", new="new\n", daemon=None):
    """A change from old to new; *live* stands there now."""
    paths.config.write_text("old\n")
    old = apply.digest(str(paths.config))
    kept = apply.backup(str(paths.config), str(paths.backups))
    paths.config.write_text(new)
    digest = apply.digest(str(paths.config))
    record = pending.Record(str(paths.config), 1.0, kept, old, digest, daemon=daemon)
    pending.begin(record, paths)
    paths.config.write_text(live)
    return record


def test_a_record_is_read_as_it_was_written(paths):
    record = begin(paths)
    assert pending.read(paths) == record
    assert oct(paths.journal.stat().st_mode & 0o777) == "0o600"


def test_a_change_that_is_done_is_no_longer_under_way_and_still_known(paths):
    record = pending.move(begin(paths), pending.DONE, "", paths)
    assert pending.read(paths) is None
    assert pending.last(paths) == record


@pytest.mark.parametrize("text", ["", "{", "[]", '{"path": 1}'])
def test_a_damaged_journal_is_none(paths, text):
    paths.state_dir.mkdir(parents=True)
    paths.journal.write_text(text)
    assert pending.read(paths) is None


def test_a_journal_that_cannot_be_written_stops_the_change_before_it_begins(paths, monkeypatch):
    def full(_fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pending.os, "fsync", full)
    with pytest.raises(apply.ApplyError, match="disk is full; the old file stands"):
        pending.begin(pending.Record("/x", 1.0, None, None, "new"), paths)


def test_a_journal_that_cannot_be_written_later_does_not_stop_it_half_way(paths, monkeypatch):
    record = begin(paths)

    def full(_fd):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(pending.os, "fsync", full)
    assert pending.move(record, pending.DONE, "", paths).phase == pending.DONE
    assert pending.read(paths) == record


#: (what stands there when the next run comes, is the change still under way then)
FOUND = [("old\n", False), ("new\n", True), ("by hand\n", False)]


@pytest.mark.parametrize(("live", "open_"), FOUND)
def test_a_killed_run_is_finished_only_where_its_file_stands(paths, live, open_):
    begin(paths, live=live)
    with deploy.alone(str(paths.config), paths):
        assert (pending.read(paths) is not None) is open_
    assert paths.config.read_text() == live


def test_a_run_killed_while_it_put_the_old_file_back_is_finished_with_either_file(
    paths, monkeypatch
):
    record = begin(paths, live="new\n", daemon="7:7")
    record = pending.move(record, pending.RETURNING, "", paths)
    monkeypatch.setattr(judge.process, "find", lambda _paths: process.Daemon(7, 7))
    for live in ("new\n", "old\n"):
        paths.config.write_text(live)
        with deploy.alone(str(paths.config), paths):
            digest = apply.digest(str(paths.config))
            assert judge.unfinished(str(paths.config), digest, paths) == record


#: (what runs now, the keepalived that ran when the file was replaced, does the change still count)
DAEMONS = [
    ("the same keepalived", "7:7", True),
    ("one that was started since, with the new file", "6:6", False),
    ("one, and none ran then", None, False),
]


@pytest.mark.parametrize(("what", "then", "counts"), DAEMONS, ids=[row[0] for row in DAEMONS])
def test_a_keepalived_started_since_has_read_the_file_by_itself(
    paths, monkeypatch, what, then, counts
):
    record = begin(paths, live="new\n", daemon=then)
    monkeypatch.setattr(judge.process, "find", lambda _paths: process.Daemon(7, 7))
    found = judge.unfinished(str(paths.config), record.new, paths)
    assert (found is not None) is counts


def test_without_a_keepalived_there_is_nothing_to_be_seen_in_force_but_it_is_told(
    paths, monkeypatch
):
    monkeypatch.setattr(judge.process, "find", lambda _paths: None)
    record = begin(paths, live="new\n", daemon="7:7")
    assert judge.unfinished(str(paths.config), record.new, paths) == record


def test_put_back_restores_the_file_of_the_last_change_and_keeps_the_one_it_replaces(
    paths, monkeypatch
):
    pending.move(begin(paths, live="new\n"), pending.DONE, "", paths)
    monkeypatch.setattr(deploy.process, "find", lambda _paths: None)
    done = deploy.put_back(paths)
    assert paths.config.read_text() == "old\n"
    assert "keepalived is not running" in done["did"]
    # and back again
    deploy.put_back(paths)
    assert paths.config.read_text() == "new\n"


def test_put_back_without_an_earlier_file_says_so_and_changes_nothing(paths):
    paths.config.write_text("by hand\n")
    with pytest.raises(apply.ApplyError, match="no earlier"):
        deploy.put_back(paths)
    with pytest.raises(apply.ApplyError, match="is not there"):
        deploy.put_back(paths, backup=str(paths.backups / "keepalived.conf.9"))
    assert paths.config.read_text() == "by hand\n"


class Forced:
    """Stands for keepalived's part; *fails* with that."""

    fails: BaseException | None = None

    def __init__(self, record, before, _rules, _restart, paths):
        self.record, self.paths, self.restarts = record, paths, record.restarts

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def run(self, _expected):
        pending.move(self.record, pending.RELOADING, "", self.paths)
        if Forced.fails:
            raise Forced.fails
        return {"reload": not self.restarts, "restart": self.restarts, "did": ""}

    def outage(self):
        return ""


@pytest.fixture
def daemon(monkeypatch):
    """A keepalived that runs; what a put-back then does to it is forced by ``Forced``."""
    found = process.Daemon(7, 7)
    monkeypatch.setattr(deploy.process, "find", lambda _paths=None: found)
    monkeypatch.setattr(deploy.reloading, "settle", lambda *_: None)
    monkeypatch.setattr(deploy.verify, "look", lambda one, _paths, doubt: verify.Before(one, None))
    monkeypatch.setattr(deploy, "Force", Forced)
    yield found
    Forced.fails = None


def put_back(paths, **given):
    with deploy.alone(str(paths.config), paths):
        return deploy.put_back(paths, **given)


class Killed(BaseException):
    """The minion was ended."""


ENDS = [apply.ApplyError("VI is FAULT"), Killed()]


@pytest.mark.parametrize("end", ENDS, ids=["failed", "killed"])
@pytest.mark.parametrize("named", [False, True], ids=["unnamed", "by sum"])
def test_a_put_back_that_did_not_end_well_is_finished_by_the_next_and_not_undone(
    paths, daemon, end, named
):
    record = pending.move(begin(paths, live="new\n", daemon=daemon.id), pending.DONE, "", paths)
    given = {"sum": record.old} if named else {}
    Forced.fails = end
    with pytest.raises(type(end)):
        put_back(paths, **given)
    assert paths.config.read_text() == "old\n"
    Forced.fails = None

    done = put_back(paths, **given)

    assert (done["backup"], done["reload"]) == (record.backup, True)
    assert paths.config.read_text() == "old\n"
    assert pending.read(paths) is None
    # and forward again, as ever
    put_back(paths)
    assert paths.config.read_text() == "new\n"


def test_a_put_back_killed_before_it_replaced_the_file_is_done_by_the_next(
    paths, daemon, monkeypatch
):
    pending.move(begin(paths, live="new\n", daemon=daemon.id), pending.DONE, "", paths)
    with monkeypatch.context() as patch:

        def killed(*_, **__):
            raise Killed

        patch.setattr(apply, "swap", killed)
        with pytest.raises(Killed):
            put_back(paths)
    assert paths.config.read_text() == "new\n"

    put_back(paths)

    assert paths.config.read_text() == "old\n"


#: (the keepalived that runs when it is tried again, is it restarted once more)
RESTARTS = [(process.Daemon(7, 7), True), (process.Daemon(8, 8), False)]


@pytest.mark.parametrize(("runs", "again"), RESTARTS, ids=["the same", "one started since"])
def test_what_needs_a_restart_is_not_restarted_twice(paths, daemon, monkeypatch, runs, again):
    record = replace(begin(paths, live="new\n", daemon=daemon.id), restarts=True)
    pending.move(record, pending.DONE, "", paths)
    Forced.fails = Killed()
    with pytest.raises(Killed):
        put_back(paths)
    Forced.fails = None
    monkeypatch.setattr(deploy.process, "find", lambda _paths=None: runs)

    assert put_back(paths)["restart"] is again


def test_a_prepared_put_back_is_taken_back_unless_its_file_is_asked_for(paths, daemon):
    record = pending.move(begin(paths, live="new\n", daemon=daemon.id), pending.DONE, "", paths)
    put_back(paths, reload="no")
    assert pending.read(paths).phase == pending.PREPARED

    put_back(paths)
    assert paths.config.read_text() == "new\n"

    put_back(paths, reload="no")
    put_back(paths, sum=[record.old])
    assert paths.config.read_text() == "old\n"
    assert pending.read(paths) is None


def test_the_copy_with_that_sum_is_restored_whatever_was_changed_since(paths, daemon):
    first = pending.move(begin(paths, live="new\n", daemon=daemon.id), pending.DONE, "", paths)
    other = apply.backup(str(paths.config), str(paths.backups))
    pending.begin(replace(first, old=first.new, backup=other), paths)

    with pytest.raises(apply.ApplyError, match="not the file that was asked for"):
        put_back(paths, backup=other, sum=first.old)
    with pytest.raises(apply.ApplyError, match="not the file that was asked for"):
        put_back(paths, sum="0" * 64)
    assert paths.config.read_text() == "new\n"

    assert put_back(paths, sum=first.old)["backup"] == first.backup
    assert paths.config.read_text() == "old\n"


def test_a_record_of_an_older_version_is_read(paths):
    record = begin(paths)
    data = json.loads(paths.journal.read_text())
    del data["back"]
    paths.journal.write_text(json.dumps(data))
    assert pending.read(paths) == record
