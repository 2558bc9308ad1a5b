"""What must hold for any tree and any bytes."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalived_core import conf
from keepalived_core.conf import Block, Comment, Definition, Include, Repeat, Statement, Tree

# Anything that can be written: no '"', no control characters, no trailing backslash, and no
# '$' (whether that is safe depends on the rest of the file).
WORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters='"$'), max_size=12
).filter(lambda word: not word.endswith("\\"))
# A first word that is no known block: those want their brace.
KEYWORDS = WORDS.filter(bool).map(lambda word: f"k{word}")
CONDITIONS = st.sampled_from(["", "", "", "low", "^high"])
COMMENTS = st.sampled_from(["", "", "# why", '! a "quoted" one', "#"])
PLAIN = st.text("abc 1{}~@", max_size=12).map(str.strip)


@st.composite
def statements(draw):
    return Statement(
        draw(KEYWORDS),
        draw(st.lists(WORDS, max_size=4)),
        condition=draw(CONDITIONS),
        comment=draw(COMMENTS),
    )


@st.composite
def blocks(draw, inside):
    block = Block(
        draw(KEYWORDS),
        draw(st.lists(WORDS, max_size=2)),
        draw(st.lists(inside, max_size=4)),
        condition=draw(CONDITIONS),
        comment=draw(COMMENTS),
    )
    block.open_condition = draw(CONDITIONS)
    block.end_condition = draw(CONDITIONS)
    block.end_comment = draw(COMMENTS)
    return block


LEAVES = st.one_of(
    statements(),
    st.builds(Comment, st.text('abc {}"$#!', max_size=10).map(lambda text: f"# {text}x")),
    st.builds(Definition, st.sampled_from(["A", "B_1"]), st.lists(PLAIN.filter(bool), min_size=1)),
    st.builds(Repeat, st.just("~SEQ(N, 1, 3)"), PLAIN),
    st.builds(Include, st.sampled_from(["include", "includem"]), st.just("conf.d/*.conf")),
)
NODES = st.recursive(LEAVES, blocks, max_leaves=12)
TREES = st.builds(Tree, st.lists(NODES, max_size=6))


@given(TREES)
@settings(deadline=None)
def test_any_tree_survives_writing_and_reading(tree):
    assert conf.parse(conf.render(tree)) == tree


@given(TREES)
@settings(deadline=None)
def test_writing_is_stable(tree):
    text = conf.render(tree)
    assert conf.render(conf.parse(text)) == text


def _text(raw):
    return raw.decode("utf-8", "surrogateescape")


NOISE = st.one_of(
    st.binary(max_size=300).map(_text),
    st.text('ab {}"#!\\$@~\n\r\t=()', max_size=200),
    st.lists(
        st.sampled_from(
            [
                "vrrp_instance A",
                "{",
                "}",
                "\n",
                '"',
                "priority 5",
                "$A=",
                "\\\n",
                "${A}",
                "~SEQ(A,2)",
                "@low ",
                "include x",
                "# c",
                "virtual_ipaddress",
                "10.0.0.1/24",
                "auth_pass x",
                " ",
            ]
        ),
        max_size=40,
    ).map("".join),
)


@given(NOISE)
@settings(deadline=None, max_examples=400)
def test_any_text_is_read_or_refused_with_our_own_error(text):
    for strict in (True, False):
        try:
            tree = conf.parse(text, strict=strict)
            conf.render(tree)
            conf.evaluate(text, "low", strict=strict)
        except conf.ConfError as error:
            assert error.reason


@given(NOISE)
@settings(deadline=None, max_examples=300)
def test_what_was_read_leniently_is_written_stably(text):
    try:
        once = conf.render(conf.parse(text, strict=False))
    except conf.ConfError:
        return  # a line too long, a character that cannot be written
    assert conf.render(conf.parse(once, strict=False)) == once


@given(NOISE)
@settings(deadline=None)
def test_redacting_never_fails_and_keeps_lines(text):
    assert conf.redact(text).count("\n") == text.count("\n")


# Shapes that make a careless reader slow; each is repeated n times.
SLOW = {
    "instances": "vrrp_instance A {\npriority 100\nvirtual_ipaddress {\n10.0.0.1\n}\n}\n",
    "open braces on one line": "{ ",
    "closed braces on one line": "} ",
    "quotes on one line": '"a" ',
    "escapes": r"\#",
    "dollars": "${a",
    "one long word": "a",
    "blanks": "x" + " " * 50,
    "comments before a brace": "# x\n",
    "secrets": "auth_pass x \n$A=$B\n",
    "open quotes": '"\n',
    "definitions": "$A=x \\\n",
    "unknown words": "zzz_1 q\n",
}


@pytest.mark.parametrize("shape", SLOW.values(), ids=SLOW.keys())
def test_time_grows_with_the_length_not_faster(shape):
    def seconds(count):
        text = "global_defs\n" + shape * count
        spent = []
        for _ in range(3):
            started = time.process_time()
            conf.redact(text)
            tree = conf.parse(text, strict=False)
            try:
                conf.render(tree)
            except conf.ConfError:
                pass
            spent.append(time.process_time() - started)
        return min(spent)

    small, large = seconds(1_000), seconds(8_000)
    # 8 times the text; quadratic time would be 64 times.
    assert large < 24 * max(small, 0.001)
