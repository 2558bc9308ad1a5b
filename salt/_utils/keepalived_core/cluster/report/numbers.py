"""What an address cost in a stretch of time: without an owner, outages, changes of owner.  Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import clock

#: What a planned row marks lasts so long after it, and its peers' rows bear no mark
#: (docs/incidents.md); seconds.
PLANNED = 30.0


def of_cluster(
    cluster: str, instances: Iterable[Mapping[str, Any]], timeline: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """One row for each address.

    instances
        Of the cluster's wiring: ``instance`` and ``vips``.
    timeline
        As ``salt-run keepalived.timeline`` has it.

    Returns ``[{"cluster", "instance", "vip", "from", "to", "seconds", "without", "availability",
    "longest", "open", "outages", "outages_planned", "changes", "changes_planned", "between"}]``:
    ``seconds`` is how long something is known of the instance, ``availability`` the part of it (0
    to 1) in which the address had an owner, ``between`` the mean seconds from one unplanned outage
    to the next, None without one.  All but the first three are None of an instance of which nothing
    is known.
    """
    gaps = {_bare(vip["vip"]): vip["gaps"] for vip in timeline["vips"]}
    return [
        {
            "cluster": cluster,
            "instance": each["instance"],
            "vip": vip["address"],
            **_numbers(each["instance"], gaps.get(_bare(vip["address"]), ()), timeline),
        }
        for each in instances
        for vip in each["vips"]
    ]


_NAMES = (
    "from", "to", "seconds", "without", "availability", "longest", "open", "outages",
    "outages_planned", "changes", "changes_planned", "between",
)  # fmt: skip


def _numbers(
    instance: str, gaps: Sequence[Mapping[str, Any]], timeline: Mapping[str, Any]
) -> dict[str, Any]:
    known = _known(instance, timeline)
    if known is None:
        return dict.fromkeys(_NAMES)
    begin, end = known
    rows = [row for row in timeline["rows"] if row.get("instance") == instance]
    planned = sorted(_time(row["time"]) for row in rows if row.get("planned"))
    cut = []
    for gap in gaps:
        first = max(begin, _time(gap["from"]))
        last = min(end, _time(gap["to"]) if gap["to"] else end)
        if first <= end:
            cut.append((max(0.0, last - first), _is_near(planned, _time(gap["from"]))))
    seconds, without = end - begin, sum(length for length, _ in cut)
    outages = sum(not was_planned for _, was_planned in cut)
    changes = _changes(rows, planned)
    return {
        "from": clock.render(begin),
        "to": clock.render(end),
        "seconds": round(seconds, 3),
        "without": round(without, 3),
        "availability": max(0.0, 1 - without / seconds),
        "longest": round(max((length for length, _ in cut), default=0.0), 3),
        "open": any(gap["to"] is None for gap in gaps),
        "outages": outages,
        "outages_planned": len(cut) - outages,
        "changes": len(changes) - sum(changes),
        "changes_planned": sum(changes),
        "between": round(seconds / outages, 3) if outages else None,
    }


def _known(instance: str, timeline: Mapping[str, Any]) -> tuple[float, float] | None:
    """From when to when at least one node told of the instance."""
    lanes = (timeline.get("lanes") or {}).get("lanes") or ()
    times = [
        (_time(span["from"]), _time(span["to"]))
        for lane in lanes
        if lane["instance"] == instance
        for span in lane["spans"]
    ]
    if not times:
        return None
    begin, end = min(first for first, _ in times), max(last for _, last in times)
    return (begin, end) if end > begin else None


def _changes(rows: Iterable[Mapping[str, Any]], planned: Sequence[float]) -> list[bool]:
    """For each time that another node became the owner, whether that was planned."""
    owner, found = None, []
    for row in rows:
        if row.get("from") == "MASTER" and owner is None:
            owner = row["node"]
        if row.get("to") == "MASTER" and row.get("vip_present") is not False:
            if owner is not None and row["node"] != owner:
                found.append(_is_near(planned, _time(row["time"])))
            owner = row["node"]
    return found


def _is_near(planned: Sequence[float], moment: float) -> bool:
    """Whether something planned was within the time around it that counts as the same."""
    place = bisect_left(planned, moment - PLANNED)
    return place < len(planned) and planned[place] <= moment + PLANNED


def _time(text: object) -> float:
    return clock.parse(text) or 0.0


def _bare(address: object) -> str:
    return str(address).partition("/")[0]
