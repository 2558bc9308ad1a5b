"""The docs' pictures of the page of ``keepalived.report``, of a history that is always the same.

``./run screens --page`` takes these alone, and needs no lab.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from bench import report_world as worlds
from bench.browser import FLAGS, PATH
from keepalived_core.cluster.report import document, plain

DAYS = 14
#: name of the file -> (width, height, light or dark, what is at the top, what is done before)
VIEWS = {
    "report": (1180, 1130, "light", "top", ""),
    "report-timeline": (1180, 900, "dark", "timeline", "n"),
    "report-phone": (360, 740, "light", "top", ""),
}


def take(target: Path) -> None:
    """Write them into the folder *target*."""
    clusters = worlds.story()
    sheet = worlds.sheet_of(clusters, DAYS)
    text = document.html(sheet, plain.screen(worlds.status_of(clusters), {"clusters": []}))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        path = Path(folder) / "page.html"
        path.write_text(text, encoding="utf-8")
        browser = play.chromium.launch(executable_path=PATH, args=FLAGS)
        for name in VIEWS:
            _picture(browser, path, name, target / f"{name}.png")
            print(f"{name}.png", flush=True)
        browser.close()


def _picture(browser: Browser, path: Path, name: str, target: Path) -> None:
    width, height, scheme, where, keys = VIEWS[name]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    # the page says how old it is
    page.clock.set_fixed_time(worlds.NOW)
    page.goto(path.as_uri())
    if where != "top":
        page.evaluate("(id) => document.getElementById(id).scrollIntoView()", where)
    for key in keys:
        page.locator("#lanes").focus()
        page.keyboard.press(key)
    page.wait_for_timeout(500)
    page.screenshot(path=target)
    context.close()
