"""The policy at work on real machines: what it mends, what it leaves alone, and that it ends."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from support import (
    NODES,
    VIP,
    classic,
    holders,
    set_pillar,
    wait_one_holder,
    wait_unplanned,
    wait_until,
)

from lab.bus import EventTap
from lab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(300)]

HOME, LOWER = "controller3", "controller2"
POLICY = {
    "cooldown": 1,
    "budget": 2,
    "incidents": {
        "split_brain": {"action": "drain"},
        "no_master": {"action": "restart", "service": "haproxy"},
    },
}
#: Longer than a repair's cool-down here (5 s), several times.
LOOP_SECONDS = 25


@pytest.fixture
def site(healthy: Lab) -> Iterator[Lab]:
    """The classic cluster with a policy; undrained and with its haproxies afterwards."""
    forget(healthy)
    set_pillar(healthy, classic(policy=POLICY))
    wait_unplanned(healthy)
    yield healthy
    healthy.heal()
    for node in healthy.controllers:
        node.run(["systemctl", "unmask", "--runtime", "haproxy"])
        node.run(["systemctl", "start", "haproxy"])
    healthy.salt("controller*", "keepalived.undrain", timeout=60)
    wait_one_holder(healthy, HOME, timeout=30)


def forget(lab: Lab) -> None:
    """What was done for earlier tests counts for no budget here."""
    lab.master.run(["rm", "-f", "/var/cache/salt/master/keepalived/react.db"])


def remediation(what: str, kind: str) -> Any:
    return lambda tag, data: (
        tag == f"keepalived/controllers/remediation/{what}" and data.get("incident_kind") == kind
    )


def drained(lab: Lab) -> list[str]:
    said = lab.salt("controller*", "keepalived.drain_status", timeout=20)
    return sorted(name for name, each in said.items() if each["drained"])


def test_of_a_split_brain_the_lower_owner_is_drained_and_the_address_stays(site: Lab) -> None:
    with EventTap(site) as bus:
        site.partition(LOWER)
        wait_until(lambda: holders(site) == [LOWER, HOME], 15, "two holders")
        done = bus.wait("the drain", remediation("succeeded", "split_brain"), timeout=40)

    assert (done["minion"], done["action"]) == (LOWER, "drain")
    assert holders(site) == [HOME]
    assert drained(site) == [LOWER]
    explained = site.salt_run("keepalived.explain", done["incident"])["incident"]["actions"]
    drains = [each for each in explained if each["action"] == "drain"]
    assert [each["what"] for each in drains] == ["started", "succeeded"]
    # I11: what the drain caused was seen, and left alone
    assert [each["reason"] for each in explained if each["what"] == "skipped"] == ["planned"]
    # healed, it does not come back by itself: a person looks first
    site.heal()
    time.sleep(5)
    assert holders(site) == [HOME]
    assert drained(site) == [LOWER]


def test_all_haproxies_dead_is_no_loop_and_costs_no_owner(site: Lab) -> None:
    for node in site.controllers:
        node.run(["systemctl", "mask", "--runtime", "haproxy"])
        node.run(["systemctl", "stop", "haproxy"])
    wait_until(lambda: holders(site) == [], 20, "no holder")
    time.sleep(LOOP_SECONDS)
    rows = site.salt_run("keepalived.reactions", "last=500")["rows"]
    begun = [row for row in rows if row["kind"] == "remediation" and row["what"] == "started"]
    per_event: dict[str, int] = {}
    for row in begun:
        per_event[row["incident"]] = per_event.get(row["incident"], 0) + 1

    # I10, and I11: a restart that fails causes no second one
    assert max(per_event.values()) == 1, json.dumps(begun)
    assert len(begun) <= len(NODES) + POLICY["budget"], json.dumps(begun)
    # nobody was drained or stopped for it
    assert drained(site) == []
    assert all(
        node.run(["systemctl", "is-active", "keepalived"]).stdout.strip() == "active"
        for node in site.controllers
    )

    healed = site.node(HOME)
    healed.run(["systemctl", "unmask", "--runtime", "haproxy"])
    healed.run(["systemctl", "start", "haproxy"])
    assert wait_one_holder(site, HOME, timeout=30) == HOME
    assert healed.holds(VIP)
