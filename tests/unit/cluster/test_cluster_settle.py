"""Which transitions settle, as data: (state, at which second[, the state it says was before])."""

from __future__ import annotations

import pytest

from keepalived_core.cluster.settle import Mark, Settler, advert_ints, judge

CASES = {
    "a master that stays": ([("BACKUP", 0), ("MASTER", 5), ("BACKUP", 9)], "yes yes yes"),
    "a flash": ([("BACKUP", 0), ("MASTER", 5), ("BACKUP", 5.001)], "yes flash back"),
    "a flash that ends in a fault": (
        [("BACKUP", 0), ("MASTER", 5), ("FAULT", 5.2)],
        "yes flash yes",
    ),
    "exactly the settle time": ([("BACKUP", 0), ("MASTER", 5), ("BACKUP", 6)], "yes yes yes"),
    "loss counts at once": (
        [("MASTER", 0), ("FAULT", 3), ("BACKUP", 3.1), ("STOP", 3.2)],
        "yes yes yes yes",
    ),
    "the last may still flash": ([("BACKUP", 0), ("MASTER", 5)], "yes pending"),
    "told again after a restart": (
        [("MASTER", 0), ("MASTER", 5, "MASTER"), ("MASTER", 6, None)],
        "pending same same",
    ),
    "told again in the middle of a flash": (
        [("BACKUP", 0), ("MASTER", 5), ("MASTER", 5.1, "MASTER"), ("BACKUP", 5.2)],
        "yes flash same back",
    ),
    "told again, then it lasts": (
        [("BACKUP", 0), ("MASTER", 5), ("MASTER", 5.1, "MASTER"), ("BACKUP", 7)],
        "yes yes same yes",
    ),
    "many flashes": (
        [("BACKUP", 0), *((state, 5 + n / 10) for n in range(3) for state in ("MASTER", "BACKUP"))],
        "yes flash back flash back flash back",
    ),
    "the half in between was lost": (
        [("BACKUP", 0), ("BACKUP", 5, "MASTER")],
        "yes yes",
    ),
}


def marks(rows):
    before = None
    for seq, row in enumerate(rows, 1):
        state, at, *rest = row
        came_from = rest[0] if rest else before
        yield Mark(("s", seq), state, came_from, round(at * 1e6), round((50 + at) * 1e6))
        before = state


@pytest.mark.parametrize(("rows", "expected"), CASES.values(), ids=CASES)
def test_the_word_of_each_row(rows, expected) -> None:
    words, _ = judge(marks(rows))
    found = {word.key[1]: word.word for word in words}
    assert [found.get(seq, "pending") for seq in range(1, len(rows) + 1)] == expected.split()


@pytest.mark.parametrize(("rows", "expected"), CASES.values(), ids=CASES)
def test_time_going_by_before_a_row_that_is_late_changes_no_word(rows, expected) -> None:
    settler, found = Settler(), {}
    for mark in marks(rows):
        for word in settler.feed(mark):
            found[word.key[1]] = word.word
        early = settler.elapsed()
        if early:
            found[early.key[1]] = early.word
    expected = expected.replace("pending", "yes")
    assert [found[seq] for seq in range(1, len(rows) + 1)] == expected.split()


def test_what_was_told_too_early_is_retracted() -> None:
    settler = Settler()
    one, two, three = marks([("BACKUP", 0), ("MASTER", 5), ("BACKUP", 5.2)])
    settler.feed(one)
    settler.feed(two)
    assert settler.elapsed().word == "yes"
    settler = Settler(settler.save())  # a restart in between
    (flash, back) = settler.feed(three)
    assert (flash.key, flash.word, flash.retracts) == (two.key, "flash", True)
    assert (back.key, back.word, settler.state) == (three.key, "back", "BACKUP")


@pytest.mark.parametrize(
    ("jump", "word"), [(3600, "flash"), (-3600, "flash")], ids=["ahead", "back"]
)
def test_a_clock_set_in_the_middle_of_a_flash_makes_no_difference(jump, word) -> None:
    first = Mark(("s", 1), "MASTER", "BACKUP", 10_000_000, 500)
    then = Mark(("s", 2), "BACKUP", "MASTER", 10_000_000 + jump * 1_000_000, 900)
    assert judge([first, then])[0][0].word == word


def test_after_a_reboot_the_wall_clock_tells() -> None:
    first = Mark(("s", 1), "MASTER", "BACKUP", 10_000_000, 5_000_000_000)
    then = Mark(("s", 2), "BACKUP", "MASTER", 90_000_000, 3_000_000)
    assert judge([first, then])[0][0].word == "yes"


def test_settle_times_come_from_the_pillar() -> None:
    pillar = {
        "keepalived": {
            "config": {
                "vrrp_instance": {"A": {"advert_int": 0.5}, "B": {}, "C": {"advert_int": "x"}},
                "vrrp_sync_group": {"G": {"group": ["A", "B"]}},
            },
            "nodes": {"n1": {"config": {"vrrp_instance": {"B": {"advert_int": 3}}}}, "n2": None},
        }
    }
    assert advert_ints(pillar, "n1") == {"A": 0.5, "B": 3.0, "C": 1.0, "G": 3.0}
    assert advert_ints(pillar, "n2") == {"A": 0.5, "B": 1.0, "C": 1.0, "G": 1.0}
    assert advert_ints({}, "n1") == {}
