"""The keyword table: sound in itself, and true to the measured keyword lists."""

import math
import re

import pytest

from keepalived_core.conf import grammar
from keepalived_core.conf.keyword import (
    ADDRESS,
    BLOCK,
    CHOICE,
    DECIMAL,
    ENTRIES,
    FLAG,
    INTEGER,
    NAMED,
    SCRIPT,
    SWITCH,
    TEXT,
    WORDLIST,
    WORDS,
    version,
)

TABLE = dict(grammar.walk())


def test_lookup_finds_by_path():
    found = grammar.lookup(("vrrp_instance", "authentication", "auth_pass"))
    assert found is not None and found.secret and found.kind == TEXT
    assert grammar.lookup(("vrrp_instance", "auth_pass")) is None
    assert grammar.lookup(()) is None


@pytest.mark.parametrize(
    "word, scope, meant",
    [
        ("prioritty", ("vrrp_instance",), "priority"),
        ("virtual_ip_address", ("vrrp_instance",), "virtual_ipaddress"),
        ("vrrp_instances", (), "vrrp_instance"),
        ("zzz", (), ""),
        ("x" * 5000, (), ""),
    ],
)
def test_nearest_word(word, scope, meant):
    keyword = grammar.lookup(scope)
    assert grammar.nearest(word, keyword.children if keyword else grammar.ROOT) == meant


def test_homes_of_a_misplaced_word():
    assert "vrrp_instance" in grammar.homes("nopreempt")
    assert grammar.homes("nonsense") == []


@pytest.mark.parametrize("path, keyword", TABLE.items(), ids=map("/".join, TABLE))
def test_rows_are_sound(path, keyword):
    assert keyword.name == path[-1]
    assert re.fullmatch(r"[a-z_]+\.c:\d+", keyword.source)
    assert keyword.since >= (0, 5, 3)
    if keyword.kind in (INTEGER, DECIMAL):
        assert keyword.low < keyword.high
    if keyword.kind == CHOICE:
        assert keyword.choices
    if keyword.kind in (BLOCK, NAMED):
        assert keyword.children
        assert all(child.since >= keyword.since for child in keyword.children.values())
    least, most = keyword.words
    assert most is None or least <= most


# How the measured list calls the kinds.
KINDS = [
    (r"flag \[", SWITCH),
    (r"flag$", FLAG),
    (r"flag \+", WORDS),
    (r"int$", INTEGER),
    (r"int \+ options$", INTEGER),
    (r"(decimal|seconds) ", DECIMAL),
    (r"script ", SCRIPT),
    (r"IP address$", ADDRESS),
    (r"value block \(words\)", WORDLIST),
    (r"value block$", ENTRIES),
    (r"named block", NAMED),
    (r"block$", BLOCK),
    (r"enum", CHOICE),
    (r"(string|hex string \(exactly.*)$", TEXT),
]
# Where the list, made by reading handlers mechanically, is wrong or says less than the C code.
CORRECTED = {
    "global_defs/include_check": WORDS,  # takes the names of the checks
    "global_defs/dynamic_interfaces": WORDS,  # the option may be missing
    "global_defs/lvs_flush_on_stop": WORDS,
    "global_defs/lvs_flush_onstop": WORDS,
    "global_defs/vrrp_garp_extra_if": WORDS,  # [all] SECONDS, in any order
    "global_defs/vrrp_vmac_garp_intvl": WORDS,
    "vrrp_instance/garp_extra_if": WORDS,
    "vrrp_instance/vmac_garp_intvl": WORDS,
    "vrrp_instance/old_unicast_checksum": WORDS,
    "vrrp_script/user": WORDS,  # USER [GROUP]
    "virtual_server/real_server/MISC_CHECK/user": WORDS,
    "virtual_server/persistence_granularity": WORDS,  # a netmask for IPv4
}

# What the handlers read as in range and then report all the same ("must be greater than 0").
NOT_ZERO = {
    "global_defs/smtp_connect_timeout",
    "global_defs/vrrp_garp_master_repeat",
    "global_defs/vrrp_garp_master_refresh_repeat",
    "vrrp_instance/garp_master_repeat",
    "vrrp_instance/garp_master_refresh_repeat",
    "vrrp_script/interval",
    "vrrp_script/timeout",
}

# Installed once more elsewhere; the table shares the row of the first place.
TWICE = {
    "virtual_server/real_server/SSL_GET/url/tls_compliant",
    "vrrp_track_file/file",
    "vrrp_track_file/weight",
    "vrrp_track_file/init_file",
}


def test_every_keyword_of_the_newest_release_is_here_and_no_other(facts):
    listed = {
        tuple(row["path"].split("/"))
        for row in facts("grammar/keywords-latest.tsv")
        if not row["path"].startswith("(lexer)") and "/@" not in row["path"]
    }
    assert set(TABLE) == listed
    assert len(TABLE) == 528


def test_kinds_bounds_and_sources_agree(facts):
    wrong = []
    for row in facts("grammar/keywords-latest.tsv"):
        keyword = TABLE.get(tuple(row["path"].split("/")))
        if keyword is None:
            continue
        kind = next((ours for theirs, ours in KINDS if re.match(theirs, row["kind"])), WORDS)
        kind = CORRECTED.get(row["path"], kind)
        if keyword.kind != kind:
            wrong.append((row["path"], "kind", row["kind"], keyword.kind))
        if not row["source"].endswith(f"/{keyword.source}") and row["path"] not in TWICE:
            wrong.append((row["path"], "source", row["source"], keyword.source))
        if bool(row["deprecated"]) != bool(keyword.deprecated):
            wrong.append((row["path"], "deprecated", row["deprecated"], keyword.deprecated))
        bounds = re.match(r"\[(-?[\d.e+-]+)\.\.~?(-?[\d.e+-]+)\]", row["bounds"])
        if bounds and keyword.kind in (INTEGER, DECIMAL):
            if row["path"] in NOT_ZERO:
                assert float(bounds[1]) == 0 < keyword.low
                continue
            for ours, theirs in zip((keyword.low, keyword.high), bounds.groups(), strict=True):
                # The list rounds the bounds of 32-bit microseconds and of the longest timer.
                if not math.isclose(ours, float(theirs), rel_tol=0.03):
                    wrong.append((row["path"], "bounds", row["bounds"], ours))
        if keyword.kind == CHOICE and "|".join(keyword.choices) != row["words_or_line_parser"]:
            wrong.append((row["path"], "choices", row["words_or_line_parser"], keyword.choices))
    assert wrong == []


def test_option_words_of_value_blocks_agree(facts):
    listed: dict[tuple, set] = {}
    for row in facts("grammar/keywords-latest.tsv"):
        block, mark, word = row["path"].partition("/@")
        if mark:
            listed.setdefault(tuple(block.split("/")), set()).add(word)
    assert {path: set(TABLE[path].choices) for path in listed} == listed


def test_no_keyword_claims_to_be_older_than_its_word(facts):
    first = {row["keyword"]: row["first_tag"] for row in facts("grammar/keyword-since.tsv")}
    early = {
        "/".join(path): (keyword.since, first[path[-1]])
        for path, keyword in TABLE.items()
        if path[-1] in first and keyword.since < version(first[path[-1]])
    }
    assert early == {}


def test_removed_words_are_those_of_the_measured_list(facts):
    last = {row["keyword"]: row["last_tag"] for row in facts("grammar/keyword-since.tsv")}
    newest = max(last.values(), key=version)
    gone = {word: version(tag) for word, tag in last.items() if tag != newest and word.islower()}
    assert dict(grammar.REMOVED) == gone
