"""
What happens in the clusters, as it happens
===========================================

``salt-run keepalived.live`` shows the status once, and then each transition and each incident as
the master's engine ``keepalived_hub`` stores it.
"""

from __future__ import annotations

import json
import os
import sys
import time

import salt.exceptions

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master

from keepalived_core.cluster import hub_view, table
from keepalived_core.cluster import live as following
from keepalived_core.cluster.store_file import StoreError
from keepalived_core.cluster.store_read import Reader

__virtualname__ = "keepalived"

# Seconds between two looks into the hub's file.
PAUSE = 0.25


def __virtual__():
    return __virtualname__


def live(cluster=None, seconds=None):
    """
    The status once, then each transition and incident as it comes, until Ctrl-C.

    cluster (str, optional)
        Only this one (pillar ``keepalived:cluster``).
    seconds (float, optional)
        End by itself after so long.

    Reads what the hub stores, four times a second, and asks the nodes only for the status at the
    beginning.  With ``--out=json`` each line is a JSON document: the status, then one for each
    transition and incident, and ``{}`` at the end (docs/topology.md).  The exit status is 0, 1 for
    a wrong argument, 3 when no hub runs or it stopped meanwhile.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.live
        salt-run keepalived.live controllers seconds=60 --out=json
    """
    try:
        end = None if seconds is None else time.monotonic() + _seconds(seconds)
    except ValueError as mistake:
        return keepalived_master.complaint(mistake)
    try:
        reader = Reader.open(keepalived_master.timeline_path(__opts__))
        if reader is None:
            return keepalived_master.no_hub(__opts__, retcode=3)
        with reader:
            problem = hub_view.why_not(reader, time.time())
            if problem is not None:
                return keepalived_master.complaint(f"Nothing to follow: {problem}.", retcode=3)
            # From here on nothing is missed: what comes while the nodes are asked is shown after.
            follower = following.Follower(reader, None if cluster is None else str(cluster))
            return _follow(reader, follower, cluster, end)
    except (StoreError, salt.exceptions.SaltException) as error:
        return keepalived_master.complaint(error, retcode=3)
    except BrokenPipeError:
        # Whoever read it has closed it (| head): that is an end like another, and what Salt still
        # wants to print must not fail for it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return _ended()
    except (KeyboardInterrupt, SystemExit):
        # salt-run makes the second of Ctrl-C, and would print a traceback for either.
        return _ended()


def _follow(reader, follower, cluster, end):
    _, message = keepalived_master.Master(__opts__, __salt__).clusters(cluster)
    if message is not None:
        return keepalived_master.complaint(message)
    show = _as_json if _is_json() else _as_text
    show(__salt__["keepalived.status"](cluster)["data"])
    while end is None or time.monotonic() < end:
        for item in follower.poll():
            show(item)
        problem = hub_view.why_not(reader, time.time())
        if problem is not None:
            return keepalived_master.complaint(f"Nothing more to follow: {problem}.", retcode=3)
        time.sleep(PAUSE)
    return _ended()


def _as_json(item):
    print(json.dumps(item), flush=True)


def _as_text(item):
    color = _color()
    if item["kind"] == "status":
        print(table.render(item, color=color), flush=True)
    else:
        print(following.line(item, table.Painter(color).paint), flush=True)


def _color():
    if not __opts__.get("color") or "NO_COLOR" in os.environ:
        return False
    return bool(__opts__.get("force_color")) or sys.stdout.isatty()


def _seconds(seconds):
    wrong = f"seconds={seconds!r} is no number of seconds above 0"
    if isinstance(seconds, bool):
        raise ValueError(wrong)
    try:
        found = float(seconds)
    except (TypeError, ValueError):
        raise ValueError(wrong) from None
    if not 0 < found < float("inf"):
        raise ValueError(wrong)
    return found


def _ended():
    # All was said already; what Salt's json outputter makes of {} is one line too.
    data = {} if _is_json() else {"kind": "message", "message": None, "retcode": 0}
    return {"outputter": "keepalived", "data": data}


def _is_json():
    return __opts__.get("output") == "json"
