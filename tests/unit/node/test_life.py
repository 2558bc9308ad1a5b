"""A VRRP process that dies is noticed, whoever looks first."""

import contextlib
import os
import subprocess
import time

import pytest

from keepalived_core.node import life, paths, process


@pytest.fixture
def two():
    """A process and its child, for keepalived's parent and VRRP process."""
    parent = subprocess.Popen(
        ["sh", "-c", "sleep 100 & echo $!; wait; exec sleep 100"], stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    yield parent, child
    parent.kill()
    parent.wait()
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, 9)


def test_the_end_of_the_vrrp_process_alone_is_known_before_the_check(two, tmp_path, monkeypatch):
    parent, child = two
    daemon = process.Daemon(parent.pid, process._stat(parent.pid).starttime, (child,), child)
    monkeypatch.setattr(process, "find_by_pid_file", lambda _: daemon)
    watched = life.Life(paths.Paths.under(tmp_path))
    assert not watched.vrrp_ended()
    assert watched.check() == life.FOUND
    assert not watched.vrrp_ended()
    os.kill(child, 9)
    deadline = time.monotonic() + 5
    while not watched.vrrp_ended() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert watched.vrrp_ended()
    assert watched.vrrp_died is None
    while watched.vrrp_died is None and time.monotonic() < deadline:
        watched.check()
    assert watched.vrrp_died is not None
    watched.close()
