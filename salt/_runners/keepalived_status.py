"""
What is true of the clusters now
================================

``salt-run keepalived.status``: who claims each address, on whose interface it is, and who answers
for it.  All judgement is in the library ``keepalived_core.cluster``; docs/status.md explains the
screen.
"""

from __future__ import annotations

import logging
import sys
import time

import salt.exceptions

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master", "keepalived_trail")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master
import keepalived_trail

from keepalived_core.cluster import look as looking
from keepalived_core.cluster import status_hub
from keepalived_core.cluster.store_file import StoreError
from keepalived_core.cluster.store_read import Reader

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def status(cluster=None):
    """
    Who claims the addresses of each cluster, who really holds them, and who answers for them.

    cluster (str, optional)
        Only this one (pillar ``keepalived:cluster``).

    Members are those of the pillar (``keepalived:nodes``); each is asked now, and one that does
    not answer is ``unknown``.  One node that does not hold an address then asks the network who
    answers for it.  What is critical is looked at a second time before it is shown, which takes
    about two seconds more.  Where a hub runs, its open incidents are shown too.  Below all, the
    routes of alerts that fail (``salt-run keepalived.alerts``).

    The exit status is 0 (ok), 1 (degraded, flapping or mismatch), 2 (split brain, ghost VIP, no
    master, hollow master) or 3 (unknown).  docs/status.md explains the screen and has the schema
    of ``--out=json``.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.status
        salt-run keepalived.status cluster=controllers --out=json
    """
    world = _World(__opts__, __salt__)
    clusters, message = world.clusters(cluster)
    try:
        data = looking.look(world, clusters)
    except salt.exceptions.SaltException as error:
        return keepalived_master.complaint(error, retcode=3)
    alerts, problem = keepalived_trail.Trail(__opts__).trouble()
    said = " ".join(text for text in (message, world.problem, problem) if text)
    return {"outputter": "keepalived", "data": {**data, "alerts": alerts, "message": said or None}}


class _World(keepalived_master.Master):
    """This master, as the library looks at it.

    problem
        Why the hub's file cannot be read, or None.
    """

    problem = None

    def now(self):
        return time.time()

    def sleep(self, seconds):
        time.sleep(seconds)

    def hub(self):
        try:
            reader = Reader.open(keepalived_master.timeline_path(self.opts))
            if reader is None:
                return None
            with reader:
                return status_hub.read(reader, time.time())
        except StoreError as error:
            self.problem = f"What the hub knows cannot be read: {error}."
            return None
