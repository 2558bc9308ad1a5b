"""What adverts that keepalived refuses do to a master (docs/keepalived-findings.md)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from vrrp_nodes import PYTHON, VIP, Node, Switch, until

pytestmark = pytest.mark.root

CONFIG = """
vrrp_instance VI {{
    interface eth0
    virtual_router_id 51
    priority {priority}
    advert_int 1
    virtual_ipaddress {{
        10.99.0.100/24
    }}
}}
"""
#: Of VRRPv3, where the others speak v2, so many seconds apart; priority 1: nobody yields to it.
STRANGER = """
import socket, sys, time
out = socket.socket(socket.AF_INET, socket.SOCK_RAW, 112)
out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
out.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.99.0.3"))
advert = bytes([0x31, 51, 1, 1, 0, 100, 0, 0]) + socket.inet_aton("10.99.0.100")
while True:
    out.sendto(advert, ("224.0.0.18", 0))
    time.sleep(float(sys.argv[1]))
"""


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Node, Node, Node]]:
    """A master, a backup, and a stranger without keepalived."""
    switch = Switch()
    three = [Node(switch, tmp_path, number) for number in (1, 2, 3)]
    for node, priority in zip(three, (150, 100), strict=False):
        node.configure(CONFIG.format(priority=priority))
        node.start_keepalived()
    assert until(lambda: takes(three[0]) == 1)
    yield tuple(three)
    for node in three:
        node.close()
    switch.close()


def takes(node: Node) -> int:
    """How often it has put the address on its interface."""
    return sum(what == "NEWADDR" and which == VIP for what, which, _ in node.observed())


def test_a_master_that_receives_refused_adverts_sends_none_and_a_peer_takes_the_address(nodes):
    master, backup, stranger = nodes
    assert takes(backup) == 0
    stranger.start(PYTHON, "-c", STRANGER, "0.5", log="stranger")

    # 3 adverts and the skew time, again and again: the two of them never agree
    assert until(lambda: takes(backup) >= 2, 15), master.log("keepalived")
    assert "wrong version" in master.log("keepalived")
    assert takes(master) == 1
    assert [each for each in master.observed() if each[0] == "DELADDR"] == []
