"""The pictures of terminals in the docs."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from lab import ansi

ROOT = Path(__file__).resolve().parents[2]
SVG = "{http://www.w3.org/2000/svg}"
_IMAGE = re.compile(r"!\[([^\]]*)\]\(([^)#\s]+)\)|<img[^>]*\ssrc=\"([^\"]+)\"")


def drawn(text: str) -> list[tuple[str, str]]:
    """``[(text, classes)]`` of what is drawn below the bar."""
    root = ET.fromstring(ansi.svg(text, "title"))
    found = [(each.text, each.get("class") or "") for each in root.findall(f"{SVG}text")]
    assert found[0] == ("title", "title")
    return found[1:]


CASES = {
    "plain": ("one\ntwo", [("one", ""), ("two", "")]),
    "colour": ("a \x1b[32mgood\x1b[0m b", [("a ", ""), ("good", "c32"), (" b", "")]),
    "bold and colour": ("\x1b[1;31mBAD\x1b[0m", [("BAD", "b c31")]),
    "a later colour": ("\x1b[31ma\x1b[32mb\x1b[m", [("a", "c31"), ("b", "c32")]),
    "signs of XML": ("<a> & \"b\"", [('<a> & "b"', "")]),
    "what is no colour is not drawn": ("\x1b[2K\x1b]0;t\x07a\x1b[?25h", [("a", "")]),
    "lines of a terminal": ("a\r\nb\r\n", [("a", ""), ("b", "")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_a_terminal_shows_is_drawn(name: str) -> None:
    text, expected = CASES[name]
    assert drawn(text) == expected


def test_columns_stay_where_they_are_whatever_the_font() -> None:
    root = ET.fromstring(ansi.svg("ab\x1b[31mcd\x1b[0m\nabcd", "t"))
    first, second, third = root.findall(f"{SVG}text")[1:]
    begin, end = float(first.get("x")), float(first.get("x")) + float(first.get("textLength"))
    assert float(second.get("x")) == end
    assert float(third.get("x")) == begin
    assert float(third.get("y")) > float(first.get("y"))


def test_a_screen_reader_gets_the_text() -> None:
    root = ET.fromstring(ansi.svg("\x1b[31mSPLIT BRAIN\x1b[0m", "salt-run"))
    assert root.find(f"{SVG}title").text == "salt-run"
    assert root.find(f"{SVG}desc").text == "SPLIT BRAIN"


def test_every_image_that_a_page_shows_is_there_and_has_words_instead() -> None:
    shown = []
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("lab/*.md")):
        for match in _IMAGE.finditer(page.read_text(encoding="utf-8")):
            target = match[2] or match[3]
            shown.append(page.parent / target)
            assert (page.parent / target).is_file(), f"{page.name}: {target}"
            assert match[1] or match[3], f"{page.name}: {target} has no words"
    screens = {path.resolve() for path in ROOT.glob("docs/screens/*.svg")}
    assert screens, "./run screens makes them"
    for path in screens:
        ET.fromstring(path.read_text(encoding="utf-8"))
    assert {path.resolve() for path in shown} & screens
