"""The state keepalived.managed says what it does, would do, or refuses, and why."""

import importlib.util
from pathlib import Path

import pytest
from salt.exceptions import CommandExecutionError

MODULE = Path(__file__).resolve().parents[2] / "salt" / "_states" / "keepalived.py"
PATH = "/etc/keepalived/keepalived.conf"
REFUSED = "nothing was changed, because this change can be felt: moves: priority"


def change(kind):
    reason = {
        "kind": kind,
        "instance": "VI",
        "keyword": "vrrp_instance VI priority",
        "text": "101 becomes 90",
    }
    return {"kind": kind, "disruptive": kind != "safe", "instances": {}, "reasons": [reason]}


def plan(action="change", kind="safe", refused=None):
    found = change(kind) if kind else None
    return {
        "action": action,
        "diff": "-a\n+b" if action != "nothing" else "",
        "notes": [],
        "change": found,
        "refused": refused,
    }


@pytest.fixture
def managed():
    """Runs the state on a plan; ``applied`` are the calls of keepalived.apply."""
    spec = importlib.util.spec_from_file_location("managed_under_test", MODULE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def run(planned, test=False, error=None, **kwargs):
        run.applied = []

        def apply(path, allow_disruptive):
            run.applied.append((path, allow_disruptive))
            if error:
                raise CommandExecutionError(error)
            return {
                **planned,
                "reload": True,
                "restart": False,
                "backup": "/b/keepalived.conf.1",
                "did": "keepalived was reloaded and runs it",
            }

        module.__opts__ = {"test": test}
        module.__salt__ = {"keepalived.plan": lambda _path: planned, "keepalived.apply": apply}
        return module.managed(PATH, **kwargs)

    return run


#: (what, the plan, test mode, arguments, result, parts of the comment, has changes, is applied)
CASES = [
    ("nothing", plan("nothing", None), False, {}, True, ["is as the pillar says"], False, False),
    ("form", plan("form", None), True, {}, None, ["nothing would be reloaded"], True, False),
    (
        "safe, asked",
        plan(),
        True,
        {},
        None,
        ["would be changed and keepalived reloaded", "101 becomes 90"],
        True,
        False,
    ),
    ("safe", plan(), False, {}, True, ["was changed", "runs it", "safe: vrrp_"], True, True),
    (
        "refused, asked",
        plan(kind="moves", refused=REFUSED),
        True,
        {},
        False,
        [REFUSED],
        True,
        False,
    ),
    (
        "allowed on the state, asked",
        plan(kind="moves", refused=REFUSED),
        True,
        {"allow_disruptive": True},
        None,
        ["would be changed", "moves: vrrp_instance VI priority: 101 becomes 90"],
        True,
        False,
    ),
    (
        "a restart, asked",
        plan(kind="restart", refused=REFUSED),
        True,
        {"allow_disruptive": True},
        None,
        ["keepalived restarted"],
        True,
        False,
    ),
    ("unfinished", plan("finish"), True, {}, None, ["never seen in force"], True, False),
    ("finished", plan("finish"), False, {}, True, ["was finished", "runs it"], True, True),
]


@pytest.mark.parametrize(
    ("what", "planned", "test", "given", "result", "words", "changes", "applied"),
    CASES,
    ids=[row[0] for row in CASES],
)
def test_what_the_state_answers(
    managed, what, planned, test, given, result, words, changes, applied
):
    ret = managed(planned, test=test, **given)
    assert ret["result"] is result, ret
    assert [word for word in words if word not in ret["comment"]] == [], ret["comment"]
    assert bool(ret["changes"]) is changes
    assert bool(managed.applied) is applied


def test_what_fails_is_the_comment_and_no_change(managed):
    ret = managed(plan(), error="VI went from MASTER to FAULT. The previous file is back")
    assert (ret["result"], ret["changes"]) == (False, {})
    assert "is back" in ret["comment"]


def test_the_permission_reaches_the_verb(managed):
    managed(plan(), allow_disruptive=True)
    assert managed.applied == [(PATH, True)]
