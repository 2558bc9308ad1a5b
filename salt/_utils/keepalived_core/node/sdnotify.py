"""Tell systemd how the service is (sd_notify(3)); silently nothing when systemd did not ask."""

from __future__ import annotations

import contextlib
import os
import socket


def notify(state: str) -> None:
    """Send ``READY=1``, ``WATCHDOG=1``, ``STATUS=…`` or the like."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock,
    ):
        sock.sendto(state.encode(), address)


def watchdog_interval() -> float | None:
    """Return how many seconds may pass between two ``WATCHDOG=1``, half of what systemd allows."""
    text = os.environ.get("WATCHDOG_USEC", "")
    pid = os.environ.get("WATCHDOG_PID")
    if not text.isdecimal() or (pid and pid != str(os.getpid())):
        return None
    return int(text) / 2e6 or None
