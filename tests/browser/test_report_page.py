"""The page of keepalived.report in a real browser: by pointer, keys, eyes, ears and paper."""

from __future__ import annotations

import re
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from bench import report_world as worlds
from keepalived_core.cluster.report import document, plain

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

HOSTILE = "</script><img src=x onerror=alert(1)>"
LONG = "a-name-that-somebody-made-much-too-long-to-fit-anywhere-" * 3


def html(clusters: list[worlds.Cluster], days: float = 14, **changes: Any) -> str:
    sheet = worlds.sheet_of(clusters, days, **changes)
    return document.html(sheet, plain.screen(worlds.status_of(clusters), {"clusters": []}))


@pytest.fixture(scope="module")
def story() -> str:
    return html(worlds.story())


@pytest.fixture(scope="module")
def large() -> str:
    return html(worlds.large(), 30)


@pytest.fixture
def page(opened, story):
    return opened(story)


def rows(shown) -> list[str]:
    """The incidents that are in the list, from top to bottom."""
    return shown.page.evaluate(
        """() => [...document.querySelectorAll('.incident:not([hidden])')]
          .sort((a, b) => a.ariaRowIndex - b.ariaRowIndex).map((row) => row.innerText)"""
    )


def test_the_first_glance(page) -> None:
    assert "Degraded" in page.text("#verdict")
    assert "controllers VI_PUBLIC" in page.text("#verdict")
    assert "3 of 3" in page.text("#tiles") and "1" in page.text("#tiles")
    assert page.page.locator("article.cluster").count() == 2


def test_the_picture_says_who_holds_what(page) -> None:
    picture = page.page.get_by_role("article", name="Cluster controllers")
    owner = picture.locator(".node.on")
    assert owner.count() == 1
    assert re.search(r"controller2.*MASTER.*has the address", owner.inner_text(), re.S)
    assert "held by controller2" in picture.locator(".vip").inner_text()
    assert picture.locator(".links path.on").count() == 1
    assert picture.get_by_text("FAULT when it fails").count() == 6


# --- the filter ---

FILTERS = {
    "a cluster": ("#by-cluster", "edge", "Shown: 1 cluster, 4 lanes, 6 incidents, 2 findings"),
    "a node": ("#by-node", "controller1", "Shown: 1 cluster, 1 lane, 1 incident, 0 findings"),
    "an instance": (
        "#by-instance",
        "VI_WEB6",
        "Shown: 1 cluster, 2 lanes, 3 incidents, 2 findings",
    ),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_choice_is_one_for_all_parts_and_is_told(page, name) -> None:
    selector, value, told = FILTERS[name]
    page.page.select_option(selector, value)
    page.says("#count", told)

    page.page.get_by_role("button", name="Show all").click()
    page.says("#count", re.compile("^2 clusters, 7 lanes, 11 incidents, 3 findings$"))


def test_a_text_is_looked_for_in_names_and_causes(page) -> None:
    page.page.get_by_role("searchbox").fill("firewall drops")
    page.says("#count", "2 incidents")
    assert len(rows(page)) == 2
    assert all("split brain" in row for row in rows(page))
    assert page.page.get_by_text("No finding fits the filter.").is_visible()


def test_kinds_and_open_ones(page) -> None:
    page.page.get_by_role("button", name="no master", exact=True).click()
    page.says("#count", "1 incident,")
    assert len(rows(page)) == 1
    page.page.get_by_role("button", name="flapping", exact=True).click()
    page.says("#count", "2 incidents")
    assert len(rows(page)) == 2
    page.page.get_by_role("button", name="open", exact=True).click()
    page.says("#count", "0 incidents")
    assert page.page.get_by_text("No incident fits the filter.").is_visible()


# --- incidents ---


def test_details_by_keys_and_back(page) -> None:
    first = page.page.locator(".incident:not([hidden]) button").first
    first.focus()
    page.page.keyboard.press("Enter")
    dialog = page.page.get_by_role("dialog")
    assert dialog.is_visible()
    told = dialog.inner_text()
    assert "controller3 is FAULT: check chk_haproxy failed" in told
    assert "Nothing has to be done at once" in told
    assert "salt-run keepalived.explain i" in told

    page.page.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert first.evaluate("(link) => document.activeElement === link")


def test_arrows_move_along_the_list(page) -> None:
    page.page.locator(".incident:not([hidden]) button").first.focus()
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowDown")
    place = page.page.evaluate("() => document.activeElement.closest('.incident').ariaRowIndex")
    assert place == "4"
    page.page.keyboard.press("End")
    place = page.page.evaluate("() => document.activeElement.closest('.incident').ariaRowIndex")
    assert place == "12"


def test_older_and_newer_and_into_the_timeline(page) -> None:
    page.page.locator(".incident:not([hidden])").first.click()
    dialog = page.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Older").click()
    assert "edge VI_WEB" in dialog.inner_text()
    dialog.get_by_role("button", name="In the timeline").click()
    assert not dialog.is_visible()
    assert "failover: edge VI_WEB" in page.text("#picked")


def test_columns_sort(page) -> None:
    page.page.get_by_role("button", name="No owner").click()
    assert "no master" in rows(page)[0]
    page.page.get_by_role("button", name="No owner").click()
    assert "split brain" in rows(page)[0]
    title = page.page.get_by_role("columnheader", name="No owner")
    assert title.get_attribute("aria-sort") == "ascending"


def test_of_ten_thousand_only_those_seen_exist_and_all_can_be_reached(opened, large) -> None:
    shown = opened(large)
    shown.says("#count", "10,000 incidents")
    assert shown.page.locator(".incident").count() < 80

    box = shown.page.locator("#incident-rows")
    box.evaluate("(each) => { each.scrollTop = each.scrollHeight; }")
    shown.until(
        "() => [...document.querySelectorAll('.incident:not([hidden])')]"
        ".some((row) => row.ariaRowIndex === '10001')"
    )
    assert "2026-10-27" in rows(shown)[-1]

    shown.page.get_by_role("searchbox").fill("cluster07")
    shown.says("#count", "Shown: 1 cluster, 3 lanes, 303 incidents")


# --- the timeline ---


def seconds(told: str) -> float:
    """How much time is shown."""
    sizes = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    parts = re.findall(r"([\d.]+) ([dhms])", re.search(r"\((.*)\)", told)[1])
    return sum(float(number) * sizes[unit] for number, unit in parts)


def after(shown, before: str, act) -> str:
    """What is said to be shown after that act, which changes it."""
    act()
    expect(shown.page.locator("#lanes-shown")).not_to_have_text(before)
    return shown.text("#lanes-shown")


MOVES = {
    "button in": lambda page: page.get_by_role("button", name="Show less time").click(),
    "key in": lambda page: (page.locator("#lanes").focus(), page.keyboard.press("+")),
    "wheel in": lambda page: (
        page.locator("#lanes").hover(),
        page.keyboard.down("Control"),
        page.mouse.wheel(0, -60),
        page.keyboard.up("Control"),
    ),
    "double click": lambda page: page.locator("#lanes-paper").dblclick(),
    "a stretch": lambda page: page.select_option("#stretch", label="1 day"),
}


@pytest.mark.parametrize("name", MOVES)
def test_the_timeline_zooms(page, name) -> None:
    before = after(page, "", lambda: page.page.locator("#lanes").scroll_into_view_if_needed())
    closer = after(page, before, lambda: MOVES[name](page.page))
    assert 0 < seconds(closer) < seconds(before) * 0.8
    page.page.locator("#lanes").focus()
    page.page.keyboard.press("0")
    page.says("#lanes-shown", before)


def test_the_timeline_moves_by_keys_and_by_dragging(page) -> None:
    def drag() -> None:
        box = page.page.locator("#lanes-paper").bounding_box()
        page.page.mouse.move(box["x"] + 400, box["y"] + 80)
        page.page.mouse.down()
        page.page.mouse.move(box["x"] + 700, box["y"] + 80, steps=5)
        page.page.mouse.up()

    everything = after(page, "", lambda: None)
    day = after(page, everything, lambda: page.page.select_option("#stretch", label="1 day"))
    page.page.locator("#lanes").focus()
    earlier = after(page, day, lambda: page.page.keyboard.press("ArrowLeft"))
    earliest = after(page, earlier, drag)
    assert seconds(day) == seconds(earlier) == seconds(earliest) == 86400
    assert earliest < earlier < day


def test_the_next_incident_is_found_by_a_key_and_opened(page) -> None:
    page.page.locator("#lanes").focus()
    page.page.keyboard.press("n")
    assert "flapping: controllers VI_PUBLIC" in page.text("#picked")
    page.page.keyboard.press("p")
    assert "failover: controllers VI_PUBLIC" in page.text("#picked")
    page.page.keyboard.press("Enter")
    assert page.page.get_by_role("dialog").is_visible()


def test_a_state_under_the_pointer_says_why_it_began(page) -> None:
    page.page.select_option("#by-cluster", "controllers")
    page.says("#count", "Shown: 1 cluster")
    page.page.locator("#lanes").focus()
    for _ in range(3):
        page.page.keyboard.press("n")
    page.says("#picked", "failover, open: controllers VI_PUBLIC")
    box = page.page.locator("#lanes-paper").bounding_box()
    # the incident fills the middle third; the first lane is that of the highest priority
    page.page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 26 + 30 + 11)
    page.says("#tip", "controller3 VI_PUBLIC: FAULT")
    page.says("#tip", "check chk_haproxy failed")


def test_the_lanes_are_there_in_words_too(page) -> None:
    page.page.locator("#spans summary").click()
    page.says("#spans table", "check chk_haproxy failed")


# --- hostile texts, small screens, light and dark, paper ---


def hostile_world(text: str) -> list[worlds.Cluster]:
    one = worlds.Cluster(text, [text, "n2"], {text: ("192.0.2.10/24", 51)})
    one.begin(worlds.NOW - worlds.DAY)
    one.failover(worlds.NOW - 3600, None)
    one.incidents[0]["cause"]["text"] = text
    return [one]


def test_a_hostile_text_is_shown_and_does_nothing(opened) -> None:
    shown = opened(html(hostile_world(HOSTILE), notes=[HOSTILE]))
    assert shown.page.locator("img").count() == 0
    assert HOSTILE in shown.text("#notes")
    assert HOSTILE in shown.text("article.cluster")
    shown.page.locator(".incident").first.click()
    assert HOSTILE in shown.text("#details")


def test_no_script_but_the_pages_own_runs(opened, story) -> None:
    shown = opened(story)
    ran = shown.page.evaluate(
        """() => {
          const one = document.createElement('script');
          one.textContent = 'window.ran = true';
          document.body.append(one);
          return window.ran === true;
        }"""
    )
    assert ran is False
    assert "violates the following Content Security Policy" in shown.problems.pop()


@pytest.mark.parametrize("name", ["story", "long names"])
@pytest.mark.parametrize("width", [320, 768])
def test_nothing_is_wider_than_the_screen(opened, story, name, width) -> None:
    text = story if name == "story" else html(hostile_world(LONG), notes=[LONG])
    shown = opened(text, width=width, height=700)
    assert shown.page.evaluate("() => document.documentElement.scrollWidth") <= width
    if width == 320:
        shown.page.get_by_role("button", name="Filter").click()
        assert shown.page.evaluate("() => document.documentElement.scrollWidth") <= width
        shown.page.get_by_role("button", name="Filter").click()
    shown.page.locator(".incident").first.click()
    assert shown.page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert shown.page.get_by_role("dialog").bounding_box()["width"] <= width


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (1280, "dark"), (320, "dark")])
def test_axe_finds_nothing(opened, story, scheme, width) -> None:
    shown = opened(story, width=width, color_scheme=scheme)
    shown.page.locator("#spans summary").click()
    shown.says("#spans", "chk_haproxy failed")
    wrong = Axe().run(shown.page)
    assert not wrong.violations_count, wrong.generate_report()
    shown.page.locator(".incident:not([hidden])").first.click()
    wrong = Axe().run(shown.page)
    assert not wrong.violations_count, wrong.generate_report()


def test_the_colours_can_be_chosen(page) -> None:
    def back() -> str:
        return page.page.evaluate("() => getComputedStyle(document.body).backgroundColor")

    button = page.page.locator("#theme")
    seen = [back()]
    for _ in range(3):
        button.click()
        seen.append(back())
    assert seen[0] == seen[1] == seen[3] != seen[2]


def test_on_paper_all_is_there(page) -> None:
    page.page.get_by_role("button", name="Colours").click()
    page.page.get_by_role("button", name="Colours").click()
    paper = page.page.pdf(format="A4")
    assert paper.startswith(b"%PDF")
    assert page.page.locator("#incident-print tbody tr").count() == 11
    # the screen is as it was before
    assert page.page.evaluate("() => document.documentElement.dataset.theme") == "dark"


#: CSS pixels between the margins of A4, as Chromium prints it.
A4 = 718


def test_on_paper_no_table_is_cut_and_no_cluster_torn_from_its_name(opened, story) -> None:
    shown = opened(story, width=A4)
    shown.page.emulate_media(media="print")
    cut = """() => [...document.querySelectorAll("#number-table, .sideways, main")]
        .filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.id)"""
    torn = """() => [...document.querySelectorAll(".cluster")]
        .filter((each) => getComputedStyle(each).breakInside !== "avoid").length"""

    assert shown.page.evaluate(cut) == []
    assert shown.page.evaluate(torn) == 0
    assert shown.page.locator(".cluster").count() == 2


LITTLE = {
    "without a hub": {"found": None, "hub": None},
    "without asking": {"status": None, "audit": None},
    "with nothing": {"found": None, "hub": None, "status": None, "audit": None, "timelines": {}},
}


@pytest.mark.parametrize("name", LITTLE)
def test_little_is_known_and_that_is_said(opened, name) -> None:
    shown = opened(html(worlds.story(), **LITTLE[name]))
    missing = shown.page.locator(".none:visible").all_inner_texts()
    assert missing and all(missing)
    assert shown.page.locator("article.cluster").count() == 2
