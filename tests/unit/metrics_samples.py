"""What nodes and the hub may say, with everything in it, for tests of metrics and their readers."""

from __future__ import annotations

import copy
from typing import Any

from keepalived_core.cluster.deeds import Silence
from keepalived_core.cluster.ledger_read import Figures
from keepalived_core.exposition import Family
from keepalived_core.node import metrics as node_metrics
from keepalived_core.node.spool_delivery import Backlog

NOW = 1795661604.5
NOTHING = Backlog(0, None)

STATUS: dict[str, Any] = {
    "cluster": "controllers",
    "keepalived": {"version": "2.2.7", "running": True, "pid": 1, "problem": None},
    "watch": {
        "running": True,
        "spool": {"last_seq": 4, "pending": 0, "dropped": 0},
        "problems": [],
    },
    "drain": {"drained": False},
    "instances": [
        {
            "instance": "VI_1",
            "sync_group": None,
            "state": "MASTER",
            "vrid": 52,
            "interface": "eth1",
            "base_priority": 103,
            "effective_priority": 53,
            "vip_present": True,
            "vips": [
                {
                    "address": "192.0.2.10/24",
                    "interface": "eth1",
                    "present": True,
                    "excluded": False,
                }
            ],
            "since": "2026-11-22T03:04:05.000000+00:00",
            "adverts": {"received": 7, "sent": 9, "rejected": {"authtype_mismatch": 3}},
            "transitions": {"became_master": 2, "released_master": 1},
        }
    ],
}


def status(instance: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """A sound node; *instance*: what is otherwise of its one instance."""
    found = {**copy.deepcopy(STATUS), **changes}
    if instance:
        found["instances"] = [{**one, **instance} for one in found["instances"]]
    return found


def node(
    waiting: Backlog | None = NOTHING,
    now: float = NOW,
    instance: dict[str, Any] | None = None,
    **changes: Any,
) -> list[Family]:
    """The metrics of that node."""
    return node_metrics.families(status(instance, **changes), waiting, now)


def figures(cluster: str | None = None, now: float = NOW, broken: bool = False) -> Figures:
    """Of a ledger; *cluster* is in maintenance."""
    silences = (Silence(cluster, now - 60, now + 600, "new switch", "root"),) if cluster else ()
    return Figures(
        silences,
        {("alert", "sent"): 3, **({("remediation", "failed"): 1} if broken else {})},
        {"webhook": (not broken, now - 30), "log": (True, now - 30)},
    )
