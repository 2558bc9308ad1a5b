"""
Keep rules, chains and passthroughs in firewalld's direct interface
===================================================================

.. code-block:: yaml

    vrrp-multicast:
      firewalld_direct.present:
        - ipv: ipv4
        - table: filter
        - chain: INPUT
        - priority: 0
        - args: -i eth1 -d 224.0.0.0/8 -j ACCEPT

is ``firewall-cmd --direct --add-rule ipv4 filter INPUT 0 -i eth1 -d 224.0.0.0/8 -j ACCEPT``, once
for the runtime and once for the permanent configuration, each only where the rule is missing.
Nothing is reloaded and what others put there stays. Runtime comes first: a rule that the kernel
refuses is not made permanent, because firewalld then could not load its configuration at the next
start. While firewalld is installed but stopped, only the permanent part can be done.
"""

from __future__ import annotations

from typing import Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

__virtualname__ = "firewalld_direct"


def __virtual__() -> str | tuple[bool, str]:
    if "firewalld_direct.ensure" not in __salt__:
        return False, "the module firewalld_direct is not there: run saltutil.sync_all"
    return __virtualname__


def present(
    name: str,
    kind: str = "rule",
    ipv: str | None = None,
    table: str | None = None,
    chain: str | None = None,
    priority: int | None = None,
    args: str | list[str] | None = None,
    permanent: bool | None = None,
    **unknown: Any,
) -> dict[str, Any]:
    """
    The rule, chain or passthrough is there.

    name
        Any name.
    kind
        ``rule`` (the default: needs ipv, table, chain, priority, args), ``chain`` (ipv, table,
        chain) or ``passthrough`` (ipv, args).
    ipv, table, chain, priority, args, permanent
        As in the execution module ``firewalld_direct``.

    Returns the usual state dictionary; ``changes`` is ``{"runtime": {"old": None, "new": words},
    "permanent": {...}}`` with the parts that changed. An unknown parameter is an error.
    """
    given = {
        "ipv": ipv,
        "table": table,
        "chain": chain,
        "priority": priority,
        "args": args,
        **unknown,
    }
    return _ensure(name, kind, given, permanent, True)


def absent(
    name: str,
    kind: str = "rule",
    ipv: str | None = None,
    table: str | None = None,
    chain: str | None = None,
    priority: int | None = None,
    args: str | list[str] | None = None,
    permanent: bool | None = None,
    **unknown: Any,
) -> dict[str, Any]:
    """
    The rule, chain or passthrough is not there. Parameters and return as in ``present``.

    .. code-block:: yaml

        old-rule:
          firewalld_direct.absent:
            - ipv: ipv4
            - table: filter
            - chain: INPUT
            - priority: 0
            - args: [-i, eth1, -d, 224.0.0.0/8, -j, ACCEPT]
    """
    given = {
        "ipv": ipv,
        "table": table,
        "chain": chain,
        "priority": priority,
        "args": args,
        **unknown,
    }
    return _ensure(name, kind, given, permanent, False)


def _ensure(
    name: str, kind: str, given: dict[str, Any], permanent: bool | None, wanted: bool
) -> dict[str, Any]:
    try:
        outcome = __salt__["firewalld_direct.ensure"](
            kind, wanted, permanent, bool(__opts__["test"]), **given
        )
    except (CommandExecutionError, SaltInvocationError) as error:
        outcome = {"result": False, "changes": {}, "comment": str(error)}
    if outcome["result"] is False:  # the formula's name is the pillar path
        outcome["comment"] = f"{name}: {outcome['comment']}"
    return {"name": name, **outcome}
