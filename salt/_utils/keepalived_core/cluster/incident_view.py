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
#: What is said of a reaction.
_ACTION = ("time", "kind", "what", "minion", "instance", "action", "reason", "seconds")
_ROWS = frozenset({"rows", "rows_left_out"})


def show_incidents(
    reader: Reader,
    cluster: str | None,
    last: int,
    open_only: bool,
    now: float,
    trail: Iterable[Mapping[str, Any]] = (),
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
    trail
        What was reacted to (:meth:`ledger.Ledger.trail`), for ``actions``.

    ``retcode`` is 0 when none of them is open, 1 when one is, 2 when one is critical.  Raises
    LookupError, which says what clusters there are, for one of which the hub never heard: a
    mistyped name is no good news.
    """
    kept = reader.incidents(cluster, last, open_only)
    if cluster is not None and not kept:
        known = {str(facts["cluster"]) for facts in reader.facts().values()}
        if cluster not in known and not reader.incidents(cluster, 1, False):
            listed = ", ".join(sorted(known)) or "none yet"
            raise LookupError(f"The hub knows no cluster {cluster}; it knows: {listed}.")
    found = [_live(each, _until(reader, now)) for each in _with_actions(kept, trail)]
    return {
        "kind": "incidents",
        "schema": SCHEMA,
        "time": clock.render(now),
        "age": _age(reader, now),
        "incidents": [_without_rows(each) for each in found],
        "retcode": max((_retcode(each) for each in found), default=0),
    }


def show_explanation(
    reader: Reader, name: str, now: float, trail: Iterable[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """One incident, its rows in order, what they mean and what to do.

    name
        Its id, or what only its id begins with.

    Raises LookupError, which says what ids there are, when there is none, or are several.
    """
    named = reader.incidents_named(name)
    if len(named) != 1:
        wrong = f"Several ids begin with {name}" if named else f"There is no incident {name}"
        raise LookupError(f"{wrong}: {_known_ids(reader)}.")
    (found,) = _with_actions([_live(named[0], _until(reader, now))], trail)
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
        "checked": None,
        "retcode": 0,
    }


def _known_ids(reader: Reader) -> str:
    found = [
        f"{each['id']} ({each['kind']}, {each['state']})" for each in reader.incidents(last=10)
    ]
    return f"the newest are {', '.join(reversed(found))}" if found else "there is none yet"


def _with_actions(
    incidents: Iterable[dict[str, Any]], trail: Iterable[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """What was done about each: the reactions to it, and to a row that is evidence for it."""
    done: dict[str, list[dict[str, Any]]] = {}
    for each in trail:
        # an alert that nobody needed was not done
        if each.get("what") != "skipped" or each.get("kind") != "alert":
            action = {name: each.get(name) for name in _ACTION}
            action["time"] = clock.render(each["at"])
            done.setdefault(str(each.get("incident")), []).append(action)
    found = []
    for incident in incidents:
        keys = {
            f"{row['node']}/{row['instance']}/{row['stream_id']}/{row['seq']}"
            for row in incident["rows"]
            if not row["context"]
        }
        keys.add(str(incident["id"]))
        actions = [action for key in sorted(keys) for action in done.get(key, ())]
        found.append({**incident, "actions": sorted(actions, key=lambda each: str(each["time"]))})
    return found


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
