"""
Keep quiet during a maintenance
===============================

``silence``, ``unsilence`` and ``silences``: while a cluster is silenced nobody is told of it and
nothing is done by itself; what is wrong when that ends is told then.  docs/remediation.md has
more.
"""

from __future__ import annotations

import logging
import sys
import time

import salt.utils.user

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master", "keepalived_trail")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master
import keepalived_trail

from keepalived_core.cluster import alert_incident, clock, policy
from keepalived_core.cluster import ledger as ledgers
from keepalived_core.cluster import silence as silencing
from keepalived_core.cluster.store_file import StoreError
from keepalived_core.cluster.store_read import Reader

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"

# So many rows of the trail are searched for alerts that were kept back.
_TRAIL = 5000


def __virtual__():
    return __virtualname__


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
    try:
        return _tell_of_ended(trail)
    except ledgers.LedgerError as error:
        log.error("keepalived: what is wrong after a maintenance is not told: %s", error)
        return []


# --- beneath ---


def _tell_of_ended(trail):
    said = []
    for number, ended in trail.ledger.take_ended_silences(time.time()):
        verdicts, incidents = _wrong(ended.cluster)
        wrong, text = silencing.after(ended, verdicts, incidents, _kept_back(trail, ended))
        about = {"incident": None, "minion": None, "instance": ended.cluster, "to": "silence"}
        if wrong:
            alert = alert_incident.maintenance_over(ended.cluster, text, wrong, time.time())
            trail.tell(alert, {**about, "incident": alert.incident}, text)
        else:
            trail.audit("silence", "over", ended.cluster, {**about, "reason": text})
        # after it was told: one who dies before this leaves it to the next
        trail.ledger.close_silence(number)
        said.append(text)
    return said


def _wrong(cluster):
    """What is wrong in a cluster now: its instances' verdicts, and its open incidents."""
    said = __salt__["keepalived.status"](cluster)["data"]
    incidents = []
    try:
        reader = Reader.open(keepalived_master.timeline_path(__opts__))
        if reader is not None:
            with reader:
                incidents = reader.incidents(cluster, policy.MANY, True)
    except StoreError as error:
        log.error("keepalived: the hub's file cannot be read: %s", error)
    # without clusters nobody could be asked: that is no good news either
    tables = said.get("clusters") or [
        {"instances": [{"instance": cluster, "verdict": "unknown", "reason": said["message"]}]}
    ]
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
