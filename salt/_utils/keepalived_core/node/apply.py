"""The file of a change: one run at a time, staged, kept, swapped in whole.

The file on disk is whole at every moment: it is written beside the target, synced, and renamed
over it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from . import process

MODE = 0o640  # the file holds auth_pass: root writes, root's group reads
KEEP_BACKUPS = 10
#: A change takes seconds; another run may wait for that long.
LOCK_SECONDS = 60.0
IN_USE_SECONDS = 60.0
_SHADOW = re.compile(r"\.keepalived-shadow-[a-z0-9_]+", re.ASCII)


class ApplyError(Exception):
    """The new file is not in force; ``reason`` says why, and what was done about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@contextlib.contextmanager
def lock(path: str, timeout: float = LOCK_SECONDS) -> Iterator[None]:
    """One change at a time on this node.

    :raises ApplyError: when another run holds the lock for longer than *timeout* seconds.
    """
    try:
        Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = open(path, "a", encoding="ascii")  # noqa: SIM115  # closed below
    except OSError as err:
        raise ApplyError(f"the lock {path} cannot be used: {plain(err)}") from err
    with handle:
        deadline = time.monotonic() + timeout
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise ApplyError(
                        f"another run is changing keepalived on this node ({path} is held, "
                        f"waited {timeout:g} s); nothing was changed: try again when it is done"
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
        prefix = f".{Path(target).name}.{process.self_id()}."
        fd, name = tempfile.mkstemp(prefix=prefix, dir=directory)
        with os.fdopen(fd, "w", encoding="utf-8", errors="surrogateescape") as handle:
            os.fchmod(handle.fileno(), MODE)
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
    except OSError as err:
        if name:
            Path(name).unlink(missing_ok=True)
        raise ApplyError(f"{target} was not written: {plain(err)}; the old file stands") from err
    try:
        yield name
    finally:
        Path(name).unlink(missing_ok=True)


def sweep(target: str) -> list[str]:
    """Remove what runs that were killed have left beside *target*; the names of what was there.

    A staged file names the process that wrote it, so that of a run which still lives is kept; the
    gate's copies name none, and none is in use for longer than a test takes.
    """
    found = []
    ours = re.compile(rf"\.{re.escape(Path(target).name)}\.(\d+):(\d+)\.[a-z0-9_]+", re.ASCII)
    for path in Path(target).parent.glob(".*"):
        staged_by = ours.fullmatch(path.name)
        if staged_by is None and not _SHADOW.fullmatch(path.name):
            continue  # an editor's swap file, somebody's copy
        with contextlib.suppress(OSError):
            if staged_by:
                used = process.is_running(int(staged_by[1]), staged_by[2])
            else:
                used = time.time() - path.stat().st_mtime < IN_USE_SECONDS
            if not used:
                path.unlink()
                found.append(path.name)
    return found


def digest(path: str) -> str | None:
    """sha256 of the file, in hexadecimal; None where there is none."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except FileNotFoundError:
        return None


def swap(staged_path: str, target: str, expect: str | None = "any") -> None:
    """Rename *staged_path* over *target* and sync the directory.

    :param expect: sha256 of the file that *target* must still be (None: none); "any" takes all.
    :raises ApplyError: when somebody has changed it meanwhile, or the rename fails.
    """
    if expect != "any" and digest(target) != expect:
        raise ApplyError(
            f"{target} was changed by somebody else while this run worked on it; "
            "that change stands and nothing was lost: look at it, and run again"
        )
    try:
        os.replace(staged_path, target)
        fd = os.open(Path(target).parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
    except OSError as err:
        raise ApplyError(f"{target} was not replaced: {plain(err)}; the old file stands") from err


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
        raise ApplyError(f"no backup of {target} could be made: {plain(err)}") from err
    return str(copy)


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


def plain(err: OSError) -> str:
    denied = "permission denied: this needs root"
    if os.geteuid() == 0:
        # Root is stopped by nothing else.
        denied = "permission denied to root, so SELinux forbids it: see ausearch -m avc -ts recent"
    words = {
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EROFS: "the file system is read-only",
        errno.EACCES: denied,
        errno.EPERM: "not permitted (is the file immutable? see lsattr)",
    }
    return words.get(err.errno or 0, err.strerror or str(err))
