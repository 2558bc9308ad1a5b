"""
A node's keepalived: what happened
==================================

The transitions that this node has recorded, and what brings them to the master.  The fields of
an event are described in the beacon ``keepalived``.
"""

from __future__ import annotations

import sys

from salt.exceptions import CommandExecutionError

# A running minion still holds what it imported before sync_all: drop it, import the new.
[
    sys.modules.pop(n)
    for n in list(sys.modules)
    if n.partition(".")[0] in ("keepalived_core", "keepalived_node")
]

from keepalived_node import Errors, Node, plain

from keepalived_core.node import beacon, install, poller, process, spool
from keepalived_core.node import journal as journals
from keepalived_core.node.paths import DEFAULT as PATHS

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def journal(last=20, since=None, instance=None):
    """
    The transitions this node has recorded, oldest first.

    last (int)
        How many at most.
    since (str, optional)
        Only those at or after this time (RFC 3339).
    instance (str, optional)
        Only those of this instance or sync group.

    Returns a list of events as the beacon ``keepalived`` describes them.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.journal
        salt '*' keepalived.journal last=5 instance=VI_PUBLIC
    """
    with Errors():
        return journals.journal(PATHS, last=int(last), since=since, instance=instance)


def journal_rows(stream_id=None, after=0, limit=1000):
    """
    Rows as they are stored and signed, for the hub; not for people (see ``journal``).

    stream_id (str, optional)
        The stream to read; of another one than the node's there is nothing.  Without: the newest
        rows.
    after (int)
        Only rows with a ``seq`` above this.
    limit (int)
        How many at most, up to 10000.

    Returns a list of events, the oldest first.  Its last entry is a heartbeat (``to`` is
    ``heartbeat``): ``stream_id`` and ``seq`` of the newest event, ``first`` of the oldest one
    that is still here.  The list is empty when the node has recorded nothing yet.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.journal_rows limit=1
        salt n1 keepalived.journal_rows 0f0c4d4a7f7e4d7bb1d2c1c9f7d0a6b5 after=41 limit=10
    """
    with Errors():
        return journals.rows(PATHS, stream_id, int(after), int(limit))


def beacon_read(limit=500):
    """
    Hand the next unsent events to the beacon; not for people (see ``journal``).

    Where no watch runs this looks for what changed since the last call, and records it.

    limit (int)
        How many at most.

    CLI Example:

    .. code-block:: bash

        salt-call --local keepalived.beacon_read 1
    """
    problem = None
    try:
        poller.poll(PATHS, _identity)
    except (spool.SpoolError, OSError) as err:
        problem = err
    rows = beacon.beacon_rows(PATHS, int(limit), process.self_id())
    if problem is not None and not rows:
        raise CommandExecutionError(f"nobody watches, and what changes cannot be kept: {problem}")
    return rows


def watch_install(test=False):
    """
    Deploy library, settings, event key, run-time directory and FIFO of the watch service.

    test (bool)
        Only say which files would change.

    The key comes from the pillar that the master's ``_pillar/keepalived.py`` makes; a node
    without it keeps the one it has.  Returns the list of changed files.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.watch_install test=True
    """
    node = Node(__opts__, __pillar__, __salt__)
    with Errors():
        return install.install(
            PATHS,
            cluster=node.pillar.get("cluster") or "",
            minion=node.id,
            test=bool(test),
            key=_key(),
        )


def _identity():
    node = Node(__opts__, __pillar__, __salt__)
    return poller.Identity(node.id, node.pillar.get("cluster"), _key())


def _key():
    given = plain(__pillar__.get("keepalived_event_key"))
    return given.get("key") if isinstance(given, dict) else None
