"""What a change does: old and new configuration, and the class of each instance."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from change_text import VIP, block, group, instance, settings

from keepalived_core import conf
from keepalived_core.check.change import Kind, classify

NOTHING, SAFE, MOVES = Kind.NOTHING, Kind.SAFE, Kind.MOVES
RESTART, CLUSTER, REMOVES = Kind.RESTART, Kind.CLUSTER, Kind.REMOVES
OLD, NEW = (2, 2, 7), (2, 3, 3)

MORE = "10.99.0.101/24"
AUTH = {"auth_type": "PASS", "auth_pass": "abc"}
UNICAST = {"unicast_src_ip": "10.99.0.1", "unicast_peer": ["10.99.0.2"]}
TWO = instance("VA") + instance("VB", virtual_router_id=52, virtual_ipaddress=[MORE])
SCRIPT = block("vrrp_script chk", {"script": "/usr/bin/true", "interval": 2})
PLUS = block("vrrp_script plus", {"script": "/usr/bin/true", "weight": 20})
MINUS = block("vrrp_script minus", {"script": "/usr/bin/true", "weight": -20})
SERVER = {"lb_algo": "rr", "lb_kind": "NAT", "protocol": "TCP"}


@dataclass
class Case:
    """kinds: {instance: class}, "" for what is not about one; version: one, or all of these."""

    name: str
    old: str
    new: str
    kinds: dict[str, Kind] = field(default_factory=dict)
    versions: tuple[tuple[int, ...] | None, ...] = (OLD, NEW)


def vi(kind: Kind) -> dict[str, Kind]:
    return {"VI": kind}


def changed(name: str, kind: Kind, old: dict, new: dict, *versions) -> Case:
    """A case of one instance that stays."""
    return Case(name, instance(**old), instance(**new), vi(kind), versions or (OLD, NEW))


def globally(name: str, kinds: dict[str, Kind], old: dict, new: dict, *versions, **words) -> Case:
    """A case of global_defs, above one instance."""
    texts = [settings(**said) + instance(**words) for said in (old, new)]
    return Case(name, *texts, kinds, versions or (OLD, NEW))


FORM = [
    Case("the same", instance(), instance()),
    Case("comments and layout", instance(), "# hello\n" + instance().replace("    ", "\t")),
    Case("quotes", instance(), instance().replace("eth0", '"eth0"')),
    Case("words in another order", instance(priority=150, state="BACKUP"),
         instance(state="BACKUP", priority=150)),
    Case("a word twice, the last one counts", instance(),
         instance().replace("    priority", "    priority 7\n    priority")),
    Case("a default written out", instance(), instance(advert_int=1), {"": SAFE}),
    Case("the priority that is the default", instance(priority=None), instance(), {"": SAFE}),
    Case("another order of addresses", instance(virtual_ipaddress=[VIP, MORE]),
         instance(virtual_ipaddress=[MORE, VIP]), vi(SAFE)),
    Case("another order of instances", TWO,
         instance("VB", virtual_router_id=52, virtual_ipaddress=[MORE]) + instance("VA"),
         {"": SAFE}),
    Case("a word keepalived does not know", instance(), instance(nonsense=1), vi(SAFE)),
]  # fmt: skip

MEMBERS = [
    Case("rename", instance("VI"), instance("other"), {"other": SAFE}),
    Case("rename and new priority", instance("VI"), instance("other", priority=90),
         {"other": MOVES}),
    Case("an instance more", instance(), instance() + instance("VB", virtual_router_id=52,
         virtual_ipaddress=[MORE]), {"VB": SAFE}),
    Case("an instance less", TWO, instance("VA"), {"VB": REMOVES}),
    Case("all instances less", instance(), settings(), {"VI": REMOVES, "": SAFE}),
    Case("instance replaced, same address", instance(),
         instance("VB", virtual_router_id=52), {"VI": CLUSTER, "VB": SAFE}),
    Case("an address goes down to a later instance",
         instance("VA", virtual_ipaddress=[VIP, MORE]) + instance("VB", virtual_router_id=52,
                                                                  virtual_ipaddress=["10.9.9.9"]),
         instance("VA") + instance("VB", virtual_router_id=52,
                                   virtual_ipaddress=["10.9.9.9", MORE]),
         {"VA": MOVES, "VB": SAFE}, (NEW,)),
    Case("the same where lists must agree",
         instance("VA", virtual_ipaddress=[VIP, MORE]) + instance("VB", virtual_router_id=52,
                                                                  virtual_ipaddress=["10.9.9.9"]),
         instance("VA") + instance("VB", virtual_router_id=52,
                                   virtual_ipaddress=["10.9.9.9", MORE]),
         {"VA": CLUSTER, "VB": CLUSTER}, (OLD, None)),
    Case("an address goes up to an earlier instance, and is lost",
         instance("VA", virtual_ipaddress=["10.9.9.9"])
         + instance("VB", virtual_router_id=52, virtual_ipaddress=[VIP, MORE]),
         instance("VA", virtual_ipaddress=["10.9.9.9", MORE])
         + instance("VB", virtual_router_id=52),
         {"VA": SAFE, "VB": REMOVES}, (NEW,)),
]  # fmt: skip

ADDRESSES = [
    changed("address added", CLUSTER, {}, {"virtual_ipaddress": [VIP, MORE]}, OLD, (2, 3, 2), None),
    changed("address added, mismatch is logged", SAFE, {}, {"virtual_ipaddress": [VIP, MORE]}, NEW),
    changed("address removed", REMOVES, {"virtual_ipaddress": [VIP, MORE]}, {}),
    changed("address replaced", REMOVES, {}, {"virtual_ipaddress": [MORE]}),
    changed("excluded added", SAFE, {}, {"virtual_ipaddress_excluded": [MORE]}),
    changed("excluded removed", REMOVES, {"virtual_ipaddress_excluded": [MORE]}, {}),
    changed("to excluded", CLUSTER, {"virtual_ipaddress": [VIP, MORE]},
            {"virtual_ipaddress_excluded": [MORE]}, OLD),
    changed("to excluded, mismatch is logged", SAFE, {"virtual_ipaddress": [VIP, MORE]},
            {"virtual_ipaddress_excluded": [MORE]}, NEW),
    changed("another mask", MOVES, {}, {"virtual_ipaddress": ["10.99.0.100/32"]}),
    changed("no mask is a mask of 32", NOTHING, {"virtual_ipaddress": ["10.99.0.100"]},
            {"virtual_ipaddress": ["10.99.0.100/32"]}),
    changed("a label", MOVES, {}, {"virtual_ipaddress": [f"{VIP} label eth0:1"]}),
    changed("another device", MOVES, {}, {"virtual_ipaddress": [f"{VIP} dev eth1"]}),
    changed("home is no detail that counts", SAFE, {"virtual_ipaddress": ["2001:db8::1/64"]},
            {"virtual_ipaddress": ["2001:db8::1/64 home"]}),
    changed("IPv4 becomes IPv6", REMOVES, {}, {"virtual_ipaddress": ["2001:db8::1/64"]}),
    changed("routes", SAFE, {}, {"virtual_routes": ["10.1.0.0/16 via 10.99.0.1"]}),
    changed("no_accept", REMOVES, {}, {"no_accept": True}),
    changed("accepts again", SAFE, {"no_accept": True}, {}),
    changed("accept is the default", NOTHING, {"accept": True}, {"accept": True}),
    changed("strict mode does not accept", REMOVES, {}, {"strict_mode": "on"}),
    changed("strict mode that accepts", SAFE, {"version": 3},
            {"version": 3, "strict_mode": "on", "accept": True}),
    Case("static address removed", block("static_ipaddress", ["10.1.1.1 dev eth0"]) + instance(),
         instance(), {"": REMOVES}),
    Case("static address added", instance(),
         block("static_ipaddress", ["10.1.1.1 dev eth0"]) + instance(), {"": SAFE}),
]  # fmt: skip

PACKETS = [
    changed("virtual_router_id", CLUSTER, {}, {"virtual_router_id": 52}),
    changed("version", CLUSTER, {}, {"version": 3}),
    changed("auth_pass", CLUSTER, {"authentication": AUTH},
            {"authentication": {**AUTH, "auth_pass": "xyz"}}),
    changed("auth added", CLUSTER, {}, {"authentication": AUTH}),
    changed("auth removed", CLUSTER, {"authentication": AUTH}, {}),
    changed("auth type", CLUSTER, {"authentication": AUTH},
            {"authentication": {**AUTH, "auth_type": "AH"}}),
    changed("only 8 bytes of a password count", SAFE,
            {"authentication": {**AUTH, "auth_pass": "12345678a"}},
            {"authentication": {**AUTH, "auth_pass": "12345678b"}}),
    changed("version 3 has no passwords", SAFE, {"version": 3},
            {"version": 3, "authentication": AUTH}),
    changed("strict mode has no passwords", SAFE,
            {"strict_mode": "on", "authentication": AUTH},
            {"strict_mode": "on", "authentication": {**AUTH, "auth_pass": "xyz"}}),
    changed("advert_int of version 2", CLUSTER, {}, {"advert_int": 2}),
    Case("advert_int of version 2 counts in seconds", instance(advert_int=1),
         instance(advert_int=1.2), {"": SAFE}),
    changed("advert_int of version 3", SAFE, {"version": 3, "advert_int": 1},
            {"version": 3, "advert_int": 0.5}),
    changed("advert_int of version 3, far down", MOVES, {"version": 3, "advert_int": 1},
            {"version": 3, "advert_int": 0.1}),
    changed("advert_int of version 3, up", SAFE, {"version": 3, "advert_int": 0.1},
            {"version": 3, "advert_int": 5}),
    changed("advert_int of IPv6 is version 3", SAFE,
            {"virtual_ipaddress": ["2001:db8::1/64"]},
            {"virtual_ipaddress": ["2001:db8::1/64"], "advert_int": 0.5}),
    changed("skip_check_adv_addr", SAFE, {}, {"skip_check_adv_addr": True}),
    changed("mcast_dst_ip", CLUSTER, {}, {"mcast_dst_ip": "224.0.0.66"}),
    changed("mcast_dst_ip with unicast", SAFE, UNICAST, {**UNICAST, "mcast_dst_ip": "224.0.0.66"}),
    changed("old_unicast_checksum", CLUSTER, {**UNICAST, "version": 3},
            {**UNICAST, "version": 3, "old_unicast_checksum": True}),
    changed("old_unicast_checksum of version 2", SAFE, UNICAST,
            {**UNICAST, "old_unicast_checksum": True}),
]  # fmt: skip

WAYS = [
    changed("interface", CLUSTER, {}, {"interface": "eth1"}),
    changed("multicast to unicast", CLUSTER, {}, UNICAST),
    changed("unicast to multicast", CLUSTER, UNICAST, {}),
    changed("a peer more", SAFE, UNICAST, {**UNICAST, "unicast_peer": ["10.99.0.2", "10.99.0.3"]}),
    changed("a peer less", CLUSTER, {**UNICAST, "unicast_peer": ["10.99.0.2", "10.99.0.3"]},
            UNICAST),
    Case("peers in another order",
         instance(**{**UNICAST, "unicast_peer": ["10.99.0.2", "10.99.0.3"]}),
         instance(**{**UNICAST, "unicast_peer": ["10.99.0.3", "10.99.0.2"]}), {"": SAFE}),
    changed("min_ttl of a peer", CLUSTER, UNICAST,
            {**UNICAST, "unicast_peer": ["10.99.0.2 min_ttl 254"]}),
    changed("unicast_src_ip", CLUSTER, UNICAST, {**UNICAST, "unicast_src_ip": "10.99.0.11"}),
    changed("source of multicast", SAFE, {}, {"mcast_src_ip": "10.99.0.11"}),
    changed("use_vmac", MOVES, {}, {"use_vmac": True}),
    changed("no use_vmac", MOVES, {"use_vmac": True}, {}),
    changed("another VMAC", RESTART, {"use_vmac": "vmac1"}, {"use_vmac": "vmac2"}),
    changed("vmac_xmit_base", CLUSTER, {"use_vmac": True},
            {"use_vmac": True, "vmac_xmit_base": True}),
]  # fmt: skip

ELECTION = [
    changed("priority up", MOVES, {}, {"priority": 150}),
    changed("priority down", MOVES, {}, {"priority": 50}),
    changed("nopreempt", SAFE, {}, {"nopreempt": True}),
    changed("preempts again", MOVES, {"nopreempt": True}, {}),
    changed("state", SAFE, {"state": "BACKUP"}, {"state": "MASTER"}),
    changed("state MASTER clears nopreempt", MOVES, {"nopreempt": True},
            {"nopreempt": True, "state": "MASTER"}),
    changed("state MASTER without a priority is 255", MOVES, {"priority": None},
            {"priority": None, "state": "MASTER"}),
    changed("preempt_delay", SAFE, {}, {"preempt_delay": 5}),
    Case("a script", SCRIPT + instance(), SCRIPT + instance(track_script=["chk"]), vi(SAFE)),
    Case("a script with a weight that adds", PLUS + instance(),
         PLUS + instance(track_script=["plus"]), vi(MOVES)),
    Case("a script with a weight that takes", MINUS + instance(),
         MINUS + instance(track_script=["minus"]), vi(SAFE)),
    Case("another weight of the definition", PLUS + instance(track_script=["plus"]),
         PLUS.replace("20", "30") + instance(track_script=["plus"]), {"VI": MOVES, "": SAFE}),
    Case("another command", SCRIPT + instance(track_script=["chk"]),
         SCRIPT.replace("true", "false") + instance(track_script=["chk"]), {"": SAFE}),
    Case("another interval", SCRIPT + instance(track_script=["chk"]),
         SCRIPT.replace("2", "3") + instance(track_script=["chk"]), {"": SAFE}),
    changed("an interface to track", SAFE, {}, {"track_interface": ["eth1"]}),
    changed("a notify script", SAFE, {}, {"notify_master": "/usr/bin/true"}),
    changed("garp timers", SAFE, {}, {"garp_master_refresh": 5}),
]  # fmt: skip

GROUPS = [
    Case("a group is formed", TWO, TWO + group("G", "VA", "VB"), {"VA": MOVES, "VB": MOVES}),
    Case("a group is dissolved", TWO + group("G", "VA", "VB"), TWO, {"": SAFE}),
    Case("a group gets another name", TWO + group("G", "VA", "VB"), TWO + group("H", "VA", "VB"),
         {"": SAFE}),
    Case("a member gets another name", TWO + group("G", "VA", "VB"),
         (TWO + group("G", "VA", "VB")).replace("VB", "VC"), {"VC": SAFE}),
    Case("a group notifies", TWO + group("G", "VA", "VB"),
         TWO + group("G", "VA", "VB", notify="/usr/bin/true"), {"": SAFE}),
    Case("weights count no longer in a group", PLUS + TWO.replace("VA {", "VA {\n    track_script {"
         "\n        plus\n    }"),
         PLUS + TWO.replace("VA {", "VA {\n    track_script {\n        plus\n    }")
         + group("G", "VA", "VB"), {"VA": MOVES, "VB": MOVES}),
]  # fmt: skip

GLOBALS = [
    globally("vrrp_version", vi(CLUSTER), {}, {"vrrp_version": 3}),
    globally("vrrp_version that the instance overrides", {"": SAFE}, {}, {"vrrp_version": 3},
             version=2),
    globally("vrrp_version for IPv6", {"": SAFE}, {}, {"vrrp_version": 3},
             virtual_ipaddress=["2001:db8::1/64"]),
    Case("the version goes from the instance to global_defs",
         settings() + instance(version=3), settings(vrrp_version=3) + instance(), {"": SAFE}),
    globally("vrrp_mcast_group4", vi(CLUSTER), {}, {"vrrp_mcast_group4": "224.0.0.66"}),
    globally("vrrp_mcast_group6 without IPv6", {"": SAFE}, {}, {"vrrp_mcast_group6": "ff02::66"}),
    globally("vrrp_strict", vi(REMOVES), {}, {"vrrp_strict": True}),
    globally("vrrp_strict off", vi(SAFE), {"vrrp_strict": True}, {}),
    globally("vrrp_skip_check_adv_addr", vi(SAFE), {}, {"vrrp_skip_check_adv_addr": True}),
    globally("vrrp_garp_master_delay", vi(SAFE), {}, {"vrrp_garp_master_delay": 2}),
    globally("router_id", {"": SAFE}, {}, {"router_id": "other"}),
    globally("process_names", {"": SAFE}, {}, {"process_names": True}),
    globally("nftables", {"": RESTART}, {}, {"nftables": True}),
    globally("nftables table", {"": RESTART}, {"nftables": "a"}, {"nftables": "b"}),
    globally("nftables_ipvs", {"": RESTART}, {}, {"nftables_ipvs": True}),
    globally("tmp_config_directory", {"": RESTART}, {}, {"tmp_config_directory": "/run"}),
    globally("disable_local_igmp", {"": RESTART}, {}, {"disable_local_igmp": True}),
    globally("SNMP on", {"": RESTART}, {}, {"enable_snmp_vrrp": True}, OLD, None),
    globally("SNMP on, mended", {"": SAFE}, {}, {"enable_snmp_vrrp": True}, (2, 2, 8), NEW),
    globally("SNMP off", {"": SAFE}, {"enable_snmp_vrrp": True}, {}),
    globally("D-Bus", {"": RESTART}, {}, {"enable_dbus": True}, OLD, NEW, None),
    globally("D-Bus, mended", {"": SAFE}, {}, {"enable_dbus": True}, (2, 3, 4)),
    globally("vmac_prefix without a VMAC", {"": SAFE}, {}, {"vmac_prefix": "x"}),
    globally("vmac_prefix", {"": RESTART}, {}, {"vmac_prefix": "x"}, use_vmac=True),
    Case("net_namespace", instance(), "net_namespace other\n" + instance(), {"": RESTART}),
    Case("instance", "instance a\n" + instance(), "instance b\n" + instance(), {"": RESTART}),
    Case("child_wait_time", instance(), "child_wait_time 9\n" + instance(), {"": SAFE}),
]  # fmt: skip

SERVERS = [
    Case("a virtual server", instance(),
         instance() + block("virtual_server 10.99.0.100 80", SERVER), {"": SAFE}),
    Case("a virtual server less", instance() + block("virtual_server 10.99.0.100 80", SERVER),
         instance(), {"": SAFE}),
    Case("another scheduler", instance() + block("virtual_server 10.99.0.100 80", SERVER),
         instance() + block("virtual_server 10.99.0.100 80", {**SERVER, "lb_algo": "lc"}),
         {"": SAFE}),
    Case("a real server", instance() + block("virtual_server 10.99.0.100 80", SERVER),
         instance() + block("virtual_server 10.99.0.100 80",
                            {**SERVER, "real_server 10.0.0.1 80": {"TCP_CHECK": {}}}),
         {"": SAFE}),
    Case("a BFD session", instance(),
         block("bfd_instance b", {"neighbor_ip": "10.99.0.2"}) + instance(), {"": SAFE}),
]  # fmt: skip

CASES = [
    *FORM, *MEMBERS, *ADDRESSES, *PACKETS, *WAYS, *ELECTION, *GROUPS, *GLOBALS, *SERVERS,
]  # fmt: skip
RUNS = [(case, version) for case in CASES for version in case.versions]


@pytest.mark.parametrize(
    ("case", "version"), RUNS, ids=[f"{case.name}-{version}" for case, version in RUNS]
)
def test_a_change_has_its_class(case, version):
    change = classify(conf.parse(case.old), conf.parse(case.new), version)
    found = dict(change.instances)
    rest = [reason.kind for reason in change.reasons if not reason.instance]
    if rest:
        found[""] = max(rest, key=list(Kind).index)
    wanted = {name: kind for name, kind in case.kinds.items() if kind is not NOTHING}
    assert found == wanted, change.sentences()
    assert change.kind is max([NOTHING, *wanted.values()], key=list(Kind).index)


def test_names_of_cases_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)
