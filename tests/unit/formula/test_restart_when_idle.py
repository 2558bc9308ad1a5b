"""A Salt daemon is restarted when the job that asked has ended and no state run needs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import salt.payload

MODULE = Path(__file__).resolve().parents[3] / "salt" / "_modules" / "keepalived_minion.py"


@pytest.fixture
def sleeping() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Processes that stand for jobs; Salt takes a process for a job by the word salt."""
    started: list[subprocess.Popen[bytes]] = []

    def start(seconds: float) -> subprocess.Popen[bytes]:
        code = f"import time; time.sleep({seconds})"
        started.append(subprocess.Popen([sys.executable, "-c", code, "salt-minion"]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def module_copy(tmp_path: Path) -> Path:
    """The module as Salt syncs it: among others, some with names of Python's own modules."""
    directory = tmp_path / "extmods" / "modules"
    directory.mkdir(parents=True)
    text = MODULE.read_text()
    for name, value in (("POLL_SECONDS", "0.05"), ("IDLE_SECONDS", "0.4"), ("WAIT_SECONDS", "4")):
        lines = [f"{name} = {value}" if x.startswith(f"{name} =") else x for x in text.split("\n")]
        text = "\n".join(lines)
    copy = directory / MODULE.name
    copy.write_text(text)
    (directory / "json.py").write_text("raise RuntimeError('not the json of Python')\n")
    return copy


@pytest.fixture
def systemctl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A systemctl that only notes when it was called, and how."""
    log = tmp_path / "systemctl.log"
    tool = tmp_path / "bin" / "systemctl"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\necho "$(date +%s.%N) $*" >>{log}\n')
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=os.pathsep)
    return log


class Waiter:
    def __init__(self, module: Path, cachedir: Path, log: Path) -> None:
        self.module, self.cachedir, self.log = module, cachedir, log

    def start(self, *asker: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [
                sys.executable,
                "-I",
                str(self.module),
                "salt-minion",
                str(self.cachedir),
                "/nonexistent/master",
                *asker,
            ],
            stderr=subprocess.PIPE,
            text=True,
        )

    def restarted_at(self) -> float | None:
        if not self.log.exists():
            return None
        stamp, _, command = self.log.read_text().strip().partition(" ")
        assert command == "restart salt-minion"
        return float(stamp)


@pytest.fixture
def waiter(module_copy: Path, tmp_path: Path, systemctl: Path) -> Waiter:
    return Waiter(module_copy, tmp_path / "cache", systemctl)


def start_ticks(pid: int) -> str:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[19]


def test_the_restart_waits_for_the_job_that_asked(
    waiter: Waiter, sleeping: Callable[..., subprocess.Popen[bytes]]
) -> None:
    job = sleeping(1.5)
    process = waiter.start(str(job.pid), start_ticks(job.pid))
    job.wait()
    ended = time.time()
    assert waiter.restarted_at() is None
    assert process.wait(timeout=30) == 0
    assert (waiter.restarted_at() or 0) > ended


def test_a_process_that_got_the_number_of_the_job_is_not_waited_for(
    waiter: Waiter, sleeping: Callable[..., subprocess.Popen[bytes]]
) -> None:
    other = sleeping(30)
    process = waiter.start(str(other.pid), str(int(start_ticks(other.pid)) - 1))
    assert process.wait(timeout=25) == 0
    assert waiter.restarted_at()


@pytest.mark.parametrize(
    ("fun", "seconds", "waits"), [("state.highstate", 1.5, True), ("test.ping", 60, False)]
)
def test_other_state_runs_are_waited_for_and_other_jobs_are_not(
    waiter: Waiter,
    sleeping: Callable[..., subprocess.Popen[bytes]],
    fun: str,
    seconds: float,
    waits: bool,
) -> None:
    job = sleeping(seconds)
    proc = waiter.cachedir / "proc" / "20261101120000000000"
    proc.parent.mkdir(parents=True)
    proc.write_bytes(salt.payload.dumps({"jid": proc.name, "pid": job.pid, "fun": fun}))
    process = waiter.start()
    assert process.wait(timeout=30) == 0
    assert (job.poll() is not None) is waits


def test_a_job_that_never_ends_keeps_its_daemon_and_the_journal_says_so(
    waiter: Waiter, sleeping: Callable[..., subprocess.Popen[bytes]]
) -> None:
    job = sleeping(60)
    process = waiter.start(str(job.pid), start_ticks(job.pid))
    _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert waiter.restarted_at() is None
    assert "salt-minion was not restarted" in said
