"""A cluster changed from the master while a client looks on: rollout, switchover, upgrade.

Two instances, so that there is an address which a change does not concern: it loses no probe.
"""

from __future__ import annotations

import copy
import json
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from observer import Observer
from packages import PackageSource
from support import CLASSIC, CONFIG, NODES, VIP, apply, failures, holders, set_pillar, wait_until

from lab.lab import Lab
from lab.probing import probing

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(240)]

OTHER = "192.168.1.221"
NEW, NEWER = "192.168.1.230", "192.168.1.231"
JOURNAL = "/var/cache/salt/master/keepalived/rollout/controllers.json"
#: Seconds: one advert (advert_int 1).
ONE_ADVERT = 1.0


def pillar(**changes: Any) -> dict[str, Any]:
    """The classic pillar with a second instance; *changes* are of the first."""
    data = copy.deepcopy(CLASSIC)
    instances = data["config"]["vrrp_instance"]
    instances["VI_OTHER"] = {
        **{key: instances["VI_PUBLIC"][key] for key in ("interface", "state", "priority")},
        "virtual_router_id": 53,
        "virtual_ipaddress": [f"{OTHER} dev eth1"],
    }
    data["priorities"]["VI_OTHER"] = dict(data["priorities"]["VI_PUBLIC"])
    data["config"]["vrrp_instance"]["VI_PUBLIC"].update(changes)
    return data


def vips(*addresses: str) -> dict[str, list[str]]:
    return {"virtual_ipaddress": [f"{address} dev eth1" for address in addresses]}


@pytest.fixture(scope="module")
def site(cluster: Lab) -> Iterator[Lab]:
    """The classic cluster with a second instance."""
    cluster.heal()
    cluster.master.run(["rm", "-f", JOURNAL])
    yield cluster
    set_pillar(cluster, CLASSIC)
    cluster.salt_run("keepalived.rollout", "controllers")


@pytest.fixture(autouse=True)
def ready(site: Lab) -> None:
    """Both addresses on the third controller, the nodes as their pillar says."""
    set_pillar(site, pillar())
    for node in site.controllers:
        node.run(["systemctl", "start", "keepalived", "haproxy"])
    # A minion plans with the pillar it holds.
    site.salt("controller*", "saltutil.refresh_pillar", wait=True)
    plans = site.salt("controller*", "keepalived.plan")
    if any(not isinstance(plan, dict) or plan["action"] != "nothing" for plan in plans.values()):
        allowed = {"keepalived": {"allow_disruptive": True}}
        assert failures(apply(site, "keepalived.config", pillar=allowed)) == {}
    wait_holder(site, "controller3")


def wait_holder(lab: Lab, name: str, seconds: float = 30) -> None:
    def there() -> bool:
        return all(holders(lab, address) == [name] for address in (VIP, OTHER))

    wait_until(there, seconds, f"both addresses on {name}")


def rollout(lab: Lab, *how: str) -> dict[str, Any]:
    data = lab.salt_run("keepalived.rollout", "controllers", *how)
    assert isinstance(data, dict), data
    return data


def configs(lab: Lab) -> dict[str, str]:
    return {node.name: node.read_file(CONFIG) for node in lab.controllers}


# what the first instance gets -> which address is probed beside the other's
CHANGES = {
    "an address is added": (vips(VIP, NEW), VIP),
    "an address and the authentication are changed": (
        {**vips(VIP, NEWER), "authentication": {"auth_type": "PASS", "auth_pass": "0ther"}},
        VIP,
    ),
    "an address and the authentication are removed": (vips(VIP), VIP),
    "the virtual router id is changed": ({"virtual_router_id": 54}, None),
}


def test_changes_that_all_must_have_at_once_cost_no_probe_and_never_make_two_holders(
    site: Lab,
) -> None:
    # One change upon the other, as a cluster lives: each from where the last one left it.
    addresses = (VIP, OTHER, NEW, NEWER)
    figures = {}
    with Observer(site.controllers, *addresses) as seen:
        for name, (change, also) in CHANGES.items():
            begun = time.time()
            before = {address: set(holders(site, address)) for address in addresses}
            set_pillar(site, pillar(**change))
            with probing(site, OTHER) as other, probing(site, also or OTHER) as first:
                done = rollout(site)
            assert done["result"] == "done", (name, done["message"])
            assert done["mode"] == "together", name
            assert other["lost"] == 0, (name, other["gaps"])
            assert first["lost"] == 0, (name, first["gaps"])
            shared = {a: seen.shared_seconds(before[a], a, begun) for a in addresses}
            assert max(shared.values()) <= ONE_ADVERT, (name, shared)
            figures[name] = (done["seconds"], other["sent"] + first["sent"])
            assert holders(site, VIP) == ["controller3"]
    print(figures)


def test_nothing_is_written_anywhere_when_one_node_would_refuse(site: Lab) -> None:
    before = configs(site)
    data = pillar(**vips(VIP, NEW))
    data["nodes"]["controller2"] = {
        "config": {"vrrp_instance": {"VI_PUBLIC": {"interface": "eth9"}}}
    }
    set_pillar(site, data)

    done = rollout(site)

    assert (done["result"], done["retcode"]) == ("refused", 1)
    assert "controller2" in done["message"]
    assert "eth9" in done["message"]
    assert configs(site) == before


def test_a_node_that_fails_midway_puts_all_back(site: Lab) -> None:
    before = configs(site)
    set_pillar(site, pillar(garp_master_delay=7))
    node = site.node("controller2")
    backups = "/var/lib/salt-keepalived/backup"
    node.run(["mv", backups, f"{backups}.aside"])
    node.write_file(backups, "a file in the place of the directory")
    try:
        with probing(site, VIP) as probe:
            done = rollout(site)
    finally:
        node.run(["rm", backups])
        node.run(["mv", f"{backups}.aside", backups])

    assert (done["result"], done["retcode"]) == ("failed", 2), done
    assert "controller2: keepalived.apply" in done["message"]
    assert configs(site) == before
    assert probe["lost"] == 0
    assert holders(site) == ["controller3"]


@pytest.mark.parametrize("way", ["resume", "undo"])
def test_a_rollout_whose_master_died_is_finished_or_undone(site: Lab, way: str) -> None:
    before = configs(site)
    set_pillar(site, pillar(garp_master_delay=7))
    with probing(site, VIP) as probe:
        running = site.master.popen(["salt-run", "keepalived.rollout", "controllers"])
        wait_until(lambda: changed(site, running), 90, "the first node is changed")
        second = rollout(site)
        end(site, running)
        third = rollout(site)
        done = rollout(site, f"{way}=True")

    assert "being changed by another run: a rollout, started by root" in second["message"]
    assert "resume=True" in third["message"]
    assert "undo=True" in third["message"]
    assert (second["retcode"], third["retcode"]) == (1, 1)
    assert done["retcode"] == 0, done["message"]
    after = configs(site)
    if way == "undo":
        assert after == before
    else:
        assert all("garp_master_delay 7" in text for text in after.values())
    assert probe["lost"] == 0
    assert holders(site) == ["controller3"]


def changed(lab: Lab, running: subprocess.Popen) -> bool:
    assert running.poll() is None, running.stdout.read() if running.stdout else ""
    text = lab.master.run(["cat", JOURNAL], check=False).stdout
    try:
        steps = json.loads(text)["steps"]
    except ValueError:
        return False
    return steps[0]["state"] == "done"


def end(lab: Lab, running: subprocess.Popen) -> None:
    lab.master.run(["pkill", "-KILL", "-f", "salt-run keepalived.rollout"], check=False)
    running.wait(20)
    assert running.stdout is not None
    running.stdout.close()


def test_a_switchover_there_and_back_shows_the_gap(site: Lab) -> None:
    with probing(site, VIP) as probe:
        there = site.salt_run("keepalived.switchover", "controllers")
        assert there["retcode"] == 0, there["message"]
        wait_holder(site, "controller2")
        assert there["back"] == ["salt-run keepalived.undrain controller3"]
        back = site.salt_run("keepalived.undrain", "controller3")
        assert back["retcode"] == 0, back["message"]
        wait_holder(site, "controller3")
    gaps = {gap["address"].partition("/")[0]: gap["seconds"] for gap in there["gaps"]}
    assert set(gaps) == {VIP, OTHER}
    print("gap", gaps, "probes", {key: probe[key] for key in ("sent", "lost", "longest")})
    rows = {row["node"]: row for row in there["rows"] if row["instance"] == "VI_PUBLIC"}
    assert (rows["controller2"]["before"], rows["controller2"]["after"]) == ("BACKUP", "MASTER")


def test_the_package_is_upgraded_node_by_node(site: Lab) -> None:
    source = PackageSource(site)
    with source, Observer(site.controllers, VIP) as seen:
        before = set(holders(site))
        begun = time.time()
        with probing(site, VIP) as probe:
            done = site.salt_run("keepalived.upgrade", "controllers")
        shared = seen.shared_seconds(before, VIP, begun)
    assert done["retcode"] == 0, done["message"]
    assert [each["node"] for each in done["packages"]] == list(NODES)
    assert set(site.salt("controller*", "pkg.version", "keepalived").values()) == {source.version}
    print("upgrade", done["seconds"], {key: probe[key] for key in ("sent", "lost", "longest")})
    assert shared <= ONE_ADVERT
    wait_holder(site, "controller3")
    assert site.salt_run("keepalived.upgrade", "controllers")["result"] == "nothing"
