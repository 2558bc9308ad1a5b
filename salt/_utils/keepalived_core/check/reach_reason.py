"""Why an address moves or stays, in one sentence with the numbers."""

from __future__ import annotations

from collections.abc import Mapping

from .reach_election import WELL, Cluster, Outcome, State, standing
from .reach_routers import FILE, INTERFACE, MOST, OWNER, Router, Track


def name_of(kind: str, name: str, value: int | None = None) -> str:
    """A failure in words: ``chk_haproxy fails``, ``interface eth1 down``, ``file drain is 1``."""
    if kind == INTERFACE:
        return f"interface {name} down"
    if kind == FILE:
        return f"file {name} is {value}"
    return f"{name} fails"


def explain(
    cluster: Cluster,
    everywhere: bool,
    track: Track | None,
    value: int | None,
    holder: str | None,
    states: Mapping[str, State],
    outcome: Outcome,
) -> str:
    """Why the outcome is what it is.

    everywhere: the failure is one of all nodes; track: None when the holder dies.
    """
    if holder is None:
        return "nobody has it when all is well"
    after = cluster.standings(states)
    mine = after[holder][cluster.slot]
    if everywhere:
        end = f"; {outcome.owner} {'keeps' if outcome.owner == holder else 'takes'} it"
        return _everywhere(cluster, states) + (
            end if outcome.owner else _end(cluster, holder, after, outcome)
        )
    if track is None:
        begin = f"{holder} is gone"
    elif mine.cut:
        begin = f"nobody hears {holder}, but it stays MASTER (dont_track_primary)"
    elif mine.priority is None:
        begin = f"{holder} goes to FAULT{_why_fault(cluster, holder, states)}"
    else:
        begin = _sum(cluster.router(holder), states.get(holder, WELL))
    return f"{begin}{_end(cluster, holder, after, outcome)}"


def _everywhere(cluster: Cluster, states: Mapping[str, State]) -> str:
    after = cluster.standings(states)
    parts = []
    for node in cluster.nodes:
        priority = after[node][cluster.slot].priority
        parts.append(f"{node} {'FAULT' if priority is None else priority}")
    return ", ".join(parts)


def _why_fault(cluster: Cluster, node: str, states: Mapping[str, State]) -> str:
    """A member of the sync group may be the one that fails."""
    state = states.get(node, WELL)
    if standing(cluster.router(node), state).priority is None:
        return ""
    for slot in sorted(cluster.router(node).members, key=str):
        if standing(cluster.members[node][slot], state).priority is None:
            return f" with {cluster.members[node][slot].name} of its sync group"
    return ""


def _sum(router: Router, state: State) -> str:
    """``103 - 2 = 101``."""
    if router.priority == OWNER:
        return "priority 255 does not change"
    before = standing(router, WELL).priority
    after = standing(router, state).priority
    assert before is not None and after is not None
    change = after - before
    text = f"{before} {'-' if change <= 0 else '+'} {abs(change)} = {after}"
    if not change:
        return f"{before} does not change" + (f" ({MOST} is the most)" if after == MOST else "")
    return text + (" (1 is the least)" if after == 1 else "")


def _end(cluster: Cluster, holder: str, after: Mapping[str, Mapping], outcome: Outcome) -> str:
    def number(node: str) -> str:
        return f"{node}'s {after[node][cluster.slot].priority}"

    if outcome.owner is None:
        if not outcome.tied:
            return "; no other node is left"
        numbers = {after[node][cluster.slot].priority for node in outcome.tied}
        names = " and ".join(outcome.tied)
        if len(numbers) > 1:
            return f"; the members of the sync group rank {names} differently"
        return f"; {names} have the same priority, {numbers.pop()}: the higher address decides"
    mine = after[holder][cluster.slot].priority
    if outcome.owner != holder:
        if mine is None or outcome.also:
            text = f"; {number(outcome.owner)} is the highest of the others"
        else:
            text = f", below {number(outcome.owner)}"
        if outcome.tied:
            text += f", as is that of {' and '.join(n for n in outcome.tied if n != outcome.owner)}"
            text += "; the quicker has it, or by its address this one"
        if outcome.late:
            text += f", which waits {outcome.late:g} s (preempt_delay)"
        return text
    others = {
        node: after[node][cluster.slot].priority
        for node in cluster.nodes
        if node != holder and after[node][cluster.slot].priority is not None
    }
    if not others:
        return "; no other node is left"
    best = max(others, key=lambda node: others[node] or 0)
    if (others[best] or 0) <= (mine or 0):
        text = f", still not below {number(best)}"
        if all(_waits(cluster, node) for node in others):
            text += "; and with nopreempt nobody takes it from a node that is up"
        return text
    higher = [node for node in others if (others[node] or 0) > (mine or 0)]
    if all(_waits(cluster, node) for node in higher):
        names = " and ".join(higher)
        return f", below {number(best)}, but nopreempt keeps {names} from taking it"
    return f", below {number(best)}, but its sync group takes over only as a whole"


def _waits(cluster: Cluster, node: str) -> bool:
    shared = cluster.router(node).members
    return any(cluster.members[node][slot].nopreempt for slot in shared)
