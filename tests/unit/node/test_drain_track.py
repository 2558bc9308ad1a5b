"""The lines by which keepalived follows the drain file: where they stand, and where they do not."""

import re

import pytest

from keepalived_core import conf, plan
from keepalived_core.node import drain_track

PATH = "/var/lib/salt-keepalived/drain"
TREE = """! about the group
vrrp_sync_group G {{
    group {{
        {members}
    }}
{group}}}

vrrp_instance A {{
    interface eth1
    virtual_router_id 1
    priority {a}
{one}}}

vrrp_instance B {{
    interface eth1
    virtual_router_id 2
    priority {b}
}}
"""


def text(members="A B", a=100, b=100, group="", one=""):
    return TREE.format(members=members, a=a, b=b, group=group, one=one)


def followed(tree):
    """{block: line} of all references to the drain file."""
    return {
        " ".join(block.words): " ".join(line.words)
        for block in tree.children
        if isinstance(block, conf.Block)
        for own in block.blocks("track_file")
        for line in own.statements()
    }


NEW, DISSOLVING, OLD = (2, 2, 7), (2, 1, 5), (2, 0, 19)
GROUP, A, B = "vrrp_sync_group G", "vrrp_instance A", "vrrp_instance B"
#: (what, version, the text, who follows with which line)
PLACES = [
    ("a group follows for its members", NEW, text(), {GROUP: "salt_drain"}),
    ("one beside the group", NEW, text("A"), {GROUP: "salt_drain", B: "salt_drain"}),
    ("no version known", None, text("A"), {GROUP: "salt_drain", B: "salt_drain"}),
    ("2.1.5 dissolves a group of one", DISSOLVING, text("A"), {A: "salt_drain", B: "salt_drain"}),
    ("2.1.5 keeps a group of two", DISSOLVING, text(), {GROUP: "salt_drain"}),
    ("2.0 keeps a group of one", OLD, text("A"), {GROUP: "salt_drain", B: "salt_drain"}),
    ("an address owner", NEW, text("A", b=255), {GROUP: "salt_drain", B: "salt_drain weight 0"}),
    ("a group with an owner", NEW, text(a=255), {GROUP: "salt_drain weight 0"}),
]


@pytest.mark.parametrize(
    ("what", "version", "given", "expected"), PLACES, ids=[p[0] for p in PLACES]
)
def test_every_instance_follows_the_file_where_keepalived_counts_it(what, version, given, expected):
    tree = conf.parse(given)
    assert drain_track.missing(tree, PATH, version) == ["A", "B"]
    assert drain_track.add(tree, version, PATH) == []
    assert followed(tree) == expected
    assert drain_track.missing(tree, PATH, version) == []
    # what is read again from the file says the same, and needs nothing more
    again = conf.parse(conf.render(tree))
    assert drain_track.missing(again, PATH, version) == []
    assert drain_track.add(again, version, PATH) == []
    assert conf.equal(again, tree)


def test_the_file_is_defined_before_whatever_refers_to_it():
    tree = conf.parse("global_defs {\n    router_id a\n}\n" + text())
    drain_track.add(tree, NEW, PATH)
    found = re.findall(r"^(\w+ ?\w*) \{|^(!.*)", conf.render(tree), re.MULTILINE)
    order = [block or comment for block, comment in found]
    assert order[:4] == ["global_defs", "track_file salt_drain", "! about the group", GROUP]


@pytest.mark.parametrize(
    ("version", "keyword"), [((2, 0, 19), "vrrp_track_file"), ((2, 1, 0), "track_file")]
)
def test_the_block_has_the_name_that_this_version_reads(version, keyword):
    tree = conf.parse(text())
    drain_track.add(tree, version, PATH)
    assert [block.value("file") for block in tree.blocks(keyword)] == [PATH]


def test_what_the_pillar_tracks_itself_stays():
    own = "track_file mine {\n    file /run/mine\n}\n"
    tree = conf.parse(own + text("B", one="    track_file {\n        mine\n    }\n"))
    drain_track.add(tree, NEW, PATH)
    (block,) = [b for b in tree.blocks("vrrp_instance") if b.name == "A"]
    (tracked,) = block.blocks("track_file")
    assert [line.words for line in tracked.statements()] == [["mine"], ["salt_drain"]]


#: (what, version, the text, a word of the note)
LEFT_OUT = [
    ("older than track_file", (1, 3, 9), text(), "no track_file"),
    (
        "the name is taken",
        NEW,
        "track_file salt_drain {\n    file /run/theirs\n}\n" + text(),
        "of its own",
    ),
]


@pytest.mark.parametrize(
    ("what", "version", "given", "word"), LEFT_OUT, ids=[r[0] for r in LEFT_OUT]
)
def test_what_cannot_be_is_noted_and_nothing_is_written(what, version, given, word):
    tree = conf.parse(given)
    (note,) = drain_track.add(tree, version, PATH)
    assert word in note
    assert conf.equal(tree, conf.parse(given))


def test_a_configuration_without_vrrp_gets_none():
    tree = conf.parse("global_defs {\n    router_id a\n}\n")
    assert drain_track.add(tree, NEW, PATH) == []
    assert not list(tree.blocks("track_file"))


@pytest.mark.parametrize(("switch", "there"), [({}, True), ({"drain_file": False}, False)])
def test_one_switch_of_the_pillar_leaves_it_out(switch, there):
    body = {"interface": "eth1", "virtual_router_id": 1, "virtual_ipaddress": ["192.0.2.1"]}
    data = {"config": {"vrrp_instance": {"A": body}}, **switch}
    tree, _notes = plan.desired(data, "n1", NEW, "/run/fifo", drain=PATH)
    assert bool(list(tree.blocks("track_file"))) is there


def test_who_goes_to_fault_at_any_number_is_told_from_the_text():
    tree = conf.parse(text("A", a=255))
    drain_track.add(tree, NEW, PATH)
    assert drain_track.faulting(tree, PATH) == {"A"}
