"""The classic cluster, in pillar."""

import copy

import pytest

CLASSIC = {
    "cluster": "controllers",
    "config": {
        "global_defs": {"enable_script_security": True, "script_user": "root"},
        "vrrp_script": {"chk_haproxy": {"script": "/usr/bin/killall -0 haproxy", "interval": 2}},
        "vrrp_instance": {
            "VI_PUBLIC": {
                "interface": "eth1",
                "state": "BACKUP",
                "virtual_router_id": 52,
                "virtual_ipaddress": ["192.168.1.220 dev eth1"],
                "track_script": ["chk_haproxy"],
            }
        },
    },
    "nodes": {
        "controller1": {},
        "controller2": None,
        "controller3": {"config": {"vrrp_instance": {"VI_PUBLIC": {"interface": "ens3"}}}},
    },
    "priorities": {"VI_PUBLIC": {"controller1": 101, "controller2": 102, "controller3": 103}},
}


@pytest.fixture
def classic():
    """A copy that a test may change."""
    return copy.deepcopy(CLASSIC)


@pytest.fixture
def instance(classic):
    """The body of the classic cluster's one instance."""
    return classic["config"]["vrrp_instance"]["VI_PUBLIC"]
