"""The keepalived daemon of this host: its processes, version and signals.

Nothing here raises because a process went away while it was looked at.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import paths as node_paths

PROC = Path("/proc")
#: ``keepalived -v`` takes about 10 ms; a machine that needs seconds for it is not answering.
_TIMEOUT = 5.0
_signal_numbers: dict[tuple[str, str], int] = {}
_VERSION = re.compile(r"Keepalived v(\d+(?:\.\d+)*)")


@dataclass(frozen=True)
class Version:
    """What ``keepalived -v`` says."""

    tuple: tuple[int, ...]
    text: str
    json: bool
    options: frozenset[str]


@dataclass(frozen=True)
class Daemon:
    """A running keepalived: the parent process and its children.

    ``starttime`` (clock ticks since boot) tells a reused pid apart.  ``vrrp`` is the pid of the
    VRRP child when it can be told.  ``same_netns`` is False when the daemon lives in another
    network namespace than the caller, whose addresses then say nothing about its VIPs.
    """

    pid: int
    starttime: int
    children: tuple[int, ...] = ()
    vrrp: int | None = None
    same_netns: bool = True

    @property
    def id(self) -> str:
        """``pid:starttime``, which no other process can share until the next boot."""
        return f"{self.pid}:{self.starttime}"

    def alive(self) -> bool:
        """Return whether the parent process is still this one (a zombie is not alive)."""
        stat = _stat(self.pid)
        return stat is not None and stat.starttime == self.starttime and stat.state not in "ZX"

    def frozen(self) -> bool:
        """Return whether the parent or the VRRP child is stopped (SIGSTOP, a debugger)."""
        pids = (self.pid, self.vrrp) if self.vrrp else (self.pid, *self.children)
        return any(stat.state in "Tt" for stat in map(_stat, pids) if stat)

    def handles(self, signal: int) -> bool:
        """Return whether every process of the daemon is prepared for ``signal``.

        keepalived reads its signals from a signalfd, so a signal it handles is *blocked* rather
        than caught.  One that is neither blocked, caught nor ignored would end the process: that
        is how a dump request kills a keepalived which is still starting.
        """
        parent = _signals(self.pid)
        if parent is None or not parent.handled(signal):
            return False
        masks = [_signals(pid) for pid in self.children]
        return all(mask.handled(signal) or mask.ignored(signal) for mask in masks if mask)

    def vrrp_handles(self, signal: int) -> bool:
        """Return whether the VRRP child is there and prepared for ``signal``."""
        masks = _signals(self.vrrp) if self.vrrp else None
        return masks is not None and masks.handled(signal)

    def environ(self) -> dict[str, str]:
        """Return the parent's environment as it was when it started."""
        raw = _read(self.pid, "environ") or ""
        return dict(item.split("=", 1) for item in raw.split("\0") if "=" in item)

    def fifo_fd(self, path: Path) -> Path | None:
        """Return the /proc path of the descriptor by which the VRRP child holds ``path``.

        The file may have been removed or replaced since: the kernel then calls it
        ``PATH (deleted)`` and the descriptor still leads to the one keepalived writes to.
        """
        wanted = (str(path), f"{path} (deleted)")
        for pid in (self.vrrp,) if self.vrrp else self.children:
            directory = PROC / str(pid) / "fd"
            try:
                names = os.listdir(directory)
            except OSError:
                continue
            for name in names:
                try:
                    if os.readlink(directory / name) in wanted:
                        return directory / name
                except OSError:
                    continue
        return None


@dataclass(frozen=True)
class _Stat:
    comm: str
    state: str
    ppid: int
    starttime: int


@dataclass(frozen=True)
class _Signals:
    blocked: int
    ignoring: int
    caught: int

    def handled(self, number: int) -> bool:
        return bool((self.blocked | self.caught) >> (number - 1) & 1)

    def ignored(self, number: int) -> bool:
        return bool(self.ignoring >> (number - 1) & 1)


def _read(pid: int, name: str) -> str | None:
    try:
        return (PROC / str(pid) / name).read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return None


def _stat(pid: int) -> _Stat | None:
    text = _read(pid, "stat")
    if text is None:
        return None
    # comm stands in parentheses and may itself hold blanks and parentheses
    opening, closing = text.find("("), text.rfind(")")
    fields = text[closing + 2 :].split()
    if opening < 0 or len(fields) < 20:
        return None
    return _Stat(text[opening + 1 : closing], fields[0], int(fields[1]), int(fields[19]))


def _signals(pid: int) -> _Signals | None:
    text = _read(pid, "status")
    if text is None:
        return None
    masks = {
        name: int(value, 16)
        for name, _, value in (line.partition(":") for line in text.splitlines())
        if name in ("SigBlk", "SigIgn", "SigCgt")
    }
    if len(masks) < 3:
        return None
    return _Signals(masks["SigBlk"], masks["SigIgn"], masks["SigCgt"])


def _is_keepalived(pid: int, stat: _Stat) -> bool:
    if stat.comm == "keepalived":
        return True
    # process_name and its kin change comm; the executable keeps its name
    try:
        exe = os.readlink(PROC / str(pid) / "exe")
    except OSError:
        return False
    return os.path.basename(exe.removesuffix(" (deleted)")) == "keepalived"


def _netns(pid: int | str) -> str | None:
    try:
        return os.readlink(PROC / str(pid) / "ns" / "net")
    except OSError:
        return None


def _pid_from(path: Path) -> int | None:
    try:
        text = path.read_text().strip()
    except (OSError, ValueError):
        return None
    return int(text) if text.isdecimal() else None


def children(pid: int) -> tuple[int, ...]:
    """Return the pids of the child processes of ``pid``."""
    text = _read(pid, f"task/{pid}/children")
    if text is not None:
        return tuple(int(word) for word in text.split())
    # a kernel without CONFIG_PROC_CHILDREN
    found = ((other, _stat(other)) for other in _all_pids())
    return tuple(other for other, stat in found if stat and stat.ppid == pid)


def ended(pid: int) -> bool:
    """Return whether there is no such process any more, or only what is left of a dead one."""
    stat = _stat(pid)
    return stat is None or stat.state in "ZX"


def is_running(pid: int, starttime: str) -> bool:
    """Return whether that very process (see :func:`self_id`) still runs."""
    stat = _stat(pid)
    return stat is not None and stat.state not in "ZX" and str(stat.starttime) == starttime


def _all_pids() -> list[int]:
    return [int(name) for name in os.listdir(PROC) if name.isdecimal()]


def _parent_from_pid_file(paths: node_paths.Paths) -> int | None:
    for directory in paths.pid_dirs:
        pid = _pid_from(directory / "keepalived.pid")
        if pid is None:
            continue
        stat = _stat(pid)
        if stat and stat.state not in "ZX" and _is_keepalived(pid, stat):
            return pid
    return None


def _parent_from_scan() -> int | None:
    here = _netns("self")
    stats = {pid: stat for pid in _all_pids() if (stat := _stat(pid))}
    ours = {pid for pid, stat in stats.items() if stat.state not in "ZX"}
    ours = {pid for pid in ours if _is_keepalived(pid, stats[pid])}
    parents = [pid for pid in ours if stats[pid].ppid not in ours and _netns(pid) == here]
    return min(parents, key=lambda pid: stats[pid].starttime, default=None)


def _vrrp_child(paths: node_paths.Paths, pids: tuple[int, ...]) -> int | None:
    if len(pids) == 1:
        return pids[0]
    for directory in paths.pid_dirs:
        # 2.x writes vrrp.pid, older releases keepalived_vrrp.pid
        for name in ("vrrp.pid", "keepalived_vrrp.pid"):
            pid = _pid_from(directory / name)
            if pid in pids:
                return pid
    return None


def describe(pid: int, paths: node_paths.Paths = node_paths.DEFAULT) -> Daemon | None:
    """Return the daemon whose parent process is ``pid``, or None when there is no such process."""
    stat = _stat(pid)
    if stat is None or stat.state in "ZX":
        return None
    below = tuple(
        child
        for child in children(pid)
        # not the scripts it runs
        if (child_stat := _stat(child)) and _is_keepalived(child, child_stat)
    )
    return Daemon(
        pid=pid,
        starttime=stat.starttime,
        children=below,
        vrrp=_vrrp_child(paths, below),
        same_netns=_netns(pid) == _netns("self"),
    )


def find(paths: node_paths.Paths = node_paths.DEFAULT) -> Daemon | None:
    """Return the running keepalived of this host, or None.

    The pid file is believed only when that process is a keepalived.  Without one, /proc is
    searched for the oldest keepalived of this network namespace that is nobody's child.
    """
    pid = _parent_from_pid_file(paths)
    if pid is None:
        pid = _parent_from_scan()
    return None if pid is None else describe(pid, paths)


def find_by_pid_file(paths: node_paths.Paths = node_paths.DEFAULT) -> Daemon | None:
    """Like :func:`find`, but never searches /proc: cheap enough for every second."""
    pid = _parent_from_pid_file(paths)
    return None if pid is None else describe(pid, paths)


def self_id() -> str:
    """Return ``pid:starttime`` of this process, which no later process can share."""
    pid = os.getpid()
    stat = _stat(pid)
    return f"{pid}:{stat.starttime if stat else 0}"


def lives(identity: str) -> bool:
    """Return whether the process of a :func:`self_id` is still there."""
    pid, _, starttime = identity.partition(":")
    stat = _stat(int(pid)) if pid.isdecimal() else None
    return stat is not None and stat.state not in "ZX" and str(stat.starttime) == starttime


def _run(binary: str, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    # a service's PATH may lack the sbin directories
    path = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"
    executable = shutil.which(binary, path=path)
    if executable is None:
        return None
    try:
        return subprocess.run(
            [executable, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def parse_version(text: str) -> Version | None:
    """Read the output of ``keepalived -v``."""
    match = _VERSION.search(text)
    if match is None:
        return None
    options: set[str] = set()
    for line in text.splitlines():
        name, _, words = line.partition(":")
        if name.strip() == "Config options":
            options.update(words.split())
    number = tuple(int(part) for part in match[1].split("."))
    return Version(number, match[1], "JSON" in options, frozenset(options))


def version(binary: str = "keepalived") -> Version | None:
    """Return what ``keepalived -v`` says, or None when it is not installed or does not answer."""
    done = _run(binary, "-v")
    return None if done is None else parse_version(done.stderr + done.stdout)


def signal_number(name: str, binary: str = "keepalived") -> int | None:
    """Return the number keepalived uses for ``name`` (JSON, DATA, STATS, RELOAD, STOP …).

    None when this keepalived does not know the name: without JSON support it does not know JSON.
    """
    # only answers are remembered: keepalived may be installed later
    if (name, binary) not in _signal_numbers:
        done = _run(binary, f"--signum={name}")
        if done is None or done.returncode or not done.stdout.strip().isdecimal():
            return None
        _signal_numbers[name, binary] = int(done.stdout)
    return _signal_numbers[name, binary]
