"""What an audit compares of a configuration: what counts on the wire, with its defaults."""

import json

import pytest

from keepalived_core import conf
from keepalived_core.check.describe import describe, marker

CLASSIC = """
vrrp_instance VI {
    interface eth1
    virtual_router_id 52
    priority 101
    %s
    virtual_ipaddress {
        192.168.1.221/24 dev eth1
        192.168.1.220
    }
}
"""
PLAIN = {
    "instance": "VI",
    "vrid": 52,
    "family": 4,
    "interface": "eth1",
    "version": 2,
    "priority": 101,
    "advert_int": 1.0,
    "vips": ["192.168.1.220", "192.168.1.221"],
    "excluded": [],
    "way": "224.0.0.18",
    "peers": [],
    "vmac": False,
    "group": [],
    "auth": None,
}
SAID = {
    "nothing but what must be": ("", {}),
    "unicast": (
        "unicast_peer {\n 10.0.0.2\n 10.0.0.1\n}",
        {"way": "unicast", "peers": ["10.0.0.1", "10.0.0.2"]},
    ),
    "another group": ("mcast_dst_ip 224.0.0.19", {"way": "224.0.0.19"}),
    "a VMAC": ("use_vmac", {"vmac": True}),
    "an interval of VRRPv3": ("version 3\n advert_int 0.3", {"version": 3, "advert_int": 0.3}),
    "VRRPv2 counts in whole seconds": ("advert_int 2", {"advert_int": 2.0}),
    "addresses that are not in adverts": (
        "virtual_ipaddress_excluded {\n fd00::1/64\n}",
        {"excluded": ["fd00::1"]},
    ),
}


@pytest.mark.parametrize(("words", "changes"), SAID.values(), ids=SAID)
def test_an_instance_with_what_it_says_and_what_it_does_not(words, changes):
    assert describe(conf.parse(CLASSIC % words), marker()) == [{**PLAIN, **changes}]


def auth(secret, kind="PASS"):
    block = f"authentication {{\n auth_type {kind}\n auth_pass {secret}\n}}"
    return conf.parse(CLASSIC % block)


def test_equal_secrets_have_equal_marks_and_others_others():
    mark = marker()
    one, same, other, kind = (
        describe(tree, mark)[0]["auth"]
        for tree in (auth("red"), auth("red"), auth("blue"), auth("red", "AH"))
    )
    assert one == same
    assert len({each["mark"] for each in (one, other, kind)}) == 3


def test_a_mark_is_worth_nothing_elsewhere_and_shows_nothing():
    here, there = (describe(auth("red"), marker()) for _ in range(2))
    assert here[0]["auth"]["mark"] != there[0]["auth"]["mark"]
    assert "red" not in json.dumps(here)
