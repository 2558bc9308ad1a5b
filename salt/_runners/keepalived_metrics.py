"""
All clusters as metrics for Prometheus
======================================

``salt-run keepalived.metrics`` writes what the hub knows, for a textfile collector on the master.
docs/metrics.md lists all metrics.
"""

from __future__ import annotations

import pathlib
import sys
import time

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master

from keepalived_core import exposition
from keepalived_core.cluster import hub_view, incident_view
from keepalived_core.cluster import metrics as measuring
from keepalived_core.cluster.store_file import StoreError
from keepalived_core.cluster.store_read import Reader
from keepalived_core.node import files

__virtualname__ = "keepalived"

# Open incidents that are looked at; more would be a disaster of another kind.
MANY = 10_000


def __virtual__():
    return __virtualname__


def metrics(out=None):
    """
    What the hub knows of all clusters as Prometheus text; no node is asked.

    out (str, optional)
        The file to write, in the directory of node_exporter's textfile collector; its name ends
        in ``.prom``.  It is replaced at once and readable by everybody (mode 0644).

    Prints the text, or with ``out`` the file's name.  The exit status is 0, 1 for a file that
    cannot be written, 3 when no hub ever ran here.  While the hub does not run the file still is
    written, with ``salt_keepalived_hub_up 0`` and no state of any node.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.metrics
        salt-run keepalived.metrics out=/var/lib/prometheus/node-exporter/keepalived_hub.prom
    """
    if out is not None and not (str(out).endswith(".prom") and str(out).startswith("/")):
        return keepalived_master.complaint(
            f"out={out!r} is no absolute path that ends in .prom: the textfile collector reads no "
            "other file"
        )
    now = time.time()
    try:
        reader = Reader.open(keepalived_master.timeline_path(__opts__))
        if reader is None:
            return keepalived_master.no_hub(__opts__, retcode=3)
        with reader:
            hub = hub_view.show_status(reader, (), now)
            shown = incident_view.show_incidents(reader, None, MANY, True, now)["incidents"]
    except StoreError as error:
        return keepalived_master.complaint(error, retcode=3)
    text = exposition.render(measuring.families(hub, shown, hub_view.SILENT, now))
    if out is None:
        return {"outputter": "keepalived", "data": {"kind": "metrics", "text": text}}
    try:
        files.write_atomically(pathlib.Path(out), text, mode=0o644)
    except OSError as error:
        return keepalived_master.complaint(f"out={out!r} cannot be written: {error.strerror}")
    return {"outputter": "keepalived", "data": {"kind": "message", "message": str(out)}}
