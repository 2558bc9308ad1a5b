"""docs/lint.md lists what lint can say: every code, and no other."""

import re
from pathlib import Path

import pytest
from test_lint import CASES as FORM
from test_lint_host import CASES as ON_HOST
from test_lint_host import MACHINE
from test_lint_meaning import CASES as MEANING

from keepalived_core import conf
from keepalived_core.check.lint import lint

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "lint.md"
LIBRARY = ROOT / "salt" / "_utils" / "keepalived_core"


def listed():
    """code -> the severities its row names; a row has five cells, none empty."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("| KA"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == 5 and all(cells), line
            assert cells[0] not in found, f"{cells[0]} has two rows"
            found[cells[0]] = set(cells[1].split(", "))
    return found


def test_the_page_has_every_code_and_no_other():
    emitted = set()
    for folder in ("check", "conf"):
        for path in (LIBRARY / folder).glob("*.py"):
            emitted |= set(re.findall(r'"(KA\d{3})"', path.read_text(encoding="utf-8")))
    assert sorted(listed()) == sorted(emitted)


def test_codes_stand_in_order():
    assert list(listed()) == sorted(listed())


TEXTS = [text for text, *_ in [*FORM.values(), *MEANING.values(), *ON_HOST.values()]]


@pytest.fixture(scope="module")
def findings():
    return [
        one for text in TEXTS for one in lint(conf.parse(text, strict=False), "2.3.3", host=MACHINE)
    ]


def test_each_finding_has_a_severity_its_row_names(findings):
    page = listed()
    assert {one.code for one in findings if one.severity not in page[one.code]} == set()


def test_every_code_has_a_case(findings):
    others = {
        "KA104": "needs an older release",
        "KA112": "a very long line",
        "KA114": "of includes",
        "KA115": "of includes",
        "KA118": "needs an older release",
    }
    assert set(listed()) - {one.code for one in findings} == set(others)
