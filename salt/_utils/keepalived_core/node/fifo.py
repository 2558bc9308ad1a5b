"""keepalived's notify FIFO: whole lines out of a pipe that is never closed.

The FIFO is made before keepalived starts and held open for reading and writing.  Then keepalived
neither removes nor replaces it, a reload or a restart of keepalived loses no line, and while the
watch itself restarts the lines wait in the pipe, as long as keepalived runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import stat
from dataclasses import dataclass
from pathlib import Path

from . import files

#: A configuration line has at most 1023 bytes, so a name cannot be longer.
MAX_LINE = 2048
#: What an unprivileged process may ask for at most (/proc/sys/fs/pipe-max-size).
_CAPACITY = 1 << 20
_LINE = re.compile(r'(INSTANCE|GROUP) "([^"]*)" ([A-Z_]+) (\d{1,3})')
#: Lines of LVS checkers, which share the FIFO when it is configured as ``notify_fifo``.
_LVS = (b"VS ", b"RS ")


@dataclass(frozen=True)
class Line:
    """One line: ``type`` is INSTANCE or GROUP, ``priority`` the effective one (0 for a group)."""

    type: str
    name: str
    state: str
    priority: int


def parse_line(raw: bytes) -> Line | None:
    """Read one line without its end; None when it is not one of keepalived's VRRP lines."""
    match = _LINE.fullmatch(raw.decode("utf-8", "replace"))
    return None if match is None else Line(match[1], match[2], match[3], int(match[4]))


class LineBuffer:
    """Cuts a stream of bytes into lines, however it was chopped.

    ``garbage`` counts what was no line of keepalived's: a second writer, or a line too long.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._skipping = False
        self.garbage = 0

    def feed(self, chunk: bytes) -> list[Line]:
        """Take some bytes, return the lines they complete."""
        *whole, rest = (self._rest + chunk).split(b"\n")
        found = []
        for raw in whole:
            if self._skipping:
                # the end of a line that was given up
                self._skipping = False
            elif len(raw) > MAX_LINE:
                self.garbage += 1
            elif line := parse_line(raw):
                found.append(line)
            elif not raw.startswith(_LVS):
                self.garbage += 1
        if len(rest) > MAX_LINE:
            if not self._skipping:
                self.garbage += 1
            self._skipping, rest = True, b""
        self._rest = rest
        return found


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from all others, None when there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class Pipe:
    """One open FIFO."""

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        found = os.fstat(self.fd)
        if not stat.S_ISFIFO(found.st_mode):
            os.close(self.fd)
            raise OSError(f"{path} is not a FIFO")
        # holds a few minutes of a large node while the watch restarts; the default is 64 KiB
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, _CAPACITY)
        self.identity = (found.st_dev, found.st_ino)
        self.lines = LineBuffer()
        self._room = select.poll()
        self._room.register(self.fd, select.POLLOUT)
        #: How often it was found full: keepalived then drops its newest lines and says nothing.
        self.overflows = 0

    def read(self) -> list[Line]:
        """Return the lines that are there, without waiting."""
        found: list[Line] = []
        if not self._room.poll(0):
            self.overflows += 1
        while True:
            try:
                chunk = os.read(self.fd, 65536)
            except BlockingIOError:
                return found
            found += self.lines.feed(chunk)

    def close(self) -> None:
        os.close(self.fd)


def make(path: Path) -> bool:
    """Create the FIFO, mode 0600, when nothing is there; return whether it was created.

    What is there but no FIFO is left alone: opening it then says so.  Raises :class:`OSError`.
    """
    files.make_private(path.parent)
    try:
        os.mkfifo(path, 0o600)
    except FileExistsError:
        return False
    # whatever the umask was
    os.chmod(path, 0o600)
    return True


class Reader:
    """The FIFO at ``path``, and those it replaced as long as keepalived still writes to them.

    Somebody who removes the FIFO does not stop keepalived: it goes on writing to the removed one
    until its next reload.  So the old one stays open, and a new one is made at once, for keepalived
    to find at that reload.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pipes: list[Pipe] = []
        self._garbage = 0
        self._overflows = 0

    @property
    def pipes(self) -> tuple[Pipe, ...]:
        """The open pipes; the one at ``path`` is the last."""
        return tuple(self._pipes)

    @property
    def garbage(self) -> int:
        """How many lines were none of keepalived's."""
        return self._garbage + sum(pipe.lines.garbage for pipe in self._pipes)

    @property
    def overflows(self) -> int:
        """How often a pipe was found full."""
        return self._overflows + sum(pipe.overflows for pipe in self._pipes)

    def ensure(self) -> bool:
        """Make and open the FIFO unless the open one is still what ``path`` names.

        Returns whether something new was opened.  Raises :class:`OSError`.
        """
        if self._pipes and identity(self.path) == self._pipes[-1].identity:
            return False
        make(self.path)
        self._pipes.append(Pipe(self.path))
        return True

    def adopt(self, descriptor: Path) -> bool:
        """Open the pipe behind keepalived's own ``descriptor`` (a path in /proc) too.

        Needed when the FIFO was replaced while nobody had the old one open.  Returns whether it
        was not open yet.
        """
        if any(pipe.identity == identity(descriptor) for pipe in self._pipes):
            return False
        try:
            self._pipes.insert(0, Pipe(descriptor))
        except OSError:
            return False
        return True

    def release(self, in_use: tuple[int, int] | None) -> None:
        """Close replaced pipes, except the one whose identity is ``in_use``."""
        for pipe in self._pipes[:-1]:
            if pipe.identity != in_use:
                self._pipes.remove(pipe)
                self._garbage += pipe.lines.garbage
                self._overflows += pipe.overflows
                pipe.close()

    def read(self) -> list[Line]:
        """Return the lines that are there, the oldest pipe's first."""
        return [line for pipe in self._pipes for line in pipe.read()]

    def close(self) -> None:
        """Close all of them; the FIFO itself stays."""
        for pipe in self._pipes:
            pipe.close()
        self._pipes.clear()
