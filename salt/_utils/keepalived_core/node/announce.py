"""Say again who has an address: gratuitous ARP (RFC 5227), unsolicited neighbour advertisements.

For neighbours that have an older answer in mind.  Only addresses that this host has are announced,
from the interface that has them, so nothing can be said that is not true.
"""

from __future__ import annotations

import fcntl
import ipaddress
import socket
import struct
import time
from collections.abc import Iterable

#: As often as keepalived does by default (garp_master_repeat), but quicker.
TIMES, PAUSE_SECONDS = 3, 0.1
_BROADCAST = b"\xff" * 6
_ETH_P_ARP = 0x0806
_ALL_NODES = "ff02::1"
_SIOCGIFHWADDR, _ARPHRD_ETHER = 0x8927, 1


def arp(mac: bytes, address: str) -> bytes:
    """The frame that announces an IPv4 address: a request for it from itself (RFC 5227, 2.3)."""
    sender = socket.inet_aton(address)
    ethernet = _BROADCAST + mac + struct.pack("!H", _ETH_P_ARP)
    header = struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1)
    return ethernet + header + mac + sender + bytes(6) + sender


def advertisement(mac: bytes, address: str) -> bytes:
    """The message that announces an IPv6 address: override, not solicited (RFC 4861, 4.4).

    Its checksum is left to the kernel, which computes it for ICMPv6 whatever is there.
    """
    override = 0x20000000
    target = socket.inet_pton(socket.AF_INET6, address)
    return struct.pack("!BBHI", 136, 0, 0, override) + target + struct.pack("!BB", 2, 1) + mac


def mac_of(interface: str) -> bytes | None:
    """The interface's hardware address; None where it has none of Ethernet's form."""
    asked = struct.pack("256s", interface.encode()[:15])
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            said = fcntl.ioctl(any_socket, _SIOCGIFHWADDR, asked)
    except OSError:
        return None
    family = struct.unpack_from("=H", said, 16)[0]
    return said[18:24] if family == _ARPHRD_ETHER else None


def announce(held: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Announce addresses.

    held
        (address, interface that has it) of each.

    Returns ``[{"address", "interface"}]`` of those that were announced.  Raises OSError.
    """
    sent = []
    wanted = [(address, name, mac_of(name)) for address, name in held]
    for turn in range(TIMES):
        if turn:
            time.sleep(PAUSE_SECONDS)
        for address, name, mac in wanted:
            if mac is None:
                continue
            _send(address, name, mac)
            if not turn:
                sent.append({"address": address, "interface": name})
    return sent


def _send(address: str, interface: str, mac: bytes) -> None:
    if ipaddress.ip_address(address).version == 4:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
            raw.bind((interface, 0))
            raw.send(arp(mac, address))
        return
    index = socket.if_nametoindex(interface)
    with socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6) as raw:
        # a neighbour takes no other (RFC 4861, 7.1.2)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
        raw.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
        raw.bind((address, 0, 0, index))
        raw.sendto(advertisement(mac, address), (_ALL_NODES, 0, 0, index))
