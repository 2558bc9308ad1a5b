"""All that the page shows, as plain data.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import clock
from ..verdict import VERDICTS
from . import history, incidents, numbers, wired
from .history import Texts

SCHEMA = 1


def sheet(
    *,
    wiring: Mapping[str, Any],
    status: Mapping[str, Any] | None,
    audit: Mapping[str, Any] | None,
    timelines: Mapping[str, Mapping[str, Any]],
    found: Sequence[Mapping[str, Any]] | None,
    hub: Mapping[str, Any] | None,
    begin: float,
    now: float,
    notes: Iterable[str] = (),
) -> dict[str, Any]:
    """Everything the page's scripts read.

    wiring, status, audit, hub
        What ``salt-run keepalived.topology now=False``, ``status``, ``audit`` and ``hub_status``
        have; the last three are None where nobody was asked or no hub runs.
    timelines
        ``{cluster: what salt-run keepalived.timeline has}``.
    found
        Incidents as ``salt-run keepalived.incidents`` has them; None without a hub.
    begin, now
        The stretch of time, seconds since the epoch.
    notes
        What is to be said of all of it.
    """
    texts = Texts()
    base = round(begin * 1000)
    shown = [each for each in found or () if _is_in(each, begin)]
    still = [each for each in shown if each["state"] == "open"]
    clusters = wired.clusters(wiring, status, hub, still)
    instances = {each["cluster"]: each["instances"] for each in wiring["clusters"]}
    return {
        "schema": SCHEMA,
        "time": round(now * 1000),
        "from": base,
        "asked": status is not None,
        "notes": list(notes),
        "retcodes": VERDICTS,
        "clusters": clusters,
        "numbers": [
            row
            for cluster, timeline in timelines.items()
            for row in numbers.of_cluster(cluster, instances.get(cluster, ()), timeline)
        ],
        "timeline": history.lanes(timelines, base, texts),
        "missing": [
            {"cluster": cluster, "node": node, "why": why}
            for cluster, timeline in timelines.items()
            for node, why in timeline["missing"].items()
        ],
        "columns": list(incidents.COLUMNS),
        "incidents": None if found is None else incidents.packed(shown, base, texts),
        "kinds": incidents.kinds(),
        "audit": None if audit is None else {key: audit[key] for key in _AUDIT},
        "hub": None if hub is None else _hub(hub),
        # last: the others fill it
        "texts": texts.all,
    }


def summary(data: Mapping[str, Any], out: str, size: int, *, unasked: bool) -> dict[str, Any]:
    """What the verb returns: docs/report.md describes the keys.

    data
        The sheet that was written.
    out, size
        The file, and its bytes.
    unasked
        Whether the nodes were to be asked and could not be.
    """
    audit = data["audit"]
    return {
        "kind": "report",
        "schema": SCHEMA,
        "time": clock.render(data["time"] / 1000),
        "since": clock.render(data["from"] / 1000),
        "out": out,
        "bytes": size,
        "asked": data["asked"],
        "hub": data["hub"] is not None,
        "clusters": len(data["clusters"]),
        "lanes": len(data["timeline"]["lanes"]),
        "incidents": None if data["incidents"] is None else len(data["incidents"]),
        "findings": None if audit is None else len(audit["findings"]),
        "notes": list(data["notes"]),
        "retcode": 3 if unasked else 0,
    }


_AUDIT = ("time", "counts", "findings")
_HUB = ("running", "problem", "started", "signed", "members", "file", "rejected")
_HUB_NODE = (
    "node", "cluster", "lag", "missing", "lost", "refused", "dropped", "age", "heartbeat_age",
    "clock_ahead", "signed",
)  # fmt: skip


def _hub(hub: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: hub[key] for key in _HUB}
    # where it lies is of no use to who reads the page elsewhere
    kept["file"] = {key: value for key, value in hub["file"].items() if key != "path"}
    return {**kept, "nodes": [{key: node[key] for key in _HUB_NODE} for node in hub["nodes"]]}


def _is_in(incident: Mapping[str, Any], begin: float) -> bool:
    """Whether it was open at some moment of the time that is shown."""
    resolved = clock.parse(incident["resolved"])
    return resolved is None or resolved >= begin
