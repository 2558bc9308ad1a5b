"""Who holds a virtual router: keepalived's election, from the priorities of all nodes.

States are given as what is bad now; time is left out, but for what moves only after a delay.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .reach_routers import FAULT_FROM, FILE, INTERFACE, MOST, OWNER, Router, Slot, Track


@dataclass(frozen=True)
class State:
    """What is wrong with one node.

    failed: tracked things (kind, name) that are bad; values: of its track files, where not 0;
    dead: it is not there at all.
    """

    failed: frozenset[tuple[str, str]] = frozenset()
    values: Mapping[str, int] = field(default_factory=dict)
    dead: bool = False


WELL = State()


def failed(track: Track, value: int | None = None) -> State:
    """The state in which this thing is bad; value: what stands in a track_file then."""
    if value is None:
        return State(failed=frozenset({track.key}))
    return State(values={track.name: value})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a router stands.  priority: the effective one, None in FAULT or when it is gone;
    cut: it goes on for itself, but nobody hears it.
    """

    priority: int | None
    cut: bool = False


def standing(router: Router, state: State) -> Standing:
    """One router by itself, without its sync group."""
    if state.dead:
        return Standing(None)
    total = router.priority
    for track in router.tracks:
        change = _change(track, state)
        if change is None:
            return Standing(None)
        total += change
    cut = any((INTERFACE, name) in state.failed for name in router.cut_off)
    if router.priority == OWNER:
        return Standing(OWNER, cut)
    # vrrp_track.c:472
    return Standing(max(1, min(MOST, total)), cut)


def _change(track: Track, state: State) -> int | None:
    """What a track adds to the priority; None for FAULT (vrrp_track.c:710-812, netlink:1548)."""
    sign = -1 if track.reverse else 1
    if track.kind == FILE:
        # Tracked in reverse with weight 0, a 0 is what is bad.
        value = state.values.get(track.name, int(track.reverse and not track.weight))
        if not track.weight:
            return None if bool(value) != track.reverse else 0
        product = value * track.weight * sign
        return None if product <= FAULT_FROM else min(253, product)
    # A thing that is tracked in reverse is bad when it is well.
    well = (track.key in state.failed) == track.reverse
    if not track.weight:
        return 0 if well != track.reverse else None
    if well:
        return track.weight * sign if track.weight > 0 else 0
    return track.weight * sign if track.weight < 0 else 0


@dataclass(frozen=True)
class Outcome:
    """owner: None when nobody has it, or when it is undecided between ``tied``; late: seconds
    of preempt_delay before it moves; also: nodes that believe to be MASTER although cut off.
    """

    owner: str | None
    tied: tuple[str, ...] = ()
    late: float = 0
    also: tuple[str, ...] = ()


class Cluster:
    """One virtual router on all nodes, together with those that its sync groups tie to it.

    members: {node: {slot: Router}}; a node without the slot takes no part.
    """

    def __init__(self, slot: Slot, members: Mapping[str, Mapping[Slot, Router]]):
        self.slot = slot
        self.members = members
        self.nodes = [node for node, found in members.items() if slot in found]

    def router(self, node: str) -> Router:
        """The node's router in this slot."""
        return self.members[node][self.slot]

    def tracked(self, node: str) -> dict[tuple[str, str], Track]:
        """What a node tracks for this router: also by the members of its sync group."""
        found = {track.key: track for track in self.router(node).tracks}
        for slot in self._shared(node):
            router = self.members[node][slot]
            for track in (*router.tracks, *(Track(INTERFACE, name, 0) for name in router.cut_off)):
                found.setdefault(track.key, track)
        return found

    def standings(self, states: Mapping[str, State]) -> dict[str, dict[Slot, Standing]]:
        """{node: {slot: standing}}: a sync group is in FAULT as a whole."""
        found = {}
        for node in self.nodes:
            state = states.get(node, WELL)
            each = {slot: standing(self.members[node][slot], state) for slot in self._shared(node)}
            if any(one.priority is None for one in each.values()):
                each = {slot: Standing(None) for slot in each}
            elif not all(one.cut for one in each.values()):
                # Heard in one member, it keeps the others' groups as a whole in BACKUP.
                each = {slot: Standing(one.priority) for slot, one in each.items()}
            found[node] = each
        return found

    def elect(self, states: Mapping[str, State], holder: str | None = None) -> Outcome:
        """Who has it in the end, given who has it now."""
        standings = self.standings(states)
        up = [
            node
            for node in self.nodes
            if standings[node][self.slot].priority is not None
            and not standings[node][self.slot].cut
        ]
        also = tuple(
            node for node in self.nodes if node == holder and standings[node][self.slot].cut
        )
        if holder in up:
            assert holder is not None
            rivals = [
                node for node in up if node != holder and self._takes(node, holder, standings)
            ]
            if not rivals:
                return Outcome(holder)
            late = min(self._delay(node) for node in rivals)
            found = self._best(rivals, standings)
            quickest = min(self._delay(node) for node in found.tied or rivals)
            first = [node for node in found.tied if self._delay(node) == quickest]
            # The first of equals keeps it.
            found = self._best(first, standings) if len(first) < len(found.tied) else found
            return Outcome(found.owner, found.tied, late)
        if not up:
            # A node that nobody hears still claims the address, and has it.
            return Outcome(also[0] if also else None)
        found = self._best(up, standings)
        return Outcome(found.owner, found.tied, 0, also)

    def stable(self, node: str) -> bool:
        """Whether a node that has it keeps it when all is well."""
        return self.elect({}, node).owner == node

    def _delay(self, node: str) -> float:
        return max(self.members[node][slot].preempt_delay for slot in self._shared(node))

    def _shared(self, node: str) -> list[Slot]:
        """The slots of its sync group; without one, this slot alone."""
        return sorted(self.router(node).members, key=str)

    def _takes(
        self, node: str, holder: str, standings: Mapping[str, Mapping[Slot, Standing]]
    ) -> bool:
        """Whether it takes the address from a holder that is still there (vrrp.c:1936).

        A sync group goes MASTER only when all of its members want to (vrrp_sync.c:114).
        """
        for slot in self._shared(node):
            if self.members[node][slot].nopreempt:
                return False
            theirs = standings[holder].get(slot)
            mine = standings[node][slot].priority or 0
            if theirs is not None and mine <= (theirs.priority or 0):
                return False
        return True

    def _best(
        self, nodes: Sequence[str], standings: Mapping[str, Mapping[Slot, Standing]]
    ) -> Outcome:
        """Who of these comes out on top when they elect among themselves."""

        def rank(node: str) -> int:
            return standings[node][self.slot].priority or 0

        def beats(node: str, other: str) -> bool:
            """In every member of the sync group: one that loses takes all to BACKUP."""
            return all(
                self._ranks_above(slot, node, other, standings)
                for slot in self._shared(node)
                if slot in standings[other]
            )

        for node in nodes:
            if all(other == node or beats(node, other) for other in nodes):
                equals = tuple(other for other in nodes if rank(other) == rank(node))
                return Outcome(node, equals if len(equals) > 1 else ())
        tied = tuple(node for node in nodes if not any(beats(other, node) for other in nodes))
        return Outcome(None, tied or tuple(nodes))

    def _ranks_above(
        self, slot: Slot, node: str, other: str, standings: Mapping[str, Mapping[Slot, Standing]]
    ) -> bool:
        """Of equals that claim it at once, the higher address stays MASTER (vrrp.c:2192).

        Mostly they do; now and then one is quicker, and the other accepts it: still a tie.
        """
        mine, theirs = standings[node][slot].priority or 0, standings[other][slot].priority or 0
        if mine != theirs:
            return mine > theirs
        own = _number(self.members[node][slot].address)
        foreign = _number(self.members[other][slot].address)
        return None not in (own, foreign) and (own or 0) > (foreign or 0)


def _number(address: str) -> int | None:
    try:
        return int(ipaddress.ip_address(address))
    except ValueError:
        return None
