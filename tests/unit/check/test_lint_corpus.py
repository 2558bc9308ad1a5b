"""Lint and keepalived's own word on real files."""

from collections import Counter

from keepalived_core import conf
from keepalived_core.check.lint import lint


def test_no_error_for_what_keepalived_takes_without_a_word(corpus):
    wrong = {}
    for name, (text, row) in corpus.items():
        if row["rc_2_2_7"] == "0" and row["messages"] == "0":
            errors = [one for one in lint(conf.parse(text), "2.2.7") if one.severity == "error"]
            if errors:
                wrong[name] = errors
    assert wrong == {}


def test_most_files_that_keepalived_refuses_have_a_finding(corpus):
    """The others are refused for the machine's sake: an interface, a user, a file."""
    found = Counter()
    for text, row in corpus.values():
        if row["rc_2_2_7"] not in ("0", "124"):
            found[bool(lint(conf.parse(text, strict=False), "2.2.7"))] += 1
    print(f"refused by keepalived: {found[True]} with findings, {found[False]} without")
    assert found[True] > 1.5 * found[False]
