"""What is true about a cluster at a moment, and whether it is worse than it was.  Pure.

Made from what ``keepalived.status`` returns on each node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

#: States in which an instance does its work.
STEADY = frozenset({"MASTER", "BACKUP"})


def picture(statuses: Mapping[str, Any]) -> dict[str, Any]:
    """What is true now, small and plain, to compare later with what is true then.

    statuses: ``{node: what keepalived.status returned, or None}``.
    Returns ``{node: {"running", "drained", "instances": {name: {"state", "priority", "vips":
    {address: bool}}}}}``; None for a node that did not answer.
    """
    shown: dict[str, Any] = {}
    for node, status in sorted(statuses.items()):
        if not isinstance(status, Mapping):
            shown[node] = None
            continue
        instances = {
            str(row.get("instance")): {
                "state": row.get("state"),
                "priority": row.get("effective_priority"),
                "vips": {
                    str(vip["address"]): bool(vip["present"]) for vip in row.get("vips") or ()
                },
            }
            for row in rows(status)
        }
        shown[node] = {
            "running": bool(daemon(status).get("running")),
            "drained": is_drained(status),
            "instances": instances,
        }
    return shown


def judge(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    removed: Iterable[str] = (),
    final: bool = False,
) -> list[str]:
    """What is worse than before; empty when all is well.

    before, now
        As ``picture`` returns them.
    removed
        Instances that may lose addresses (``removed_instances``); ``""``: any may.
    final
        No step is left: each address there is, also a new one, must be on exactly one node.
    """
    found = []
    for node, was in before.items():
        found += _node_problems(node, was, now.get(node))
    where, where_before = _holders(now), _holders(before)
    lists = {address for address, _ in where.items()}
    gone = set(removed)
    for address, holders in sorted(where_before.items()):
        if len(holders) != 1 and not final:
            continue  # it was wrong before; what comes of it counts at the end
        if address in lists:
            if len(where[address]) != 1:
                found.append(f"{address} is on {_and(where[address])}")
        elif not (gone & ({""} | _instances_with(before, address))):
            found.append(f"no node has {address} in what it runs any more")
    if final:
        for address in sorted(lists - set(where_before)):
            if len(where[address]) != 1:
                found.append(f"the new {address} is on {_and(where[address])}")
    found += _master_problems(now, final)
    return found


def _node_problems(node: str, was: Any, now: Any) -> list[str]:
    if was is None:
        return []
    if now is None:
        return [f"{node} does not answer"]
    if was["running"] and not now["running"]:
        return [f"keepalived does not run any more on {node}"]
    found = []
    for name, row in now["instances"].items():
        old = was["instances"].get(name, {}).get("state")
        if row["state"] in STEADY or row["state"] == old:
            continue
        if now.get("drained") and row["state"] == "FAULT":
            continue  # one way to drain
        found.append(f"{name} is {row['state'] or 'unknown'} on {node}")
    return found


def _master_problems(now: Mapping[str, Any], final: bool) -> list[str]:
    masters: dict[str, list[str]] = {}
    for node, shown in now.items():
        for name, row in (shown or {"instances": {}})["instances"].items():
            masters.setdefault(name, [])
            if row["state"] == "MASTER":
                masters[name].append(node)
    found = []
    for name, nodes in sorted(masters.items()):
        if len(nodes) > 1:
            found.append(f"{name}: {_and(nodes)} claim MASTER")
        elif not nodes and final:
            found.append(f"{name}: no node is MASTER")
    return found


def masters_of(statuses: Mapping[str, Any]) -> dict[str, list[str]]:
    """``{instance: the nodes that claim MASTER}``, of all instances somebody runs."""
    found: dict[str, list[str]] = {}
    for node, status in sorted(statuses.items()):
        for row in rows(status):
            claims = found.setdefault(str(row.get("instance")), [])
            if row.get("state") == "MASTER":
                claims.append(node)
    return found


def holders_of(statuses: Mapping[str, Any]) -> dict[str, list[str]]:
    """``{address: the nodes whose kernel has it}``, of all addresses somebody runs."""
    return _holders(picture(statuses))


def holders_moved(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """``{address: the node that has it now}`` of those that one node had and another one has."""
    was, here = _holders(before), _holders(now)
    return {
        address: nodes[0]
        for address, nodes in here.items()
        if len(nodes) == 1 and was.get(address) and was[address] != nodes
    }


def masters_on(status: object) -> list[str]:
    """The instances that a node is MASTER of."""
    return [str(row.get("instance")) for row in rows(status) if row.get("state") == "MASTER"]


def in_order(statuses: Mapping[str, Any]) -> list[str]:
    """The nodes, those that hold nothing first, each master last."""
    return sorted(statuses, key=lambda node: (len(masters_on(statuses[node])), node))


def candidates(
    instance: str, statuses: Mapping[str, Any], without: Iterable[str] = ()
) -> list[tuple[str, int]]:
    """Who can have an instance now: ``[(node, priority)]``, the one keepalived prefers first.

    Nodes that run it as MASTER or BACKUP and are not drained.
    """
    leave_out = set(without)
    found = []
    for node, status in statuses.items():
        if node in leave_out or is_drained(status) or not daemon(status).get("running"):
            continue
        for row in rows(status):
            if row.get("instance") == instance and row.get("state") in STEADY:
                found.append((node, int(row.get("effective_priority") or 0)))
    return sorted(found, key=lambda each: (-each[1], each[0]))


def peers_ready(node: str, statuses: Mapping[str, Any]) -> dict[str, bool]:
    """For each instance on *node*, whether another node stands ready to take it, asked now."""
    return {
        str(row.get("instance")): bool(candidates(str(row.get("instance")), statuses, {node}))
        for row in rows(statuses.get(node))
    }


def is_drained(status: object) -> bool:
    """Whether the node's status says that it is drained."""
    return bool(drain_of(status).get("drained"))


def can_drain(status: object) -> bool:
    """Whether what runs there follows the drain file, and it is not drained already."""
    drain = drain_of(status)
    return drain.get("drained") is False and not drain.get("missing")


def _holders(shown: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node, one in shown.items():
        for row in (one or {"instances": {}})["instances"].values():
            for address, present in row["vips"].items():
                nodes = found.setdefault(address, [])
                if present and node not in nodes:
                    nodes.append(node)
    return found


def _instances_with(shown: Mapping[str, Any], address: str) -> set[str]:
    return {
        name
        for one in shown.values()
        for name, row in (one or {"instances": {}})["instances"].items()
        if address in row["vips"]
    }


def rows(status: object) -> list[Mapping[str, Any]]:
    """The rows of a node's status, one for each instance."""
    found = status.get("instances") if isinstance(status, Mapping) else None
    return [row for row in found or () if isinstance(row, Mapping)]


def daemon(status: object) -> Mapping[str, Any]:
    """What a node's status says of its keepalived."""
    found = status.get("keepalived") if isinstance(status, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def drain_of(status: object) -> Mapping[str, Any]:
    """What a node's status says of its drain."""
    found = status.get("drain") if isinstance(status, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _and(nodes: Sequence[str]) -> str:
    if not nodes:
        return "no node"
    return nodes[0] if len(nodes) == 1 else f"{', '.join(nodes[:-1])} and {nodes[-1]}"
