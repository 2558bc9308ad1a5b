"""Measured facts about keepalived, where they are at hand: keyword tables and real files."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path

import pytest

# Asserts in what the cluster tests share shall say what they saw.
pytest.register_assert_rewrite("fixtures", "support")

REPO = Path(__file__).resolve().parents[1]
CLUSTER = REPO / "tests" / "cluster"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Two groups, should two processes share the work: a lab is shared by the tests in it, and
    mostly waits for clocks; all others run beside it."""
    for item in items:
        group = "cluster" if CLUSTER in item.path.parents else "other"
        item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def facts() -> Callable[[str], list[dict[str, str]]]:
    """Reads a table of facts: from $SALT_KEEPALIVED_FACTS, or a folder beside the repository."""

    def read(name: str) -> list[dict[str, str]]:
        with (_folder(name) / name).open(encoding="utf-8") as lines:
            return list(csv.DictReader(lines, delimiter="\t"))

    return read


@pytest.fixture(scope="session")
def corpus(facts: Callable[[str], list[dict[str, str]]]) -> dict[str, tuple[str, dict[str, str]]]:
    """Real configurations: name -> (text, what keepalived 2.2.7 said to it)."""
    listed = "corpus/EXPECTED.tsv"
    folder = _folder(listed) / "corpus"
    return {
        row["file"]: ((folder / row["file"]).read_bytes().decode("utf-8", "surrogateescape"), row)
        for row in facts(listed)
    }


def _folder(wanted: str) -> Path:
    given = os.environ.get("SALT_KEEPALIVED_FACTS")
    folders = [Path(given)] if given else sorted(REPO.parent.iterdir())
    for folder in folders:
        if (folder / wanted).is_file():
            return folder
    pytest.skip(
        f"no {wanted} in $SALT_KEEPALIVED_FACTS or in a folder beside this repository: "
        "the comparison with measured facts is left out"
    )
