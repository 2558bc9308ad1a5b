"""Lines whose value is a command are read by rules of their own."""

import pytest

from keepalived_core.conf import lexer

LINES = [
    ('script "/usr/bin/killall -0 haproxy"', ["script", "/usr/bin/killall -0 haproxy"]),
    ("script '/x a'", ["script", "/x a"]),
    ("script /x a", ["script", "/x", "a"]),
    ("script /x\\ a", ["script", "/x a"]),
    ('script "say \\"hi\\""', ["script", 'say "hi"']),
    ('script "it\'s"', ["script", "it's"]),
    ("script pre'a b'post", ["script", "prea bpost"]),
    ("script ''", ["script", ""]),
    ("regex a\\tb", ["regex", "a\tb"]),
    (r"script /usr/bin/te\x73t", ["script", "/usr/bin/test"]),
    (r"script \1631\60 \cA \E", ["script", "s10", "\x01", "\x1b"]),
    (r"script \xyz", ["script", "xyz"]),
    ('notify "/x" \'', ["notify", "/x", ""]),
    ("  ", []),
    ("script 'a", None),
    ('script "a', None),
    ("script a\\", None),
]


@pytest.mark.parametrize("line, words", LINES)
def test_commands_are_split_with_both_kinds_of_quotes(line, words):
    assert lexer.split_command(line) == words
