"""Debian's Chromium, and a page of the project's in it."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from bench.browser import FLAGS, PATH


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Ended with its module: while it runs, so does an event loop, and others want their own."""
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=PATH, args=FLAGS)
        yield browser
        browser.close()


class Opened:
    """A page, with what went wrong in it and what it asked for."""

    def __init__(self, page: Page, path: pathlib.Path) -> None:
        self.page, self.path = page, path
        self.problems: list[str] = []
        self.asked: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", self._heard)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("dialog", lambda dialog: self.problems.append(f"dialog: {dialog.message}"))
        page.goto(path.as_uri())

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(message.text)

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def says(self, selector: str, text: str | re.Pattern[str]) -> None:
        """What stands there has that text, or will within seconds."""
        expect(self.page.locator(selector)).to_contain_text(text)

    def until(self, script: str) -> None:
        """Waits until the script's value is true."""
        self.page.wait_for_function(script, timeout=5000)


@pytest.fixture
def opened(chromium: Browser, tmp_path: pathlib.Path) -> Iterator[Callable[..., Opened]]:
    """``opened(html, width=…, color_scheme=…)`` shows it; what goes wrong fails the test."""
    shown: list[Opened] = []

    def show(html: str, *, width: int = 1280, height: int = 900, **options: Any) -> Opened:
        path = tmp_path / f"page{len(shown)}.html"
        path.write_text(html, encoding="utf-8")
        context = chromium.new_context(
            viewport={"width": width, "height": height}, reduced_motion="reduce", **options
        )
        shown.append(Opened(context.new_page(), path))
        return shown[-1]

    yield show
    for each in shown:
        problems, asked = list(each.problems), list(each.asked)
        each.page.context.close()
        assert problems == []
        assert asked == [each.path.as_uri()]
