"""What the daemon makes of conditions, definitions and loops."""

import pytest

from keepalived_core import conf

# text, config-id, what the daemon reads
CASES = {
    "condition of another": ("@low a 1\n@high b 2\nc 3\n", "low", "a 1\nc 3\n"),
    "negated condition": ("@^low a 1\n@^high b 2\n", "low", "b 2\n"),
    "condition alone": ("@low\na 1\n", "low", "a 1\n"),
    "condition on a block": ("x {\n@low y {\n@low z\n@low }\n}\n", "high", "x {\n}\n"),
    "definition": ("$A=eth0\ninterface $A\n", "", "interface eth0\n"),
    "definition in braces": ("$A=10.0.0\nip ${A}.1/24\n", "", "ip 10.0.0.1/24\n"),
    "name before a slash is no name": ("$A=x\nip $A/24\n", "", 'ip "$A/24"\n'),
    "last definition wins": ("$A=1\n$A=2\na $A\n", "", "a 2\n"),
    "definition of definitions": ("$A=1\n$B=${A}2\nb $B\n", "", "b 12\n"),
    "conditional definition": ("$A=1\n@low $A=2\na $A\n", "low", "a 2\n"),
    "inside of quotes": ('$A=x\na "${A}y z"\n', "", 'a "xy z"\n'),
    "quote ends no name": ('$A=x\na "$A"\n', "", 'a "$A"\n'),
    "multi-line": ("$B=x { \\\n  y 1 \\\n}\n$B\n", "", "x {\n    y 1\n}\n"),
    "multi-line only at the end": ("$B=x \\\ny\n$B z\n", "", "$B z\n"),
    "comment in a definition": ("$B=x \\\n# c \\\ny\n$B\n", "", "x\ny\n"),
    "comment that ends a definition": ("$B=x \\\n# c\ny\n$B\n", "", "y\nx\n"),
    "nested multi-line": (
        "$I=y { \\\nz $N \\\n}\n$O=x $N { \\\n$I \\\n}\n~SEQ(N, 2) $O\n",
        "",
        "x 1 {\n    y {\n        z 1\n    }\n}\n\nx 2 {\n    y {\n        z 2\n    }\n}\n",
    ),
    "sequence": ("~SEQ(N, 1, 3) a $N\n", "", "a 1\na 2\na 3\n"),
    "sequence with step": ("~SEQ(N, 10, -5, 0) a $N\n", "", "a 10\na 5\na 0\n"),
    "sequence of one number": ("~SEQ(N, 2) a $N\n", "", "a 1\na 2\n"),
    "hexadecimal sequence": ("~SEQx(N, 9, 11) a ${N}\n", "", "a 9\na a\na b\n"),
    "sequence of sequences": (
        "~SEQ(N, 2) ~SEQ(M, 2) a $N $M\n",
        "",
        "a 1 1\na 1 2\na 2 1\na 2 2\n",
    ),
    "sequence by definition": ("$X=2\n~SEQ(N, $X) a $N\n", "", "a 1\na 2\n"),
    "list": ("~LST({A, B}, {1, 2}, {3}) a ${A}.${B}\n", "", "a 1.2\na 3.\n"),
    "list of single values": ("~LST(A, x, y) a $A\n", "", "a x\na y\n"),
    "hash and bang": ("a x${_HASH}y\nb ${_BANG}\nc \n", "", "a x\nb\nc\n"),
    "instance": ("net_namespace ${_INSTANCE}\n", "low", "net_namespace low\n"),
    "comments go": ("a 1 # x\n! y\n", "", "a 1\n"),
    "escaped hash is lost on the way": ("a b\\#c d\n", "", "a b\n"),
}


@pytest.mark.parametrize("text, config_id, seen", CASES.values(), ids=CASES.keys())
def test_the_daemon_sees(text, config_id, seen):
    tree = conf.evaluate(text, config_id)
    for node in tree.children:
        node.source = None  # write the words, not what stood in the file
    if "$" not in seen:
        assert conf.render(tree) == seen
    else:
        assert tree.children == conf.parse(seen).children


def test_line_numbers_are_those_of_the_file():
    tree = conf.evaluate("$A=x \\\ny\n\n~SEQ(N, 2) a $N\nb\n")
    assert [(node.keyword, node.line) for node in tree.statements()] == [
        ("a", 4),
        ("a", 4),
        ("b", 5),
    ]


def test_the_braces_of_an_undefined_name_are_braces():
    (block,) = conf.evaluate("global_defs {\nrouter_id ${NOPE}\n}\n").blocks()
    assert isinstance(block.children[0], conf.Block)
    assert block.children[0].words == ["router_id", "$"]


ENDLESS = ["$A=$A\nb $A\n", "$A=${B}\n$B=${A}\nb ${A}\n", "~SEQ(A, 1, 9) ~SEQ(B, 1, 99999) x $A\n"]


@pytest.mark.parametrize("text", ENDLESS)
def test_what_never_ends_is_refused(text):
    with pytest.raises(conf.ConfError):
        conf.evaluate(text)


def test_any_number_of_dollars_may_stand_in_a_line():
    """Only names that are replaced can go on for ever."""
    (line,) = conf.evaluate("notify " + "$ " * 505).statements()
    assert len(line.args) == 505


def test_what_stands_behind_a_brace_is_replaced_as_the_line_was():
    text = "a $B {\n$B=5\nb $B }\nc $B\n~SEQ(N, 1, 2) d $N { e $N }\n"
    seen = conf.parse("a $B {\nb 5\n}\nc 5\nd 1 {\ne 1\n}\nd 2 {\ne 2\n}\n")
    assert conf.evaluate(text) == seen
