"""Slips in the pillar's sections beside config are named, with path and remedy."""

from __future__ import annotations

from typing import Any

import pytest

from keepalived_core.pillar import sections

SOUND: list[dict[str, Any]] = [
    {},
    {"package": {"version": "1:2.2.7-1"}},
    {"package": {}},
    {"scripts": {"/x.sh": {"contents": "#!/bin/sh\n"}}},
    {"scripts": {"/x.sh": {"source": "salt://x.sh", "user": "nobody", "mode": "0750"}}},
    # Salt's YAML reads an unquoted 0755 as 755.
    {"scripts": {"/x.sh": {"source": "salt://x.sh", "mode": 755}}},
    {"sysctl": {"ip_nonlocal_bind": True}},
    {"sysctl": {"ip_nonlocal_bind": False}},
    {"clean": {"stop_keepalived": True}},
    {"allow_disruptive": True},
    {"firewall": {"vrrp": False, "direct_rules": [{"ipv": "ipv4"}]}},
    {"firewall": {"direct_rules": None}},
    {"remediation": {"chk": {"restart_service": "haproxy", "cooldown": 60}}},
    {"remediation": {"chk": {"restart_service": "haproxy"}}},
    {
        "config": {"vrrp_script": {"chk": {}}},
        "remediation": {"chk": {"restart_service": "haproxy"}},
    },
    {
        "config": {"vrrp_script": {"chk": {}}},
        "nodes": {"a": {"config": {"vrrp_script": {"own": {}}}}},
        "remediation": {"own": {"restart_service": "haproxy"}},
    },
]

# pillar, path of the mistake, a part of the reason
MISTAKES: list[tuple[dict[str, Any], str, str]] = [
    ({"package": "2.2.7"}, "package", "a mapping belongs here"),
    ({"package": {"version": 2.2}}, "package:version", "quote it"),
    ({"package": {"verson": "2"}}, "package:verson", "did you mean version?"),
    ({"scripts": ["/x"]}, "scripts", "a mapping belongs here, not a list"),
    ({"scripts": {"/x": None}}, "scripts:/x", "a mapping belongs here, not nothing"),
    ({"scripts": {"/x": {}}}, "scripts:/x", "either source"),
    ({"scripts": {"/x": {"source": "a", "contents": "b"}}}, "scripts:/x", "either source"),
    ({"scripts": {"/x": {"contents": ""}}}, "scripts:/x:contents", "it is empty"),
    ({"scripts": {"/x": {"contents": 5}}}, "scripts:/x:contents", "a text belongs here"),
    ({"scripts": {"x": {"contents": "a"}}}, "scripts:x", "full path"),
    ({"scripts": {"/x": {"content": "a"}}}, "scripts:/x:content", "did you mean contents?"),
    ({"scripts": {"/x": {"contents": "a", "mode": "rwx"}}}, "scripts:/x:mode", "'0755'"),
    ({"scripts": {"/x": {"contents": "a", "mode": 493}}}, "scripts:/x:mode", "'0755'"),
    ({"scripts": {"/x": {"contents": "a", "mode": True}}}, "scripts:/x:mode", "'0755'"),
    ({"sysctl": {"ip_nonlocal_bind": "true"}}, "sysctl:ip_nonlocal_bind", "without quotes"),
    ({"sysctl": {"ip_nonlocal": True}}, "sysctl:ip_nonlocal", "did you mean ip_nonlocal_bind?"),
    ({"sysctl": True}, "sysctl", "a mapping belongs here"),
    ({"clean": {"stop_keepalived": "yes"}}, "clean:stop_keepalived", "without quotes"),
    ({"allow_disruptive": "yes"}, "allow_disruptive", "without quotes"),
    ({"firewall": {"vrrp": "no"}}, "firewall:vrrp", "without quotes"),
    ({"firewall": {"direct_rules": "x"}}, "firewall:direct_rules", "a list of rules"),
    ({"firewall": {"direct_rule": []}}, "firewall:direct_rule", "did you mean direct_rules?"),
    ({"remediation": {"chk": {}}}, "remediation:chk", "restart_service is missing"),
    (
        {"remediation": {"chk": {"restart_servce": "haproxy"}}},
        "remediation:chk:restart_servce",
        "did you mean restart_service?",
    ),
    (
        {"remediation": {"chk": {"restart_service": "haproxy", "cooldown": "1m"}}},
        "remediation:chk:cooldown",
        "seconds belong here",
    ),
    (
        {
            "config": {"vrrp_script": {"chk_haproxy": {}}},
            "remediation": {"chk_haprox": {"restart_service": "haproxy"}},
        },
        "remediation:chk_haprox",
        "did you mean chk_haproxy?",
    ),
]


@pytest.mark.parametrize("pillar", SOUND)
def test_what_is_right_is_accepted(pillar: dict[str, Any]) -> None:
    assert sections.check(pillar) == []


@pytest.mark.parametrize(("pillar", "path", "reason"), MISTAKES)
def test_a_slip_is_named_with_its_path(pillar: dict[str, Any], path: str, reason: str) -> None:
    found = dict(sections.check(pillar))
    assert reason in found[f"keepalived:{path}"]


def test_every_slip_is_named_at_once() -> None:
    pillar = {"package": 1, "sysctl": 2, "scripts": 3}
    assert len(sections.check(pillar)) == len(pillar)


@pytest.mark.parametrize("pillar", [None, "text", ["list"], 5])
def test_a_pillar_that_is_no_mapping_is_left_to_the_reader_of_config(pillar: Any) -> None:
    assert sections.check(pillar) == []
