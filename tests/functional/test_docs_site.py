"""The documentation site: built whole, every link of it leads somewhere, nothing leaves it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as ``./run docs`` builds it; with its environment about half a minute at first."""
    out = tmp_path_factory.mktemp("docs") / "site"
    done = subprocess.run(
        [REPO / "run", "docs", "--check", "--out", out],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def test_it_is_built_without_a_warning_a_broken_link_or_a_request_that_leaves_it(site):
    assert (site / "index.html").is_file()


def searched(site):
    """What the search of the site finds by name: {name of a kind: {names}}."""
    text = (site / "searchindex.js").read_text(encoding="utf-8")
    index = json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))
    kinds = {number: name for number, (_domain, name, _spoken) in index["objnames"].items()}
    found = {}
    for prefix, rows in index["objects"].items():
        for _file, kind, _rank, _anchor, name in rows:
            found.setdefault(kinds[str(kind)], set()).add(f"{prefix}.{name}".lstrip("."))
    return found


@pytest.mark.parametrize(
    "kind, name",
    [
        ("conf", "vrrp_instance.authentication.auth_pass"),
        ("conf", "global_defs"),
        ("verb", "keepalived.plan"),
        ("state", "keepalived.managed"),
        ("runner", "keepalived.rollout"),
    ],
)
def test_the_search_finds_a_keyword_or_a_verb_by_its_name(site, kind, name):
    assert name in searched(site)[kind]


def test_the_search_finds_every_keyword_of_the_table(site):
    from keepalived_core.conf import grammar

    assert searched(site)["conf"] == {".".join(path) for path, _row in grammar.walk()}


def test_every_page_of_the_repository_is_in_the_sidebar(site):
    home = (site / "index.html").read_text(encoding="utf-8")
    sidebar = set(re.findall(r'class="reference internal" href="([^"#]+)"', home))
    pages = {path.stem for path in (REPO / "docs").glob("*.md")}
    parts = {"keywords", "reference"}
    assert {f"{name}.html" for name in pages - parts} <= sidebar
    assert {f"{name}/index.html" for name in parts} <= sidebar


def test_the_pictures_of_terminals_are_shown(site):
    guide = (site / "operators-guide.html").read_text(encoding="utf-8")
    shown = re.findall(r'<img [^>]*src="([^"]+)"', guide)
    assert len(shown) >= 10
    assert all((site / name).is_file() for name in shown)
