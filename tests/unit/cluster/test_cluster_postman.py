"""Alerts that wait: retried, given up, grouped, and never told twice."""

from __future__ import annotations

import itertools
import multiprocessing
import pathlib
import sqlite3
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from alert_world import DEAD, REFUSED, START, World, alert

from keepalived_core.cluster import postman
from keepalived_core.cluster.alert_message import Failure, Kept, Message
from keepalived_core.cluster.ledger import Ledger, LedgerError
from keepalived_core.cluster.outbox import GIVE_UP, LEASE, PAUSE_MAX, Outbox


@pytest.fixture
def world(tmp_path: pathlib.Path) -> Callable[..., World]:
    return lambda **routes: World(tmp_path, **(routes or {"a": {}}))


# --- at once ----------------------------------------------------------------------------------


def test_an_alert_goes_to_each_of_its_routes_at_once(world) -> None:
    site = world(a={}, b={}, quiet={"severity": ["info"]}, far={"clusters": ["other"]})

    assert site.post(alert("x")) == {"a": "sent", "b": "sent"}
    assert sorted(site.taken) == [("a", "x"), ("b", "x")]
    site.wait(60)
    assert len(site.taken) == 2
    assert site.notes == []


def test_what_is_claimed_is_told_once_however_many_come(world) -> None:
    site = world()
    claim = ("n1", "stream", 7, "alert")
    results = [
        site.postman.post(alert("x"), {}, claim, clock_runs=True),
        site.postman.post(alert("x"), {}, claim, clock_runs=True),
    ]

    assert results == [{"a": "sent"}, None]
    assert site.texts("a") == ["x"]


def test_without_the_file_an_alert_is_sent_all_the_same(world) -> None:
    site = world(a={}, b={})
    site.path.mkdir()
    site.answers["b"] = DEAD

    with pytest.raises(LedgerError):
        site.post(alert("x"))
    assert site.postman.broadcast(alert("x")) == {"a": "sent", "b": f"failed: {DEAD.reason}"}


# --- a receiver that is away ------------------------------------------------------------------


def test_a_dead_receiver_is_tried_again_and_gets_all_in_order_once(world) -> None:
    site = world(a={}, b={})
    site.answers["a"] = DEAD

    assert site.post(alert("1")) == {"a": f"failed: {DEAD.reason}", "b": "sent"}
    second = site.post(alert("2"))
    assert second["b"] == "sent"
    assert second["a"] == f"waiting: {DEAD.reason}; the next try is in 10 s"
    site.wait(600)
    assert site.texts("a") == []
    site.answers["a"] = None
    site.wait(PAUSE_MAX + 1)

    assert [text.partition(" ")[0] for text in site.texts("a")] == ["1", "2"]
    assert "late]" in site.texts("a")[0]
    assert site.texts("b") == ["1", "2"]
    assert [note[:3] for note in site.notes] == [("sent", "a", "1"), ("sent", "a", "2")]


def test_who_calls_is_not_kept_by_a_route_that_is_dead(world) -> None:
    site = world()
    site.answers["a"] = DEAD
    site.post(alert("0"))
    tried = len(site.tried)
    for number in range(1, 100):
        site.post(alert(str(number)))

    assert len(site.tried) == tried


def test_the_pauses_grow_and_have_a_bound(world) -> None:
    site = world()
    site.answers["a"] = DEAD
    site.post(alert("x"))
    moments = []
    while site.now < START + GIVE_UP - 1:
        before = len(site.tried)
        step = 1 if site.now - START < 310 else 10
        site.wait(step, step=step)
        if len(site.tried) > before:
            moments.append(site.now - START)

    assert moments[:5] == [10, 30, 70, 150, 310]
    later = [after - before for before, after in itertools.pairwise(moments[5:])]
    assert set(later) == {PAUSE_MAX}


def test_what_nobody_takes_is_given_up_counted_and_told(world) -> None:
    site = world()
    site.answers["a"] = DEAD
    site.post(alert("x"))
    site.wait(GIVE_UP + 2 * PAUSE_MAX, step=5)
    site.answers["a"] = None
    site.wait(PAUSE_MAX + 5, step=5)

    assert site.texts("a") == []
    (note,) = site.notes
    assert note == ("failed", "a", "x", f"given up after 1 h: {DEAD.reason}")
    health = site.outbox.health()["a"]
    assert (health.given_up, health.waiting, health.failures > 0) == (1, 0, True)


def test_what_is_too_old_does_not_pile_up_before_what_is_new(world) -> None:
    site = world()
    site.answers["a"] = DEAD
    for number in range(250):
        site.post(alert(str(number)))
    site.wait(GIVE_UP - 60, step=60)
    site.post(alert("new"))
    site.wait(2 * PAUSE_MAX, step=10)
    assert site.outbox.health()["a"].waiting == 1
    assert site.outbox.health()["a"].given_up == 250
    assert sorted(int(note[2]) for note in site.notes) == list(range(250))
    site.answers["a"] = None
    site.wait(PAUSE_MAX, step=10)

    assert [text.partition(" ")[0] for text in site.texts("a")] == ["new"]


@pytest.mark.parametrize("answer", [DEAD, REFUSED])
def test_nothing_is_given_up_after_a_single_try(world, answer: Failure) -> None:
    site = world(a={"group": 30})
    site.post(alert("x"))
    site.answers["a"] = answer
    site.now += 2 * GIVE_UP  # the clock was set forward
    site.wait(1)
    assert (len(site.tried), site.notes) == (1, [])
    site.answers["a"] = None
    site.wait(30)

    assert len(site.texts("a")) == 1


def test_a_message_that_is_refused_holds_up_no_other(world) -> None:
    site = world()
    site.refuses = lambda message: message.text.startswith("bad")

    assert site.post(alert("bad")) == {"a": f"failed: {REFUSED.reason}"}
    assert site.post(alert("good")) == {"a": "sent"}
    assert site.outbox.health()["a"].waiting == 1
    site.refuses = lambda _: False
    site.wait(15)

    assert [text.partition(" ")[0] for text in site.texts("a")] == ["good", "bad"]


def test_without_a_hub_the_next_alert_brings_along_what_waits(world) -> None:
    site = world(a={}, b={})
    site.answers["a"] = DEAD
    site.post(alert("1"), clock_runs=False)
    site.answers["a"] = None
    site.now += 15
    site.post(alert("2", severity="info"), clock_runs=False)

    assert site.texts("a") == ["1", "2"]


def test_what_waits_for_a_route_that_is_no_more_is_given_up(world) -> None:
    site = world(a={}, b={})
    site.answers["a"] = DEAD
    site.post(alert("x"))
    site.route(b={})
    site.wait(GIVE_UP + 10, step=60)

    assert site.notes == [("failed", "a", "x", "given up: there is no route a any more")]
    assert site.outbox.health()["a"].waiting == 0


def test_an_error_nobody_foresaw_is_a_failure_of_the_route(world) -> None:
    site = world()
    site.refuses = lambda _: 1 / 0

    assert site.post(alert("x")) == {"a": "failed: ZeroDivisionError"}
    assert site.outbox.health()["a"].failures == 1
    site.refuses = lambda _: False
    site.wait(15)
    assert [text.partition(" ")[0] for text in site.texts("a")] == ["x"]


def test_a_message_that_cannot_be_written_holds_up_no_other(world, monkeypatch) -> None:
    site = world()
    compose = postman.compose

    def write(bundle: Sequence[Kept], *more: Any) -> Message:
        if bundle[0].alert.text == "bad":
            raise RecursionError
        return compose(bundle, *more)

    monkeypatch.setattr(postman, "compose", write)

    assert site.post(alert("bad")) == {"a": "failed: RecursionError"}
    assert site.post(alert("good")) == {"a": "sent"}


def test_an_error_while_it_is_noted_leaves_the_route_to_the_next(world) -> None:
    site = world(a={"group": 5})
    site.post(alert("1"))
    site.post(alert("2", cluster="d"))
    site.postman._note = lambda *_: 1 / 0
    site.wait(5)
    site.restart()
    site.wait(2)

    assert site.texts("a") == ["1", "2"]


# --- restarts ---------------------------------------------------------------------------------


def test_a_restart_loses_nothing_and_sends_nothing_twice(world) -> None:
    site = world(a={}, b={})
    site.answers["a"] = DEAD
    site.post(alert("x"))
    site.restart()
    site.answers["a"] = None
    site.wait(60)

    assert [text.partition(" ")[0] for text in site.texts("a")] == ["x"]
    assert site.texts("b") == ["x"]


def test_what_a_sender_leaves_that_was_killed_is_sent_by_the_next(world) -> None:
    site = world()

    numbers = site.outbox.enter(alert("x"), {"a": 0.0}, {}, site.now)
    assert site.outbox.take("a", site.now)  # and then nothing more was heard of it
    site.restart()
    site.wait(LEASE - 2)
    assert site.tried == []
    site.wait(4)

    assert numbers and [text.partition(" ")[0] for text in site.texts("a")] == ["x"]


def test_a_clock_that_was_set_back_stops_nothing(world) -> None:
    site = world()
    site.answers["a"] = DEAD
    site.post(alert("x"))
    site.answers["a"] = None
    site.now -= 100_000
    site.wait(2)

    assert site.texts("a") == ["x"]


def test_what_is_refused_after_the_clock_was_set_back_is_tried_as_often_as_any(world) -> None:
    site = world()
    site.refuses = lambda _: len(site.tried) < 100  # ends what would have no end
    site.post(alert("x"))
    site.now -= 7200
    site.wait(40)

    assert len(site.tried) == 3


def test_the_file_of_the_release_before_is_taken_over(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "react.db"
    ledger = Ledger(path)
    assert ledger.claim("n1", "s", 1, "alert", START)
    with sqlite3.connect(path) as connection:
        for table in ("message", "route", "told"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute("PRAGMA user_version = 2")

    site = World(tmp_path, a={})

    assert site.post(alert("x")) == {"a": "sent"}
    assert not Ledger(path).claim("n1", "s", 1, "alert", START)


# --- several at once --------------------------------------------------------------------------


def test_of_many_senders_at_once_each_message_is_sent_once(tmp_path: pathlib.Path) -> None:
    sites = [World(tmp_path, a={}) for _ in range(6)]
    threads = [
        threading.Thread(target=site.post, args=(alert(f"m{number}"),))
        for number, site in enumerate(sites)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sites[0].wait(2)

    texts = [text for site in sites for text in site.texts("a")]
    assert sorted(texts) == [f"m{number}" for number in range(6)]


def _enter(path: str) -> bool:
    found = Outbox(Ledger(path)).enter(alert("x"), {"a": 0.0}, {}, START, ("n", "s", 1, "alert"))
    return found is not None


def test_of_several_processes_one_enters_an_alert(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "react.db")
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        assert sum(pool.map(_enter, [path] * 6)) == 1
    assert Outbox(Ledger(path)).health()["a"].waiting == 1


def test_a_route_that_takes_its_time_delays_no_other_of_the_hub(tmp_path: pathlib.Path) -> None:
    site = World(tmp_path, slow={}, b={})
    site.outbox.enter(alert("1"), {"slow": 0.0}, {}, site.now)
    asked, answers = threading.Event(), threading.Event()

    def refuses(message: Message) -> bool:
        if message.text == "1":
            asked.set()
            answers.wait(20)
        return False

    site.refuses = refuses
    running: dict[str, threading.Thread] = {}
    site.postman.work(running)
    assert asked.wait(20)
    site.outbox.enter(alert("2"), {"slow": 0.0, "b": 0.0}, {}, site.now)
    site.postman.work(running)
    running["b"].join(20)

    assert site.texts("b") == ["2"]
    assert [name for name, _ in site.tried].count("slow") == 1
    assert running["slow"].is_alive() and running["slow"].daemon
    answers.set()
    running["slow"].join(20)
    assert site.texts("slow") == ["1", "2"]


# --- groups -----------------------------------------------------------------------------------


def test_alerts_of_one_cluster_within_the_time_are_one_message(world) -> None:
    site = world(a={"group": 30}, b={})

    first = site.post(alert("1"))
    assert first == {"a": "waiting: for others of this cluster, 30 s at most", "b": "sent"}
    site.wait(20)
    site.post(alert("2"))
    site.post(alert("other", cluster="d"))
    site.wait(9)
    assert site.texts("a") == []
    site.wait(2)

    assert site.texts("a") == ["2 alerts of c:\n1\n2"]
    assert [each["incident"] for each in site.messages[-1].payload["alerts"]] == ["1", "2"]
    site.wait(30)
    assert site.texts("a") == ["2 alerts of c:\n1\n2", "other"]
    assert site.texts("b") == ["1", "2", "other"]


def test_a_group_that_is_over_begins_anew(world) -> None:
    site = world(a={"group": 30})
    site.post(alert("1"))
    site.wait(35)
    site.post(alert("2"))
    site.wait(35)

    assert site.texts("a") == ["1", "2"]


def test_a_group_waits_through_a_restart_and_a_dead_receiver(world) -> None:
    site = world(a={"group": 30})
    site.post(alert("1"))
    site.restart()
    site.post(alert("2"))
    site.answers["a"] = DEAD
    site.wait(45)
    site.post(alert("3"))
    site.answers["a"] = None
    site.wait(PAUSE_MAX)

    lines = [line.partition(" [")[0] for line in "\n".join(site.texts("a")).splitlines()]
    assert [line for line in lines if line in "123"] == ["1", "2", "3"]


def test_without_a_hub_nothing_is_grouped(world) -> None:
    site = world(a={"group": 30})

    assert site.post(alert("1"), clock_runs=False) == {"a": "sent"}
