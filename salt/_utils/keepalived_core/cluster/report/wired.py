"""The clusters as the page draws them: the wiring with what is true now.  Pure.

What is true now comes from the nodes (``keepalived.status``) or, where nobody is asked, from what
the hub heard of them last.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import topology
from ..event import printable
from ..hub_view import SILENT
from ..verdict import worst

Row = Mapping[str, Any]


def clusters(
    wiring: Mapping[str, Any],
    status: Mapping[str, Any] | None,
    heard: Mapping[str, Any] | None,
    incidents: list[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Each cluster, the worst first.

    wiring
        What ``salt-run keepalived.topology now=False`` has.
    status
        What ``salt-run keepalived.status`` has; None: no node was asked.
    heard
        What ``salt-run keepalived.hub_status`` has; None without a hub.
    incidents
        The open ones.

    An instance has ``instance``, ``verdict`` (None: nobody knows of anything), ``reason``,
    ``cause``, ``next``, ``incident`` (id or None), ``vrid``, ``family``, ``sync_group``, ``vips``
    (``address``, ``excluded``, ``interfaces``, ``owners``, ``unknown``) and ``nodes``.
    """
    told = _told(status)
    found = []
    for cluster in wiring["clusters"]:
        name = cluster["cluster"]
        said = told.get(name) if status is not None else _heard(cluster, heard, incidents)
        rows = (said or {}).get("instances") or {}
        # what the nodes run and no pillar names is drawn too
        drawn = [_instance(each, rows.get(each["instance"])) for each in cluster["instances"]]
        names = {each["instance"] for each in drawn}
        drawn += [_instance(_unwired(row), row) for key, row in rows.items() if key not in names]
        found.append(
            {
                "cluster": name,
                "problem": cluster["problem"],
                "verdict": (said or {}).get("verdict"),
                "expected": len(cluster["nodes"]),
                "answered": (said or {}).get("answered"),
                "instances": drawn,
            }
        )
    order = {name: place for place, name in enumerate(told)}
    return sorted(found, key=lambda each: order.get(each["cluster"], len(order)))


def _told(status: Mapping[str, Any] | None) -> dict[str, dict[str, Any]]:
    return {
        each["cluster"]: {
            **each,
            "instances": {one["instance"]: one for one in each["instances"]},
        }
        for each in (status or {"clusters": []})["clusters"]
    }


def _instance(wired: Row, said: Row | None) -> dict[str, Any]:
    rows = {row["node"]: row for row in said["nodes"]} if said else {}
    holders = {
        _bare(one["address"]): list(one["holders"]) for one in (said or {}).get("wire") or ()
    }
    incident = (said or {}).get("incident")
    return {
        **{key: wired[key] for key in ("instance", "vrid", "family", "sync_group")},
        **{key: (said or {}).get(key) for key in ("verdict", "reason", "next")},
        "cause": ((said or {}).get("cause") or {}).get("text"),
        "incident": incident["id"] if incident else None,
        "vips": [_vip(vip, rows, holders, said is not None) for vip in wired["vips"]],
        "nodes": [_node(node, rows.get(node["node"])) for node in wired["nodes"]],
    }


def _vip(vip: Row, rows: Mapping[str, Row], holders: Mapping[str, Any], known: bool) -> Row:
    owners, unknown = None, []
    if known:
        unknown = sorted(name for name, row in rows.items() if row["holds_vip"] is None)
        owners = holders.get(_bare(vip["address"]))
        if owners is None:
            owners = sorted(name for name, row in rows.items() if row["holds_vip"])
    drawn = {**vip, "owners": owners, "unknown": unknown}
    return {**drawn, "told": topology.owner_text(drawn), "style": topology.owner_style(drawn)}


def _node(wired: Row, row: Row | None) -> dict[str, Any]:
    keys = ("claim", "holds_vip", "effective_priority", "since", "age", "drained", "note")
    return {
        **{key: wired[key] for key in ("node", "interface", "priority", "nopreempt")},
        **{key: (row or {}).get(key) for key in keys},
        "tracks": [
            {
                "kind": str(each["kind"]).removeprefix("track_"),
                "name": each["name"],
                "does": topology.track_text(each).partition(": ")[2],
            }
            for each in wired["tracks"]
        ],
    }


def _unwired(said: Row) -> dict[str, Any]:
    """An instance of which no wiring is known, as far as its nodes describe it."""
    vips = [{"address": vip, "excluded": False, "interfaces": {}} for vip in said["vips"]]
    nodes = [
        {
            "node": row["node"],
            "interface": row["interface"] or "",
            "priority": row["base_priority"],
            "nopreempt": False,
            "tracks": [],
        }
        for row in said["nodes"]
    ]
    kept = {key: said.get(key) for key in ("instance", "vrid", "sync_group")}
    return {**kept, "family": None, "vips": vips, "nodes": nodes}


def _heard(
    cluster: Row, heard: Mapping[str, Any] | None, incidents: list[Mapping[str, Any]]
) -> dict[str, Any] | None:
    """What the hub heard last, in the shape of the status."""
    if heard is None or heard["problem"]:
        return None
    nodes = {node["node"]: node for node in heard["nodes"]}
    instances: dict[str, dict[str, Any]] = {}
    for each in cluster["instances"]:
        rows = [_last_word(node["node"], each["instance"], nodes) for node in each["nodes"]]
        verdict, reason, incident = _verdict(cluster["cluster"], each, rows, incidents)
        instances[each["instance"]] = {
            "verdict": verdict,
            "reason": reason,
            "incident": incident,
            "cause": incident["cause"] if incident else None,
            "nodes": rows,
        }
    fresh = {row["node"] for one in instances.values() for row in one["nodes"] if row["claim"]}
    return {
        "verdict": worst(str(one["verdict"]) for one in instances.values()),
        "answered": len(fresh),
        "instances": instances,
    }


def _last_word(node: str, instance: str, nodes: Mapping[str, Row]) -> dict[str, Any]:
    state = nodes.get(node, {}).get("states", {}).get(instance)
    row: dict[str, Any] = {"node": node, "claim": None, "holds_vip": None, "note": ""}
    if state is None:
        return {**row, "claim": topology.UNKNOWN, "note": "the hub has heard nothing of it"}
    age = state["age"]
    if age is None or age > SILENT:
        return {**row, "claim": topology.UNKNOWN, "note": "the hub does not hear it any more"}
    present = state["vip_present"]
    return {
        **row,
        "claim": printable(str(state["state"]))[:32],
        "holds_vip": present if isinstance(present, bool) else None,
        "since": state["since"],
        "age": age,
    }


#: Verdict of an instance with an open incident; the others' names are their verdicts.
_VERDICTS = {"failover": "degraded"}


def _verdict(
    cluster: str, wired: Row, rows: list[dict[str, Any]], incidents: list[Mapping[str, Any]]
) -> tuple[str, str, Mapping[str, Any] | None]:
    for each in incidents:
        if each["cluster"] == cluster and wired["instance"] in (
            *each["instances"],
            each["instance"],
        ):
            kind = str(each["kind"])
            words = kind.replace("_", " ")
            told = f"the hub has an open incident of it: {words}"
            return _VERDICTS.get(kind, words), told, each
    owners = [row["node"] for row in rows if row["holds_vip"]]
    silent = [row["node"] for row in rows if row["claim"] == topology.UNKNOWN]
    if len(owners) == 1 and not silent:
        return "ok", f"{owners[0]} has the address, by what the hub heard last", None
    if silent:
        return "unknown", f"the hub does not hear {', '.join(silent)}", None
    return "unknown", "the hub knows of no incident, and of no single owner", None


def _bare(address: object) -> str:
    return str(address).partition("/")[0]
