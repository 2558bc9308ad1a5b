"""Kernel addresses and links over rtnetlink, with the standard library alone.

The watch runs under Salt's own Python, which sees no package of the distribution; what it needs
of rtnetlink is small: one dump of links and addresses, and a subscription to their changes.
"""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

# linux/netlink.h, linux/rtnetlink.h, linux/if_addr.h, linux/if_link.h
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLM_F_DUMP_INTR = 0x10
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK = 16, 17, 18
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
RTMGRP_LINK, RTMGRP_IPV4_IFADDR, RTMGRP_IPV6_IFADDR = 0x1, 0x10, 0x100
IFA_ADDRESS, IFA_LOCAL, IFA_FLAGS = 1, 2, 8
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MASTER = 1, 3, 10
IFA_F_DADFAILED = 0x08
SO_RCVBUFFORCE = 33
IFF_UP, IFF_RUNNING = 0x1, 0x40

_HEADER = struct.Struct("=IHHII")
_IFADDR = struct.Struct("=BBBBI")
_IFINFO = struct.Struct("=BBHiII")
_ATTRIBUTE = struct.Struct("=HH")
_KINDS = {
    RTM_NEWADDR: "NEWADDR",
    RTM_DELADDR: "DELADDR",
    RTM_NEWLINK: "NEWLINK",
    RTM_DELLINK: "DELLINK",
}
#: The kernel's own dump messages are at most 32 KiB.
_READ = 65536
#: 1000 instances failing over at once are about 100 kB of address messages; the default buffer
#: (212 kB, counted with overhead) overruns well before that.
_BUFFER = 4 << 20


class Overrun(Exception):
    """The kernel dropped messages: what is known may be wrong, take a new snapshot."""


@dataclass(frozen=True)
class Change:
    """One message: ``kind`` is NEWADDR, DELADDR, NEWLINK or DELLINK.

    ``address`` and ``prefixlen`` are None for links.  ``monotonic_us`` is when it was received.
    ``fault`` is what keeps a link from carrying anything, "" for nothing; None for addresses.
    """

    kind: str
    ifindex: int
    ifname: str | None
    address: str | None
    prefixlen: int | None
    monotonic_us: int
    fault: str | None = None


class Netlink:
    """A route socket.  With ``subscribe`` it also hears of every change from then on."""

    def __init__(self, subscribe: bool = False) -> None:
        groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR if subscribe else 0
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        )
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, _BUFFER)
        except OSError:
            # without CAP_NET_ADMIN: as large as net.core.rmem_max lets us
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind((0, groups))
        self._names: dict[int, str] = {}
        self._sequence = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def changes(self) -> list[Change]:
        """Return what has arrived, without waiting.

        Raises :class:`Overrun` when the kernel had to drop messages.  Those that it kept are older
        than a snapshot taken now and must not be believed after it: they are thrown away.
        """
        found: list[Change] = []
        overrun = False
        while True:
            try:
                data = self._socket.recv(_READ, socket.MSG_DONTWAIT)
            except BlockingIOError:
                if overrun:
                    raise Overrun from None
                return found
            except OSError as err:
                if err.errno != errno.ENOBUFS:
                    raise
                overrun = True
                continue
            now = time.monotonic_ns() // 1000
            for kind, _, body in _messages(data):
                if change := self._change(kind, body, now):
                    found.append(change)

    def name(self, ifindex: int) -> str | None:
        """Return the name of an interface as last heard, or asked of the kernel."""
        if ifindex not in self._names:
            try:
                self._names[ifindex] = socket.if_indextoname(ifindex)
            except OSError:
                return None
        return self._names[ifindex]

    def _change(self, kind: int, body: bytes, now: int) -> Change | None:
        if kind in (RTM_NEWLINK, RTM_DELLINK):
            ifindex = _IFINFO.unpack_from(body)[3]
            name = _link_name(body)
            if kind == RTM_NEWLINK and name:
                self._names[ifindex] = name
            elif kind == RTM_DELLINK:
                self._names.pop(ifindex, None)
            fault = _link_fault(kind, _IFINFO.unpack_from(body)[4])
            return Change(_KINDS[kind], ifindex, name, None, None, now, fault)
        if kind in (RTM_NEWADDR, RTM_DELADDR):
            parsed = _address(body)
            if parsed is None:
                return None
            ifindex, address, prefix, usable = parsed
            # an address that failed duplicate detection is announced again, as one nobody can use
            name = _KINDS[kind if usable else RTM_DELADDR]
            return Change(name, ifindex, self.name(ifindex), address, prefix, now)
        return None


def dump_addresses() -> dict[str, list[tuple[str, int]]]:
    """Return every address of this network namespace: interface -> [(address, prefix length)].

    Raises :class:`OSError` when the kernel does not answer.
    """
    # a dump that the kernel marks as interrupted saw a half-made change: ask again
    for _ in range(8):
        names: dict[int, str] = {}
        found: dict[str, list[tuple[str, int]]] = {}
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
        ) as sock:
            sock.settimeout(2.0)
            sock.bind((0, 0))
            whole = True
            for flags, body in _dump(sock, RTM_GETLINK):
                whole = whole and not flags & NLM_F_DUMP_INTR
                name = _link_name(body)
                if name:
                    names[_IFINFO.unpack_from(body)[3]] = name
                    found[name] = []
            for flags, body in _dump(sock, RTM_GETADDR):
                whole = whole and not flags & NLM_F_DUMP_INTR
                parsed = _address(body)
                if parsed and parsed[3] and parsed[0] in names:
                    found[names[parsed[0]]].append((parsed[1], parsed[2]))
        if whole:
            break
    return found


@dataclass(frozen=True)
class Link:
    """An Ethernet interface; ``port``: it is a part of a bridge, a bond or a VRF."""

    mac: str
    port: bool


def dump_links() -> dict[str, Link]:
    """Return every Ethernet interface of this network namespace by name.

    Raises :class:`OSError` when the kernel does not answer.
    """
    found = {}
    with socket.socket(
        socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.NETLINK_ROUTE
    ) as sock:
        sock.settimeout(2.0)
        sock.bind((0, 0))
        for _, body in _dump(sock, RTM_GETLINK):
            name = _link_name(body)
            attributes = _attributes(body, _IFINFO.size)
            mac = attributes.get(IFLA_ADDRESS, b"")
            if name and len(mac) == 6 and any(mac):
                found[name] = Link(mac.hex(":"), IFLA_MASTER in attributes)
    return found


def _dump(sock: socket.socket, request: int) -> Iterator[tuple[int, bytes]]:
    length = _HEADER.size + _IFINFO.size
    header = _HEADER.pack(length, request, NLM_F_REQUEST | NLM_F_DUMP, request, 0)
    sock.send(header + _IFINFO.pack(socket.AF_UNSPEC, 0, 0, 0, 0, 0))
    while True:
        for kind, flags, body in _messages(sock.recv(_READ)):
            if kind == NLMSG_DONE:
                return
            if kind == NLMSG_ERROR:
                code = -struct.unpack_from("=i", body)[0]
                raise OSError(code, os.strerror(code))
            yield flags, body


def _messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    offset = 0
    while offset + _HEADER.size <= len(data):
        length, kind, flags, _, _ = _HEADER.unpack_from(data, offset)
        if length < _HEADER.size or offset + length > len(data):
            return
        yield kind, flags, data[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def _attributes(body: bytes, offset: int) -> dict[int, bytes]:
    found = {}
    while offset + _ATTRIBUTE.size <= len(body):
        length, kind = _ATTRIBUTE.unpack_from(body, offset)
        if length < _ATTRIBUTE.size or offset + length > len(body):
            break
        # the two highest bits are flags (nested, byte order)
        found[kind & 0x3FFF] = body[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3
    return found


def _link_name(body: bytes) -> str | None:
    raw = _attributes(body, _IFINFO.size).get(IFLA_IFNAME)
    return raw.rstrip(b"\0").decode("utf-8", "replace") if raw else None


def _link_fault(kind: int, flags: int) -> str:
    if kind == RTM_DELLINK:
        return "is gone"
    if not flags & IFF_UP:
        return "is down"
    return "" if flags & IFF_RUNNING else "has no carrier"


def _address(body: bytes) -> tuple[int, str, int, bool] | None:
    _, prefix, flags, _, ifindex = _IFADDR.unpack_from(body)
    attributes = _attributes(body, _IFADDR.size)
    # on a point to point link IFA_ADDRESS is the peer; IPv6 has no IFA_LOCAL without a peer
    raw = attributes.get(IFA_LOCAL) or attributes.get(IFA_ADDRESS)
    if raw is None or len(raw) not in (4, 16):
        return None
    if IFA_FLAGS in attributes:
        flags = struct.unpack("=I", attributes[IFA_FLAGS])[0]
    address = ipaddress.ip_address(raw)
    return ifindex, str(address), prefix, not flags & IFA_F_DADFAILED
