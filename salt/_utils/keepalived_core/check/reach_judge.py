"""What is wrong with a cluster's failover, from the report's rows.

KR001  when the holder dies, nobody can take over (an error)
KR002  a check fails, and its weight is too small to move the address
KR003  a check fails, and nopreempt keeps the others from taking the address
KR004  the address moves only after preempt_delay
KR005  after a failure two nodes have the same priority
KR006  two nodes have the same priority when all is well
KR007  keepalived clears or ignores a setting that stands in the file
KR008  the nodes' sync groups differ, or rank the nodes differently
KR009  an instance has not the same virtual_router_id on all nodes
KR010  with priority 255 a weight cannot count, or two nodes have it
KR011  a node that nobody hears goes on holding the address: dont_track_primary
"""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from ..conf.fault import ERROR, WARNING
from .reach_election import Cluster, failed
from .reach_reason import name_of
from .reach_report import ALL, CHECK, DIES, LATE, STAYS, TIE, Finding, Instance, Row
from .reach_routers import INTERFACE, MOST, OWNER, Router, Slot


def judge(cluster: Cluster, instance: Instance) -> Iterator[Finding]:
    """What is wrong with one virtual router whose rows are there."""
    where = instance.name
    if len(instance.tied) > 1:
        if _disputed(cluster, instance.tied):
            yield Finding(
                WARNING,
                "KR008",
                f"{where}: the members of its sync group rank {_and(instance.tied)} differently; "
                "a group moves only when all of its members may",
                "give a node the same rank in every member",
            )
        else:
            same = instance.priorities[instance.tied[0]]
            yield Finding(
                WARNING,
                "KR006",
                f"{where}: {_and(instance.tied)} have the same priority, {same}: "
                + _by_address(instance.owner),
                "give each node its own priority",
            )
    yield from _failures(cluster, instance)
    owners = [node for node in cluster.nodes if cluster.router(node).priority == OWNER]
    if len(owners) > 1:
        yield Finding(
            WARNING,
            "KR010",
            f"{where}: {_and(owners)} all have priority 255, the address owner's; one of them "
            "falls back to 254 when they meet",
            "give 254 or less to all but one",
        )
    for node in cluster.nodes:
        for text in cluster.router(node).cleared:
            yield Finding(WARNING, "KR007", f"{where}: {node}: keepalived ignores {text}")


def _failures(cluster: Cluster, instance: Instance) -> Iterator[Finding]:
    """One finding for each kind of failure, whoever has the address when it comes."""
    found: dict[tuple, tuple[Finding, list[str]]] = {}
    for row in instance.rows:
        if row.kind == ALL or row.holder is None:
            continue
        what = f"{row.holder} dies"
        if row.kind != DIES:
            what = f"{name_of(row.track, row.name, row.value)} on {row.holder}"
        for code, hint in _row_codes(cluster, instance, row):
            # A tie is the same whatever led to it.
            key = (code, row.tied) if code == "KR005" else (code, row.kind, row.track, row.name)
            severity = ERROR if code == "KR001" else WARNING
            message = f"{instance.name}: {what}: {row.reason}"
            finding, holders = found.setdefault(key, (Finding(severity, code, message, hint), []))
            if row.holder not in holders:
                holders.append(row.holder)
    for finding, holders in found.values():
        more = f"; alike when {_and(holders[1:])} had it" if holders[1:] else ""
        yield replace(finding, message=finding.message + more)


def _row_codes(cluster: Cluster, instance: Instance, row: Row) -> Iterator[tuple[str, str]]:
    """Codes and hints for what is wrong with one row."""
    if len(cluster.nodes) == 1:
        if row.kind == DIES:
            yield "KR001", "let another node have this virtual_router_id"
        return
    if row.verdict == STAYS:
        yield _remedy(cluster, row)
    elif row.verdict == LATE:
        yield "KR004", "write weight 0, or do without preempt_delay"
    elif row.verdict == TIE and not set(row.tied) <= set(instance.tied):
        yield "KR005", "give each node its own priority"
    if row.verdict != STAYS and row.kind == CHECK and row.track == INTERFACE:
        assert row.holder is not None
        if row.name in cluster.router(row.holder).cut_off:
            yield "KR011", "remove dont_track_primary"


def _remedy(cluster: Cluster, row: Row) -> tuple[str, str]:
    """The code for a failure that moves nothing, and what would."""
    assert row.holder is not None
    zero = "weight 0, which makes it FAULT"
    if cluster.router(row.holder).priority == OWNER:
        return "KR010", f"write {zero}, or give it a priority below 255"
    track = cluster.tracked(row.holder)[row.track, row.name]
    if not track.weight:
        return "KR011", "remove dont_track_primary"
    holder, state = row.holder, {row.holder: failed(track, row.value)}
    sign = 1 if track.weight > 0 else -1

    def moves(size: int) -> bool:
        changed = _with_weight(cluster, track.key, sign * size)
        return changed.elect(state, holder).owner != holder

    # More weight never moves less, so the least that does is found by halving.
    sizes = range(abs(track.weight) + 1, MOST)
    place = bisect.bisect_left(sizes, True, key=moves)
    if place < len(sizes):
        bound = "at least" if sign > 0 else "at most"
        return "KR002", f"write a weight of {bound} {sign * sizes[place]}, or {zero}"
    preempting = [
        node for node in cluster.nodes if node != row.holder and not cluster.router(node).nopreempt
    ]
    return ("KR002" if preempting else "KR003"), f"write {zero}"


def _with_weight(cluster: Cluster, key: tuple[str, str], weight: int) -> Cluster:
    """The same cluster with another weight of one check on every node."""

    def changed(router: Router) -> Router:
        return replace(
            router,
            tracks=tuple(
                replace(track, weight=weight) if track.key == key and track.weight else track
                for track in router.tracks
            ),
        )

    return Cluster(
        cluster.slot,
        {
            node: {
                slot: changed(cluster.members[node][slot]) for slot in cluster.router(node).members
            }
            for node in cluster.nodes
        },
    )


def _disputed(cluster: Cluster, nodes: tuple[str, ...]) -> bool:
    own = {node: one[cluster.slot].priority for node, one in cluster.standings({}).items()}
    return len({own[node] for node in nodes}) > 1


def agreement(nodes: Mapping[str, Mapping[Slot, Router]]) -> Iterator[Finding]:
    """What all nodes should say alike, or they do not form one cluster."""
    numbers: dict[str, dict[Slot, list[str]]] = {}
    members: dict[Slot, dict[frozenset[Slot], list[str]]] = {}
    for node, found in nodes.items():
        for slot, router in found.items():
            numbers.setdefault(router.name, {}).setdefault(slot, []).append(node)
            members.setdefault(slot, {}).setdefault(router.members, []).append(node)
    for name, slots in numbers.items():
        if len(slots) > 1:
            which = ", ".join(f"{slot[0]} on {_and(found)}" for slot, found in slots.items())
            yield Finding(
                WARNING,
                "KR009",
                f"{name} is not one virtual router: its virtual_router_id is {which}; these do "
                "not hear each other and each has an owner of its own",
                "write the same number on all nodes",
            )
    for slot, groups in members.items():
        if len(groups) > 1:
            name = next(found[slot].name for found in nodes.values() if slot in found)
            which = "; ".join(f"{_and(found)}: {len(group)}" for group, found in groups.items())
            yield Finding(
                WARNING,
                "KR008",
                f"{name}: its sync group has not the same members on all nodes ({which})",
                "write the same group on all nodes",
            )


def _by_address(owner: str | None) -> str:
    if owner is None:
        return "the one with the higher address gets it, and that is not known here"
    return f"{owner} mostly gets it, its address is the highest"


def _and(names: Iterable[str]) -> str:
    found = list(names)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"
