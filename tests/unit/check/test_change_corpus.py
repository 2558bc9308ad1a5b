"""Real configurations: any of them becomes any other, and there is an answer."""

from __future__ import annotations

import itertools
import json

from keepalived_core import conf
from keepalived_core.check.change import Kind, classify
from keepalived_core.check.change_model import read
from keepalived_core.conf.redactor import secret_words


def trees(corpus):
    """Those of a usual size, as they stand; definitions are text like any other here."""
    return [
        (name, text, conf.parse(text, strict=False))
        for name, (text, _row) in sorted(corpus.items())
        if len(text) < 20_000
    ]


def test_nothing_becomes_of_what_stays(corpus):
    for name, _text, tree in trees(corpus):
        assert classify(tree, tree, (2, 2, 7)).kind is Kind.NOTHING, name


def test_each_may_become_the_next(corpus):
    """In both directions, with peers; no secret is told."""
    found = trees(corpus)
    kinds = set()
    for (_one, old_text, old), (_two, new_text, new) in itertools.pairwise(found):
        for before, after in ((old, new), (new, old)):
            change = classify(before, after, (2, 2, 7), peers={"peer": old})
            kinds.add(change.kind)
            told = json.dumps(change.to_data())
            for text in (old_text, new_text):
                for words in secret_words(text).values():
                    for word in words:
                        assert f"{word} becomes" not in told
    assert len(kinds) > 3


def test_all_may_go(corpus):
    """What has instances and loses them removes addresses."""
    for name, _text, tree in trees(corpus):
        change = classify(tree, conf.parse(""), (2, 2, 7))
        if read(tree).instances:
            assert change.kind is Kind.REMOVES, name
