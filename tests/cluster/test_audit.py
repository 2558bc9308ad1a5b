"""An audit of a real cluster finds nothing in a healthy one, and each of five seeded defects."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from support import CLASSIC, CONFIG, VIP, holders, set_pillar, wait_one_holder, wait_until

from keepalived_core.cluster.audit_table import screen
from keepalived_core.cluster.table import Painter
from lab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(240)]

NODES = ["controller1", "controller2", "controller3"]
HOME, NEXT = "controller3", "controller2"
EDITED, CLOSED, UNWATCHED = "controller1", "controller1", "controller2"
WATCH = "salt-keepalived-watch"
#: What firewalld has after its next start; the adverts of now go on coming in.
PERMANENT = ["firewall-cmd", "--permanent", "--zone=public"]


@pytest.fixture
def site(healthy: Lab) -> Iterator[Lab]:
    """The classic cluster; file, firewall and watch are as they were afterwards."""
    file = healthy.node(EDITED).read_file(CONFIG)
    rules = rich_rules(healthy)
    yield healthy
    healthy.node(EDITED).write_file(CONFIG, file, 0o640)
    for rule in rules:
        healthy.node(CLOSED).run([*PERMANENT, f"--add-rich-rule={rule}"])
    healthy.node(UNWATCHED).run(["systemctl", "start", WATCH])
    set_pillar(healthy, CLASSIC)
    healthy.salt("controller*", "saltutil.refresh_pillar", wait=True)


def rich_rules(lab: Lab) -> list[str]:
    return lab.node(CLOSED).run([*PERMANENT, "--list-rich-rules"]).stdout.splitlines()


def audit(lab: Lab) -> dict[str, Any]:
    return lab.salt_run("keepalived.audit", "controllers")


def audit_without(lab: Lab, node: str) -> dict[str, Any]:
    """The same while the node's minion is frozen."""
    lab.node(node).run(["systemctl", "kill", "--signal=STOP", "salt-minion"])
    try:
        return audit(lab)
    finally:
        lab.node(node).run(["systemctl", "kill", "--signal=CONT", "salt-minion"])


def codes(said: dict[str, Any], severity: str | None = None) -> dict[str, list[str]]:
    """{code: nodes}, of that severity or of all."""
    found: dict[str, list[str]] = {}
    for one in said["findings"]:
        if severity in (None, one["severity"]):
            found.setdefault(one["code"], []).extend(one["nodes"])
    return found


def test_a_healthy_cluster_has_no_error_and_what_is_wrong_or_silent_is_named(site):
    healthy = audit(site)
    assert codes(healthy, "error") == {}, healthy["findings"]
    assert healthy["clusters"] == [
        {
            "cluster": "controllers",
            "expected": 3,
            "answered": 3,
            "nodes": NODES,
        }
    ]
    site.node(UNWATCHED).run(["systemctl", "stop", WATCH])
    silent = audit_without(site, EDITED)
    assert codes(silent, "error") == {"node-silent": [EDITED]}
    assert (silent["clusters"][0]["answered"], silent["retcode"]) == (2, 3)
    seed(site)
    # Its last word counts for 15 s.
    wait_until(lambda: not watched(site), 20, "the watch's word is too old")

    said = audit(site)

    found = codes(said)
    (drift,) = [
        one
        for one in said["findings"]
        if one["code"] == "config-drift" and one["nodes"] == [EDITED]
    ]
    assert "vrrp_script chk_haproxy interval" in str(drift["seen"]["reasons"])
    assert found["firewall-closed"] == [CLOSED]
    assert found["vip-mismatch"] == NODES
    assert found["priority-tie"] == ["controller1", "controller2"]
    assert found["watch-stopped"] == [UNWATCHED]
    assert said["retcode"] == 2
    print("\n".join(screen(said, Painter(False))))


def seed(lab: Lab) -> None:
    """Five defects, none of which moves the address."""
    file = lab.node(EDITED).read_file(CONFIG)
    assert "interval 2" in file
    lab.node(EDITED).write_file(CONFIG, file.replace("interval 2", "interval 7"), 0o640)
    rules = rich_rules(lab)
    assert rules
    for rule in rules:
        lab.node(CLOSED).run([*PERMANENT, f"--remove-rich-rule={rule}"])
    set_pillar(lab, wrong())


def watched(lab: Lab) -> bool:
    return bool(lab.salt(UNWATCHED, "keepalived.status")[UNWATCHED]["watch"]["running"])


def wrong() -> dict[str, Any]:
    """The classic pillar, with another list of addresses on one node, and a tie of two."""
    data = copy.deepcopy(CLASSIC)
    del data["priorities"]
    priorities = {"controller1": 102, "controller2": 102, "controller3": 103}
    data["nodes"] = {
        node: {"config": {"vrrp_instance": {"VI_PUBLIC": {"priority": priority}}}}
        for node, priority in priorities.items()
    }
    overlay = data["nodes"]["controller2"]["config"]["vrrp_instance"]["VI_PUBLIC"]
    overlay["virtual_ipaddress"] = [f"{VIP} dev eth1", "192.168.1.221 dev eth1"]
    return data


def test_the_address_goes_to_a_peer_and_comes_home_and_the_gaps_are_told(site):
    would = site.salt_run("keepalived.failover_test", "controllers", test=True)
    assert (would["result"], holders(site)) == ("would", [HOME])

    said = site.salt_run("keepalived.failover_test", "controllers")

    assert (said["result"], said["retcode"]) == ("done", 0), said
    there, back = said["steps"]
    assert (there["step"], there["from"], there["to"]) == ("there", HOME, NEXT)
    assert (back["step"], back["from"], back["to"]) == ("back", NEXT, HOME)
    for step in (there, back):
        print(f"{step['step']}: {step['gap']} s")
        assert step["gap"] is not None and step["gap"] < 1.0
    wait_one_holder(site, HOME)
    drained = site.salt("controller*", "keepalived.drain_status")
    assert {one["drained"] for one in drained.values()} == {False}
