"""One voice on the wire: `python3 radio.py INTERFACE NAME`; it needs nothing but Python.

Says "ready", waits for a line, broadcasts one packet of each kind, listens half a second and prints
as JSON whose packets of which kind it heard. The frames are raw, so neither routing nor a firewall
decides; the headers are whole, because a kernel with br_netfilter lets nothing else over a bridge.
"""

import json
import select
import socket
import struct
import sys
import time

_MARK = b"lab-radio:"
_EXPERIMENTAL = 253  # the protocol number for experiments, RFC 3692
_LISTEN = 0.5  # seconds


def ipv4(body: bytes) -> bytes:
    """A limited broadcast from 127.0.0.1."""

    def head(checksum: int) -> bytes:
        fixed = (0x45, 0, 20 + len(body), 0, 0, 1, _EXPERIMENTAL, checksum)
        return struct.pack("!BBHHHBBH", *fixed) + b"\x7f\0\0\x01" + b"\xff" * 4

    total = sum(struct.unpack("!10H", head(0)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return head(~total & 0xFFFF) + body


def ipv6(body: bytes) -> bytes:
    """To all nodes on the link, from ::1."""
    fixed = struct.pack("!IHBB", 6 << 28, len(body), _EXPERIMENTAL, 1)
    return fixed + bytes(15) + b"\x01" + b"\xff\x02" + bytes(13) + b"\x01" + body


def arp(body: bytes) -> bytes:
    """A request with empty addresses."""
    return struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + bytes(20) + body


_KINDS = {"ipv4": (0x0800, ipv4), "ipv6": (0x86DD, ipv6), "arp": (0x0806, arp)}


def main(interface: str, me: str) -> None:
    """Take part in one round."""
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    wire.bind((interface, 0))
    print("ready", flush=True)
    sys.stdin.readline()
    for kind, (number, packet) in _KINDS.items():
        body = _MARK + json.dumps([me, kind]).encode() + b"\n"
        frame = b"\xff" * 6 + wire.getsockname()[4] + struct.pack("!H", number) + packet(body)
        try:
            wire.send(frame)
        except OSError:  # no carrier
            continue
    heard = []
    end = time.monotonic() + _LISTEN
    while True:
        left = end - time.monotonic()
        if left <= 0 or not select.select([wire], [], [], left)[0]:
            break
        found = wire.recv(2000).partition(_MARK)[2]
        if found:
            heard.append(json.loads(found.split(b"\n")[0]))
    print(json.dumps([pair for pair in heard if pair[0] != me]))


if __name__ == "__main__":
    main(*sys.argv[1:])
