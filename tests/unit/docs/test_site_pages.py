"""What Sphinx is given: each page with links that fit its place, each keyword and verb once."""

from __future__ import annotations

import pytest

from docs import build, links, man_sections
from docs.site import keyword_pages, nav, prepare, reference_pages
from keepalived_core.conf import grammar


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    target = tmp_path_factory.mktemp("source")
    return target, prepare.prepare(target)


def test_no_link_leads_to_what_the_site_has_not(source):
    _target, problems = source
    assert problems == []


@pytest.mark.parametrize(
    "page, target, moved",
    [
        ("README.md", "docs/pillar.md", "pillar.md"),
        ("README.md", "docs/screens/a.svg", "screens/a.svg"),
        ("README.md", "lab/README.md", "lab.md"),
        ("README.md", "LICENSE", "LICENSE.txt"),
        ("docs/status.md", "events.md#the-hub", "events.md#the-hub"),
        ("docs/status.md", "../pillar/keepalived/classic.sls", "examples/classic.md"),
        ("docs/status.md", "../pillar/keepalived", "examples/index.md"),
        ("docs/status.md", "reference.md", "reference/index.rst"),
        ("docs/status.md", "keywords.md#vrrp_script", "keywords/vrrp_script.rst"),
        ("docs/decisions/0001-a.md", "../design.md#invariants", "../design.md#invariants"),
        ("docs/status.md", "#here", "#here"),
        ("docs/status.md", "https://example.com/a#b", "https://example.com/a#b"),
    ],
)
def test_a_link_is_moved_with_its_page(page, target, moved):
    assert prepare.moved(page, target) == moved


def test_a_link_to_a_file_that_the_site_has_not_is_a_problem():
    assert prepare.moved("docs/status.md", "../run") is None


def test_only_the_targets_of_links_differ_from_the_page(source):
    target, _problems = source
    for path in links.pages(build.ROOT):
        name = path.relative_to(build.ROOT).as_posix()
        if name in ("docs/keywords.md", "docs/reference.md"):
            continue
        was = path.read_text(encoding="utf-8")
        now = (target / nav.place(name)).read_text(encoding="utf-8")
        assert _untargeted(now).startswith(_untargeted(was)), name


def _untargeted(text):
    end, parts = 0, []
    for at, link in links.placed(text):
        parts.append(text[end:at])
        end = at + len(link.target)
    return "".join([*parts, text[end:]])


def test_every_keyword_is_described_once():
    text = "\n".join(keyword_pages.pages().values())
    for path, _row in grammar.walk():
        assert text.count(f".. conf:: {'.'.join(path)}\n") == 1, path


def test_a_keyword_has_its_bounds_its_default_and_its_release():
    page = keyword_pages.pages()["keywords/vrrp_instance.rst"]
    _, _, text = page.partition(".. conf:: vrrp_instance.priority\n\n")
    assert text.startswith("   Takes a whole number from 1 to 255. Default: 100. Since 0.5.3.\n")
    assert "keepalived.conf(5): VRRP instance(s)." in page


def test_every_outermost_keyword_has_its_section_of_the_manual():
    assert set(man_sections.SECTION) == set(grammar.ROOT)


def test_every_verb_is_described_once():
    pages = reference_pages.pages()
    for module in build.modules():
        (text,) = (text for place, text in pages.items() if f"File: ``{_file(module)}``" in text)
        for _name, called, _doc in module.functions:
            assert text.count(f":: {called}\n") == 1, called


def _file(module):
    return module.path.relative_to(build.ROOT).as_posix()
