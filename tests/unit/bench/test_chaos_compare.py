"""The comparison of truth and timeline must be able to fail: each seeded defect is found."""

import copy
import random

import pytest

from bench.chaos import compare
from bench.chaos.compare import Flip, Window

SECOND = 1_000_000
STATES = {True: "MASTER", False: "BACKUP"}


def row(seq, at, before, to, **more):
    return {
        "stream_id": "s",
        "seq": seq,
        "monotonic_us": at,
        "from": before,
        "to": to,
        "reason": "unknown",
        "vip_present": to == "MASTER",
        **more,
    }


def story(seed, length=40):
    """A truth, and rows that tell it faithfully: a few milliseconds late."""
    draw = random.Random(seed)
    at, held, before = 0, False, "BACKUP"
    truth, rows = [], []
    for seq in range(1, length + 1):
        at += draw.randint(200_000, 20 * SECOND)
        held = not held
        to = "MASTER" if held else draw.choice(["BACKUP", "FAULT", "STOP"])
        truth.append(Flip(at, held))
        rows.append(row(seq, at + draw.randint(0, 9000), before, to))
        before = to
    return truth, rows


SEEDS = range(20)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_faithful_timeline_has_no_finding(seed):
    truth, rows = story(seed)
    result = compare.compare("n", truth, rows)
    assert result.findings == []
    assert (result.compared, result.blind) == (len(truth), 0)
    assert 0 <= max(result.errors) < 0.01


def drop(rows, index):
    del rows[index]


def drop_and_renumber(rows, index):
    del rows[index]
    for number, each in enumerate(rows, 1):
        each["seq"] = number
    rows[index]["from"] = rows[index - 1]["to"]


def double(rows, index):
    rows.insert(index, copy.deepcopy(rows[index]))


def swap(rows, index):
    rows[index], rows[index - 1] = rows[index - 1], rows[index]


def swap_contents(rows, index):
    one, other = rows[index], rows[index - 1]
    one["seq"], other["seq"] = other["seq"], one["seq"]
    rows[index], rows[index - 1] = other, one


def phantom(rows, index):
    before, at = rows[index - 1]["to"], rows[index - 1]["monotonic_us"] + 100_000
    flip = "BACKUP" if before == "MASTER" else "MASTER"
    rows.insert(index, row(1000, at, before, flip))
    rows.insert(index + 1, row(1001, at + 1, flip, before))
    for number, each in enumerate(rows, 1):
        each["seq"] = number


def wrong_state(rows, index):
    del rows[index:]


DEFECTS = [
    (drop, {"order"}),
    (drop_and_renumber, {"lost"}),
    (double, {"doubled"}),
    (swap, {"order"}),
    (swap_contents, {"order"}),
    (phantom, {"invented"}),
    (wrong_state, {"lost"}),
]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("spoil", "kinds"), DEFECTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_seeded_defect_is_found(seed, spoil, kinds):
    truth, rows = story(seed)
    spoil(rows, random.Random(seed).randrange(2, len(rows) - 1))
    found = {finding.kind for finding in compare.compare("n", truth, rows).findings}
    assert kinds <= found


def test_a_missing_number_is_found():
    _, rows = story(1)
    assert compare.gaps("n", rows) == []
    del rows[5]
    (finding,) = compare.gaps("n", rows)
    assert (finding.kind, finding.text) == ("lost", "no row 6 (1 missing)")


def test_a_time_that_is_wrong_is_lost_and_invented():
    truth, rows = story(2)
    rows[7]["monotonic_us"] += 5 * SECOND
    kinds = [finding.kind for finding in compare.compare("n", truth, rows).findings]
    assert sorted(kinds) == ["invented", "lost"]


def test_what_happens_while_nobody_watches_is_counted_apart_but_its_result_counts():
    truth = [Flip(10 * SECOND, True), Flip(20 * SECOND, False), Flip(30 * SECOND, True)]
    rows = [row(1, 10 * SECOND, "BACKUP", "MASTER")]
    window = [Window(18 * SECOND, 32 * SECOND)]
    result = compare.compare("n", truth, rows, window)
    assert (result.compared, result.blind, result.findings) == (1, 2, [])
    result = compare.compare("n", truth[:2], rows, window)
    assert [finding.kind for finding in result.findings] == ["state"]


def test_outside_the_window_it_is_lost_all_the_same():
    truth = [Flip(10 * SECOND, True), Flip(60 * SECOND, False)]
    rows = [row(1, 10 * SECOND, "BACKUP", "MASTER")]
    result = compare.compare("n", truth, rows, [Window(18 * SECOND, 32 * SECOND)])
    assert "lost" in {finding.kind for finding in result.findings}


def test_a_flash_is_not_owed_but_something_longer_is():
    truth = [Flip(10 * SECOND, True), Flip(10 * SECOND + 10_000, False)]
    assert compare.compare("n", truth, []).findings == []
    assert compare.compare("n", truth, []).flashes == 2
    truth = [Flip(10 * SECOND, True), Flip(11 * SECOND, False)]
    assert compare.compare("n", truth, []).count("lost") == 2


@pytest.mark.parametrize(
    ("rows", "flips"),
    [
        (
            [("BACKUP", "MASTER", True), ("MASTER", "ghost", True), ("MASTER", "STOP", False)],
            [1, 0],
        ),
        ([("BACKUP", "ghost", True), ("BACKUP", "restored", False)], [1, 0]),
        (
            [("FAULT", "ghost", True), ("FAULT", "BACKUP", True), ("BACKUP", "restored", False)],
            [1, 0],
        ),
        (
            [("BACKUP", "MASTER", True), ("MASTER", "hollow", False), ("MASTER", "restored", True)],
            [1, 0, 1],
        ),
        ([("BACKUP", "priority", False), ("BACKUP", "rx_lower", False)], []),
    ],
)
def test_what_is_no_state_tells_of_the_address_too(rows, flips):
    told = [
        row(number, number, before, to, vip_present=held)
        for number, (before, to, held) in enumerate(rows, 1)
    ]
    assert [int(flip.held) for flip in compare.told_flips(told, False)] == flips


def test_seconds_without_and_with_too_many_owners():
    flips = {
        "a": [Flip(10 * SECOND, False), Flip(30 * SECOND, True)],
        "b": [Flip(13 * SECOND, True), Flip(31 * SECOND, False)],
    }
    held = {"a": True, "b": False}
    assert compare.unowned(flips, held, 0, 40 * SECOND) == (3.0, 1.0)
    blind = [Window(11 * SECOND + compare.TOLERANCE_US, 20 * SECOND)]
    assert compare.unowned(flips, held, 0, 40 * SECOND, blind) == (1.0, 1.0)


def hub_rows(rows):
    return [{**each, "node": "n", "seconds": 0.01} for each in rows]


def test_a_hub_that_has_every_row_once_and_in_order():
    _, rows = story(3)
    result = compare.delivered({"n": rows}, hub_rows(rows))
    assert (result.compared, result.findings) == (len(rows), [])


def stale(rows, index):
    rows[index]["to"] = "DELETED"


@pytest.mark.parametrize(
    ("spoil", "kind"), [(drop, "lost"), (double, "doubled"), (swap, "order"), (stale, "invented")]
)
def test_a_hub_s_seeded_defect_is_found(spoil, kind):
    _, rows = story(4)
    hub = hub_rows(rows)
    spoil(hub, 11)
    assert [each.kind for each in compare.delivered({"n": rows}, hub).findings] == [kind]


@pytest.mark.parametrize(
    ("at", "near"),
    [(5, False), (8.9, False), (9.1, True), (10.1, True), (11.5, True), (11.7, False), (30, False)],
)
def test_who_sends_adverts_was_master_about_then(at, near):
    rows = [
        row(1, 10 * SECOND, "BACKUP", "MASTER"),
        row(2, 10 * SECOND, "MASTER", "priority"),
        row(3, round(10.6 * SECOND), "MASTER", "STOP"),
    ]
    assert compare.master_near(rows, round(at * SECOND)) == near


def test_before_its_first_row_a_node_was_what_that_row_leaves():
    rows = [row(1, 10 * SECOND, "MASTER", "STOP")]
    assert compare.master_near(rows, 1 * SECOND)
    assert not compare.master_near(rows, 20 * SECOND)
    assert compare.master_near([], 20 * SECOND)


def test_an_address_that_came_and_went_at_one_time_is_gone():
    flips = {"a": [], "b": [Flip(10 * SECOND, True), Flip(10 * SECOND, False)]}
    assert compare.unowned(flips, {"a": True, "b": False}, 0, 40 * SECOND) == (0.0, 0.0)
