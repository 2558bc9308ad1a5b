"""What a file says about its instances and checks, as plain facts."""

import pytest

from keepalived_core import conf
from keepalived_core.conf.instances import checks, instances, sync_groups

TEXT = """
global_defs {
    script_user checker
    vrrp_version 3
}
vrrp_script chk_a {
    script "/usr/bin/killall -0 haproxy"
    interval 2
}
vrrp_script chk_b {
    script /usr/local/bin/check.sh
    timeout 5
    user root
}
vrrp_sync_group VG1 {
    group {
        VI_4
        VI_6
    }
    track_script {
        chk_b
    }
}
vrrp_instance VI_4 {
    interface eth1
    virtual_router_id 51
    priority 101
    nopreempt
    virtual_ipaddress {
        192.0.2.1 dev eth2
        192.0.2.2/24
    }
    unicast_peer {
        192.0.2.11
        192.0.2.12
    }
    authentication {
        auth_type AH
        auth_pass x
    }
    track_script {
        chk_a weight 5
    }
}
vrrp_instance VI_6 {
    interface eth1
    virtual_router_id 51
    virtual_ipaddress {
        2001:DB8::1
    }
    virtual_ipaddress_excluded {
        2001:db8::2/64 dev eth3
    }
}
"""


@pytest.fixture
def found():
    return {one.name: one for one in instances(conf.parse(TEXT))}


def test_an_instance_with_everything_said(found):
    one = found["VI_4"]
    assert (one.interface, one.vrid, one.priority, one.nopreempt) == ("eth1", 51, 101, True)
    assert one.vips == [("192.0.2.1/32", "eth2"), ("192.0.2.2/24", "")]
    assert one.unicast_peers == ["192.0.2.11", "192.0.2.12"]
    assert (one.auth_type, one.family, one.version) == ("AH", 4, 3)


def test_an_instance_with_defaults(found):
    one = found["VI_6"]
    assert (one.priority, one.advert_int, one.state, one.nopreempt) == (100, "1", "BACKUP", False)
    assert one.vips == [("2001:db8::1/128", "")]
    assert one.excluded == [("2001:db8::2/64", "eth3")]
    assert one.family == 6


def test_checks_of_the_sync_group_are_checks_of_its_members(found):
    assert found["VI_4"].checks == ["chk_a", "chk_b"]
    assert found["VI_6"].checks == ["chk_b"]
    assert found["VI_6"].sync_group == "VG1"
    assert sync_groups(conf.parse(TEXT)) == {"VG1": ["VI_4", "VI_6"]}


#: (how the script stands in the file, how keepalived runs it)
COMMANDS = [
    ('"/usr/bin/killall -0 haproxy"', ["/usr/bin/killall", "-0", "haproxy"]),
    ("/usr/bin/killall -0 haproxy", ["/usr/bin/killall"]),
    ("'/opt/a b/check' x", ["/opt/a", "b/check"]),
    ("\"'/opt/a b/check' x\"", ["/opt/a b/check", "x"]),
]


@pytest.mark.parametrize(("written", "run"), COMMANDS)
def test_a_check_runs_what_keepalived_runs(written, run):
    tree = conf.parse(f"vrrp_script c {{\n    script {written}\n}}\n")
    assert checks(tree)["c"].command == run


def test_a_checks_user_is_its_own_or_the_global_one():
    found = checks(conf.parse(TEXT))
    assert (found["chk_a"].user, found["chk_a"].interval) == ("checker", 2.0)
    assert (found["chk_b"].user, found["chk_b"].timeout) == ("root", 5.0)
