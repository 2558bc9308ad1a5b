"""
A node's keepalived: change it
==============================

The verbs of ``salt '*' keepalived.VERB`` that plan a change, carry it out, and undo it.  The order
of operations, what is verified and what happens when it fails stand in docs/apply.md.
"""

from __future__ import annotations

import logging
import sys

from salt.exceptions import CommandExecutionError, SaltInvocationError

# A running minion still holds what it imported before sync_all: drop it, import the new.
[
    sys.modules.pop(n)
    for n in list(sys.modules)
    if n.partition(".")[0] in ("keepalived_core", "keepalived_node")
]

from keepalived_node import Errors, Node, installed

from keepalived_core import deploy as deploying
from keepalived_core import judge as judging
from keepalived_core.node import apply as applying
from keepalived_core.node import drain_file, process
from keepalived_core.node import pending as journal
from keepalived_core.node.paths import DEFAULT as PATHS

log = logging.getLogger(__name__)

__virtualname__ = "keepalived"
__func_alias__ = {"reload_": "reload"}


def __virtual__():
    return __virtualname__


def plan(path=None, config=None):
    """
    What ``keepalived.apply`` would do, without doing it.

    path (str, optional)
        The file to change; by default /etc/keepalived/keepalived.conf.
    config (dict, optional)
        Plan for this in the place of ``keepalived:config`` of the pillar.

    Returns ``{"action", "diff", "notes", "change", "live", "new", "refused"}``; ``action`` is
    ``nothing``, ``create``, ``form`` (other text, same meaning), ``change`` or ``finish`` (an
    earlier run was ended before its file was seen in force).  ``change`` is ``{"kind",
    "disruptive", "instances", "reasons"}`` or None: what it does to the running keepalived
    (docs/apply.md).  ``live`` and ``new`` are the sha256 of the file that stands there (None for
    none) and of the one that would.  ``refused`` says why ``keepalived.apply`` would not do it
    without ``allow_disruptive``; None when it would.  Raises when the pillar is wrong or
    keepalived would not take the file.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.plan
    """
    made = _plan(str(path or PATHS.config), config)
    return {
        "action": made.action,
        "diff": made.diff,
        "notes": made.notes,
        "change": made.change and made.change.to_data(),
        "live": made.live,
        "new": made.new,
        "refused": _refused(made),
    }


def apply(path=None, allow_disruptive=False, expect=None, reload="now", expect_new=None):
    """
    Bring keepalived.conf to what the pillar says, and the running daemon with it.

    path (str, optional)
        The file; by default /etc/keepalived/keepalived.conf.
    allow_disruptive (bool)
        Also carry out a change that moves an address, needs a restart, or makes two masters until
        the other nodes have it.  The pillar key ``keepalived:allow_disruptive`` does the same.
    expect (str, optional)
        sha256 of the file this was planned for (``live`` of ``keepalived.plan``); another file is
        refused.
    reload (str)
        ``now``, or ``no``: only put the file in place; ``keepalived.commit`` does the rest.
    expect_new (str, optional)
        sha256 of the file that was planned (``new`` of ``keepalived.plan``); when the pillar makes
        another one now, that is refused.

    The new file is judged, swapped in whole (0640 root) and, when its meaning changed and
    keepalived runs, reloaded and verified; otherwise the old file is put back.  Returns
    ``{"action", "diff", "reload", "restart", "backup", "did", "notes", "change"}``.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.apply
        salt '*' keepalived.apply allow_disruptive=True
    """
    reload = _when(reload)
    path = str(path or PATHS.config)
    with Errors(), deploying.alone(path, PATHS):
        drain_file.prepare(PATHS)
        made = _plan(path)
        pillar = _node().pillar
        allowed = bool(allow_disruptive or pillar.get("allow_disruptive", False))
        judging.check_expected(path, made, expect, expect_new)
        judging.check_allowed(made, allowed, pillar.get("cluster"), PATHS)
        done = deploying.carry_out(
            path, made, PATHS, reload=reload, restart=_restart, allowed=allowed
        )
        return {
            **done,
            "action": made.action,
            "diff": made.diff,
            "notes": made.notes + done["notes"],
            "change": made.change and made.change.to_data(),
        }


def commit(at=None):
    """
    Put in force what ``keepalived.apply reload=no`` has prepared, and verify it.

    at (int, optional)
        Seconds since the epoch: reload at the beginning of that second, the same on every node.
        By keepalived's own ``reload_time_file`` where the running configuration has it, otherwise
        by a SIGHUP in that second.

    Returns ``{"did", "reload"}``.  Raises CommandExecutionError when there is nothing prepared,
    when that second has passed, or with what was seen and where that left the node.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.commit
        salt '*' keepalived.commit at=1795339530
    """
    with Errors(), deploying.alone(str(PATHS.config), PATHS):
        return deploying.commit(PATHS, at=None if at is None else int(at), restart=_restart)


def put_back(backup=None, reload="now", sum=None):
    """
    Restore an earlier keepalived.conf, reload, and verify.

    backup (str, optional)
        The file to restore, as ``keepalived.apply`` returned it; by default the one of the change
        under way, or of the last one.
    reload (str)
        ``now``, or ``no``: only put the file in place.
    sum (str or list, optional)
        sha256 of the file that shall be restored (or several that it may have); without ``backup``
        the newest copy that has it is taken, and another one is refused.

    A put-back that failed or was killed is finished by the next: the file that stands there is
    brought into force.  Returns ``{"did", "reload", "backup"}``.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.put_back
    """
    reload = _when(reload)
    with Errors(), deploying.alone(str(PATHS.config), PATHS):
        return deploying.put_back(PATHS, backup=backup, reload=reload, restart=_restart, sum=sum)


def pending():
    """
    The change that is under way on this node: prepared, or left by a run that was ended.

    Returns None, or ``{"since", "path", "backup", "old", "new", "phase", "reason"}``; ``since``
    in seconds since the epoch, ``old`` and ``new`` the sha256 of the file before and after,
    ``phase`` one of ``swapping``, ``prepared``, ``reloading`` and ``returning`` (it failed, and
    the old file is being put back).

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.pending
    """
    found = journal.read(PATHS)
    return found and found.to_data()


def reload_():
    """
    Reload keepalived (SIGHUP) after the live file has passed the gate.

    Returns ``{"pid", "instances", "notes"}``.  Raises CommandExecutionError when it does not run,
    the file would harm it, or an instance fails after the reload.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.reload
    """
    if process.find(PATHS) is None:
        raise CommandExecutionError("keepalived is not running: there is nothing to reload")
    version = installed().tuple
    with Errors(), deploying.alone(str(PATHS.config), PATHS):
        return deploying.reload_as_it_stands(PATHS, version)


# --- beneath ---------------------------------------------------------------------------------


def _node():
    return Node(__opts__, __pillar__, __salt__)


def _when(reload):
    """``now`` or ``no``; a plain no (yes) on a command line or in YAML arrives as False (True)."""
    if isinstance(reload, bool):
        return "now" if reload else "no"
    if reload not in ("now", "no"):
        raise SaltInvocationError(f"reload is now or no, not {reload!r}")
    return reload


def _refused(made):
    pillar = _node().pillar
    try:
        judging.check_allowed(
            made, bool(pillar.get("allow_disruptive", False)), pillar.get("cluster"), PATHS
        )
    except applying.ApplyError as err:
        return err.reason
    return None


def _restart():
    try:
        done = __salt__["service.restart"]("keepalived")
    except CommandExecutionError as err:
        raise applying.ApplyError(f"keepalived could not be restarted: {err}") from err
    if done is False:
        raise applying.ApplyError(
            "keepalived could not be restarted; its log says why (journalctl -u keepalived)"
        )


def _plan(path, config=None):
    """The whole judgement: pillar, gate, comparison with the live file, and what it does."""
    node = _node()
    if config is not None:
        node.data = {**node.pillar, "config": config}
    tree, notes = node.desired()
    found = installed(node.version)
    with Errors():
        made = judging.plan(path, tree, found.tuple, node.peers, PATHS)
    made.notes = notes + made.notes
    return made
