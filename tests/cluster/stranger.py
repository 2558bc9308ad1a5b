"""A router that is no member: `python3 stranger.py INTERFACE SOURCE VRID PRIORITY ADDRESS…`.

Sends a VRRPv2 advert (RFC 3768 5.1) a second until it is killed. It needs nothing but Python.
"""

import ipaddress
import socket
import struct
import sys
import time

GROUP = ipaddress.ip_address("224.0.0.18")
MULTICAST_MAC = bytes.fromhex("01005e000012")
VRRP, TTL = 112, 255


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def advert(vrid: int, priority: int, addresses: list[str]) -> bytes:
    """Version 2, no authentication, one second between two adverts."""
    listed = b"".join(ipaddress.ip_address(each).packed for each in addresses)

    def whole(check: int) -> bytes:
        head = struct.pack("!BBBBBBH", 0x21, vrid, priority, len(addresses), 0, 1, check)
        return head + listed + bytes(8)

    return whole(checksum(whole(0)))


def packet(source: str, body: bytes) -> bytes:
    """With its IPv4 header."""
    ends = ipaddress.ip_address(source).packed + GROUP.packed

    def head(check: int) -> bytes:
        return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, TTL, VRRP, check) + ends

    return head(checksum(head(0))) + body


def main(interface: str, source: str, vrid: int, priority: int, addresses: list[str]) -> None:
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(0x0800))
    wire.bind((interface, 0))
    own = wire.getsockname()[4]
    frame = MULTICAST_MAC + own + struct.pack("!H", 0x0800)
    frame += packet(source, advert(vrid, priority, addresses))
    while True:
        wire.send(frame)
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5:])
