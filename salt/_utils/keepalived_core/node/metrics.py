"""A node as metrics: what :func:`status.status` says, for node_exporter's textfile collector."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..exposition import Family

#: Each instance is in one of these, and has a sample for all of them: 1 for that one.
STATES = ("MASTER", "BACKUP", "FAULT", "INIT", "STOP")


def families(status: Mapping[str, Any], now: float) -> list[Family]:
    """The metrics of one node.

    status
        As ``keepalived.status`` returns it.
    now
        Seconds since the epoch.

    What is not known has no sample.
    """
    up = Family("keepalived_up", "gauge", "Whether a keepalived runs.")
    info = Family("keepalived_info", "gauge", "The version of keepalived; always 1.")
    told = Family(
        "keepalived_status_timestamp_seconds", "gauge", "When this was asked; old: nobody asks."
    )
    daemon = status["keepalived"]
    up.add(daemon["running"])
    if daemon["version"]:
        info.add(1, version=daemon["version"], cluster=status.get("cluster") or "")
    told.add(now)
    return [up, info, told, *_vrrp(status), *_watch(status)]


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
    sent = Family("keepalived_vrrp_adverts_sent_total", "counter", "Adverts sent.")
    received = Family("keepalived_vrrp_adverts_received_total", "counter", "Adverts accepted.")
    refused = Family(
        "keepalived_vrrp_adverts_refused_total", "counter", "Adverts not accepted, by reason."
    )
    for one in status["instances"]:
        labels = {"instance": one["instance"], "vrid": one["vrid"], "interface": one["interface"]}
        if one["state"] in STATES:
            for each in STATES:
                state.add(one["state"] == each, **labels, state=each)
        for vip in one["vips"]:
            present.add(vip["present"], **labels, vip=vip["address"])
        since.add(_seconds(one["since"]), **labels)
        base.add(one["base_priority"], **labels)
        effective.add(one["effective_priority"], **labels)
        adverts = one.get("adverts") or {}
        sent.add(adverts.get("sent"), **labels)
        received.add(adverts.get("received"), **labels)
        for reason, count in sorted((adverts.get("rejected") or {}).items()):
            refused.add(count, **labels, reason=reason)
    return [state, present, since, base, effective, sent, received, refused]


def _watch(status: Mapping[str, Any]) -> list[Family]:
    watch, drain = status["watch"], status["drain"]
    spool = watch.get("spool") or {}
    up = Family("salt_keepalived_watch_up", "gauge", "Whether the watch records transitions.")
    last = Family("salt_keepalived_spool_last_seq", "gauge", "The number of the newest event.")
    pending = Family("salt_keepalived_spool_pending", "gauge", "Events that are not on disk yet.")
    dropped = Family(
        "salt_keepalived_spool_dropped_total", "counter", "Events that were never stored or sent."
    )
    problems = Family("salt_keepalived_watch_problems", "gauge", "What the watch complains of.")
    drained = Family("salt_keepalived_drained", "gauge", "Whether the node was taken out.")
    up.add(watch["running"])
    last.add(spool.get("last_seq"))
    pending.add(spool.get("pending"))
    dropped.add(spool.get("dropped"))
    problems.add(len(watch["problems"]))
    drained.add(drain.get("drained"))
    return [up, last, pending, dropped, problems, drained]


def _seconds(since: object) -> float | None:
    if not isinstance(since, str):
        return None
    # Python 3.10 does not read the Z
    return datetime.fromisoformat(since.replace("Z", "+00:00")).timestamp()
