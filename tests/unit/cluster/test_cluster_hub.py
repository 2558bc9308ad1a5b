"""The hub: what it stores in which order, what it asks for, what it says."""

from __future__ import annotations

import time

import pytest
from hub_nodes import EPOCH, Node, World, three

from keepalived_core.cluster import asking, ordering


@pytest.fixture
def node() -> Node:
    return Node("n1")


@pytest.fixture
def world(tmp_path, node) -> World:
    made = World(tmp_path / "timeline.db", node, Node("n2"))
    made.step(0)
    made.asked.clear()
    return made


# --- I1, I2, I3 ---


@pytest.mark.parametrize(
    "order",
    [[0, 1, 2], [2, 1, 0], [1, 2, 0], [0, 0, 1, 1, 2, 2], [2, 0, 1, 2, 0]],
    ids=str,
)
def test_rows_come_in_any_order_and_are_stored_once_in_theirs(world, node, order) -> None:
    rows = three(node)
    for place in order:
        world.send(rows[place])
        world.step()
    assert world.stored() == [1, 2, 3]
    assert world.words() == [("BACKUP", "yes"), ("MASTER", "yes"), ("FAULT", "yes")]
    assert world.told() == [
        ("n1", None, "BACKUP"),
        ("n1", "BACKUP", "MASTER"),
        ("n1", "MASTER", "FAULT"),
    ]
    assert world.asked == []  # what comes a moment later needs no job


def test_a_row_that_does_not_come_is_asked_for_and_later_ones_wait(world, node) -> None:
    one, _two, last = three(node)
    world.send(one, last)
    world.step()
    assert world.stored() == [1]
    world.step(1)
    world.step(0.1)
    assert world.stored() == [1, 2, 3]
    assert world.asked == [asking.Fetch("n1", node.stream_id, 1, asking.LIMIT)]


def test_a_lost_last_row_is_noticed_by_the_heartbeat(world, node) -> None:
    one, two, _ = three(node)
    world.send(one, two, node.heartbeat(5))
    world.step(1)
    world.step(0.1)
    assert world.stored() == [1, 2, 3]


def test_all_of_a_stream_is_fetched_when_only_a_heartbeat_is_heard(world, node) -> None:
    for number in range(2500):
        node.row("BACKUP" if number % 2 else "MASTER", number * 10)
    world.send(node.heartbeat(30_000))
    world.settle(5)
    assert world.stored() == list(range(1, 2501))
    assert len(world.asked) == 5


def test_what_was_fired_is_noted_at_once_though_nothing_more_comes(world, node) -> None:
    """Between the two a hub that is killed fires it a second time."""
    world.settle()
    world.send(node.row("FAULT", world.now))
    while not world.told():
        world.step()
    assert world.session.busy(EPOCH + world.now)
    world.step(0.01)
    assert world.session.store.outbox() == []


def test_of_a_long_history_only_the_newest_part_is_taken(tmp_path, node, monkeypatch) -> None:
    monkeypatch.setattr(ordering, "BACKFILL", 10)
    for number in range(50):
        node.row("BACKUP" if number % 2 else "MASTER", number * 10)
    world = World(tmp_path / "db", node)
    world.settle(5)
    assert world.stored() == list(range(41, 51))


def test_what_the_node_has_no_more_is_lost_said_so_and_the_rest_goes_on(world, node) -> None:
    rows = three(node)
    del node.spool[1]
    world.send(rows[0], rows[2])
    world.settle(10)
    assert world.stored() == [1, 3]
    (stream,) = world.streams("n1")
    assert [gap[:2] for gap in stream.gaps] == [(2, 2)]
    assert [each["first"] for each in world.entries("lost")] == [2]
    assert sum("rows 2 to 2 of n1" in note for note in world.notes) == 1
    assert world.session.store.counters()["the node no longer has them"] == 1


def test_an_answer_without_proof_must_come_twice_for_a_loss(world, node) -> None:
    node.answers_with_heartbeat = False
    rows = three(node)
    kept = node.spool.pop(1)
    world.send(rows[0], rows[2])
    world.step(1)
    assert len(world.asked) == 1
    node.spool.insert(1, kept)
    world.settle(10)
    assert world.stored() == [1, 2, 3]
    assert world.streams("n1")[0].gaps == []


def test_a_node_that_answers_no_job_does_not_hold_its_later_rows_for_ever(world, node) -> None:
    rows = three(node)
    world.unreachable.add("n1")
    world.send(rows[0], rows[2])
    world.settle(asking.HOLD - 15)
    assert world.stored() == [1]
    world.settle(240)
    assert world.stored() == [1, 3]
    world.unreachable.clear()
    world.settle(240)
    assert world.stored() == [1, 2, 3]
    assert [row["hub"]["late"] for row in world.rows()] == [False, True, False]
    assert world.words() == [("BACKUP", "yes"), ("MASTER", "yes"), ("FAULT", "yes")]
    assert world.told() == [
        ("n1", None, "BACKUP"),
        ("n1", "BACKUP", "FAULT"),
        ("n1", "BACKUP", "MASTER"),
    ]


def test_a_new_stream_is_followed_and_what_the_old_one_lost_is_said(world, node) -> None:
    rows = three(node)
    world.send(*rows[:2])
    world.send(node.heartbeat(5))
    node.stream_id, node.spool = "a-new-stream", []
    world.send(node.row("BACKUP", 20), node.heartbeat(21))
    world.settle(30)
    assert [row["seq"] for row in world.rows()] == [1, 1, 2]
    lost, new = world.streams("n1")
    assert [gap[:2] for gap in lost.gaps] == [(3, 3)]
    assert (new.stream_id, new.high, new.gaps) == ("a-new-stream", 1, [])


# --- raw and settled ---


def test_a_flash_is_raw_not_settled(world, node) -> None:
    world.send(node.row("BACKUP", 1), node.row("MASTER", 2), node.row("BACKUP", 2.004))
    world.settle(5)
    assert world.told() == [("n1", None, "BACKUP")]
    assert world.words() == [("BACKUP", "yes"), ("MASTER", "flash"), ("BACKUP", "back")]
    assert [each["seq"] for each in world.entries("raw")] == [1, 2, 3]
    (flash,) = world.session.store.flashes("n1")
    assert (flash["instance"], flash["to"], flash["count"]) == ("VI_1", "MASTER", 1)


def test_a_master_settles_an_advert_after_it_came(world, node) -> None:
    world.now = 2.0
    world.send(node.row("BACKUP", 1), node.row("MASTER", 2))
    world.step(0.9)
    assert world.told() == [("n1", None, "BACKUP")]
    world.step(0.5)
    assert world.told()[1:] == [("n1", "BACKUP", "MASTER")]


def test_a_master_out_of_a_backlog_waits_for_what_may_follow(world, node) -> None:
    world.now = 1000.0
    world.send(node.row("BACKUP", 1), node.row("MASTER", 2))
    world.step(5)
    assert world.told() == [("n1", None, "BACKUP")]
    world.send(node.row("BACKUP", 2.1))
    world.step(1)
    assert world.words()[1:] == [("MASTER", "flash"), ("BACKUP", "back")]
    world.send(node.row("MASTER", 3))
    world.step(2)
    world.send(node.heartbeat(1010))  # says that nothing follows
    world.step(0.1)
    assert world.told()[1:] == [("n1", "BACKUP", "MASTER")]


def test_what_settled_too_early_is_retracted(world, node) -> None:
    world.now = 2.0
    late = [node.row("BACKUP", 1), node.row("MASTER", 2), node.row("BACKUP", 2.1)]
    world.send(*late[:2])
    world.step(1.5)
    world.send(late[2])
    world.step(0.1)
    assert world.told() == [("n1", None, "BACKUP"), ("n1", "BACKUP", "MASTER")]
    assert world.told("retracted") == [("n1", "BACKUP", "MASTER")]
    assert world.words()[1:] == [("MASTER", "flash"), ("BACKUP", "back")]


def test_250_instances_fail_over_at_once(tmp_path) -> None:
    old, new, third = Node("n1"), Node("n2"), Node("n3")
    world = World(tmp_path / "db", old, new, third)
    names = [f"VI_{number}" for number in range(250)]
    for name in names:
        old.row("MASTER", 0, name)
        new.row("BACKUP", 0, name)
        third.row("BACKUP", 0, name)
    world.settle(20)
    world.fired.clear()
    burst = []
    for place, name in enumerate(names):
        at = 100 + place / 100
        burst.append(old.row("STOP", at, name))
        burst.append(new.row("MASTER", at + 0.6, name))
        if place % 10 < 7:  # 70 % of them flash on a third node
            burst.append(third.row("MASTER", at + 0.6, name))
            burst.append(third.row("BACKUP", at + 0.6 + place / 1000, name))
    world.now = 103.0
    world.send(*burst)
    world.settle(20)
    truth = {("n1", "MASTER", "STOP"): 250, ("n2", "BACKUP", "MASTER"): 250}
    told = world.told()
    assert {each: told.count(each) for each in set(told)} == truth
    assert sum(each["count"] for each in world.session.store.flashes("n3")) == 175
    assert world.told("retracted") == []


# --- facts ---


def test_facts_have_an_age_and_follow_heartbeats_and_rows(world, node) -> None:
    world.now = 10.0
    node.row("BACKUP", 1)
    world.send(*node.spool, node.heartbeat(10))
    world.step()
    world.now = 20.0
    world.send(node.row("MASTER", 20))
    world.step()
    facts = world.session.store.facts()["n1"]
    assert facts["states"]["VI_1"]["state"] == "MASTER"
    assert facts["received_us"] == round((EPOCH + 20.0) * 1e6)
    assert facts["heartbeat_us"] == round((EPOCH + 10.0) * 1e6)


def test_a_clock_that_jumps_is_noticed(world, node) -> None:
    world.send(node.heartbeat(1))
    node.clock += 3600
    world.send(node.heartbeat(2))
    world.step()
    assert any("the clock of n1 was set by +3600" in note for note in world.notes)
    assert world.session.hub.facts["n1"].clock_jumps == 1


def test_a_silent_member_is_asked_now_and_then(world) -> None:
    world.settle(10)
    world.asked.clear()
    world.settle(2.5 * asking.SILENCE)
    assert sorted(fetch.minion for fetch in world.asked) == ["n1", "n1", "n2", "n2"]


def test_one_that_is_no_member_any_more_leaves_its_rows_but_no_facts(world, node) -> None:
    world.send(node.row("MASTER", 1), node.heartbeat(2))
    world.step()
    del world.nodes["n1"]
    world.restart()
    world.step()
    assert world.stored() == [1]
    assert "n1" not in world.session.store.facts()


def test_hundreds_of_events_a_second_at_least(world, node) -> None:
    """An order of magnitude; ./run bench hub measures."""
    rows = [node.row("BACKUP" if n % 2 else "MASTER", n * 10, f"VI_{n % 250}") for n in range(3000)]
    begin = time.process_time()
    for start in range(0, 3000, 100):
        world.send(*rows[start : start + 100])
        world.session.step(EPOCH + start)
    took = time.process_time() - begin
    assert len(world.stored()) == 3000
    assert took < 12
