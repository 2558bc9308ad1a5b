"""Real firewalld on a machine of its own: direct rules, and VRRP that really passes or does not.

The machine is masterless and runs no keepalived. Packets are sent by the client and counted by a
raw socket on the machine: an AF_INET socket gets them only behind the firewall.
"""

import textwrap

import pytest
from firewall_machine import (
    AH,
    COMPARE,
    DIRECT,
    FOREIGN_RICH,
    FOREIGN_RULE,
    NAME,
    RECORD,
    RULE,
    SENT,
    VRRP,
    VRRP4,
    WORDS,
    Machine,
)
from support import classic, instance

pytestmark = [pytest.mark.lab, pytest.mark.root]


@pytest.fixture(scope="module")
def installed(lab):
    if NAME in [node.name for node in lab.nodes]:  # a lab that was kept from an earlier run
        node = lab.node(NAME)
    else:
        node = lab.add_node(NAME, salt=True, minion=False)
    lab.push(node=NAME)
    machine = Machine(lab, node)
    machine.pillar(classic())
    machine.verb("saltutil.sync_all")
    yield machine
    machine.close()


@pytest.fixture
def machine(installed):
    """firewalld as the distribution ships it, running, with the default backend."""
    installed.shell(
        "systemctl stop firewalld keepalived;"
        f"rm -rf {DIRECT} /etc/firewalld/zones/* {RECORD};"
        "sed -i 's/^FirewallBackend=.*/FirewallBackend=nftables/' /etc/firewalld/firewalld.conf"
    )
    installed.restart()
    installed.pillar(classic(**{f"nodes/{NAME}": {}, f"priorities/VI_PUBLIC/{NAME}": 104}))
    return installed


# --- how it is asked -----------------------------------------------------------------------------


def test_the_bus_and_firewall_cmd_say_the_same(machine):
    machine.shell(
        f"firewall-cmd --permanent --zone=public --add-rich-rule='{FOREIGN_RICH}';"
        f"firewall-cmd --zone=internal --add-rich-rule='{VRRP4}';"
        "firewall-cmd --zone=internal --add-source=192.0.2.0/24;"
        "firewall-cmd --permanent --zone=work --change-interface=eth1;"
        f"firewall-cmd --direct --add-rule {WORDS}"
    )
    argv = ["/opt/salt/bin/python3", "-c", COMPARE, WORDS, WORDS.replace("ACCEPT", "DROP")]
    said = machine.node.run(argv).stdout
    assert said.startswith("{'busctl'} {'firewall-cmd'} "), said
    for word in ("192.0.2.9", "224.0.0.18", "192.0.2.0/24", "eth1", "True", "False"):
        assert word in said


# --- direct rules ----------------------------------------------------------------------------


def test_the_guide_s_rule_is_present_in_runtime_and_permanent(machine):
    done = machine.single("firewalld_direct.present", **RULE)
    assert done["result"] is True, done
    assert done["changes"] == {
        place: {"old": None, "new": WORDS} for place in ("runtime", "permanent")
    }
    assert machine.direct() == {"runtime": [WORDS], "permanent": [WORDS]}
    assert "-A INPUT -d 224.0.0.0/8 -i eth1 -j ACCEPT" in machine.shell("iptables-save")
    for option in ("--direct", "--permanent"):
        words = [option, "--direct"] if option == "--permanent" else [option]
        assert machine.firewall_cmd(*words, "--query-rule", *WORDS.split()) == "yes"


def test_a_second_time_changes_nothing(machine):
    machine.single("firewalld_direct.present", **RULE)
    before = machine.everything()
    again = machine.single("firewalld_direct.present", **RULE)
    assert (again["result"], again["changes"]) == (True, {})
    assert machine.everything() == before


def test_test_mode_predicts_and_touches_nothing(machine):
    before = machine.everything()
    predicted = machine.single("firewalld_direct.present", test=True, **RULE)
    assert predicted["result"] is None
    assert machine.everything() == before
    assert machine.single("firewalld_direct.present", **RULE)["changes"] == predicted["changes"]


def test_each_configuration_gets_what_it_lacks(machine):
    machine.firewall_cmd("--direct", "--add-rule", *WORDS.split())
    assert list(machine.single("firewalld_direct.present", **RULE)["changes"]) == ["permanent"]
    machine.firewall_cmd("--direct", "--remove-rule", *WORDS.split())
    assert list(machine.single("firewalld_direct.present", **RULE)["changes"]) == ["runtime"]


def test_b15_other_rules_survive_present_and_absent(machine):
    command = f"firewall-cmd --direct --add-rule {FOREIGN_RULE} && firewall-cmd --permanent"
    machine.shell(f"{command} --direct --add-rule {FOREIGN_RULE}")
    before = machine.direct()
    assert machine.single("firewalld_direct.present", **RULE)["result"] is True
    gone = machine.single("firewalld_direct.absent", **RULE)
    assert set(gone["changes"]) == {"runtime", "permanent"}
    assert machine.direct() == before
    assert len(before["permanent"]) == 1
    assert machine.single("firewalld_direct.absent", **RULE)["changes"] == {}


def test_what_the_module_lists_it_also_recognises(machine):
    machine.shell(f"firewall-cmd --permanent --direct --add-rule {FOREIGN_RULE}")
    (row,) = machine.verb("firewalld_direct.list_rules", permanent=True)["permanent"]
    assert row["args"][-3:] == ["it's mine", "-j", "DROP"]
    held = machine.single("firewalld_direct.present", permanent=True, **row)
    assert (held["result"], held["changes"]) == (True, {})


def test_chains_and_passthroughs_come_and_go(machine):
    chain = {"kind": "chain", "ipv": "ipv4", "table": "filter", "chain": "cluster"}
    through = {"kind": "passthrough", "ipv": "ipv4", "args": "-A cluster -p tcp -j ACCEPT"}
    for given in (chain, through):
        assert machine.single("firewalld_direct.present", **given)["result"] is True
        assert machine.single("firewalld_direct.present", **given)["changes"] == {}
    assert "-A cluster -p tcp -j ACCEPT" in machine.shell("iptables-save")
    for given in (through, chain):
        assert machine.single("firewalld_direct.absent", **given)["result"] is True
        assert machine.single("firewalld_direct.absent", **given)["changes"] == {}
    assert "cluster" not in machine.shell("iptables-save")


def test_while_firewalld_is_stopped_the_permanent_part_is_done(machine):
    machine.shell("systemctl stop firewalld")
    done = machine.single("firewalld_direct.present", **RULE)
    assert done["result"] is True
    assert list(done["changes"]) == ["permanent"]
    assert "runtime part follows" in done["comment"]
    assert machine.direct() == {"runtime": None, "permanent": [WORDS]}
    assert machine.single("firewalld_direct.present", **RULE)["changes"] == {}
    machine.restart()
    assert machine.direct() == {"runtime": [WORDS], "permanent": [WORDS]}
    machine.shell("systemctl stop firewalld")
    assert list(machine.single("firewalld_direct.absent", **RULE)["changes"]) == ["permanent"]
    assert machine.direct()["permanent"] == []


def test_a_rule_that_the_kernel_refuses_is_not_made_permanent(machine):
    wrong = {**RULE, "args": "-i eth1 -j NOSUCHTARGET"}
    done = machine.single("firewalld_direct.present", **wrong)
    assert (done["result"], done["changes"]) == (False, {})
    assert "NOSUCHTARGET" in done["comment"]
    assert machine.direct() == {"runtime": [], "permanent": []}


def test_without_firewalld_only_the_direct_rules_are_an_error(machine):
    machine.shell("systemctl stop firewalld; mv /usr/bin/firewall-cmd /usr/bin/firewall-cmd.away")
    try:
        done = machine.formula()
    finally:
        machine.shell("mv /usr/bin/firewall-cmd.away /usr/bin/firewall-cmd")
    assert done["keepalived-firewall-vrrp"]["result"] is True
    assert "not installed" in done["keepalived-firewall-vrrp"]["comment"]
    rule = done["keepalived-firewall-direct-0"]
    assert rule["result"] is False
    assert "firewalld is not installed (no firewall-cmd)" in rule["comment"]
    assert "keepalived:firewall:direct_rules:0" in rule["comment"]


# --- VRRP really passes ----------------------------------------------------------------------


def test_the_direct_rule_alone_does_not_let_vrrp_in_and_the_zone_rules_do(machine):
    machine.single("firewalld_direct.present", **RULE)
    assert machine.passed("224.0.0.18") == 0
    done = machine.single("keepalived_firewall.vrrp_allowed")
    assert done["result"] is True, done
    assert set(done["changes"]) == {"runtime", "permanent"}
    assert machine.passed("224.0.0.18") == SENT
    assert machine.verb("keepalived_firewall.check")["ok"] is True


PILLARS = {
    "IPv6": (
        {"virtual_ipaddress": ["fe80::5:1", "fd00:1::220/64"]},
        [("ff02::12", VRRP)],
        [("224.0.0.18", VRRP)],
    ),
    "AH": (
        {"authentication": {"auth_type": "AH", "auth_pass": "secret"}},
        [("224.0.0.18", VRRP), ("224.0.0.18", AH)],
        [("ff02::12", VRRP)],
    ),
    "unicast": (
        {"unicast_src_ip": "192.168.1.14", "unicast_peer": ["192.168.1.250"]},
        [("own", VRRP)],
        [("own", AH), ("ff02::12", VRRP)],
    ),
    "unicast from somebody else": (
        {"unicast_src_ip": "192.168.1.14", "unicast_peer": ["192.168.1.249"]},
        [],
        [("own", VRRP), ("224.0.0.18", VRRP)],
    ),
}


@pytest.mark.parametrize("settings, opened, shut", PILLARS.values(), ids=PILLARS)
def test_what_the_instance_needs_passes_and_nothing_else(machine, settings, opened, shut):
    data = instance(**settings)
    data["nodes"][NAME] = {}
    data["priorities"]["VI_PUBLIC"][NAME] = 104
    machine.pillar(data)
    own = machine.node.vip_address
    for target, protocol in opened:
        assert machine.passed(own if target == "own" else target, protocol) == 0
    done = machine.single("keepalived_firewall.vrrp_allowed")
    assert done["result"] is True, done
    for target, protocol in opened:
        assert machine.passed(own if target == "own" else target, protocol) == SENT
    for target, protocol in shut:
        assert machine.passed(own if target == "own" else target, protocol) == 0


def test_it_lasts_over_a_reload_and_a_restart_of_firewalld(machine):
    machine.single("keepalived_firewall.vrrp_allowed")
    machine.firewall_cmd("--reload")
    assert machine.passed("224.0.0.18") == SENT
    machine.restart()
    assert machine.passed("224.0.0.18") == SENT
    again = machine.single("keepalived_firewall.vrrp_allowed")
    assert (again["result"], again["changes"]) == (True, {})


def test_the_zone_of_the_interface_and_a_zone_with_sources_are_opened(machine):
    machine.shell(
        "for p in '' --permanent; do firewall-cmd $p --zone=internal --add-interface=eth1;"
        "firewall-cmd $p --zone=block --add-source=192.168.1.0/24; done"
    )
    done = machine.single("keepalived_firewall.vrrp_allowed")
    assert set(done["changes"]["runtime"]["new"]) == {"internal", "block"}
    assert machine.rich() == {"runtime": [], "permanent": []}
    assert machine.passed("224.0.0.18") == SENT


def test_on_the_iptables_backend_both_ways_work(machine):
    machine.shell(
        "sed -i 's/^FirewallBackend=.*/FirewallBackend=iptables/' /etc/firewalld/firewalld.conf"
    )
    machine.restart()
    assert machine.passed("224.0.0.18") == 0
    done = machine.single("keepalived_firewall.vrrp_allowed")
    assert "FirewallBackend=iptables" in done["comment"]
    assert machine.passed("224.0.0.18") == SENT
    machine.single("keepalived_firewall.vrrp_disallowed")
    assert machine.passed("224.0.0.18") == 0
    rule = machine.single("firewalld_direct.present", **RULE)
    assert "must accept such a packet too" not in rule["comment"]
    assert machine.passed("224.0.0.18") == SENT


def test_while_firewalld_is_stopped_vrrp_is_let_in_for_its_start(machine):
    machine.shell("systemctl stop firewalld")
    done = machine.single("keepalived_firewall.vrrp_allowed")
    assert list(done["changes"]) == ["permanent"]
    machine.restart()
    assert machine.passed("224.0.0.18") == SENT
    assert machine.single("keepalived_firewall.vrrp_allowed")["changes"] == {}
    assert set(machine.single("keepalived_firewall.vrrp_disallowed")["changes"]) == {
        "runtime",
        "permanent",
    }


def test_a_firewalld_that_is_off_is_left_alone(machine):
    machine.shell("systemctl disable --now firewalld")
    try:
        done = machine.single("keepalived_firewall.vrrp_allowed")
        assert (done["result"], done["changes"]) == (True, {})
        assert "nothing done" in done["comment"]
        assert machine.passed("224.0.0.18") == SENT
    finally:
        machine.shell("systemctl enable --now firewalld")
    assert machine.rich() == {"runtime": [], "permanent": []}


def test_closing_removes_ours_and_leaves_theirs(machine):
    for option in ([], ["--permanent"]):
        machine.firewall_cmd(*option, "--zone=public", f"--add-rich-rule={FOREIGN_RICH}")
        machine.firewall_cmd(*option, "--zone=public", f"--add-rich-rule={VRRP4}")
    before = machine.rich()
    machine.single("keepalived_firewall.vrrp_allowed")
    assert machine.rich() != before
    predicted = machine.single("keepalived_firewall.vrrp_disallowed", test=True)
    closed = machine.single("keepalived_firewall.vrrp_disallowed")
    assert closed["result"] is True, closed
    assert closed["changes"] == predicted["changes"]
    assert machine.rich() == before
    assert machine.single("keepalived_firewall.vrrp_disallowed")["changes"] == {}


def test_closing_is_refused_while_keepalived_runs(machine):
    machine.node.write_file(
        "/etc/keepalived/keepalived.conf",
        textwrap.dedent("""\
            vrrp_instance TEST {
                interface eth1
                virtual_router_id 199
                priority 1
                virtual_ipaddress { 192.168.1.199/32 }
            }
        """),
    )
    machine.single("keepalived_firewall.vrrp_allowed")
    before = machine.rich()
    machine.shell("systemctl start keepalived")
    try:
        refused = machine.single("keepalived_firewall.vrrp_disallowed")
    finally:
        machine.shell("systemctl stop keepalived; rm /etc/keepalived/keepalived.conf")
    assert refused["result"] is False
    assert "Stop keepalived first" in refused["comment"]
    assert machine.rich() == before
    assert machine.single("keepalived_firewall.vrrp_disallowed")["result"] is True


# --- the formula -----------------------------------------------------------------------------


def test_the_formula_sets_the_rule_lets_vrrp_in_and_then_changes_nothing(machine):
    before = machine.everything()
    predicted = machine.formula(test=True)
    assert [state["result"] for state in predicted.values()] == [None, None]
    assert machine.everything() == before
    done = machine.formula()
    assert [state["result"] for state in done.values()] == [True, True]
    assert {name: state["changes"] for name, state in done.items()} == {
        name: state["changes"] for name, state in predicted.items()
    }
    assert machine.direct()["permanent"] == [WORDS]
    assert machine.passed("224.0.0.18") == SENT
    before = machine.everything()
    assert [state["changes"] for state in machine.formula().values()] == [{}, {}]
    assert machine.everything() == before


def test_vrrp_false_leaves_vrrp_to_somebody_else(machine):
    data = classic(**{"firewall/vrrp": False, f"nodes/{NAME}": {}})
    machine.pillar(data)
    assert list(machine.formula()) == ["keepalived-firewall-direct-0"]
    assert machine.passed("224.0.0.18") == 0


def test_a_wrong_direct_rule_is_named_by_its_pillar_path(machine):
    wrong = {"ipv": "ipv4", "table": "filter", "chain": "INPUT", "prio": 1, "args": "'"}
    data = classic(**{"firewall/direct_rules": [RULE, wrong], f"nodes/{NAME}": {}})
    data["priorities"]["VI_PUBLIC"][NAME] = 104
    machine.pillar(data)
    done = machine.formula()
    assert done["keepalived-firewall-direct-0"]["result"] is True
    refused = done["keepalived-firewall-direct-1"]
    assert refused["result"] is False
    for words in ("keepalived:firewall:direct_rules:1", "prio 1", "priority is missing", "quote"):
        assert words in refused["comment"]
    assert machine.direct() == {"runtime": [WORDS], "permanent": [WORDS]}
