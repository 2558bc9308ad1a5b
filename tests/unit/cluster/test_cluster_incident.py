"""Which histories are incidents, as data: what the nodes said, and what was told of it."""

from __future__ import annotations

import itertools

import pytest
from incident_cases import CASES, WHOLE
from incident_play import EPOCH, Play

from keepalived_core.cluster import clock
from keepalived_core.cluster.incident_state import REMOVED


@pytest.mark.parametrize("delay", [0.05, 1.0], ids=["relay", "beacon"])
@pytest.mark.parametrize("name", CASES)
def test_a_history_and_what_is_told_of_it(name: str, delay: float) -> None:
    happened, told = CASES[name]

    play = Play(delay=delay).play([*WHOLE, *happened], 260)

    assert play.words == told
    assert len({public["id"] for *_, public in play.told}) <= 1, "one fault, one id"
    assert all(each["state"] == "resolved" for each in play.kept.values())


#: name: (what happened after WHOLE, (kind, seconds it lasted, without an owner, with several))
SECONDS = {
    "a failover": (
        [(100, "n3", "STOP"), (100.603, "n2", "MASTER"), (130.5, "n3", "BACKUP")],
        ("failover", 30.5, 0.603, 0),
    ),
    "a failover to the node that lost it": (
        [(100, "n3", "BACKUP", {"reason": REMOVED}), (100.61, "n3", "MASTER")],
        ("failover", 0.61, 0.61, 0),
    ),
    "the same between two heartbeats": (
        [(104, "n3", "BACKUP", {"reason": REMOVED}), (104.61, "n3", "MASTER")],
        ("failover", 0.61, 0.61, 0),
    ),
    "a node dies, and says so when it is there again": (
        [(100, "n3", "silent"), (103.6, "n2", "MASTER"), (150, "n3", "heard"),
         (150, "n3", "STOP", {"boot": "the next"}), (151, "n3", "BACKUP", {"boot": "the next"})],
        ("failover", 47.4, 0, 0),
    ),
    "a peer flashes within one moment": (
        [(100, "n3", "STOP"), (100.603, "n1", "MASTER"), (100.603, "n1", "BACKUP"),
         (100.603, "n2", "MASTER"), (130.5, "n3", "BACKUP")],
        ("failover", 30.5, 0.603, 0),
    ),
    "two masters": (
        [(100.25, "n2", "MASTER"), (130, "n2", "BACKUP")],
        ("split_brain", 29.75, 0, 29.75),
    ),
    "a ghost beside the new master": (
        [(100, "n3", "ghost"), (103.1, "n2", "MASTER"), (120, "n3", "STOP"),
         (121, "n3", "BACKUP")],
        ("ghost_vip", 20, 0, 16.9),
    ),
    "nobody": (
        [(100, "n3", "FAULT"), (100, "n2", "FAULT"), (100, "n1", "FAULT"),
         (130.004, "n1", "BACKUP"), (130, "n2", "BACKUP"), (130, "n3", "BACKUP"),
         (134.125, "n1", "MASTER")],
        ("no_master", 34.125, 34.125, 0),
    ),
    "nobody, after one that had it for a moment": (
        [(100, "n3", "FAULT"), (100.5, "n2", "MASTER"), (100.75, "n2", "FAULT"),
         (100.75, "n1", "FAULT"), (130, "n2", "BACKUP"), (130, "n3", "BACKUP"),
         (130, "n1", "BACKUP"), (134, "n3", "MASTER")],
        ("no_master", 34, 33.75, 0),
    ),
    "hollow": (
        [(100, "n3", "hollow"), (107.5, "n3", "restored")],
        ("hollow_master", 7.5, 7.5, 0),
    ),
    "two gaps in one incident": (
        [(100, "n3", "STOP"), (100.5, "n2", "MASTER"), (110, "n2", "STOP"),
         (110.75, "n1", "MASTER"), (120, "n2", "BACKUP"), (121, "n3", "BACKUP")],
        ("failover", 21, 1.25, 0),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SECONDS)
def test_seconds_are_those_of_the_rows(name: str) -> None:
    happened, (kind, lasted, without, several) = SECONDS[name]

    (found,) = Play().play([*WHOLE, *happened], 260).kept.values()

    assert found["kind"] == kind
    assert found["seconds"] == pytest.approx(lasted)
    assert found["seconds_without_owner"] == pytest.approx(without)
    assert found["seconds_several_owners"] == pytest.approx(several)
    assert found["exact"] is ("silent" not in {each[2] for each in happened})


@pytest.mark.parametrize("name", [name for name, (_, told) in CASES.items() if told])
def test_it_is_told_within_seconds_of_when_it_counts(name: str) -> None:
    happened, _ = CASES[name]
    play = Play(delay=1.0).play([*WHOLE, *happened], 260)

    at, _, kind, public = play.told[0]
    waits = {"degraded": 42, "failover": 12, "flapping": 60, "no_master": 5, "split_brain": 32}
    began = (clock.parse(public["opened"]) or 0) - EPOCH

    assert at - began <= waits.get(kind, 1) + 4


#: What the two owners' rows say, and the class of the cause.
SPLITS = {
    "no_adverts": ({}, []),
    "vip_list": ({"vips": ("192.0.2.10/24", "192.0.2.11/24")}, []),
    "vrid": ({"vrid": 53}, []),
    "one_way": ({}, [(100.1, "n3", "rx_lower")]),
    # the last advert of the one that yields
    "no_adverts, and over": ({}, [(110, "n3", "rx_lower"), (110.01, "n2", "BACKUP")]),
    # one that was frozen, and goes on
    "no_adverts, and nearly over": (
        {},
        [(110, "n3", "rx_lower"), (112.5, "n2", "BACKUP")],
    ),
    "one_way, later": ({}, [(110, "n3", "rx_lower")]),
    # the lower one that was heard was a third node, which yielded
    "no_adverts  ": (
        {},
        [(110, "n1", "MASTER"), (110.01, "n3", "rx_lower"), (110.02, "n1", "BACKUP")],
    ),
    # what was heard long before says nothing of now
    "no_adverts ": ({}, [(50, "n3", "rx_lower")]),
}


@pytest.mark.parametrize("word", SPLITS)
def test_the_cause_of_a_split_brain_is_what_its_rows_show(word: str) -> None:
    more, other = SPLITS[word]
    whole = [(*each, {"vrid": 52}) for each in WHOLE]

    play = Play().play([*whole, (100, "n2", "MASTER", more), *other], 140)

    assert play.told[-1][-1]["cause"]["class"] == word.split(",")[0].strip()


def test_a_machine_that_died_is_the_cause_also_when_it_is_there_again() -> None:
    happened, _ = SECONDS["a node dies, and says so when it is there again"]
    play = Play().play([*WHOLE, *happened], 260)

    assert [play.last(what)["cause"]["class"] for what in ("opened", "resolved")] == ["silent"] * 2


def test_nodes_that_just_come_back_are_not_taken_for_those_that_hear_a_stranger() -> None:
    happened, _ = CASES["all checks fail at once"]
    play = Play().play([*WHOLE, *happened], 260)

    assert [play.last(what)["cause"]["class"] for what in ("opened", "resolved")] == ["fault"] * 2


#: What happened, and a part of the text of the cause.
CAUSES = [
    ("a failed check moves the address", "n3 is FAULT: chk_haproxy failed"),
    ("keepalived is stopped by hand", "n3 is STOP"),
    ("a node dies, and comes back", "n3 was MASTER and is not heard any more"),
    ("keepalived is killed, a peer takes over, keepalived is started again", "192.0.2.10 stayed"),
    ("the master has no address", "n3: 192.0.2.10 is missing"),
    ("a backup fails for long", "n1 is FAULT: chk_haproxy failed"),
    ("a check that flaps on a backup", "n1 was in FAULT again and again: chk_haproxy failed"),
    ("a backup is not heard any more", "n1 is not heard any more"),
    ("all checks fail at once", "n1 is FAULT: chk_haproxy failed; n2 is FAULT"),
    ("a stranger with the same virtual_router_id is MASTER", "a router that is no member"),
]


@pytest.mark.parametrize(("name", "text"), CAUSES)
def test_the_cause_is_in_words(name: str, text: str) -> None:
    play = Play().play([*WHOLE, *CASES[name][0]], 260)

    assert text in play.last("opened")["cause"]["text"]


def test_an_owner_that_is_not_heard_is_no_second_one_until_it_is() -> None:
    dies = [*WHOLE, (100, "n3", "silent"), (103.6, "n2", "MASTER")]

    gone = Play().play(dies, 200)
    cut_off = Play().play([*dies, (150, "n3", "heard")], 200)

    assert gone.words == ["failover opened"]
    assert not gone.last("opened")["exact"]
    assert cut_off.words == ["failover opened", "split_brain opened"]


def test_without_an_answer_nothing_is_a_split_brain() -> None:
    play = Play(asked=False)
    play._beats["n3"] = 1e9

    play.play([*WHOLE, (6, "n2", "MASTER")], 40)

    assert not [word for word in play.words if "split" in word]


def test_what_is_still_wrong_after_an_incident_is_one_of_its_own() -> None:
    happened = [(98, "n1", "FAULT"), (100, "n2", "MASTER"), (130, "n2", "BACKUP")]

    play = Play().play([*WHOLE, *happened], 160)

    first, second = (public for _, what, _, public in play.told if what == "opened")
    assert play.words == ["split_brain opened", "split_brain resolved", "degraded opened"]
    assert first["id"] != second["id"]
    assert second["opened"] == play.last("resolved")["resolved"]


def test_a_sync_group_has_one_incident() -> None:
    def both(at: float, node: str, to: str) -> list:
        return [(at, node, to, {"instance": name, "group": "VG1"}) for name in ("VI", "V6")]

    happened = [
        row
        for at, node, to in [*WHOLE, (100, "n3", "STOP"), (100.6, "n2", "MASTER")]
        for row in both(at, node, to)
    ]
    play = Play(adverts={"VI": 1.0, "V6": 1.0}).play(happened, 130)

    assert play.words == ["failover opened"]
    assert play.last("opened")["instance"] == "VG1"


def test_changes_of_an_open_incident_are_told_but_not_too_often() -> None:
    happened = [(100, "n1", "FAULT"), (100, "n3", "FAULT"), (100.6, "n2", "MASTER")]
    blinks = [(102 + turn, "n1", ("BACKUP", "FAULT")[turn % 2]) for turn in range(4)]

    play = Play().play([*WHOLE, *happened, *blinks, (125, "n1", "BACKUP")], 135)

    updates = [at for at, what, _, _ in play.told if what == "updated"]
    assert updates
    assert all(later - earlier >= 10 for earlier, later in itertools.pairwise(updates))


def test_a_node_that_is_no_member_any_more_holds_nothing_open() -> None:
    play = Play().play([*WHOLE, (100, "n1", "FAULT")], 120)
    del play.members["n1"]
    play.incidents.configure(play.members, EPOCH + play.now)
    play.dumb.add("n1")
    play.play([], 150)

    assert play.words == ["degraded opened", "degraded resolved"]


def test_a_cluster_that_is_taken_away_leaves_no_open_incident() -> None:
    play = Play().play([*WHOLE, (100, "n1", "FAULT")], 120)
    play.incidents.configure({}, EPOCH + play.now)
    play._look()

    assert play.words == ["degraded opened", "degraded resolved"]
    assert play.last("resolved")["cause"]["class"] == "removed"
    assert list(play.saved.values()) == [None]


def test_history_from_before_the_hub_is_no_news() -> None:
    past = [(100, "n3", "STOP"), (100.6, "n2", "MASTER"), (200, "n3", "BACKUP")]
    play = Play()
    play.now = 3000.0
    play.restart()
    play.send_later([*WHOLE, *past], 3001.0)

    play.play([], 3100)

    assert play.words == []


def test_a_new_cluster_whose_first_owner_is_heard_late_was_never_without_one() -> None:
    """Its minion restarts at the end of its first highstate: its rows come a little later."""
    born = [
        (100, "n3", "BACKUP"), (100.04, "n2", "BACKUP"), (100.1, "n1", "BACKUP"),
        (102.7, "n3", "silent"), (103.6, "n3", "MASTER"), (113, "n3", "heard"),
    ]  # fmt: skip
    assert Play().play(born, 200).words == []
