"""The wiring of a cluster, from the pillars of its nodes."""

from __future__ import annotations

import copy

from keepalived_core.check.wiring import wiring_of_clusters

NODES = ("n1", "n2")
PILLAR = {
    "cluster": "c",
    "config": {
        "vrrp_script": {"chk": {"script": "/bin/true", "weight": -10}},
        "vrrp_instance": {
            name: {
                "interface": "eth0",
                "state": "BACKUP",
                "virtual_router_id": vrid,
                "virtual_ipaddress": [address],
            }
            for name, vrid, address in (("A", 51, "192.0.2.1/24 dev eth1"), ("B", 52, "192.0.2.2"))
        },
    },
    "nodes": {"n1": {}, "n2": {"config": {"vrrp_instance": {"B": {"interface": "ens3"}}}}},
    "priorities": {"A": ["n2", "n1"], "B": {"n1": 120, "n2": 110}},
}


def wired(**changes: object) -> dict:
    data = {**copy.deepcopy(PILLAR), **changes}
    (found,) = wiring_of_clusters({"c": dict.fromkeys(NODES, data)})
    return found


def test_instances_have_their_nodes_by_priority_and_addresses_their_interfaces() -> None:
    found = wired()
    a, b = found["instances"]
    assert (found["problem"], found["nodes"]) == (None, ["n1", "n2"])
    assert [(each["node"], each["priority"]) for each in a["nodes"]] == [("n2", 200), ("n1", 190)]
    assert a["vips"] == [
        {
            "address": "192.0.2.1/24",
            "excluded": False,
            "interfaces": {"n1": "eth1", "n2": "eth1"},
        }
    ]
    assert b["vips"][0]["interfaces"] == {"n1": "eth0", "n2": "ens3"}
    assert (a["vrid"], b["vrid"], a["family"], a["sync_group"]) == (51, 52, 4, None)


def test_tracks_have_the_weight_that_counts() -> None:
    config = copy.deepcopy(PILLAR["config"])
    config["vrrp_instance"]["A"]["track_script"] = ["chk"]
    a, b = wired(config=config)["instances"]
    tracks = {each["name"]: each["weight"] for each in a["nodes"][0]["tracks"]}
    assert tracks == {"eth0": 0, "eth1": 0, "chk": -10}
    assert [each["name"] for each in b["nodes"][0]["tracks"]] == ["eth0"]


def test_a_sync_group_is_named() -> None:
    config = {**copy.deepcopy(PILLAR["config"]), "vrrp_sync_group": {"G": {"group": ["A", "B"]}}}
    assert [each["sync_group"] for each in wired(config=config)["instances"]] == ["G", "G"]


def test_a_node_without_a_pillar_is_read_from_that_of_the_others() -> None:
    (found,) = wiring_of_clusters({"c": {"n1": None, "n2": copy.deepcopy(PILLAR)}})
    assert [each["node"] for each in found["instances"][1]["nodes"]] == ["n1", "n2"]


def test_what_is_wrong_is_said_and_no_half_cluster_drawn() -> None:
    found = wired(config={"vrrp_instance": {"A": {"interfaze": "eth0"}}})
    assert "interfaze" in found["problem"]
    assert found["instances"] == []
