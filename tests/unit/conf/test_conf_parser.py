"""Text to tree: what is kept, what is refused, and where the blame is put."""

import pytest

from keepalived_core import conf
from keepalived_core.conf import Block, Comment, Definition, Include, Repeat, Statement

VRRP = """\
! Classic
vrrp_instance VI_1 {   # ours
    state BACKUP
    interface eth1; # odd

    virtual_ipaddress { 10.0.0.1/24 dev eth1 }
} # end
"""


def test_order_comments_and_line_numbers_are_kept():
    tree = conf.parse(VRRP)
    note, instance = tree.children
    assert note == Comment("! Classic")
    assert isinstance(instance, Block)
    assert (instance.keyword, instance.args, instance.line) == ("vrrp_instance", ["VI_1"], 2)
    assert (instance.comment, instance.end_comment) == ("# ours", "# end")
    assert [(node.keyword, node.args, node.line) for node in instance.statements()] == [
        ("state", ["BACKUP"], 3),
        ("interface", ["eth1;"], 4),
        ("virtual_ipaddress", [], 6),
    ]
    (addresses,) = instance.blocks("virtual_ipaddress")
    assert addresses.children == [Statement("10.0.0.1/24", ["dev", "eth1"])]


SAME = [
    # Different ways to write vrrp_instance A with a priority and one address.
    "vrrp_instance A {\npriority 5\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n",
    "vrrp_instance A\n{\npriority 5\nvirtual_ipaddress {\n10.0.0.1 } }",
    "vrrp_instance A { priority 5\nvirtual_ipaddress { 10.0.0.1 }}\n",
    "vrrp_instance A{\r\npriority 5\r\nvirtual_ipaddress{10.0.0.1}\r\n}\r\n",
    'vrrp_instance "A" {\n"priority" "5"\nvirtual_ipaddress\n\n{ 10.0.0.1\n}\n}',
]


@pytest.mark.parametrize("text", SAME)
def test_layout_does_not_matter(text):
    assert conf.parse(text) == conf.parse(SAME[0])


def test_comments_before_a_late_brace_stay():
    (block,) = conf.parse("vrrp_sync_group G\n# why\n{ # how\ngroup { A }\n}\n").blocks()
    assert block.children[0] == Comment("# why")
    assert block.comment == "# how"


def test_one_keyword_a_line_so_the_rest_are_its_words():
    (block,) = conf.parse("vrrp_instance A { state BACKUP interface eth0 }").blocks()
    assert block.children == [Statement("state", ["BACKUP", "interface", "eth0"])]


def test_definitions_loops_includes_and_conditions_are_kept_unread():
    tree = conf.parse(
        "$IF=eth0\n"
        "@^low $IF=eth1 # other\n"
        "$VI=vrrp_instance ${NAME} { \\\n  interface $IF \\\n\\\n# inside \\\n}\n"
        "~SEQ(NUM, 1, 3) $VI\n"
        "~LST({A, B}, {1, 2}) text $A\n"
        "include conf.d/*.conf\n"
        "@low net_namespace ${_INSTANCE}\n"
    )
    assert tree.children[0] == Definition("IF", ["eth0"])
    other, block, seq, lst, include, namespace = tree.children[1:]
    assert (other.condition, other.lines, other.comments) == ("^low", ["eth1"], ["# other"])
    assert block.lines == ["vrrp_instance ${NAME} {", "interface $IF", "", "}"]
    assert block.comments == ["", "", "# inside", ""]
    assert seq == Repeat("~SEQ(NUM, 1, 3)", "$VI")
    assert lst == Repeat("~LST({A, B}, {1, 2})", "text $A")
    assert include == Include("include", "conf.d/*.conf")
    assert (namespace.condition, namespace.args) == ("low", ["${_INSTANCE}"])


def test_a_condition_covers_all_of_its_line():
    (block,) = conf.parse("@low track_bfd { a }\n").blocks()
    assert (block.condition, block.open_condition, block.end_condition) == ("low", "low", "low")
    assert block.children[0].condition == "low"


def test_last_statement_counts():
    tree = conf.parse("global_defs {\nrouter_id a\nrouter_id b\n}\n")
    (block,) = tree.blocks("global_defs")
    assert block.value("router_id") == "b"
    assert block.get("script_user") is None


# text, line, column, what the reason says
DAMAGED = [
    (
        "global_defs {\n}\nvrrp_sync_group VG1\ngroup {\nVI_1\n}\n}\nvrrp_instance VI_1 {\n}\n",
        (3, 20),
        "'vrrp_sync_group VG1' begins a block, but its '{' is missing (line 4 goes on without it);"
        " write 'vrrp_sync_group VG1 {'",
    ),
    ("vrrp_instance A", (1, 16), "its '{' is missing (the file ends)"),
    ("vrrp_instance A {\nauthentication\n}\n", (2, 15), "'authentication' begins a block"),
    ("}\n", (1, 1), "'}' closes nothing"),
    ("global_defs {\n}\n}\n", (3, 1), "'}' closes nothing"),
    ("\n{\n}\n", (2, 1), "'{' belongs to nothing"),
    ("global_defs {\nrouter_id a\n", (1, 1), "'global_defs {' is never closed"),
    (
        "vrrp_instance A {\nvirtual_ipaddress {\n10.0.0.1\n}\nvrrp_instance B {\n}\n",
        (5, 1),
        "'vrrp_instance B' begins inside of 'vrrp_instance A' (line 1), which is not closed",
    ),
    ('global_defs {\n  router_id "abc\n}\n', (2, 13), "unterminated quote"),
    ("~SEQ NUM 1 3\n", (1, 1), "~SEQ wants a list in parentheses"),
    ("global_defs {\n\0\n}\n", (2, 1), "NUL"),
    ("a { " * 50 + "}" * 50, (1, 1), "nested deeper"),
]


@pytest.mark.parametrize("text, place, reason", DAMAGED)
def test_damage_is_refused_with_place_and_reason(text, place, reason):
    with pytest.raises(conf.ConfError) as error:
        conf.parse(text, path="keepalived.conf")
    assert (error.value.line, error.value.column) == place
    assert reason in error.value.reason
    assert str(error.value).startswith(f"keepalived.conf:{place[0]}:{place[1]}: ")


@pytest.mark.parametrize("text, place, reason", DAMAGED)
def test_a_lenient_reading_keeps_all_and_notes_the_damage(text, place, reason):
    tree = conf.parse(text, strict=False)
    assert reason in tree.problems[0].reason
    assert conf.render(conf.parse(conf.render(tree), strict=False)) == conf.render(tree)


def test_unknown_keywords_are_not_a_matter_of_structure():
    tree = conf.parse("vrrp_instance A {\nprioritty 5\nnew_block {\nx\n}\n}\n")
    (block,) = tree.blocks()
    assert [node.keyword for node in block.statements()] == ["prioritty", "new_block"]


def test_bytes_of_another_encoding_survive():
    raw = b"vrrp_instance A {\n  router_id \xff\xe9\n}\n"
    text = raw.decode("utf-8", "surrogateescape")
    again = conf.render(conf.parse(text)).encode("utf-8", "surrogateescape")
    assert b"\xff\xe9" in again
