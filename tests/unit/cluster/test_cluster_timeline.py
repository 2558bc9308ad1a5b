"""One order for all nodes, and the seconds without an owner."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keepalived_core.cluster import clock
from keepalived_core.cluster.facts import Answer
from keepalived_core.cluster.timeline import collect, merge, without_owner

BASE = clock.parse("2026-11-22T03:00:00Z") or 0.0
VIP = "192.168.1.220/24"


def row(seq: int, at: float, held: bool | None = None, **more: object) -> dict:
    return {
        "type": "instance",
        "instance": "VI",
        "stream_id": "stream",
        "seq": seq,
        "time": clock.render(BASE + at),
        "vips": [VIP],
        "vip_present": held,
        "from": None,
        "to": "MASTER" if held else "BACKUP",
        **more,
    }


def order(rows: list[dict]) -> list[tuple[str, int]]:
    return [(each["node"], each["seq"]) for each in rows]


def test_rows_of_all_nodes_are_in_the_order_of_their_times() -> None:
    rows = merge({"a": [row(1, 1), row(2, 4)], "b": [row(1, 3), row(2, 2.5)]})

    assert order(rows) == [("a", 1), ("b", 1), ("b", 2), ("a", 2)]


def test_a_row_that_comes_twice_appears_once() -> None:
    assert order(merge({"a": [row(1, 1), row(1, 1), row(2, 2)]})) == [("a", 1), ("a", 2)]


@pytest.mark.parametrize(
    "broken",
    [{"time": None}, {"time": "yesterday"}, {"seq": None}, {"seq": True}, {"seq": "1"}],
)
def test_a_row_that_cannot_be_placed_is_left_out(broken: dict) -> None:
    assert order(merge({"a": [{**row(1, 1), **broken}, row(2, 2)]})) == [("a", 2)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 100)), max_size=30), st.randoms())
def test_i3_a_nodes_rows_never_overtake_each_other(
    steps: list[tuple[str, float]], shuffle: random.Random
) -> None:
    journals: dict[str, list[dict]] = {"a": [], "b": [], "c": []}
    for node, at in steps:
        journals[node].append(row(len(journals[node]) + 1, at))
    written = {node: len(rows) for node, rows in journals.items()}
    for rows in journals.values():
        shuffle.shuffle(rows)

    placed = order(merge(journals))

    for node, count in written.items():
        assert [seq for one, seq in placed if one == node] == list(range(1, count + 1))


def gaps(**journals: list[dict]) -> dict:
    (found,) = without_owner(merge(journals), BASE + 100)
    return found


def test_i8_the_time_between_two_owners_is_counted() -> None:
    found = gaps(
        a=[row(1, 1, True), row(2, 10, False, **{"from": "MASTER"})],
        b=[row(1, 1, False), row(2, 12.25, True)],
    )

    assert found == {
        "vip": VIP,
        "seconds": 2.25,
        "open": False,
        "gaps": [
            {
                "from": "2026-11-22T03:00:10.000000Z",
                "to": "2026-11-22T03:00:12.250000Z",
                "seconds": 2.25,
            }
        ],
    }


def test_two_owners_at_once_are_no_gap() -> None:
    found = gaps(
        a=[row(1, 1, True), row(2, 10, False)],
        b=[row(1, 9.999, True)],
    )

    assert (found["seconds"], found["gaps"]) == (0, [])


def test_before_the_first_owner_nothing_is_missed() -> None:
    assert gaps(a=[row(1, 1, False), row(2, 5, True)])["seconds"] == 0


def test_what_a_node_left_as_master_it_held_before() -> None:
    found = gaps(
        a=[row(8, 10, False, **{"from": "MASTER"})],
        b=[row(9, 13, True, **{"from": "BACKUP"})],
    )

    assert found["seconds"] == 3


def test_two_masters_before_the_first_row_are_both_seen() -> None:
    found = gaps(
        a=[row(8, 10, False, **{"from": "MASTER"})],
        b=[row(9, 20, False, **{"from": "MASTER"}), row(10, 21, True)],
    )

    assert found["seconds"] == 1


def test_a_gap_that_is_still_open_counts_until_now() -> None:
    found = gaps(a=[row(1, 1, True), row(2, 40, False)])

    assert (found["seconds"], found["open"], found["gaps"][0]["to"]) == (60, True, None)


def test_rows_that_do_not_say_who_holds_it_change_nothing() -> None:
    found = gaps(a=[row(1, 1, True), row(2, 5, None), row(3, 40, True)])

    assert found["seconds"] == 0


def test_each_address_has_its_own_account() -> None:
    rows = merge(
        {
            "a": [row(1, 1, True, vips=["10.0.0.2/24", "10.0.0.1/24"]), row(2, 5, False)],
            "b": [row(1, 9, True, vips=["10.0.0.2/24"])],
        }
    )

    assert [(each["vip"], each["open"]) for each in without_owner(rows, BASE + 10)] == [
        ("10.0.0.1/24", False),
        ("10.0.0.2/24", False),
        (VIP, False),
    ]


@given(st.lists(st.tuples(st.floats(0.001, 50), st.booleans()), min_size=1, max_size=40))
def test_i8_the_sum_is_that_of_the_seconds_nobody_held_it(
    history: list[tuple[float, bool]],
) -> None:
    at, held, since_first, truth = 0.0, False, False, 0.0
    rows = []
    for seq, (pause, now_held) in enumerate(history, start=1):
        pause = round(pause, 6)
        if since_first and not held:
            truth += pause
        at, held = at + pause, now_held
        since_first = since_first or held
        rows.append(row(seq, at, held))
    (found,) = without_owner(merge({"a": rows}), BASE + at)

    assert found["seconds"] == pytest.approx(truth, abs=1e-4)
    assert found["open"] is (since_first and not held)


def test_a_journal_that_cannot_be_had_is_named() -> None:
    answers = {
        "a": Answer([row(1, 1, True), row(2, 2, False), "junk"], 0.0),
        "b": Answer("Traceback\nSpoolError: it is damaged", 0.0),
    }

    data = collect(["a", "b", "c"], answers, 1, BASE + 3)

    assert order(data["rows"]) == [("a", 2)]
    assert data["missing"] == {"b": "SpoolError: it is damaged", "c": "no answer"}
    assert data["vips"][0]["seconds"] == 1


def test_of_a_period_the_time_begins_where_the_rows_of_all_nodes_are_whole() -> None:
    # a was asked for its newest three rows, and has three: it may have had more
    answers = {
        "a": Answer([row(number, 10 * number, number % 2 == 0) for number in (7, 8, 9)], 0.0),
        "b": Answer([row(1, 5, True), row(2, 75, False)], 0.0),
    }

    data = collect("ab", answers, 3, BASE + 100, period=True)

    assert order(data["rows"]) == [("a", 7), ("b", 2), ("a", 8), ("a", 9)]
    assert data["cut"] == clock.render(BASE + 70)
    assert collect("ab", answers, 4, BASE + 100, period=True)["cut"] is None
    assert len(collect("ab", answers, 4, BASE + 100, period=True)["rows"]) == 5


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.5, 9), st.floats(0.5, 9)), max_size=12),
    st.integers(2, 12),
)
def test_i8_an_excerpt_counts_the_gaps_it_shows_and_no_time_of_which_it_knows_nothing(
    turns: list[tuple[str, float, float]], last: int
) -> None:
    journals: dict[str, list[dict]] = {"a": [], "b": [], "c": []}
    gaps, at = [], 0.0
    for node, hold, gap in turns:
        rows = journals[node]
        came = row(len(rows) + 1, at, True, **{"from": "BACKUP"})
        at += round(hold, 3)
        left = row(len(rows) + 2, at, False, **{"from": "MASTER"})
        gaps.append((BASE + at, round(gap, 3)))
        at += round(gap, 3)
        rows += [came, left]
    answers = {node: Answer(rows[-last:], 0.0) for node, rows in journals.items()}

    data = collect("abc", answers, last, BASE + at)

    if data["rows"]:
        begin = clock.parse(data["rows"][0]["time"])
        truth = sum(seconds for start, seconds in gaps if start >= begin)
        assert data["vips"][0]["seconds"] == pytest.approx(truth, abs=1e-3)
