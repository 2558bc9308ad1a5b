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


#: What measures nothing, and so runs beside the tests of real keepalived and Salt: the code, the
#: page, and what is one command's exit code.
BESIDE = (
    "unit/",
    "browser/",
    *(
        f"functional/test_{name}.py"
        for name in (
            "docs_site",
            "drain_accepted",
            "every_bound",
            "every_keyword",
            "every_line",
            "firewalld_states",
            "guides",
            "includes_as_keepalived",
            "keepalived_accepts",
            "lint_command",
            "lint_false_alarms",
        )
    ),
)


def runs_beside(nodeid: str) -> bool:
    return nodeid.removeprefix("tests/").startswith(BESIDE)


class Halves(LoadScopeScheduling):
    """Two processes share the work: real keepalived and Salt mostly wait for clocks, one test
    after the other; what measures nothing runs beside them."""

    def _split_scope(self, nodeid: str) -> str:
        return "beside" if runs_beside(nodeid) else "real"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """What runs beside takes what the others leave."""
    if os.environ.get("PYTEST_XDIST_WORKER") and runs_beside(item.nodeid):
        os.setpriority(os.PRIO_PROCESS, 0, 19)


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
