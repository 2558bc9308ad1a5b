"""
All that is known of the clusters, as one page
==============================================

``salt-run keepalived.report`` writes one HTML file that needs nothing beside itself: who holds
which address, the timeline, incidents, audit and numbers.  docs/report.md shows it.
"""

from __future__ import annotations

import sys
import time

import salt.exceptions

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master
from keepalived_master import ANSWER_SECONDS

from keepalived_core.cluster import clock, hub_view
from keepalived_core.cluster import ledger as ledgers
from keepalived_core.cluster.report import document, known, plain
from keepalived_core.cluster.report import sheet as sheets
from keepalived_core.cluster.store_file import StoreError
from keepalived_core.cluster.store_read import Reader
from keepalived_core.node import files

__virtualname__ = "keepalived"

# It holds no secret, but names, addresses and what went wrong are not for everybody.
MODE = 0o640
# So many reactions are searched for those to the incidents.
TRAIL = 2000


def __virtual__():
    return __virtualname__


def report(out=None, cluster=None, since="30d", ask=True):
    """
    Write one HTML page of the clusters: who holds what, timeline, incidents, audit, numbers.

    out (str)
        The file on the master, by its absolute path; a reader of it never sees half of it.  Mode
        0640.  It needs no other file, and its reader's browser asks nobody for anything.
    cluster (str, optional)
        Only this one (pillar ``keepalived:cluster``).
    since (str)
        The time it shows: a span back from now (``90s``, ``15m``, ``2h``, ``3d``; default ``30d``)
        or a UTC time (``2026-11-22T03:04:05Z``).
    ask (bool)
        Ask the nodes what is true now, and audit them (default).  False takes what the hub heard
        last, and asks none.

    Timeline, incidents and numbers are the hub's.  Where none runs, the page has what the nodes say
    now and their own journals.  The exit status is 0 when the page was written, 1 when an argument
    or a pillar is wrong, there is no such cluster or nothing to show, and 3 when it was written
    without what the nodes say now, because they could not be asked.  docs/report.md has the schema
    of ``--out=json``.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.report out=/srv/www/keepalived.html
        salt-run keepalived.report out=/root/controllers.html cluster=controllers since=7d
        salt-run keepalived.report out=/srv/www/keepalived.html ask=False
    """
    now = time.time()
    try:
        if out is None:
            raise ValueError("out is missing: give the absolute path of the file to write")
        path = keepalived_master.target(out)
        begin = clock.since(since, now)
        if begin >= now:
            raise ValueError(f"since={since!r} is not in the past")
        if not isinstance(ask, bool):
            raise ValueError(f"ask={ask!r} is neither True nor False")
    except ValueError as mistake:
        return keepalived_master.complaint(mistake)
    # it says, too, when there is no such cluster
    wiring = __salt__["keepalived.topology"](cluster, now=False)["data"]
    if not wiring.get("clusters"):
        return keepalived_master.complaint(wiring["message"])
    nodes = {
        each["cluster"]: [node["node"] for node in each["nodes"]] for each in wiring["clusters"]
    }
    notes = []
    told = _from_hub(nodes, begin, now, notes)
    status, audit = _from_nodes(cluster, notes) if ask else (None, None)
    if told is None:
        if status is None:
            return keepalived_master.complaint(
                " ".join([*notes, "Nothing to show: no node was asked, and there is no hub."])
            )
        told = {"timelines": _journals(nodes, begin, now, notes), "found": None, "hub": None}
    notes += known.notes(told["timelines"])
    data = sheets.sheet(
        wiring=wiring, status=status, audit=audit, begin=begin, now=now, notes=notes, **told
    )
    text = document.html(data, plain.screen(status, wiring))
    try:
        files.write_atomically(path, text, MODE)
    except OSError as error:
        return keepalived_master.complaint(f"out={out!r} cannot be written: {error.strerror}")
    done = sheets.summary(data, str(path), len(text.encode()), unasked=ask and status is None)
    return {"outputter": "keepalived", "data": done}


def _from_hub(nodes, begin, now, notes):
    """What the hub's file has; None when there is none, or it cannot be read."""
    path = keepalived_master.timeline_path(__opts__)
    try:
        trail = ledgers.Ledger(path.with_name("react.db")).trail(TRAIL)
    except ledgers.LedgerError as error:
        trail = []
        notes.append(f"What was done about incidents is not known: {error}.")
    try:
        reader = Reader.open(path)
        if reader is None:
            return None
        with reader:
            if "alive" not in reader.hub():
                notes.append("The hub has not begun yet.")
                return None
            told = known.of_hub(reader, nodes, begin, now, trail)
            problem = hub_view.why_not(reader, now)
    except StoreError as error:
        notes.append(f"What the hub knows cannot be read: {error}.")
        return None
    if problem:
        notes.append(f"{problem[0].upper()}{problem[1:]}: timeline and incidents may not be all.")
    return told


def _from_nodes(cluster, notes):
    """What the nodes say now, and what an audit of them finds; None for what could not be had."""
    found = []
    for verb, kind in (("status", "status"), ("audit", "audit")):
        try:
            data = __salt__[f"keepalived.{verb}"](cluster)["data"]
        except salt.exceptions.SaltException as error:
            data = {"message": str(error)}
        if data.get("kind") != kind:
            notes.append(f"The nodes could not be asked ({verb}): {data.get('message')}")
            data = None
        found.append(data)
    return found


def _journals(nodes, begin, now, notes):
    master = keepalived_master.Master(__opts__, __salt__)
    members = {node for found in nodes.values() for node in found}
    accepted = [node for node in sorted(members) if master.is_accepted(node)]
    notes.append("There is no hub: the timeline is from the nodes' own journals.")
    asked = {"last": hub_view.PERIOD_ROWS, "since": clock.render(begin)}
    try:
        answers = master.ask(accepted, "keepalived.journal", ANSWER_SECONDS, **asked)
    except salt.exceptions.SaltException as error:
        notes.append(f"The nodes could not be asked for their journals: {error}")
        answers = {}
    return known.of_nodes(nodes, answers, begin, now)
