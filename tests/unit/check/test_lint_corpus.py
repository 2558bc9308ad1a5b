"""Lint and keepalived's own word on real files.

refused_causes.tsv says, from the messages of ``keepalived -t`` 2.2.7 on a machine with one
interface, eth0, and no user keepalived_script, why it refuses each file: what the machine lacks
(interface, user, script, file, a resolver, something its build has not), and what is wrong in the
text, in our words, each with the codes that name it.
"""

from __future__ import annotations

import csv
from pathlib import Path

from keepalived_core import conf
from keepalived_core.check.lint import lint

CAUSES = Path(__file__).with_name("refused_causes.tsv")


def causes():
    with CAUSES.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def found_in(text):
    return lint(conf.parse(text, strict=False), "2.2.7")


def test_no_error_for_what_keepalived_takes_without_a_word(corpus):
    wrong = {}
    seen = 0
    for name, (text, row) in corpus.items():
        if row["rc_2_2_7"] == "0" and row["messages"] == "0":
            seen += 1
            errors = [one for one in found_in(text) if one.severity == "error"]
            if errors:
                wrong[name] = errors
    assert seen > 100
    assert wrong == {}


def test_every_refused_file_has_its_cause_listed(corpus):
    refused = {name for name, (_, row) in corpus.items() if row["rc_2_2_7"] in ("2", "5", "6")}
    listed = {row["file"]: row for row in causes()}
    assert set(listed) == refused
    assert [name for name, row in listed.items() if not row["machine"] and not row["text"]] == []


def test_what_is_wrong_in_the_text_is_named_in_eight_of_ten_files(corpus):
    """In each file every single cause must be named, not just any."""
    named, rest = 0, []
    for row in causes():
        if not row["text"]:
            continue
        codes = {one.code for one in found_in(corpus[row["file"]][0])}
        reasons = zip(row["text"].split("; "), row["codes"].split("; "), strict=True)
        missed = [reason for reason, wanted in reasons if codes.isdisjoint(wanted.split("|"))]
        if missed:
            rest.append(f"  {row['file']}: {'; '.join(missed)}")
        else:
            named += 1
    print(f"the text alone: {named} of {named + len(rest)} files fully named; the rest:")
    print(*rest, sep="\n")
    assert named >= 0.8 * (named + len(rest))
