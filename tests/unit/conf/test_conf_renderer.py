"""Tree to text: one style, safe quotes, and a refusal where no safe text exists."""

import pytest

from keepalived_core import conf
from keepalived_core.conf import Block, Comment, Definition, Include, Statement, Tree
from keepalived_core.conf.renderer import MAX_LINE

CANONICAL = """\
# Written by a person
# in two lines

net_namespace blue
$IF=eth1

# the checks
vrrp_script chk {
    script "/usr/bin/killall -0 haproxy"
    interval 2
}

vrrp_instance VI_1 {  # ours
    # inside
    interface $IF
@low    priority 100
    virtual_ipaddress {
        10.0.0.1/24 dev eth1
    }
}  # end
"""


def test_canonical_text_is_left_as_it_is():
    text = CANONICAL.replace("@low    priority", "    @low priority")
    assert conf.render(conf.parse(text)) == text


UGLY = [
    CANONICAL,
    "vrrp_instance A{priority 5}#x\n#y\nvrrp_instance B{}",
    "\n\n\n! a\n\nglobal_defs\n# b\n{ # c\n# d\n}\n# e",
    'global_defs { router_id "a b" }\nrouter_id  \t x   "y"  # c\\\n',
    "$A=1 \\\n2 # c \\\n\n$B=3",
    "@a global_defs\n@b {\n}\n",
    "# one\ninclude x\n# two\nglobal_defs {\n}\n",
    r"router_id a\#b # c",
]


@pytest.mark.parametrize("text", UGLY)
def test_rendering_is_stable(text):
    once = conf.render(conf.parse(text, strict=False))
    assert conf.render(conf.parse(once, strict=False)) == once


@pytest.mark.parametrize("text", UGLY)
def test_rendering_keeps_the_tree(text):
    tree = conf.parse(text, strict=False)
    assert conf.equal(conf.parse(conf.render(tree), strict=False), tree)


def test_header_stands_apart_and_survives_a_second_rendering():
    tree = Tree([Comment("# about the block"), Block("global_defs")])
    text = conf.render(tree, header=["Managed", ""])
    assert text == "# Managed\n#\n# about the block\n\nglobal_defs {\n}\n"
    assert conf.render(conf.parse(text)) == text


def test_empty_tree_is_an_empty_text():
    assert conf.render(Tree()) == ""


# A word as a person means it, and as it must stand in the file.
QUOTED = [
    ("plain", "plain"),
    ("a/b:c,d=e*~", "a/b:c,d=e*~"),
    ("pa#ss", '"pa#ss"'),
    ("pa!ss", '"pa!ss"'),
    ("pa{s}s", '"pa{s}s"'),
    ("two words", '"two words"'),
    ("", '""'),
    ("it's", "it's"),
    ("back\\slash", '"back\\slash"'),
    ("^a$", '"^a$"'),
    ("$5", '"$5"'),
    ("$NOT_DEFINED x", '"$NOT_DEFINED x"'),
    ("é\u00a0", "é\u00a0"),
]


@pytest.mark.parametrize("word, written", QUOTED)
def test_words_are_quoted_so_that_keepalived_reads_them_back(word, written):
    text = conf.render(Tree([Statement("router_id", [word])]))
    assert text == f"router_id {written}\n"
    assert conf.parse(text).children == [Statement("router_id", [word])]
    assert conf.evaluate(text).children == [Statement("router_id", [word])]


@pytest.mark.parametrize("word", ["@low", "~SEQ(A,1,2)", "include", "includea"])
def test_a_line_never_begins_with_what_keepalived_takes_for_a_directive(word):
    tree = Tree([Block("notification_email", [], [Statement(word, ["x"])])])
    text = conf.render(tree)
    assert conf.parse(text) == tree
    assert conf.evaluate(text) == tree


IMPOSSIBLE = [
    ('say "hi"', "cannot express"),
    ("two\nlines", "line break"),
    ("nul\0", "control character"),
    ("dir\\", "backslash"),
    ("${_PWD}/x", "${_PWD}"),
    ("$_INSTANCE x", "$_INSTANCE"),
    ("$IF, $X", "$IF"),
    ("x" * MAX_LINE, "longer than"),
]


@pytest.mark.parametrize("word, reason", IMPOSSIBLE)
def test_a_value_that_cannot_be_written_is_refused(word, reason):
    tree = Tree([Definition("IF", ["eth0"]), Statement("router_id", [word], line=7)])
    with pytest.raises(conf.ConfError) as error:
        conf.render(tree)
    assert reason in error.value.reason


def test_with_an_include_every_dollar_name_is_suspect():
    tree = Tree([Include("include", "x.conf"), Statement("router_id", ["$HOME x"])])
    with pytest.raises(conf.ConfError, match="HOME"):
        conf.render(tree)


def test_changed_arguments_are_written_anew():
    tree = conf.parse('global_defs {\nrouter_id "a b" # mine\n}\n')
    node = next(tree.blocks()).get("router_id")
    node.args[0] = "c d"
    assert 'router_id "c d"  # mine' in conf.render(tree)


def test_long_comments_go_on_in_the_next_line():
    text = conf.render(Tree([Comment("# " + "word " * 1000)]))
    assert all(len(line) <= MAX_LINE and line.startswith("#") for line in text.splitlines())
    assert text.count("word") == 1000
    assert conf.render(conf.parse(text)) == text
