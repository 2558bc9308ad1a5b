"""What ``salt-run keepalived.incidents`` and ``explain`` show of the hub's file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from . import clock, hub_view, incident_text
from .incident_state import RANK
from .store_read import Reader

SCHEMA = 1
#: From this kind on an open incident is critical.
CRITICAL = "hollow_master"
_ROWS = frozenset({"rows", "rows_left_out"})


def show_incidents(
    reader: Reader, cluster: str | None, last: int, open_only: bool, now: float
) -> dict[str, Any]:
    """The newest incidents, the oldest of them first.

    cluster
        Only this one; None: all.
    last
        How many at most.
    open_only
        Without those that are resolved.
    now
        Seconds since the epoch.

    ``retcode`` is 0 when none of them is open, 1 when one is, 2 when one is critical.
    """
    found = [
        _live(each, _until(reader, now)) for each in reader.incidents(cluster, last, open_only)
    ]
    return {
        "kind": "incidents",
        "schema": SCHEMA,
        "time": clock.render(now),
        "age": _age(reader, now),
        "incidents": [_without_rows(each) for each in found],
        "retcode": max((_retcode(each) for each in found), default=0),
    }


def show_explanation(reader: Reader, name: str, now: float) -> dict[str, Any] | None:
    """One incident, its rows in order, what they mean and what to do; None: there is none.

    name
        Its id, or what only its id begins with.
    """
    found = reader.incident(name)
    if found is None:
        return None
    found = _live(found, _until(reader, now))
    return {
        "kind": "explain",
        "schema": SCHEMA,
        "time": clock.render(now),
        "age": _age(reader, now),
        "incident": _without_rows(found),
        "rows": found["rows"],
        "rows_left_out": found["rows_left_out"],
        "reasoning": incident_text.story(found),
        "next": incident_text.next_step(found),
        "retcode": 0,
    }


def known_ids(reader: Reader, limit: int = 10) -> str:
    """The newest ids, for whoever gave another one."""
    found = [f"{each['id']} ({each['kind']}, {each['state']})" for each in reader.incidents()]
    if not found:
        return "there is no incident yet"
    return f"the newest are {', '.join(list(reversed(found))[:limit])}"


def _without_rows(incident: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in incident.items() if key not in _ROWS}


def _until(reader: Reader, now: float) -> float:
    """Until when the file knows what is: a hub that does not run learns nothing more."""
    alive = reader.hub().get("alive")
    running = hub_view.why_not(reader, now) is None
    return now if running or not isinstance(alive, (int, float)) else alive


def _live(incident: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Seconds go on while it is open, and nothing new was heard of it."""
    live = dict(incident)
    as_of = clock.parse(incident["as_of"])
    if incident["state"] != "open" or as_of is None:
        return live
    more = max(0.0, now - as_of)
    owners: Iterable[list[str]] = incident["owners"].values()
    counts = [len(each) for each in owners]
    live["as_of"] = clock.render(max(now, as_of))
    live["seconds"] = round(incident["seconds"] + more, 6)
    if 0 in counts:
        live["seconds_without_owner"] = round(incident["seconds_without_owner"] + more, 6)
    if any(count > 1 for count in counts):
        live["seconds_several_owners"] = round(incident["seconds_several_owners"] + more, 6)
    return live


def _retcode(incident: Mapping[str, Any]) -> int:
    if incident["state"] != "open":
        return 0
    return 2 if RANK[str(incident["kind"])] >= RANK[CRITICAL] else 1


def _age(reader: Reader, now: float) -> float | None:
    alive = reader.hub().get("alive")
    return round(max(0.0, now - alive), 1) if isinstance(alive, (int, float)) else None
