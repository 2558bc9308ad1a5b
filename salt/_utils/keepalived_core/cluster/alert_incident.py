"""Who is told about an incident, about what was done, and about the end of a maintenance.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import clock, incident_text
from .alert import Alert
from .event import printable

#: How urgent each kind is.  ``failover`` and ``degraded`` are not told: the nodes' own events
#: (FAULT, STOP, MASTER) have told them already, and sooner.
SEVERITY = {
    "split_brain": "critical",
    "ghost_vip": "critical",
    "no_master": "critical",
    "hollow_master": "critical",
    "flapping": "warning",
}


def why_silent(incident: Mapping[str, Any], word: str) -> str | None:
    """Why nobody is told about an incident; None when someone is, where there is a route.

    word
        ``opened``, ``updated`` or ``resolved``.
    """
    if incident["kind"] not in SEVERITY:
        return f"the nodes' own events tell a {incident['kind']}"
    if word == "updated":
        return "it was told when it opened"
    return None


def about(incident: Mapping[str, Any]) -> dict[str, Any]:
    """What the trail says of an incident, in each row."""
    return {
        "incident": incident["id"],
        "minion": None,
        "instance": incident["instance"],
        "event_time": incident["opened"],
        "incident_kind": incident["kind"],
    }


def claim_of(incident: Mapping[str, Any], word: str) -> tuple[str, str, int, str]:
    """Under which name in the ledger an incident's word is told once, whoever comes first."""
    # The hub's events have neither minion nor stream.
    return "//hub", str(incident["id"]), 0, f"alert {incident['kind']} {word}"


def compose(incident: Mapping[str, Any], word: str, now: float) -> Alert:
    """The alert for an incident that ``opened``, is open still (``reminder``) or ``resolved``."""
    kind = str(incident["kind"]).replace("_", " ")
    where = f"{incident['instance']} ({incident['cluster']})"
    told = incident["resolved" if word == "resolved" else "opened"]
    late = max(0.0, now - (clock.parse(told) or now))
    if word != "resolved":
        cause = incident["cause"].get("text") or "the rows say nothing of the cause"
        still = f" (still open, for {clock.span(late)})" if word == "reminder" else ""
        text = f"{where}: {kind.upper()} since {told}{still}: {cause}. "
        text += f"{incident_text.next_step(incident)}"
    else:
        text = f"{where}: {kind} is over at {told}, after {clock.span(incident['seconds'])}"
        text += f"; without an owner for {incident['seconds_without_owner']:.3f} s"
        text += f", with several for {incident['seconds_several_owners']:.3f} s"
    return Alert(
        severity="info" if word == "resolved" else SEVERITY[str(incident["kind"])],
        text=printable(f"{text} [salt-run keepalived.explain {incident['id']}]"),
        subject=printable(
            f"{incident['instance']} {kind} {'still open' if word == 'reminder' else word}"
        ),
        cluster=str(incident["cluster"]),
        incident=str(incident["id"]),
        # a reminder is not late
        late_seconds=0.0 if word == "reminder" else round(late, 3),
        details={"details": dict(incident)},
        word=word,
    )


def escalation(incident: Mapping[str, Any], what: str, reason: str) -> Alert:
    """The alert for an incident that the pillar wanted mended, and that was not.

    what
        What was to be done, or was done.
    """
    kind = str(incident["kind"]).replace("_", " ")
    return Alert(
        severity="critical",
        text=printable(
            f"{incident['instance']} ({incident['cluster']}): {kind} needs you: {what}: {reason} "
            f"[salt-run keepalived.explain {incident['id']}]"
        ),
        subject=printable(f"{incident['instance']} {kind} needs you"),
        cluster=str(incident["cluster"]),
        incident=str(incident["id"]),
        details={"details": dict(incident)},
        word="escalated",
    )


def maintenance_over(cluster: str, text: str, wrong: list[str], now: float) -> Alert:
    """The alert for the end of a maintenance that leaves something wrong."""
    return Alert(
        severity="critical",
        text=printable(text),
        subject=printable(f"{cluster}: wrong after the maintenance"),
        cluster=cluster,
        incident=f"silence/{cluster}/{clock.render(now)}",
        details={"details": {"wrong": wrong}},
        word="escalated",
    )
