"""A rollout that broke off, at every moment: finished or undone by the next run."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from rollout_journals import KINDS, deaths, first, rollout
from rollout_samples import row, status
from rollout_world import Died, Node, World

from keepalived_core.cluster.conductor import DONE, PUT_BACK, Refused
from keepalived_core.cluster.journal import Journal


def test_a_resumed_rollout_undrains_what_it_drains_itself_although_somebody_had_drained_it(
    journal: Journal,
) -> None:
    world = World("restart")
    node, drained = world.nodes["n3"], world.nodes["n1"].apply

    def meanwhile(*args: object, **kwarg: object) -> object:
        node.is_drained = True
        world.elect()
        return drained(*args, **kwarg)

    def dies(*_args: object, **_kwarg: object) -> object:
        raise Died

    world.nodes["n1"].apply = meanwhile
    node.apply = dies
    with pytest.raises(Died):
        rollout(world, journal).start()
    del node.apply
    node.undrain(world)
    world.asked.clear()

    assert rollout(world, journal).resume()["retcode"] == DONE

    asked = [fun for fun, nodes in world.asked if nodes == ("n3",)]
    assert asked.index("keepalived.drain") < asked.index("keepalived.undrain")
    assert not node.is_drained


@pytest.mark.parametrize("fails", [False, True], ids=["finished", "failed and put back"])
@pytest.mark.parametrize("kind", KINDS)
def test_resumed_with_another_pillar_all_nodes_get_that_or_go_back_to_the_first_file(
    kind: str, fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    mixed = 0
    for moment, world, journal in deaths(kind, tmp_path):
        if journal.read() is None:
            continue
        mixed += len({node.live for node in world.nodes.values()}) > 1
        for node in world.nodes.values():
            node.want = "newer"
        if fails:
            world.nodes["n1"].broken = "keepalived.apply"

        done = rollout(world, journal).resume()

        assert done["retcode"] == (PUT_BACK if fails else DONE), (moment, done["message"])
        assert world.files() == ("old" if fails else "newer"), moment
        assert journal.read() is None
    assert mixed > 1


def test_a_pillar_that_now_makes_two_masters_is_resumed_and_put_back_at_one_second(
    journal: Journal,
) -> None:
    world = World("safe", dies_at=first("keepalived.apply", "safe") + 0.5)
    with pytest.raises(Died):
        rollout(world, journal).start()
    world.dies_at = None
    for node in world.nodes.values():
        node.want, node.kind = "newer", "cluster"
    world.nodes["n2"].broken = "keepalived.commit"

    done = rollout(world, journal).resume()

    assert (done["retcode"], done["mode"]) == (PUT_BACK, "together"), done["message"]
    back = [nodes for fun, nodes in world.asked if fun == "keepalived.put_back"]
    assert back == [("n1", "n2", "n3")]
    assert world.files() == "old"


def test_a_pillar_that_now_takes_an_address_away_is_resumed(journal: Journal) -> None:
    world = World("cluster", dies_at=first("keepalived.apply", "cluster"))
    with pytest.raises(Died):
        rollout(world, journal).start()
    world.dies_at = None
    for node in world.nodes.values():
        node.want, node.kind, node.status = "newer", "removes", _without_address(node)

    done = rollout(world, journal).resume()

    assert done["retcode"] == DONE, done["message"]
    assert world.files() == "newer"


def _without_address(node: Node) -> Callable[[World], dict]:
    """Its status; what it runs has no address any more once that is the newest."""
    full = node.status
    return lambda world: (
        status(row(node.state, addresses=[]), time=None) if node.running == "newer" else full(world)
    )


@pytest.mark.parametrize("way", ["resume", "undo"])
@pytest.mark.parametrize("kind", KINDS)
def test_wherever_the_master_dies_the_next_run_finishes_or_undoes_it(
    kind: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No power fails here, and a busy disk would make minutes of some hundred rollouts.
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    broken_off = 0
    for moment, world, journal in deaths(kind, tmp_path):
        if journal.read() is None:
            # Nothing was begun, or all was done.
            assert world.files() in ("old", "new")
            continue
        broken_off += 1
        with pytest.raises(Refused, match=r"resume=True.*undo=True"):
            rollout(world, journal).start()

        done = getattr(rollout(world, journal), way)()

        assert done["retcode"] == DONE, (moment, done["message"])
        assert world.files() == ("new" if way == "resume" else "old"), moment
        assert not any(node.is_drained for node in world.nodes.values()), moment
        assert journal.read() is None
    assert broken_off > 10


@pytest.mark.parametrize("way", ["resume", "undo"])
def test_there_is_nothing_to_resume_or_undo_without_a_journal(way: str, journal: Journal) -> None:
    with pytest.raises(Refused, match="no rollout of controllers has broken off"):
        getattr(rollout(World(), journal), way)()
