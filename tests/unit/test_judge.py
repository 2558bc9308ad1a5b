"""Whether a change may be made: what it does, who allowed it, and for which file it was meant."""

import pytest

from keepalived_core import conf, judge, plan
from keepalived_core.check.change import Change, Kind, Reason
from keepalived_core.node import apply, pending, process
from keepalived_core.node.paths import Paths

DAEMON = process.Daemon(7, 7)


def made(kind=None, live="abc"):
    change = None
    if kind:
        change = Change([Reason(kind, "VI", "vrrp_instance VI priority", "101 becomes 90")])
    return plan.Plan("text", "change", change=change, live=live)


#: (what, the kind of the change, allowed, does keepalived run, is it refused)
CASES = [
    ("nothing to the daemon", None, False, True, False),
    ("safe", Kind.SAFE, False, True, False),
    ("moves", Kind.MOVES, False, True, True),
    ("needs a restart", Kind.RESTART, False, True, True),
    ("two masters", Kind.CLUSTER, False, True, True),
    ("an address goes", Kind.REMOVES, False, True, True),
    ("allowed", Kind.CLUSTER, True, True, False),
    ("nothing runs", Kind.REMOVES, False, False, False),
]


@pytest.mark.parametrize(
    ("what", "kind", "allowed", "runs", "refused"), CASES, ids=[row[0] for row in CASES]
)
def test_what_can_be_felt_needs_to_be_allowed(monkeypatch, what, kind, allowed, runs, refused):
    monkeypatch.setattr(judge.process, "find", lambda _paths: DAEMON if runs else None)
    if not refused:
        judge.check_allowed(made(kind), allowed, "web")
        return
    with pytest.raises(apply.ApplyError) as err:
        judge.check_allowed(made(kind), allowed, "web")
    for words in ("101 becomes 90", "keepalived.rollout web", "allow_disruptive"):
        assert words in err.value.reason


def test_a_plan_for_another_file_is_refused():
    judge.check_expected("/x", made(live="abc"), None)
    judge.check_expected("/x", made(live="abc"), "abc")
    with pytest.raises(apply.ApplyError, match="changed meanwhile"):
        judge.check_expected("/x", made(live="abc"), "def")


def test_another_text_than_the_planned_one_is_refused():
    found = made(live="abc")
    judge.check_expected("/x", found, "abc", found.new)
    with pytest.raises(apply.ApplyError, match=r"pillar was changed meanwhile.*plan again"):
        judge.check_expected("/x", found, "abc", "0" * 64)


TREE = "vrrp_script c {\n script /usr/bin/true\n}\n"


@pytest.fixture
def node(tmp_path, monkeypatch):
    """A node with keepalived 1.3.5, which has no -t, so that no program is needed."""
    paths = Paths.under(tmp_path)
    paths.config.parent.mkdir(parents=True)
    monkeypatch.setattr(judge.process, "find", lambda _paths: DAEMON)

    def ask(text=TREE):
        return judge.plan(str(paths.config), conf.parse(text), (1, 3, 5), dict, paths)

    return paths, ask


def test_a_file_that_was_never_seen_in_force_is_finished_and_judged_by_what_runs(node):
    paths, ask = node
    paths.config.write_text(TREE.replace("true", "false"))
    kept = apply.backup(str(paths.config), str(paths.backups))
    first = ask()
    assert first.action == "change"
    record = pending.Record(str(paths.config), 1.0, kept, first.live, first.new, daemon=DAEMON.id)
    pending.begin(record, paths)
    paths.config.write_text(first.text)
    again = ask()
    assert again.action == "finish"
    assert again.change is not None and again.change.sentences() == first.change.sentences()
    pending.move(record, pending.DONE, "", paths)
    assert ask().action == "nothing"


def test_the_first_file_of_a_node_is_a_first_configuration(node):
    _paths, ask = node
    found = ask()
    assert (found.action, found.live) == ("create", None)
    assert found.change is not None and not found.change.disruptive


def test_a_plan_leaves_nothing_behind(node):
    paths, ask = node
    ask()
    assert list(paths.config.parent.iterdir()) == []
