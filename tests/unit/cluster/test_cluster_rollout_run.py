"""A rollout on nodes in memory, with a real journal: every node changed, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from rollout_journals import KINDS, rollout
from rollout_world import World

from keepalived_core.cluster.conductor import DONE, PUT_BACK, UNCLEAR, Refused
from keepalived_core.cluster.facts import Answer
from keepalived_core.cluster.journal import Journal


@pytest.mark.parametrize("kind", KINDS)
def test_every_node_is_changed_and_the_master_last(kind: str, journal: Journal) -> None:
    world = World(kind)

    done = rollout(world, journal).start()

    assert (done["result"], done["retcode"]) == ("done", DONE), done["message"]
    assert world.files() == "new"
    assert [node.reloads for node in world.nodes.values()] == [1, 1, 1]
    assert journal.read() is None
    changed = [nodes for fun, nodes in world.asked if fun in ("keepalived.apply",)]
    assert changed[-1] == ("n3",)
    assert not any(node.is_drained for node in world.nodes.values())


def test_a_second_one_has_nothing_to_do(journal: Journal) -> None:
    world = World()
    rollout(world, journal).start()

    done = rollout(world, journal).start()

    assert (done["result"], done["mode"]) == ("nothing", "nothing")


@pytest.mark.parametrize("kind", KINDS)
def test_in_test_mode_nothing_is_done_but_said(kind: str, journal: Journal) -> None:
    world = World(kind)

    done = rollout(world, journal).start(test=True)

    assert done["result"] == "would"
    assert done["steps"]
    assert world.files() == "old"
    assert {fun for fun, _ in world.asked} == {
        "keepalived.status",
        "keepalived.pending",
        "keepalived.plan",
        "saltutil.refresh_pillar",
        "state.apply",
    }


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"fw": {"result": False, "comment": "firewalld is broken"}}, "n2: firewalld is broken"),
        (["Rendering SLS failed"], "n2: state.apply keepalived.ready: Rendering SLS failed"),
    ],
)
def test_a_node_that_cannot_be_made_ready_stops_it_before_any_plan(
    said: dict | list, words: str, journal: Journal
) -> None:
    world = World("cluster")
    world.nodes["n2"].readiness = said

    with pytest.raises(Refused, match=words):
        rollout(world, journal).start()

    assert world.files() == "old"
    assert not any(fun == "keepalived.plan" for fun, _ in world.asked)


def test_in_test_mode_a_refusal_is_said_to_be_perhaps_of_what_is_not_ready(
    journal: Journal,
) -> None:
    world = World("cluster")
    world.nodes["n1"].readiness = {"script": {"result": None, "comment": "would be deployed"}}
    world.nodes["n2"].broken = "keepalived.plan"

    with pytest.raises(Refused, match="would refuse") as refused:
        rollout(world, journal).start(test=True)

    warnings = [each.text for each in refused.value.findings if each.level == "warning"]
    assert any("keepalived.ready would change n1 first" in text for text in warnings)


def test_nothing_is_written_anywhere_when_one_node_would_refuse(journal: Journal) -> None:
    world = World("cluster")
    world.nodes["n2"].broken = "keepalived.plan"

    with pytest.raises(Refused, match="n2: it would refuse the new configuration"):
        rollout(world, journal).start()

    assert world.files() == "old"
    assert journal.read() is None


@pytest.mark.parametrize("broken", ["", "keepalived.apply"])
def test_a_node_that_somebody_drains_while_the_rollout_runs_is_left_drained(
    broken: str, journal: Journal
) -> None:
    world = World("restart")
    node, drained = world.nodes["n3"], world.nodes["n1"].apply

    def meanwhile(*args: object, **kwarg: object) -> object:
        node.is_drained = True
        world.elect()
        return drained(*args, **kwarg)

    world.nodes["n1"].apply = meanwhile
    node.broken = broken

    done = rollout(world, journal).start()

    assert done["retcode"] == (PUT_BACK if broken else DONE), done["message"]
    assert world.files() == ("old" if broken else "new")
    assert node.is_drained
    asked = {fun for fun, nodes in world.asked if nodes == ("n3",)}
    assert not {"keepalived.drain", "keepalived.undrain"} & asked
    told = [step["why"] for step in done["steps"] if step["do"] in ("drain", "undrain")]
    assert told == ["somebody else has drained it meanwhile: it stays so"] * 2


def test_the_common_reload_is_called_off_when_one_node_does_not_confirm(journal: Journal) -> None:
    world = World("cluster")
    world.nodes["n2"].broken = "keepalived.waits_for"

    done = rollout(world, journal).start()

    assert (done["result"], done["retcode"]) == ("failed", PUT_BACK)
    assert "n2 did not confirm the common reload in time: it was called off" in done["message"]
    assert world.files() == "old"
    assert [node.reloads for node in world.nodes.values()] == [0, 0, 0]


class Gone(World):
    """Two nodes are there; the third is gone once it was told the common second, and whoever asks
    it waits as long as for one that may still answer."""

    def __init__(self) -> None:
        super().__init__("cluster")
        self.when: dict[str, float] = {}

    def ask(
        self, nodes: Iterable[str], fun: str, timeout: float, **kwarg: Any
    ) -> dict[str, Answer]:
        self.when.setdefault(fun, self.time)
        wanted = set(nodes)
        answers = super().ask(wanted - {"n2"} if self.when.get("told") else wanted, fun, 0, **kwarg)
        if self.when.get("told") and "n2" in wanted:
            self.sleep(timeout + 2)
        return answers

    def aside(self, nodes: Iterable[str], fun: str, timeout: float, **kwarg: Any) -> Any:
        if fun == "keepalived.commit":
            self.when["told"] = self.time
        elif self.when.get("told") and "n2" in set(nodes):
            return Unanswered()
        return super().aside(nodes, fun, timeout, **kwarg)


class Unanswered:
    def done(self) -> bool:
        return False


def test_the_common_reload_is_called_off_in_time_when_one_node_is_gone(journal: Journal) -> None:
    world = Gone()

    done = rollout(world, journal).start()

    assert (done["result"], done["retcode"]) == ("failed", UNCLEAR)
    assert "n2 did not confirm the common reload in time: it was called off" in done["message"]
    assert "except on n2, which does not answer" in done["message"]
    assert world.at is not None
    assert world.when["keepalived.call_off"] < world.at - 1
    assert [world.nodes[name].reloads for name in ("n1", "n3")] == [0, 0]
    assert [world.nodes[name].live for name in ("n1", "n3")] == ["old", "old"]
    waited = world.when["keepalived.live_sum"] - world.when["keepalived.call_off"]
    assert waited < 30, "the others are put back without waiting for the one that is gone"


def test_an_answer_that_is_late_but_in_time_lets_all_reload(journal: Journal) -> None:
    world = World("cluster")
    aside = world.aside

    class Late:
        def __init__(self, ready: float, answers: Any) -> None:
            self.ready, self.result = ready, answers.result

        def done(self) -> bool:
            return world.time >= self.ready

    def late(nodes: Iterable[str], fun: str, timeout: float, **kwarg: Any) -> Any:
        job = aside(nodes, fun, timeout, **kwarg)
        return Late(world.at - 2, job) if fun == "keepalived.waits_for" and world.at else job

    world.aside = late

    assert rollout(world, journal).start()["retcode"] == DONE
    assert not world.called_off
    assert [node.reloads for node in world.nodes.values()] == [1, 1, 1]


@pytest.mark.parametrize("kind", KINDS)
def test_another_text_than_the_planned_one_is_never_written(kind: str, journal: Journal) -> None:
    world = World(kind)
    ask = world.ask

    def merged(nodes: Iterable[str], fun: str, timeout: float, **given: Any) -> dict:
        if fun == "keepalived.apply" and set(nodes) == {"n2"}:
            for node in world.nodes.values():
                node.want = "newer"
        return ask(nodes, fun, timeout, **given)

    world.ask = merged

    done = rollout(world, journal).start()

    assert (done["result"], done["retcode"]) == ("failed", PUT_BACK), done["message"]
    assert "the pillar was changed meanwhile" in done["message"]
    assert world.files() == "old"
