"""How the clusters are wired, and who owns what now.  Pure.

The wiring comes from the pillars, what is true now from fresh answers of the nodes.  A node that
does not answer is ``unknown``, whatever it was before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import clock
from .answers import Answer, last_line
from .event import printable
from .picture import daemon, rows

SCHEMA = 1
FORMATS = ("text", "svg", "mermaid")
UNKNOWN = "unknown"


def topology(
    wirings: Iterable[Mapping[str, Any]], answers: Mapping[str, Answer] | None, now: float
) -> dict[str, Any]:
    """The wiring of all clusters with what is true now.

    wirings
        As ``check.wiring.wiring_of_clusters`` returns them.
    answers
        ``{node: Answer}`` to ``keepalived.status``; None draws from the pillar alone.
    now
        Seconds since the epoch.

    Returns what ``salt-run keepalived.topology --out=json`` prints (docs/topology.md).
    """
    clusters = [_cluster(each, answers) for each in wirings]
    return {
        "kind": "topology",
        "schema": SCHEMA,
        "time": clock.render(now),
        "now": answers is not None,
        "clusters": clusters,
        "retcode": int(not clusters or any(each["problem"] for each in clusters)),
    }


def owner_text(vip: Mapping[str, Any]) -> str:
    """Who has an address, in words."""
    if vip["owners"] is None:
        return ""
    silent = ", ".join(vip["unknown"])
    if vip["owners"]:
        text = "held by " + " and ".join(vip["owners"])
        return f"{text} ({silent}: unknown)" if silent else text
    return f"owner unknown ({silent} unknown)" if silent else "held by no node"


def owner_style(vip: Mapping[str, Any]) -> str:
    """``good``: one owner, no doubt; ``warn``: a node is silent; ``bad``: none, or several."""
    if vip["owners"] is None:
        return "none"
    if len(vip["owners"]) == 1 and not vip["unknown"]:
        return "good"
    return "warn" if vip["unknown"] and len(vip["owners"]) < 2 else "bad"


def track_text(track: Mapping[str, Any]) -> str:
    """What is tracked, and what its failure does."""
    weight, kind = int(track["weight"]), str(track["kind"]).removeprefix("track_")
    name = f"{kind} {track['name']}"
    back = ", reversed" if track["reverse"] else ""
    if kind == "file" and weight:
        return f"{name}: priority + {weight} x its value{back}"
    if not weight:
        return f"{name}: FAULT when it {'is well' if track['reverse'] else 'fails'}"
    when = "while it is well" if weight > 0 else "when it fails"
    return f"{name}: priority {weight:+d} {when}{back}"


def shared_tracks(instance: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """What all nodes of an instance track alike; None when they differ."""
    lists = [node["tracks"] for node in instance["nodes"]]
    return lists[0] if lists and all(each == lists[0] for each in lists) else None


def _cluster(wiring: Mapping[str, Any], answers: Mapping[str, Answer] | None) -> dict[str, Any]:
    nodes = [_node(node, answers) for node in wiring["nodes"]]
    said = {node: _said(node, answers) for node in wiring["nodes"]}
    groups: dict[str, list[str]] = {}
    for each in wiring["instances"]:
        if each["sync_group"]:
            groups.setdefault(each["sync_group"], []).append(each["instance"])
    return {
        "cluster": wiring["cluster"],
        "problem": wiring["problem"],
        "nodes": nodes,
        "sync_groups": [{"group": name, "instances": found} for name, found in groups.items()],
        "instances": [_instance(each, said, answers is not None) for each in wiring["instances"]],
    }


def _said(node: str, answers: Mapping[str, Answer] | None) -> Mapping[str, Any] | None:
    answer = (answers or {}).get(node)
    return answer.said if answer is not None and isinstance(answer.said, Mapping) else None


def _node(node: str, answers: Mapping[str, Answer] | None) -> dict[str, Any]:
    note = ""
    if answers is not None and _said(node, answers) is None:
        answer = answers.get(node)
        note = "no answer" if answer is None else last_line(answer.said)
    return {
        "node": node,
        "answered": None if answers is None else not note,
        "note": note,
    }


def _instance(
    wired: Mapping[str, Any], said: Mapping[str, Mapping[str, Any] | None], is_now: bool
) -> dict[str, Any]:
    name = wired["instance"]
    found = {node: _of_node(status, name) for node, status in said.items()}
    members = [each["node"] for each in wired["nodes"]]
    return {
        **{key: wired[key] for key in ("instance", "vrid", "family", "sync_group")},
        "vips": [_vip(vip, members, found, is_now) for vip in wired["vips"]],
        "nodes": [
            {**each, **(_claim(said[each["node"]], found[each["node"]]) if is_now else _NO_CLAIM)}
            for each in wired["nodes"]
        ],
    }


_NO_CLAIM = {"claim": None, "effective_priority": None}


def _of_node(status: Mapping[str, Any] | None, instance: str) -> Mapping[str, Any] | None:
    return next((row for row in rows(status) if row.get("instance") == instance), None)


def _claim(status: Mapping[str, Any] | None, row: Mapping[str, Any] | None) -> dict[str, Any]:
    if status is None:
        return {**_NO_CLAIM, "claim": UNKNOWN}
    effective = row.get("effective_priority") if row else None
    known = isinstance(effective, int) and not isinstance(effective, bool)
    if daemon(status).get("running") is False:
        # a daemon that is gone claims nothing, whatever was last heard of it
        claim = "STOP"
    elif row is None:
        claim = "missing"
    else:
        claim = printable(str(row.get("state") or UNKNOWN))[:32]
    return {"claim": claim, "effective_priority": effective if known else None}


def _vip(
    vip: Mapping[str, Any],
    members: list[str],
    found: Mapping[str, Mapping[str, Any] | None],
    is_now: bool,
) -> dict[str, Any]:
    if not is_now:
        return {**vip, "owners": None, "unknown": []}
    has = {node: _has(found[node], str(vip["address"])) for node in sorted(members)}
    return {
        **vip,
        "owners": [node for node, present in has.items() if present],
        "unknown": [node for node, present in has.items() if present is None],
    }


def _has(row: Mapping[str, Any] | None, address: str) -> bool | None:
    """Whether a node's kernel has an address; None when nobody said so."""
    vips = row.get("vips") if row is not None else None
    for each in vips if isinstance(vips, (list, tuple)) else ():
        if isinstance(each, Mapping) and _bare(str(each.get("address"))) == _bare(address):
            present = each.get("present")
            return present if isinstance(present, bool) else None
    return None


def _bare(address: str) -> str:
    return address.partition("/")[0]
