"""What the nodes say now, as far as an action rests on it, and which node an action is for.  Pure.

Nothing here believes more than an answer says: what is no mapping, or of another type than such an
answer has, was not answered.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .picture import STEADY, can_drain, daemon, drain_of, is_drained, rows

#: With this a drain's reason begins that the policy made; it undrains no other.
MARK = "policy "
#: States of a node that a service may be restarted on.
BROKEN = frozenset({"FAULT", "STOP"})


class NoTarget(Exception):
    """Why no node is to be touched; the text is the reason."""


@dataclass(frozen=True)
class Seen:
    """The answers of a cluster's members to ``keepalived.status``.

    statuses
        ``{node: what it said}``, of every member; None of one that said nothing.
    """

    statuses: Mapping[str, Any]

    def answered(self) -> list[str]:
        """The nodes that said how they are."""
        return sorted(node for node, said in self.statuses.items() if _usable(said))

    def state(self, node: str, instance: str) -> str | None:
        """What a node says of an instance; STOP where its keepalived does not run."""
        row = self._row(node, instance)
        if row is None:
            return None
        if daemon(self.statuses[node]).get("running") is not True:
            return "STOP"
        state = row.get("state")
        return state if isinstance(state, str) else None

    def holds(self, node: str, instance: str) -> bool:
        """Whether a node says that it has the instance's addresses."""
        return (self._row(node, instance) or {}).get("vip_present") is True

    def lacks(self, node: str, instance: str) -> bool:
        """Whether a node says that it does not have them; not the same as saying nothing."""
        return (self._row(node, instance) or {}).get("vip_present") is False

    def owners(self, instance: str) -> list[str]:
        """The nodes that are MASTER and have the address."""
        return [
            node
            for node in self.answered()
            if self.state(node, instance) == "MASTER" and self.holds(node, instance)
        ]

    def well(self, instance: str, without: str = "") -> list[str]:
        """The nodes that have the address as its MASTER, or stand ready for it."""
        found = []
        for node in self.answered():
            if node == without or is_drained(self.statuses[node]):
                continue
            state = self.state(node, instance)
            ready = state == "BACKUP" and self.lacks(node, instance)
            if ready or (state == "MASTER" and self.holds(node, instance)):
                found.append(node)
        return found

    def serves(self, node: str) -> list[str]:
        """The instances for which a node is MASTER, or has an address."""
        names = [str(row.get("instance")) for row in rows(self.statuses.get(node))]
        return [
            name for name in names if self.state(node, name) == "MASTER" or self.holds(node, name)
        ]

    def priority(self, node: str, instance: str, name: str = "effective_priority") -> int | None:
        """A node's priority for an instance, None when it is not said."""
        found = (self._row(node, instance) or {}).get(name)
        return found if isinstance(found, int) and not isinstance(found, bool) else None

    def _row(self, node: str, instance: str) -> Mapping[str, Any] | None:
        said = self.statuses.get(node)
        if not _usable(said):
            return None
        return next((row for row in rows(said) if row.get("instance") == instance), None)


def _usable(said: Any) -> bool:
    if not isinstance(said, Mapping) or not isinstance(said.get("instances"), (list, tuple)):
        return False
    return isinstance(daemon(said).get("running"), bool)


def target(incident: Mapping[str, Any], action: str, seen: Seen, peers: int) -> tuple[str, str]:
    """The node to touch, and what was seen that makes it that one.

    incident
        ``kind``, ``instances`` and ``nodes``.
    action
        Of the rule.
    peers
        How many others must be well where the node has an address.

    Raises NoTarget.  Whether the action suits the kind says the policy.
    """
    kind, instances = str(incident["kind"]), [str(name) for name in incident["instances"]]
    if action == "reannounce":
        return _announcer(instances, seen)
    if action == "undrain":
        return _drained(instances, seen)
    node, why = _TARGETS[kind](incident, instances, seen)
    if action == "drain" and not can_drain(seen.statuses[node]):
        missing = drain_of(seen.statuses[node]).get("missing")
        told = "; ".join(map(str, missing)) if isinstance(missing, (list, tuple)) else ""
        raise NoTarget(f"{node} cannot be drained: {told or 'it is drained already'}")
    _others_are_well(node, {*seen.serves(node)}, seen, peers)
    return node, why


def _others_are_well(node: str, serves: Iterable[str], seen: Seen, peers: int) -> None:
    for instance in sorted(serves):
        well = seen.well(instance, without=node)
        if len(well) < peers:
            have = ", ".join(well) or "none"
            raise NoTarget(
                f"{node} has {instance}, and besides it {peers} nodes must be well: {have}"
            )


def _splitting(_incident: Mapping[str, Any], instances: list[str], seen: Seen) -> tuple[str, str]:
    """The owner with the lowest priority: it is the one that should have yielded."""
    for instance in instances:
        owners = seen.owners(instance)
        if len(owners) < 2:
            continue
        listed = " and ".join(owners)
        ranks = {node: seen.priority(node, instance) for node in owners}
        known = [rank for rank in ranks.values() if rank is not None]
        if len(known) < len(owners):
            raise NoTarget(f"unknown: the priorities of {listed} for {instance}")
        lowest = [node for node, rank in ranks.items() if rank == min(known)]
        if len(lowest) > 1:
            raise NoTarget(f"{listed} have one priority for {instance}: none is the lower")
        return lowest[0], f"{listed} are MASTER of {instance} and have its address"
    raise NoTarget("no two nodes say that they are MASTER with the address")


def _ghost(_incident: Mapping[str, Any], instances: list[str], seen: Seen) -> tuple[str, str]:
    for instance in instances:
        owners = seen.owners(instance)
        for node in seen.answered():
            if seen.holds(node, instance) and seen.state(node, instance) != "MASTER":
                if not owners:
                    # what clients reach, if anything, is the ghost
                    raise NoTarget(f"{node} has {instance} as a ghost, and no node is its owner")
                state = seen.state(node, instance)
                return node, f"{node} is {state} and has {instance}, whose owner is {owners[0]}"
    raise NoTarget("no node has an address without being MASTER")


def _hollow(_incident: Mapping[str, Any], instances: list[str], seen: Seen) -> tuple[str, str]:
    for instance in instances:
        for node in seen.answered():
            if seen.state(node, instance) == "MASTER" and seen.lacks(node, instance):
                return node, f"{node} is MASTER of {instance} and lacks its address"
    raise NoTarget("no node is MASTER without the address")


def _flapping(incident: Mapping[str, Any], instances: list[str], seen: Seen) -> tuple[str, str]:
    named = sorted({str(node) for node in incident["nodes"]} & set(seen.statuses))
    if len(named) != 1:
        raise NoTarget(f"not one node flaps but {len(named)}: the trouble is not one node's")
    node = named[0]
    if node not in seen.answered():
        raise NoTarget(f"unknown: {node} does not answer")
    for instance in instances:
        if not seen.owners(instance):
            raise NoTarget(f"{instance} has no owner now")
    return node, f"{node} lost its state again and again"


def _broken_with_owner(
    incident: Mapping[str, Any], instances: list[str], seen: Seen
) -> tuple[str, str]:
    for instance in instances:
        owners = seen.owners(instance)
        if len(owners) != 1:
            have = " and ".join(owners) or "no node"
            raise NoTarget(f"{instance} needs one owner meanwhile, and {have} has it")
    return _broken(incident, instances, seen)


def _broken(_incident: Mapping[str, Any], instances: list[str], seen: Seen) -> tuple[str, str]:
    """The broken node that keepalived would prefer; one at a time."""
    found = []
    for instance in instances:
        for node in seen.answered():
            state = seen.state(node, instance)
            if state in BROKEN and not is_drained(seen.statuses[node]):
                rank = seen.priority(node, instance, "base_priority") or 0
                found.append((-rank, node, f"{node} is {state} for {instance}"))
    if not found:
        raise NoTarget("no node is in FAULT or STOP now")
    _, node, why = min(found)
    return node, why


def _ownerless(incident: Mapping[str, Any], instances: list[str], seen: Seen) -> tuple[str, str]:
    _nobody_has(instances, seen)
    return _broken(incident, instances, seen)


def _nobody_has(instances: list[str], seen: Seen) -> None:
    lost = [name for name in instances if not _claimed(name, seen)]
    if not lost:
        raise NoTarget("every address has a node that claims it or has it")


def _claimed(instance: str, seen: Seen) -> bool:
    return any(
        seen.state(node, instance) == "MASTER" or seen.holds(node, instance)
        for node in seen.answered()
    )


def _announcer(instances: list[str], seen: Seen) -> tuple[str, str]:
    for instance in instances:
        owners = seen.owners(instance)
        if len(owners) == 1:
            return owners[0], f"{owners[0]} is the one owner of {instance}"
    raise NoTarget("no address has exactly one owner now")


def _drained(instances: list[str], seen: Seen) -> tuple[str, str]:
    _nobody_has(instances, seen)
    for node in seen.answered():
        reason = drain_of(seen.statuses[node]).get("reason")
        if is_drained(seen.statuses[node]) and str(reason or "").startswith(MARK):
            return node, f"{node} was drained by the policy, and no node has the address"
    raise NoTarget("no node is drained by the policy; what a person drained stays so")


_TARGETS = {
    "split_brain": _splitting,
    "ghost_vip": _ghost,
    "hollow_master": _hollow,
    "no_master": _ownerless,
    "flapping": _flapping,
    "failover": _broken_with_owner,
    "degraded": _broken_with_owner,
}


def trouble(kind: str, action: str, node: str, instances: Iterable[str], seen: Seen) -> str | None:
    """Why an action has not helped (yet); None when it has."""
    for instance in instances:
        owners = seen.owners(instance)
        if len(owners) > 1:
            return f"{' and '.join(owners)} are MASTER of {instance}"
        if not owners:
            return f"no node is MASTER of {instance} with its address"
        ghosts = [
            each for each in seen.answered() if seen.holds(each, instance) and each not in owners
        ]
        if ghosts:
            return f"{ghosts[0]} still has {instance} without being MASTER"
        if kind in ("failover", "degraded") and action in ("restart", "state"):
            state = seen.state(node, instance)
            if state not in STEADY:
                return f"{instance} is {state or 'unknown'} on {node}"
    if action == "drain" and not is_drained(seen.statuses.get(node)):
        return f"{node} is not drained"
    return None
