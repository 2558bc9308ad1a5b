"""
Act on incidents with judgement, and keep quiet during a maintenance
=====================================================================

``silence``, ``unsilence`` and ``silences`` are maintenance windows; ``react_incident`` is what
``keepalived.react`` does with the hub's events.  docs/remediation.md has the pillar, the guards
and what is never done.

All judgement is in the library ``keepalived_core.cluster``; this module asks and acts.
"""

from __future__ import annotations

import logging
import pathlib
import sys
import time

import salt.exceptions
import salt.utils.user

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master", "keepalived_trail")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master
import keepalived_trail
from keepalived_master import ANSWER_SECONDS

from keepalived_core import policy_pillar, signing
from keepalived_core.cluster import (
    alert_incident,
    clock,
    facts,
    hub_view,
    incident_event,
    policy,
    policy_run,
    react,
)
from keepalived_core.cluster import ledger as ledgers
from keepalived_core.cluster import secret as secrets
from keepalived_core.cluster import silence as silencing
from keepalived_core.cluster.event import Rejected
from keepalived_core.cluster.journal import Journal, JournalError, Locked
from keepalived_core.cluster.store_file import StoreError
from keepalived_core.cluster.store_read import Reader

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"

# The hub's events have neither minion nor stream: these stand in their place.
_HUB, _ONCE = "//hub", 0
# So many rows of the trail are searched for alerts that were kept back.
_TRAIL = 5000


def __virtual__():
    return __virtualname__


# --- maintenance ------------------------------------------------------------------------------


def silence(cluster, reason=None, test=False, **kwargs):
    """
    Begin a maintenance of a cluster: nobody is told, and nothing is done by itself.

    cluster (str)
        Its name.
    for (str)
        How long: ``90s``, ``30m``, ``2h``, ``1d`` (a number is seconds); 1 minute to 7 days.  It
        ends by itself then.
    reason (str)
        Why; ``silences`` and the trail show it.
    test (bool)
        Only say what would be.

    Events and incidents are recorded all the same, and alerts are kept back with the reason
    ``silenced until …``.  What is still wrong when it ends is told then.  Where one is in force
    already, the new one takes its place.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.silence controllers for=2h reason='new switch'
        salt-run keepalived.silence controllers for=2h reason='new switch' test=True
    """
    span = kwargs.pop("for", None)
    unknown = [name for name in kwargs if not name.startswith("__")]
    if unknown:
        return keepalived_master.complaint(
            f"silence takes no {unknown[0]}; it takes cluster, for, reason and test"
        )
    clusters, message = _master().clusters(cluster)
    if str(cluster) not in clusters:
        return keepalived_master.complaint(message)
    now = time.time()
    who = salt.utils.user.get_specific_user()
    try:
        wanted = silencing.begin(str(cluster), span, reason, who, now)
        if test:
            data = silencing.show([wanted], now)
            return _screen({**data, "message": "Nothing was changed: test=True."})
        _trail().ledger.silence(wanted)
    except (ValueError, ledgers.LedgerError) as mistake:
        return keepalived_master.complaint(mistake)
    _note("begun", wanted, who)
    return silences()


def unsilence(cluster):
    """
    End the maintenance of a cluster now; what is still wrong is told at once.

    cluster (str)
        Its name.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.unsilence controllers
    """
    now = time.time()
    ledger = _trail().ledger
    try:
        found = ledger.silence_of(str(cluster), now)
        if found is None:
            known = ", ".join(each.cluster for each in ledger.silences(now)) or "none"
            return keepalived_master.complaint(
                f"{cluster} is in no maintenance; silenced are: {known}"
            )
        ledger.unsilence(str(cluster), now)
    except ledgers.LedgerError as mistake:
        return keepalived_master.complaint(mistake)
    _note("ended", found, salt.utils.user.get_specific_user())
    said = silence_ended()
    return _screen({**silencing.show(ledger.silences(now), now), "message": " ".join(said) or None})


def silences():
    """
    The maintenance windows that are in force: until when, why, and who began them.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.silences
        salt-run keepalived.silences --out=json
    """
    now = time.time()
    try:
        return _screen({**silencing.show(_trail().ledger.silences(now), now), "message": None})
    except ledgers.LedgerError as mistake:
        return keepalived_master.complaint(mistake)


def silence_ended():
    """
    Tell what is still wrong in the clusters whose maintenance has ended, each once.

    The hub has it called when one ends.  Returns a list of what was said.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.silence_ended
    """
    trail = _trail()
    said = []
    for number, ended in trail.ledger.take_ended_silences(time.time()):
        verdicts, incidents = _wrong(ended.cluster)
        wrong, text = silencing.after(ended, verdicts, incidents, _kept_back(trail, ended))
        about = {"incident": None, "minion": None, "instance": ended.cluster, "to": "silence"}
        if wrong:
            alert = alert_incident.maintenance_over(ended.cluster, text, wrong, time.time())
            trail.escalate(alert, {**about, "incident": alert.incident}, text)
        else:
            trail.audit("silence", "over", ended.cluster, {**about, "reason": text})
        # after it was told: one who dies before this leaves it to the next
        trail.ledger.close_silence(number)
        said.append(text)
    return said


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
    return {"kind": kind, "incident": incident["id"], **reaction(incident, word)}


def _alert(incident, word):
    trail, now = _trail(), time.time()
    cluster = str(incident["cluster"])
    if word == "updated":
        return {"result": "ignored"}
    try:
        what = f"alert {incident['kind']} {word}"
        if not trail.ledger.claim(_HUB, incident["id"], _ONCE, what, now):
            return {"result": "duplicate"}
    except ledgers.LedgerError as error:
        # Told twice is better than not told.
        log.error("keepalived: an alert goes out without the ledger: %s", error)
    routes = trail.routes()
    silent = alert_incident.why_silent(incident, word, routes) or trail.silent(cluster, now)
    about = {**_about(incident), "to": word}
    if silent:
        trail.record("alert", "skipped", cluster, {**about, "reason": silent})
        return {"result": "skipped", "reason": silent}
    alert = alert_incident.compose(incident, word, now)
    return trail.tell(alert, routes, about, alert.text)


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
        world.record("skipped", {**_about(incident), "reason": problem})
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
        world.record("skipped", {**_about(incident), "reason": str(why)})
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
        about = {**_about(self._incident), "to": "escalated"}
        self._trail.escalate(alert, about, f"{what}: {reason}")


# --- beneath ----------------------------------------------------------------------------------


def _about(incident):
    return {
        "incident": incident["id"],
        "minion": None,
        "instance": incident["instance"],
        "event_time": incident["opened"],
        "incident_kind": incident["kind"],
    }


def _hub_keys():
    """With which the hub of this master may have signed; none without a secret."""
    path = secrets.location(__opts__)
    try:
        known = secrets.read(path)
    except (secrets.SecretError, OSError) as error:
        log.error("keepalived: no incident can be believed: %s", error)
        return ()
    return tuple(signing.node_key(each.value, incident_event.HUB_ID) for each in known)


def _wrong(cluster):
    """What is wrong in a cluster now: its instances' verdicts, and its open incidents."""
    now = time.time()
    master = _master()
    clusters, _ = master.clusters(cluster)
    nodes = [each.node for each in clusters.get(cluster, ()) if each.accepted]
    try:
        answers = master.ask(nodes, "keepalived.status", ANSWER_SECONDS)
    except salt.exceptions.SaltException as error:
        log.warning("keepalived: %s could not be asked: %s", cluster, error)
        answers = {}
    tables = facts.gather(clusters, answers, now)["clusters"]
    incidents = []
    try:
        reader = Reader.open(keepalived_master.timeline_path(__opts__))
        if reader is not None:
            with reader:
                incidents = reader.incidents(cluster, policy.MANY, True)
    except StoreError as error:
        log.error("keepalived: the hub's file cannot be read: %s", error)
    return [each for table in tables for each in table["instances"]], incidents


def _kept_back(trail, ended):
    return sum(
        row["kind"] == "alert"
        and row["what"] == "skipped"
        and row["cluster"] == ended.cluster
        and row["at"] >= ended.since
        and str(row.get("reason")).startswith(policy.SILENCED)
        for row in trail.ledger.trail(_TRAIL)
    )


def _note(what, found, who):
    about = {"incident": None, "minion": None, "instance": found.cluster, "to": "silence"}
    until = clock.render(found.until)
    reason = f"{found.reason} (by {who}, until {until})"
    _trail().audit("silence", what, found.cluster, {**about, "reason": reason})


def _screen(data):
    return {"outputter": "keepalived", "data": data}


def _trail():
    return keepalived_trail.Trail(__opts__)


def _master():
    return keepalived_master.Master(__opts__, __salt__)
