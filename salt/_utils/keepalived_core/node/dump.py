"""keepalived's JSON dump, read so that it is never stale and never torn.

keepalived writes the dump to one fixed file when it gets a signal.  Up to 2.4.3 the new file is
moved into place before it is written, so a reader may find half of it; and a reader that does not
wait finds the previous one.  So: one asker at a time (a lock shared by everybody who uses this
module), remember the old file, signal, and wait for *another* file that parses to its end.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from . import files, process
from . import paths as node_paths
from .state import Instance, from_dump

FILE_NAME = "keepalived.json"
#: Half of all dumps are there after 1.7 ms, all but 1 % after 4 ms (300 measured, 2.2.7).
FIRST_WAIT = 0.001
LONGEST_WAIT = 0.05


class DumpUnavailable(Exception):
    """keepalived's JSON dump cannot be had now; ``reason`` says why in a sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Stopped(DumpUnavailable):
    """keepalived is stopped (SIGSTOP): nothing about it changes meanwhile."""


class NotReady(DumpUnavailable):
    """keepalived is still starting: ask again in a moment."""


class Ended(DumpUnavailable):
    """keepalived ended before it answered."""

    def __init__(self, daemon: process.Daemon) -> None:
        super().__init__(f"keepalived (pid {daemon.pid}) ended")


class NoAnswer(DumpUnavailable):
    """keepalived was asked, could have written its dump, and did not."""


@dataclass(frozen=True)
class Dump:
    """Every instance, as of ``taken`` (seconds since the epoch: when the file was written).

    ``asked_us`` is the monotonic time in microseconds just before keepalived was asked: nothing
    in the dump is older.
    """

    instances: tuple[Instance, ...]
    taken: float
    asked_us: int
    json_version: int


def parse(text: str) -> tuple[tuple[Instance, ...], int]:
    """Read a dump, either shape; return the instances and the shape's version (1 or 2).

    The VRRP password that keepalived up to 2.3 prints in clear is dropped here and kept nowhere.
    Raises :class:`ValueError` when the text is not a whole dump.
    """
    # strict=False: 2.2.7 prints control characters as they are
    document = json.loads(text, strict=False)
    version = 1
    if isinstance(document, dict):
        version, document = 2, document.get("vrrp")
    if not isinstance(document, list):
        raise ValueError("neither a list of instances nor an object with one")
    found = []
    for element in document:
        data = element.get("data") if isinstance(element, dict) else None
        if not isinstance(data, dict):
            raise ValueError("an element of the dump has no data")
        data.pop("auth_data", None)
        stats = element.get("stats")
        found.append(from_dump(data, stats if isinstance(stats, dict) else {}))
    return tuple(found), version


def location(daemon: process.Daemon) -> Path:
    """Return where ``daemon`` writes its dump, as seen from here.

    Its own ``TMPDIR`` counts, and its own /tmp: a unit with ``PrivateTmp=`` has another one, which
    is reached through /proc.
    """
    directory = daemon.environ().get("TMPDIR") or "/tmp"
    if not directory.startswith("/"):
        directory = "/tmp"
    return process.PROC / str(daemon.pid) / "root" / directory.lstrip("/") / FILE_NAME


def mark(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from the one it replaces; None when there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


class Request:
    """One dump asked for and not yet read.  Hold the lock (:func:`locked`) meanwhile.

    A caller with other work polls :meth:`poll`; :func:`read_json` simply waits.
    """

    def __init__(self, daemon: process.Daemon, timeout: float = 2.0) -> None:
        """Ask ``daemon`` for a dump.

        Raises :class:`DumpUnavailable` when it cannot be asked.
        """
        number = process.signal_number("JSON")
        if number is None:
            raise DumpUnavailable("this keepalived was built without JSON support")
        if daemon.frozen():
            # a real-time signal would be queued, one for each time somebody asks
            raise Stopped(f"keepalived (pid {daemon.pid}) is stopped")
        if not daemon.handles(number):
            raise NotReady(f"keepalived (pid {daemon.pid}) is still starting")
        self._daemon = daemon
        self._timeout = timeout
        self.path = location(daemon)
        self._before = mark(self.path)
        self.asked_us = time.monotonic_ns() // 1000
        send(daemon, daemon.pid, number)

    def poll(self) -> Dump | None:
        """Return the dump when it is complete, None while it is not.

        Raises :class:`DumpUnavailable` when the time is over or the daemon has gone.
        """
        now = mark(self.path)
        if now is not None and now != self._before:
            with contextlib.suppress(OSError, ValueError):
                text = self.path.read_text(encoding="utf-8", errors="replace")
                instances, version = parse(text)
                dump = Dump(instances, now[1] / 1e9, self.asked_us, version)
                self._tidy()
                return dump
        if not self._daemon.alive():
            raise Ended(self._daemon)
        if time.monotonic_ns() // 1000 - self.asked_us > self._timeout * 1e6:
            raise self._why()
        return None

    def _tidy(self) -> None:
        # it may hold passwords: leave none behind, unless somebody else uses that file too
        if self._before is None:
            with contextlib.suppress(OSError):
                self.path.unlink()

    def _why(self) -> DumpUnavailable:
        directory = self.path.parent
        shown = "/" + str(directory).split("/root/", 1)[-1]
        if self._daemon.frozen():
            return Stopped(f"keepalived (pid {self._daemon.pid}) is stopped")
        fault = _unwritable(directory)
        if fault:
            return DumpUnavailable(f"keepalived cannot write its dump: {shown} {fault}")
        return NoAnswer(
            f"keepalived (pid {self._daemon.pid}) did not write {shown}/{FILE_NAME} within "
            f"{self._timeout:g} s (it writes none when it has no vrrp_instance)"
        )


def _unwritable(directory: Path) -> str | None:
    if not directory.is_dir():
        return "does not exist"
    free = os.statvfs(directory)
    if free.f_flag & os.ST_RDONLY:
        return "is read-only"
    if not free.f_bavail:
        return "is full"
    if free.f_files and not free.f_favail:
        return "has no inodes left"
    return None


def send(daemon: process.Daemon, pid: int, number: int) -> None:
    """Send a signal to ``pid``, which is ``daemon`` or a child of it.

    Raises :class:`DumpUnavailable` when that process is gone, or may not be signalled.
    """
    try:
        descriptor = os.pidfd_open(pid)
    except OSError as err:
        if err.errno != errno.ENOSYS:
            raise Ended(daemon) from err
        descriptor = -1
    try:
        # looked at after the pidfd is open: it cannot become another process's any more
        if not daemon.alive() or (pid != daemon.pid and pid not in process.children(daemon.pid)):
            raise Ended(daemon)
        if descriptor >= 0:
            signal.pidfd_send_signal(descriptor, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError as err:
        raise Ended(daemon) from err
    except PermissionError as err:
        raise DumpUnavailable("not allowed to signal keepalived: this needs root") from err
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def try_lock(paths: node_paths.Paths) -> int | None:
    """Take the lock shared by all who ask; return its descriptor, None while another has it.

    Raises :class:`DumpUnavailable` when the lock file cannot be made.
    """
    try:
        files.make_private(paths.run_dir)
        descriptor = os.open(paths.dump_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as err:
        raise DumpUnavailable(f"cannot use the lock {paths.dump_lock}: {err.strerror}") from err
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@contextlib.contextmanager
def locked(paths: node_paths.Paths, deadline: float) -> Iterator[None]:
    """Hold the lock; wait for it until ``deadline`` (monotonic seconds)."""
    while (descriptor := try_lock(paths)) is None:
        if time.monotonic() > deadline:
            raise DumpUnavailable(f"another process holds {paths.dump_lock}")
        time.sleep(0.005)
    try:
        yield
    finally:
        os.close(descriptor)


def read_json(paths: node_paths.Paths = node_paths.DEFAULT, timeout: float = 2.0) -> Dump:
    """Ask keepalived for its state and wait for the answer, at most ``timeout`` seconds.

    Raises :class:`DumpUnavailable`: not running, stopped, starting, built without JSON, its
    directory missing, full or read-only, no answer in time.
    """
    deadline = time.monotonic() + timeout
    if process.find(paths) is None:
        # said without leaving a lock file on a machine that has nothing to lock
        raise DumpUnavailable("keepalived is not running")
    with locked(paths, deadline):
        request = _when_ready(paths, deadline)
        wait = FIRST_WAIT
        while (dump := request.poll()) is None:
            time.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT)
    return dump


def _when_ready(paths: node_paths.Paths, deadline: float) -> Request:
    while True:
        daemon = process.find(paths)
        if daemon is None:
            raise DumpUnavailable("keepalived is not running")
        try:
            return Request(daemon, timeout=max(0.1, deadline - time.monotonic()))
        except NotReady:
            if time.monotonic() > deadline:
                raise
        time.sleep(LONGEST_WAIT)
