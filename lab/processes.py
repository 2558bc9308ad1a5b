"""Which processes on this machine belong to a lab, found by what they are, not by their ids."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

from lab.host import OWNER_VARIABLE
from lab.state import State


def of_lab(state: State) -> set[int]:
    """Process ids of everything that belongs to the lab, except the caller.

    A process belongs to it if it carries the lab's name in its environment, sits in its control
    group, in its network namespace, or has one of its machines' root file systems.
    """
    marker = f"{OWNER_VARIABLE}={state.name}".encode()
    netns = _identity(state.netns)
    if netns is not None and netns == _identity(Path("/proc/self/ns/net")):
        netns = None
    elif netns is not None and netns[0] != os.stat("/proc/self/ns/net").st_dev:
        netns = None  # still the plain file: the namespace was never bound to it
    roots = set()
    if state.disk.is_dir():
        roots = {_identity(path) for path in state.disk.glob("*/root") if path.is_mount()}
    found = set(in_cgroup(state.cgroup))
    for pid in all_pids():
        if pid == os.getpid():
            continue
        proc = Path(f"/proc/{pid}")
        if (
            marker in _environment(proc)
            or (netns is not None and _identity(proc / "ns/net") == netns)
            or (roots and _identity(proc / "root") in roots)
        ):
            found.add(pid)
    return {pid for pid in found if pid != os.getpid() and alive(pid)}


def all_pids() -> list[int]:
    """Every process id there is."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def in_cgroup(path: Path) -> Iterator[int]:
    """Process ids in a control group and all groups below it."""
    # os.walk passes over a group that goes away meanwhile, as those of finished units do.
    for directory, _groups, _files in os.walk(path):
        try:
            text = Path(directory, "cgroup.procs").read_text()
        except OSError:
            continue
        # 0 stands for a process that is not visible from here.
        yield from (int(word) for word in text.split() if word != "0")


def alive(pid: int) -> bool:
    """Whether the process exists and is not merely waiting to be collected by its parent."""
    return fields(pid).get("State", "Z")[0] not in "ZX"


def fields(pid: int) -> dict[str, str]:
    """`/proc/PID/status` as a dict; empty if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    return {
        key: value.strip() for key, _, value in (line.partition(":") for line in text.splitlines())
    }


def leader(nspawn: int) -> int | None:
    """The process that is number 1 inside the container of an nspawn process."""
    for pid in all_pids():
        status = fields(pid)
        if status.get("PPid") == str(nspawn) and status.get("NSpid", "").split()[1:] == ["1"]:
            return pid
    return None


def kill(pids: set[int], number: int = signal.SIGKILL) -> None:
    """Send a signal to each of them that still exists."""
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _environment(proc: Path) -> list[bytes]:
    try:
        return (proc / "environ").read_bytes().split(b"\0")
    except OSError:
        return []
