"""However often and with whatever restarts the hub sees a history, its incidents are the same."""

from __future__ import annotations

import random

import pytest
from incident_play import CLUSTER, NODES, Happening, Play

HISTORIES = 2_000
STATES = ("MASTER", "BACKUP", "BACKUP", "FAULT", "STOP", "ghost", "hollow", "restored", "rx_lower")
#: When all is well again, and for how long it then stays so.
WELL, AFTER = 120.0, 100.0


def history(seed: int, silent: bool = True) -> list[Happening]:
    """Anything at all for two minutes; then one is MASTER and the others stand by."""
    chance = random.Random(seed)
    happened: list[Happening] = [(1, node, "BACKUP") for node in NODES] + [(5, "n3", "MASTER")]
    states = dict.fromkeys(NODES, "BACKUP") | {"n3": "MASTER"}
    odd = dict.fromkeys(NODES, "")
    at = 20.0
    for _ in range(chance.randrange(1, 14)):
        at += chance.choice((0.0, 0.001, 0.3, 0.7, 1.5, 4.5, 12.0))
        if at >= WELL - 1:
            break
        node, to = chance.choice(NODES), chance.choice(STATES)
        if silent and chance.random() < 0.1:
            happened.append((at, node, chance.choice(("silent", "heard"))))
            continue
        wrong = not to.isupper() and to != "rx_lower" and (to == "restored") != bool(odd[node])
        if to == states[node] or wrong:
            continue
        happened.append((at, node, to, {"planned": chance.random() < 0.15}))
        if to.isupper():
            stays = {states[node], to} <= {"BACKUP", "FAULT"} and odd[node] == "ghost"
            states[node], odd[node] = to, odd[node] if stays else ""
        elif to != "rx_lower":
            odd[node] = "" if to == "restored" else to
    happened += [(WELL, node, "heard") for node in NODES]
    for place, node in enumerate(NODES):
        if odd[node]:
            happened.append((WELL, node, "restored"))
        to = "MASTER" if node == "n3" else "BACKUP"
        if states[node] != to:
            happened.append((WELL + 0.01 + place / 1000, node, to))
    return happened


def told(play: Play) -> list[tuple[str, str, str]]:
    return [(what, kind, public["id"]) for _, what, kind, public in play.told]


def outcome(play: Play) -> dict[str, dict]:
    return {
        name: {key: value for key, value in case.items() if key not in ("as_of",)}
        for name, case in play.kept.items()
    }


@pytest.mark.parametrize("first", range(0, HISTORIES, 500))
def test_whatever_happens_all_is_resolved_when_all_is_well(first: int) -> None:
    for seed in range(first, first + 500):
        play = Play(look=1.0).play(history(seed), WELL + AFTER)
        still = {name: case for name, case in play.kept.items() if case["state"] != "resolved"}
        assert not still, f"seed {seed}"
        open_now: set[str] = set()
        for what, _, name in told(play):
            if what == "opened":
                open_now.add(name)
            assert open_now == {name}, f"seed {seed}: one at a time, and none after its end"
            if what == "resolved":
                open_now.discard(name)


@pytest.mark.parametrize("first", range(0, HISTORIES // 4, 250))
def test_a_replay_and_duplicates_give_the_same(first: int) -> None:
    for seed in range(first, first + 250):
        once = Play(look=1.0).play(history(seed), WELL + AFTER)
        again = Play(look=1.0, copies=2).play(history(seed), WELL + AFTER)
        for mark in again.marks:
            again.incidents.take(CLUSTER, mark)
        again.play([], again.now + 30)

        assert told(again) == told(once), f"seed {seed}"
        assert outcome(again) == outcome(once), f"seed {seed}"


@pytest.mark.parametrize("first", range(0, HISTORIES // 4, 250))
def test_a_restart_at_any_moment_gives_the_same(first: int) -> None:
    for seed in range(first, first + 250):
        happened = history(seed, silent=False)
        once = Play(look=1.0).play(happened, WELL + AFTER)
        again = Play(look=1.0)
        chance = random.Random(seed)
        for moment in sorted(chance.randrange(10, round(WELL)) for _ in range(3)):
            again.play([each for each in happened if again.now < each[0] <= moment], moment)
            again.restart()
        again.play([each for each in happened if each[0] > again.now], WELL + AFTER)

        # how often an open one is told anew may differ
        assert again.words == once.words, f"seed {seed}"
        assert outcome(again) == outcome(once), f"seed {seed}"


def test_rows_of_a_backlog_give_what_they_would_have_given_at_once() -> None:
    happened = [
        (1, "n1", "BACKUP"),
        (1, "n2", "BACKUP"),
        (5, "n3", "MASTER"),
        (100, "n3", "STOP"),
        (100.6, "n2", "MASTER"),
        (400, "n3", "BACKUP"),
        (500, "n3", "FAULT"),
        (500, "n2", "FAULT"),
        (500, "n1", "FAULT"),
        (700, "n1", "BACKUP"),
        (700, "n2", "BACKUP"),
        (700, "n3", "BACKUP"),
        (704, "n3", "MASTER"),
    ]
    at_once = Play().play(happened, 800)
    late = Play().play(happened[:3], 20)
    # the hub was away; then each node's relay sends what it has, one node after the other
    late.now = 900.0
    late.restart()
    late.send_later(happened[3:], 901.0)
    late.play([], late.now + 60)

    assert at_once.words == [
        "failover opened",
        "failover resolved",
        "no_master opened",
        "no_master resolved",
    ]
    assert late.words == at_once.words
    assert outcome(late) == outcome(at_once)
