"""
Clusters of keepalived, seen and mended from the master
=======================================================

``reach`` says what a failure would do, ``reactions`` what was done about one.
``react`` is what the reactor calls for each event.

All judgement is in the library ``keepalived_core.cluster``; this module asks and acts.
Settings are the master's, key ``keepalived``; docs/reactions.md and docs/alerts.md have them all.
"""

from __future__ import annotations

import collections
import concurrent.futures
import logging
import sys
import threading
import time

import salt.exceptions

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master", "keepalived_trail")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master
import keepalived_trail
from keepalived_master import ANSWER_SECONDS

from keepalived_core.check import reach as reaching
from keepalived_core.cluster import alert as alerting
from keepalived_core.cluster import answers as answering
from keepalived_core.cluster import clock, incident_event, membership
from keepalived_core.cluster import event as events
from keepalived_core.cluster import ledger as ledgers
from keepalived_core.cluster import policy as policies
from keepalived_core.cluster import react as reacting

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"

# Seconds.
PEER_SECONDS = 2
# A check may take its own timeout, a service systemd's time to stop and to start.
CONFIRM_SECONDS = 15
RESTART_SECONDS = 60
VERIFY_SECONDS = 10

# What was warned about lately: a FAULT meets both reactions, and one line is enough for it.
_WARNED = collections.deque(maxlen=256)
_WARNED_LOCK = threading.Lock()

_NOT_CONFIGURED = events.Rejected("no pillar gives its minion such an instance")


def __virtual__():
    return __virtualname__


# --- seeing ----------------------------------------------------------------------------------


def reactions(last=20):
    """
    What was reacted to, what was done or left alone and why, the newest last.

    last (int)
        How many rows at most.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.reactions
        salt-run keepalived.reactions last=100 --out=json
    """
    try:
        rows = _trail().ledger.trail(keepalived_master.count(last))
    except (ValueError, ledgers.LedgerError) as mistake:
        return keepalived_master.complaint(mistake)
    for row in rows:
        row["time"] = clock.render(row.pop("at"))
    data = {"kind": "reactions", "schema": 1, "rows": rows, "retcode": 0}
    return {"outputter": "keepalived", "data": data}


def reach(cluster=None):
    """
    For each failure that a cluster tracks, which node would have the address then, as a table.

    cluster (str, optional)
        Only this one.

    Read from the pillars of all members, compiled now; no node is asked.  The exit status is 1
    when a failure cannot move an address, or it is undecided where to.  docs/reach.md explains
    the table, the codes and the schema of ``--out=json``.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.reach
        salt-run keepalived.reach controllers --out=json
    """
    master = _master()
    clusters, message = master.clusters(cluster)
    pillars = keepalived_master.pillars_of(master, clusters)
    nodes = ",".join(node for found in pillars.values() for node in found)
    addresses = __salt__["mine.get"](nodes, "keepalived.addresses", "list") if nodes else {}
    data = reaching.reach_of_clusters(pillars, addresses)
    return {"outputter": "keepalived", "data": {**data, "message": message}}


# --- reacting --------------------------------------------------------------------------------


def react(kind, tag, event):
    """
    React to one event; the reactor's two files call nothing else.

    kind (str)
        ``alert``: tell people.  ``remediate``: when an instance went FAULT, ask the node which
        of its checks fails and restart the service that its pillar allows for that check.
    tag (str)
        The event's tag.
    event (dict or str)
        The event's data, or its JSON text.

    The event is only a hint: it is checked against its tag, the accepted keys and the pillar,
    and counts once however often it comes.  What the hub tells of incidents goes to
    ``keepalived.react_incident``, the end of a maintenance to ``keepalived.silence_ended``.
    Returns ``{"kind", "result", "reason", ...}``; result is ``rejected``, ``duplicate``,
    ``ignored``, ``skipped``, ``sent``, ``waiting``, ``failed`` or ``succeeded``.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.react alert salt/beacon/n1/keepalived/VI_1/FAULT "$(cat event.json)"
    """
    reaction = {"alert": _alert, "remediate": _remediate}.get(kind)
    if reaction is None:
        return _reject("reaction", tag, event, "kind is neither alert nor remediate")
    if str(tag).startswith("keepalived/"):
        return _react_to_hub(kind, tag, event)
    found = events.validate_event(tag, event)
    if isinstance(found, events.Event) and not _master().is_accepted(found.id):
        found = events.Rejected("its minion has no accepted key")
    if isinstance(found, events.Rejected):
        return _reject(kind, tag, event, found.reason)
    try:
        result = reaction(_trail(), found)
    except ledgers.LedgerError as error:
        # Without it nothing keeps a repair from being done twice: then better not once.
        log.error("keepalived: no %s for %s: %s", kind, found.key, error)
        result = {"result": "failed", "reason": str(error)}
    except Exception:
        # Salt's reactor would keep to itself what a runner raises.
        log.exception("keepalived: the %s for %s broke off", kind, found.key)
        raise
    if isinstance(result, events.Rejected):
        return _reject(kind, tag, event, result.reason)
    return {"kind": kind, "incident": found.key, **result}


def _react_to_hub(kind, tag, event):
    """What the hub of this master fired, or somebody in its name."""
    done = {"kind": kind, "result": "ignored"}
    try:
        if incident_event.is_incident_tag(tag):
            done = __salt__["keepalived.react_incident"](kind, tag, event)
        elif kind == "alert" and tag.endswith("/silence/ended"):
            # whether one has ended says the ledger, not the event
            done["said"] = __salt__["keepalived.silence_ended"]()
    except Exception:
        # Salt's reactor would keep to itself what a runner raises.
        log.exception("keepalived: the %s for an incident broke off", kind)
        raise
    if done["result"] == "rejected":
        return _reject(kind, tag, event, done["reason"])
    return done


def _alert(trail, event):
    pillar = _master().cached_pillar(event.id)
    if not reacting.configured_for(event, pillar):
        # The copy may be older than the configuration.
        pillar = _master().compiled_pillar(event.id)
        if not reacting.configured_for(event, pillar):
            return _NOT_CONFIGURED
    now = time.time()
    cluster = membership.cluster_name(pillar)
    claim = (event.id, event.stream_id, event.seq, "alert")
    try:
        if trail.ledger.has_ended_silences(now):
            __salt__["keepalived.silence_ended"]()
    except ledgers.LedgerError as error:
        log.error("keepalived: what is wrong after a maintenance is not told: %s", error)
    silent = alerting.why_silent(event, trail.routes().planned, trail.tells_incidents())
    if silent:
        return trail.keep_back(cluster, _about(event), silent, claim)
    alert = alerting.compose(event, cluster, now)
    return trail.tell(alert, _about(event), event.reason, claim)


def _remediate(trail, event):
    if not reacting.remediation_concerns(event):
        return {"result": "ignored"}
    pillar = _master().compiled_pillar(event.id)
    if not (reacting.broken(pillar) or reacting.configured_for(event, pillar)):
        return _NOT_CONFIGURED
    cluster, now = membership.cluster_name(pillar), time.time()
    if not trail.ledger.claim(event.id, event.stream_id, event.seq, "remediate", now):
        return {"result": "duplicate"}
    silence = trail.ledger.silence_of(cluster, now)
    early = reacting.may_remediate(event, pillar, policies.silenced(silence, now))
    outcomes = []
    for decision, number in [(early, 0)] if early else _decide(trail.ledger, event, pillar):
        if isinstance(decision, reacting.Skip):
            data = {**_about(event), "check": decision.check, "reason": decision.reason}
            trail.audit("remediation", "skipped", cluster, data)
            outcomes.append({"result": "skipped", "reason": decision.reason})
            continue
        try:
            outcomes.append(_restart(trail, cluster, event, decision, pillar))
        finally:
            trail.ledger.finish(number, time.time())
    # One stands for all, the most telling; the trail has the others.
    return min(outcomes, key=lambda each: ("failed", "succeeded", "skipped").index(each["result"]))


def _decide(ledger, event, pillar):
    """Ask the node, decide, and enter what is to be done: ``[(decision, its number)]``."""
    node, instance = event.id, event.instance
    checks = _master().ask_one(node, "keepalived.checks", CONFIRM_SECONDS, instance=instance)
    state = _master().ask_one(node, "keepalived.status", ANSWER_SECONDS)
    now = time.time()
    with ledger.deciding(node) as runs:
        return [
            (
                decision,
                runs.start(decision.check, decision.service, now, now + reacting.LEASE_SECONDS)
                if isinstance(decision, reacting.Action)
                else 0,
            )
            for decision in reacting.decide_remediation(
                event, pillar, checks, state, runs.all(), now
            )
        ]


def _restart(trail, cluster, event, action, pillar):
    """Carry one Action out, see whether it helped, and leave a trail of both."""
    begin = time.monotonic()
    about = {
        **_about(event),
        "check": action.check,
        "service": action.service,
        "action": f"restart {action.service}",
    }
    trail.audit("remediation", "started", cluster, {**about, "reason": action.reason})
    with concurrent.futures.ThreadPoolExecutor(max_workers=1) as aside:
        # Restarting a local service takes no address from anyone, so the peers' health does not
        # decide; but whoever reads the trail wants to know how bad it was.
        asking = aside.submit(_peer_states, event, pillar)
        failure = _restart_and_verify(action)
        about["seconds"] = round(time.monotonic() - begin, 3)
        about["peers"] = asking.result()
    result = "failed" if failure else "succeeded"
    reason = failure or f"{action.check} passes again"
    trail.audit("remediation", result, cluster, {**about, "reason": reason})
    if failure:
        alert = alerting.needs_you(event, cluster, about["action"], failure)
        trail.tell(alert, {**_about(event), "to": "escalated"}, reason)
    return {"result": result, "reason": reason}


def _restart_and_verify(action):
    """None when the check passes afterwards, else why not."""
    node, instance = action.minion, action.instance
    done = _master().ask_one(node, "service.restart", RESTART_SECONDS, name=action.service)
    if done is not True:
        return f"service.restart {action.service}: {answering.last_line(done)}"
    deadline = time.monotonic() + VERIFY_SECONDS
    while True:
        checks = _master().ask_one(node, "keepalived.checks", CONFIRM_SECONDS, instance=instance)
        if reacting.check_passes(checks, action.check):
            return None
        if time.monotonic() >= deadline:
            return f"{action.check} still fails {VERIFY_SECONDS} s after the restart"
        time.sleep(0.5)


def _peer_states(event, pillar):
    nodes = membership.peers(pillar, event.id)
    try:
        accepted = [node for node in nodes if _master().is_accepted(node)]
        answers = _master().ask(accepted, "keepalived.status", PEER_SECONDS)
    except salt.exceptions.SaltException as error:
        log.warning("keepalived: the peers of %s could not be asked: %s", event.id, error)
        answers = {}
    said = {node: answer.said for node, answer in answers.items()}
    return reacting.peer_states(nodes, said, event.instance)


def _reject(kind, tag, event, reason):
    mark = hash((str(tag), str(event), reason))
    with _WARNED_LOCK:
        level = logging.DEBUG if mark in _WARNED else logging.WARNING
        _WARNED.append(mark)
    shown = events.quote_for_log(tag)
    log.log(level, "keepalived: no %s for an event: %s; its tag: %s", kind, reason, shown)
    return {"kind": kind, "result": "rejected", "reason": reason}


# --- the trail -------------------------------------------------------------------------------


def _about(event):
    return {
        "incident": event.key,
        "minion": event.id,
        "instance": event.instance,
        "to": event.to,
        "event_time": event.time,
    }


def _trail():
    return keepalived_trail.Trail(__opts__)


def _master():
    return keepalived_master.Master(__opts__, __salt__)
