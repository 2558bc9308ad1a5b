"""The keepalived daemon: which process it is, and whether it may be signalled."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from keepalived_core.node import process
from keepalived_core.node.paths import Paths

DEBIAN_12 = """Keepalived v2.2.7 (01/16,2022)

Copyright(C) 2001-2022 Alexandre Cassen, <acassen@gmail.com>

configure options: --enable-json --enable-bfd

Config options:  NFTABLES LVS REGEX VRRP VRRP_AUTH VRRP_VMAC JSON BFD INIT=systemd SYSTEMD_NOTIFY

System options:  VSYSLOG MEMFD_CREATE
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (DEBIAN_12, ((2, 2, 7), "2.2.7", True)),
        ("Keepalived v1.2.13 (05/28,2014)\n", ((1, 2, 13), "1.2.13", False)),
        ("Keepalived v2.2.8 (04/04,2023), git commit v2.2.7-154-g292b299e+\n"
         "configure options: --disable-json\nConfig options:  LVS VRRP\n",
         ((2, 2, 8), "2.2.8", False)),
        ("Keepalived v2.3\nConfig options: JSON\n", ((2, 3), "2.3", True)),
    ],
)  # fmt: skip
def test_the_version_is_read_from_what_keepalived_prints(text, expected):
    found = process.parse_version(text)
    assert (found.tuple, found.text, found.json) == expected


def test_something_else_has_no_version():
    assert process.parse_version("bash: keepalived: command not found") is None


def test_a_keepalived_that_is_not_installed_has_neither_version_nor_signals():
    assert process.version("no-such-keepalived") is None
    assert process.signal_number("JSON", "no-such-keepalived") is None


@pytest.fixture
def fake():
    """Start processes that are called keepalived."""
    started = []

    def start(code="import time; print(1, flush=True); time.sleep(60)"):
        child = subprocess.Popen([sys.executable, "-c", _RENAME + code], stdout=subprocess.PIPE)
        started.append(child)
        assert child.stdout is not None
        child.stdout.readline()
        return child

    yield start
    for child in started:
        child.kill()
        child.wait()


# comm is what counts; the kernel lets a process choose it
_RENAME = "open('/proc/self/comm', 'w').write('keepalived');"


def pid_file(paths, text):
    paths.pid_dirs[0].mkdir(parents=True, exist_ok=True)
    (paths.pid_dirs[0] / "keepalived.pid").write_text(text)


def test_the_pid_file_s_process_is_found(fake, tmp_path):
    paths, child = Paths.under(tmp_path), fake()
    pid_file(paths, f"{child.pid}\n")
    daemon = process.find(paths)
    assert daemon.pid == child.pid
    assert daemon.alive()
    assert daemon.same_netns


def test_a_pid_file_that_names_another_process_is_not_believed(tmp_path):
    paths = Paths.under(tmp_path)
    for text in (str(os.getpid()), "4194999", "", "x", "-1", "0"):
        pid_file(paths, text)
        assert process.find_by_pid_file(paths) is None


def test_without_a_pid_file_the_parent_is_found_among_all_processes(fake, tmp_path):
    fake()
    found = process.find(Paths.under(tmp_path))
    assert found is not None
    assert found.alive()


def test_children_are_those_that_are_keepalived_too_and_the_vrrp_one_is_known(fake, tmp_path):
    code = (
        "import os, time, subprocess\n"
        "one = os.fork() or time.sleep(60)\n"
        "two = os.fork() or time.sleep(60)\n"
        "subprocess.Popen(['sleep', '60'])\n"
        "print(one, two, flush=True); time.sleep(60)"
    )
    paths = Paths.under(tmp_path)
    child = fake(code)
    pid_file(paths, str(child.pid))
    daemon = process.find(paths)
    assert len(daemon.children) == 2
    assert daemon.vrrp is None
    (paths.pid_dirs[0] / "vrrp.pid").write_text(str(daemon.children[1]))
    assert process.find(paths).vrrp == daemon.children[1]
    subprocess.run(["kill", "-9", *map(str, process.children(child.pid))], check=True)


def test_nothing_raises_when_the_process_has_ended(fake, tmp_path):
    paths, child = Paths.under(tmp_path), fake()
    pid_file(paths, str(child.pid))
    daemon = process.find(paths)
    child.kill()
    child.wait()
    assert not daemon.alive()
    assert process.ended(daemon.pid)
    assert not daemon.frozen()
    assert not daemon.handles(36)
    assert daemon.environ() == {}
    assert daemon.fifo_fd(Path("/x")) is None
    assert process.children(daemon.pid) == ()
    assert process.describe(daemon.pid) is None


def test_a_stopped_daemon_is_seen_to_be_frozen(fake, tmp_path):
    paths, child = Paths.under(tmp_path), fake()
    pid_file(paths, str(child.pid))
    assert not process.find(paths).frozen()
    child.send_signal(19)
    os.waitpid(child.pid, os.WUNTRACED)
    assert process.find(paths).frozen()


@pytest.mark.parametrize(
    ("code", "may"),
    [
        ("", False),
        ("import signal; signal.signal(36, signal.SIG_IGN);", False),
        ("import signal; signal.signal(36, print);", True),
        ("import signal; signal.pthread_sigmask(signal.SIG_BLOCK, [36]);", True),
    ],
    ids=["default", "ignored", "caught", "blocked for a signalfd"],
)
def test_only_a_daemon_that_handles_a_signal_is_sent_it(fake, tmp_path, code, may):
    paths = Paths.under(tmp_path)
    child = fake(code + "import time; print(1, flush=True); time.sleep(60)")
    pid_file(paths, str(child.pid))
    assert process.find(paths).handles(36) is may


def test_a_process_can_be_told_from_all_others():
    pid, starttime = process.self_id().split(":")
    assert int(pid) == os.getpid()
    assert int(starttime) > 0
    assert process.self_id() == process.self_id()
