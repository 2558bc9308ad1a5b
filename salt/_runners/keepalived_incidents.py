"""
What went wrong in the clusters, and why
========================================

``salt-run keepalived.incidents`` and ``explain`` read what the master's engine ``keepalived_hub``
has made of the events of all nodes.  docs/incidents.md says what each kind means.
"""

from __future__ import annotations

import sys
import time

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master

from keepalived_core.cluster import hub_view, incident_checked, incident_view
from keepalived_core.cluster import ledger as ledgers
from keepalived_core.cluster.store_file import StoreError
from keepalived_core.cluster.store_read import Reader

__virtualname__ = "keepalived"

# So many reactions are searched for those to an incident; older ones are not shown with it.
TRAIL = 2000


def __virtual__():
    return __virtualname__


def incidents(cluster=None, last=20, open_only=False):
    """
    What went wrong, since when and why, the newest last; with the seconds that it cost.

    cluster (str, optional)
        Only this one (pillar ``keepalived:cluster``).
    last (int)
        How many at most, the newest.  Default 20.
    open_only (bool)
        Without those that are over.  Default False.

    A planned switchover, drain or rollout is no incident, nor is the overlap of a normal
    failback.  The exit status is 0 when none of those shown is open, 1 when one is, 2 when a split
    brain, a ghost VIP, no master or a hollow master is open, and 3 when nobody knows: no hub runs.
    The schema of ``--out=json`` is in docs/incidents.md.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.incidents
        salt-run keepalived.incidents controllers open_only=True --out=json
    """
    try:
        last = keepalived_master.count(last, "incidents")
        if not isinstance(open_only, bool):
            raise ValueError(f"open_only={open_only!r} is neither True nor False")
    except ValueError as mistake:
        return keepalived_master.complaint(mistake)
    now = time.time()
    return _read(
        now,
        lambda reader, trail: incident_view.show_incidents(
            reader, None if cluster is None else str(cluster), last, open_only, now, trail
        ),
    )


def explain(id, check=True):
    """
    One incident: its evidence row by row, what follows from it, and the next step that is safe.

    While it is open its cluster is audited besides, for what rows cannot tell: which member
    differs, whose firewall is shut, who hears whom.

    id (str)
        As ``salt-run keepalived.incidents`` shows it; its beginning is enough where no other one
        begins so.
    check (bool)
        Ask the nodes, when it is open.  Default True; False only reads what the hub has.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.explain i7f3a90c2d1
        salt-run keepalived.explain i7f3a90c2d1 check=False
        salt-run keepalived.explain i7f3a90c2d1 --out=json
    """
    if not isinstance(check, bool):
        return keepalived_master.complaint(ValueError(f"check={check!r} is neither True nor False"))
    now = time.time()
    said = _read(
        now,
        lambda reader, trail: incident_view.show_explanation(reader, str(id), now, trail),
    )
    incident = said["data"].get("incident")
    if check and incident and incident["state"] == "open":
        audited = __salt__["keepalived.audit"](incident["cluster"])["data"]
        said["data"]["checked"] = incident_checked.checked(incident, audited)
    return said


def _read(now, show):
    said = []
    path = keepalived_master.timeline_path(__opts__)
    try:
        trail = ledgers.Ledger(path.with_name("react.db")).trail(TRAIL)
    except ledgers.LedgerError as error:
        trail = []
        said.append(f"What was done about it is not known: {error}.")
    try:
        reader = Reader.open(path)
        if reader is None:
            return keepalived_master.no_hub(__opts__, retcode=3)
        with reader:
            data = show(reader, trail)
            problem = hub_view.why_not(reader, now)
    except StoreError as error:
        return keepalived_master.complaint(error, retcode=3)
    except LookupError as mistake:
        return keepalived_master.complaint(mistake)
    if problem:
        data = {**data, "retcode": 3}
        said.insert(0, f"{problem}: this may not be all.")
    return {"outputter": "keepalived", "data": {**data, "message": " ".join(said) or None}}
