"""
Keep a node drained, or not
===========================

.. code-block:: yaml

    waits-for-a-new-disk:
      keepalived.drained:
        - reason: new disk
        - expires: '2026-11-22T18:00:00Z'
"""

from __future__ import annotations

import sys
import time

from salt.exceptions import CommandExecutionError, SaltInvocationError

# A running minion still holds the library it imported before sync_all: drop it, import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core.node import drain_file

__virtualname__ = "keepalived"


def __virtual__():
    if "keepalived.drain" not in __salt__:
        return False, "the execution module keepalived_drain is not there: run saltutil.sync_all"
    return __virtualname__


def drained(name, reason=None, expires=None, mode="auto", force=False, peers_healthy=None):
    """
    This node's addresses are with its peers, and it takes none.

    name (str)
        Any name; the reason, when none is given.
    reason (str, optional)
        Why; status and the cluster's table show it.
    expires (str, optional)
        When it shall end by itself, best an RFC 3339 time: when that is over, the state does
        nothing.  A span (``2h``) counts from the run that drains; a later run neither prolongs it
        nor, while it lasts, changes it.
    mode (str)
        ``auto``, ``weight`` or ``fault``; see ``keepalived.drain``.
    force (bool)
        Also when no healthy peer takes over.
    peers_healthy (dict, optional)
        ``{instance: bool}``, as of ``keepalived.drain``.

    Returns the usual state dictionary; ``changes`` holds each instance's state before and after.
    The result is False, and nothing is drained, when no healthy peer took over.

    .. code-block:: yaml

        new disk:
          keepalived.drained:
            - expires: '2026-11-22T18:00:00Z'
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    reason = name if reason is None else reason
    try:
        until = drain_file.moment(expires, time.time())
        if until is not None and until <= time.time():
            ret["comment"] = f"the time of this drain ({expires}) is over: nothing is done"
            return ret
        now = __salt__["keepalived.drain_status"]()
        same_end = drain_file.is_span(expires) or drain_file.text(until) == now["until"]
        same = now["drained"] and now["reason"] == reason and mode in ("auto", now["mode"])
        if same and same_end and not now["problem"]:
            ret["comment"] = _drained(now)
            return ret
        if __opts__["test"]:
            ret["result"] = None
            ret["changes"] = {"drained": {"old": now["drained"], "new": True}}
            ret["comment"] = "this node would be drained" + _lacking(now["missing"])
            return ret
        done = __salt__["keepalived.drain"](
            reason=reason, expires=expires, mode=mode, force=force, peers_healthy=peers_healthy
        )
    except (CommandExecutionError, SaltInvocationError, ValueError) as err:
        ret["result"] = False
        ret["comment"] = str(err)
        return ret
    ret["changes"] = {"drained": {"old": now["drained"], "new": True}, **_moved(done)}
    ret["comment"] = f"{_drained(done)} {_sentence(done['did'])}"
    return ret


def undrained(name):
    """
    This node may take addresses.

    name (str)
        Any name.

    .. code-block:: yaml

        back-to-work:
          keepalived.undrained
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    try:
        now = __salt__["keepalived.drain_status"]()
        if not now["drained"]:
            ret["comment"] = "this node is not drained"
            return ret
        if __opts__["test"]:
            ret["result"] = None
            ret["changes"] = {"drained": {"old": True, "new": False}}
            ret["comment"] = "this node would be undrained"
            return ret
        done = __salt__["keepalived.undrain"]()
    except CommandExecutionError as err:
        ret["result"] = False
        ret["comment"] = str(err)
        return ret
    ret["changes"] = {"drained": {"old": True, "new": False}, **_moved(done)}
    ret["comment"] = _sentence(done["did"])
    return ret


def _drained(about):
    text = f"this node is drained ({about['mode']})"
    if about["until"]:
        text += f" until {about['until']}"
    return f"{text}: {about['reason']}." if about["reason"] else f"{text}."


def _lacking(missing):
    return f"; it could not: {'; '.join(missing)}" if missing else ""


def _moved(done):
    moved = {
        name: {"old": each["before"], "new": each["after"]}
        for name, each in done["instances"].items()
        if each["before"] != each["after"]
    }
    return {"instances": moved} if moved else {}


def _sentence(text):
    return text[:1].upper() + text[1:].rstrip(".") + "." if text else ""
