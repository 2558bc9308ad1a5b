"""The page's data: what is packed into it, its numbers, and that no text can leave its place."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bench import report_world as worlds
from keepalived_core.cluster import clock
from keepalived_core.cluster.answers import Answer
from keepalived_core.cluster.report import document, history, incidents, known, numbers, plain
from keepalived_core.cluster.report.history import Texts

ROOT = Path(__file__).resolve().parents[3]
BEGIN = worlds.NOW - worlds.DAY
BASE = round(BEGIN * 1000)


def cluster(**more: object) -> worlds.Cluster:
    made = worlds.Cluster("c", ["n1", "n2"], {"VI": ("192.0.2.10/24", 51)})
    made.begin(BEGIN)
    return made


def unpacked(sheet: dict, lane: dict) -> list[tuple]:
    texts, spans = sheet["texts"], lane["spans"]
    return [
        (spans[at], spans[at + 1], texts[spans[at + 2]], texts[spans[at + 3]], spans[at + 4])
        for at in range(0, len(spans), 5)
    ]


def test_lanes_are_what_the_timeline_has_with_the_reasons_of_their_rows() -> None:
    one = cluster()
    one.failover(BEGIN + 100, 20)
    one.drain(BEGIN + 500, 50)

    sheet = worlds.sheet_of([one], 1)
    lanes = {lane["node"]: unpacked(sheet, lane) for lane in sheet["timeline"]["lanes"]}

    end = round(worlds.DAY * 1000)
    assert lanes["n1"] == [
        (0, 4000, "BACKUP", "", 0),
        (4000, 96000, "MASTER", "", 0),
        (100000, 20000, "FAULT", "check chk_haproxy failed", 0),
        (120000, 3600, "BACKUP", "no longer faulty (was: check chk_haproxy failed)", 0),
        (123600, 376402, "MASTER", "", 0),
        (500002, 49998, "BACKUP", "drained by hand", 1),
        (550000, end - 550000, "MASTER", "", 1),
    ]


def test_of_a_lane_with_too_many_stretches_the_newest_are_kept_and_the_others_counted() -> None:
    one = cluster()
    for turn in range(20):
        one.flap(BEGIN + 100 + turn * 600)
    timeline = {"c": one.timeline(BEGIN)}
    all_of_them = history.lanes(timeline, BASE, Texts())
    texts = Texts()

    some = history.lanes(timeline, BASE, texts, most=60)

    assert [len(lane["spans"]) for lane in some["lanes"]] == [150, 150]
    assert some["lanes"][0]["spans"][-5] == all_of_them["lanes"][0]["spans"][-5]
    kept = 60
    total = sum(len(lane["spans"]) // 5 for lane in all_of_them["lanes"])
    assert (all_of_them["cut"], some["cut"]) == (0, total - kept)


NUMBERS = {
    "nothing happened": (lambda one: None, (0.0, 0, 0, 0, 0, None)),
    "a failover and home again": (
        lambda one: one.failover(BEGIN + 100, 20, gap=0.6),
        (0.6, 1, 0, 2, 0, 86400.0),
    ),
    "two of them": (
        lambda one: [one.failover(BEGIN + at, 20, gap=0.6) for at in (100, 1000)],
        (1.2, 2, 0, 4, 0, 43200.0),
    ),
    "a drain": (lambda one: one.drain(BEGIN + 100, 500), (0.0, 0, 0, 0, 2, None)),
    "an outage": (lambda one: one.outage(BEGIN + 100, 10), (13.6, 1, 0, 0, 0, 86400.0)),
}


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_of_an_address(name: str) -> None:
    happens, expected = NUMBERS[name]
    one = cluster()
    happens(one)

    (row,) = numbers.of_cluster("c", one.wiring()["instances"], one.timeline(BEGIN))

    found = [row[key] for key in ("without", "outages", "outages_planned", "changes",
                                  "changes_planned")]  # fmt: skip
    assert (*found, row["between"]) == expected
    assert row["seconds"] == 86400.0
    assert row["availability"] == pytest.approx(1 - expected[0] / 86400)


def test_a_gap_that_a_planned_row_opens_is_a_planned_outage() -> None:
    one = cluster()
    one.row(BEGIN + 100, "n1", "VI", "BACKUP", planned=True)
    one.row(BEGIN + 102, "n2", "VI", "MASTER")

    (row,) = numbers.of_cluster("c", one.wiring()["instances"], one.timeline(BEGIN))

    assert (row["outages"], row["outages_planned"], row["without"]) == (0, 1, 2.0)
    assert (row["changes"], row["changes_planned"]) == (0, 1)


def test_of_an_instance_nobody_told_of_no_number_is_made_up() -> None:
    one = worlds.Cluster("c", ["n1", "n2"], {"VI": ("192.0.2.10/24", 51)})
    one.state = {}

    (row,) = numbers.of_cluster("c", one.wiring()["instances"], one.timeline(BEGIN))

    assert row["availability"] is None and row["without"] is None


def test_an_incident_is_packed_and_nothing_of_it_is_lost() -> None:
    one = cluster()
    one.failover(BEGIN + 100, None)
    (told,) = one.incidents
    texts = Texts()

    (row,) = incidents.packed([told], BASE, texts)
    named = dict(zip(incidents.COLUMNS, row, strict=True))

    assert named["id"] == told["id"]
    assert texts.all[named["kind"]] == "failover"
    assert (named["opened"], named["resolved"]) == (100_000, -1)
    assert texts.all[named["cause"]] == told["cause"]["text"]
    assert [(texts.all[name], [texts.all[node] for node in nodes])
            for name, nodes in named["owners"]] == [("VI", ["n2"])]  # fmt: skip
    assert [(texts.all[node], texts.all[why]) for node, why in named["not_ready"]] == [
        ("n1", "FAULT: check chk_haproxy failed")
    ]


def test_the_newest_incident_is_first_and_what_was_over_before_is_left_out() -> None:
    one = cluster()
    one.failover(BEGIN + 100, 20)
    one.split(BEGIN + 1000, 10)

    all_of_them = worlds.sheet_of([one], 1)
    late = worlds.sheet_of([one], 1, begin=BEGIN + 500)

    kind = all_of_them["columns"].index("kind")
    shown = [all_of_them["texts"][row[kind]] for row in all_of_them["incidents"]]
    assert shown == ["split_brain", "failover"]
    assert len(late["incidents"]) == 1


def test_a_cluster_of_which_a_part_of_the_time_is_shown_is_named() -> None:
    cut = {"a": {"cut": "2026-11-20T00:00:00.500000Z"}, "b": {"cut": None}}
    (said,) = known.notes(cut)
    assert said.startswith("a: a node has more than 5,000 rows")
    assert "2026-11-20T00:00:00Z" in said


def test_without_a_hub_there_is_a_page_of_what_the_nodes_say() -> None:
    sheet = worlds.sheet_of(worlds.story(), 14, found=None, hub=None)

    assert sheet["incidents"] is None and sheet["hub"] is None
    assert {each["verdict"] for each in sheet["clusters"]} == {"degraded", "ok"}


WITHOUT_ASKING = {
    "one owner": (lambda one, hub: None, "ok", "n1"),
    "an open incident": (
        lambda one, hub: one.failover(worlds.NOW - 60, None),
        "degraded",
        "n2",
    ),
    "a node that is not heard": (
        lambda one, hub: hub["nodes"][1]["states"]["VI"].update(age=31.0),
        "unknown",
        "n1",
    ),
    "a hub that does not run": (lambda one, hub: hub.update(problem="no"), None, None),
}


@pytest.mark.parametrize("name", WITHOUT_ASKING)
def test_without_asking_it_is_what_the_hub_heard_last(name: str) -> None:
    happens, verdict, owner = WITHOUT_ASKING[name]
    one = cluster()
    hub = worlds.hub_of([one])
    happens(one, hub)
    if one.incidents:
        hub = worlds.hub_of([one])

    sheet = worlds.sheet_of([one], 1, status=None, audit=None, hub=hub)
    (shown,) = sheet["clusters"]
    (instance,) = shown["instances"]

    assert shown["verdict"] == verdict
    assert (instance["vips"][0]["owners"] or [None])[0] == owner


NO_ROWS = {
    "no mapping": "text",
    "an instance that is no name": {"instance": {"a": 1}},
    "a name that is much too long": {"instance": "a" * 5000},
    "addresses that are none": {"vips": [{"address": "192.0.2.10"}]},
    "addresses without end": {"vips": ["192.0.2.10"] * 5000},
}


@pytest.mark.parametrize("name", NO_ROWS)
def test_of_what_a_node_says_of_itself_only_rows_are_taken(name: str) -> None:
    one = cluster()
    rows = [{**row, "seq": place} for place, row in enumerate(one.rows["n1"], 1)]
    odd = NO_ROWS[name]
    odd = {**rows[0], "seq": 99, **odd} if isinstance(odd, dict) else odd

    said = {"n1": Answer([*rows, odd], worlds.NOW), "n2": Answer("Traceback", worlds.NOW)}
    told = known.of_nodes({"c": ["n1", "n2"]}, said, BEGIN, worlds.NOW)["c"]

    assert [row["to"] for row in told["rows"]] == ["BACKUP", "MASTER"]
    assert told["missing"] == {"n2": "Traceback"}


def test_the_owner_of_an_address_is_who_has_it_on_the_wire_or_in_its_kernel() -> None:
    one = cluster()
    one.state["n2", "VI"] = "MASTER"

    sheet = worlds.sheet_of([one], 1)
    (instance,) = sheet["clusters"][0]["instances"]

    assert instance["vips"][0]["owners"] == ["n1", "n2"]
    assert instance["vips"][0]["style"] == "bad"
    assert instance["verdict"] == "split brain"


def test_what_the_page_needs_nothing_for_is_not_in_it() -> None:
    sheet = worlds.sheet_of(worlds.story(), 14)
    assert "path" not in sheet["hub"]["file"]


# --- the file ---

HOSTILE = "</script><img src=x onerror=alert(1)><!-- & \u2028 ' \""


def page(text: str = HOSTILE) -> str:
    one = worlds.Cluster(text, ["n1", text], {text: ("192.0.2.10/24", 51)})
    one.begin(BEGIN)
    one.failover(BEGIN + 100, None)
    one.incidents[0]["cause"]["text"] = text
    sheet = worlds.sheet_of([one], 1, notes=[text])
    return document.html(sheet, plain.screen(worlds.status_of([one]), {"clusters": []}))


class Elements(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def test_a_hostile_text_stays_a_text() -> None:
    text = page()
    elements = Elements(text)

    assert "img" not in elements.tags
    assert elements.tags.count("script") == 2
    assert not [name for name, _ in elements.attributes if name.startswith("on")]
    (block,) = re.findall(r'<script type="application/json" id="sheet">(.*?)</script>', text, re.S)
    assert "<" not in block and block.isascii()
    assert json.loads(block)["notes"] == [HOSTILE]


def test_the_policy_allows_the_one_style_and_the_one_script_and_nothing_else() -> None:
    text = page("c")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.S)

    def named(part: str) -> str:
        return f"&#x27;sha256-{base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()}"

    assert policy.startswith("default-src &#x27;none&#x27;; ")
    assert f"style-src {named(style)}" in policy
    assert f"script-src {named(script)}" in policy
    assert "unsafe" not in policy


def test_the_page_names_no_other_place() -> None:
    text = page("c")
    # the name of a kind of element, which no browser asks for
    assert set(re.findall(r"https?://[^\"' ]*", text)) == {"http://www.w3.org/2000/svg"}
    assert not [
        value for name, value in Elements(text).attributes
        if name in ("src", "href", "action") and value and not value.startswith(("#", "data:,"))
    ]  # fmt: skip


def test_without_scripts_it_says_what_a_terminal_would() -> None:
    (short,) = re.findall(r"<noscript>.*?<pre>(.*?)</pre>", page("c"), re.S)
    assert "FAULT" in short and "192.0.2.10/24" in short


WAYS_TO_MAKE_HTML = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(",
                     "new Function", "DOMParser")  # fmt: skip


@pytest.mark.parametrize("word", WAYS_TO_MAKE_HTML)
def test_no_script_of_the_page_makes_html_of_a_text(word: str) -> None:
    assert word not in document.SCRIPT


def test_ten_thousand_incidents_of_a_hundred_nodes_are_less_than_5_mb() -> None:
    sheet = worlds.sheet_of(worlds.large(), 30)
    assert len(sheet["incidents"]) == 10_000
    assert len({lane["node"] for lane in sheet["timeline"]["lanes"]}) == 100
    assert len(document.html(sheet, "").encode()) < 5_000_000


def test_times_are_milliseconds() -> None:
    assert history.ms(clock.render(1.0015)) == 1002
    assert history.ms("no time") is None
