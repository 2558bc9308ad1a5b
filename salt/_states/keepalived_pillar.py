"""
The keepalived pillar, judged before anything on the node is touched
====================================================================

.. code-block:: yaml

    keepalived-pillar-valid:
      keepalived_pillar.valid
"""

from __future__ import annotations

import sys
import time
from typing import Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

# A running minion still holds the library it imported before sync_all: drop it, import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core.pillar import sections

__virtualname__ = "keepalived_pillar"

# Long enough for the highstates of a new cluster, started together, to reach this state.
WAIT_SECONDS = 15


def __virtual__() -> str | tuple[bool, str]:
    if "keepalived.render" not in __salt__:
        return False, "the execution module keepalived is not there: run saltutil.sync_all"
    return __virtualname__


def valid(name: str) -> dict[str, Any]:
    """
    The pillar key ``keepalived`` can be applied on this node. Nothing is written.

    name
        Any name.

    Returns the usual state dictionary; when the result is False the comment lists every mistake
    with its pillar path.
    """
    mistakes = [
        f"{path}: {reason}" for path, reason in sections.check(__pillar__.get("keepalived"))
    ]
    try:
        __salt__["keepalived.render"]()
    except (CommandExecutionError, SaltInvocationError) as err:
        mistakes.insert(0, str(err))
    return {
        "name": name,
        "result": not mistakes,
        "changes": {},
        "comment": "\n".join(mistakes) or "the pillar can be applied on this node",
    }


def addresses_shared(name: str) -> dict[str, Any]:
    """
    With ``unicast_peer: auto``: this node's addresses are in the Salt mine, and so are those of
    the other nodes, waited for a few seconds (a new cluster's nodes come here at the same time).
    Who is still missing is named by ``valid``.

    name
        Any name.
    """
    ret: dict[str, Any] = {"name": name, "result": True, "changes": {}, "comment": ""}
    data = __pillar__.get("keepalived")
    nodes = data.get("nodes") if isinstance(data, dict) else None
    if not nodes or "auto" not in [
        body.get("unicast_peer") for body in _instances(data) if isinstance(body, dict)
    ]:
        ret["comment"] = "no unicast_peer: auto with keepalived:nodes, nothing to share"
        return ret
    mine = __salt__["keepalived.addresses"]()
    if _shared(nodes).get(__opts__["id"]) == mine:
        ret["comment"] = "the mine has this node's addresses"
        return ret
    ret["changes"] = {"mine": mine}
    ret["comment"] = "this node's addresses are in the mine"
    if __opts__["test"]:
        return {**ret, "result": None, "comment": "this node's addresses would go to the mine"}
    __salt__["mine.send"]("keepalived.addresses")
    deadline = time.monotonic() + WAIT_SECONDS
    while set(nodes) - set(_shared(nodes)) and time.monotonic() < deadline:
        time.sleep(1)
    return ret


def _instances(data: dict[str, Any]) -> list[Any]:
    config = data.get("config")
    found = config.get("vrrp_instance") if isinstance(config, dict) else None
    return list(found.values()) if isinstance(found, dict) else []


def _shared(nodes: Any) -> dict[str, Any]:
    names = ",".join(str(node) for node in nodes)
    return __salt__["mine.get"](names, "keepalived.addresses", "list") or {}
