"""The page of ``keepalived.report`` with as much as it must bear, in Debian's Chromium.

10,000 incidents of 100 nodes in 33 clusters over 30 days.  Measured: what the master needs for it,
the file, how long until it is drawn, and the time from frame to frame while one scrolls, filters,
and moves about in the timeline.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench import report_world as worlds
from bench.browser import FLAGS, PATH

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "salt" / "_utils"))

from keepalived_core.cluster.report import document, plain

INCIDENTS, CLUSTERS, DAYS = 10_000, 33, 30
#: What may not be exceeded: bytes, and milliseconds of 95 of 100 frames.
MOST_BYTES, MOST_FRAME = 5_000_000, 50.0
FRAMES = 120
ROUNDS = 5

#: Runs one act a frame, and says how long each frame took.
_FRAMES = """async ([act, frames, half]) => {
  const run = {
    list: (turn) => { document.getElementById('incident-rows').scrollTop += turn % 3 ? 170 : 900; },
    page: (turn) => { scrollBy(0, turn < half ? 90 : -90); },
    lanes: (turn) => { document.getElementById('lanes').scrollTop += turn < half ? 40 : -40; },
    zoom: (turn) => { press(turn < half ? '+' : '-'); },
    pan: (turn) => { press(turn < half ? 'ArrowLeft' : 'ArrowRight'); },
    type: (turn) => choose('by-text', 'input', turn % 12 ? null : ['c', 'cl', 'cluster1',
      'haproxy', 'n2', ''][turn / 12 % 6]),
    node: (turn) => choose('by-node', 'change', turn % 6 ? null
      : document.getElementById('by-node').options[turn % 90].value),
  }[act];
  function press(key) {
    document.getElementById('lanes').dispatchEvent(new KeyboardEvent('keydown', {key}));
  }
  function choose(id, kind, value) {
    if (value === null) return;
    document.getElementById(id).value = value;
    document.getElementById(id).dispatchEvent(new Event(kind));
  }
  const frame = () => new Promise(requestAnimationFrame);
  await frame();
  const times = [];
  let last = await frame();
  for (let turn = 0; turn < frames; turn += 1) {
    run(turn);
    const now = await frame();
    times.push(now - last);
    last = now;
  }
  return times;
}"""
#: name of the row -> (act, where the page is scrolled to before)
ACTS = {
    "the list of incidents, scrolled": ("list", "incidents"),
    "the whole page, scrolled": ("page", "now"),
    "the timeline, zoomed": ("zoom", "timeline"),
    "the timeline, moved": ("pan", "timeline"),
    "100 lanes, scrolled": ("lanes", "timeline"),
    "a text, typed into the filter": ("type", "incidents"),
    "one node after the other, chosen": ("node", "timeline"),
}


def made() -> tuple[str, float]:
    """The page, and the processor seconds that the master needs for it from plain data on."""
    clusters = worlds.large(CLUSTERS, INCIDENTS)
    begin = time.process_time()
    sheet = worlds.sheet_of(clusters, DAYS)
    text = document.html(sheet, plain.screen(worlds.status_of(clusters), {"clusters": []}))
    return text, time.process_time() - begin


def frames(page: Page, act: str, where: str) -> list[float]:
    page.reload()
    page.evaluate("(id) => document.getElementById(id).scrollIntoView()", where)
    if act == "pan":
        page.select_option("#stretch", label="1 day")
    page.wait_for_timeout(500)
    found: list[Any] = page.evaluate(_FRAMES, [act, FRAMES, FRAMES // 2])
    return sorted(found)


def loaded(page: Page, path: Path) -> float:
    """Milliseconds from asking for the file until its first frame."""
    page.goto(path.as_uri())
    took: float = page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => done(performance.now())))"
    )
    return took


def main() -> int:
    text, seconds = made()
    size = len(text.encode())
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        path = Path(folder) / "page.html"
        path.write_text(text, encoding="utf-8")
        browser = play.chromium.launch(executable_path=PATH, args=FLAGS)
        print(f"Chromium {browser.version}; {INCIDENTS} incidents, {CLUSTERS} clusters\n")
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        first = statistics.median(loaded(page, path) for _ in range(ROUNDS))
        print("| what | bytes | made s | drawn ms |\n| --- | --- | --- | --- |")
        print(f"| the file | {size} | {seconds:.2f} | {first:.0f} |\n")
        print("| frames while | median ms | 95 % ms | longest ms |\n| --- | --- | --- | --- |")
        for name, (act, where) in ACTS.items():
            times = frames(page, act, where)
            late = times[int(len(times) * 0.95)]
            worst = max(worst, late)
            print(f"| {name} | {statistics.median(times):.1f} | {late:.1f} | {times[-1]:.1f} |")
        browser.close()
    print(
        f"\nlimits: {MOST_BYTES} bytes; 95 of 100 frames within {MOST_FRAME:g} ms.  Each row is "
        f"{FRAMES} frames, one act each (typing: every twelfth)."
    )
    return int(size > MOST_BYTES or worst > MOST_FRAME)


if __name__ == "__main__":
    sys.exit(main())
