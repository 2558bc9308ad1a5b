"""Who answers for an address, asked over real wires: ARP, neighbour discovery, a macvlan."""

import json
import os

import pytest

if os.geteuid() != 0:
    pytest.skip("namespaces need root", allow_module_level=True)

from vrrp_nodes import Node, Switch, until

pytestmark = pytest.mark.root

VIP, VIP6, ALONE = "10.99.0.100", "fd99::100", "10.99.0.101"


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    switch = Switch()
    made = [Node(switch, tmp_path_factory.mktemp("nodes"), number) for number in (1, 2, 3)]
    for node in made:
        node.run("ip", "addr", "add", f"fd99::{node.name[1]}/64", "dev", "eth0", "nodad")
        # a link-local address that is still tentative sends nothing
        assert until(lambda node=node: " tentative" not in node.run("ip", "-6", "addr"), 5)
    yield made
    for node in made:
        node.close()
    switch.close()


@pytest.fixture
def held(nodes):
    """held(node, address, …): it has the address until the test is over."""
    given = []

    def give(node, address, device="eth0"):
        nodad = ["nodad"] if ":" in address else []
        node.run("ip", "addr", "add", address, "dev", device, *nodad)
        given.append((node, address, device))

    yield give
    for node, address, device in given:
        node.run("ip", "addr", "del", address, "dev", device)


def ask(node, *addresses, seconds=0.4):
    """What the library says inside the node."""
    return json.loads(
        node.python(
            "import json; from keepalived_core.node import questions; "
            f"print(json.dumps(questions.answers({list(addresses)!r}, {seconds})))"
        )
    )


def macs(node, interface="eth0"):
    (link,) = json.loads(node.run("ip", "-j", "link", "show", interface))
    return [link["address"]]


@pytest.mark.parametrize("address", [VIP, VIP6])
def test_nobody_one_and_two_answer(nodes, held, address):
    asker, one, two = nodes
    assert ask(asker, address)[address] == {"interface": "eth0", "macs": [], "problem": None}

    held(one, f"{address}/{128 if ':' in address else 32}")
    assert ask(asker, address)[address]["macs"] == macs(one)

    held(two, f"{address}/{128 if ':' in address else 32}")
    assert sorted(ask(asker, address)[address]["macs"]) == sorted(macs(one) + macs(two))


def test_all_addresses_are_asked_for_at_once(nodes, held):
    asker, one, two = nodes
    many = [f"10.99.0.{number}" for number in range(120, 180)]
    for address in many[::2]:
        held(two, f"{address}/32")

    found = ask(asker, *many, VIP6, one_of(one))

    assert {a for a, each in found.items() if each["macs"] == macs(two)} == set(many[::2])
    assert {a for a, each in found.items() if not each["macs"]} == {*many[1::2], VIP6}
    assert found[one_of(one)]["macs"] == macs(one)


def one_of(node):
    return f"10.99.0.{node.name[1]}"


@pytest.mark.parametrize("address", [VIP, VIP6])
def test_no_cache_learns_a_wrong_address(nodes, held, address):
    """What the holder learns is at most where the asker's own addresses are."""
    asker, one, _ = nodes
    held(one, f"{address}/{128 if ':' in address else 32}")
    one.run("ip", "neigh", "flush", "all")

    ask(asker, address)

    entries = json.loads(one.run("ip", "-j", "neigh") or "[]")
    own = {
        info["local"]
        for link in json.loads(asker.run("ip", "-j", "addr", "show", "eth0"))
        for info in link["addr_info"]
    }
    assert all(each["dst"] in own and each["lladdr"] in macs(asker) for each in entries)
    if address == VIP:
        assert entries == []


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("192.0.2.1", "no interface here leads to its network"),
        ("10.99.0.1", "this node has it itself"),
    ],
)
def test_what_cannot_be_asked_says_why(nodes, address, problem):
    said = ask(nodes[0], address)[address]

    assert said["macs"] == []
    assert problem in said["problem"]


def test_a_link_that_is_down_is_no_silence(nodes):
    asker = nodes[0]
    asker.run("ip", "link", "add", "eth9", "type", "veth")
    asker.run("ip", "addr", "add", "10.98.0.1/24", "dev", "eth9")

    said = ask(asker, "10.98.0.2")["10.98.0.2"]

    assert said == {"interface": "eth9", "macs": [], "problem": "eth9: Network is down"}


MACVLAN = "00:00:5e:00:01:33"


def test_a_macvlan_answers_with_the_virtual_routers_address(nodes, held):
    """It is asked for below the macvlan: from a virtual address no question may come."""
    asker, one, _ = nodes
    for node in (asker, one):
        node.run("ip", "link", "add", "vrrp.51", "link", "eth0", "address", MACVLAN,
                 "type", "macvlan", "mode", "private")  # fmt: skip
        node.run("ip", "link", "set", "vrrp.51", "up")
        # as keepalived sets it, so that only the macvlan answers
        node.run("sysctl", "-qw", "net.ipv4.conf.all.arp_ignore=1")
    held(one, f"{ALONE}/32", "vrrp.51")

    assert ask(asker, ALONE)[ALONE]["macs"] == [MACVLAN]

    held(asker, "10.97.0.1/24", "vrrp.51")
    problem = ask(asker, "10.97.0.2")["10.97.0.2"]["problem"]
    assert problem == "the hardware address of vrrp.51 is the virtual router's"
