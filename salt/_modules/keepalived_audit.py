"""
A node's part in an audit
=========================

What ``salt-run keepalived.audit`` asks of each node.  Reads only; all knowledge is in the library
``keepalived_core``.
"""

from __future__ import annotations

import sys

# A running minion still holds what it imported before sync_all: drop it, import the new.
[
    sys.modules.pop(n)
    for n in list(sys.modules)
    if n.partition(".")[0] in ("keepalived_core", "keepalived_node")
]

from keepalived_node import Node

from keepalived_core import audit_facts as gathering
from keepalived_core.check import describe as describing
from keepalived_core.node.paths import DEFAULT as PATHS

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def audit_facts():
    """
    What this node knows that an audit of its cluster needs; reads only, and never raises.

    Takes as long as its slowest instance needs for one advert (``advert_int``, at most 5 s), for
    it looks whether adverts come in.  Returns ``{"schema", "node", "version", "file", "running",
    "not_loaded", "plan", "firewall", "links", "sysctl", "binds", "managers", "missing"}``; a fact
    that could not be had is None, and ``missing`` says why: ``{fact: reason}``.  No secret and
    nothing made from one is in it.  docs/audit.md describes each.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.audit_facts
    """
    node = Node(__opts__, __pillar__, __salt__)
    found = gathering.Gathered()
    found.add("version", lambda: _version(__salt__["keepalived.version"]()))
    found.add("plan", lambda: _plan(__salt__["keepalived.plan"]()))
    mark = describing.marker()
    # Where that fails, the plan has said why.
    desired = gathering.Gathered().add("pillar", lambda: node.desired()[0])
    file = found.add("file", lambda: gathering.written(PATHS, desired, mark))
    runs = found.add("running", lambda: gathering.running(PATHS))
    if runs is not None:
        found.add("not_loaded", lambda: gathering.not_loaded(PATHS, runs))
    found.add("firewall", lambda: __salt__["keepalived_firewall.check"]())
    around = gathering.host((file or {}).get("instances") or ())
    return {
        "schema": gathering.SCHEMA,
        "node": node.id,
        **found.facts,
        **around.facts,
        "missing": {**found.missing, **around.missing},
    }


def _version(said):
    return {key: said[key] for key in ("version", "json", "lost_protection")}


def _plan(said):
    """Without the text of the change: only what it does."""
    change = said["change"] or {}
    return {
        "action": said["action"],
        "kind": change.get("kind"),
        "reasons": change.get("reasons") or [],
    }
