"""A node as metrics: what :func:`status.status` says, for node_exporter's textfile collector."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..exposition import Family
from . import settings, status, verify
from .paths import DEFAULT, Paths
from .spool import Spool, SpoolError
from .spool_delivery import Backlog

#: Each instance is in one of these, and has a sample for all of them: 1 for that one.
STATES = ("MASTER", "BACKUP", "FAULT", "INIT", "STOP")


def gather(
    paths: Paths = DEFAULT, node: str | None = None, cluster: str | None = None
) -> list[Family]:
    """The metrics of this node, asked now.

    node, cluster
        Names; without them those that the formula told the watch.
    """
    who = settings.read(paths)
    told = status.status(node or who.id or "", cluster or who.cluster, paths)
    return families(told, backlog(paths), time.time())


def backlog(paths: Paths = DEFAULT) -> Backlog | None:
    """What no master has of the spool; None when nobody delivers here, or it cannot be read."""
    try:
        with Spool.open(paths.spool) as spool:
            return spool.backlog()
    except (OSError, SpoolError, sqlite3.Error):
        return None


def families(status: Mapping[str, Any], waiting: Backlog | None, now: float) -> list[Family]:
    """The metrics of one node.

    status
        As ``keepalived.status`` returns it.
    waiting
        Events that no master has.
    now
        Seconds since the epoch.

    What is not known has no sample.
    """
    up = Family("keepalived_up", "gauge", "Whether a keepalived runs.")
    info = Family("keepalived_info", "gauge", "The version of keepalived; always 1.")
    told = Family(
        "salt_keepalived_metrics_timestamp_seconds", "gauge", "When this file was written."
    )
    daemon = status["keepalived"]
    up.add(daemon["running"])
    if daemon["version"]:
        info.add(1, version=daemon["version"], cluster=status.get("cluster") or "")
    told.add(now)
    return [up, info, *_vrrp(status), *_adverts(status), told, *_watch(status), *_spool(waiting)]


def _labels(one: Mapping[str, Any]) -> dict[str, object]:
    # not "instance": Prometheus keeps that word for the target, and would rename ours
    return {
        "vrrp_instance": one["instance"],
        "vrid": one["vrid"],
        "interface": one["interface"],
    }


def _vrrp(status: Mapping[str, Any]) -> list[Family]:
    state = Family("keepalived_vrrp_state", "gauge", "1 for the state that the instance is in.")
    present = Family(
        "keepalived_vrrp_vip_present",
        "gauge",
        "Whether the address is on an interface of this node, by the kernel.",
    )
    since = Family(
        "keepalived_vrrp_state_timestamp_seconds", "gauge", "When its state began, by keepalived."
    )
    base = Family("keepalived_vrrp_base_priority", "gauge", "Its configured priority.")
    effective = Family("keepalived_vrrp_effective_priority", "gauge", "Its priority now.")
    for one in status["instances"]:
        labels = _labels(one)
        if one["state"] in STATES:
            for each in STATES:
                state.add(one["state"] == each, **labels, state=each)
        for vip in one["vips"]:
            # an address may be on several devices, so its instance's interface is not enough
            device = vip["interface"] or ""
            present.add(vip["present"], **labels, vip=vip["address"], device=device)
        since.add(_seconds(one["since"]), **labels)
        base.add(one["base_priority"], **labels)
        effective.add(one["effective_priority"], **labels)
    return [state, present, since, base, effective]


def _adverts(status: Mapping[str, Any]) -> list[Family]:
    """keepalived's own counters; all begin anew with keepalived."""
    became = Family("keepalived_vrrp_became_master_total", "counter", "How often it became MASTER.")
    released = Family(
        "keepalived_vrrp_released_master_total", "counter", "How often it ceased to be MASTER."
    )
    sent = Family("keepalived_vrrp_adverts_sent_total", "counter", "Adverts sent.")
    received = Family("keepalived_vrrp_adverts_received_total", "counter", "Adverts accepted.")
    refused = Family(
        "keepalived_vrrp_adverts_refused_total", "counter", "Adverts not accepted, by reason."
    )
    for one in status["instances"]:
        labels = _labels(one)
        transitions, adverts = one.get("transitions") or {}, one.get("adverts") or {}
        became.add(transitions.get("became_master"), **labels)
        released.add(transitions.get("released_master"), **labels)
        sent.add(adverts.get("sent"), **labels)
        received.add(adverts.get("received"), **labels)
        counts = adverts.get("rejected")
        if counts is None:
            continue
        for reason in sorted(verify.REJECTED):
            # from 0 on: of a first sample that is high already, Prometheus sees no increase
            refused.add(counts.get(reason, 0), **labels, reason=reason)
    return [became, released, sent, received, refused]


def _watch(status: Mapping[str, Any]) -> list[Family]:
    watch, drain = status["watch"], status["drain"]
    spool = watch.get("spool") or {}
    up = Family("salt_keepalived_watch_up", "gauge", "Whether the watch records transitions.")
    events = Family(
        "salt_keepalived_spool_events_total", "counter", "Events that the watch recorded."
    )
    pending = Family("salt_keepalived_spool_pending", "gauge", "Events that are not on disk yet.")
    dropped = Family(
        "salt_keepalived_spool_dropped_total", "counter", "Events that were never stored or sent."
    )
    problems = Family("salt_keepalived_watch_problems", "gauge", "What the watch complains of.")
    drained = Family("salt_keepalived_drained", "gauge", "Whether the node was taken out.")
    up.add(watch["running"])
    events.add(spool.get("last_seq"))
    pending.add(spool.get("pending"))
    dropped.add(spool.get("dropped"))
    problems.add(len(watch["problems"]))
    drained.add(drain.get("drained"))
    return [up, events, pending, dropped, problems, drained]


def _spool(waiting: Backlog | None) -> list[Family]:
    depth = Family(
        "salt_keepalived_spool_undelivered", "gauge", "Events on disk that no master has."
    )
    oldest = Family(
        "salt_keepalived_spool_oldest_undelivered_timestamp_seconds",
        "gauge",
        "When the oldest event that no master has happened.",
    )
    if waiting is not None:
        depth.add(waiting.events)
        oldest.add(None if waiting.oldest_us is None else waiting.oldest_us / 1e6)
    return [depth, oldest]


def _seconds(since: object) -> float | None:
    if not isinstance(since, str):
        return None
    # Python 3.10 does not read the Z
    return datetime.fromisoformat(since.replace("Z", "+00:00")).timestamp()
