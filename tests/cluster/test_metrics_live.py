"""Metrics of real machines: written by their timers, gone with the pillar key, as true as kernels.

With SALT_KEEPALIVED_LONG=1 a real Prometheus scrapes all four machines and is asked every query of
the dashboard; the whole takes three minutes.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import NODES, VIP, apply, classic, failures, set_pillar, wait_one_holder, wait_until

from lab.lab import Lab
from lab.machine import Node

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "functional"))
from prometheus_site import MONITORING, Site, dashboard_queries

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(300)]

LONG = bool(os.environ.get("SALT_KEEPALIVED_LONG"))
HOME, NEXT = "controller3", "controller2"
DIRECTORY = "/var/lib/prometheus/node-exporter"
FILE = f"{DIRECTORY}/keepalived.prom"
HUB_FILE = f"{DIRECTORY}/keepalived_hub.prom"
TIMER = "salt-keepalived-metrics.timer"
SWITCHED_ON = classic(metrics={"textfile": FILE, "interval": 5})
ON_MASTER = {"keepalived_master": {"metrics": {"textfile": HUB_FILE, "interval": 5}}}
#: In a lab there may be no alert, no refused advert and no event that waits.
LAB_HAS_NONE = {
    "Alert routes: did they take their last alert? A",
    "Adverts C",
    "The oldest of them waits since A",
}


@pytest.fixture
def written(healthy: Lab) -> Iterator[Lab]:
    """The classic cluster, whose nodes write metrics; none of that is left."""
    set_pillar(healthy, SWITCHED_ON)
    healthy.salt("controller*", "saltutil.refresh_pillar", wait=True, timeout=20)
    assert failures(apply(healthy, "keepalived.metrics")) == {}
    yield healthy
    switch_off(healthy)


def switch_off(lab: Lab) -> None:
    set_pillar(lab, classic())
    lab.salt("controller*", "saltutil.refresh_pillar", wait=True, timeout=20)
    if any(is_on(node) for node in lab.controllers):
        assert failures(apply(lab, "keepalived.metrics")) == {}


def is_on(node: Node) -> bool:
    return node.run(["systemctl", "is-active", TIMER], check=False).stdout.strip() == "active"


def sample(lab: Lab, node: str, start: str) -> float | None:
    """The value of the line that begins so; None without one, or without the file."""
    text = lab.node(node).run(["cat", FILE], check=False).stdout
    match = re.search(rf"^{re.escape(start)}[^ ]* (\S+)$", text, re.MULTILINE)
    return float(match[1]) if match else None


def test_nodes_write_what_is_true_and_nothing_is_left_when_the_pillar_key_goes(
    written: Lab,
) -> None:
    lab = written
    here = 'keepalived_vrrp_vip_present{vrrp_instance="VI_PUBLIC"'
    wanted = {node: float(node == HOME) for node in NODES}
    wait_until(
        lambda: {node: sample(lab, node, here) for node in NODES} == wanted, 20, "the truth of all"
    )
    first = sample(lab, HOME, "salt_keepalived_metrics_timestamp_seconds")
    wait_until(
        lambda: (sample(lab, HOME, "salt_keepalived_metrics_timestamp_seconds") or 0) > first,
        30,
        "the file is written again",
    )
    assert sample(lab, HOME, "salt_keepalived_watch_up") == 1
    assert sample(lab, HOME, "salt_keepalived_spool_undelivered") is not None
    told = lab.node(HOME).logs(200, "salt-keepalived-metrics.service")
    assert "keepalived_core" not in told and "Finished" not in told, told

    lab.node(HOME).run(["systemctl", "stop", "keepalived"])
    wait_until(lambda: sample(lab, HOME, "keepalived_up") == 0, 20, "keepalived's end is told")
    lab.node(HOME).run(["systemctl", "start", "keepalived"])
    wait_one_holder(lab, HOME, timeout=30)

    assert all(is_on(node) for node in lab.controllers)
    switch_off(lab)
    for node in lab.controllers:
        assert not is_on(node)
        assert node.run(["ls", DIRECTORY]).stdout == ""
        units = node.run(["sh", "-c", "ls -d /etc/systemd/system/*keepalived*"]).stdout
        assert "metrics" not in units


def check(lab: Lab, node: str, path: str) -> tuple[int, str]:
    """What the Nagios plugin says there, as a user without any right."""
    lab.node(node).write_file(
        "/usr/local/bin/check_keepalived", (MONITORING / "check_keepalived").read_text(), 0o755
    )
    done = lab.node(node).run(
        ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups",
         "/usr/local/bin/check_keepalived", "-f", path],
        check=False,
    )  # fmt: skip
    return done.returncode, done.stdout.strip()


def hub_metrics(lab: Lab, on: bool) -> None:
    pillar: dict[str, Any] = ON_MASTER if on else {"keepalived_master": {}}
    states = lab.salt_call("master", "state.apply", "keepalived.master", local=True, pillar=pillar)
    wrong = [each["comment"] for each in states.values() if each["result"] is False]
    assert wrong == []


if LONG:

    def test_every_query_of_the_dashboard_returns_data(written: Lab, tmp_path: Path) -> None:
        lab = written
        hub_metrics(lab, on=True)
        lab.salt_run("keepalived.silence", "controllers", reason="a test", **{"for": "60s"})
        machines = [*NODES, "master"]
        places = {name: lab.node(name).root / DIRECTORY.lstrip("/") for name in machines}
        try:
            with Site(tmp_path, machines, places) as site:
                site.wait("count(keepalived_up) == 3 and count(salt_keepalived_hub_up) == 1")
                for name in NODES:
                    print(name, *check(lab, name, FILE))
                print("master", *check(lab, "master", HUB_FILE))

                lab.node(HOME).run(["systemctl", "stop", "keepalived"])
                site.wait(
                    f'keepalived_vrrp_vip_present{{instance="{NEXT}", vip="{VIP}/32"}} == 1',
                    True,
                    30,
                )
                site.wait("sum(salt_keepalived_incidents_open) > 0", True, 40)
                print(HOME, *check(lab, HOME, FILE))
                time.sleep(12)
                print("master", *check(lab, "master", HUB_FILE))
                found = {
                    name: len(site.query_range(query, step=1.0))
                    for name, query in dashboard_queries("20s").items()
                }
                for name, count in found.items():
                    print(f"{count:3} series  {name}")
                assert {name for name, count in found.items() if not count} <= LAB_HAS_NONE
        finally:
            lab.node(HOME).run(["systemctl", "start", "keepalived"])
            lab.salt_run("keepalived.unsilence", "controllers")
            hub_metrics(lab, on=False)
        assert lab.master.run(["ls", DIRECTORY]).stdout == ""
