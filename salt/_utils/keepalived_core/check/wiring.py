"""How a cluster is wired, read from the pillars of its nodes: plain data for the topology.

Which routers there are, who runs them with which priority, which addresses go where, and what
each node tracks.  keepalived is asked nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..conf import instances as reading
from ..conf.tree import Tree
from ..pillar import PillarError, to_tree
from . import reach_routers
from .reach_routers import Router, Slot

Addresses = Mapping[str, Mapping[str, list[str]]]


def wiring_of_clusters(
    clusters: Mapping[str, Mapping[str, Any]], addresses: Addresses | None = None
) -> list[dict[str, Any]]:
    """The wiring of several clusters.

    clusters
        ``{cluster: {node: its ``keepalived`` pillar}}``; a node whose pillar is not at hand (None)
        is read from that of the others.
    addresses
        ``{node: {interface: [address, ...]}}``, for ``unicast_peer: auto``.

    Returns ``[{"cluster", "problem" (None, or why the pillar cannot be read), "nodes",
    "instances"}]``, an instance as :func:`wiring` gives it.
    """
    found = []
    for cluster, pillars in clusters.items():
        any_other = next((data for data in pillars.values() if data is not None), None)
        trees: dict[str, Tree] = {}
        problem = None
        for node, data in pillars.items():
            try:
                trees[node] = to_tree(any_other if data is None else data, node, None, addresses)
            except PillarError as error:
                problem = problem or str(error)
        # half a cluster would be drawn as if it were all of it
        instances = [] if problem else wiring(trees)
        found.append(
            {
                "cluster": cluster,
                "problem": problem,
                "nodes": sorted(pillars),
                "instances": instances,
            }
        )
    return found


def wiring(trees: Mapping[str, Tree]) -> list[dict[str, Any]]:
    """The virtual routers of a cluster, in the order of the files.

    trees
        ``{node: what its keepalived reads, evaluated}``.

    Returns ``[{"instance", "vrid", "family" (4 or 6), "sync_group" (or None), "vips": [{"address",
    "excluded", "interfaces": {node: interface}}], "nodes": [{"node", "interface", "priority",
    "nopreempt", "tracks": [{"kind", "name", "weight", "reverse"}]}]}]``, nodes by falling priority.
    """
    routers = reach_routers.read(trees)
    written = {
        node: {one.name: one for one in reading.instances(tree)} for node, tree in trees.items()
    }
    slots: dict[Slot, None] = {}
    for found in routers.values():
        slots.update(dict.fromkeys(found))
    return [
        _instance([found[slot] for found in routers.values() if slot in found], written)
        for slot in slots
    ]


def _instance(
    routers: list[Router], written: Mapping[str, Mapping[str, reading.Instance]]
) -> dict[str, Any]:
    first = routers[0]
    vips: dict[tuple[str, bool], dict[str, str]] = {}
    for router in routers:
        said = written[router.node][router.name]
        for listed, excluded in ((said.vips, False), (said.excluded, True)):
            for address, device in listed:
                where = vips.setdefault((address, excluded), {})
                where[router.node] = device or router.interface
    return {
        "instance": first.name,
        "vrid": first.slot[0],
        "family": first.slot[1],
        "sync_group": first.group or None,
        "vips": [
            {"address": address, "excluded": excluded, "interfaces": where}
            for (address, excluded), where in vips.items()
        ],
        "nodes": [
            {
                "node": router.node,
                "interface": router.interface,
                "priority": router.priority,
                "nopreempt": router.nopreempt,
                "tracks": [
                    {
                        "kind": track.kind,
                        "name": track.name,
                        "weight": track.weight,
                        "reverse": track.reverse,
                    }
                    for track in router.tracks
                ],
            }
            for router in sorted(routers, key=lambda each: (-each.priority, each.node))
        ],
    }
