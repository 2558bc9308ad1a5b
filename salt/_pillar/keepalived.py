"""
Give each node of a keepalived cluster the key that it signs its events with
===========================================================================

.. code-block:: yaml

    # /etc/salt/master.d/keepalived.conf; the state keepalived.master writes it
    ext_pillar:
      - keepalived: {}

A minion that has the pillar key ``keepalived`` gets ``keepalived_event_key: {key, id}``, made
from the master's secret and the minion's own id, which Salt has authenticated.  The secret stays
on the master (docs/keys.md).  When it is missing or cannot be read, the pillar has an error and
no state runs: an unsigned node is never the result of a mistake.
"""

from __future__ import annotations

import logging
import sys

# A running master still holds the library it imported before sync_all: drop it, import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core import signing
from keepalived_core.cluster import secret as secrets

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def ext_pillar(minion_id, pillar):
    """
    Return the key of this minion, or nothing for one that is in no cluster.

    minion_id (str)
        The minion that asks.
    pillar (dict)
        What it has from the other sources.  With ``ext_pillar_first: True`` that is nothing yet,
        and it gets no key.

    Raises ``SecretError``, which Salt turns into an error of the whole pillar.
    """
    if not isinstance(pillar.get("keepalived"), dict):
        return {}
    known = secrets.read(secrets.location(__opts__))
    key = secrets.node_keys(known, minion_id)[0]
    return {"keepalived_event_key": {"key": key, "id": signing.key_id(key)}}
