"""
A node's metrics for Prometheus
===============================

``keepalived.metrics`` writes what node_exporter's textfile collector reads.  docs/metrics.md lists
all metrics and shows how to write them regularly.
"""

from __future__ import annotations

import pathlib
import sys
import time

import salt.exceptions

# A running minion still holds the library it imported before sync_modules: import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core import exposition
from keepalived_core.node import files
from keepalived_core.node import metrics as measuring
from keepalived_core.node import status as looking

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def metrics(out=None):
    """
    State, addresses, priorities and counters of this node as Prometheus text.

    out (str, optional)
        The file to write, in the directory of node_exporter's textfile collector; its name ends
        in ``.prom``.  It is replaced at once and readable by everybody (mode 0644).

    Returns the text, or with ``out`` the file's name.  Raises SaltInvocationError for a name that
    the collector would not read, CommandExecutionError when the file cannot be written.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.metrics
        salt '*' keepalived.metrics out=/var/lib/prometheus/node-exporter/keepalived.prom
    """
    if out is not None and not str(out).endswith(".prom"):
        raise salt.exceptions.SaltInvocationError(
            f"out={out!r} does not end in .prom: the textfile collector reads no other file"
        )
    now = time.time()
    status = looking.status(__opts__["id"], __pillar__.get("keepalived", {}).get("cluster"))
    text = exposition.render(measuring.families(status, now))
    if out is None:
        return text
    try:
        files.write_atomically(pathlib.Path(out), text, mode=0o644)
    except OSError as error:
        raise salt.exceptions.CommandExecutionError(f"{out}: {error.strerror}") from error
    return str(out)
