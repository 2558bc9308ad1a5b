"""What is true about a cluster now, by what each of its members answers.

``gather`` lays the answers of all nodes side by side; ``verdict`` judges them.  Data that is
not there is ``unknown``, never what it was before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import answerer, clock, facts_row, mismatch, status_cause, status_hub
from .answers import Answer, last_line
from .membership import Member, cluster_name, configured_instances, members, peers
from .verdict import judge, rank, retcode, tally, worst

__all__ = [
    "Answer",
    "Evidence",
    "Member",
    "cluster_name",
    "configured_instances",
    "gather",
    "last_line",
    "members",
    "peers",
]

SCHEMA = 1


@dataclass(frozen=True)
class Evidence:
    """What there is beside the nodes' own answers; all of it may be missing.

    replies
        ``{node: Answer}`` of ``keepalived.answers``, as :func:`answerer.plan` asked for it.
    macs
        ``{node: its hardware addresses}`` of nodes that did not answer, as last known.
    before
        The answers of a moment earlier: what has grown since then.
    hub
        What :func:`status_hub.read` made of the hub's file.
    """

    replies: Mapping[str, Answer] | None = None
    macs: Mapping[str, Iterable[str]] | None = None
    before: Mapping[str, Answer] | None = None
    hub: Mapping[str, Any] | None = None


NOTHING_ELSE = Evidence()


def gather(
    clusters: Mapping[str, Iterable[Member]],
    answers: Mapping[str, Answer],
    now: float,
    evidence: Evidence = NOTHING_ELSE,
) -> dict[str, Any]:
    """One table of all clusters, the worst first.

    clusters
        As ``members`` returns them.
    answers
        ``{node: Answer}`` of those that answered.
    now
        Seconds since the epoch.
    evidence
        What else is known.

    Returns what ``salt-run keepalived.status --out=json`` prints; its schema is in
    docs/status.md.
    """
    tables = [_cluster(name, list(each), answers, now, evidence) for name, each in clusters.items()]
    tables.sort(key=lambda table: (rank(str(table["verdict"])), str(table["cluster"])))
    verdicts = [str(table["verdict"]) for table in tables]
    ages = [
        row["age"]
        for table in tables
        for each in table["instances"]
        for row in each["nodes"]
        if row["age"] is not None
    ]
    return {
        "kind": "status",
        "schema": SCHEMA,
        "time": clock.render(now),
        "verdict": worst(verdicts),
        "retcode": retcode(verdicts),
        "summary": {"clusters": len(tables), **tally(verdicts), "max_age": max(ages, default=None)},
        "hub": status_hub.summary(evidence.hub),
        "clusters": tables,
    }


def _cluster(
    name: str, nodes: list[Member], answers: Mapping[str, Answer], now: float, evidence: Evidence
) -> dict[str, Any]:
    rows = by_instance(nodes, answers, now)
    before = by_instance(nodes, evidence.before, now) if evidence.before is not None else {}
    owners = answerer.owners(answers, evidence.macs or {}, [member.node for member in nodes])
    instances = [
        _instance(name, instance, each, before.get(instance, ()), owners, evidence)
        for instance, each in rows.items()
    ]
    instances.sort(key=lambda each: (rank(str(each["verdict"])), str(each["instance"])))
    return {
        "cluster": name,
        "verdict": worst(str(each["verdict"]) for each in instances),
        "expected": len(nodes),
        "answered": sum(facts_row.usable(answers.get(member.node), now) for member in nodes),
        "instances": instances,
    }


def by_instance(
    nodes: Iterable[Member], answers: Mapping[str, Answer], now: float
) -> dict[str, list[dict[str, Any]]]:
    """``{instance: its rows, one per node that shall run it}``; a row is of :mod:`facts_row`."""
    found: dict[str, list[dict[str, Any]]] = {}
    for member in nodes:
        for instance in member.instances:
            row = facts_row.row(
                member.node, instance, answers.get(member.node), now, member.accepted
            )
            found.setdefault(instance, []).append(row)
    return found


def _instance(
    cluster: str,
    instance: str,
    rows: list[dict[str, Any]],
    before: Iterable[Mapping[str, Any]],
    owners: Mapping[str, list[str]],
    evidence: Evidence,
) -> dict[str, Any]:
    group = _first(rows, "sync_group")
    wire = answerer.truth(rows, evidence.replies, owners)
    answerer.mark(rows, wire)
    differ = mismatch.differences(rows)
    incident = status_hub.incident_of(evidence.hub, cluster, instance, group)
    verdict, reason = judge(rows, wire, differ, status_hub.flapping(incident, instance))
    cause = status_cause.cause(verdict, rows, wire, differ, before)
    told = status_hub.cause(incident, verdict)
    if told and (cause is None or status_hub.knows_better(verdict, cause)):
        # which nodes it is about now, the nodes say
        cause = {**told, "nodes": (cause or {}).get("nodes") or told["nodes"]}
    vips = _first(rows, "vips") or []
    rows.sort(key=lambda row: (_row_rank(row), str(row["node"])))
    return {
        "instance": instance,
        "verdict": verdict,
        "reason": reason,
        "cause": cause,
        "next": status_cause.next_step(verdict, cause, rows, cluster, vips),
        "incident": status_hub.shown(incident),
        "vrid": _first(rows, "vrid"),
        "sync_group": group,
        "vips": vips,
        "wire": wire,
        "nodes": [facts_row.public(row) for row in rows],
    }


def _first(rows: Iterable[Mapping[str, Any]], key: str) -> Any:
    return next((row[key] for row in rows if row.get(key)), None)


def _row_rank(row: Mapping[str, Any]) -> int:
    """Where a node stands among the others: what is wrong, who holds it, who stands by."""
    claim, holds = row["claim"], row["holds_vip"]
    if (claim == "MASTER") != bool(holds) and holds is not None:
        return 0
    return {"MASTER": 2, "BACKUP": 3}.get(str(claim), 1)
