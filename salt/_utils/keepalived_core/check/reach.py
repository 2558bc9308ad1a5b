"""Can it fail over?  For each failure that a cluster tracks: who holds the address then, and why.

keepalived is asked nothing; priorities, weights, preemption and tracks of all nodes are enough.
Every node is taken to be well and to hear the others until the failure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..conf.keyword import Version
from ..conf.tree import Tree
from ..pillar import Mistakes, PillarError, to_tree
from . import reach_routers
from .reach_election import Cluster, Outcome, State, failed
from .reach_judge import agreement, judge
from .reach_reason import explain
from .reach_report import (
    ALL,
    CHECK,
    DIES,
    LATE,
    MOVES,
    NOBODY,
    SCHEMA,
    STAYS,
    TIE,
    Instance,
    Report,
    Row,
    to_plain,
)
from .reach_routers import FILE, INTERFACE, Router, Track
from .reach_table import table

__all__ = ["reach", "reach_of_clusters", "reach_of_pillar", "reach_of_pillars", "table", "to_plain"]

Addresses = Mapping[str, Mapping[str, list[str]]]


def reach(trees: Mapping[str, Tree], addresses: Addresses | None = None) -> Report:
    """What each failure does to a cluster's addresses.

    trees: {node: its configuration, evaluated}; addresses: {node: {interface: [address, ...]}}
    without virtual ones, the primary first: it decides between equal priorities.
    """
    nodes = {
        node: {
            slot: replace(router, address=router.address or _primary(router, addresses or {}))
            for slot, router in found.items()
        }
        for node, found in reach_routers.read(trees).items()
    }
    slots = list(dict.fromkeys(slot for found in nodes.values() for slot in found))
    instances = [_instance(Cluster(slot, nodes)) for slot in slots]
    return Report(tuple(trees), instances, list(agreement(nodes)))


def reach_of_pillar(
    data: Any, version: str | Version | None = None, addresses: Addresses | None = None
) -> Report:
    """The same for the whole ``keepalived`` pillar: of every node in its ``nodes``.

    version: of keepalived, None for the newest.  Raises PillarError with all mistakes.
    """
    names = data.get("nodes") if isinstance(data, Mapping) else None
    if not isinstance(names, (Mapping, list, tuple)) or not names:
        mistakes = Mistakes()
        mistakes.add(("keepalived", "nodes"), "the members of the cluster belong here")
        mistakes.stop()
    return reach_of_pillars({str(node): data for node in names or ()}, version, addresses)


def reach_of_pillars(
    pillars: Mapping[str, Any],
    version: str | Version | None = None,
    addresses: Addresses | None = None,
) -> Report:
    """The same for {node: its own ``keepalived`` pillar}, where each node has one."""
    trees: dict[str, Tree] = {}
    mistakes: dict[tuple[str, str], None] = {}
    for node, data in pillars.items():
        try:
            trees[node] = to_tree(data, node, version, addresses)
        except PillarError as error:
            mistakes.update(dict.fromkeys(error.mistakes))
    if mistakes:
        raise PillarError(list(mistakes))
    return reach(trees, addresses)


def reach_of_clusters(
    clusters: Mapping[str, Mapping[str, Any]], addresses: Addresses | None = None
) -> dict[str, Any]:
    """Plain data for several clusters, as the runner's verb returns it.

    clusters: {cluster: {node: its ``keepalived`` pillar}}; a node whose pillar is not at hand
    (None) is judged by that of the others.  retcode is 1 when anything is found or unknown.
    """
    found = []
    for cluster, pillars in clusters.items():
        any_other = next((data for data in pillars.values() if data is not None), None)
        own = {node: any_other if data is None else data for node, data in pillars.items()}
        try:
            plain = {**to_plain(reach_of_pillars(own, None, addresses)), "problem": None}
        except PillarError as error:
            plain = {**to_plain(Report(tuple(own), [])), "problem": str(error)}
        found.append({"cluster": cluster, **plain})
    return {
        "kind": "reach",
        "schema": SCHEMA,
        "clusters": found,
        "retcode": int(not found or any(not _is_clean(plain) for plain in found)),
    }


def _is_clean(plain: Mapping[str, Any]) -> bool:
    told = [plain["findings"], *(each["findings"] for each in plain["instances"])]
    return plain["problem"] is None and bool(plain["instances"]) and not any(told)


def _primary(router: Router, addresses: Addresses) -> str:
    """The first address of its family on its interface, as far as known."""
    for address in addresses.get(router.node, {}).get(router.interface, ()):
        if (":" in address) == (router.slot[1] == 6):
            return address.partition("/")[0]
    return ""


def _instance(cluster: Cluster) -> Instance:
    first = cluster.router(cluster.nodes[0])
    normal = cluster.elect({})
    stable = [node for node in cluster.nodes if cluster.stable(node)]
    holders = sorted(stable, key=lambda node: node != normal.owner)
    found = Instance(
        name=first.name,
        vrid=first.slot[0],
        family=first.slot[1],
        vips=first.vips,
        group=first.group,
        priorities=_priorities(cluster, {}),
        owner=normal.owner,
        tied=normal.tied,
        holders=tuple(holders),
    )
    for holder in holders:
        for track, value in _failing(cluster, holder):
            states = {holder: failed(track, value)}
            found.rows.append(_row(cluster, CHECK, track, value, holder, states))
        found.rows.append(_row(cluster, DIES, None, None, holder, {holder: State(dead=True)}))
    for track in _everywhere(cluster):
        states = {node: failed(track, None) for node in cluster.nodes}
        before = next(iter(holders), None)
        found.rows.append(_row(cluster, ALL, track, None, before, states))
    found.findings = list(dict.fromkeys(judge(cluster, found)))
    return found


def _failing(cluster: Cluster, node: str) -> Iterator[tuple[Track, int | None]]:
    """The things that can fail on a node, a track_file with the value that shows it best."""
    for track in cluster.tracked(node).values():
        if track.kind != FILE:
            yield track, None
        elif not track.weight:
            yield track, int(not track.reverse)
        else:
            down = -1 if (track.weight > 0) != track.reverse else 1
            if abs(track.weight) > 1:
                yield track, down
                continue
            # With weight 1 the value itself is the change: the least that does something.
            for size in range(1, 255):
                state = {node: failed(track, down * size)}
                if cluster.elect(state, node).owner != node:
                    break
            yield track, down * size


def _everywhere(cluster: Cluster) -> list[Track]:
    """What several nodes track and could all lose at once: not their own network interfaces."""
    seen: dict[tuple[str, str], list[Track]] = {}
    own = {cluster.router(node).interface for node in cluster.nodes}
    for node in cluster.nodes:
        for track in cluster.tracked(node).values():
            if track.kind != FILE and not (track.kind == INTERFACE and track.name in own):
                seen.setdefault(track.key, []).append(track)
    return [found[0] for found in seen.values() if len(found) > 1]


def _priorities(cluster: Cluster, states: Mapping[str, State]) -> dict[str, int | None]:
    standings = cluster.standings(states)
    return {node: standings[node][cluster.slot].priority for node in cluster.nodes}


def _row(
    cluster: Cluster,
    kind: str,
    track: Track | None,
    value: int | None,
    holder: str | None,
    states: Mapping[str, State],
) -> Row:
    outcome = cluster.elect(states, holder)
    return Row(
        kind=kind,
        track=track.kind if track else "",
        name=track.name if track else "",
        value=value,
        holder=holder,
        priorities=_priorities(cluster, states),
        owner=outcome.owner,
        tied=outcome.tied,
        late=outcome.late,
        verdict=_verdict(outcome, holder),
        reason=explain(cluster, kind == ALL, track, value, holder, states, outcome),
    )


def _verdict(outcome: Outcome, holder: str | None) -> str:
    if outcome.owner is None:
        return TIE if outcome.tied else NOBODY
    if outcome.owner == holder:
        return STAYS
    if outcome.tied:
        return TIE
    return LATE if outcome.late else MOVES
