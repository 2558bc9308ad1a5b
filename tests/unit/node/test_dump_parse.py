"""keepalived's JSON dump in all its forms: both shapes, bugs of 2.2.7, halves, nonsense."""

import json

import pytest

from keepalived_core.node import dump
from keepalived_core.node.paths import Paths
from keepalived_core.node.state import Vip, parse_vip

# As printed by 2.2.7: slashes escaped, keys in this order; shortened to what matters.
ONE = (
    r'{"data":{"iname":"VI_1","vmac_ifname":"","ifp_ifname":"eth0","master_priority":0,'
    r'"last_transition":1795339529.829073,"vrid":51,"base_priority":150,'
    r'"effective_priority":165,"vipset":true,"adver_int":1,"accept":1,"nopreempt":false,'
    r'"state":2,"wantstate":2,"version":2,'
    r'"vips":["10.99.0.100\/24 dev eth0 scope global label eth0:1 set"],'
    r'"evips":["fd99::100\/64 dev eth0 scope global preferred_lft forever set"],'
    r'"track_ifp":["m0"],"track_script":["'
    r"'\/usr\/bin\/test' '-e' '\/tmp'"
    r'"],"auth_type":1,"auth_data":"s3cret"},'
    r'"stats":{"advert_rcvd":0,"advert_sent":3,"become_master":1,"release_master":0}}'
)
VMAC = (
    r'{"data":{"iname":"VI_2","vmac_ifname":"vrrp.52","ifp_ifname":"vrrp.52",'
    r'"last_transition":0.000000,"vrid":52,"base_priority":1,"effective_priority":1,"state":1,'
    r'"version":3,"vips":["10.99.0.110\/24 dev vrrp.52@eth0 scope global"],'
    r'"auth_type":0},"stats":{}}'
)
V1 = f"[{ONE},{VMAC}]"
V2 = f'{{"vrrp":{V1},"track_process":[{{"process":"x"}}]}}'


@pytest.mark.parametrize(("text", "version"), [(V1, 1), (V2, 2)])
def test_both_shapes_say_the_same(text, version):
    (one, vmac), found = dump.parse(text)
    assert found == version
    assert (one.name, one.state, one.vrid, one.family) == ("VI_1", "MASTER", 51, "ipv4")
    assert (one.base_priority, one.effective_priority) == (150, 165)
    assert one.vips == (
        Vip("10.99.0.100", 24, "eth0"),
        Vip("fd99::100", 64, "eth0", excluded=True),
    )
    assert one.since == 1795339529.829073
    assert one.track_scripts == ("'/usr/bin/test' '-e' '/tmp'",)
    assert one.stats["advert_sent"] == 3
    assert (vmac.name, vmac.state, vmac.stats) == ("VI_2", "BACKUP", {})


def test_the_password_is_nowhere_in_what_is_kept():
    instances, _ = dump.parse(V1)
    assert "s3cret" in V1
    assert "s3cret" not in repr(instances)


def test_with_a_macvlan_the_configured_interface_is_the_one_below():
    (_, instance), _ = dump.parse(V1)
    assert (instance.interface, instance.vmac) == ("eth0", "vrrp.52")
    assert instance.devices(instance.vips[0]) == {"vrrp.52"}


@pytest.mark.parametrize("text", [V1, V2])
def test_half_a_dump_is_none(text):
    for end in range(len(text)):
        with pytest.raises(ValueError):
            dump.parse(text[:end])


@pytest.mark.parametrize(
    "text",
    ["null", "5", '"x"', "{}", '{"vrrp":{}}', "[5]", "[{}]", '[{"data":[]}]', '[{"data":{}}]',
     '[{"data":{"iname":"A"}}]', '[{"data":{"iname":1,"state":1}}]'],
)  # fmt: skip
def test_something_else_is_no_dump(text):
    with pytest.raises(ValueError):
        dump.parse(text)


def test_without_a_keepalived_nothing_is_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(dump.process, "find", lambda _: None)
    paths = Paths.under(tmp_path)
    with pytest.raises(dump.DumpUnavailable, match="keepalived is not running"):
        dump.read_json(paths)
    assert list(tmp_path.iterdir()) == []


def test_control_characters_as_2_2_7_prints_them_do_not_stop_us():
    (instance,), _ = dump.parse('[{"data":{"iname":"a\x01\tb","state":3},"stats":{}}]')
    assert (instance.name, instance.state) == ("a\x01\tb", "FAULT")


@pytest.mark.parametrize(
    ("code", "state"),
    [(0, "INIT"), (1, "BACKUP"), (2, "MASTER"), (3, "FAULT"), (97, "DELETED"), (98, "STOP"),
     (42, "STATE_42")],
)  # fmt: skip
def test_states_are_named_as_in_vrrp_h(code, state):
    text = json.dumps([{"data": {"iname": "A", "state": code}}])
    assert dump.parse(text)[0][0].state == state


@pytest.mark.parametrize(
    ("text", "vip"),
    [
        ("10.0.0.1/24 dev eth0 scope global set", Vip("10.0.0.1", 24, "eth0")),
        ("10.0.0.1 dev eth0.5@eth0 scope global", Vip("10.0.0.1", 32, "eth0.5")),
        ("10.0.0.1/24 brd 10.0.0.255 dev eth0 scope link", Vip("10.0.0.1", 24, "eth0")),
        ("fe80::0:1/10 dev eth0 scope link -nodad", Vip("fe80::1", 10, "eth0")),
        ("10.0.0.1/24 dev (none)@NOWHERE scope global", Vip("10.0.0.1", 24, None)),
        ("10.0.0.1", Vip("10.0.0.1", 32, None)),
        ("10.0.0.1 dev", Vip("10.0.0.1", 32, None)),
        ("None", None),
        ("", None),
    ],
)
def test_an_address_is_read_as_keepalived_prints_it(text, vip):
    assert parse_vip(text) == vip
