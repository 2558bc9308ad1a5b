"""The clusters that the pillars describe, and the members of each.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

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
