"""Defects proved in other tools that turn data into keepalived.conf, tried on ours.

B12 (``keepalived -t`` is no yes or no) is in tests/unit/check/test_gate.py, B15 (a formula that
owns all of direct.xml) in tests/cluster/test_firewall.py.
"""

import pytest
import yaml

from keepalived_core import conf, pillar
from keepalived_core.check.lint import lint

VI = "config: {vrrp_instance: {VI: {interface: eth0, virtual_router_id: 1, virtual_ipaddress: "
VI += "[10.0.0.1], %s}}}"


def rendered(text):
    return conf.render(pillar.to_tree(yaml.safe_load(text)))


def refused(text):
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(yaml.safe_load(text))
    return str(error.value)


@pytest.mark.parametrize("flag", ["nopreempt", "dont_track_primary", "native_ipv6", "accept"])
def test_b1_false_does_not_switch_a_flag_on(flag):
    assert flag not in rendered(VI % f"{flag}: false")
    assert f"    {flag}\n" in rendered(VI % f"{flag}: true")
    assert flag in refused(VI % f"{flag}: 'false'")


@pytest.mark.parametrize("switch", ["vrrp_strict", "vrrp_skip_check_adv_addr"])
@pytest.mark.parametrize("off", [False, "off", "false"])
def test_b1_false_does_not_switch_a_word_on_that_had_no_value_yet(switch, off):
    """Up to 2.2.8 keepalived takes ``vrrp_strict false`` for true."""
    data = {"config": {"global_defs": {switch: off, "router_id": "a"}}}
    assert switch not in conf.render(pillar.to_tree(data, version="2.2.8"))
    assert switch in conf.render(pillar.to_tree(data, version="2.3.0"))
    data["config"]["global_defs"][switch] = True
    assert f"    {switch}\n" in conf.render(pillar.to_tree(data, version="2.2.8"))


def test_b2_lists_of_mappings_and_order_of_addresses_survive():
    text = rendered(
        """
        config:
          vrrp_instance:
            VI:
              interface: eth0
              virtual_router_id: 1
              virtual_ipaddress: [10.0.0.100, 10.0.0.16]
          virtual_server:
            10.0.0.1 80:
              protocol: TCP
              real_server:
                10.0.0.2 80:
                  HTTP_GET: [{url: {path: /b}}, {url: {path: /a}}, {connect_timeout: 3}]
        """
    )
    assert text.index("10.0.0.100") < text.index("10.0.0.16")
    assert text.index("path /b") < text.index("path /a")


def test_b3_two_peers_folded_into_one_text_are_refused_not_spelled_out():
    assert "each peer is an entry of its own" in refused(VI % 'unicast_peer: "10.0.0.2 10.0.0.3"')
    assert "        10.0.0.2\n" in rendered(VI % "unicast_peer: 10.0.0.2")


def test_b5_booleans_of_switches_are_keepalived_words():
    text = rendered(
        """
        config:
          virtual_server:
            10.0.0.1 80:
              protocol: TCP
              real_server:
                10.0.0.2 80:
                  HTTP_GET: {enable_sni: true, url: {path: /}}
                  DNS_CHECK: {type: A, name: ., connect_timeout: 5}
          track_file:
            drain: {file: /run/drain, init_file: 5 overwrite}
        """
    )
    assert "enable_sni true\n" in text
    assert "init_file 5 overwrite\n" in text
    assert text.count("{") == text.count("}")


@pytest.mark.parametrize(
    "where, name",
    [
        ("vrrp_instance", "vrrp_track_file"),
        ("vrrp_instance", "garp_interval"),
        ("vrrp_sync_group", "notify_master_rx_lower_pri"),
    ],
    ids=["b6 instance", "b7", "b6 sync group"],
)
def test_b6_b7_keywords_are_not_written_where_keepalived_does_not_know_them(where, name):
    message = refused(f"config: {{{where}: {{X: {{{name}: x}}}}}}")
    assert f"{where}:X:{name}: no such keyword here; it belongs in" in message or (
        f"{where}:X:{name}: no such keyword here" in message
    )


def test_b9_a_misspelled_block_is_not_written():
    assert "did you mean static_ipaddress?" in refused("config: {static_ipaddresses: [10.0.0.1]}")


ROOTS = {
    "static_ipaddress": "[10.0.0.1/24 dev eth0]",
    "static_routes": "[10.1.0.0/16 via 10.0.0.1]",
    "static_rules": "[from 10.0.0.0/8 table 5 preference 100]",
    "vrrp_track_process": "{nginx: {process: nginx}}",
    "track_file": "{f: {file: /f}}",
    "virtual_server_group": "{g: [10.0.0.1 80]}",
    "bfd_instance": "{b: {neighbor_ip: 10.0.0.1}}",
    "garp_group": "{garp_interval: 0.1, interfaces: [eth0]}",
    "SSL": "{ca: /ca.pem}",
    "net_namespace": "blue",
    "linkbeat_interfaces": "[eth0]",
    "interface_up_down_delays": "[eth0 5]",
    "track_group": "{g: {group: [A]}}",
}


@pytest.mark.parametrize("root, value", ROOTS.items(), ids=ROOTS.keys())
def test_b10_no_root_is_dropped(root, value):
    (node,) = conf.parse(rendered(f"config: {{{root}: {value}}}")).statements()
    assert node.keyword == root
    assert node.args or node.children


@pytest.mark.parametrize("given", ["0123", "1111", "1_000", "0x1F", "yes"])
def test_b11_a_password_that_yaml_has_already_changed_is_refused(given):
    message = refused(VI % f"authentication: {{auth_type: PASS, auth_pass: {given}}}")
    assert "quote it" in message or "text" in message
    text = rendered(VI % f"authentication: {{auth_type: PASS, auth_pass: '{given}'}}")
    assert f"auth_pass {given}\n" in text


def test_b14_a_colon_behind_a_keyword_is_a_finding():
    text = "vrrp_instance VI {\nunicast_src_ip: 10.0.0.1\n}\n"
    assert any("unicast_src_ip:" in found.message for found in lint(conf.parse(text)))


#: What the official formula's own example holds that keepalived refuses: (pillar, what we say).
OFFICIAL = [
    (
        "config: {virtual_server: {10.0.0.1 80: {protocol: TCP, nat_mask: 255.255.255.0}}}",
        "nat_mask",
    ),
    (
        "config: {vrrp_sync_group: {VG1: {group: [VI_1, VI_2]}},"
        " vrrp_instance: {VI_1: {interface: eth0, virtual_router_id: 1,"
        " virtual_ipaddress: [10.0.0.1]}}}",
        "VI_2",
    ),
]


@pytest.mark.parametrize(("text", "word"), OFFICIAL)
def test_b4_what_the_official_example_gets_refused_for_is_refused_here_before_keepalived_sees_it(
    text, word
):
    assert word in refused(text)


def test_b8_a_rule_with_an_unknown_option_is_refused():
    message = refused(VI % 'virtual_rules: ["add from 10.0.0.0/24 table 5"]')
    assert "virtual_rules" in message
    assert "add" in message


def test_b13_what_a_keyword_needs_is_asked_of_the_installed_keepalived_not_of_a_distribution():
    """``json_version`` came with 2.2.8; Debian 12, often said to have that, has 2.2.7."""
    data = yaml.safe_load(VI % "priority: 5")
    data["config"]["global_defs"] = {"json_version": 2}
    assert "json_version 2" in conf.render(pillar.to_tree(data, version="2.2.8"))
    with pytest.raises(pillar.PillarError, match=r"needs keepalived 2\.2\.8"):
        pillar.to_tree(data, version="2.2.7")
