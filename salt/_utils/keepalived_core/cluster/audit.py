"""An audit of clusters: what is wrong across nodes, pillar, files and running state.  Pure.

The parts judge (``audit_state``, ``audit_config``, ``audit_node``, ``audit_host``); this puts
what they find in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import audit_config, audit_host, audit_node, audit_state, clock
from .audit_codes import CODES, ERROR, SEVERITIES, WARNING
from .audit_finding import Cluster, Finding, Node
from .audit_shape import usable
from .picture import daemon

SCHEMA = 1
#: Exit statuses, as ``keepalived.status`` has them.
OK, DEGRADED, CRITICAL, UNKNOWN = 0, 1, 2, 3
#: Of such a node nothing is known.
_ABSENT = frozenset({"node-silent", "node-not-accepted"})


def audit(
    clusters: Iterable[Cluster], now: float, neighbours: Iterable[Cluster] = ()
) -> dict[str, Any]:
    """Everything that is wrong, the worst first.

    clusters
        Those to audit.
    now
        Seconds since the epoch.
    neighbours
        Other clusters of this master, only to see whether a number clashes with theirs.

    Returns what ``salt-run keepalived.audit --out=json`` prints; its schema is in docs/audit.md.
    """
    audited = list(clusters)
    own = {cluster.name for cluster in audited}
    found = [
        *(finding for cluster in audited for finding in findings(cluster, now)),
        *(
            finding
            for finding in audit_config.clashes([*audited, *neighbours])
            if finding.cluster in own
        ),
    ]
    rows = sorted((one.to_data() for one in _distinct(found)), key=_place)
    counts = {level: sum(row["severity"] == level for row in rows) for level in SEVERITIES}
    return {
        "kind": "audit",
        "schema": SCHEMA,
        "time": clock.render(now),
        "clusters": [
            {
                "cluster": cluster.name,
                "expected": len(cluster.nodes),
                "answered": sum(isinstance(node.facts, Mapping) for node in cluster.nodes),
                "nodes": [node.name for node in cluster.nodes],
            }
            for cluster in audited
        ],
        "counts": counts,
        "findings": rows,
        "retcode": _retcode(rows) if audited else UNKNOWN,
    }


def findings(cluster: Cluster, now: float) -> Iterator[Finding]:
    """What is wrong with one cluster, in no order; clashes with others are not here."""
    config = list(audit_config.judge(cluster))
    unlike = {str(one.instance) for one in config if one.code in audit_config.ALIKE.values()}
    for found in (
        audit_state.judge(cluster, now),
        config,
        audit_node.judge(cluster, unlike),
        audit_host.judge(cluster),
    ):
        yield from (replace(one, cluster=cluster.name) for one in found)


def _distinct(found: Iterable[Finding]) -> Iterator[Finding]:
    """Without those that say the same again."""
    seen = set()
    for one in found:
        key = (one.code, one.cluster, one.instance, one.nodes, one.text)
        if key not in seen:
            seen.add(key)
            yield one


_ORDER = {code: place for place, code in enumerate(CODES)}


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (
        SEVERITIES.index(row["severity"]),
        _ORDER[row["code"]],
        row["cluster"],
        row["instance"] or "",
        row["nodes"],
    )


def _retcode(rows: Sequence[Mapping[str, Any]]) -> int:
    """What is sure and bad counts more than what is not known."""
    errors = {row["code"] for row in rows if row["severity"] == ERROR}
    if errors - _ABSENT:
        return CRITICAL
    if errors:
        return UNKNOWN
    return DEGRADED if any(row["severity"] == WARNING for row in rows) else OK


def numbers(clusters: Iterable[Cluster]) -> set[tuple[int, int]]:
    """The (virtual_router_id, family) that clusters use."""
    return {router.number for router in audit_config.routers(clusters)}


def release_of(status: Any) -> str | None:
    """The keepalived that a node's status names."""
    told = daemon(status).get("version")
    return None if told is None else str(told)


__all__ = [
    "SCHEMA",
    "Cluster",
    "Finding",
    "Node",
    "audit",
    "findings",
    "numbers",
    "release_of",
    "usable",
]
