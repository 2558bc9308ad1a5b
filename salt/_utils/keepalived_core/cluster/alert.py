"""Who is told about an event, and in which words.  Pure; ``deliver`` does the sending."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import clock
from .event import Event

#: What someone is told about, how urgent it is, and what it means.
WORTH_TELLING = {
    "FAULT": ("warning", "can no longer hold the address"),
    "STOP": ("warning", "keepalived no longer runs this instance"),
    "DELETED": ("warning", "the instance is gone from the configuration"),
    "ghost": ("critical", "the address is on the interface, but keepalived does not own it"),
    "hollow": ("critical", "it is MASTER, but an address of it is not there"),
    "MASTER": ("info", "took the address over"),
}

#: What the hub tells as an incident: the node's own event would tell it a second time.
OF_INCIDENTS = frozenset({"ghost", "hollow"})


@dataclass(frozen=True)
class Alert:
    """One message, ready for every route."""

    severity: str
    text: str
    #: A few words, for a mail's subject.
    subject: str
    cluster: str
    #: What the reactions to one thing are filed under.
    incident: str
    late_seconds: float = 0.0
    #: Under which key of the body its details stand, and the details.
    details: Mapping[str, Any] = field(default_factory=dict)
    #: What it is: ``event`` of a node; ``opened``, ``reminder`` or ``resolved`` of an incident;
    #: ``escalated``: a person must do something; ``test``.
    word: str = "event"

    def payload(self) -> dict[str, object]:
        """The JSON body of the webhook (schema 1)."""
        return {
            "schema": 1,
            "word": self.word,
            "severity": self.severity,
            "text": self.text,
            "cluster": self.cluster,
            "incident": self.incident,
            "late_seconds": self.late_seconds,
            **self.details,
        }


def why_silent(event: Event, planned: bool = False, hub: bool = False) -> str | None:
    """Why nobody is told about an event; None when someone is, where there is a route.

    planned
        Whether people want to be told also of what was planned.
    hub
        Whether a hub runs, which tells of incidents and is believed.
    """
    if event.type != "instance":
        return f"a {event.type} event; its instances speak for themselves"
    if event.to not in WORTH_TELLING:
        return f"{event.to} needs nobody"
    if event.from_state == event.to:
        return "no change of state"
    # A node's very first look: after that the spool knows what was before, whoever restarts.
    first_look = event.from_state is None and event.source == "resync"
    if first_look and event.to in ("MASTER", "STOP"):
        return f"found as {event.to} when the watch began, no change of state"
    if event.planned and not planned:
        return "planned"
    if hub and event.to in OF_INCIDENTS:
        return "the hub tells it as an incident, when it lasts"
    return None


def compose(event: Event, cluster: str, now: float) -> Alert:
    """The alert for an event.

    cluster
        The cluster's name in the pillar (the event's own is only a claim).
    now
        Seconds since the epoch, to say how late the news is.
    """
    severity, meaning = WORTH_TELLING[event.to]
    late = max(0.0, now - (clock.parse(event.time) or now))
    change = f"{event.from_state} -> {event.to}" if event.from_state else event.to
    held = {True: "address held", False: "address not held", None: ""}[event.vip_present]
    details = [text for text in (event.reason, ", ".join(event.vips[:4]), held) if text]
    text = f"{event.instance} on {event.id} ({cluster}): {change}, {meaning}"
    if details:
        text += f" [{'; '.join(details)}]"
    text += f" at {event.time}"
    if event.planned:
        text += " (planned)"
    # A minute is long after any beacon's second: the event waited in a spool.
    if late >= 60:
        text += f", told {clock.span(late)} late"
    return Alert(
        severity,
        text,
        f"{event.instance} {event.to} on {event.id}",
        cluster,
        event.key,
        round(late, 3),
        {"event": event.public()},
    )


def needs_you(event: Event, cluster: str, what: str, reason: str) -> Alert:
    """The alert for a repair that did not help.

    what
        What was done.
    reason
        What is wrong all the same.
    """
    return Alert(
        "critical",
        f"{event.instance} on {event.id} ({cluster}) needs you: {what}: {reason}",
        f"{event.instance} on {event.id} needs you",
        cluster,
        event.key,
        details={"event": event.public()},
        word="escalated",
    )
