"""Probe an address as a client would: ICMP echo every few milliseconds, HTTP beside it.

Run in the client's network namespace: ``python3 -m lab.probe 192.168.1.220``.  It probes until
it is terminated (or for ``--seconds``) and then prints one JSON object:

``sent``, ``lost``, ``gaps`` (``[{"start", "seconds"}]``: from the last answered probe to the
next answered one, whenever at least one probe between them was lost), ``longest`` (seconds),
``answers`` (``[{"time", "node"}]``: each change of the node that answers over HTTP).
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import signal
import socket
import struct
import threading
import time

_ECHO_REQUEST = 8
_ECHO_REPLY = 0


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


class Probe:
    """Sends echo requests at a fixed pace and remembers which were answered."""

    def __init__(self, address: str, interval: float, grace: float = 1.0) -> None:
        self.address, self.interval, self.grace = address, interval, grace
        self.ident = os.getpid() & 0xFFFF
        self.sent: list[float] = []
        self.answered: dict[int, float] = {}
        self.answers: list[dict] = []
        self.stopping = False

    def run(self, seconds: float | None = None) -> None:
        """Probe until :attr:`stopping`, or for *seconds*; then wait for late answers."""
        sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        selector = selectors.DefaultSelector()
        selector.register(sock, selectors.EVENT_READ)
        begin = time.monotonic()
        end = begin + seconds if seconds else None
        due = begin
        drain_until = None
        while True:
            now = time.monotonic()
            if drain_until is None and (self.stopping or (end and now >= end)):
                drain_until = now + self.grace
            if drain_until is not None and now >= drain_until:
                return
            if drain_until is None and now >= due:
                self._send(sock)
                due = max(due + self.interval, now)  # never a burst after a stall
            wait = (drain_until if drain_until is not None else due) - now
            if selector.select(max(0.0, min(wait, 0.1))):
                self._receive(sock)

    def _send(self, sock: socket.socket) -> None:
        number = len(self.sent)
        header = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, self.ident, number & 0xFFFF)
        payload = struct.pack("!Q", number)
        total = checksum(header + payload)
        header = struct.pack("!BBHHH", _ECHO_REQUEST, 0, total, self.ident, number & 0xFFFF)
        self.sent.append(time.time())
        try:
            sock.sendto(header + payload, (self.address, 0))
        except OSError:
            pass  # no route, no neighbour: the probe counts as lost

    def _receive(self, sock: socket.socket) -> None:
        while True:
            try:
                packet = sock.recv(256)
            except (BlockingIOError, OSError):
                return
            body = packet[(packet[0] & 0x0F) * 4 :]
            if len(body) < 16 or body[0] != _ECHO_REPLY:
                continue
            if struct.unpack("!H", body[4:6])[0] == self.ident:
                self.answered.setdefault(struct.unpack("!Q", body[8:16])[0], time.time())

    def watch_http(self, port: int, pause: float = 0.1) -> None:
        """In a thread: who answers over HTTP?  Each change becomes a row of ``answers``."""
        last = None
        while not self.stopping:
            node = ask_http(self.address, port)
            if node and node != last:
                self.answers.append({"time": time.time(), "node": node})
                last = node
            time.sleep(pause)

    def result(self) -> dict:
        """The summary this program prints."""
        gaps = []
        last_good = None
        lost_since = False
        for number, when in enumerate(self.sent):
            if number in self.answered:
                if lost_since and last_good is not None:
                    gaps.append({"start": last_good, "seconds": round(when - last_good, 4)})
                last_good, lost_since = when, False
            else:
                lost_since = True
        if lost_since and last_good is not None:
            gaps.append({"start": last_good, "seconds": round(self.sent[-1] - last_good, 4)})
        return {
            "sent": len(self.sent),
            "lost": len(self.sent) - len(self.answered),
            "gaps": gaps,
            "longest": max((gap["seconds"] for gap in gaps), default=0.0),
            "answers": self.answers,
        }


def ask_http(address: str, port: int, timeout: float = 0.5) -> str | None:
    """The first line of the body that *address* answers with, or None."""
    try:
        with socket.create_connection((address, port), timeout=timeout) as sock:
            sock.settimeout(timeout)
            sock.sendall(b"GET / HTTP/1.0\r\nHost: vip\r\n\r\n")
            answer = b""
            while chunk := sock.recv(4096):
                answer += chunk
    except OSError:
        return None
    body = answer.partition(b"\r\n\r\n")[2].decode("utf-8", "replace").strip()
    return body.splitlines()[0] if body else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("address")
    parser.add_argument("--interval", type=float, default=0.01, help="seconds between probes")
    parser.add_argument("--seconds", type=float, help="stop by itself after this long")
    parser.add_argument("--http", type=int, metavar="PORT", help="also ask who answers here")
    options = parser.parse_args()
    probe = Probe(options.address, options.interval)

    def stop(_signal: int, _frame: object) -> None:
        probe.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if options.http:
        threading.Thread(target=probe.watch_http, args=(options.http,), daemon=True).start()
    probe.run(options.seconds)
    print(json.dumps(probe.result()))


if __name__ == "__main__":
    main()
