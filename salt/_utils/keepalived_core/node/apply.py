"""Put a new keepalived.conf in force: stage, swap, reload, verify, or put the old one back.

The file on disk is whole at every moment: it is written beside the target, synced, and
renamed over it.  A running daemon is reloaded, never restarted: on 2.2.7 a reload keeps a
MASTER master and costs no probe, a restart costs the address for seconds.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

MODE = 0o640  # the file holds auth_pass: root writes, root's group reads
KEEP_BACKUPS = 10
# A reload is done in 0.3 s for ordinary files; 2500 instances need 4 s (measured on 2.2.7).
VERIFY_SECONDS = 10.0


class ApplyError(Exception):
    """The new file is not in force; ``reason`` says why, and what was done about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextlib.contextmanager
def lock(path: str, timeout: float = 30.0) -> Iterator[None]:
    """One change at a time on this node.

    :raises ApplyError: when another run holds the lock for longer than *timeout* seconds.
    """
    Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as handle:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ApplyError(
                        f"another run is changing keepalived on this node ({path} is held)"
                    ) from None
                time.sleep(0.05)
        yield


@contextlib.contextmanager
def staged(text: str, target: str) -> Iterator[str]:
    """Path of a synced file with *text* beside *target*; gone again afterwards.

    :raises ApplyError: with the reason in plain words (disk full, read-only file system, …).
    """
    directory = Path(target).parent
    name = None
    try:
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        fd, name = tempfile.mkstemp(prefix=f".{Path(target).name}.", dir=directory)
        with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as handle:
            os.fchmod(handle.fileno(), MODE)
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
    except OSError as err:
        if name:
            Path(name).unlink(missing_ok=True)
        raise ApplyError(f"{target} was not written: {_plain(err)}; the old file stands") from err
    try:
        yield name
    finally:
        Path(name).unlink(missing_ok=True)


def swap(staged_path: str, target: str) -> None:
    """Rename *staged_path* over *target* and sync the directory."""
    try:
        os.replace(staged_path, target)
        fd = os.open(Path(target).parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as err:
        raise ApplyError(f"{target} was not replaced: {_plain(err)}; the old file stands") from err


def backup(target: str, directory: str) -> str | None:
    """Keep a copy of *target* as ``keepalived.conf.N`` (N counts up); the newest ten stay."""
    source = Path(target)
    if not source.exists():
        return None
    folder = Path(directory)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        numbers = sorted(
            int(entry.suffix[1:])
            for entry in folder.glob(f"{source.name}.*")
            if entry.suffix[1:].isdigit()
        )
        number = numbers[-1] + 1 if numbers else 1
        copy = folder / f"{source.name}.{number}"
        with staged(source.read_text(encoding="utf-8", errors="surrogateescape"), str(copy)) as tmp:
            os.replace(tmp, copy)
        for old in numbers[: max(0, len(numbers) + 1 - KEEP_BACKUPS)]:
            (folder / f"{source.name}.{old}").unlink(missing_ok=True)
    except OSError as err:
        raise ApplyError(f"no backup of {target} could be made: {_plain(err)}") from err
    return str(copy)


def reload_daemon(
    pid: int,
    alive: Callable[[], bool],
    observe: Callable[[], dict[str, dict] | None],
    expected: dict[str, dict] | None,
    timeout: float = VERIFY_SECONDS,
) -> dict[str, dict] | None:
    """Send SIGHUP to *pid* and wait until the daemon is seen to run what *expected* says.

    :param alive: is the same daemon still there?
    :param observe: what it runs now, ``{instance: {fact: value}}``, or None when it cannot tell.
    :param expected: the facts to wait for, same shape; None when any answer will do.
    :returns: the last observation; None when the daemon lives but nothing could be observed.
    :raises ApplyError: when it died, or does not show the new configuration in time.
    """
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        raise ApplyError(f"keepalived (pid {pid}) died before the reload") from None
    deadline = time.monotonic() + timeout
    pause = 0.05
    missing = ["nothing was observed"]
    while True:
        time.sleep(pause)
        pause = min(0.5, pause * 1.5)
        if not alive():
            raise ApplyError(f"keepalived (pid {pid}) died during the reload")
        seen = observe()
        if seen is None and time.monotonic() > deadline:
            return None  # no JSON, or no room for it: that it lives is all there is to see
        if seen is not None:
            missing = differences(expected, seen) if expected is not None else []
            if not missing:
                return seen
        if time.monotonic() > deadline:
            raise ApplyError(
                f"keepalived (pid {pid}) lives, but {timeout:g} s after the reload it does not "
                f"run the new configuration: {'; '.join(missing[:5])}"
            )


def differences(expected: dict[str, dict], seen: dict[str, dict]) -> list[str]:
    """How *seen* differs from *expected*, one sentence a fact."""
    found = []
    for name in expected.keys() - seen.keys():
        found.append(f"instance {name} is missing")
    for name in seen.keys() - expected.keys():
        found.append(f"instance {name} is still there")
    for name in expected.keys() & seen.keys():
        for fact, want in expected[name].items():
            have = seen[name].get(fact)
            if have is not None and have != want:
                found.append(f"{name} {fact} is {have}, not {want}")
    return sorted(found)


def _plain(err: OSError) -> str:
    words = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EROFS: "the file system is read-only",
        errno.EACCES: "permission denied (run as root; an SELinux denial says so in the audit log)",
        errno.EPERM: "not permitted (is the file immutable? see lsattr)",
    }
    return words.get(err.errno or 0, err.strerror or str(err))
