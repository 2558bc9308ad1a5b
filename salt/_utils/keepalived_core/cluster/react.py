"""What may be done about an event.  Pure: the runner asks the questions and does the doing.

Nothing rests on the event alone.  A repair needs the pillar's permission for the very check
that fails, and that check must fail *now*, as a fresh job on the node itself says.  What is
not known is never acted on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .event import Event, printable
from .facts import configured_instances, last_line
from .ledger import Run

COOLDOWN_SECONDS = 60.0
# A service that dies again and again is not mended by one more restart.
BUDGET, BUDGET_SECONDS = 5, 3600.0
# A stop and a start at systemd's default limit of 90 s each, and the check afterwards.
LEASE_SECONDS = 300.0

# A systemd unit name (systemd.unit(5)) that cannot be taken for an option.
_SERVICE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@\\-]{0,254}", re.ASCII)


@dataclass(frozen=True)
class Action:
    """Restart a service on the minion because one of its checks fails."""

    minion: str
    instance: str
    check: str
    service: str
    cooldown: float
    reason: str


@dataclass(frozen=True)
class Skip:
    """Why nothing is done: about one check, or (check None) about the event."""

    reason: str
    check: str | None = None


def remediation_concerns(event: Event) -> bool:
    """Whether repair is about this event at all: an instance that went FAULT.

    A group's FAULT is that of its instances, which have their own events.
    """
    return event.type == "instance" and event.to == "FAULT"


def broken(pillar: Mapping[str, object]) -> bool:
    """Whether the pillar could not be compiled: then nothing in it is certain."""
    return bool(pillar.get("_errors"))


def may_remediate(
    event: Event, pillar: Mapping[str, object], silenced: str | None = None
) -> Skip | None:
    """What can be said before the node is asked.

    pillar
        The minion's whole pillar, compiled just now.
    silenced
        Why its cluster is left alone, where it is in maintenance.
    """
    if event.planned:
        return Skip("planned")
    if silenced:
        return Skip(silenced)
    if broken(pillar):
        # The errors themselves may quote the pillar.
        return Skip("the minion's pillar does not compile: salt-run pillar.show_pillar says why")
    allowed = _own(pillar).get("remediation")
    if not allowed:
        return Skip("pillar keepalived:remediation allows nothing on this node")
    if not isinstance(allowed, Mapping):
        return Skip("pillar keepalived:remediation is no mapping")
    return None


def decide_remediation(
    event: Event,
    pillar: Mapping[str, object],
    checks: object,
    status: object,
    runs: Sequence[Run],
    now: float,
) -> list[Action | Skip]:
    """What to do about a FAULT, one decision per failing check, in the order of their names.

    event
        A checked event that ``remediation_concerns``.
    pillar
        The minion's whole pillar, compiled just now.
    checks
        What the minion's ``keepalived.checks`` answered just now; None when it did not, a text
        when it failed.
    status
        The same for ``keepalived.status``.
    runs
        The ledger's repairs on this minion.
    now
        Seconds since the epoch.

    Returns at least one decision.  An Action must be entered in the ledger within the same
    transaction that ``runs`` was read in.
    """
    early = may_remediate(event, pillar)
    if early is not None:
        return [early]
    unknown = _unknown(checks, "checks") or _unknown(status, "status")
    if unknown is not None:
        return [unknown]
    state = _state(status, event.instance)
    if state != "FAULT":
        return [Skip(f"{event.instance} is {state} now" if state else "its state is unknown now")]
    tracked = _tracked(checks, event.instance)
    if not tracked:
        return [Skip(f"{event.instance} tracks no script: the FAULT has another cause")]
    decisions: list[Action | Skip] = []
    for name, check in sorted(tracked.items()):
        if check.get("ok") is True:
            continue
        decision = _decide_check(event, name, check, pillar, runs, now)
        if isinstance(decision, Action) and any(
            isinstance(other, Action) and other.service == decision.service for other in decisions
        ):
            decision = Skip(f"{decision.service} is restarted for another check", name)
        decisions.append(decision)
    return decisions or [Skip(f"passes now: {', '.join(sorted(tracked))}")]


def check_passes(checks: object, name: str) -> bool:
    """Whether an answer of ``keepalived.checks`` says that this check passes."""
    check = checks.get(name) if isinstance(checks, Mapping) else None
    return isinstance(check, Mapping) and check.get("ok") is True


def peer_states(
    nodes: Iterable[str], answers: Mapping[str, object], instance: str
) -> dict[str, str]:
    """What the other nodes claim about an instance; ``unknown`` for those that said nothing."""
    return {node: _state(answers.get(node), instance) or "unknown" for node in sorted(nodes)}


def configured_for(event: Event, pillar: Mapping[str, object]) -> bool:
    """Whether the minion's pillar makes it a member that runs this instance.

    A deleted instance is in no pillar any more: for it, membership is enough.
    """
    instances = configured_instances(pillar, event.id)
    if instances is None:
        return False
    return event.to == "DELETED" or event.type != "instance" or event.instance in instances


def _own(pillar: Mapping[str, object]) -> Mapping[str, object]:
    own = pillar.get("keepalived")
    return own if isinstance(own, Mapping) else {}


def _unknown(answer: object, verb: str) -> Skip | None:
    if isinstance(answer, Mapping):
        return None
    if isinstance(answer, str) and answer.strip():
        return Skip(f"unknown: keepalived.{verb} failed on the node: {last_line(answer)}")
    return Skip(f"unknown: keepalived.{verb} was not answered")


def _state(status: object, instance: str) -> str | None:
    rows = status.get("instances") if isinstance(status, Mapping) else None
    for row in rows if isinstance(rows, (list, tuple)) else ():
        if isinstance(row, Mapping) and row.get("instance") == instance:
            state = row.get("state")
            return printable(state)[:32] if isinstance(state, str) else None
    return None


def _tracked(checks: object, instance: str) -> dict[str, Mapping[str, object]]:
    tracked = {}
    for name, check in checks.items() if isinstance(checks, Mapping) else ():
        instances = check.get("instances") if isinstance(check, Mapping) else None
        if isinstance(instances, (list, tuple)) and instance in instances:
            tracked[str(name)] = check
    return tracked


def _decide_check(
    event: Event,
    name: str,
    check: Mapping[str, object],
    pillar: Mapping[str, object],
    runs: Sequence[Run],
    now: float,
) -> Action | Skip:
    rc = check.get("rc")
    reached = isinstance(rc, int) and not isinstance(rc, bool)
    if check.get("ok") is not False or not (reached or check.get("timed_out") is True):
        # A script that is missing says nothing about the service it would have asked.
        why = printable(str(check.get("reason") or "no reason given"))[:120]
        return Skip(f"unknown: {name} could not be run ({why})", name)
    allowed = _own(pillar).get("remediation")
    if not isinstance(allowed, Mapping) or allowed.get(name) is None:
        return Skip("pillar keepalived:remediation does not name it", name)
    permit = _permit(allowed[name])
    if isinstance(permit, str):
        return Skip(f"pillar keepalived:remediation:{name}{permit}", name)
    service, cooldown, budget = permit
    for run in runs:
        if run.check != name and run.service != service:
            continue
        if run.ended is None and now < run.lease:
            return Skip(f"{run.service} is being restarted already", name)
        # Absolute: a clock that was set back must not open the gate.
        if abs(now - run.started) < cooldown:
            ago = max(0, round(now - run.started))
            return Skip(
                f"cool-down: {run.service} was restarted {ago} s ago, "
                f"the next is allowed after {cooldown:g} s",
                name,
            )
    within = [run for run in runs if run.service == service]
    within = [run for run in within if abs(now - run.started) < BUDGET_SECONDS]
    if len(within) >= budget:
        return Skip(f"budget: {service} was restarted {len(within)} times within an hour", name)
    reason = f"{name} fails, " + (f"exit status {rc}" if reached else "it does not end in time")
    return Action(event.id, event.instance, name, service, cooldown, reason)


def _permit(settings: object) -> tuple[str, float, int] | str:
    """The service, cool-down and budget that a pillar entry allows, or what is wrong with it."""
    if not isinstance(settings, Mapping):
        return " is no mapping; it would be {restart_service: haproxy}"
    for key in settings:
        if key not in ("restart_service", "cooldown", "budget"):
            known = "budget, cooldown, restart_service"
            return f" has an unknown key {str(key)[:40]!r}; known are {known}"
    service = settings.get("restart_service")
    if not isinstance(service, str) or not _SERVICE.fullmatch(service):
        return ":restart_service is no service name"
    cooldown = settings.get("cooldown", COOLDOWN_SECONDS)
    if isinstance(cooldown, bool) or not isinstance(cooldown, (int, float)):
        return ":cooldown is no number of seconds"
    # Below one second it would be none; a day is longer than any outage one waits out.
    if not 1 <= cooldown <= 86400:
        return ":cooldown is not between 1 and 86400 seconds"
    budget = settings.get("budget", BUDGET)
    if isinstance(budget, bool) or not isinstance(budget, int) or not 1 <= budget <= 60:
        return ":budget is no whole number of restarts an hour from 1 to 60"
    return service, float(cooldown), budget
