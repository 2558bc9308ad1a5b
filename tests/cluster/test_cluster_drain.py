"""Drain and undrain through Salt, while a client probes the address every 10 ms."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from support import CLASSIC, VIP, apply, failures, holders, instance, set_pillar, wait_one_holder

from lab.lab import Lab
from lab.probing import probing

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(300)]

OWNER, NEXT = "controller3", "controller2"
ACCEPTED = {"keepalived": {"allow_disruptive": True}}
#: What ``healthy`` knows; and the same with VRRPv3, whose adverts can be ten a second.
QUICK = instance(version=3, advert_int=0.1)


@pytest.fixture
def site(healthy: Lab) -> Iterator[Lab]:
    """The classic cluster, nothing drained before or after."""
    yield healthy
    healthy.heal()
    healthy.salt("controller*", "keepalived.undrain")
    for node in healthy.controllers:
        node.run(["systemctl", "start", "keepalived"])


def ask(lab: Lab, node: str, verb: str, **how: Any) -> Any:
    return lab.salt(node, f"keepalived.{verb}", **how)[node]


def undrain(lab: Lab) -> None:
    ask(lab, OWNER, "undrain")
    wait_one_holder(lab, OWNER)


@pytest.mark.parametrize("pillar", [CLASSIC, QUICK], ids=["advert_int 1", "VRRPv3, 0.1"])
def test_a_drain_costs_the_client_no_more_than_keepalived_s_own_graceful_stop(site, pillar):
    if pillar is not CLASSIC:
        set_pillar(site, pillar)
        assert failures(apply(site, "keepalived.config", pillar=ACCEPTED)) == {}
        wait_one_holder(site, OWNER)
    began: dict[str, float] = {}
    with probing(site, VIP) as probe:
        began["drain by weight"] = time.time()
        said = ask(site, OWNER, "drain", reason="new disk")
        assert said["mode"] == "weight", said
        wait_one_holder(site, NEXT)
        undrain(site)
        began["drain by fault"] = time.time()
        said = ask(site, OWNER, "drain", mode="fault", peers_healthy={"VI_PUBLIC": True})
        assert said["instances"]["VI_PUBLIC"]["after"] == "FAULT", said
        wait_one_holder(site, NEXT)
        undrain(site)
        began["keepalived's own stop"] = time.time()
        site.node(OWNER).run(["systemctl", "stop", "keepalived"])
        wait_one_holder(site, NEXT)
    gaps = longest_since(probe["gaps"], began)
    stop = gaps["keepalived's own stop"]
    assert stop > 0
    for way, gap in gaps.items():
        print(f"{way}: {gap:.3f} s, ratio {gap / stop:.2f}")
    # 50 ms: a few probes, which a busy machine may answer late whatever is done
    assert all(gap <= 1.2 * stop + 0.05 for gap in gaps.values()), gaps


def longest_since(gaps: list[dict[str, float]], began: dict[str, float]) -> dict[str, float]:
    """The longest gap of each phase, which lasts until the next one begins."""
    longest = dict.fromkeys(began, 0.0)
    for gap in gaps:
        phases = [name for name, start in began.items() if start <= gap["start"] + 0.05]
        assert phases, "the probe lost something before anything was done"
        longest[phases[-1]] = max(longest[phases[-1]], gap["seconds"])
    return longest


def test_a_drained_node_stays_so_through_a_reboot_and_undrain_brings_the_address_home(site):
    state = ask_state(site, "drained", reason="new disk", expires="1d")
    assert (state["result"], state["changes"]["instances"]["VI_PUBLIC"]["new"]) == (True, "BACKUP")
    assert ask_state(site, "drained", reason="new disk", expires="1d")["changes"] == {}
    site.reboot(OWNER)
    site.wait_minions()
    deadline = time.monotonic() + 6
    while time.monotonic() < deadline:
        assert holders(site) == [NEXT]
        time.sleep(0.1)
    assert site.node(OWNER).run(["systemctl", "is-active", "keepalived"]).stdout.strip() == "active"
    (cluster,) = site.salt_run("keepalived.status")["clusters"]
    (row,) = [each for each in cluster["instances"][0]["nodes"] if each["node"] == OWNER]
    assert cluster["verdict"] == "degraded"
    assert row["note"].startswith("drained: new disk until 20")
    state = ask_state(site, "undrained")
    assert state["changes"]["drained"] == {"old": True, "new": False}
    wait_one_holder(site, OWNER)


def ask_state(lab: Lab, name: str, **how: Any) -> dict[str, Any]:
    answer = lab.salt(OWNER, "state.single", f"keepalived.{name}", name="maintenance", **how)
    (state,) = answer[OWNER].values()
    return state


def test_the_last_healthy_node_is_not_drained_and_the_client_notices_nothing(site):
    for name in ("controller1", NEXT):
        site.stop(name)
    with probing(site, VIP) as probe:
        said = ask(site, OWNER, "drain")
        forbidden = ask(site, OWNER, "drain", mode="fault")
    assert "no healthy peer took over VI_PUBLIC" in str(said)
    assert "salt-run keepalived.drain looks at the peers" in str(forbidden)
    assert probe["sent"] > 300
    assert probe["lost"] == 0
    assert holders(site) == [OWNER]
    assert ask(site, OWNER, "drain_status")["drained"] is False
