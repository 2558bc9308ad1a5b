"""Alerts on their way: as they are kept, and as one message is made of them.  Pure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import clock
from .alert import Alert
from .alert_route import SEVERITIES
from .alert_template import LONGEST, Template, words

#: An alert that waited for so long, in seconds, says so.
LATE = 60.0


@dataclass(frozen=True)
class Kept:
    """An alert that waits for one route.

    about
        What the trail says of it.
    entered
        Seconds since the epoch.
    """

    number: int
    alert: Alert
    about: Mapping[str, Any]
    entered: float
    tries: int = 0


@dataclass(frozen=True)
class Message:
    """What is sent to a route."""

    severity: str
    word: str
    subject: str
    text: str
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """Why a message was not taken.

    refused
        The receiver answered, and does not want this message; the next one it may.
    """

    reason: str
    refused: bool = False


def dump(alert: Alert) -> str:
    """An alert as the outbox keeps it."""
    return json.dumps(dataclasses.asdict(alert), sort_keys=True)


def load(text: str) -> Alert:
    """The same alert again."""
    known = {each.name for each in dataclasses.fields(Alert)}
    return Alert(**{key: value for key, value in json.loads(text).items() if key in known})


def bundles(waiting: Sequence[Kept], together: bool) -> list[list[Kept]]:
    """What is one message each, in order.

    together
        Whether alerts of one cluster are one message.
    """
    if not together:
        return [[each] for each in waiting]
    by_cluster: dict[str, list[Kept]] = {}
    for each in waiting:
        by_cluster.setdefault(each.alert.cluster, []).append(each)
    return list(by_cluster.values())


def compose(kept: Sequence[Kept], template: Template, now: float) -> Message:
    """The message for one alert, or for several of a cluster."""
    parts = [_one(each, template, now) for each in kept]
    if len(parts) == 1:
        return parts[0]
    alerts = [each.alert for each in kept]
    cluster = alerts[0].cluster
    # what does not fit is the least urgent
    worst = sorted(parts, key=lambda part: SEVERITIES.index(part.severity), reverse=True)
    text = "\n".join(_fitting([part.text for part in worst]))
    subject = f"{len(parts)} alerts of {cluster}"
    severity = max((part.severity for part in parts), key=SEVERITIES.index)
    payload = {
        "schema": 1,
        "word": "group",
        "severity": severity,
        "text": f"{subject}:\n{text}",
        "cluster": cluster,
        "incident": alerts[0].incident,
        "late_seconds": max(part.payload["late_seconds"] for part in parts),
        "alerts": [part.payload for part in parts],
    }
    return Message(severity, "group", subject, f"{subject}:\n{text}", payload)


def _one(kept: Kept, template: Template, now: float) -> Message:
    alert, waited = kept.alert, max(0.0, now - kept.entered)
    subject, text, _ = words(template, alert)
    if waited >= LATE:
        text += f" [sent {clock.span(waited)} late]"
    late = round(alert.late_seconds + waited, 3)
    payload = {**alert.payload(), "text": text, "late_seconds": late}
    return Message(alert.severity, alert.word, subject, text, payload)


def _fitting(texts: Iterable[str]) -> list[str]:
    """As many as a message holds; then how many more."""
    found: list[str] = []
    left = LONGEST
    texts = list(texts)
    for text in texts:
        left -= len(text) + 1
        if left < 0 and found:
            return [*found, f"… and {len(texts) - len(found)} more"]
        found.append(text)
    return found
