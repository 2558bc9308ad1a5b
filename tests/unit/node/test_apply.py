"""A change: the file is whole at every moment, and what the daemon does not run is noticed."""

import errno
import os
import stat
import subprocess
import sys
import time

import pytest

from keepalived_core.node import apply


def test_the_staged_file_is_private_whole_and_gone_afterwards(tmp_path):
    target = tmp_path / "keepalived.conf"
    with apply.staged("new\n", str(target)) as path:
        info = os.stat(path)
        assert stat.S_IMODE(info.st_mode) == 0o640
        assert os.path.dirname(path) == str(tmp_path), "beside the target: includes resolve"
        assert not target.exists()
    assert os.listdir(tmp_path) == []


def test_swap_leaves_the_new_file_with_the_same_mode_and_nothing_beside_it(tmp_path):
    target = tmp_path / "keepalived.conf"
    target.write_text("old\n")
    target.chmod(0o644)
    with apply.staged("new\n", str(target)) as path:
        apply.swap(path, str(target))
    assert target.read_text() == "new\n"
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["keepalived.conf"]


#: (errno, words a person understands)
FAULTS = [
    (errno.ENOSPC, "the disk is full"),
    (errno.EROFS, "read-only"),
    (errno.EDQUOT, "quota"),
    (errno.EPERM, "immutable"),
]


@pytest.mark.parametrize(("number", "words"), FAULTS)
def test_a_write_that_fails_leaves_the_old_file_and_says_why(tmp_path, monkeypatch, number, words):
    target = tmp_path / "keepalived.conf"
    target.write_text("old\n")

    def fail(_fd):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(apply.os, "fsync", fail)
    with pytest.raises(apply.ApplyError, match=words), apply.staged("new\n", str(target)):
        pytest.fail("the body must not run")
    assert target.read_text() == "old\n"
    assert os.listdir(tmp_path) == ["keepalived.conf"]


def test_kill_9_at_any_moment_leaves_the_whole_old_or_the_whole_new_file(tmp_path):
    target = tmp_path / "keepalived.conf"
    old, new = "old\n" * 50000, "new\n" * 50000
    program = (
        "import sys\nfrom keepalived_core.node import apply\n"
        "print('go', flush=True)\n"
        "with apply.staged('new\\n' * 50000, sys.argv[1]) as path:\n"
        "    apply.swap(path, sys.argv[1])\n"
    )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    seen = set()
    for step in range(12):
        target.write_text(old)
        child = subprocess.Popen(
            [sys.executable, "-c", program, str(target)], stdout=subprocess.PIPE, env=env
        )
        child.stdout.readline()
        time.sleep(step * 0.0005)
        child.kill()
        child.wait()
        child.stdout.close()
        assert target.read_text() in (old, new)
        seen.add(target.read_text()[:3])
    assert seen, "at least one outcome was looked at"


def test_backups_are_numbered_and_only_the_newest_ten_stay(tmp_path):
    target = tmp_path / "keepalived.conf"
    kept = []
    for number in range(13):
        target.write_text(f"version {number}\n")
        kept.append(apply.backup(str(target), str(tmp_path / "backup")))
    assert [os.path.basename(path) for path in kept][-1] == "keepalived.conf.13"
    assert sorted(os.listdir(tmp_path / "backup"), key=lambda n: int(n.split(".")[-1])) == [
        f"keepalived.conf.{number}" for number in range(4, 14)
    ]
    assert (tmp_path / "backup" / "keepalived.conf.13").read_text() == "version 12\n"


def test_without_a_file_there_is_nothing_to_back_up(tmp_path):
    assert apply.backup(str(tmp_path / "keepalived.conf"), str(tmp_path / "backup")) is None


def test_a_second_change_waits_and_then_says_who_is_in_the_way(tmp_path):
    path = str(tmp_path / "run" / "apply.lock")
    second = apply.lock(path, timeout=0.2)
    with apply.lock(path), pytest.raises(apply.ApplyError, match="another run"), second:
        pytest.fail("two changes at once")
    with apply.lock(path, timeout=0.2):
        pass


OLD = {"VI_1": {"vrid": 52, "base_priority": 101, "vips": ["192.168.1.220/32"]}}
NEW = {"VI_1": {"vrid": 52, "base_priority": 103, "vips": ["192.168.1.220/32"]}}


#: (expected, seen, how they differ)
DIFFERENCES = [
    (OLD, OLD, []),
    (NEW, OLD, ["VI_1 base_priority is 101, not 103"]),
    (OLD, {}, ["instance VI_1 is missing"]),
    ({}, OLD, ["instance VI_1 is still there"]),
    (OLD, {"VI_1": {"vrid": 52}}, []),
]


@pytest.mark.parametrize(("expected", "seen", "found"), DIFFERENCES)
def test_differences(expected, seen, found):
    assert apply.differences(expected, seen) == found


def test_a_person_who_edits_meanwhile_loses_nothing_and_is_told_so(tmp_path):
    target = tmp_path / "keepalived.conf"
    target.write_text("planned against\n")
    planned = apply.digest(str(target))
    with apply.staged("ours\n", str(target)) as path:
        target.write_text("theirs\n")
        with pytest.raises(apply.ApplyError, match="changed by somebody else"):
            apply.swap(path, str(target), expect=planned)
    assert target.read_text() == "theirs\n"
    assert os.listdir(tmp_path) == ["keepalived.conf"]


def test_a_file_that_appears_where_there_was_none_is_kept_too(tmp_path):
    target = tmp_path / "keepalived.conf"
    with apply.staged("ours\n", str(target)) as path:
        target.write_text("theirs\n")
        with pytest.raises(apply.ApplyError, match="changed by somebody else"):
            apply.swap(path, str(target), expect=None)
    assert target.read_text() == "theirs\n"


def test_what_a_killed_run_left_is_swept_and_what_a_living_one_uses_is_not(tmp_path):
    target = tmp_path / "keepalived.conf"
    dead = tmp_path / ".keepalived.conf.1:1.abcdefgh"
    dead.write_text("half a fi")
    shadow = tmp_path / ".keepalived-shadow-x"
    shadow.write_text("a copy")
    os.utime(shadow, (0, 0))
    young = tmp_path / ".keepalived-shadow-y"
    young.write_text("in use")
    with apply.staged("new\n", str(target)) as path:
        assert sorted(apply.sweep(str(target))) == sorted([dead.name, shadow.name])
        assert os.path.exists(path)
    assert os.listdir(tmp_path) == [young.name]


@pytest.mark.parametrize(
    "name", [".{}.swp", ".{}.bak", ".{}.bak.old", ".{}.2025-11-01", ".{}.un~", ".{}.12:x.abc"]
)
def test_a_hidden_file_that_is_not_ours_is_left_where_it_is(tmp_path, name):
    target = tmp_path / "keepalived.conf"
    theirs = tmp_path / name.format(target.name)
    theirs.write_text("unsaved edits")
    os.utime(theirs, (0, 0))
    assert apply.sweep(str(target)) == []
    assert theirs.read_text() == "unsaved edits"


#: (errno, is it root, words a person understands); a kernel with SELinux is not at hand: a mock.
DENIALS = [(errno.EACCES, 0, "SELinux"), (errno.EACCES, 1000, "needs root")]


@pytest.mark.parametrize(("number", "uid", "words"), DENIALS)
def test_a_denial_says_who_denies(tmp_path, monkeypatch, number, uid, words):
    target = tmp_path / "keepalived.conf"
    target.write_text("old\n")

    def fail(_old, _new):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(apply.os, "replace", fail)
    monkeypatch.setattr(apply.os, "geteuid", lambda: uid)
    with apply.staged("new\n", str(target)) as path, pytest.raises(apply.ApplyError, match=words):
        apply.swap(path, str(target))
    assert target.read_text() == "old\n"
