"""A rollout on nodes in memory, with a real journal: done, failed, broken off at every moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from rollout_samples import row, status
from rollout_world import Died, Node, World

from keepalived_core.cluster.conductor import DONE, PUT_BACK, UNCLEAR, Refused
from keepalived_core.cluster.facts import Answer
from keepalived_core.cluster.journal import Journal, JournalError, Locked
from keepalived_core.cluster.rollout_run import Rollout

KINDS = ("safe", "cluster", "restart")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    found = Journal(tmp_path / "rollout", "controllers")
    with found.locked("root", "a test", "now"):
        pass
    return found


def rollout(world: World, journal: Journal) -> Rollout:
    return Rollout(world.members, journal, world, "root")


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
    world = World("restart", dies_at=_first("keepalived.undrain", "restart"))
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


def _first(fun: str, kind: str) -> int:
    """The moment before that is asked for, in a rollout that nothing disturbs."""
    world = World(kind)
    Rollout(world.members, _Forgetful(), world, "root").start()
    return [asked for asked, _ in world.asked].index(fun)


def test_a_cluster_change_goes_back_on_all_in_one_job(journal: Journal) -> None:
    world = World("cluster")
    world.nodes["n2"].broken = "keepalived.commit"

    assert rollout(world, journal).start()["retcode"] == PUT_BACK

    back = [nodes for fun, nodes in world.asked if fun == "keepalived.put_back"]
    assert back == [("n1", "n2", "n3")]


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


def moments(kind: str) -> list[float]:
    """Every moment at which the master may die: before each question, and after its effect."""
    world = World(kind)
    Rollout(world.members, _Forgetful(), world, "root").start()
    return [count + half for count in range(len(world.asked)) for half in (0, 0.5)]


class _Forgetful:
    cluster = "controllers"

    def read(self) -> None:
        return None

    def write(self, data: dict) -> None:
        json.dumps(data)

    def forget(self) -> None:
        return None


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


@pytest.mark.parametrize("fails", [False, True], ids=["finished", "failed and put back"])
@pytest.mark.parametrize("kind", KINDS)
def test_resumed_with_another_pillar_all_nodes_get_that_or_go_back_to_the_first_file(
    kind: str, fails: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    mixed = 0
    for number, moment in enumerate(moments(kind)):
        world = World(kind, dies_at=moment)
        journal = Journal(tmp_path / str(number), "controllers")
        with journal.locked("root", "a test", "now"), pytest.raises(Died):
            rollout(world, journal).start()
        world.dies_at = None
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
    world = World("safe", dies_at=_first("keepalived.apply", "safe") + 0.5)
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
    world = World("cluster", dies_at=_first("keepalived.apply", "cluster"))
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


class FullDisk(Journal):
    """Takes *writes* more; *forgets*: whether it can be removed."""

    writes = 0
    forgets = True

    def write(self, data: dict) -> None:
        if self.writes <= 0:
            raise JournalError(f"{self.path} cannot be written: No space left on device")
        self.writes -= 1
        super().write(data)

    def forget(self) -> None:
        if not self.forgets:
            raise JournalError(f"{self.path} cannot be removed: Input/output error")
        super().forget()


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


@pytest.mark.parametrize("way", ["resume", "undo"])
@pytest.mark.parametrize("kind", KINDS)
def test_wherever_the_master_dies_the_next_run_finishes_or_undoes_it(
    kind: str, way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No power fails here, and a busy disk would make minutes of some hundred rollouts.
    monkeypatch.setattr(os, "fsync", lambda _fd: None)
    broken_off = 0
    for number, moment in enumerate(moments(kind)):
        world = World(kind, dies_at=moment)
        journal = Journal(tmp_path / str(number), "controllers")
        with journal.locked("root", "a test", "now"), pytest.raises(Died):
            rollout(world, journal).start()
        world.dies_at = None
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


@pytest.mark.parametrize("way", ["resume", "undo"])
def test_there_is_nothing_to_resume_or_undo_without_a_journal(way: str, journal: Journal) -> None:
    with pytest.raises(Refused, match="no rollout of controllers has broken off"):
        getattr(rollout(World(), journal), way)()


# --- the files --------------------------------------------------------------------------------


def test_two_never_work_on_one_cluster_and_the_second_is_told_who(tmp_path: Path) -> None:
    first = Journal(tmp_path, "controllers")
    with (
        first.locked("root", "a rollout", "2026-11-22T03:04:05Z"),
        pytest.raises(Locked, match=f"a rollout, started by root at 2026.*process {os.getpid()}"),
        Journal(tmp_path, "controllers").locked("else", "a drain", "later"),
    ):
        pass
    with Journal(tmp_path, "others").locked("else", "a drain", "later"):
        pass


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    code = (
        "import sys, time; from keepalived_core.cluster.journal import Journal\n"
        f"with Journal({str(tmp_path)!r}, 'c').locked('root', 'a rollout', 'now'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Locked), Journal(tmp_path, "c").locked("else", "a drain", "later"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with Journal(tmp_path, "c").locked("else", "a drain", "later"):
        pass


@pytest.mark.parametrize("name", ["../../etc/x", "..", ".", "a b", "ü/../y"])
def test_a_cluster_s_name_leads_nowhere_else(name: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "rollout", name)
    with journal.locked("root", "a rollout", "now"):
        journal.write({"cluster": name})

    assert journal.path.parent == tmp_path / "rollout"
    assert journal.read() == {"schema": 1, "cluster": name}
    assert [path.name for path in tmp_path.iterdir()] == ["rollout"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99}'])
def test_a_journal_that_makes_no_sense_stops_everything(text: str, journal: Journal) -> None:
    journal.path.write_text(text, encoding="utf-8")

    with pytest.raises(JournalError, match=str(journal.path)):
        rollout(World(), journal).start()
