"""Fixtures on top of the lab: the classic cluster, built once, healthy at the start of a test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import CLASSIC, NODES, apply, failures, set_pillar, wait_one_holder

from lab.demo import wait_for_beacons, wait_restarted
from lab.lab import Lab

OWNER = "controller3"


@pytest.fixture(scope="session")
def cluster(lab: Lab) -> Lab:
    """The three controllers after a highstate with the classic pillar, their beacons at work."""
    lab.salt_call("master", "saltutil.sync_all", local=True)
    lab.salt_call("master", "state.apply", "keepalived.master", local=True)
    wait_restarted(lab, "master", "salt-master")
    lab.wait_minions()
    set_pillar(lab, CLASSIC)
    result = lab.salt("controller*", "state.highstate", timeout=240)
    assert set(result) == set(NODES)
    assert failures(result) == {}
    wait_one_holder(lab, OWNER, timeout=30)
    wait_for_beacons(lab, timeout=60)
    return lab


@pytest.fixture
def healthy(cluster: Lab) -> Iterator[Lab]:
    """The same, mended and with the classic pillar in force, whatever the test before left."""
    cluster.heal()
    set_pillar(cluster, CLASSIC)
    cluster.salt("controller*", "saltutil.refresh_pillar", wait=True)
    plans = cluster.salt("controller*", "keepalived.plan")
    if any(not isinstance(plan, dict) or plan["action"] != "nothing" for plan in plans.values()):
        assert failures(apply(cluster, allowed=True)) == {}
    for node in cluster.controllers:
        node.run(["systemctl", "start", "keepalived", "haproxy"])
    wait_one_holder(cluster, OWNER, timeout=30)
    yield cluster
    cluster.heal()
