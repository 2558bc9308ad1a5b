"""Whether changed priorities move addresses: by the peers' configurations, where they are at hand.

What is tracked is taken to be well, on every node.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..conf.keyword import Version
from ..conf.tree import Tree
from . import change_rules, reach_routers
from .change_instance import Pair
from .change_kind import Kind, Reason
from .reach_election import Cluster
from .reach_routers import Slot

# The name of the node that is changed; no node of a pillar is called so.
_THIS = "\0this"


class Elections:
    """Who holds what before and after, for as long as the peers stay as they are given."""

    def __init__(self, old: Tree, new: Tree, peers: Mapping[str, Tree]):
        self._old = reach_routers.read({**peers, _THIS: old})
        self._new = reach_routers.read({**peers, _THIS: new})

    def moves(self, pair: Pair) -> bool | None:
        """Whether one that can hold it now loses it; None when no peer has the instance."""
        before = self._slot(self._old, pair.old.name)
        after = self._slot(self._new, pair.new.name)
        if before is None or after is None:
            return None
        later = Cluster(after, self._new)
        if len(later.nodes) < 2:
            return None
        return any(later.elect({}, node).owner != node for node in self.holders(pair))

    def holders(self, pair: Pair) -> list[str]:
        """The nodes that can hold it now and keep it."""
        slot = self._slot(self._old, pair.old.name)
        if slot is None:
            return []
        cluster = Cluster(slot, self._old)
        return [node for node in cluster.nodes if cluster.stable(node)]

    def one_holder(self, pairs: Sequence[Pair]) -> bool:
        """Whether one and the same node holds all of these, and keeps them."""
        found = {tuple(self.holders(pair)) for pair in pairs}
        return (
            len(found) == 1
            and len(found.pop()) == 1
            and all(self.moves(pair) is False for pair in pairs)
        )

    @staticmethod
    def _slot(nodes: Mapping[str, Mapping[Slot, reach_routers.Router]], name: str) -> Slot | None:
        for slot, router in nodes[_THIS].items():
            if router.name == name:
                return slot
        return None


def compare(
    pairs: Sequence[Pair], elections: Elections | None, version: Version | None
) -> Iterator[Reason]:
    """One reason for each instance whose priority or preemption is changed."""
    for pair in pairs:
        moves = elections.moves(pair) if elections is not None and not pair.rebuilt else None
        reason = _reason(pair, moves, version)
        if reason is not None:
            yield reason


def _reason(pair: Pair, moves: bool | None, version: Version | None) -> Reason | None:
    old, new = pair.old, pair.new
    word, case = "", ""
    if old.healthy != new.healthy or old.base != new.base:
        what = f"{old.healthy} becomes {new.healthy}"
        if old.base == new.base:
            what = f"the weights of its tracks make {old.healthy} of it, now {new.healthy}"
        word = "priority"
        if old.healthy == new.healthy:
            what = f"{old.base} becomes {new.base}, which weights make up for"
    elif old.nopreempt != new.nopreempt:
        word = "preempt" if old.nopreempt else "nopreempt"
        case = "preempts again" if old.nopreempt else ""
        what = "preempts again" if old.nopreempt else "no longer preempts"
    elif moves:
        word, what = "priority", "stays, but who is elected is another"
    else:
        return None
    rule = change_rules.find(("vrrp_instance", word), case, version)
    place = f"vrrp_instance {new.name} {word}"
    if moves is None:
        return Reason(rule.kind, new.name, place, f"{what}: {rule.text}")
    if moves:
        return Reason(
            Kind.MOVES, new.name, place, f"{what}: with what the peers have, another node takes it"
        )
    return Reason(Kind.SAFE, new.name, place, f"{what}: whoever holds the addresses keeps them")
