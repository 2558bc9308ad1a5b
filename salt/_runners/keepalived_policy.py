"""
Act on incidents with judgement
===============================

``react_incident`` is what ``keepalived.react`` does with the hub's events.  docs/remediation.md has
the pillar, the guards and what is never done.

All judgement is in the library ``keepalived_core.cluster``; this module asks and acts.
"""

from __future__ import annotations

import logging
import pathlib
import sys
import time

import salt.exceptions

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master", "keepalived_trail")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master
import keepalived_trail

from keepalived_core import policy_pillar, signing
from keepalived_core.cluster import (
    alert_incident,
    clock,
    hub_view,
    incident_event,
    policy,
    policy_run,
    react,
)
from keepalived_core.cluster import ledger as ledgers
from keepalived_core.cluster import secret as secrets
from keepalived_core.cluster.event import Rejected
from keepalived_core.cluster.journal import Journal, JournalError, Locked
from keepalived_core.cluster.store_file import StoreError
from keepalived_core.cluster.store_read import Reader

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"

# The hub's events have neither minion nor stream: these stand in their place.
_HUB, _ONCE = "//hub", 0


def __virtual__():
    return __virtualname__


# --- incidents --------------------------------------------------------------------------------


def react_incident(kind, tag, event):
    """
    React to an event of the hub about an incident; ``keepalived.react`` calls it.

    kind (str)
        ``alert``: tell people.  ``remediate``: do what the pillar allows (``keepalived:policy``).
    tag (str)
        The event's tag, ``keepalived/<cluster>/<kind>/<opened|updated|resolved>``.
    event (dict or str)
        The event's data, or its JSON text.

    The event must bear the hub's signature, and counts once.  Returns ``{"kind", "result",
    "reason", "incident"}`` as ``keepalived.react`` does.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.react_incident alert keepalived/c/no_master/opened "$(cat event.json)"
    """
    incident = incident_event.validate_incident(tag, event, _hub_keys())
    if isinstance(incident, Rejected):
        return {"kind": kind, "result": "rejected", "reason": incident.reason}
    word = tag.rpartition("/")[2]
    reaction = _alert if kind == "alert" else _remediate
    try:
        result = reaction(incident, word)
    except ledgers.LedgerError as error:
        # Without it nothing keeps an action from being done twice: then better not once.
        log.error("keepalived: no %s for %s: %s", kind, incident["id"], error)
        result = {"result": "failed", "reason": str(error)}
    return {"kind": kind, "incident": incident["id"], **result}


def _alert(incident, word):
    if word == "updated":
        return {"result": "ignored"}
    trail = _trail()
    claim = alert_incident.claim_of(incident, word)
    about = {**alert_incident.about(incident), "to": word}
    silent = alert_incident.why_silent(incident, word)
    if silent:
        return trail.keep_back(str(incident["cluster"]), about, silent, claim)
    alert = alert_incident.compose(incident, word, time.time())
    return trail.tell(alert, about, alert.subject, claim)


def _remediate(incident, word):
    if word != "opened":
        return {"result": "ignored"}
    trail, master = _trail(), _master()
    cluster = str(incident["cluster"])
    what = f"remediate {incident['kind']}"
    if not trail.ledger.claim(_HUB, incident["id"], _ONCE, what, time.time()):
        return {"result": "duplicate"}
    clusters, _ = master.clusters(cluster)
    nodes = [each.node for each in clusters.get(cluster, ()) if each.accepted]
    world = _World(master, trail, incident)
    problem = None
    allowed = policy_pillar.Policy()
    if not nodes:
        problem = "no accepted minion's pillar names this cluster"
    else:
        allowed, problem = _policy_of(master, nodes[0])
    if problem:
        world.record("skipped", {**alert_incident.about(incident), "reason": problem})
        world.escalate("nothing was done", problem)
        return {"result": "skipped", "reason": problem}
    remedy = policy_run.Remedy(
        incident,
        allowed,
        nodes,
        trail.ledger,
        world,
        agrees=lambda node: _policy_of(master, node) == (allowed, None),
    )
    folder = pathlib.Path(__opts__["cachedir"]) / "keepalived" / "rollout"
    try:
        with Journal(folder, cluster).locked(
            "the policy", f"a reaction to {incident['id']}", clock.render(time.time())
        ):
            done = remedy.run(lambda statuses: _facts(incident, trail, statuses))
    except (Locked, JournalError) as why:
        world.record("skipped", {**alert_incident.about(incident), "reason": str(why)})
        return {"result": "skipped", "reason": str(why)}
    return {"result": done.result, "reason": done.reason}


def _policy_of(master, node):
    """A node's policy as its pillar has it now, and what is wrong with it or None."""
    pillar = master.compiled_pillar(node)
    if react.broken(pillar):
        return policy_pillar.Policy(), f"the pillar of {node} does not compile"
    own = pillar.get("keepalived")
    found, mistakes = policy_pillar.read(own.get("policy") if isinstance(own, dict) else None)
    wrong = "; ".join(f"keepalived:{path}: {reason}" for path, reason in mistakes[:3])
    return found, f"the pillar of {node}: {wrong}" if wrong else None


def _facts(incident, trail, statuses):
    now = time.time()
    cluster = str(incident["cluster"])
    state = failing = None
    try:
        reader = Reader.open(keepalived_master.timeline_path(__opts__))
        if reader is not None:
            with reader:
                if hub_view.why_not(reader, now) is None:
                    open_now = reader.incidents(None, policy.MANY, True)
                    failing = policy.failing(open_now, cluster, now)
                    state = policy.state_of(reader.incidents_named(incident["id"]), incident)
    except StoreError as error:
        log.error("keepalived: the hub's file cannot be read: %s", error)
    return policy.Facts(statuses, state, failing, trail.ledger.silence_of(cluster, now))


class _World:
    """The nodes, asked through Salt; the trail; people."""

    def __init__(self, master, trail, incident):
        self._master = master
        self._trail = trail
        self._incident = incident

    def ask(self, nodes, fun, timeout, **kwarg):
        try:
            return self._master.ask(nodes, fun, timeout, **kwarg)
        except salt.exceptions.SaltException as error:
            log.warning("keepalived: %s could not be asked for %s: %s", nodes, fun, error)
            return {}

    def now(self):
        return time.time()

    def sleep(self, seconds):
        time.sleep(seconds)

    def record(self, what, data):
        self._trail.audit("remediation", what, str(self._incident["cluster"]), data)

    def escalate(self, what, reason):
        alert = alert_incident.escalation(self._incident, what, reason)
        about = {**alert_incident.about(self._incident), "to": "escalated"}
        self._trail.tell(alert, about, f"{what}: {reason}")


# --- beneath ----------------------------------------------------------------------------------


def _hub_keys():
    """With which the hub of this master may have signed; none without a secret."""
    path = secrets.location(__opts__)
    try:
        known = secrets.read(path)
    except (secrets.SecretError, OSError) as error:
        log.error("keepalived: no incident can be believed: %s", error)
        return ()
    return tuple(signing.node_key(each.value, incident_event.HUB_ID) for each in known)


def _trail():
    return keepalived_trail.Trail(__opts__)


def _master():
    return keepalived_master.Master(__opts__, __salt__)
