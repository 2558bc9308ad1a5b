"""Ordinary work on a healthy cluster: none of it is more than a failover.  Cases as data."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from incident_faults import NODES, OWNER, SECOND
from support import apply, classic, failures, set_pillar, wait_one_holder

from lab.lab import Lab

Work = Callable[[Lab], None]


def unit(node: str, action: str, name: str) -> Work:
    def work(lab: Lab) -> None:
        lab.node(node).run(["systemctl", action, name])

    return work


def failover(lab: Lab) -> None:
    """The owner's check fails for a moment."""
    lab.node(OWNER).run(["systemctl", "stop", "haproxy"])
    wait_one_holder(lab, SECOND)
    lab.node(OWNER).run(["systemctl", "start", "haproxy"])
    wait_one_holder(lab, OWNER)


def restarted_owner(lab: Lab) -> None:
    unit(OWNER, "restart", "keepalived")(lab)
    wait_one_holder(lab, OWNER)


def switchover(lab: Lab) -> None:
    there = lab.salt_run("keepalived.switchover", "controllers")
    assert there["retcode"] == 0, there
    assert lab.salt_run("keepalived.undrain", OWNER)["retcode"] == 0
    wait_one_holder(lab, OWNER)


def drained_backup(lab: Lab) -> None:
    assert lab.salt_run("keepalived.drain", SECOND)["retcode"] == 0
    assert lab.salt_run("keepalived.undrain", SECOND)["retcode"] == 0


def failover_test(lab: Lab) -> None:
    assert lab.salt_run("keepalived.failover_test", "controllers")["retcode"] == 0


def changed(lab: Lab) -> None:
    """A state run with a change that is not felt, and back."""
    for interval in (3, 2):
        data = classic(**{"remediation": None, "config/vrrp_script/chk_haproxy/interval": interval})
        set_pillar(lab, data)
        assert failures(apply(lab)) == {}


def rolled_out(lab: Lab) -> None:
    """A cluster change by the rollout, and back."""
    for vrid in (62, 52):
        path = "config/vrrp_instance/VI_PUBLIC/virtual_router_id"
        set_pillar(lab, classic(**{"remediation": None, path: vrid}))
        assert lab.salt_run("keepalived.rollout", "controllers")["retcode"] == 0


WORK: dict[str, Work] = {
    "a failover and back": failover,
    "keepalived is restarted on the owner": restarted_owner,
    "keepalived is restarted on a backup": unit(SECOND, "restart", "keepalived"),
    "keepalived is reloaded on the owner": unit(OWNER, "reload", "keepalived"),
    "keepalived is reloaded on a backup": unit(NODES[0], "reload", "keepalived"),
    "the watch is restarted": unit(OWNER, "restart", "salt-keepalived-watch"),
    "a switchover and back": switchover,
    "a backup is drained and undrained": drained_backup,
    "a failover test": failover_test,
    "a change that is not felt": changed,
    "a rollout of another VRID and back": rolled_out,
}
#: Those that nobody planned: each is a failover, or none when the owner had it back at once.
MOVES = ("a failover and back", "keepalived is restarted on the owner")
#: What the short run has.
SHORT = ("a failover and back", "keepalived is reloaded on the owner", "a switchover and back")


def work(lab: Lab, names: list[str], seed: int) -> None:
    """Do all of it in an order of its own, with a short and uneven pause between."""
    pauses = random.Random(seed)
    for name in names:
        print(name, flush=True)
        WORK[name](lab)
        time.sleep(pauses.uniform(0.5, 3))
