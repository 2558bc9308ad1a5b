"""Fixtures on top of the lab: the classic cluster, built once, healthy at the start of a test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from support import CLASSIC, NODES, apply, failures, set_pillar, wait_one_holder, wait_until

from lab.demo import wait_for_beacons, wait_restarted
from lab.lab import Lab

OWNER = "controller3"


@pytest.fixture(scope="session")
def cluster(lab: Lab) -> Lab:
    """The three controllers after a highstate with the classic pillar, their beacons at work."""
    lab.salt_call("master", "saltutil.sync_all", local=True)
    done = lab.salt_call("master", "state.apply", "keepalived.master", local=True)
    assert failures({"master": done}) == {}
    wait_restarted(lab, "master", "salt-master")
    lab.wait_minions()
    set_pillar(lab, CLASSIC)
    result = lab.salt("controller*", "state.highstate", timeout=240)
    assert set(result) == set(NODES)
    assert failures(result) == {}
    wait_one_holder(lab, OWNER, timeout=30)
    wait_for_beacons(lab, timeout=60)
    return lab


def plans_of_all(cluster: Lab) -> dict[str, dict[str, Any]]:
    """What each node would do, by the pillar of now.

    A run of the formula in the test before may have ordered a restart of its minion, which comes
    seconds later: a node that does not answer is asked again.
    """

    def asked() -> dict[str, dict[str, Any]] | None:
        cluster.wait_minions()
        cluster.salt("controller*", "saltutil.refresh_pillar", wait=True, timeout=20)
        plans = cluster.salt("controller*", "keepalived.plan", timeout=20)
        # a minion that went away meanwhile is missing, False or {}
        answered = {node for node, plan in plans.items() if plan}
        return plans if answered == set(NODES) else None

    plans = wait_until(asked, 120, "a plan from every node")
    return {node: plan if isinstance(plan, dict) else {} for node, plan in plans.items()}


@pytest.fixture
def healthy(cluster: Lab) -> Iterator[Lab]:
    """The same, mended and with the classic pillar in force, whatever the test before left."""
    cluster.heal()
    set_pillar(cluster, CLASSIC)
    if any(plan.get("action") != "nothing" for plan in plans_of_all(cluster).values()):
        assert failures(apply(cluster, allowed=True)) == {}
    for node in cluster.controllers:
        node.run(["systemctl", "start", "keepalived", "haproxy"])
    wait_one_holder(cluster, OWNER, timeout=30)
    yield cluster
    cluster.heal()
