"""Addresses as the kernel tells them: its messages byte by byte, and this host's own."""

import errno
import ipaddress
import json
import shutil
import socket
import struct
import subprocess

import pytest

from keepalived_core.node import addresses, netlink
from keepalived_core.node.addresses import Held
from keepalived_core.node.netlink import Change
from keepalived_core.node.state import Instance, Vip


def attribute(kind, data):
    padding = b"\0" * (-len(data) % 4)
    return struct.pack("=HH", 4 + len(data), kind) + data + padding


def message(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("=IHHII", 16 + len(body), kind, 0, 0, 0) + body


def address(kind, text, prefix=24, index=7, peer=None, flags=0):
    raw = ipaddress.ip_address(text).packed
    family = socket.AF_INET if len(raw) == 4 else socket.AF_INET6
    body = struct.pack("=BBBBI", family, prefix, flags & 0xFF, 0, index)
    if peer:
        body += attribute(1, ipaddress.ip_address(peer).packed) + attribute(2, raw)
    else:
        body += attribute(1, raw)
    return message(kind, body + attribute(8, struct.pack("=I", flags)))


def link(kind, name, index=7):
    body = struct.pack("=BBHiII", 0, 0, 1, index, 0, 0) + attribute(3, name.encode() + b"\0")
    return message(kind, body)


@pytest.fixture
def kernel(monkeypatch):
    """A subscription whose other end the test writes to."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    subscription = netlink.Netlink()
    monkeypatch.setattr(subscription, "_socket", ours)

    def says(*messages):
        theirs.send(b"".join(messages))
        return [
            (change.kind, change.ifname, change.address, change.prefixlen)
            for change in subscription.changes()
        ]

    yield says
    ours.close()
    theirs.close()


NEW, DEL = netlink.RTM_NEWADDR, netlink.RTM_DELADDR


def test_names_come_with_the_links_and_follow_a_rename(kernel):
    assert kernel(link(netlink.RTM_NEWLINK, "ethX"), address(NEW, "10.0.0.1")) == [
        ("NEWLINK", "ethX", None, None),
        ("NEWADDR", "ethX", "10.0.0.1", 24),
    ]
    kernel(link(netlink.RTM_NEWLINK, "wan0"))
    assert kernel(address(DEL, "10.0.0.1")) == [("DELADDR", "wan0", "10.0.0.1", 24)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ({"text": "10.0.0.1", "prefix": 32, "peer": "10.9.9.9"}, ("NEWADDR", "10.0.0.1", 32)),
        ({"text": "fd00::1", "prefix": 64}, ("NEWADDR", "fd00::1", 64)),
        ({"text": "fd00::1", "prefix": 64, "flags": 0x48}, ("DELADDR", "fd00::1", 64)),
        ({"text": "fd00::1", "prefix": 64, "flags": 0x240}, ("NEWADDR", "fd00::1", 64)),
    ],
    ids=["with a peer", "v6", "duplicate address found", "tentative"],
)
def test_an_address_is_read(kernel, words, expected):
    ((kind, _, text, prefix),) = kernel(address(NEW, **words))
    assert (kind, text, prefix) == expected


def test_what_is_cut_short_or_unknown_is_passed_over(kernel):
    whole = address(NEW, "10.0.0.1")
    assert kernel(whole[:-9]) == []
    assert kernel(message(99, b"\0" * 8)) == []
    assert kernel(message(NEW, struct.pack("=BBBBI", 2, 24, 0, 0, 7))) == []
    assert kernel(b"\0" * 40) == []
    assert len(kernel(message(99, b""), whole)) == 1


def test_after_an_overrun_older_messages_are_not_believed(monkeypatch):
    answers = [
        address(NEW, "10.0.0.1"),
        OSError(errno.ENOBUFS, "overrun"),
        address(DEL, "10.0.0.1"),
        BlockingIOError(),
        address(NEW, "10.0.0.2"),
        BlockingIOError(),
    ]

    class Socket:
        def recv(self, *_):
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    subscription = netlink.Netlink()
    subscription.close()
    monkeypatch.setattr(subscription, "_socket", Socket())
    with pytest.raises(netlink.Overrun):
        subscription.changes()
    assert [change.address for change in subscription.changes()] == ["10.0.0.2"]


@pytest.mark.skipif(shutil.which("ip") is None, reason="iproute2 is not installed")
def test_the_snapshot_is_what_ip_shows():
    shown = json.loads(subprocess.check_output(["ip", "-json", "address"]))
    expected = {
        entry["ifname"]: sorted((a["local"], a["prefixlen"]) for a in entry["addr_info"])
        for entry in shown
        if entry
    }
    found = {name: sorted(pairs) for name, pairs in addresses.snapshot().items()}
    assert found == expected


INSTANCE = Instance("A", interface="eth0", vips=(Vip("10.0.0.1", 24), Vip("10.0.0.2", 24, "eth1")))


@pytest.mark.parametrize(
    ("found", "presence"),
    [
        ({"eth0": [("10.0.0.1", 24)], "eth1": [("10.0.0.2", 24)]}, (True, True)),
        ({"eth0": [("10.0.0.1", 32)]}, (False, True)),
        ({"eth0": [("10.0.0.2", 24)], "eth1": [("10.0.0.1", 24)]}, (False, False)),
        ({"lo": [("10.0.0.1", 32), ("10.0.0.2", 32)]}, (False, False)),
        ({}, (False, False)),
    ],
)
def test_a_virtual_address_counts_only_where_it_belongs(found, presence):
    assert Held(found).presence(INSTANCE) == presence


def test_where_no_interface_is_known_any_but_lo_counts():
    unknown = Instance("A", vips=(Vip("10.0.0.1", 24),))
    assert Held({"eth5": [("10.0.0.1", 24)]}).presence(unknown) == (True, True)
    assert Held({"lo": [("10.0.0.1", 24)]}).presence(unknown) == (False, False)


def test_an_instance_without_addresses_has_no_presence():
    assert Held({}).presence(Instance("A")) is None


def test_addresses_follow_the_messages_and_a_repetition_is_no_change():
    held = Held({"eth0": []})
    came = Change("NEWADDR", 7, "eth0", "10.0.0.1", 24, 0)
    went = Change("DELADDR", 7, "eth0", "10.0.0.1", 24, 0)
    gone = Change("DELLINK", 7, "eth0", None, None, 0)
    assert [held.apply(change) for change in (came, came, went, went, came, gone, gone)] == [
        True, False, True, False, True, True, False
    ]  # fmt: skip
    assert not held.apply(Change("NEWADDR", 8, None, "10.0.0.1", 24, 0))
