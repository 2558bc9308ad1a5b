"""Removing a lab, whole or half made, from its journal and from what can be seen.

Nothing is asked to stop: the machines are disposable. The order is processes, mounts, control
groups, what nspawn left behind, the directory. Every step may find its work already done.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

from lab import processes
from lab.host import RUN_ROOT, LabError, run
from lab.state import State

_NSPAWN = Path("/run/systemd/nspawn")


def remove(state: State) -> None:
    """Remove everything of a lab. Raises LabError naming what would not go."""
    data = state.read()
    locks = _nspawn_locks(state)
    _end_processes(state)
    _unmount(state, data["mounts"])
    _remove_cgroups(state)
    for machine in data["machines"]:
        _forget_machine(machine)
    for lock in locks:
        lock.unlink(missing_ok=True)
    shutil.rmtree(state.path, ignore_errors=True)
    if state.path.exists():
        raise LabError(f"{state.path} cannot be removed")


def tidy_up() -> None:
    """Remove the common directory when the last lab is gone."""
    try:
        RUN_ROOT.rmdir()
    except OSError:
        return


def _end_processes(state: State, timeout: float = 20) -> None:
    deadline = time.monotonic() + timeout
    quiet = 0
    # Twice nothing: a process killed while it started another may have left that one unseen.
    while quiet < 2:
        pids = processes.of_lab(state)
        quiet = 0 if pids else quiet + 1
        processes.kill(pids)
        if pids and time.monotonic() > deadline:
            raise LabError(f"processes {sorted(pids)} of lab {state.name} do not end")
        time.sleep(0.03)


def _mounts_below(path: Path) -> list[str]:
    """Mount points at or below a path, innermost and latest first."""
    points = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    inside = [p for p in points if p == str(path) or p.startswith(f"{path}/")]
    return list(reversed(inside))


def _unmount(state: State, recorded: list[str], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while True:
        left = _mounts_below(state.path)
        for path in recorded:
            left += [p for p in _mounts_below(Path(path)) if p not in left]
        if not left:
            return
        for point in left:
            run(["umount", point], check=False)
        if time.monotonic() > deadline:
            raise LabError(f"still mounted and busy: {', '.join(left)}")
        if _mounts_below(state.path):
            time.sleep(0.05)


def _remove_cgroups(state: State, timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while state.cgroup.is_dir():
        for path in sorted(state.cgroup.rglob("*"), reverse=True):
            if path.is_dir():
                _rmdir(path)
        _rmdir(state.cgroup)
        if state.cgroup.is_dir():
            if time.monotonic() > deadline:
                raise LabError(f"control group {state.cgroup} is still busy")
            time.sleep(0.05)
    _rmdir(state.cgroup.parent)


def _nspawn_locks(state: State) -> list[Path]:
    """nspawn's lock files for the machines' root directories, named after their inodes."""
    if not state.disk.is_dir():
        return []
    stats = [os.stat(root) for root in state.disk.glob("*/root")]
    return [_NSPAWN / "locks" / f"inode-{s.st_dev}:{s.st_ino}" for s in stats]


def _forget_machine(machine: str) -> None:
    for kind in ("propagate", "unix-export"):
        path = _NSPAWN / kind / machine
        for point in _mounts_below(path):
            run(["umount", point], check=False)
        _rmdir(path)


def _rmdir(path: Path) -> None:
    try:
        path.rmdir()
    except OSError:
        return
