"""
All clusters as metrics for Prometheus
======================================

``salt-run keepalived.metrics`` writes what the hub knows, for a textfile collector on the master.
docs/metrics.md lists all metrics.
"""

from __future__ import annotations

import sys
import time

# A running master still holds the library it imported before sync_runners: import the new.
_STALE = ("keepalived_core", "keepalived_master")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master

from keepalived_core import exposition, textfile
from keepalived_core.cluster import metrics_facts
from keepalived_core.cluster.store_file import StoreError

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def metrics(out=None):
    """
    What the hub knows of all clusters as Prometheus text; no node is asked.

    out (str, optional)
        The file to write, in the directory of node_exporter's textfile collector: an absolute path
        that ends in ``.prom``.  It is replaced at once and readable by everybody (mode 0644).

    Prints the text, or with ``out`` the file's name; as JSON
    ``{"kind": "metrics", "schema": 1, "text", "out", "retcode"}``.  The exit status is 0, 1 for a
    wrong ``out`` or a file that cannot be written, 3 when no hub ever ran here or its file cannot
    be read.  While the hub does not run the text still is written, with
    ``salt_keepalived_hub_up 0`` and no state of any node.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.metrics
        salt-run keepalived.metrics out=/var/lib/prometheus/node-exporter/keepalived_hub.prom
    """
    timeline = keepalived_master.timeline_path(__opts__)
    try:
        path = None if out is None else textfile.path_of(out)
        text = exposition.render(metrics_facts.gather(timeline, time.time()))
        if path is not None:
            textfile.write(path, text)
    except ValueError as error:
        return keepalived_master.complaint(f"out={error}")
    except StoreError as error:
        return keepalived_master.complaint(error, retcode=3)
    except OSError as error:
        return keepalived_master.complaint(f"out={out!r} cannot be written: {error.strerror}")
    data = {
        "kind": "metrics",
        "schema": 1,
        "text": text,
        "out": out,
        "retcode": 0 if timeline.exists() else 3,
    }
    return {"outputter": "keepalived", "data": data}
