"""The page of all shapes of data: complete, and true to the code and the pages it points at."""

from __future__ import annotations

import pytest

from docs import schemas

ROWS = [row for _heading, _text, rows in schemas.TABLES for row in rows]


def test_every_version_in_the_library_is_on_the_page():
    listed = {row.constant for row in ROWS} | schemas.READERS
    assert schemas.constants() == listed, "name it in docs/schemas.py, TABLES"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.constant)
def test_the_version_of_each_is_told(row):
    assert f"| {schemas.version(row.constant)} | [{row.told.partition('#')[0]}]" in schemas.page()


KINDS = [(kind, row) for row in ROWS for kind in row.kind.split(", ") if kind]
KIND_IDS = [kind for kind, _row in KINDS]


@pytest.mark.parametrize("kind, row", KINDS, ids=KIND_IDS)
def test_the_code_has_the_kind(kind, row):
    said = f'"kind": "{kind}"'
    files = (schemas.ROOT / "salt").rglob("*.py")
    assert any(said in path.read_text(encoding="utf-8") for path in files)


@pytest.mark.parametrize("kind, row", KINDS, ids=KIND_IDS)
def test_the_page_that_describes_a_kind_names_it(kind, row):
    text = (schemas.ROOT / "docs" / row.told.partition("#")[0]).read_text(encoding="utf-8")
    assert any(form in text for form in (f"`{kind}`", f"kind: {kind}", f'kind: "{kind}"'))
