"""Print what goes over the lab's wire: VRRP adverts by source, gratuitous ARP (a program).

Run in the lab's own network namespace, on its bridge.  A raw socket and nothing of ours.
One JSON list a line: [monotonic microseconds, "advert", source, vrid, priority] or
[…, "garp", MAC, address].
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time

ETH_P_ALL, ETH_IP, ETH_ARP, PROTO_VRRP = 0x0003, 0x0800, 0x0806, 112


def main(interface: str) -> None:
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    wire.bind((interface, 0))
    say("begin", interface)
    while True:
        frame = wire.recv(2048)
        (kind,) = struct.unpack_from("!H", frame, 12)
        if kind == ETH_IP and len(frame) >= 42 and frame[23] == PROTO_VRRP:
            body = 14 + (frame[14] & 0x0F) * 4
            vrid, priority = frame[body + 1], frame[body + 2]
            say("advert", socket.inet_ntoa(frame[26:30]), vrid, priority)
        elif kind == ETH_ARP and len(frame) >= 42 and frame[28:32] == frame[38:42]:
            say("garp", frame[22:28].hex(":"), socket.inet_ntoa(frame[28:32]))


def say(what: str, *values: object) -> None:
    row = [time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000, what, *values]
    print(json.dumps(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
