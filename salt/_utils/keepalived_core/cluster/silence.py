"""Maintenance windows: read from what a person typed, and shown.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import clock
from .deeds import Silence
from .event import printable
from .table import Painter

SCHEMA = 1
DAY = 86_400
#: A window that is longer was forgotten, not planned.
LONGEST = 7 * DAY
SHORTEST = 60


def begin(cluster: str, span: object, reason: object, who: str, now: float) -> Silence:
    """The window that begins now.

    span
        Its length: ``90s``, ``30m``, ``2h``, ``1d``; a number is seconds.
    reason
        Why, in words; others read it.

    Raises ValueError, which says what would be right.
    """
    try:
        seconds = clock.seconds(span)
    except ValueError:
        seconds = 0
    if not SHORTEST <= seconds <= LONGEST:
        raise ValueError(
            f"for={span!r} is no length of a maintenance: give 1m to 7d (90s, 30m, 2h, 1d)"
        )
    text = printable(str(reason or "").strip())
    if not text:
        raise ValueError("a reason is missing: reason='new switch'; whoever looks then reads it")
    return Silence(cluster, now, now + seconds, text[:200], printable(who)[:64] or "somebody")


def show(found: Iterable[Silence], now: float) -> dict[str, Any]:
    """What ``salt-run keepalived.silences`` returns."""
    return {
        "kind": "silences",
        "schema": SCHEMA,
        "time": clock.render(now),
        "silences": [public(each, now) for each in found],
        "retcode": 0,
    }


def public(silence: Silence, now: float) -> dict[str, Any]:
    """One window as plain data."""
    return {
        "cluster": silence.cluster,
        "since": clock.render(silence.since),
        "until": clock.render(silence.until),
        "seconds_left": round(max(0.0, silence.until - now), 1),
        "reason": silence.reason,
        "who": silence.who,
    }


def after(
    silence: Silence,
    verdicts: Iterable[Mapping[str, Any]],
    incidents: Iterable[Mapping[str, Any]],
    kept_back: int,
) -> tuple[list[str], str]:
    """What is to be said when a window has ended: (what is still wrong, all of it in one text).

    verdicts
        Of each instance, asked now: ``instance``, ``verdict``, ``reason``.
    incidents
        Of the hub, of this cluster, those that are open.
    kept_back
        How many alerts were not sent meanwhile.
    """
    wrong = [
        f"{each['instance']} is {str(each['verdict']).upper()}: {each['reason']}"
        for each in verdicts
        if each["verdict"] != "ok"
    ]
    wrong += [
        f"incident {each['id']} ({str(each['kind']).replace('_', ' ')} of {each['instance']}) is "
        f"open since {each['opened']}"
        for each in incidents
    ]
    kept = f"{kept_back} alert{'' if kept_back == 1 else 's'} kept back meanwhile"
    state = "; ".join(wrong) if wrong else "all is well"
    return wrong, (
        f"The maintenance of {silence.cluster} ({silence.reason}, by {silence.who}) is over: "
        f"{state} [{kept}]"
    )


def screen(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """The table of ``silences``, the first to end first."""
    found = data["silences"]
    lines = ["No cluster is silenced."]
    if found:
        names = ("cluster", "since", "until", "left", "who", "reason")
        lines = painter.rows(
            names,
            [
                [
                    (str(each["cluster"]), ""),
                    (str(each["since"]), ""),
                    (str(each["until"]), ""),
                    (clock.span(each["seconds_left"]), "warn"),
                    (str(each["who"]), ""),
                    (str(each["reason"]), ""),
                ]
                for each in found
            ],
        )
    return lines + ([printable(str(data["message"]))] if data.get("message") else [])
