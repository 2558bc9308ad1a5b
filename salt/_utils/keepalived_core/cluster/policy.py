"""What may be done about an incident, by itself.  Pure: the runner asks and acts.

An incident's event is a hint that something should be looked at.  What is done rests on the
pillar (keepalived:policy), on what at least two nodes say now, and on what was done before.  What
is not known is never acted on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..policy_pillar import Policy, Rule
from . import clock
from .deeds import Deed, Silence
from .policy_seen import NoTarget, Seen, target

#: An action rests on the word of so many nodes at least.
WITNESSES = 2
#: Kinds that cost an address, and since when they count for a mass failure, in seconds.
COSTLY = frozenset({"split_brain", "ghost_vip", "no_master", "hollow_master", "failover"})
MASS_SECONDS = 600.0
#: How many open incidents are looked at.
MANY = 10_000
#: How the reason begins why nobody was told during a maintenance.
SILENCED = "silenced until"


@dataclass(frozen=True)
class Facts:
    """What is known when it is decided.

    statuses
        ``{member: what its keepalived.status said just now}``, None where it said nothing.
    state
        The incident's in the hub's file now: ``open`` or ``resolved``; None when not known.
    failing
        How many other clusters have lost an address or have it twice just now; None when not
        known.
    silence
        The one in force for this cluster.
    """

    statuses: Mapping[str, Any]
    state: str | None
    failing: int | None
    silence: Silence | None = None


@dataclass(frozen=True)
class Action:
    """What to do, on which node, and what it rests on."""

    key: str
    incident: str
    kind: str
    action: str
    minion: str
    instances: tuple[str, ...]
    rule: Rule
    reason: str

    @property
    def told(self) -> str:
        """What it is, for people."""
        what = {"restart": self.rule.service, "state": self.rule.sls}.get(self.action)
        return f"{self.action} {what}" if what else self.action

    @property
    def moves(self) -> bool:
        """Whether it may change what keepalived does: its events are then marked as planned."""
        if self.action == "restart":
            return self.rule.service.removesuffix(".service") == "keepalived"
        return self.action != "reannounce"


@dataclass(frozen=True)
class Skip:
    """Why nothing is done.  tell: a person must know, for the pillar wanted something done."""

    reason: str
    tell: bool = False


def key_of(incident: Mapping[str, Any], action: str) -> str:
    """The name under which an action is done once: however often its event comes, and whatever
    restarts meanwhile."""
    return f"{incident['id']}/{incident['kind']}/{action}"


def silenced(silence: Silence | None, now: float) -> str | None:
    """Why nobody is told and nothing is done; None when there is no maintenance."""
    if silence is None or not silence.since <= now < silence.until:
        return None
    return f"{SILENCED} {clock.render(silence.until)} by {silence.who}: {silence.reason}"


def not_allowed(kind: str) -> Skip:
    """What is said where the pillar wants nothing done."""
    return Skip(f"pillar keepalived:policy allows nothing about {kind}")


def failing(open_now: Iterable[Mapping[str, Any]], cluster: str, now: float) -> int:
    """How many other clusters have lost an address, or have it twice, since a moment ago.

    open_now
        The open incidents of all clusters.
    """
    found = set()
    for incident in open_now:
        opened = clock.parse(incident["opened"])
        if incident["kind"] in COSTLY and opened is not None and now - opened < MASS_SECONDS:
            found.add(str(incident["cluster"]))
    return len(found - {cluster})


def state_of(kept: Sequence[Mapping[str, Any]], incident: Mapping[str, Any]) -> str | None:
    """What the hub's file says of an incident: its state, another kind if it got worse, or None.

    kept
        The incidents there whose id is this one's.
    """
    for found in kept:
        if found["id"] == incident["id"]:
            return str(found["state"] if found["kind"] == incident["kind"] else found["kind"])
    return None


def decide(
    incident: Mapping[str, Any], policy: Policy, facts: Facts, history: Sequence[Deed], now: float
) -> Action | Skip:
    """What to do about an incident that has just opened.

    incident
        As the hub tells it; only ``id``, ``kind``, ``cluster``, ``instances``, ``nodes`` and
        ``planned`` are looked at, and of these none is evidence.
    policy
        Of the cluster's pillar, compiled just now.
    facts
        Asked just now.
    history
        What was begun in this cluster, of whatever kind.
    now
        Seconds since the epoch.

    An Action must be entered in the ledger within the transaction that ``history`` was read in,
    before anything is done.
    """
    kind = str(incident["kind"])
    rule = policy.rules.get(kind, Rule())
    if rule.action == "none":
        return not_allowed(kind)
    key = key_of(incident, rule.action)
    refused = (
        _by_person(incident, facts, now)
        or _by_history(key, policy, history, now)
        or _by_mass(policy, facts)
        or _by_hub(facts)
    )
    if refused is not None:
        return refused
    seen = Seen(facts.statuses)
    answered = seen.answered()
    if len(answered) < WITNESSES:
        have = ", ".join(answered) or "no node"
        return Skip(f"unknown: {have} answered, and an action rests on {WITNESSES}", tell=True)
    try:
        node, why = target(incident, rule.action, seen, rule.peers)
    except NoTarget as reason:
        return Skip(str(reason), tell=True)
    action = Action(
        key=key,
        incident=str(incident["id"]),
        kind=kind,
        action=rule.action,
        minion=node,
        instances=tuple(str(name) for name in incident["instances"]),
        rule=rule,
        reason=why,
    )
    if policy.dry_run:
        return Skip(f"dry run: would {action.told} on {node}, for {why}")
    return action


def _by_person(incident: Mapping[str, Any], facts: Facts, now: float) -> Skip | None:
    silent = silenced(facts.silence, now)
    if silent:
        return Skip(silent)
    if incident.get("planned"):
        # a rollout, a drain, or an action of ours is not over: it has its own judgement
        return Skip("planned: a change of this cluster was under way")
    return None


def _by_history(key: str, policy: Policy, history: Sequence[Deed], now: float) -> Skip | None:
    if any(deed.key == key for deed in history):
        return Skip("done already")
    for deed in history:
        if deed.ended is None and now < deed.lease:
            return Skip(f"{deed.action} on {deed.minion} is under way", tell=True)
    # Absolute: a clock that was set back must not open the gate.
    recent = [deed for deed in history if abs(now - deed.started) < policy.window]
    if len(recent) >= policy.budget:
        within = clock.span(policy.window)
        return Skip(f"budget: {len(recent)} actions within {within} are all there are", tell=True)
    for deed in history:
        if abs(now - deed.started) < policy.cooldown:
            ago = clock.span(max(0.0, now - deed.started))
            return Skip(
                f"cool-down: {deed.action} on {deed.minion} was {ago} ago, the next is allowed "
                f"after {clock.span(policy.cooldown)}",
                tell=True,
            )
    return None


def _by_mass(policy: Policy, facts: Facts) -> Skip | None:
    if facts.failing is None:
        return Skip("unknown: how many clusters have lost an address", tell=True)
    if facts.failing >= policy.mass_failure:
        return Skip(
            f"mass failure: {facts.failing} other clusters have lost an address or have it twice",
            tell=True,
        )
    return None


def _by_hub(facts: Facts) -> Skip | None:
    if facts.state == "open":
        return None
    if facts.state is None:
        return Skip("unknown: the hub's file does not have it", tell=True)
    return Skip(f"it is {facts.state} by now")
