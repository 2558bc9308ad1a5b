"""What is a direct rule, chain or passthrough, and what is said of one that cannot be."""

import shlex

import pytest

from keepalived_core.node import direct

GUIDE = {
    "ipv": "ipv4",
    "table": "filter",
    "chain": "INPUT",
    "priority": 0,
    "args": "-i eth1 -d 224.0.0.0/8 -j ACCEPT",
}


def test_the_guide_s_rule_is_the_guide_s_command():
    command = ["firewall-cmd", *direct.build("rule", **GUIDE).command("add")]
    assert shlex.join(command) == (
        "firewall-cmd --direct --add-rule ipv4 filter INPUT 0 -i eth1 -d 224.0.0.0/8 -j ACCEPT"
    )


SAME = {
    "args as a list": {"args": ["-i", "eth1", "-d", "224.0.0.0/8", "-j", "ACCEPT"]},
    "args with quotes that mean nothing": {"args": "-i 'eth1' -d \"224.0.0.0/8\" -j ACCEPT"},
    "args with many blanks": {"args": "  -i eth1   -d 224.0.0.0/8\n -j ACCEPT "},
    "priority as text": {"priority": "0"},
    "priority with a sign": {"priority": "-0"},
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_writing_it_another_way_is_the_same_rule(change):
    assert direct.build("rule", **{**GUIDE, **change}) == direct.build("rule", **GUIDE)


WORDS = {
    "a number in the list": (["-p", 112], ("-p", "112")),
    "a blank in quotes": ("--comment 'two words'", ("--comment", "two words")),
    "an apostrophe": ('--comment "it\'s"', ("--comment", "it's")),
    "shell signs are plain letters": (
        "-j LOG --log-prefix $(reboot);`x`",
        ("-j", "LOG", "--log-prefix", "$(reboot);`x`"),
    ),
}


@pytest.mark.parametrize("args, words", WORDS.values(), ids=WORDS)
def test_args_become_words(args, words):
    assert direct.build("passthrough", ipv="ipv4", args=args).words[1:] == words


WRONG = {
    "unknown family": ({"ipv": "inet"}, ["ipv 'inet'", "ipv4, ipv6, eb"]),
    "family as a number": ({"ipv": 4}, ["ipv 4", "ipv4, ipv6, eb"]),
    "family as a list": ({"ipv": ["ipv4"]}, ["ipv ['ipv4']", "ipv4, ipv6, eb"]),
    "unknown table": ({"table": "filtr"}, ["table 'filtr'", "ipv4", "filter, nat"]),
    "a table of bridges": ({"table": "broute"}, ["table 'broute'", "of ipv4"]),
    "a table that bridges lack": ({"ipv": "eb", "table": "raw"}, ["table 'raw'", "broute"]),
    "empty chain": ({"chain": ""}, ["chain ''", "1 to 28"]),
    "chain with a blank": ({"chain": "IN PUT"}, ["chain 'IN PUT'", "visible"]),
    "chain with a dash": ({"chain": "-j"}, ["chain '-j'", "starts with no -"]),
    "chain with a !": ({"chain": "!INPUT"}, ["chain '!INPUT'", "starts with no"]),
    "chain of 29": ({"chain": "x" * 29}, ["xxx'", "1 to 28"]),
    "chain as a number": ({"chain": 7}, ["chain 7", "no text"]),
    "priority as a word": ({"priority": "high"}, ["priority 'high'", "whole number"]),
    "priority true": ({"priority": True}, ["priority True", "whole number"]),
    "priority with a fraction": ({"priority": 1.5}, ["priority 1.5", "whole number"]),
    "priority beyond D-Bus": ({"priority": 2**31}, ["2147483648", "2147483647"]),
    "open quote": ({"args": "-m comment --comment 'x"}, ["args", "no closing quotation"]),
    "empty args": ({"args": ""}, ["args ''", "is empty", "-j ACCEPT"]),
    "empty list of args": ({"args": []}, ["args []", "is empty"]),
    "args as a map": ({"args": {"-i": "eth1"}}, ["args", "no text and no list"]),
    "nothing in the list": ({"args": ["-i", None]}, ["args", "holds None", "quote it"]),
    "yes, unquoted in YAML": ({"args": ["-m", True]}, ["args", "holds True", "quote it"]),
    "an empty word": ({"args": ["-i", ""]}, ["args", "holds ''", "empty"]),
    "a line break in a word": ({"args": ["-j", "A\n-F INPUT"]}, ["args", "line break"]),
    'a blank and a " in one word': ({"args": ["--comment", 'a "b"']}, ["args", "cannot pass"]),
    "a parameter of nothing": ({"priorty": 0}, ["priorty 0", "no such parameter", "priority"]),
    "a missing one": ({"table": None}, ["table is missing", "filter"]),
}


@pytest.mark.parametrize("change, said", WRONG.values(), ids=WRONG)
def test_a_wrong_parameter_is_named_with_its_value_and_what_is_right(change, said):
    with pytest.raises(direct.DirectError) as caught:
        direct.build("rule", **{**GUIDE, **change})
    for words in said:
        assert words in str(caught.value)


def test_every_mistake_is_listed():
    with pytest.raises(direct.DirectError) as caught:
        direct.build("rule", ipv="v4", table="filter", chain="A B", priority="x")
    mistakes = "\n".join(caught.value.mistakes)
    assert len(caught.value.mistakes) == 4
    assert all(name in mistakes for name in ("ipv", "chain", "priority", "args"))


KINDS = {
    "a kind that is none": ("rules", {}, "kind 'rules'"),
    "a chain has no args": (
        "chain",
        {"ipv": "ipv4", "table": "filter", "chain": "x", "args": "-j DROP"},
        "a chain has no such parameter",
    ),
    "a built-in chain cannot be added": (
        "chain",
        {"ipv": "ipv4", "table": "filter", "chain": "INPUT"},
        "is built into table filter",
    ),
    "a passthrough has no priority": (
        "passthrough",
        {"ipv": "ipv4", "args": "-A INPUT", "priority": 0},
        "a passthrough has no such parameter",
    ),
}


@pytest.mark.parametrize("kind, given, said", KINDS.values(), ids=KINDS)
def test_the_kinds_have_parameters_of_their_own(kind, given, said):
    with pytest.raises(direct.DirectError, match=said):
        direct.build(kind, **given)


def test_a_chain_of_28_letters_is_taken():
    words = direct.build("chain", ipv="eb", table="broute", chain="x" * 28).words
    assert words == ("eb", "broute", "x" * 28)


PRINTED = {
    "the guide's": "ipv4 filter INPUT 0 -i eth1 -d 224.0.0.0/8 -j ACCEPT",
    "quoted": """ipv4 filter INPUT -5 -m comment --comment 'it'"'"'s a b' -j ACCEPT""",
}


@pytest.mark.parametrize("line", PRINTED.values(), ids=PRINTED)
def test_what_firewalld_prints_builds_the_rule_it_came_from(line):
    entry = direct.build("rule", **direct.parse_rule(line))
    assert str(entry) == line
