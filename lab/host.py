"""What the lab needs of the machine it runs on: tools, paths, a clean environment, commands."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
FILES = Path(__file__).resolve().parent / "files"
RUN_ROOT = Path("/run/salt-keepalived-lab")

#: Every process that a lab starts carries this variable with the lab's name; `down` finds it by it.
OWNER_VARIABLE = "SALT_KEEPALIVED_LAB_OWNER"

_TOOLS = {
    "debootstrap": "debootstrap",
    "systemd-nspawn": "systemd-container",
    "nsenter": "util-linux",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "ip": "iproute2",
    "nft": "nftables",
    "mount": "mount",
}


class LabError(Exception):
    """Something a person can act on; the text says what."""


class CommandError(LabError):
    """A command that should have succeeded did not.

    Attributes: `argv`, `returncode` (None after a timeout), `stdout`, `stderr`.
    """

    def __init__(
        self, argv: Sequence[str], returncode: int | None, stdout: str, stderr: str, where: str = ""
    ) -> None:
        self.argv, self.returncode, self.stdout, self.stderr = argv, returncode, stdout, stderr
        how = "timed out" if returncode is None else f"exit status {returncode}"
        tail = "\n".join((stdout.strip() + "\n" + stderr.strip()).strip().splitlines()[-25:])
        at = f" on {where}" if where else ""
        super().__init__(f"{' '.join(argv)}{at}: {how}" + (f"\n{tail}" if tail else ""))


def cache_dir() -> Path:
    """Where images are kept: lab/ in $SALT_KEEPALIVED_CACHE or /var/cache/salt-keepalived."""
    return Path(os.environ.get("SALT_KEEPALIVED_CACHE", "/var/cache/salt-keepalived")) / "lab"


def missing_prerequisites() -> list[str]:
    """What keeps a lab from running here, one sentence each; empty if nothing does."""
    missing = []
    if os.geteuid() != 0:
        missing.append("the lab makes namespaces, bridges and mounts: run it as root")
    path = clean_environment()["PATH"]
    for tool, package in _TOOLS.items():
        if shutil.which(tool, path=path) is None:
            missing.append(f"{tool} is not installed (apt-get install {package})")
    if "overlay" not in Path("/proc/filesystems").read_text() and shutil.which("modprobe"):
        subprocess.run(["modprobe", "overlay"], capture_output=True, check=False)
    if "overlay" not in Path("/proc/filesystems").read_text():
        missing.append("the kernel has no overlayfs")
    if cgroup2_mount() is None:
        missing.append("no cgroup2 hierarchy is mounted (systemd mounts one; see /proc/mounts)")
    return missing


def require() -> None:
    """Raise LabError naming everything that is missing."""
    missing = missing_prerequisites()
    if missing:
        raise LabError("the lab cannot run here:\n  - " + "\n  - ".join(missing))


def inotify_instances() -> tuple[int, int]:
    """(in use by root, allowed): the kernel counts all machines of all labs as root's."""
    used = 0
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            used += os.readlink(link) == "anon_inode:inotify"
        except OSError:
            continue
    return used, int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())


def cgroup2_mount() -> Path | None:
    """Where cgroup2 is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified on a hybrid machine."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, target, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(target)
    return None


def clean_environment(home: str = "/root") -> dict[str, str]:
    """The environment for everything that runs in or for a machine: nothing of the caller's."""
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": home,
        "LANG": "C.UTF-8",
    }


def lab_environment(name: str) -> dict[str, str]:
    """The environment of a process that belongs to lab `name`."""
    return {**clean_environment(), OWNER_VARIABLE: name}


def run(
    argv: Sequence[str],
    *,
    check: bool = True,
    timeout: float | None = 60,
    input: str | bytes | None = None,
    env: dict[str, str] | None = None,
    where: str = "",
) -> subprocess.CompletedProcess[str]:
    """Run a command and return it with text output.

    A command that outlives `timeout` seconds is killed with all its children and raises
    CommandError; so does a non-zero exit status unless `check` is false.
    """
    process = subprocess.Popen(
        list(argv),
        stdin=subprocess.DEVNULL if input is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=env if env is not None else clean_environment(),
        start_new_session=True,
    )
    data = input.encode() if isinstance(input, str) else input
    try:
        out, err = process.communicate(data, timeout=timeout)
    except subprocess.TimeoutExpired:
        kill_group(process.pid)
        out, err = process.communicate()
        raise CommandError(argv, None, _text(out), _text(err), where) from None
    except BaseException:
        kill_group(process.pid)
        process.wait()
        raise
    done = subprocess.CompletedProcess(list(argv), process.returncode, _text(out), _text(err))
    if check and done.returncode != 0:
        raise CommandError(argv, done.returncode, done.stdout, done.stderr, where)
    return done


def kill_group(pid: int) -> None:
    """SIGKILL to the process group that `pid` leads, if it still exists."""
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def _text(data: bytes | None) -> str:
    return (data or b"").decode("utf-8", "replace")


class Progress:
    """One line a step, with the seconds it took."""

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        """Print a line with the seconds since the start."""
        if not self.quiet:
            print(f"[{time.monotonic() - self.started:6.1f} s] {text}", flush=True)
