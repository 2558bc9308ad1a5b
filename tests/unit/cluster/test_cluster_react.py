"""What is done about a FAULT, and what is left alone."""

from __future__ import annotations

import copy
import itertools

import pytest
from cluster_samples import PILLAR, event, status
from hypothesis import given
from hypothesis import strategies as st

from keepalived_core.cluster.ledger import Run
from keepalived_core.cluster.react import (
    LEASE_SECONDS,
    Action,
    Skip,
    check_passes,
    configured_for,
    decide_remediation,
    peer_states,
    remediation_concerns,
)

NOW = 1_000_000.0


def check(ok: object = False, rc: object = 1, **more: object) -> dict:
    return {"ok": ok, "rc": rc, "instances": ["VI_PUBLIC"], "command": ["/bin/false"], **more}


def pillar(**remediation: object) -> dict:
    changed = copy.deepcopy(PILLAR)
    changed["keepalived"]["remediation"] = remediation
    return changed


FAILING = {"chk_haproxy": check()}


def decide(**changes: object) -> list:
    asked = {
        "event": event(),
        "pillar": PILLAR,
        "checks": FAILING,
        "status": status(),
        "runs": [],
        "now": NOW,
        **changes,
    }
    return decide_remediation(**asked)


def test_a_confirmed_failure_that_the_pillar_names_is_repaired() -> None:
    assert decide() == [
        Action(
            minion="controller3",
            instance="VI_PUBLIC",
            check="chk_haproxy",
            service="haproxy",
            cooldown=60.0,
            reason="chk_haproxy fails, exit status 1",
        )
    ]


def test_a_check_that_does_not_end_fails_too() -> None:
    (action,) = decide(checks={"chk_haproxy": check(rc=None, timed_out=True)})

    assert isinstance(action, Action)


def test_the_cool_down_is_a_minute_when_the_pillar_says_nothing() -> None:
    (action,) = decide(pillar=pillar(chk_haproxy={"restart_service": "haproxy"}))

    assert action.cooldown == 60


def ended(ago: float, check: str = "chk_haproxy", service: str = "haproxy") -> Run:
    started = NOW - ago
    return Run(check, service, started, started + LEASE_SECONDS, started + 1)


LEFT_ALONE = {
    "planned": ({"event": event(planned=True)}, "planned"),
    "nothing allowed": ({"pillar": pillar()}, "allows nothing on this node"),
    "no remediation in the pillar": (
        {"pillar": {"keepalived": {"config": {}}}},
        "allows nothing on this node",
    ),
    "no keepalived in the pillar": ({"pillar": {}}, "allows nothing on this node"),
    "the pillar does not compile": (
        {"pillar": {**PILLAR, "_errors": ["Rendering SLS 'x' failed: auth_pass: s3cret"]}},
        "the minion's pillar does not compile",
    ),
    "remediation is a list": (
        {"pillar": {"keepalived": {"remediation": ["chk_haproxy"]}}},
        "is no mapping",
    ),
    "the check is not named": (
        {"pillar": pillar(chk_other={"restart_service": "haproxy"})},
        "does not name it",
    ),
    "the checks were not answered": ({"checks": None}, "unknown: keepalived.checks was not"),
    "the checks failed": (
        {"checks": "Traceback (most recent call last):\n  ...\nOSError: no memory\x1b"},
        "unknown: keepalived.checks failed on the node: OSError: no memory?",
    ),
    "the status was not answered": ({"status": None}, "unknown: keepalived.status was not"),
    "the status is a text": ({"status": "boom"}, "unknown: keepalived.status failed"),
    "the state is not known": ({"status": status(None)}, "its state is unknown now"),
    "the node runs no such instance": ({"status": {"instances": []}}, "its state is unknown now"),
    "it recovered": ({"status": status("BACKUP")}, "VI_PUBLIC is BACKUP now"),
    "no script is tracked": ({"checks": {}}, "the FAULT has another cause"),
    "another instance's check fails": (
        {"checks": {"chk_haproxy": check(instances=["VI_OTHER"])}},
        "the FAULT has another cause",
    ),
    "the check passes now": (
        {"checks": {"chk_haproxy": check(ok=True, rc=0)}},
        "passes now: chk_haproxy",
    ),
    "the script is missing": (
        {"checks": {"chk_haproxy": check(rc=None, reason="cannot run: No such file")}},
        "unknown: chk_haproxy could not be run (cannot run: No such file)",
    ),
    "ok is a text": ({"checks": {"chk_haproxy": check(ok="no")}}, "unknown: chk_haproxy"),
    "ok is missing": ({"checks": {"chk_haproxy": check(ok=None)}}, "unknown: chk_haproxy"),
    "the check is a text": ({"checks": {"chk_haproxy": "no"}}, "the FAULT has another cause"),
    "just repaired": ({"runs": [ended(12)]}, "cool-down: haproxy was restarted 12 s ago"),
    "repaired for another check": ({"runs": [ended(12, check="chk_x")]}, "cool-down: haproxy"),
    "another service for this check": ({"runs": [ended(12, service="x")]}, "cool-down: x"),
    "the clock was set back": ({"runs": [ended(-30)]}, "cool-down: haproxy"),
    "under way": (
        {"runs": [Run("chk_haproxy", "haproxy", NOW - 90, NOW + 1)]},
        "haproxy is being restarted already",
    ),
    "a service that is an option": (
        {"pillar": pillar(chk_haproxy={"restart_service": "--now"})},
        ":restart_service is no service name",
    ),
    "a service that is a command": (
        {"pillar": pillar(chk_haproxy={"restart_service": "x; reboot"})},
        ":restart_service is no service name",
    ),
    "a service that is a list": (
        {"pillar": pillar(chk_haproxy={"restart_service": ["haproxy"]})},
        ":restart_service is no service name",
    ),
    "an action that does not exist": (
        {"pillar": pillar(chk_haproxy={"run": "reboot"})},
        "has an unknown key 'run'; known are budget, cooldown, restart_service",
    ),
    "no mapping": (
        {"pillar": pillar(chk_haproxy="haproxy")},
        "would be {restart_service: haproxy}",
    ),
    "a cool-down that is a text": (
        {"pillar": pillar(chk_haproxy={"restart_service": "haproxy", "cooldown": "60"})},
        ":cooldown is no number",
    ),
    "a cool-down of zero": (
        {"pillar": pillar(chk_haproxy={"restart_service": "haproxy", "cooldown": 0})},
        ":cooldown is not between 1 and 86400",
    ),
    "a cool-down without end": (
        {"pillar": pillar(chk_haproxy={"restart_service": "haproxy", "cooldown": float("nan")})},
        ":cooldown is not between 1 and 86400",
    ),
}


@pytest.mark.parametrize(("changes", "reason"), LEFT_ALONE.values(), ids=LEFT_ALONE)
def test_what_is_not_certain_or_not_allowed_is_left_alone(changes: dict, reason: str) -> None:
    (skip,) = decide(**changes)

    assert isinstance(skip, Skip)
    assert reason in skip.reason


@pytest.mark.parametrize(
    "run",
    [
        ended(61),
        ended(1, check="chk_other", service="other"),
        # The master died in the middle of it.
        Run("chk_haproxy", "haproxy", NOW - LEASE_SECONDS - 1, NOW - 1),
    ],
)
def test_what_is_over_or_about_another_service_does_not_hold_a_repair_up(run: Run) -> None:
    (action,) = decide(runs=[run])

    assert isinstance(action, Action)


def test_each_failing_check_has_its_own_decision() -> None:
    allowed = pillar(
        chk_api={"restart_service": "api"},
        chk_haproxy={"restart_service": "haproxy"},
        chk_http={"restart_service": "haproxy"},
    )
    failing = {name: check() for name in ("chk_http", "chk_haproxy", "chk_api", "chk_else")}
    decisions = decide(pillar=allowed, checks={**failing, "chk_fine": check(ok=True, rc=0)})

    assert [
        (one.service if isinstance(one, Action) else one.reason, one.check) for one in decisions
    ] == [
        ("api", "chk_api"),
        ("pillar keepalived:remediation does not name it", "chk_else"),
        ("haproxy", "chk_haproxy"),
        ("haproxy is restarted for another check", "chk_http"),
    ]


@pytest.mark.parametrize(
    ("changes", "concerns"),
    [
        ({}, True),
        ({"planned": True}, True),
        ({"to": "STOP"}, False),
        ({"to": "ghost"}, False),
        ({"type": "group", "instance": "VG1"}, False),
    ],
)
def test_repair_is_about_instances_that_went_fault(changes: dict, concerns: bool) -> None:
    assert remediation_concerns(event(**changes)) is concerns


@pytest.mark.parametrize(
    ("changes", "pillar", "configured"),
    [
        ({}, PILLAR, True),
        ({"id": "controller4"}, PILLAR, False),
        ({"instance": "VI_OTHER"}, PILLAR, False),
        ({"instance": "VI_OTHER", "to": "DELETED"}, PILLAR, True),
        ({"id": "controller4", "to": "DELETED"}, PILLAR, False),
        ({}, {}, False),
        ({}, {"keepalived": "x"}, False),
        ({}, {"keepalived": {"config": "x"}}, False),
        ({}, {"keepalived": {"config": {"vrrp_instance": {"VI_PUBLIC": {}}}}}, True),
        (
            {"instance": "VI_3"},
            {
                "keepalived": {
                    "config": {},
                    "nodes": {"controller3": {"config": {"vrrp_instance": {"VI_3": {}}}}},
                }
            },
            True,
        ),
    ],
)
def test_the_pillar_must_give_the_minion_the_instance(
    changes: dict, pillar: dict, configured: bool
) -> None:
    assert configured_for(event(**changes), pillar) is configured


def test_a_peer_that_says_nothing_is_unknown() -> None:
    answers = {"controller1": status("BACKUP"), "controller2": "Traceback ..."}

    assert peer_states(["controller2", "controller1", "controller0"], answers, "VI_PUBLIC") == {
        "controller0": "unknown",
        "controller1": "BACKUP",
        "controller2": "unknown",
    }


@pytest.mark.parametrize("answer", [None, "boom", {}, {"chk_haproxy": None}, FAILING])
def test_a_check_passes_only_when_the_node_says_so(answer: object) -> None:
    assert not check_passes(answer, "chk_haproxy")
    assert check_passes({"chk_haproxy": check(ok=True, rc=0)}, "chk_haproxy")


@given(st.lists(st.tuples(st.floats(0, 40), st.booleans()), max_size=60))
def test_i10_however_often_it_fails_a_service_is_restarted_once_in_its_cool_down(
    history: list[tuple[float, bool]],
) -> None:
    """Each step: so many seconds pass, and the check of the instance fails or not."""
    runs: list[Run] = []
    now = NOW
    for pause, fails in history:
        now += pause
        answer = {"chk_haproxy": check(ok=not fails, rc=int(fails))}
        for decision in decide(checks=answer, runs=runs, now=now):
            if isinstance(decision, Action):
                assert fails
                runs.append(Run(decision.check, decision.service, now, now + 300, now + 1))
    starts = [run.started for run in runs]
    assert all(later - earlier >= 60 for earlier, later in itertools.pairwise(starts))
