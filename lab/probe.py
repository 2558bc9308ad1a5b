"""Probe an address as a client would: ICMP echo and TCP every few milliseconds, HTTP beside it.

Run in the client's network namespace: ``python3 -m lab.probe 192.168.1.220``.  It probes until
it is terminated (or for ``--seconds``) and then prints one JSON object:

``sent``, ``lost``, ``gaps`` (``[{"start", "seconds", "lost"}]``: from the last answered probe to
the next answered one, whenever at least one probe between them was lost), ``longest`` (seconds),
``answers`` (``[{"time", "node"}]``: each change of the node that answers over HTTP), and with
``--tcp`` the first four once more under ``tcp``, for connections.
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

from lab.probe_tcp import TcpProbe

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
        return {**summary(self.sent, self.answered), "answers": self.answers}


def summary(sent: list[float], answered: dict[int, float]) -> dict:
    """``sent``, ``lost``, ``gaps`` and ``longest`` of a series of probes."""
    gaps = []
    last_good = None
    lost = 0
    for number, when in enumerate([*sent, sent[-1]] if sent else []):
        if number in answered or number == len(sent):
            if lost and last_good is not None:
                seconds = round(when - last_good, 4)
                gaps.append({"start": last_good, "seconds": seconds, "lost": lost})
            last_good, lost = when, 0
        else:
            lost += 1
    return {
        "sent": len(sent),
        "lost": len(sent) - len(answered),
        "gaps": gaps,
        "longest": max((gap["seconds"] for gap in gaps), default=0.0),
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
    parser.add_argument("--tcp", type=int, metavar="PORT", help="also connect here")
    options = parser.parse_args()
    probe = Probe(options.address, options.interval)
    tcp = TcpProbe(options.address, options.tcp or 0, options.interval)

    def stop(_signal: int, _frame: object) -> None:
        probe.stopping = tcp.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if options.http:
        threading.Thread(target=probe.watch_http, args=(options.http,), daemon=True).start()
    connecting = threading.Thread(target=tcp.run, daemon=True)
    if options.tcp:
        connecting.start()
    probe.run(options.seconds)
    result = probe.result()
    if options.tcp:
        tcp.stopping = True
        connecting.join(5)
        result["tcp"] = summary(tcp.sent, tcp.answered)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
