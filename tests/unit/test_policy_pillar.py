"""``keepalived:policy``: what is read, and what is named as a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from keepalived_core.pillar import sections
from keepalived_core.policy_pillar import ACTIONS, Policy, Rule, read


def test_without_a_policy_nothing_is_allowed() -> None:
    assert read(None) == (Policy(), [])
    assert read({}) == (Policy(), [])


def test_every_limit_and_rule_is_read() -> None:
    found, mistakes = read(
        {
            "budget": 4,
            "window": 7200,
            "cooldown": 60,
            "mass_failure": 5,
            "dry_run": True,
            "incidents": {
                "split_brain": {"action": "drain", "peers": 1, "expires": 3600},
                "no_master": {"action": "restart", "service": "haproxy"},
                "ghost_vip": {"action": "restart"},
                "degraded": {"action": "state", "sls": "repair.haproxy"},
                "failover": {"action": "reannounce"},
                "flapping": {"action": "none"},
            },
        }
    )

    assert mistakes == []
    assert found == Policy(
        rules={
            "split_brain": Rule("drain", peers=1, expires=3600),
            "no_master": Rule("restart", service="haproxy"),
            "ghost_vip": Rule("restart", service="keepalived"),
            "degraded": Rule("state", sls="repair.haproxy"),
            "failover": Rule("reannounce"),
            "flapping": Rule("none"),
        },
        budget=4,
        window=7200,
        cooldown=60,
        mass_failure=5,
        dry_run=True,
    )


def rule(kind: str, **settings: Any) -> dict[str, Any]:
    return {"incidents": {kind: settings}}


# policy, path of the mistake, a part of the reason
MISTAKES: list[tuple[Any, str, str]] = [
    ("drain", "policy", "a mapping belongs here, not str"),
    ({"budgt": 3}, "policy:budgt", "did you mean budget?"),
    ({"budget": 0}, "policy:budget", "'0' is no whole number of actions from 1 to 100"),
    ({"budget": True}, "policy:budget", "no whole number"),
    ({"window": "1h"}, "policy:window", "'1h' is no whole number of seconds from 60"),
    ({"cooldown": 0.5}, "policy:cooldown", "no whole number of seconds"),
    ({"mass_failure": 0}, "policy:mass_failure", "no whole number of clusters"),
    ({"dry_run": "false"}, "policy:dry_run", "without quotes"),
    ({"incidents": []}, "policy:incidents", "a mapping belongs here"),
    (rule("split_brian", action="drain"), "policy:incidents:split_brian", "mean split_brain?"),
    (rule("split_brain"), "policy:incidents:split_brain:action", "is missing; possible are none"),
    (rule("split_brain", action=["drain"]), "policy:incidents:split_brain:action", "mean drain?"),
    (rule("split_brain", action="drian"), "policy:incidents:split_brain:action", "mean drain?"),
    (
        rule("no_master", action="drain"),
        "policy:incidents:no_master:action",
        "'drain' is no action for it; possible are none, restart, undrain, state",
    ),
    ({"incidents": {"flapping": "drain"}}, "policy:incidents:flapping", "a mapping belongs here"),
    (rule("no_master", action="restart"), "policy:incidents:no_master:service", "a service"),
    (
        rule("no_master", action="restart", service="--now"),
        "policy:incidents:no_master:service",
        "a service",
    ),
    (
        rule("degraded", action="restart", servce="haproxy"),
        "policy:incidents:degraded:servce",
        "did you mean service?",
    ),
    (rule("degraded", action="state"), "policy:incidents:degraded:sls", "name of an SLS"),
    (
        rule("degraded", action="state", sls="../evil"),
        "policy:incidents:degraded:sls",
        "name of an SLS",
    ),
    (
        rule("degraded", action="none", peers=1),
        "policy:incidents:degraded:peers",
        "no such key; known are action",
    ),
    (
        rule("split_brain", action="drain", peers=0),
        "policy:incidents:split_brain:peers",
        "no whole number of nodes from 1",
    ),
    (
        rule("flapping", action="drain", expires="2h"),
        "policy:incidents:flapping:expires",
        "no whole number of seconds from 60 to 604800",
    ),
]


@pytest.mark.parametrize(("value", "path", "reason"), MISTAKES)
def test_a_mistake_is_named_with_its_path_and_allows_nothing(
    value: Any, path: str, reason: str
) -> None:
    policy, mistakes = read(value)

    assert policy == Policy()
    assert reason in dict(mistakes)[path]
    assert reason in dict(sections.check({"policy": value}))[f"keepalived:{path}"]


def test_all_mistakes_are_told_at_once() -> None:
    _, mistakes = read({"budget": 0, "dry_run": 1, "incidents": {kind: {} for kind in ACTIONS}})

    assert len(mistakes) == 2 + len(ACTIONS)
