"""The word from the watch to the relay: there is something new in the spool.

A datagram to a socket of the file system.  Nobody waits for it and nothing depends on it: a relay
that misses one looks by itself a second later.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket

from . import files
from .paths import Paths


def wake(paths: Paths) -> None:
    """Wake the relay, if one listens; never waits, never raises."""
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as bell,
    ):
        bell.sendto(b".", str(paths.relay_socket))


class Listener:
    """The relay's end.  Several threads may each wait: all of them see a word that came."""

    def __init__(self, paths: Paths) -> None:
        """Take the place of whoever listened before.  Raises :class:`OSError`."""
        files.make_private(paths.run_dir)
        self._path = paths.relay_socket
        self._socket = socket.socket(
            socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        )
        # bound aside and moved into place: there is no moment without a listener
        aside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with contextlib.suppress(FileNotFoundError):
            aside.unlink()
        self._socket.bind(str(aside))
        aside.chmod(0o600)
        aside.replace(self._path)

    def wait(self, seconds: float) -> bool:
        """Wait for a word, at most so long; return whether one came."""
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        if not poller.poll(max(0, seconds) * 1000):
            return False
        with contextlib.suppress(BlockingIOError):
            while self._socket.recv(16):
                pass
        return True

    def close(self) -> None:
        """Stop listening.  The file stays: a later listener may have taken its place already."""
        self._socket.close()
