"""Clusters as their nodes tell of them, and nodes that can be told to change."""

from __future__ import annotations

from typing import Any

from keepalived_core.cluster.rollout import Facts

NODES = ("n1", "n2", "n3")
NOW = 1795316645.0
TIME = "2026-11-22T03:04:05.000000+00:00"


def row(state: str | None, held: bool | None = None, name: str = "VI", **more: Any) -> dict:
    """One instance of a node's status."""
    present = (state == "MASTER") if held is None else held
    addresses = more.pop("addresses", ["10.0.0.1/24"])
    return {
        "instance": name,
        "state": state,
        "base_priority": 100,
        "effective_priority": 100,
        "vips": [{"address": one, "interface": "eth1", "present": present} for one in addresses],
        "vip_present": present,
        **more,
    }


def status(*rows: dict, **more: Any) -> dict:
    """What ``keepalived.status`` returns."""
    drain = {"drained": False, "missing": []}
    return {
        "time": TIME,
        "keepalived": {"version": "2.2.7", "running": True, "pid": 7, "problem": None},
        "drain": drain,
        "instances": list(rows),
        **more,
    }


def plan(kind: str = "nothing", instance: str = "VI", *more: str) -> dict:
    """What ``keepalived.plan`` returns for a change of that kind."""
    if kind == "nothing":
        return {"action": "nothing", "diff": "", "change": None, "live": "a", "new": "a"}
    reasons = [
        {"kind": each, "instance": instance, "keyword": "k", "text": f"is {each}"}
        for each in (kind, *more)
    ]
    change = {"kind": kind, "disruptive": kind != "safe", "reasons": reasons}
    return {"action": "change", "diff": "+x", "change": change, "live": "a", "new": "b"}


def healthy() -> dict[str, dict]:
    """Three nodes, the third is master."""
    return {"n1": status(row("BACKUP")), "n2": status(row("BACKUP")), "n3": status(row("MASTER"))}


def facts(statuses: dict[str, Any], plans: dict[str, Any] | None = None, **more: Any) -> list:
    """The same as Facts; every plan changes nothing unless said otherwise."""
    return [
        Facts(
            node,
            status=said,
            plan=(plans or {}).get(node, plan()),
            asked=NOW,
            answered=NOW + 0.2,
            **more.get(node, {}),
        )
        for node, said in statuses.items()
    ]
