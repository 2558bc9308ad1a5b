"""
firewalld's direct interface: rules, chains and passthroughs
============================================================

The part of ``firewall-cmd`` that Salt's own ``firewalld`` module leaves out. The runtime and the
permanent configuration are each asked and changed by a call of their own; nothing is reloaded,
``direct.xml`` is never written by us, and what others put there stays. While firewalld is
installed but stopped, the permanent part goes through ``firewall-offline-cmd``.

A direct rule alone does not let VRRP in on firewalld's default backend: see
``keepalived_firewall``.

Common parameters:

ipv
    ``ipv4``, ``ipv6`` or ``eb``.
table
    ``filter``, ``nat``, ``mangle``, ``raw`` or ``security``; for eb ``filter``, ``nat`` or
    ``broute``.
chain
    Name of a chain, at most 28 characters.
priority
    A whole number; 0 comes before 1.
args
    The words of iptables behind the chain, as one text (split as a shell would) or as a list.
permanent
    None (the default): the runtime and the permanent configuration; True: only the permanent
    one; False: only the runtime one.

All functions raise SaltInvocationError for a wrong parameter (every mistake is listed) and
CommandExecutionError when firewalld is not installed or refuses.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from salt.exceptions import CommandExecutionError, SaltInvocationError

# A running minion still holds the library it imported before sync_all: drop it, import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core.node import direct
from keepalived_core.node.firewalld import Firewalld, FirewallError

__virtualname__ = "firewalld_direct"

# Twice what D-Bus gives firewalld to answer (25 s).
TIMEOUT_SECONDS = 50

Answer = dict[str, Any]


def __virtual__() -> str:
    return __virtualname__


def add_rule(
    ipv: str,
    table: str,
    chain: str,
    priority: int,
    args: str | list[str],
    permanent: bool | None = None,
) -> Answer:
    """
    Add a direct rule where it is not yet.

    Returns ``{"runtime": {"old": held before?, "new": held now?}, "permanent": {...}}``, or the
    one asked for; old and new are None for the runtime part while firewalld is stopped.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.add_rule ipv4 filter INPUT 0 \\
            args='-i eth1 -d 224.0.0.0/8 -j ACCEPT'
    """
    return _change("rule", True, permanent, **_rule(ipv, table, chain, priority, args))


def remove_rule(
    ipv: str,
    table: str,
    chain: str,
    priority: int,
    args: str | list[str],
    permanent: bool | None = None,
) -> Answer:
    """
    Remove a direct rule where it is. Returns the same as ``add_rule``.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.remove_rule ipv4 filter INPUT 0 args='-i eth1 -j ACCEPT'
    """
    return _change("rule", False, permanent, **_rule(ipv, table, chain, priority, args))


def query_rule(
    ipv: str,
    table: str,
    chain: str,
    priority: int,
    args: str | list[str],
    permanent: bool | None = None,
) -> Answer:
    """
    Say where a direct rule is held.

    Returns ``{"runtime": bool, "permanent": bool}``, or the one asked for; None for the runtime
    part while firewalld is stopped.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.query_rule ipv4 filter INPUT 0 args='-i eth1 -j ACCEPT'
    """
    return _query("rule", permanent, **_rule(ipv, table, chain, priority, args))


def list_rules(permanent: bool | None = None) -> Answer:
    """
    All direct rules.

    Returns ``{"runtime": [{"ipv", "table", "chain", "priority", "args": [word, …]}],
    "permanent": [...]}``, or the one asked for; None for the runtime part while firewalld is
    stopped.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.list_rules permanent=True
    """
    return _list("rule", permanent)


def add_chain(ipv: str, table: str, chain: str, permanent: bool | None = None) -> Answer:
    """
    Add a chain for direct rules where it is not yet. Returns the same as ``add_rule``.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.add_chain ipv4 filter cluster
    """
    return _change("chain", True, permanent, ipv=ipv, table=table, chain=chain)


def remove_chain(ipv: str, table: str, chain: str, permanent: bool | None = None) -> Answer:
    """
    Remove a chain where it is; its rules must be gone. Returns the same as ``add_rule``.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.remove_chain ipv4 filter cluster
    """
    return _change("chain", False, permanent, ipv=ipv, table=table, chain=chain)


def query_chain(ipv: str, table: str, chain: str, permanent: bool | None = None) -> Answer:
    """
    Say where a chain is held. Returns the same as ``query_rule``.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.query_chain ipv4 filter cluster
    """
    return _query("chain", permanent, ipv=ipv, table=table, chain=chain)


def list_chains(permanent: bool | None = None) -> Answer:
    """
    All chains that were added to the direct interface.

    Returns ``{"runtime": [{"ipv", "table", "chain"}], "permanent": [...]}``; see ``list_rules``.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.list_chains
    """
    return _list("chain", permanent)


def add_passthrough(ipv: str, args: str | list[str], permanent: bool | None = None) -> Answer:
    """
    Add a passthrough (a whole iptables command that firewalld keeps) where it is not yet.
    Returns the same as ``add_rule``.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.add_passthrough ipv4 args='-A INPUT -i eth1 -j ACCEPT'
    """
    return _change("passthrough", True, permanent, ipv=ipv, args=args)


def remove_passthrough(ipv: str, args: str | list[str], permanent: bool | None = None) -> Answer:
    """
    Remove a passthrough where it is. Returns the same as ``add_rule``.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.remove_passthrough ipv4 args='-A INPUT -i eth1 -j ACCEPT'
    """
    return _change("passthrough", False, permanent, ipv=ipv, args=args)


def query_passthrough(ipv: str, args: str | list[str], permanent: bool | None = None) -> Answer:
    """
    Say where a passthrough is held. Returns the same as ``query_rule``.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.query_passthrough ipv4 args='-A INPUT -i eth1 -j ACCEPT'
    """
    return _query("passthrough", permanent, ipv=ipv, args=args)


def list_passthroughs(permanent: bool | None = None) -> Answer:
    """
    All passthroughs.

    Returns ``{"runtime": [{"ipv", "args": [word, …]}], "permanent": [...]}``; see
    ``list_rules``.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.list_passthroughs
    """
    return _list("passthrough", permanent)


def ensure(
    kind: str,
    present: bool = True,
    permanent: bool | None = None,
    test: bool = False,
    **given: Any,
) -> Answer:
    """
    What the states call: bring one entry to be there or not, and say what changed.

    kind (str)
        ``rule``, ``chain`` or ``passthrough``.
    present (bool)
        Shall it be there?
    test (bool)
        Only say what would change.
    given
        ipv, table, chain, priority, args, as the kind has them.

    Returns ``{"result", "comment", "changes": {place: {"old": words or None, "new": words or
    None}}}``. A refusal of firewalld is a False result, since one place may have changed before.

    CLI Example:

    .. code-block:: bash

        salt '*' firewalld_direct.ensure chain test=True ipv=ipv4 table=filter chain=cluster
    """
    given = {key: value for key, value in given.items() if not key.startswith("__")}
    with _errors():
        entry = direct.build(kind, **given)
        outcome = direct.ensure(_firewalld(), entry, present, permanent, test)
    return {"result": outcome.result, "comment": outcome.comment, "changes": outcome.changes}


def _rule(ipv: Any, table: Any, chain: Any, priority: Any, args: Any) -> dict[str, Any]:
    return {"ipv": ipv, "table": table, "chain": chain, "priority": priority, "args": args}


def _change(kind: str, present: bool, permanent: bool | None, **given: Any) -> Answer:
    with _errors():
        return direct.change(_firewalld(), direct.build(kind, **given), present, permanent)


def _query(kind: str, permanent: bool | None, **given: Any) -> Answer:
    with _errors():
        return direct.query(_firewalld(), direct.build(kind, **given), permanent)


def _list(kind: str, permanent: bool | None) -> Answer:
    with _errors():
        return direct.listed(_firewalld(), kind, permanent)


def _firewalld() -> Firewalld:
    run = functools.partial(
        __salt__["cmd.run_all"], python_shell=False, ignore_retcode=True, timeout=TIMEOUT_SECONDS
    )
    return Firewalld(run)


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except direct.DirectError as error:
        raise SaltInvocationError(str(error)) from error
    except FirewallError as error:
        raise CommandExecutionError(str(error)) from error
