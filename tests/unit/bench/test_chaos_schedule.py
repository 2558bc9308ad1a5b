"""A schedule comes from its seed; a failed one is shrunk to what shows the failure."""

from bench.chaos import schedule, shrink
from bench.chaos.compare import Finding
from bench.chaos.faults import KINDS
from bench.chaos.play import Played
from bench.chaos.schedule import Fault, Round

NODES = ["one", "two", "three"]


def faults(rounds):
    return [fault for each in rounds for fault in each.faults]


def test_the_same_seed_is_the_same_schedule_and_another_is_not():
    assert schedule.make(7, 50, NODES, "master") == schedule.make(7, 50, NODES, "master")
    assert schedule.make(7, 50, NODES, "master") != schedule.make(8, 50, NODES, "master")


def test_all_kinds_come_on_all_nodes_and_what_is_the_master_s_only_there():
    drawn = faults(schedule.make(1, 2000, NODES, "master"))
    assert len(drawn) == 2000
    assert {fault.kind for fault in drawn} == set(KINDS)
    assert {fault.node for fault in drawn} == {*NODES, "master"}
    assert all((fault.node == "master") == KINDS[fault.kind].master for fault in drawn)


def test_only_the_kinds_that_were_asked_for():
    drawn = faults(schedule.make(1, 30, NODES, "master", ["cut", "stop"]))
    assert {fault.kind for fault in drawn} == {"cut", "stop"}


def a_round(*kinds):
    return Round(tuple(Fault(kind, "one", 0.0, 1.0, 0) for kind in kinds))


def test_the_rounds_beside_a_finding_are_suspects():
    rounds = [a_round("stop"), a_round("cut"), a_round("freeze 2 s")]
    played = [
        Played(each, n * 60_000_000, n * 60_000_000 + 10_000_000) for n, each in enumerate(rounds)
    ]
    assert shrink.suspects([Finding("lost", "one", 63_000_000, "")], played) == [rounds[1]]
    assert shrink.suspects([], played) == []


def test_a_failure_is_shrunk_to_the_two_faults_that_make_it():
    def fails(rounds):
        together = [{fault.kind for fault in each.faults} for each in rounds]
        return any({"stop", "cut"} <= kinds for kinds in together)

    rounds = [a_round("reloads"), a_round("stop", "freeze 2 s", "cut"), a_round("kill child")]
    assert shrink.shrink(rounds, fails) == ([a_round("stop", "cut")], True)


def test_a_failure_that_does_not_come_again_is_left_as_it_was():
    rounds = [a_round("reloads"), a_round("stop")]
    assert shrink.shrink(rounds, lambda _: False) == (rounds, False)


def test_shrinking_ends_after_so_many_attempts():
    tried = []
    rounds = [a_round("stop", "cut", "reloads") for _ in range(20)]
    shrink.shrink(rounds, lambda some: tried.append(some) or len(some) == 20, attempts=5)
    assert len(tried) == 5
