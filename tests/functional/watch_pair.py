"""Two nodes with a watch and a keepalived each, and what the kernel said of their address."""

import pytest
from vrrp_nodes import VIP, Node, Switch, until

OUR_FIFO = "vrrp_notify_fifo /run/salt-keepalived/notify.fifo"
# Both keywords taken by somebody else, who also leaves them unread.
THEIR_FIFOS = "notify_fifo /run/theirs\n vrrp_notify_fifo /run/theirs2"

# VRRPv3 at 0.1 s: a failover takes 0.3 s instead of 3.  Niced: a busy machine makes its own.
CONFIG = """
global_defs {{
 router_id test
 vrrp_priority -20
 enable_script_security
 script_user root
 {fifo}
}}
vrrp_script chk {{
 script "/usr/bin/test ! -e /run/ill"
 interval 1
 timeout 5
 fall 1
 rise 1
}}
vrrp_sync_group G {{
 group {{
  VI
  VJ
 }}
}}
vrrp_instance VI {{
 interface eth0
 virtual_router_id 51
 version 3
 priority {priority}
 advert_int 0.1
 virtual_ipaddress {{
  10.99.0.100/24
  10.99.0.101/24
 }}
 track_script {{
  chk
 }}
}}
vrrp_instance VJ {{
 interface eth0
 virtual_router_id 52
 version 3
 priority {priority}
 advert_int 0.1
 virtual_ipaddress {{
  10.99.0.110/24
 }}
}}
"""


def config(priority, fifo=OUR_FIFO):
    return CONFIG.format(priority=priority, fifo=fifo)


@pytest.fixture(scope="module")
def switch():
    switch = Switch()
    yield switch
    switch.close()


@pytest.fixture
def node(switch, tmp_path):
    """One node, nothing started."""
    node = Node(switch, tmp_path, 9)
    yield node
    node.close()


@pytest.fixture(scope="module")
def machines(switch, tmp_path_factory):
    """Two nodes with a watch and a keepalived each, used by one test after the other."""
    root = tmp_path_factory.mktemp("nodes")
    nodes = [Node(switch, root, number) for number in (1, 2)]
    for node, priority in zip(nodes, (150, 100), strict=True):
        node.configure(config(priority))
        node.start_watch()
        node.start_keepalived()
    yield nodes
    for node in nodes:
        node.close()


@pytest.fixture
def pair(machines):
    """The two nodes, settled: the first one is MASTER.  What follows is compared by ``compare``."""
    one, two = machines
    assert until(lambda: one.state("G") == "MASTER"), one.log("watch")
    assert until(lambda: two.state("G") == "BACKUP"), two.log("watch")
    for node in machines:
        until(lambda node=node: node.status().get("sources") == ["netlink", "fifo", "json"], 3)
        node.begin_chapter()
    return machines


def compare(*nodes, late=()):
    """Every coming and going of the VIP is one event, in order, at that time, and nothing else is.

    :param late: which transitions were told after the watch had been away, so without their time.
    """
    for node in nodes:
        # what happens this very moment is on its way
        until(lambda node=node: kinds(told(node)) == kinds(truth(node)), 2)
        assert kinds(told(node)) == kinds(truth(node)), node.name
        pairs = enumerate(zip(told(node), truth(node), strict=True))
        apart = [(mine[1] - its[1]) / 1e6 for n, (mine, its) in pairs if n not in late]
        # both read the clock when the kernel's message reached them; the machine may be busy
        assert all(abs(seconds) < 0.5 for seconds in apart), apart
        assert_no_repetition(node)


def truth(node):
    return [(kind, when) for kind, address, when in node.observed() if address == VIP]


def told(node):
    """What the events of this chapter say of the VIP, in the kernel's words."""
    found, holds = [], node.states_before.get("VI") == "MASTER"
    for event in node.events():
        if event["to"].isupper() and (event["to"] == "MASTER") != holds:
            holds = not holds
            found.append(("NEWADDR" if holds else "DELADDR", event["monotonic_us"]))
    return found


def kinds(changes):
    return [kind for kind, _ in changes]


def assert_no_repetition(node):
    rows = node.events(None)
    first = rows[0]["seq"] if rows else 1
    assert [row["seq"] for row in rows] == list(range(first, first + len(rows)))
    last = dict(node.states_before)
    for row in rows:
        if row["to"].isupper():
            assert row["from"] == last.get(row["instance"])
            assert row["from"] != row["to"]
            last[row["instance"]] = row["to"]


def reasons(node, instance="VI"):
    """Of the transitions of this chapter."""
    return [event["reason"] for event in node.events(instance) if event["to"].isupper()]
