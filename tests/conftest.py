"""Measured facts about keepalived, where they are at hand: keyword tables and real files."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Asserts in what tests share shall say what they saw.
pytest.register_assert_rewrite(
    "firewall_machine", "fixtures", "reactor_site", "support", "watch_pair"
)

REPO = Path(__file__).resolve().parents[1]


#: What runs beside the tests of real Salt: code and page; keepalived in namespaces where nothing is
#: measured to less than a second, or with a priority of its own; what is one command's exit code.
BESIDE = (
    "unit/",
    "browser/",
    *(
        f"functional/test_{name}.py"
        for name in (
            "apply_live",
            "change_live",
            "docs_site",
            "drain_accepted",
            "drain_live",
            "every_bound",
            "every_keyword",
            "every_line",
            "firewalld_states",
            "guides",
            "includes_as_keepalived",
            "keepalived_accepts",
            "lint_command",
            "lint_false_alarms",
            "prometheus",
            "reach_live",
            "refused_adverts",
            "reload_survival",
        )
    ),
)


class Halves(LoadScopeScheduling):
    """Two processes share the work: real Salt mostly waits for clocks, one test after the other;
    what asks little of the machine runs beside it."""

    def _split_scope(self, nodeid: str) -> str:
        return "beside" if nodeid.removeprefix("tests/").startswith(BESIDE) else "salt"


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Halves:
    return Halves(config, log)


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
