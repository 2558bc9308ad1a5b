"""
Let VRRP through firewalld
==========================

VRRP is IP protocol 112, not a port, and on firewalld's default backend (nftables) a direct ACCEPT
rule does not let it in. This module gives the zones of the VRRP interfaces rich rules that do:
one protocol and one group address (multicast) or one peer (unicast) each. What to open follows
from this node's pillar (``keepalived.vrrp_instances``). Nothing is reloaded; what was opened is
written down in ``/var/lib/salt-keepalived/firewall.json``, so that exactly that can be closed.

All functions raise CommandExecutionError when firewalld refuses or the pillar is wrong.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from salt.exceptions import CommandExecutionError

# A running minion still holds the library it imported before sync_all: drop it, import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core.node import openings
from keepalived_core.node.firewalld import Firewalld, FirewallError

__virtualname__ = "keepalived_firewall"

# Twice what D-Bus gives firewalld to answer (25 s).
TIMEOUT_SECONDS = 50

Answer = dict[str, Any]


def __virtual__() -> str:
    return __virtualname__


def check() -> Answer:
    """
    Say whether firewalld lets this node's VRRP in; changes nothing.

    Returns ``{"ok", "firewalld": absent|stopped|running, "enabled", "backend": nftables|iptables,
    "openings": [rich rule], "missing": {place: {zone: [rich rule]}}, "stale": {zone: [rich
    rule]}}``. ``stale``: opened earlier and no longer needed (see ``close_stale``).

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_firewall.check
    """
    with _errors():
        return openings.check(_firewalld(), _instances(), _enabled)


def plan() -> Answer:
    """
    What ``allow_vrrp`` would add; changes nothing.

    Returns ``{"result", "comment", "changes": {place: {"old": None, "new": {zone: [rich
    rule]}}}}``; ``place`` is runtime or permanent.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_firewall.plan
    """
    return allow_vrrp(test=True)


def allow_vrrp(test: bool = False) -> Answer:
    """
    Let the adverts of this node's instances in, now and after a restart; only adds.

    test (bool)
        Only say what would be added.

    Returns the same as ``plan``. Where firewalld is not installed, or neither runs nor starts at
    boot, nothing is done.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_firewall.allow_vrrp
    """
    with _errors():
        return _plain(openings.allow(_firewalld(), _instances(), _enabled, test))


def disallow_vrrp(test: bool = False) -> Answer:
    """
    Close what ``allow_vrrp`` opened, and nothing else; refused while keepalived runs here, for a
    node that hears no adverts makes itself master.

    test (bool)
        Only say what would be removed.

    Returns ``{"result", "comment", "changes": {place: {"old": {zone: [rich rule]}, "new":
    None}}}``.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_firewall.disallow_vrrp test=True
    """
    with _errors():
        return _plain(openings.disallow(_firewalld(), _keepalived_runs, test))


def close_stale(test: bool = False) -> Answer:
    """
    Close what was opened earlier and this node's pillar no longer needs, such as the peer that
    left. For use when every node runs the new configuration.

    test (bool)
        Only say what would be removed.

    Returns the same as ``disallow_vrrp``.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived_firewall.close_stale test=True
    """
    with _errors():
        return _plain(openings.close_stale(_firewalld(), _instances(), test))


def _instances() -> list[dict[str, Any]]:
    if "keepalived.vrrp_instances" not in __salt__:
        raise CommandExecutionError(
            "the module keepalived is not there: run saltutil.sync_all; if that does not help, the "
            "minion's log says why it does not load"
        )
    return __salt__["keepalived.vrrp_instances"]()


def _enabled() -> bool:
    return bool(__salt__["service.enabled"]("firewalld"))


def _keepalived_runs() -> bool:
    """Without the program nothing of it can be running."""
    try:
        return bool(__salt__["keepalived.version"]()["running"])
    except CommandExecutionError:
        return False


def _firewalld() -> Firewalld:
    run = functools.partial(
        __salt__["cmd.run_all"], python_shell=False, ignore_retcode=True, timeout=TIMEOUT_SECONDS
    )
    return Firewalld(run)


def _plain(outcome: openings.Outcome) -> Answer:
    return {
        "result": outcome.result,
        "comment": outcome.comment,
        "changes": outcome.changes,
    }


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except FirewallError as error:
        raise CommandExecutionError(str(error)) from error
