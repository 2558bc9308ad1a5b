"""Probe an address by TCP: a new connection every few milliseconds, closed as soon as it stands."""

from __future__ import annotations

import selectors
import socket
import struct
import time

#: A connection that needs longer had its first packet lost: the kernel sends it again after 1 s.
ANSWER_SECONDS = 0.9
#: l_onoff, l_linger: close with a reset, so that no port stays in TIME_WAIT.
_RESET = struct.pack("ii", 1, 0)


class TcpProbe:
    """Opens connections at a fixed pace and remembers which came about.

    ``sent``: when each was tried (epoch seconds); ``answered``: number of the probe -> when.
    """

    def __init__(self, address: str, port: int, interval: float) -> None:
        self.address, self.port, self.interval = address, port, interval
        self.sent: list[float] = []
        self.answered: dict[int, float] = {}
        self.stopping = False
        self._selector = selectors.DefaultSelector()
        self._open: dict[int, tuple[socket.socket, float]] = {}

    def run(self) -> None:
        """Probe until :attr:`stopping`; then wait for late answers."""
        due = time.monotonic()
        while not self.stopping or self._open:
            now = time.monotonic()
            if now >= due and not self.stopping:
                self._try(now)
                due = max(due + self.interval, now)  # never a burst after a stall
            self._give_up(now)
            wait = min(due - now, 0.1) if not self.stopping else 0.01
            for key, _ in self._selector.select(max(0.0, wait)):
                self._finish(key.data)

    def _try(self, now: float) -> None:
        number = len(self.sent)
        self.sent.append(time.time())
        try:
            sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            sock.connect_ex((self.address, self.port))
        except OSError:
            return  # no route, no free port: the probe counts as lost
        self._open[number] = (sock, now + ANSWER_SECONDS)
        self._selector.register(sock, selectors.EVENT_WRITE, number)

    def _finish(self, number: int) -> None:
        if not self._open[number][0].getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self.answered[number] = time.time()
        self._close(number)

    def _give_up(self, now: float) -> None:
        for number in [number for number, (_, until) in self._open.items() if now > until]:
            self._close(number)

    def _close(self, number: int) -> None:
        sock, _ = self._open.pop(number)
        self._selector.unregister(sock)
        sock.close()
