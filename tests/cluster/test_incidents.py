"""Each fault opens one incident of its kind and cause, soon, and it is over after the heal.

What the timeline says of the seconds is what the client and the kernels saw.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest
from incident_faults import FAULTS, OWNER, Fault
from observer import Observer
from support import VIP, classic, failures, holders, set_pillar, apply, wait_one_holder, wait_until

from lab.bus import EventTap
from lab.lab import Lab
from lab.probing import probing

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(240)]

LONG = bool(os.environ.get("SALT_KEEPALIVED_LONG"))
CASES = [fault for fault in FAULTS if LONG or fault.always]
#: Seconds until it is told, from when it is so; of a node that is not ready, those that an incident
#: waits before it is one come first (docs/incidents.md).
SOON, PATIENCE = 5.0, 10.0
#: Seconds by which the timeline and the client may differ.
AGREE = 0.2


@pytest.fixture(scope="module")
def bus(cluster: Lab) -> Iterator[EventTap]:
    """Nobody repairs anything; the master's bus is listened to."""
    set_pillar(cluster, classic(remediation=None))
    assert failures(apply(cluster, allowed=True)) == {}
    with EventTap(cluster) as tap:
        yield tap


@pytest.fixture
def whole(cluster: Lab, bus: EventTap) -> Lab:
    cluster.heal()
    for node in cluster.controllers:
        node.run(["systemctl", "start", "keepalived", "haproxy"])
    wait_one_holder(cluster, OWNER, timeout=30)
    wait_until(lambda: not listed(cluster, open_only=True), 60, "no incident is open")
    return cluster


def listed(lab: Lab, **options: Any) -> list[dict[str, Any]]:
    return lab.salt_run("keepalived.incidents", "controllers", **options)["incidents"]


def words(bus: EventTap, first: int) -> list[tuple[str, str, str]]:
    """(kind, word, id) of the incidents that were told."""
    bus.pump()
    tags = [(tag.split("/"), data) for tag, data in bus.seen[first:]]
    return [
        (tag[2], tag[3], data["id"])
        for tag, data in tags
        if tag[:2] == ["keepalived", "controllers"] and tag[3] in ("opened", "resolved")
    ]


@pytest.mark.parametrize("fault", CASES, ids=lambda fault: fault.name)
def test_a_fault_is_one_incident_of_its_kind_told_soon_and_over_after_the_heal(
    whole: Lab, bus: EventTap, fault: Fault
) -> None:
    bus.pump()
    first = len(bus.seen)
    with Observer(whole.controllers, VIP) as kernel, probing(whole, VIP) as client:
        begun = time.time()
        with fault.doing(whole):
            bus.wait(
                f"{fault.kind} opened",
                lambda tag, _: tag == f"keepalived/controllers/{fault.kind}/opened"
                and bool(words(bus, first)),
                30,
            )
            told = time.time()
            truth = fault.truth(kernel, begun)
            assert truth is not None, kernel.changes(since=begun)
            time.sleep(2)
        wait_one_holder(whole, OWNER, timeout=40)
        healed = time.time()
        wait_until(lambda: ("resolved" in {word for _, word, _ in words(bus, first)}), 40, "it is over")
    print(f"{fault.name}: told after {told - truth:.1f} s")

    (incident,) = {one: None for *_, one in words(bus, first)}
    found = {each["id"]: each for each in listed(whole)}[incident]
    assert (found["kind"], found["cause"]["class"], found["state"]) == (
        fault.kind, fault.cause, "resolved"
    ), found  # fmt: skip
    assert told - truth < SOON + (PATIENCE if fault.kind == "degraded" else 0)
    away = sum(gap["seconds"] for gap in client["gaps"])
    shared = kernel.shared_seconds({OWNER})
    print(f"  without: {found['seconds_without_owner']} s, client {away:.3f} s; "
          f"several: {found['seconds_several_owners']} s, kernels {shared:.3f} s; "
          f"healed {healed - begun:.1f} s")
    if found["exact"]:
        assert found["seconds_without_owner"] == pytest.approx(away, abs=AGREE)
        assert found["seconds_several_owners"] == pytest.approx(shared, abs=AGREE)
