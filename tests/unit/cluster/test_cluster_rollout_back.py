"""A rollout that fails puts its nodes back, or says which it could not."""

from __future__ import annotations

import os

import pytest
from rollout_journals import KINDS, FullDisk, first, rollout
from rollout_samples import row, status
from rollout_world import Died, World

from keepalived_core.cluster.conductor import DONE, PUT_BACK, UNCLEAR
from keepalived_core.cluster.journal import Journal, JournalError


@pytest.mark.parametrize(
    ("kind", "node", "what"),
    [
        ("safe", "n1", "keepalived.apply"),
        ("safe", "n3", "keepalived.apply"),
        ("restart", "n3", "keepalived.apply"),
        ("restart", "n3", "keepalived.drain"),
        ("cluster", "n2", "keepalived.apply"),
        ("cluster", "n2", "keepalived.commit"),
    ],
)
def test_a_step_that_fails_puts_all_nodes_back(
    kind: str, node: str, what: str, journal: Journal
) -> None:
    world = World(kind)
    world.nodes[node].broken = what

    done = rollout(world, journal).start()

    assert (done["result"], done["retcode"]) == ("failed", PUT_BACK), done["message"]
    assert f"{node}: {what}" in done["message"]
    assert world.files() == "old"
    assert not any(each.is_drained for each in world.nodes.values())
    assert journal.read() is None


def test_what_a_node_loses_after_its_step_puts_all_back(journal: Journal) -> None:
    world = World("safe")
    node = world.nodes["n2"]
    reload = node._reload

    def fails() -> None:
        reload()
        node.state = "FAULT" if node.running == "new" else "BACKUP"

    node._reload = fails

    done = rollout(world, journal).start()

    assert (done["result"], done["retcode"]) == ("failed", PUT_BACK)
    assert "VI is FAULT on n2" in done["message"]
    assert world.files() == "old"


@pytest.mark.parametrize("kind", ["safe", "restart"])
def test_what_was_changed_one_after_the_other_goes_back_so_backwards(
    kind: str, journal: Journal
) -> None:
    world = World(kind)
    last = world.nodes["n3"]
    healthy, sick = last.status, status(row("FAULT"), time=None)
    # It is well until it has the new file and its addresses back.
    last.status = lambda w: sick if last.running == "new" and not last.is_drained else healthy(w)

    done = rollout(world, journal).start()

    assert (done["result"], done["retcode"]) == ("failed", PUT_BACK), done["message"]
    back = [nodes for fun, nodes in world.asked if fun == "keepalived.put_back"]
    assert back == [("n3",), ("n2",), ("n1",)]
    assert world.files() == "old"
    assert not any(node.is_drained for node in world.nodes.values())


def test_a_node_that_is_master_when_it_goes_back_with_a_restart_is_drained_for_it(
    journal: Journal,
) -> None:
    world = World("restart", dies_at=first("keepalived.undrain", "restart"))
    with pytest.raises(Died):
        rollout(world, journal).start()
    world.dies_at = None
    # Somebody has undrained it meanwhile: it is master, with the new file.
    world.nodes["n3"].undrain(world)
    world.asked.clear()

    done = rollout(world, journal).undo()

    assert done["retcode"] == DONE, done["message"]
    asked = [(fun, nodes) for fun, nodes in world.asked if fun in _MOVES]
    assert asked[:3] == [
        ("keepalived.drain", ("n3",)),
        ("keepalived.put_back", ("n3",)),
        ("keepalived.undrain", ("n3",)),
    ]
    assert [nodes for fun, nodes in asked[3:] if fun == "keepalived.put_back"] == [("n2",), ("n1",)]
    assert not any(node.is_drained for node in world.nodes.values())


_MOVES = ("keepalived.drain", "keepalived.put_back", "keepalived.undrain")


def test_a_cluster_change_goes_back_on_all_in_one_job(journal: Journal) -> None:
    world = World("cluster")
    world.nodes["n2"].broken = "keepalived.commit"

    assert rollout(world, journal).start()["retcode"] == PUT_BACK

    back = [nodes for fun, nodes in world.asked if fun == "keepalived.put_back"]
    assert back == [("n1", "n2", "n3")]


def test_a_node_that_cannot_be_put_back_keeps_the_journal_and_says_so(journal: Journal) -> None:
    world = World("safe")
    world.nodes["n2"].broken = "keepalived.apply"
    world.nodes["n1"].broken = "keepalived.put_back"

    done = rollout(world, journal).start()

    assert (done["result"], done["retcode"]) == ("failed", UNCLEAR)
    assert "n1 was not put back" in done["message"]
    assert "undo=True" in done["message"]
    assert journal.read() is not None

    world.nodes["n1"].broken = ""
    assert rollout(world, journal).undo()["retcode"] == DONE
    assert world.files() == "old"


@pytest.mark.parametrize("forgets", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_a_master_s_disk_that_is_full_after_the_first_write_fails_and_puts_all_back(
    kind: str, forgets: bool, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    full = FullDisk(journal.path.parent, "controllers")
    full.forgets = forgets
    seen = set()
    for writes in range(1, 40):
        world = World(kind)
        full.writes = writes

        done = rollout(world, full).start()

        seen.add(done["result"])
        assert world.files() == ("new" if done["result"] == "done" else "old"), writes
        assert not any(node.is_drained for node in world.nodes.values()), writes
        assert ("cannot be removed" in done["message"]) is not forgets
        if done["result"] == "failed":
            assert done["retcode"] == PUT_BACK, done["message"]
            assert "No space left on device" in done["message"]
            assert {each["phase"] for each in done["changes"]} <= {"untouched", "put back"}
        if not forgets:
            # What is asked for then ends it.
            way = "resume" if done["result"] == "done" else "undo"
            assert f"{way}=True" in done["message"]
            assert getattr(rollout(world, journal), way)()["retcode"] == DONE
        assert journal.read() is None
        if done["result"] == "done":
            break
    assert seen == {"failed", "done"}


def test_a_disk_that_is_full_before_the_first_write_refuses(journal: Journal) -> None:
    world = World()

    with pytest.raises(JournalError):
        rollout(world, FullDisk(journal.path.parent, "controllers")).start()

    assert world.files() == "old"


def test_a_file_that_somebody_changed_meanwhile_is_not_put_back(journal: Journal) -> None:
    world = World("safe")
    world.nodes["n2"].broken = "keepalived.apply"
    world.nodes["n1"].broken = "keepalived.put_back"
    rollout(world, journal).start()
    world.nodes["n1"].broken = ""
    changed = [node for node in world.nodes.values() if node.live == "new"]
    assert changed
    changed[0].live = "by hand"

    done = rollout(world, journal).undo()

    assert done["retcode"] == UNCLEAR
    assert "neither the old nor the new" in done["message"]
    assert changed[0].live == "by hand"
