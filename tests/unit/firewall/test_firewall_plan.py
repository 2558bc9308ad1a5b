"""What must pass for which instance, and which zone needs which rule for it."""

import pytest

from keepalived_core.conf.tree import Block, Statement, Tree
from keepalived_core.node import firewall
from keepalived_core.node.firewalld import FirewallError
from keepalived_core.node.firewalld_zone import Zone, parse_zones


def rules(**instance):
    given = {"instance": "VI_1", "interface": "eth1", **instance}
    return [opening.rule for opening in firewall.needs([given])]


VRRP4 = 'rule family="ipv4" destination address="224.0.0.18" protocol value="vrrp" accept'
AH4 = 'rule family="ipv4" destination address="224.0.0.18" protocol value="ah" accept'
IGMP_ALL = 'rule family="ipv4" destination address="224.0.0.1" protocol value="igmp" accept'
IGMP_GROUP = 'rule family="ipv4" destination address="224.0.0.18" protocol value="igmp" accept'
VRRP6 = 'rule family="ipv6" destination address="ff02::12" protocol value="vrrp" accept'

NEEDS = {
    "IPv4 multicast": ({"family": 4}, [VRRP4, IGMP_ALL, IGMP_GROUP]),
    "no address tells the family": ({"family": None}, [VRRP4, IGMP_ALL, IGMP_GROUP]),
    "IPv6 multicast": ({"family": 6}, [VRRP6]),
    "AH": ({"family": 4, "auth_type": "AH"}, [VRRP4, AH4, IGMP_ALL, IGMP_GROUP]),
    "PASS is in the packet": ({"family": 4, "auth_type": "PASS"}, [VRRP4, IGMP_ALL, IGMP_GROUP]),
    "a group of its own": (
        {"family": 4, "mcast_group": "239.0.0.9"},
        [
            'rule family="ipv4" destination address="239.0.0.9" protocol value="vrrp" accept',
            IGMP_ALL,
            'rule family="ipv4" destination address="239.0.0.9" protocol value="igmp" accept',
        ],
    ),
    "unicast": (
        {"family": 4, "unicast_peers": ["10.0.0.2", "10.0.0.3"]},
        [
            'rule family="ipv4" source address="10.0.0.2" protocol value="vrrp" accept',
            'rule family="ipv4" source address="10.0.0.3" protocol value="vrrp" accept',
        ],
    ),
    "unicast with AH": (
        {"family": 4, "unicast_peers": ["10.0.0.2"], "auth_type": "AH"},
        [
            'rule family="ipv4" source address="10.0.0.2" protocol value="vrrp" accept',
            'rule family="ipv4" source address="10.0.0.2" protocol value="ah" accept',
        ],
    ),
    "IPv6 addresses over IPv4 peers": (
        {"family": 6, "unicast_peers": ["10.0.0.2"]},
        ['rule family="ipv4" source address="10.0.0.2" protocol value="vrrp" accept'],
    ),
    "IPv6 peers, as firewalld prints them": (
        {"family": 6, "unicast_peers": ["FD00:0::2"]},
        ['rule family="ipv6" source address="fd00::2" protocol value="vrrp" accept'],
    ),
}


@pytest.mark.parametrize("instance, expected", NEEDS.values(), ids=NEEDS)
def test_an_instance_needs_exactly(instance, expected):
    assert rules(**instance) == expected


def test_instances_that_need_the_same_need_it_once():
    same = {"interface": "eth1", "family": 6}
    found = firewall.needs([{"instance": "VI_1", **same}, {"instance": "VI_2", **same}])
    assert len(found) == 1


def test_a_vmac_s_own_interface_needs_the_same():
    found = firewall.needs([{"instance": "V", "interface": "eth1", "vmac": "vrrp.7", "family": 6}])
    assert [(opening.interface, opening.rule) for opening in found] == [
        ("eth1", VRRP6),
        ("vrrp.7", VRRP6),
    ]


NO_ADDRESS = {
    "a peer": ({"unicast_peers": ["db1"]}, "unicast peer of VI_1: 'db1'"),
    "a group": ({"mcast_group": "224.0.0"}, "multicast group of VI_1: '224.0.0'"),
}


@pytest.mark.parametrize("instance, said", NO_ADDRESS.values(), ids=NO_ADDRESS)
def test_what_is_no_address_is_named(instance, said):
    with pytest.raises(FirewallError, match=said):
        rules(**instance)


# --- zones -----------------------------------------------------------------------------------


def zones(**given):
    """zones(internal="eth1", trusted="@10.0.0.0/24"): an @ marks a source."""
    found = {"public": Zone("public"), "dmz": Zone("dmz")}
    for name, text in given.items():
        words = text.split()
        found[name] = Zone(
            name,
            interfaces=tuple(word for word in words if not word.startswith("@")),
            sources=tuple(word[1:] for word in words if word.startswith("@")),
        )
    return found


V4 = {"family": 4, "interface": "eth1"}
V6 = {"family": 6, "interface": "eth1"}
UNICAST = {**V4, "unicast_peers": ["10.0.0.2"]}

ZONES = {
    "the zone of the interface": (V4, zones(internal="eth1"), ["internal"]),
    "the default zone, when no zone names it": (V4, zones(internal="eth0"), ["public"]),
    "no interface named: every zone in use": (
        {"family": 4, "interface": None},
        zones(internal="eth1", dmz="eth2"),
        ["public", "dmz", "internal"],
    ),
    "a zone with sources comes before the interface's": (
        V4,
        zones(internal="eth1", trusted="@10.0.0.0/24"),
        ["internal", "trusted"],
    ),
    "sources of the other family do not": (
        V6,
        zones(internal="eth1", trusted="@10.0.0.0/24"),
        ["internal"],
    ),
    "sources that hold the peer": (UNICAST, zones(trusted="@10.0.0.0/24"), ["public", "trusted"]),
    "sources that do not hold the peer": (UNICAST, zones(trusted="@10.0.1.0/24"), ["public"]),
    "a single address as source": (UNICAST, zones(trusted="@10.0.0.2"), ["public", "trusted"]),
    "an ipset may hold anybody": (UNICAST, zones(trusted="@ipset:hosts"), ["public", "trusted"]),
    "a MAC address may be anybody's": (
        V6,
        zones(trusted="@00:11:22:33:44:55"),
        ["public", "trusted"],
    ),
}


@pytest.mark.parametrize("instance, held, expected", ZONES.values(), ids=ZONES)
def test_the_zones_that_need_rules_are(instance, held, expected):
    openings = firewall.needs([{"instance": "V", **instance}])
    planned = firewall.plan(openings, held, "public")
    assert list(dict.fromkeys(item.zone for item in planned)) == expected
    assert len(planned) == len(openings) * len(expected)


PERMANENT = {
    "its own binding counts": (zones(internal="eth1"), zones(dmz="eth1"), ["internal"]),
    "else the default and the one in force": (zones(), zones(dmz="eth1"), ["public", "dmz"]),
    "else the default": (zones(), zones(), ["public"]),
    "a zone that only the runtime has is left out": (zones(), zones(extra="eth1"), ["public"]),
}


@pytest.mark.parametrize("held, runtime, expected", PERMANENT.values(), ids=PERMANENT)
def test_the_permanent_configuration_opens_where_the_interface_may_come_up(held, runtime, expected):
    openings = firewall.needs([{"instance": "V", **V6}])
    planned = firewall.plan(openings, held, "public", runtime)
    assert [item.zone for item in planned] == expected


def test_what_list_all_zones_prints_is_read():
    # firewalld 1.3.3; the header of the second zone as firewalld 2 prints it
    text = """\
block
  target: %%REJECT%%
  icmp-block-inversion: no
  interfaces: 
  sources: 
  services: 
  rich rules: 

public (default, active)
  target: default
  interfaces: eth0 eth1
  sources: 10.0.0.0/8 ipset:hosts
  services: dhcpv6-client ssh
  protocols: 
  forward-ports: 
\tport=80:proto=tcp:toport=8080:toaddr=
  rich rules: 
\trule family="ipv4" source address="10.0.0.2" protocol value="vrrp" accept
\trule priority="5" service name="ssh" accept
"""  # noqa: W291  (firewalld prints the blanks)
    found = parse_zones(text)
    assert found == {
        "block": Zone("block"),
        "public": Zone(
            "public",
            interfaces=("eth0", "eth1"),
            sources=("10.0.0.0/8", "ipset:hosts"),
            rich_rules=(
                'rule family="ipv4" source address="10.0.0.2" protocol value="vrrp" accept',
                'rule priority="5" service name="ssh" accept',
            ),
        ),
    }


def test_a_rule_is_recognised_however_it_is_quoted():
    zone = Zone("public", rich_rules=("rule family=ipv6 destination address=ff02::12 "
                                      "protocol value=vrrp accept",))  # fmt: skip
    assert zone.has(VRRP6)
    assert not zone.has(VRRP4)


# --- from a configuration --------------------------------------------------------------------


def block(keyword, *args, children=()):
    return Block(keyword, list(args), [
        child if isinstance(child, Block) else Statement(child.split()[0], child.split()[1:])
        for child in children
    ])  # fmt: skip


def tree(*instance, defs=()):
    children = ["interface eth1", "virtual_router_id 52", *instance]
    return Tree(
        [
            block("global_defs", children=defs),
            block("vrrp_instance", "VI_1", children=children),
        ]
    )


VIP4 = block("virtual_ipaddress", children=["192.0.2.1/24"])
VIP6 = block("virtual_ipaddress", children=["2001:db8::1/64"])

CONFIGS = {
    "the classic case": (tree(VIP4), {"family": 4, "vmac": None, "mcast_group": None}),
    "IPv6": (tree(VIP6), {"family": 6}),
    "another group for all": (
        tree(VIP6, defs=["vrrp_mcast_group6 ff02::99"]),
        {"mcast_group": "ff02::99"},
    ),
    "the other family's group does not count": (
        tree(VIP6, defs=["vrrp_mcast_group4 224.0.0.99"]),
        {"mcast_group": None},
    ),
    "a group of its own wins": (
        tree(VIP4, "mcast_dst_ip 224.0.0.77", defs=["vrrp_mcast_group4 224.0.0.99"]),
        {"mcast_group": "224.0.0.77"},
    ),
    "peers": (
        tree(VIP4, block("unicast_peer", children=["192.0.2.3 min_ttl 255", "192.0.2.4"])),
        {"unicast_peers": ["192.0.2.3", "192.0.2.4"]},
    ),
    "AH": (
        tree(VIP4, block("authentication", children=["auth_type AH", "auth_pass x"])),
        {"auth_type": "AH"},
    ),
    # keepalived 2.2.7 was seen to make these four
    "a VMAC": (tree(VIP4, "use_vmac"), {"vmac": "vrrp.52"}),
    "a VMAC for IPv6": (tree(VIP6, "use_vmac"), {"vmac": "vrrp6.52"}),
    "a VMAC with a name": (tree(VIP4, "use_vmac foo1"), {"vmac": "foo1"}),
    "a VMAC with a MAC address": (tree(VIP4, "use_vmac 02:00:00:00:01:07"), {"vmac": "vrrp.52"}),
    "a VMAC with a group and a name": (
        tree(VIP4, "use_vmac group 9 name vm.1"),
        {"vmac": "vm.1"},
    ),
    "adverts on the base interface": (tree(VIP4, "use_vmac", "vmac_xmit_base"), {"vmac": None}),
    "an IPVLAN": (tree(VIP4, "use_ipvlan ipv.1 192.0.2.9 private"), {"vmac": "ipv.1"}),
    "an IPVLAN without a name": (tree(VIP4, "use_ipvlan 192.0.2.9"), {"vmac": "vrrp.52"}),
}


@pytest.mark.parametrize("config, expected", CONFIGS.values(), ids=CONFIGS)
def test_a_configuration_says(config, expected):
    (found,) = firewall.instances(config)
    assert (found["instance"], found["interface"]) == ("VI_1", "eth1")
    assert {key: found[key] for key in expected} == expected
    assert firewall.needs([found])
