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
from lab.machine import Node
from lab.state import State

_NSPAWN = Path("/run/systemd/nspawn")


def remove(state: State) -> None:
    """Remove everything of a lab. Raises LabError naming what would not go."""
    data = state.read()
    _end_processes(state)
    # Before the unmounting: a lock is named after the inode it had while mounted.
    _remove_nspawn_locks(list(state.disk.glob("*/root")))
    _unmount(state.path, data["mounts"])
    _remove_cgroups(state.cgroup)
    _rmdir(state.cgroup.parent)
    for machine in data["machines"]:
        _forget_machine(machine)
    shutil.rmtree(state.path, ignore_errors=True)
    if state.path.exists():
        raise LabError(f"{state.path} cannot be removed")


def remove_machine(node: Node) -> None:
    """Switch one machine off for good and remove its disk."""
    node.stop(hard=True)
    _remove_nspawn_locks([node.root])
    _unmount(node.root.parent, [])
    _remove_cgroups(node.state.cgroup / node.name)
    _forget_machine(node.state.machine(node.name))
    for path in (node.root.parent, node.state.node_path(node.name)):
        shutil.rmtree(path)


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


def _unmount(path: Path, recorded: list[str], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while True:
        left = _mounts_below(path)
        for other in recorded:
            left += [point for point in _mounts_below(Path(other)) if point not in left]
        if not left:
            return
        for point in left:
            run(["umount", point], check=False)
        if time.monotonic() > deadline:
            raise LabError(f"still mounted and busy: {', '.join(left)}")
        if _mounts_below(path):
            time.sleep(0.05)


def _remove_cgroups(top: Path, timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while top.is_dir():
        for path in sorted(top.rglob("*"), reverse=True):
            if path.is_dir():
                _rmdir(path)
        _rmdir(top)
        if top.is_dir():
            if time.monotonic() > deadline:
                raise LabError(f"control group {top} is still busy")
            time.sleep(0.05)


def _remove_nspawn_locks(roots: list[Path]) -> None:
    """nspawn locks a machine's root directory by a file named after its inode."""
    for root in roots:
        seen = os.stat(root)
        lock = _NSPAWN / "locks" / f"inode-{seen.st_dev}:{seen.st_ino}"
        lock.unlink(missing_ok=True)


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
