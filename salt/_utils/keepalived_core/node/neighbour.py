"""Who answers for an address on the wire: ARP (RFC 5227) and neighbour discovery (RFC 4861).

A question goes to everybody on the link and every answer within the time counts, so that two
machines with one address are seen as two.  Nobody's cache learns anything wrong: an ARP probe has
the sender address 0.0.0.0, and a neighbour solicitation carries this interface's own link-local
address beside its own hardware address.
"""

from __future__ import annotations

import ipaddress
import os
import selectors
import socket
import struct
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from . import netlink

#: Seconds that a question is open; a machine on the same link answers within a few milliseconds.
SECONDS = 0.3
#: An address that nobody answered for is asked for a second time after this part of the time: a
#: packet may get lost.
AGAIN = 0.5
#: A virtual router's hardware address (RFC 5798, 7.3); the last byte is the VRID.
VIRTUAL = ("00:00:5e:00:01:", "00:00:5e:00:02:")

_ETH_ARP = 0x0806
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ARP_REQUEST, _ARP_REPLY = 1, 2
_BROADCAST = b"\xff" * 6
_ND_SOLICIT, _ND_ADVERTISE = 135, 136
_ND_SOURCE_MAC, _ND_TARGET_MAC = 1, 2
#: linux/icmpv6.h, RFC 3542.
_ICMP6_FILTER = 1
#: A neighbour's message has come over no router (RFC 4861, 7.1).
_HOP_LIMIT = 255


@dataclass
class Answer:
    """What came of one question.

    macs
        Every hardware address that answered, in the order of the answers; none: nobody did.
    problem
        Why it could not be asked; None when it was.
    """

    interface: str | None
    macs: list[str] = field(default_factory=list)
    problem: str | None = None


def ask(questions: Mapping[str, str | None], seconds: float = SECONDS) -> dict[str, Answer]:
    """Ask for all addresses at once and wait for the whole time.

    questions
        ``{address: the interface to ask on, None when there is none}``.
    seconds
        How long answers count.

    Returns ``{address: Answer}``.  Raises nothing: what cannot be asked has a ``problem``.
    """
    answers = {address: Answer(interface) for address, interface in questions.items()}
    own = _links()
    links: dict[tuple[type[_Link], str], _Link] = {}
    for address, answer in answers.items():
        name = answer.interface
        kind = _Neighbours if ":" in address else _Arp
        try:
            if name is None:
                raise _NotAsked("no interface here leads to its network")
            if (kind, name) not in links:
                links[kind, name] = kind(name, _own_mac(name, own))
            links[kind, name].answers[address] = answer
        except (OSError, _NotAsked) as err:
            answer.problem = _said(err)
    try:
        _converse(list(links.values()), seconds)
    finally:
        for link in links.values():
            link.socket.close()
    return answers


class _NotAsked(Exception):
    pass


def _links() -> Mapping[str, netlink.Link]:
    try:
        return netlink.dump_links()
    except OSError:
        return {}


def _own_mac(name: str, own: Mapping[str, netlink.Link]) -> bytes:
    link = own.get(name)
    if link is None:
        raise _NotAsked(f"{name} is no Ethernet interface of this node")
    if link.mac.startswith(VIRTUAL):
        # switches would then send the virtual router's packets here
        raise _NotAsked(f"the hardware address of {name} is the virtual router's")
    return bytes.fromhex(link.mac.replace(":", ""))


def _said(err: Exception) -> str:
    if isinstance(err, OSError) and err.errno:
        return os.strerror(err.errno)
    return str(err)


def _converse(links: Iterable[_Link], seconds: float) -> None:
    begin = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for link in links:
            link.send(list(link.answers))
            selector.register(link.socket, selectors.EVENT_READ, link.receive)
        _read(selector, begin + seconds * AGAIN)
        for link in links:
            link.send([address for address, each in link.answers.items() if not each.macs])
        _read(selector, begin + seconds)


def _read(selector: selectors.BaseSelector, until: float) -> None:
    while (left := until - time.monotonic()) > 0:
        for key, _ in selector.select(left):
            receive: Callable[[], None] = key.data
            receive()


class _Link:
    """The questions that go out of one interface by one protocol."""

    def __init__(self, interface: str, mac: bytes, sock: socket.socket) -> None:
        self.interface, self.mac, self.socket = interface, mac, sock
        self.answers: dict[str, Answer] = {}
        sock.setblocking(False)

    def send(self, addresses: Iterable[str]) -> None:
        """Ask for these addresses."""
        for address in addresses:
            answer = self.answers[address]
            if answer.problem is None:
                try:
                    self._ask(ipaddress.ip_address(address).packed)
                except OSError as err:
                    answer.problem = f"{self.interface}: {_said(err)}"

    def receive(self) -> None:
        """Take one packet that has come in."""
        try:
            found = self._take()
        except OSError:
            # the link went down meanwhile: nothing more comes
            return
        if found is None:
            return
        address, mac = str(ipaddress.ip_address(found[0])), found[1].hex(":")
        answer = self.answers.get(address)
        if answer is not None and mac not in answer.macs:
            answer.macs.append(mac)

    def _ask(self, target: bytes) -> None:
        raise NotImplementedError

    def _take(self) -> tuple[bytes, bytes] | None:
        raise NotImplementedError


class _Arp(_Link):
    """ARP probes; below the firewall, as ARP itself is."""

    def __init__(self, interface: str, mac: bytes) -> None:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        try:
            sock.bind((interface, _ETH_ARP))
        except OSError:
            sock.close()
            raise
        super().__init__(interface, mac, sock)

    def _ask(self, target: bytes) -> None:
        self.socket.send(arp_probe(self.mac, target))

    def _take(self) -> tuple[bytes, bytes] | None:
        return arp_reply(self.socket.recv(2048), self.mac)


class _Neighbours(_Link):
    """Neighbour solicitations; the kernel adds the source address and the checksum."""

    def __init__(self, interface: str, mac: bytes) -> None:
        sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, _HOP_LIMIT)
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVHOPLIMIT, 1)
            sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMP6_FILTER, _only(_ND_ADVERTISE))
            self._index = socket.if_nametoindex(interface)
        except OSError:
            sock.close()
            raise
        super().__init__(interface, mac, sock)

    def _ask(self, target: bytes) -> None:
        where = (solicited_node(target), 0, 0, self._index)
        self.socket.sendto(solicitation(self.mac, target), where)

    def _take(self) -> tuple[bytes, bytes] | None:
        data, ancillary, _, _ = self.socket.recvmsg(2048, 64)
        for level, kind, value in ancillary:
            if (level, kind) == (socket.IPPROTO_IPV6, socket.IPV6_HOPLIMIT):
                return advertisement(data) if struct.unpack("=i", value)[0] == _HOP_LIMIT else None
        return None


def arp_probe(mac: bytes, target: bytes) -> bytes:
    """An ARP probe (RFC 5227, 2.1.1) as an Ethernet frame from ``mac`` to everybody."""
    head = _BROADCAST + mac + struct.pack("!H", _ETH_ARP)
    return head + _ARP.pack(1, 0x0800, 6, 4, _ARP_REQUEST, mac, b"\0" * 4, b"\0" * 6, target)


def arp_reply(frame: bytes, mac: bytes) -> tuple[bytes, bytes] | None:
    """(address, hardware address) of an ARP reply to ``mac``; None for any other frame."""
    if len(frame) < 14 + _ARP.size or frame[12:14] != struct.pack("!H", _ETH_ARP):
        return None
    hardware, protocol, size, length, operation, sender, address, to, _ = _ARP.unpack_from(
        frame, 14
    )
    if (hardware, protocol, size, length, operation) != (1, 0x0800, 6, 4, _ARP_REPLY) or to != mac:
        return None
    return address, sender


def solicited_node(target: bytes) -> str:
    """The multicast group of whoever has that IPv6 address (RFC 4291, 2.7.1)."""
    return f"ff02::1:ff{target[13]:02x}:{target[14]:02x}{target[15]:02x}"


def solicitation(mac: bytes, target: bytes) -> bytes:
    """A neighbour solicitation (RFC 4861, 4.3); the checksum is left for the kernel to fill in."""
    return struct.pack("!BBHI", _ND_SOLICIT, 0, 0, 0) + target + bytes((_ND_SOURCE_MAC, 1)) + mac


def advertisement(message: bytes) -> tuple[bytes, bytes] | None:
    """(address, hardware address) of a neighbour advertisement; None for any other message."""
    if len(message) < 24 or message[0] != _ND_ADVERTISE or message[1] != 0:
        return None
    offset = 24
    while offset + 8 <= len(message):
        kind, length = message[offset], message[offset + 1] * 8
        if kind == _ND_TARGET_MAC and length == 8:
            return message[8:24], message[offset + 2 : offset + 8]
        if not length:
            break
        offset += length
    return None


def _only(kind: int) -> bytes:
    """An ICMP6_FILTER that lets one type of message in: a bit that is set blocks."""
    blocks = [0xFFFFFFFF] * 8
    blocks[kind >> 5] &= ~(1 << (kind & 31)) & 0xFFFFFFFF
    return struct.pack("=8I", *blocks)
