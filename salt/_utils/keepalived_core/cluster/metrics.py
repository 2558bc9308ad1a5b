"""All clusters as metrics: what the hub knows, for a textfile collector on the master."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from ..exposition import Family
from . import clock
from .incident_state import KINDS

STATES = ("MASTER", "BACKUP", "FAULT", "STOP")


def families(
    hub: Mapping[str, Any], incidents: Iterable[Mapping[str, Any]], stale: float, now: float
) -> list[Family]:
    """The metrics of all clusters.

    hub
        As :func:`hub_view.show_status` returns it.
    incidents
        The open ones, with their seconds up to now.
    stale
        A node of which nothing was heard for so many seconds has no state: yesterday's MASTER is
        none.
    now
        Seconds since the epoch.
    """
    up = Family("salt_keepalived_hub_up", "gauge", "Whether the hub runs.")
    told = Family("salt_keepalived_hub_timestamp_seconds", "gauge", "When this was written.")
    stored = Family("salt_keepalived_hub_events", "gauge", "Events that the hub keeps.")
    refused = Family("salt_keepalived_hub_refused_total", "counter", "Events it did not believe.")
    up.add(hub["running"])
    told.add(now)
    stored.add(hub["file"]["rows"])
    for reason, count in sorted(_sums(hub["rejected"], "reason").items()):
        refused.add(count, reason=reason)
    return [up, told, stored, refused, *_nodes(hub, stale), *_incidents(incidents)]


def _sums(rows: Iterable[Mapping[str, Any]], key: str) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found[str(row[key])] += row["count"]
    return found


def _nodes(hub: Mapping[str, Any], stale: float) -> list[Family]:
    heard = Family(
        "salt_keepalived_node_heard_age_seconds", "gauge", "How long ago the node was heard."
    )
    lag = Family("salt_keepalived_node_events_behind", "gauge", "Its events that are on their way.")
    missing = Family("salt_keepalived_node_events_missing", "gauge", "Events that are asked for.")
    lost = Family("salt_keepalived_node_events_lost_total", "counter", "Events nobody has.")
    skew = Family(
        "salt_keepalived_node_clock_ahead_seconds",
        "gauge",
        "Its clock beside the master's, with the way of the message in it.",
    )
    state = Family("salt_keepalived_vrrp_state", "gauge", "1 for the state that it is in.")
    masters = Family("salt_keepalived_vrrp_masters", "gauge", "How many nodes say MASTER.")
    holders = Family(
        "salt_keepalived_vrrp_holders", "gauge", "On how many nodes the address is, by the kernels."
    )
    silent = Family("salt_keepalived_vrrp_unknown", "gauge", "Of how many nodes nothing is known.")
    owners: dict[tuple[str, str], list[int]] = {}
    for node in hub["nodes"]:
        name, cluster = node["node"], node["cluster"]
        if cluster is None:
            continue
        labels = {"cluster": cluster, "node": name}
        heard.add(node["age"], **labels)
        lag.add(node["lag"], **labels)
        missing.add(node["missing"], **labels)
        lost.add(node["lost"], **labels)
        skew.add(node["clock_ahead"], **labels)
        known = node["age"] is not None and node["age"] <= stale
        for instance, each in node["states"].items():
            count = owners.setdefault((cluster, instance), [0, 0, 0])
            if not known or each["state"] not in STATES:
                count[2] += 1
                continue
            count[0] += each["state"] == "MASTER"
            count[1] += each["vip_present"] is True
            for word in STATES:
                state.add(each["state"] == word, **labels, instance=instance, state=word)
    for (cluster, instance), count in sorted(owners.items()):
        for family, value in zip((masters, holders, silent), count, strict=True):
            family.add(value, cluster=cluster, instance=instance)
    return [heard, lag, missing, lost, skew, state, masters, holders, silent]


def _incidents(incidents: Iterable[Mapping[str, Any]]) -> list[Family]:
    counts = Family("salt_keepalived_incidents_open", "gauge", "Open incidents, by kind.")
    since = Family(
        "salt_keepalived_incident_opened_timestamp_seconds", "gauge", "When an open one began."
    )
    without = Family(
        "salt_keepalived_incident_without_owner_seconds",
        "gauge",
        "How long nobody had the address during an open incident.",
    )
    found: dict[str, int] = dict.fromkeys(KINDS, 0)
    for each in incidents:
        kind = str(each["kind"])
        found[kind] = found.get(kind, 0) + 1
        labels = {
            "cluster": each["cluster"], "instance": each["instance"], "kind": kind, "id": each["id"]
        }  # fmt: skip
        since.add(clock.parse(each["opened"]), **labels)
        without.add(each["seconds_without_owner"], **labels)
    for kind, count in found.items():
        counts.add(count, kind=kind)
    return [counts, since, without]
