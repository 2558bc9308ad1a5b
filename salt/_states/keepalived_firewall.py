"""
Let VRRP through firewalld
==========================

.. code-block:: yaml

    keepalived-vrrp-allowed:
      keepalived_firewall.vrrp_allowed

See docs/firewall.md for what is opened and why the classic direct rule is not enough.
"""

from __future__ import annotations

from typing import Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

__virtualname__ = "keepalived_firewall"


def __virtual__() -> str | tuple[bool, str]:
    if "keepalived_firewall.allow_vrrp" not in __salt__:
        return False, "the module keepalived_firewall is not there: run saltutil.sync_all"
    return __virtualname__


def vrrp_allowed(name: str) -> dict[str, Any]:
    """
    firewalld lets in the adverts of the instances that the pillar gives this node, in its
    runtime and its permanent configuration. Only adds, reloads nothing.

    name
        Any name.

    Returns the usual state dictionary; ``changes`` is ``{"runtime": {"old": None, "new": {zone:
    [rich rule]}}, "permanent": {...}}`` with the parts that changed. Where firewalld is not
    installed, or neither runs nor starts at boot, the result is True and nothing is done.
    """
    return _do(name, "keepalived_firewall.allow_vrrp")


def vrrp_disallowed(name: str) -> dict[str, Any]:
    """
    What ``vrrp_allowed`` opened is closed; what others opened stays. Refused while keepalived
    runs on this node, for a node that hears no adverts makes itself master.

    name
        Any name.

    .. code-block:: yaml

        keepalived-vrrp-closed:
          keepalived_firewall.vrrp_disallowed
    """
    return _do(name, "keepalived_firewall.disallow_vrrp")


def _do(name: str, verb: str) -> dict[str, Any]:
    try:
        return {"name": name, **__salt__[verb](test=bool(__opts__["test"]))}
    except (CommandExecutionError, SaltInvocationError) as error:
        return {"name": name, "result": False, "changes": {}, "comment": str(error)}
