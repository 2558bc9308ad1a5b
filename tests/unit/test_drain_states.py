"""The states drained and undrained, loaded by path as Salt does, over verbs that only answer."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

exceptions = pytest.importorskip("salt.exceptions")

SOURCE = Path(__file__).resolve().parents[2] / "salt/_states/keepalived_drain.py"
FREE = {
    "drained": False,
    "mode": None,
    "until": None,
    "reason": None,
    "missing": [],
    "problem": None,
}
FUTURE = "2100-01-01T00:00:00Z"
DRAINED = {**FREE, "drained": True, "mode": "weight", "reason": "disk"}
DONE = {
    **DRAINED,
    "instances": {
        "VI": {"before": "MASTER", "after": "BACKUP"},
        "VJ": {"before": "BACKUP", "after": "BACKUP"},
    },
    "did": "a peer took over VI",
}


@pytest.fixture
def states(monkeypatch):
    """states(status, answer=…, test=False): the module, and the calls that change something."""
    # The library that the other tests hold stays theirs.
    for name in [name for name in sys.modules if name.partition(".")[0] == "keepalived_core"]:
        monkeypatch.setitem(sys.modules, name, sys.modules[name])
    spec = importlib.util.spec_from_file_location("drain_states_under_test", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def make(status, answer=DONE, test=False):
        calls = []

        def change(**how):
            calls.append(how)
            if isinstance(answer, Exception):
                raise answer
            return answer

        module.__opts__ = {"test": test}
        module.__salt__ = {
            "keepalived.drain_status": lambda: status,
            "keepalived.drain": change,
            "keepalived.undrain": change,
        }
        return module, calls

    return make


#: (what, the node's status, how, whether it drains)
RUNS = [
    ("not drained", FREE, {}, True),
    ("drained for this", DRAINED, {}, False),
    ("drained for something else", {**DRAINED, "reason": "fan"}, {}, True),
    ("a span does not prolong it", {**DRAINED, "until": "x"}, {"expires": "2h"}, False),
    ("the same end", {**DRAINED, "until": FUTURE}, {"expires": FUTURE}, False),
    ("another end", {**DRAINED, "until": "2099-01-01T00:00:00Z"}, {"expires": FUTURE}, True),
    ("its end taken away", {**DRAINED, "until": FUTURE}, {}, True),
    ("another way", DRAINED, {"mode": "fault"}, True),
    ("something is wrong with it", {**DRAINED, "problem": "not in force"}, {}, True),
    ("its time is over", FREE, {"expires": "2020-01-01T00:00:00Z"}, False),
]


@pytest.mark.parametrize("test", [False, True])
@pytest.mark.parametrize(("what", "status", "how", "drains"), RUNS, ids=[run[0] for run in RUNS])
def test_the_state_drains_only_where_that_changes_something(
    states, what, status, how, drains, test
):
    module, calls = states(status, test=test)
    ret = module.drained("disk", **how)
    assert ret["result"] is (None if drains and test else True)
    assert bool(ret["changes"]) is drains
    assert bool(calls) is (drains and not test)
    if calls:
        assert calls[0]["reason"] == "disk"
        assert ret["changes"]["instances"] == {"VI": {"old": "MASTER", "new": "BACKUP"}}


@pytest.mark.parametrize("expires", ["soon", True])
def test_what_is_no_end_fails_and_drains_nothing(states, expires):
    module, calls = states(FREE)
    ret = module.drained("disk", expires=expires)
    assert ret["result"] is False
    assert "give a span" in ret["comment"]
    assert not calls


def test_a_refusal_is_the_comment(states):
    module, _calls = states(FREE, exceptions.CommandExecutionError("no healthy peer took over VI"))
    ret = module.drained("disk")
    assert (ret["result"], ret["comment"]) == (False, "no healthy peer took over VI")
    assert ret["changes"] == {}


def test_what_is_missing_shows_in_test_mode(states):
    module, _calls = states({**FREE, "missing": ["no track_file"]}, test=True)
    assert "no track_file" in module.drained("disk")["comment"]


@pytest.mark.parametrize(
    ("status", "test", "result", "called"),
    [
        (FREE, False, True, False),
        (DRAINED, True, None, False),
        (DRAINED, False, True, True),
    ],
)
def test_undrained_ends_a_drain(states, status, test, result, called):
    answer = {**FREE, "instances": DONE["instances"], "did": "this node may take addresses again"}
    module, calls = states(status, answer, test)
    ret = module.undrained("back")
    assert (ret["result"], bool(calls)) == (result, called)
    assert bool(ret["changes"]) is (status is DRAINED)
