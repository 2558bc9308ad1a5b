"""
How the clusters are wired, as a picture
========================================

``salt-run keepalived.topology`` draws instances, addresses, sync groups, nodes and what they track,
and who owns what now.
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

from keepalived_core.check import wiring
from keepalived_core.cluster import topology as drawing
from keepalived_core.cluster import topology_draw
from keepalived_core.node import files

__virtualname__ = "keepalived"

# A picture holds no secret, and a web server may have to read it.
MODE = 0o644


def __virtual__():
    return __virtualname__


def topology(cluster=None, format="text", out=None, now=True):
    """
    How the clusters are wired and who owns what now, as a tree, an SVG or a Mermaid graph.

    cluster (str, optional)
        Only this one (pillar ``keepalived:cluster``).
    format (str)
        ``text`` (default): a tree for a terminal.  ``svg``: a picture that needs no other file and
        follows the reader's light or dark screen.  ``mermaid``: a flowchart for Markdown.
    out (str, optional)
        A file on the master, by its absolute path, that is to hold it; a reader of the file never
        sees half of it.  By default it is printed.
    now (bool)
        Ask the nodes who owns what (default).  False draws from the pillar alone, and asks none.

    Nodes, priorities and tracks are those of the pillars, compiled now; a node that does not answer
    is ``unknown``.  The exit status is 0, 1 when a pillar or an argument is wrong or there is no
    such cluster, 3 when no node could be asked.  docs/topology.md has the schema of ``--out=json``.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.topology
        salt-run keepalived.topology controllers format=svg out=/srv/www/controllers.svg
        salt-run keepalived.topology now=False --out=json
    """
    try:
        path = _checked(format, out, now)
    except ValueError as mistake:
        return keepalived_master.complaint(mistake)
    master = keepalived_master.Master(__opts__, __salt__)
    clusters, message = master.clusters(cluster)
    pillars = keepalived_master.pillars_of(master, clusters)
    nodes = ",".join(node for found in pillars.values() for node in found)
    addresses = __salt__["mine.get"](nodes, "keepalived.addresses", "list") if nodes else {}
    answers = None
    if now:
        asked = {each.node for found in clusters.values() for each in found if each.accepted}
        try:
            answers = master.ask(asked, "keepalived.status", ANSWER_SECONDS)
        except salt.exceptions.SaltException as error:
            return keepalived_master.complaint(error, retcode=3)
    wired = wiring.wiring_of_clusters(pillars, addresses)
    data = {**drawing.topology(wired, answers, time.time()), "format": format, "out": None}
    if path is not None and not message:
        try:
            files.write_atomically(path, topology_draw.draw(data), MODE)
        except OSError as error:
            return keepalived_master.complaint(f"out={out!r} cannot be written: {error.strerror}")
        data["out"], message = str(path), f"Written: {path}"
    return {"outputter": "keepalived", "data": {**data, "message": message}}


def _checked(format, out, now):
    if format not in drawing.FORMATS:
        raise ValueError(f"format={format!r} is none of {', '.join(drawing.FORMATS)}")
    if not isinstance(now, bool):
        raise ValueError(f"now={now!r} is neither True nor False")
    return None if out is None else keepalived_master.target(out)
