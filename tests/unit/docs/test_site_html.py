"""A built page that fetches something from elsewhere, or links to nothing, is found."""

from __future__ import annotations

import pytest

from docs.site import check_html

FINE = {
    "a page": '<a href="other.html">x</a>',
    "a heading of a page": '<a href="other.html#here">x</a>',
    "a heading of this page": '<h1 id="top">x</h1><a href="#top">x</a>',
    "a web address to click on": '<a href="https://example.com/">x</a>',
    "a picture of its own": '<img src="a.svg">',
    "a picture inside of the page": '<img src="data:image/svg+xml,x">',
    "what a search engine reads": '<link rel="canonical" href="https://example.com/x">',
    "a style": '<style>a { background: url("a.svg") }</style>',
}
WRONG = {
    "no such page": ('<a href="no.html">x</a>', "no.html leads nowhere"),
    "no such heading": ('<a href="other.html#no">x</a>', "other.html has no #no"),
    "no such picture": ('<img src="no.svg">', "no.svg leads nowhere"),
    "a folder": ('<a href="sub/">x</a>', "sub/ leads nowhere"),
    "out of the site": ('<a href="../x.html">x</a>', "leads nowhere"),
    "a script": ('<script src="https://cdn.example/x.js"></script>', "from elsewhere"),
    "a font": ('<link rel="stylesheet" href="//fonts.example/css">', "from elsewhere"),
    "a picture": ('<img src="https://badge.example/x.svg">', "from elsewhere"),
    "a second size": ('<img src="a.svg" srcset="a.svg 1x, https://e.example/b 2x">', "elsewhere"),
    "a style": ("<style>@import 'https://e.example/x.css';</style>", "from elsewhere"),
    "a style in a tag": ('<p style="background: url(https://e.example/x)">', "from elsewhere"),
    "a connection": ('<link rel="preconnect" href="https://e.example">', "from elsewhere"),
}


def said(site, body):
    (site / "sub").mkdir()
    (site / "a.svg").write_text("<svg/>")
    (site / "other.html").write_text('<h2 id="here">x</h2>')
    (site / "index.html").write_text(f"<html><body>{body}</body></html>")
    return check_html.problems(site)


@pytest.mark.parametrize("body", FINE.values(), ids=FINE.keys())
def test_a_whole_page_is_no_problem(body, tmp_path):
    assert said(tmp_path, body) == []


@pytest.mark.parametrize("body, words", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_told_with_its_page(body, words, tmp_path):
    (problem,) = said(tmp_path, body)
    assert problem.startswith("index.html: ")
    assert words in problem


def test_a_style_sheet_that_fetches_a_font_is_told(tmp_path):
    (tmp_path / "x.css").write_text("@font-face { src: url(https://e.example/f.woff2) }")
    assert check_html.problems(tmp_path) == [
        "x.css: fetches https://e.example/f.woff2 from elsewhere"
    ]
