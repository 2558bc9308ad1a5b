"""What the routes hear of an incident: its beginning, reminders, its end, each where it belongs."""

from __future__ import annotations

import pathlib
from collections.abc import Callable

import pytest
from alert_world import DEAD, World, incident

from keepalived_core.cluster import alert_incident
from keepalived_core.cluster.outbox import GIVE_UP, PAUSE_MAX


@pytest.fixture
def world(tmp_path: pathlib.Path) -> Callable[..., World]:
    return lambda **routes: World(tmp_path, **(routes or {"a": {}}))


def opened(site: World, name: str = "i1") -> dict[str, str] | None:
    site.incidents[name] = incident(name)
    return site.post(alert_incident.compose(site.incidents[name], "opened", site.now))


def resolved(site: World, name: str = "i1") -> dict[str, str] | None:
    site.incidents[name] = incident(name, "resolved")
    return site.post(alert_incident.compose(site.incidents[name], "resolved", site.now))


def test_the_end_is_told_to_those_that_were_told_of_the_beginning(world) -> None:
    site = world(a={"severity": ["critical"]}, b={"severity": ["info"]}, c={"clusters": ["d"]})

    assert opened(site) == {"a": "sent"}
    assert resolved(site) == {"a": "sent"}
    assert "is over" in site.texts("a")[1]
    assert site.texts("b") == site.texts("c") == []


def test_the_end_of_what_was_not_told_is_told_to_nobody(world) -> None:
    assert resolved(world()) == {}


def test_beginning_and_end_stay_in_order_when_the_receiver_was_dead(world) -> None:
    site = world()
    site.answers["a"] = DEAD
    opened(site)
    site.wait(25)
    resolved(site)
    site.answers["a"] = None
    site.wait(100)

    assert ["is over" in text for text in site.texts("a")] == [False, True]


def test_who_could_not_be_told_of_the_beginning_does_not_hear_of_the_end(world) -> None:
    site = world()
    site.answers["a"] = DEAD
    opened(site)
    site.wait(GIVE_UP + PAUSE_MAX, step=10)

    assert resolved(site) == {}


def test_what_could_not_be_told_for_an_hour_and_is_open_still_is_told_by_a_reminder(world) -> None:
    site = world(a={"remind": "30m"}, b={})
    site.answers["a"] = site.answers["b"] = DEAD
    opened(site)
    site.wait(GIVE_UP + PAUSE_MAX, step=10)
    assert ("failed", "a", "i1") in [note[:3] for note in site.notes]
    site.answers.clear()
    site.wait(1800, step=10)

    assert "still open" in site.texts("a")[0]
    assert site.texts("b") == []
    assert resolved(site) == {"a": "sent"}
    site.wait(7200, step=30)
    assert "is over" in site.texts("a")[-1]


def test_who_heard_nothing_of_it_but_will_be_reminded_hears_of_the_end_behind_that(world) -> None:
    site = world(a={"remind": "30m"})
    site.answers["a"] = DEAD
    opened(site)
    site.wait(GIVE_UP + PAUSE_MAX + 60, step=10)
    assert site.outbox.health()["a"].waiting == 1
    assert set(resolved(site)) == {"a"}
    site.answers.clear()
    site.wait(PAUSE_MAX, step=10)

    assert ["is over" in text for text in site.texts("a")] == [False, True]


def test_an_incident_that_is_open_still_is_told_again(world) -> None:
    site = world(a={"remind": "10m"}, b={})
    opened(site)
    site.wait(25 * 60, step=5)

    assert len(site.texts("a")) == 3
    assert "NO MASTER" in site.texts("a")[2]
    assert "still open" in site.texts("a")[2]
    assert len(site.texts("b")) == 1
    resolved(site)
    site.wait(3600, step=30)
    assert len(site.texts("a")) == 4


def test_reminders_go_on_after_a_restart(world) -> None:
    site = world(a={"remind": "10m"})
    opened(site)
    site.wait(300, step=5)
    site.restart()
    site.wait(310, step=5)

    assert len(site.texts("a")) == 2


def test_reminders_go_on_after_the_clock_was_set_back(world) -> None:
    site = world(a={"remind": "10m"})
    opened(site)
    site.now -= 3 * 86_400
    site.wait(25 * 60, step=10)

    assert len(site.texts("a")) == 4


def test_nobody_is_reminded_during_a_maintenance(world) -> None:
    site = world(a={"remind": "10m"})
    opened(site)
    site.silenced = "silenced until …"
    site.wait(1500, step=10)

    assert len(site.texts("a")) == 1


def test_reminders_do_not_pile_up_before_a_dead_receiver(world) -> None:
    site = world(a={"remind": "1m"})
    opened(site)
    site.answers["a"] = DEAD
    site.wait(1800, step=10)

    assert site.outbox.health()["a"].waiting == 1


def test_of_none_of_many_that_wait_anybody_is_reminded(world) -> None:
    site = world()
    site.answers["a"] = DEAD
    for number in range(120):
        opened(site, f"i{number}")

    assert site.outbox.to_remind("a", site.now, site.now) == []


def test_an_end_that_nobody_told_is_told_when_it_is_noticed(world) -> None:
    site = world(a={"remind": "10m"}, b={})
    opened(site)
    site.incidents["i1"] = incident("i1", "resolved")  # the reactor was away
    site.wait(700, step=5)

    assert ["is over" in text for text in site.texts("a")] == [False, True]
    assert ["is over" in text for text in site.texts("b")] == [False, True]


@pytest.mark.parametrize("late", [{}, {"i1": incident("i1", kind="failover")}])
def test_what_the_hub_knows_nothing_of_is_not_reminded_of(world, late: dict) -> None:
    site = world(a={"remind": "10m"})
    opened(site)
    site.incidents = late
    site.wait(1500, step=10)

    assert len(site.texts("a")) == 1
