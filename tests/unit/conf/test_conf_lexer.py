"""One line at a time: comments, words and braces, as keepalived cuts them."""

import pytest

from keepalived_core.conf import lexer

COMMENTS = [
    # line, what is left, the comment
    ("priority 100", "priority 100", ""),
    ("  priority 100 \t", "priority 100", ""),
    ("# only a comment", "", "# only a comment"),
    ("! only a comment", "", "! only a comment"),
    ("priority 100 # why", "priority 100", "# why"),
    ("auth_pass pa#ss", "auth_pass pa", "#ss"),
    ('auth_pass "pa#ss"', 'auth_pass "pa#ss"', ""),
    ('auth_pass "pa!ss" ! said "so"', 'auth_pass "pa!ss"', '! said "so"'),
    (r"router_id a\#b", "router_id a#b", ""),
    (r"router_id a\!b # c", "router_id a!b", "# c"),
    (r"router_id a\\#b", r"router_id a\\", "#b"),
    ("$A=1 \\", "$A=1\\", ""),
    ("# ends in a backslash \\", "\\", "# ends in a backslash"),
    ("router_id 'a#b'", "router_id 'a", "#b'"),
]


@pytest.mark.parametrize("line, text, comment", COMMENTS)
def test_comment_is_cut_where_keepalived_cuts_it(line, text, comment):
    cut = lexer.split_comment(line)
    assert (cut.text, cut.comment, cut.quote) == (text, comment, 0)


@pytest.mark.parametrize(
    "line, column", [('router_id "abc', 11), ('a "b" "c', 7), (r'a "b\"', 3), ('"', 1)]
)
def test_unterminated_quote_is_found(line, column):
    assert lexer.split_comment(line).quote == column


WORDS = [
    ("a b  c", ["a", "b", "c"]),
    ("a\tb\x0bc\x0cd", ["a", "b", "c", "d"]),
    ('script "/bin/sh -c x"', ["script", "/bin/sh -c x"]),
    ('a "" b', ["a", "", "b"]),
    ('auth_pass pa"s"s', ["auth_pass", "pa", "s", "s"]),
    ("a 'b c'", ["a", "'b", "c'"]),
    ('a "b', ["a"]),
    ("naïve\u00a0name x", ["naïve\u00a0name", "x"]),
    ("", []),
]


@pytest.mark.parametrize("text, words", WORDS)
def test_words_are_split_as_keepalived_splits_them(text, words):
    assert lexer.split_words(text) == words


BRACES = [
    ("a { b", True, 2),
    ("pa{ss", True, 2),
    ('"a{b" }', True, 6),
    ("${A}/24", True, -1),
    ("${A}/24", False, 1),
    ("x${_RANDOM 1 5} {", True, 16),
    ('"{', True, -1),
]


@pytest.mark.parametrize("text, macros, position", BRACES)
def test_braces_outside_of_quotes_are_found(text, macros, position):
    assert lexer.find_brace(text, 0, macros) == position


@pytest.mark.parametrize("text", ["a#b", "a!b", '"a#b" c#d', r"a\\#", "plain", r"x\y"])
def test_escaping_is_undone_by_reading(text):
    assert lexer.split_comment(lexer.escape(text)).text == text
