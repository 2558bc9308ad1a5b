"""What is true about a cluster now: the members the pillar names, and what each answers.

``gather`` lays the answers of all nodes side by side; ``verdict`` judges them.  Data that is
not there is ``unknown``, never what it was before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from . import clock
from .event import printable
from .verdict import judge, rank, retcode, worst

SCHEMA = 1
#: The name of a cluster whose pillar has no ``keepalived:cluster``.
UNNAMED = "default"


@dataclass(frozen=True)
class Member:
    """A node that the pillar counts among a cluster.

    instances
        The VRRP instances the pillar gives it.
    accepted
        Whether the master accepts its key; one that is not cannot be asked.
    """

    node: str
    instances: tuple[str, ...] = ()
    accepted: bool = True


@dataclass(frozen=True)
class Answer:
    """What a node returned: what the verb says it returns, or the text of an error.

    at is when it arrived, in seconds since the epoch.
    """

    said: object
    at: float


def last_line(said: object) -> str:
    """What a failed verb said, in one line: of a traceback the last."""
    lines = str("" if said is None else said).strip().splitlines()
    return printable(lines[-1])[:200] if lines else "no answer"


def cluster_name(pillar: Mapping[str, object]) -> str:
    """The cluster a pillar belongs to."""
    own = pillar.get("keepalived")
    name = own.get("cluster") if isinstance(own, Mapping) else None
    return str(name) if name else UNNAMED


def configured_instances(pillar: Mapping[str, object], node: str) -> tuple[str, ...] | None:
    """The instances that a node's pillar gives it; None when it is no member of a cluster."""
    own = pillar.get("keepalived")
    if not isinstance(own, Mapping) or not isinstance(own.get("config"), Mapping):
        return None
    nodes = own.get("nodes")
    overlay: object = None
    if nodes:
        if not isinstance(nodes, Mapping) or node not in nodes:
            return None
        entry = nodes[node]
        overlay = entry.get("config") if isinstance(entry, Mapping) else None
    names: dict[str, None] = {}
    for config in (own["config"], overlay):
        instances = config.get("vrrp_instance") if isinstance(config, Mapping) else None
        names.update(dict.fromkeys(map(str, instances if isinstance(instances, Mapping) else ())))
    return tuple(names)


def peers(pillar: Mapping[str, object], node: str) -> list[str]:
    """The other nodes of a node's cluster, as its pillar names them."""
    own = pillar.get("keepalived")
    nodes = own.get("nodes") if isinstance(own, Mapping) else None
    return sorted(str(name) for name in nodes if name != node) if isinstance(nodes, Mapping) else []


def members(
    pillars: Mapping[str, Mapping[str, object]], accepted: Iterable[str]
) -> dict[str, list[Member]]:
    """The clusters that the pillars describe.

    pillars
        ``{minion: its pillar}``, of the minions whose pillar is at hand.
    accepted
        The minions whose key the master accepts.

    Returns ``{cluster: its members}``, the members sorted by name; among them those that only
    the others' ``keepalived:nodes`` names.
    """
    accepted = set(accepted)
    clusters: dict[str, dict[str, Member]] = {}
    for minion, pillar in pillars.items():
        own_instances = configured_instances(pillar, minion)
        if own_instances is None:
            continue
        found = clusters.setdefault(cluster_name(pillar), {})
        own = pillar.get("keepalived")
        nodes = own.get("nodes") if isinstance(own, Mapping) else None
        for node in map(str, nodes if isinstance(nodes, Mapping) else ()):
            # A node's own pillar knows best what it runs; this is for those without one.
            if node not in found:
                instances = configured_instances(pillar, node) or ()
                found[node] = Member(node, instances, node in accepted)
        found[minion] = Member(minion, own_instances, minion in accepted)
    return {
        cluster: sorted(found.values(), key=lambda member: member.node)
        for cluster, found in sorted(clusters.items())
    }


def gather(
    clusters: Mapping[str, Iterable[Member]], answers: Mapping[str, Answer], now: float
) -> dict[str, object]:
    """One table of all clusters, the worst first.

    clusters
        As ``members`` returns them.
    answers
        ``{node: Answer}`` of those that answered.
    now
        Seconds since the epoch.

    Returns what ``salt-run keepalived.status --out=json`` prints; its schema is in
    docs/reactions.md.
    """
    tables = [_cluster(name, list(each), answers, now) for name, each in clusters.items()]
    tables.sort(key=lambda table: (rank(str(table["verdict"])), str(table["cluster"])))
    verdict = worst(str(table["verdict"]) for table in tables)
    return {
        "kind": "status",
        "schema": SCHEMA,
        "time": clock.render(now),
        "verdict": verdict,
        "retcode": retcode(str(table["verdict"]) for table in tables),
        "clusters": tables,
    }


def _cluster(
    name: str, nodes: list[Member], answers: Mapping[str, Answer], now: float
) -> dict[str, object]:
    names: dict[str, None] = {}
    for member in nodes:
        names.update(dict.fromkeys(member.instances))
    instances = []
    for instance in names:
        rows = [
            _row(member, instance, answers.get(member.node), now)
            for member in nodes
            if instance in member.instances
        ]
        verdict, reason = judge(rows)
        rows.sort(key=lambda row: (_row_rank(row), str(row["node"])))
        instances.append(
            {
                "instance": instance,
                "verdict": verdict,
                "reason": reason,
                "vrid": _first(rows, "vrid"),
                "sync_group": _first(rows, "sync_group"),
                "vips": _first(rows, "vips") or [],
                "nodes": [
                    {key: value for key, value in row.items() if key not in _SHARED} for row in rows
                ],
            }
        )
    instances.sort(key=lambda each: (rank(str(each["verdict"])), str(each["instance"])))
    return {
        "cluster": name,
        "verdict": worst(str(each["verdict"]) for each in instances),
        "expected": len(nodes),
        "answered": sum(_usable(answers.get(member.node)) for member in nodes),
        "instances": instances,
    }


# Said once per instance, not once per node.
_SHARED = frozenset({"vrid", "sync_group", "vips"})


def _usable(answer: Answer | None) -> bool:
    return answer is not None and isinstance(answer.said, Mapping)


def _row(member: Member, instance: str, answer: Answer | None, now: float) -> dict[str, object]:
    row: dict[str, object] = {
        "node": member.node,
        "claim": "unknown",
        "holds_vip": None,
        "base_priority": None,
        "effective_priority": None,
        "interface": None,
        "since": None,
        "age": None,
        "keepalived": None,
        "drained": None,
        "note": "",
    }
    if not member.accepted:
        return {**row, "note": "the master accepts no key of it"}
    if answer is None:
        return {**row, "note": "no answer"}
    if not isinstance(answer.said, Mapping):
        return {**row, "note": f"keepalived.status failed: {last_line(answer.said)}"}
    status = answer.said
    daemon = status.get("keepalived")
    running = daemon.get("running") if isinstance(daemon, Mapping) else None
    row.update(age=round(max(0.0, now - answer.at), 1), keepalived=running)
    notes = [] if running is not False else ["keepalived does not run"]
    problem = daemon.get("problem") if isinstance(daemon, Mapping) else None
    if problem and running is not False:
        notes.append(printable(str(problem))[:120])
    drain = status.get("drain")
    if isinstance(drain, Mapping):
        row["drained"] = bool(drain.get("drained"))
        notes += _drain_notes(drain)
    watch = status.get("watch")
    if isinstance(watch, Mapping) and watch.get("running") is False:
        notes.append("the watch does not run: no events from here")
    for found in status.get("instances") or ():
        if isinstance(found, Mapping) and found.get("instance") == instance:
            row.update(_claims(found, running))
            break
    else:
        row["claim"] = "missing"
        if running is not False:
            notes.append("its keepalived has no such instance")
    row["note"] = "; ".join(notes)
    return row


def _drain_notes(drain: Mapping[str, object]) -> list[str]:
    """What a person wants to know of a drain: why, until when, and what is wrong with it."""
    notes = []
    if drain.get("drained"):
        text = f"drained: {printable(str(drain.get('reason') or 'no reason given'))[:80]}"
        if drain.get("until"):
            text += f" until {printable(str(drain['until']))[:32]}"
        notes.append(text)
    if drain.get("problem"):
        notes.append(printable(str(drain["problem"]))[:120])
    return notes


def _claims(found: Mapping[str, object], running: object) -> dict[str, object]:
    vips = found.get("vips")
    addresses = [
        str(vip["address"])
        for vip in (vips if isinstance(vips, (list, tuple)) else ())
        if isinstance(vip, Mapping) and vip.get("address")
    ]
    present = found.get("vip_present")
    return {
        # A daemon that is gone claims nothing, whatever was last heard of it.
        "claim": "STOP" if running is False else printable(str(found.get("state") or "unknown")),
        "holds_vip": present if isinstance(present, bool) else None,
        "base_priority": found.get("base_priority"),
        "effective_priority": found.get("effective_priority"),
        "interface": found.get("interface"),
        "since": found.get("since"),
        "vrid": found.get("vrid"),
        "sync_group": found.get("sync_group"),
        "vips": addresses,
    }


def _first(rows: Iterable[Mapping[str, object]], key: str) -> object:
    return next((row[key] for row in rows if row.get(key)), None)


def _row_rank(row: Mapping[str, object]) -> int:
    """Where a node stands among the others: what is wrong, who holds it, who stands by."""
    claim, holds = row["claim"], row["holds_vip"]
    if (claim == "MASTER") != bool(holds) and holds is not None:
        return 0
    return {"MASTER": 2, "BACKUP": 3}.get(str(claim), 1)
