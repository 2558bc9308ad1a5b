"""All clusters as metrics: what the hub knows, for a textfile collector on the master."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..exposition import Family
from . import clock
from .incident_state import KINDS
from .ledger_read import Figures

STATES = ("MASTER", "BACKUP", "FAULT", "STOP")


def families(
    hub: Mapping[str, Any] | None,
    incidents: Iterable[Mapping[str, Any]],
    deliveries: Mapping[str, float],
    figures: Figures | None,
    stale: float,
    now: float,
    members: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[Family]:
    """The metrics of all clusters.

    hub
        As :func:`hub_view.show_status` returns it; None where no hub ever ran.
    incidents
        The open ones, with their seconds up to now.
    deliveries
        ``{node: seconds}`` that its newest event needed to the hub.
    figures
        Of the ledger; None when it cannot be read.
    stale
        A node of which nothing was heard for so many seconds has no state: yesterday's MASTER is
        none.
    now
        Seconds since the epoch.
    members
        The nodes that the hub listens for (:meth:`Reader.members`): what it never heard of one
        of them is not known either.

    What is not known has no sample.
    """
    members = members or {}
    told = [_of_cluster(each, members.get(each["node"])) for each in (hub["nodes"] if hub else ())]
    nodes = [each for each in told if each["cluster"] is not None]
    names = sorted({each["cluster"] for each in nodes})
    return [
        *_hub(hub, now),
        *_nodes(nodes, deliveries, members, now),
        *_instances(nodes, stale, members),
        *_incidents(incidents, names),
        *_ledger(figures, names),
    ]


def _of_cluster(node: Mapping[str, Any], member: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The hub has no facts of a node that it never heard, and so no cluster."""
    return {**node, "cluster": member["cluster"]} if member and node["cluster"] is None else node


def _hub(hub: Mapping[str, Any] | None, now: float) -> list[Family]:
    up = Family("salt_keepalived_hub_up", "gauge", "Whether the hub runs.")
    told = Family(
        "salt_keepalived_hub_metrics_timestamp_seconds", "gauge", "When this file was written."
    )
    stored = Family(
        "salt_keepalived_hub_events_stored_total", "counter", "Events that the hub took."
    )
    repeated = Family(
        "salt_keepalived_hub_events_repeated_total", "counter", "Events that came again."
    )
    refused = Family(
        "salt_keepalived_hub_events_refused_total", "counter", "Events that it did not believe."
    )
    rows = Family("salt_keepalived_hub_rows", "gauge", "Events in its file.")
    size = Family("salt_keepalived_hub_file_bytes", "gauge", "Size of its file.")
    up.add(hub is not None and hub["running"])
    told.add(now)
    if hub is not None:
        counters = hub["counters"]
        stored.add(counters.get("stored", 0))
        repeated.add(counters.get("repeated", 0))
        refused.add(counters.get("rejected", 0))
        rows.add(hub["file"]["rows"])
        size.add(hub["file"]["bytes"])
    return [up, told, stored, repeated, refused, rows, size]


def _nodes(
    nodes: Iterable[Mapping[str, Any]],
    deliveries: Mapping[str, float],
    members: Mapping[str, Mapping[str, Any]],
    now: float,
) -> list[Family]:
    heard = Family(
        "salt_keepalived_node_heard_age_seconds",
        "gauge",
        "How long ago the node was heard; if never, for how long the hub has known of it.",
    )
    delivery = Family(
        "salt_keepalived_node_event_delivery_seconds",
        "gauge",
        "How long its newest event was on its way, by its clock and the master's.",
    )
    behind = Family(
        "salt_keepalived_node_events_behind", "gauge", "Its events that are on their way."
    )
    missing = Family("salt_keepalived_node_events_missing", "gauge", "Events that are asked for.")
    # a gauge: one that was given up may arrive after all
    lost = Family("salt_keepalived_node_events_lost", "gauge", "Events nobody has.")
    skew = Family(
        "salt_keepalived_node_clock_ahead_seconds",
        "gauge",
        "Its clock beside the master's, with the way of the message in it.",
    )
    for node in nodes:
        labels = {"cluster": node["cluster"], "node": node["node"]}
        if node["age"] is None and node["node"] in members:
            heard.add(round(max(0.0, now - members[node["node"]]["since"]), 1), **labels)
            continue
        heard.add(node["age"], **labels)
        delivery.add(deliveries.get(node["node"]), **labels)
        behind.add(node["lag"], **labels)
        missing.add(node["missing"], **labels)
        lost.add(node["lost"], **labels)
        skew.add(node["clock_ahead"], **labels)
    return [heard, delivery, behind, missing, lost, skew]


def _instances(
    nodes: Sequence[Mapping[str, Any]], stale: float, members: Mapping[str, Mapping[str, Any]]
) -> list[Family]:
    state = Family("salt_keepalived_vrrp_state", "gauge", "1 for the state that it is in.")
    masters = Family("salt_keepalived_vrrp_masters", "gauge", "How many nodes say MASTER.")
    holders = Family(
        "salt_keepalived_vrrp_holders", "gauge", "On how many nodes the address is, by the kernels."
    )
    silent = Family("salt_keepalived_vrrp_unknown", "gauge", "Of how many nodes nothing is known.")
    owners: dict[tuple[str, str], list[int]] = {}
    with_address: set[tuple[str, str]] = set()
    for node in nodes:
        known = node["age"] is not None and node["age"] <= stale
        for instance, each in node["states"].items():
            count = owners.setdefault((node["cluster"], instance), [0, 0, 0])
            if not known or each["state"] not in STATES:
                count[2] += 1
                continue
            count[0] += each["state"] == "MASTER"
            count[1] += each["vip_present"] is True
            # None: it has no address that anybody could hold
            if each["vip_present"] is not None:
                with_address.add((node["cluster"], instance))
            labels = {"cluster": node["cluster"], "node": node["node"], "vrrp_instance": instance}
            for word in STATES:
                state.add(each["state"] == word, **labels, state=word)
    for node in nodes:
        member = members.get(node["node"])
        if member is None or node["heartbeat_age"] is not None:
            continue
        # its first heartbeat will tell of all it has; until then its pillar does
        for (cluster, instance), count in owners.items():
            if cluster == node["cluster"] and instance not in node["states"]:
                count[2] += not member["names"] or instance in member["names"]
    for (cluster, instance), count in sorted(owners.items()):
        labels = {"cluster": cluster, "vrrp_instance": instance}
        masters.add(count[0], **labels)
        holders.add(count[1] if (cluster, instance) in with_address else None, **labels)
        silent.add(count[2], **labels)
    return [state, masters, holders, silent]


def _incidents(incidents: Iterable[Mapping[str, Any]], clusters: Iterable[str]) -> list[Family]:
    counts = Family(
        "salt_keepalived_incidents_open", "gauge", "Open incidents of the cluster, by kind."
    )
    since = Family(
        "salt_keepalived_incident_opened_timestamp_seconds", "gauge", "When an open one began."
    )
    without = Family(
        "salt_keepalived_incident_without_owner_seconds",
        "gauge",
        "How long nobody had the address during an open incident.",
    )
    found = {(cluster, kind): 0 for cluster in clusters for kind in KINDS}
    for each in incidents:
        cluster, kind = str(each["cluster"]), str(each["kind"])
        found[cluster, kind] = found.get((cluster, kind), 0) + 1
        labels = {
            "cluster": cluster, "vrrp_instance": each["instance"], "kind": kind, "id": each["id"]
        }  # fmt: skip
        since.add(clock.parse(each["opened"]), **labels)
        without.add(each["seconds_without_owner"], **labels)
    for (cluster, kind), count in sorted(found.items()):
        counts.add(count, cluster=cluster, kind=kind)
    return [counts, since, without]


def _ledger(figures: Figures | None, clusters: Iterable[str]) -> list[Family]:
    silenced = Family("salt_keepalived_silenced", "gauge", "Whether the cluster is in maintenance.")
    until = Family(
        "salt_keepalived_silence_end_timestamp_seconds", "gauge", "When its maintenance ends."
    )
    reactions = Family(
        "salt_keepalived_reactions_last_hour",
        "gauge",
        "What was done in the last hour, by kind of reaction and its result.",
    )
    delivered = Family(
        "salt_keepalived_alert_route_delivered",
        "gauge",
        "Whether the route took its last alert that was tried; none without one in the last day.",
    )
    tried = Family("salt_keepalived_alert_route_timestamp_seconds", "gauge", "When that was.")
    if figures is not None:
        ends = {each.cluster: each.until for each in figures.silences}
        for cluster in sorted({*clusters, *ends}):
            silenced.add(cluster in ends, cluster=cluster)
            until.add(ends.get(cluster), cluster=cluster)
        for (kind, result), count in sorted(figures.reactions.items()):
            reactions.add(count, kind=kind, result=result)
        for route, (taken, at) in sorted(figures.routes.items()):
            delivered.add(taken, route=route)
            tried.add(at, route=route)
    return [silenced, until, reactions, delivered, tried]
