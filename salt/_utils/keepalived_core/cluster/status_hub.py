"""What the hub's file adds to the screen: open incidents, and how far the hub is.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import hub_view, incident_text, incident_view
from .store_read import Reader

#: So many open incidents are looked at.
MOST = 10_000
#: Verdicts of which the rows of the hub know more than an answer of now can: what came before.
_OLDER = frozenset({"no master", "degraded", "flapping"})
_SHOWN = ("id", "kind", "opened", "seconds", "seconds_without_owner", "seconds_several_owners")

Hub = Mapping[str, Any]


def read(reader: Reader, now: float) -> dict[str, Any]:
    """What the screen needs of the file.

    Returns ``{"running", "problem", "lag", "missing", "lost", "incidents": {(cluster, sync group
    or instance): incident}}``.  What a hub that does not run said last is not now: then there is
    no incident.
    """
    problem = hub_view.why_not(reader, now)
    status = hub_view.show_status(reader, (), now)
    found: dict[tuple[str, str], dict[str, Any]] = {}
    if problem is None:
        for each in incident_view.show_incidents(reader, None, MOST, True, now)["incidents"]:
            found[str(each["cluster"]), str(each["instance"])] = each
    return {
        "running": problem is None,
        "problem": problem,
        **{
            name: sum(each[name] for each in status["nodes"]) for name in ("lag", "missing", "lost")
        },
        "incidents": found,
    }


def summary(hub: Hub | None) -> dict[str, Any] | None:
    """How the hub is, without the incidents; None when there is none."""
    if hub is None:
        return None
    return {name: value for name, value in hub.items() if name != "incidents"}


def incident_of(
    hub: Hub | None, cluster: str, instance: str, group: str | None
) -> Mapping[str, Any] | None:
    """The open incident that concerns an instance, or None."""
    incidents = hub["incidents"] if hub else {}
    found = incidents.get((cluster, group or instance)) or incidents.get((cluster, instance))
    if found is None or instance not in found["instances"]:
        return None
    return found


def flapping(incident: Mapping[str, Any] | None, instance: str) -> str | None:
    """Why an instance counts as flapping; None when it does not."""
    if incident is None or incident["kind"] != "flapping":
        return None
    nodes = ", ".join(incident["nodes"]) or "a node"
    return f"{nodes} lost its state of {instance} several times within a minute"


def cause(incident: Mapping[str, Any] | None, verdict: str) -> dict[str, Any] | None:
    """What the incident says of the cause, where it is about the same trouble."""
    if incident is None or not incident["cause"]:
        return None
    same = str(incident["kind"]).replace("_", " ") == verdict
    # an unplanned failover is what leaves a cluster degraded
    same = same or (verdict, incident["kind"]) == ("degraded", "failover")
    return {**incident["cause"], "nodes": list(incident["nodes"])} if same else None


def knows_better(verdict: str, cause: Mapping[str, Any]) -> bool:
    """Whether the rows of the hub tell more of the cause than a look of now.

    A stranger's hardware address is in no row.
    """
    return verdict in _OLDER and cause["class"] != "stranger"


def shown(incident: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What the screen says of it; ``salt-run keepalived.explain ID`` has the rest."""
    if incident is None:
        return None
    found = {name: incident[name] for name in _SHOWN}
    return {**found, "next": incident_text.next_step(incident)}
