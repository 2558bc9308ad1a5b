"""
Tables for what ``keepalived.status`` and the runner's verbs return
===================================================================

``salt-run keepalived.status`` (``timeline``, ``incidents``, ``reach``, ``audit`` and so on) chooses
it by itself; ``--out=json`` and every other ``--out`` print the plain data instead.  For what the
nodes say:

.. code-block:: bash

    salt '*' keepalived.status --out=keepalived

Colours are used on a terminal only, and neither with ``--no-color`` nor when the environment
has NO_COLOR (https://no-color.org).
"""

from __future__ import annotations

import os
import pathlib
import shutil
import sys

import salt.loader

# A long-running process still holds the library it imported before sync_all: import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

# Salt puts _utils on the path for all kinds of modules, only not for outputters.
_PATH = list(sys.path)
sys.path += [
    str(pathlib.Path(__file__).resolve().parents[1] / name) for name in ("_utils", "utils")
]
try:
    from keepalived_core.check import reach_table
    from keepalived_core.cluster import (
        alert_view,
        audit_table,
        hub_table,
        incident_table,
        rollout_table,
        silence,
        table,
        topology_draw,
    )
    from keepalived_core.cluster.report import plain
    from keepalived_core.pillar import importing
finally:
    sys.path[:] = _PATH

# By the kind that a verb of the master returns: what makes the lines.
_LINES = {
    "alert_test": alert_view.tested_screen,
    "alerts": alert_view.screen,
    "audit": audit_table.screen,
    "explain": incident_table.explanation,
    "failover_test": audit_table.failover,
    "hub_status": hub_table.screen,
    "incidents": incident_table.screen,
    "report": plain.written,
    "rollout": rollout_table.screen,
    "silences": silence.screen,
}

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def output(data, **kwargs):
    """
    Render the return of a keepalived verb as a table.

    data
        What the verb returned; from minions, ``{minion: what it returned}``.

    Returns the text.  Data that is of no keepalived verb (an error, say) is rendered as Salt's
    ``nested`` outputter does.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.status --out=keepalived
    """
    kind = data.get("kind") if isinstance(data, dict) else None
    if isinstance(kind, str) and kind in _LINES:
        return "\n".join(_LINES[kind](data, table.Painter(_color())))
    if kind == "reach":
        return reach_table.screen(data, color=_color())
    if kind == "topology":
        return topology_draw.screen(data, color=_color(), ascii_only=not _has_unicode())
    if kind == "metrics":
        return data["out"] or data["text"].rstrip("\n")
    pasted = importing.pasted(data)
    if pasted is not None:
        return pasted
    text = table.render(data, color=_color(), width=shutil.get_terminal_size((100, 24)).columns)
    if text is None:
        return salt.loader.outputters(__opts__)["nested"](data)
    return text


def _color():
    if not __opts__.get("color") or "NO_COLOR" in os.environ or __opts__.get("output_file"):
        return False
    return bool(__opts__.get("force_color")) or sys.stdout.isatty()


def _has_unicode():
    return (getattr(sys.stdout, "encoding", None) or "").lower().replace("-", "") == "utf8"
