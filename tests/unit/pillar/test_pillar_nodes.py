"""One pillar, many nodes: overlays, priorities, unicast peers."""

import pytest

from keepalived_core import conf, pillar

PATH = "keepalived:priorities:VI_PUBLIC"


def built(data, node, **more):
    (instance,) = pillar.to_tree(data, node, **more).blocks("vrrp_instance")
    return instance


def mistakes(data, node, **more):
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(data, node, **more)
    return error.value.mistakes


def test_overlay_replaces_what_it_names_and_nothing_else(classic):
    assert built(classic, "controller3").value("interface") == "ens3"
    assert built(classic, "controller3").value("virtual_router_id") == "52"
    assert built(classic, "controller2").value("interface") == "eth1"


def test_lists_in_an_overlay_replace(classic):
    classic["nodes"]["controller1"]["config"] = {
        "vrrp_instance": {"VI_PUBLIC": {"virtual_ipaddress": ["10.0.0.9"]}}
    }
    (block,) = built(classic, "controller1").blocks("virtual_ipaddress")
    assert [line.keyword for line in block.statements()] == ["10.0.0.9"]


def test_priorities_by_name(classic):
    numbers = {node: built(classic, node).value("priority") for node in classic["nodes"]}
    assert numbers == {"controller1": "101", "controller2": "102", "controller3": "103"}


def test_priorities_by_order(classic):
    classic["priorities"] = {"VI_PUBLIC": ["controller2", "controller3", "controller1"]}
    numbers = {node: built(classic, node).value("priority") for node in classic["nodes"]}
    assert numbers == {"controller1": "180", "controller2": "200", "controller3": "190"}


def test_the_map_wins_over_the_shared_default(classic, instance):
    instance["priority"] = 50
    assert built(classic, "controller1").value("priority") == "101"


def test_without_a_node_only_what_all_share_is_built(classic):
    assert built(classic, None).get("priority") is None


def test_equal_priorities_in_config_are_legal(classic, instance):
    del classic["priorities"]
    instance["priority"] = 101
    assert {built(classic, node).value("priority") for node in classic["nodes"]} == {"101"}


def test_a_node_without_priority_is_a_mistake_on_that_node_alone(classic):
    del classic["priorities"]["VI_PUBLIC"]["controller2"]
    assert mistakes(classic, "controller2") == [(PATH, "controller2 has no priority here")]
    assert built(classic, "controller1")


def test_a_node_that_is_not_listed_is_a_mistake_on_that_node_alone(classic):
    assert mistakes(classic, "controller9") == [
        (
            "keepalived:nodes",
            "controller9 is not listed; the nodes are controller1, controller2, controller3",
        )
    ]


# What is written for VI_PUBLIC, the path below it, and what the mistake says.
WRONG = [
    ({"controller1": 0}, ":controller1", "the number 0 is no priority: a whole number from 1 to"),
    ({"controller1": 256}, ":controller1", "the number 256 is no priority"),
    ({"controller1": "high"}, ":controller1", "the text 'high' is no priority"),
    ({"controller1": True}, ":controller1", "the boolean true is no priority"),
    ({"controller1": 5, "controller2": 5}, ":controller2", "5 is controller1's already"),
    (
        {"controler1": 5},
        ":controler1",
        "no such node in keepalived:nodes; did you mean controller1",
    ),
    (["controller1", "controller1"], "", "controller1 is listed twice"),
    ([f"n{number}" for number in range(21)], "", "20 nodes at most"),
    ("controller1", "", "nodes belong here"),
]


@pytest.mark.parametrize("given, below, reason", WRONG)
def test_wrong_priorities(classic, given, below, reason):
    classic["priorities"]["VI_PUBLIC"] = given
    found = mistakes(classic, "controller1")
    assert any(path == PATH + below and reason in text for path, text in found), found


def test_priorities_of_an_unknown_instance(classic):
    classic["priorities"]["VI_PUBLICC"] = {"controller1": 5}
    assert mistakes(classic, "controller1") == [
        (f"{PATH}C", "no such vrrp_instance; did you mean VI_PUBLIC?")
    ]


def test_overlay_and_map_that_contradict(classic):
    classic["nodes"]["controller1"]["config"] = {"vrrp_instance": {"VI_PUBLIC": {"priority": 7}}}
    ((path, reason),) = mistakes(classic, "controller1")
    assert path == "keepalived:nodes:controller1:config:vrrp_instance:VI_PUBLIC:priority"
    assert "7 is given here and 101 in" in reason


MINE = {
    "controller1": {"eth1": ["10.0.0.1", "fe80::1", "2001:db8::1"]},
    "controller2": {"eth0": ["10.9.9.9"], "eth1": ["10.0.0.2", "2001:db8::2"]},
    "controller3": {"ens3": ["10.0.0.3", "2001:db8::3"]},
}


def unicast(data, node, addresses=MINE):
    instance = built(data, node, addresses=addresses)
    (peers,) = instance.blocks("unicast_peer")
    return instance.value("unicast_src_ip"), [line.keyword for line in peers.statements()]


def test_peers_and_source_come_from_the_mine(classic, instance):
    instance["unicast_peer"] = "auto"
    assert unicast(classic, "controller1") == ("10.0.0.1", ["10.0.0.2", "10.0.0.3"])
    assert unicast(classic, "controller3") == ("10.0.0.3", ["10.0.0.1", "10.0.0.2"])


def test_peers_have_the_family_of_the_address(classic, instance):
    instance["unicast_peer"] = "auto"
    instance["virtual_ipaddress"] = ["2001:db8::100/64"]
    assert unicast(classic, "controller1") == ("2001:db8::1", ["2001:db8::2", "2001:db8::3"])


def test_an_address_in_pillar_goes_before_the_mine(classic, instance):
    instance["unicast_peer"] = "auto"
    classic["nodes"]["controller2"] = {"address": "172.16.0.2"}
    assert unicast(classic, "controller1") == ("10.0.0.1", ["172.16.0.2", "10.0.0.3"])
    assert unicast(classic, "controller2")[0] == "172.16.0.2"


def test_a_source_in_config_is_kept_and_told_to_the_others(classic, instance):
    instance["unicast_peer"] = "auto"
    classic["nodes"]["controller1"]["config"] = {
        "vrrp_instance": {"VI_PUBLIC": {"unicast_src_ip": "10.0.0.101"}}
    }
    assert unicast(classic, "controller1")[0] == "10.0.0.101"
    assert unicast(classic, "controller2")[1] == ["10.0.0.101", "10.0.0.3"]


def test_a_peer_without_address_is_named(classic, instance):
    instance["unicast_peer"] = "auto"
    addresses = {node: MINE[node] for node in ("controller1", "controller2")}
    ((path, reason),) = mistakes(classic, "controller1", addresses=addresses)
    assert path == "keepalived:config:vrrp_instance:VI_PUBLIC:unicast_peer"
    assert "no IPv4 address of controller3 on ens3 is known" in reason
    assert "keepalived:nodes:controller3:address" in reason


def test_auto_needs_other_nodes(classic, instance):
    instance["unicast_peer"] = "auto"
    del classic["nodes"], classic["priorities"]
    ((_, reason),) = mistakes(classic, "controller1", addresses=MINE)
    assert "keepalived:nodes" in reason


def test_nodes_may_be_a_list(classic):
    classic["nodes"] = ["controller1", "controller2", "controller3"]
    assert built(classic, "controller3").value("interface") == "eth1"


@pytest.mark.parametrize(
    "nodes, path, reason",
    [
        ("controller1", "keepalived:nodes", "a mapping of node to overlay"),
        ({"controller1": "x"}, "keepalived:nodes:controller1", "an overlay"),
        (
            {"controller1": {"confg": {}}},
            "keepalived:nodes:controller1:confg",
            "did you mean config",
        ),
        ({"controller1": {"config": 5}}, "keepalived:nodes:controller1:config", "a mapping as in"),
    ],
)
def test_wrong_nodes(classic, nodes, path, reason):
    classic["nodes"] = nodes
    del classic["priorities"]
    assert any(where == path and reason in text for where, text in mistakes(classic, "controller1"))


def test_without_unicast_the_tree_has_no_peers(classic):
    assert not list(built(classic, "controller1").blocks("unicast_peer"))
    assert isinstance(built(classic, "controller1"), conf.Block)
