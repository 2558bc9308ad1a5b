"""What the hub's file knows of clusters over a stretch of time, as the page needs it.

Pure but for the file, which is only read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import clock, hub_view, incident_view
from ..answers import Answer
from ..event import MAX_VIPS, NAME
from ..lanes import lanes
from ..store import MAX_INCIDENTS
from ..store_read import Reader
from ..timeline import collect


def of_hub(
    reader: Reader,
    clusters: Mapping[str, Iterable[str]],
    begin: float,
    now: float,
    trail: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Timelines, incidents, and how the hub is.

    clusters
        ``{cluster: its nodes}``.
    begin, now
        Seconds since the epoch.
    trail
        What was reacted to (:meth:`ledger.Ledger.trail`).

    Returns ``{"timelines", "found", "hub"}`` as :func:`sheet.sheet` takes them.
    """
    found = incident_view.show_incidents(reader, None, MAX_INCIDENTS, False, now, trail)
    status = hub_view.show_status(reader, (), now)
    members = {node for nodes in clusters.values() for node in nodes}
    nodes = [node for node in status["nodes"] if node["node"] in members]
    heard = hub_view.Heard.read(reader)
    rejected = [each for each in status["rejected"] if each["minion"] in members]
    return {
        "timelines": {
            name: hub_view.show_timeline(
                reader, nodes_of, hub_view.PERIOD_ROWS, begin, now, heard=heard
            )
            for name, nodes_of in clusters.items()
        },
        "found": [each for each in found["incidents"] if each["cluster"] in clusters],
        "hub": {**status, "nodes": nodes, "rejected": rejected},
    }


def of_nodes(
    clusters: Mapping[str, Iterable[str]],
    answers: Mapping[str, Answer],
    begin: float,
    now: float,
) -> dict[str, dict[str, Any]]:
    """The timelines of what nodes said of their own journals, where there is no hub.

    answers
        ``{node: Answer}`` to ``keepalived.journal``.

    What a node was after its last row nobody knows here.  No hub has checked these rows: what has
    not their form is left out.
    """
    found = {}
    told = {
        node: Answer([row for row in answer.said if _is_row(row)], answer.at)
        if isinstance(answer.said, (list, tuple))
        else answer
        for node, answer in answers.items()
    }
    for name, nodes in clusters.items():
        data = collect(nodes, told, hub_view.PERIOD_ROWS, now, period=True)
        rows: Any = data["rows"]
        vips: Any = data["vips"]
        start = clock.parse(data["cut"]) or begin
        found[name] = {**data, "lanes": lanes(rows, vips, {}, start, now)}
    return found


def notes(timelines: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What is said of clusters of which only a part of the period is shown."""
    return [
        f"{name}: a node has more than {hub_view.PERIOD_ROWS:,} rows in this time; the cluster is "
        f"shown from {each['cut'][:19]}Z on."
        for name, each in timelines.items()
        if each.get("cut")
    ]


def _is_row(row: object) -> bool:
    """Whether it has the form of a row, and the size of an honest one."""
    if not isinstance(row, Mapping):
        return False
    name, vips = row.get("instance"), row.get("vips")
    return (
        isinstance(name, str)
        and NAME.fullmatch(name) is not None
        and isinstance(vips, (list, tuple))
        and len(vips) <= MAX_VIPS
        and all(isinstance(vip, str) and len(vip) <= 64 for vip in vips)
    )
