"""Lines of value blocks, and the words behind use_vmac and use_ipvlan."""

from pathlib import Path

import pytest
import yaml

from keepalived_core.conf import entries, grammar
from keepalived_core.conf.grammar_entries import ADDRESS, NEXTHOP, PEER, ROUTE, RULE
from keepalived_core.conf.keyword import version

LINES = yaml.safe_load((Path(__file__).parent / "lines.yaml").read_text(encoding="utf-8"))
RIGHT = [(keyword, line) for keyword, cases in LINES.items() for line in cases["right"]]
WRONG = [
    (keyword, str(line), reason)
    for keyword, cases in LINES.items()
    for line, reason in cases["wrong"].items()
]


@pytest.mark.parametrize("keyword, line", RIGHT)
def test_a_right_line_has_no_fault(keyword, line):
    assert entries.fault(keyword, line.split()) == ""


@pytest.mark.parametrize("keyword, line, reason", WRONG)
def test_a_wrong_line_is_told_why(keyword, line, reason):
    assert reason in entries.fault(keyword, line.split())


@pytest.mark.parametrize(
    "keyword, line, since",
    [
        ("virtual_ipaddress", "192.168.1.30 dev eth1 use_vmac", "2.2.0"),
        ("virtual_ipaddress", "192.168.1.30 preferred_lft 0", "2.0.20"),
        ("static_ipaddress", "192.168.1.30 dev eth1 track_group T", "2.0.3"),
        ("virtual_routes", "10.0.0.0/8 dev eth1 append", "2.2.5"),
        ("virtual_routes", "10.0.0.0/8 vrf blue", "2.2.5"),
        ("virtual_rules", "ipproto tcp table 5 preference 5", "2.0.1"),
        ("unicast_peer", "192.168.1.3 min_ttl 255", "2.1.0"),
        ("track_script", "chk weight 5 reverse", "2.0.18"),
        ("use_vmac", "name vmac5", "2.3.0"),
        ("virtual_server_group", "fwmark 5 inet", "2.1.0"),
    ],
)
def test_a_word_newer_than_the_release_is_told_with_its_release(keyword, line, since):
    words, first = line.split(), version(since)
    before = (*first[:2], first[2] - 1) if first[2] else (first[0], first[1] - 1, 99)
    assert f"needs keepalived {since}" in entries.fault(keyword, words, before)
    assert entries.fault(keyword, words, first) == entries.fault(keyword, words) == ""


@pytest.mark.parametrize("word", ["use_vmac", "track_group"])
def test_an_option_of_static_addresses_is_none_of_virtual_ones_or_the_reverse(word):
    line = ["192.168.1.30", "dev", "eth1", word, *(["T"] if word == "track_group" else [])]
    virtual, static = (
        entries.fault(kind, line) for kind in ("virtual_ipaddress", "static_ipaddress")
    )
    assert bool(virtual) == (word == "track_group")
    assert bool(static) == (word == "use_vmac")


@pytest.mark.parametrize("table", [ADDRESS, ROUTE, NEXTHOP, RULE, PEER])
def test_an_option_without_its_value_is_a_fault(table):
    start = {
        id(ADDRESS): ("static_ipaddress", ["192.168.1.30/24"]),
        id(ROUTE): ("static_routes", ["10.0.0.0/8"]),
        id(NEXTHOP): ("static_routes", ["10.0.0.0/8", "nexthop"]),
        id(RULE): ("static_rules", ["table", "5", "preference", "5"]),
        id(PEER): ("unicast_peer", ["192.168.1.3"]),
    }
    keyword, line = start[id(table)]
    for word, option in table.items():
        if word == "use_vmac":
            continue
        found = entries.fault(keyword, [*line, word])
        assert bool(found) == (option.takes != "flag"), (word, found)


def test_every_block_of_lines_has_its_words_in_the_table():
    for path, keyword in grammar.walk():
        if keyword.kind == "entries" and path[-1] != "interface_up_down_delays":
            assert keyword.choices, path
