"""A change: the file is whole at every moment, and what the daemon does not run is noticed."""

import errno
import os
import signal
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


class Daemon:
    """A process that takes SIGHUP, and what it is said to run."""

    def __init__(self, observations):
        self.process = subprocess.Popen(["sh", "-c", "trap : HUP; while :; do sleep 0.05; done"])
        self.observations = iter(observations)
        self.last = None
        time.sleep(0.1)

    def observe(self):
        self.last = next(self.observations, self.last)
        return self.last

    def alive(self):
        return self.process.poll() is None


@pytest.fixture
def daemon(request):
    made = Daemon(request.param)
    yield made
    made.process.kill()
    made.process.wait()


OLD = {"VI_1": {"vrid": 52, "base_priority": 101, "vips": ["192.168.1.220/32"]}}
NEW = {"VI_1": {"vrid": 52, "base_priority": 103, "vips": ["192.168.1.220/32"]}}


@pytest.mark.parametrize("daemon", [[None, OLD, OLD, NEW]], indirect=True)
def test_a_reload_is_done_when_the_daemon_shows_the_new_facts(daemon):
    assert apply.reload_daemon(daemon.process.pid, daemon.alive, daemon.observe, NEW) == NEW


@pytest.mark.parametrize("daemon", [[OLD]], indirect=True)
def test_a_reload_that_does_not_take_is_an_error_that_names_the_fact(daemon):
    with pytest.raises(apply.ApplyError, match="VI_1 base_priority is 101, not 103"):
        apply.reload_daemon(daemon.process.pid, daemon.alive, daemon.observe, NEW, timeout=0.5)


@pytest.mark.parametrize("daemon", [[OLD]], indirect=True)
def test_a_daemon_that_dies_during_the_reload_is_noticed_at_once(daemon):
    def observe():
        daemon.process.send_signal(signal.SIGKILL)
        daemon.process.wait()
        return OLD

    begin = time.monotonic()
    with pytest.raises(apply.ApplyError, match="died during the reload"):
        apply.reload_daemon(daemon.process.pid, daemon.alive, observe, NEW)
    assert time.monotonic() - begin < 5


def test_a_pid_that_is_gone_is_an_error_not_a_crash():
    child = subprocess.Popen(["true"])
    child.wait()
    with pytest.raises(apply.ApplyError, match="died before the reload"):
        apply.reload_daemon(child.pid, lambda: False, lambda: None, {})


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
