"""
What happened in the clusters, and how the hub that knows it is
===============================================================

``salt-run keepalived.timeline`` reads what the master's engine ``keepalived_hub`` has stored;
where none runs, it asks the nodes for their journals and says so.
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

from keepalived_core.cluster import clock, hub_view, lanes
from keepalived_core.cluster import timeline as timelines
from keepalived_core.cluster.store_file import StoreError
from keepalived_core.cluster.store_read import Reader

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def timeline(cluster=None, last=20, since=None, settled=False, source=None):
    """
    The transitions of all nodes in one order, and how long each address had no owner.

    cluster (str, optional)
        Only this one.
    last (int)
        How many rows at most, the newest; with ``since`` all of that time are shown.
    since (str, optional)
        Only from then on: a span (``90s``, ``15m``, ``2h``, ``3d``) or a UTC time
        (``2026-11-22T03:04:05Z``).
    settled (bool)
        Leave out flashes: transitions that were taken back within an advert.  Only the hub knows.
    source (str, optional)
        ``hub``: what the engine ``keepalived_hub`` has stored.  ``nodes``: ask the nodes for their
        journals now.  By default the hub's, and the nodes' where no hub runs.

    Above the rows, each node and instance has a lane over the whole time: what it was when, as
    wide as the terminal (COLUMNS; 100 where there is none).  What nobody knows is blank.  Times are
    those of the nodes' clocks.  docs/events.md describes rows, words and lanes.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.timeline
        salt-run keepalived.timeline controllers since=2h settled=True
    """
    now = time.time()
    try:
        last = keepalived_master.count(last)
        begin = None if since is None else clock.since(since, now)
        if source not in (None, "hub", "nodes"):
            raise ValueError(f"source={source!r} is neither hub nor nodes")
        if not isinstance(settled, bool):
            raise ValueError(f"settled={settled!r} is neither True nor False")
    except ValueError as mistake:
        return keepalived_master.complaint(mistake)
    clusters, message = _master().clusters(cluster)
    members = [each for found in clusters.values() for each in found]
    nodes = [each.node for each in members]
    said = [] if message is None else [message]
    if source != "nodes":
        try:
            reader = Reader.open(keepalived_master.timeline_path(__opts__))
            try:
                problem = hub_view.why_not(reader, now)
                if reader is not None and (problem is None or source == "hub"):
                    data = hub_view.show_timeline(reader, nodes, last, begin, now, settled)
                    said += [] if problem is None else [f"{problem}: this may not be all"]
                    return _shown(data, said)
            finally:
                if reader is not None:
                    reader.close()
        except StoreError as error:
            problem = str(error)
        if source == "hub":
            return keepalived_master.complaint(problem, retcode=2)
        said.append(f"Read from the nodes' own journals: {problem}.")
    if settled:
        return keepalived_master.complaint(
            "Without a hub nothing is settled: leave settled=True out"
        )
    asked = {"last": last}
    if begin is not None:
        last = hub_view.PERIOD_ROWS
        asked = {"last": last, "since": clock.render(begin)}
    accepted = [each.node for each in members if each.accepted]
    try:
        answers = _master().ask(accepted, "keepalived.journal", ANSWER_SECONDS, **asked)
    except salt.exceptions.SaltException as error:
        return keepalived_master.complaint(error)
    data = timelines.collect(nodes, answers, last, now, period=begin is not None)
    begin = clock.parse(data["cut"]) or begin
    # What a node was after its last row nobody knows here: no heartbeat is kept without a hub.
    drawn = lanes.lanes(data["rows"], data["vips"], {}, begin, now)
    found = {**data, "lanes": drawn, "source": "nodes", "age": 0.0, "flashes": [], "gaps": []}
    return _shown(found, said)


def hub_status():
    """
    How the hub is: what it stored, how far it is with each node, what it did not believe.

    ``lag`` counts rows that a node has written and the hub has not stored, ``missing`` those it
    went on without and still asks for, ``lost`` those that the node no longer has, ``dropped``
    those that the node itself could not keep.  ``states`` are each node's latest, with their age.
    The exit status is 0, 1 when rows are missing, 2 when no hub runs.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.hub_status
        salt-run keepalived.hub_status --out=json
    """
    clusters, message = _master().clusters(None)
    nodes = [each.node for found in clusters.values() for each in found]
    try:
        reader = Reader.open(keepalived_master.timeline_path(__opts__))
        if reader is None:
            return keepalived_master.no_hub(__opts__, retcode=2)
        with reader:
            data = hub_view.show_status(reader, nodes, time.time())
    except StoreError as error:
        return keepalived_master.complaint(error, retcode=2)
    return {"outputter": "keepalived", "data": {**data, "message": message}}


def _shown(data, said):
    message = " ".join(said) or None
    return {"outputter": "keepalived", "data": {**data, "retcode": 0, "message": message}}


def _master():
    return keepalived_master.Master(__opts__, __salt__)
