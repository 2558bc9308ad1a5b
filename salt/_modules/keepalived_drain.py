"""
Drain and undrain a node
========================

A drained node gives its virtual addresses to its peers, without a reload or a restart, and does
not take them back before it is undrained; not after a reboot either.  See docs/drain.md.
"""

from __future__ import annotations

import sys

from salt.exceptions import CommandExecutionError, SaltInvocationError

# A running minion still holds what it imported before sync_all: drop it, import the new.
[
    sys.modules.pop(n)
    for n in list(sys.modules)
    if n.partition(".")[0] in ("keepalived_core", "keepalived_node")
]

from keepalived_node import Errors, Node

from keepalived_core.node import drain as draining
from keepalived_core.node import drain_status as looking
from keepalived_core.node.paths import DEFAULT as PATHS

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def drain(reason=None, expires=None, mode="auto", force=False, peers_healthy=None, **kwargs):
    """
    Give this node's virtual addresses to its peers, and take none until ``undrain``.

    reason (str, optional)
        Why; status and the cluster's table show it.
    expires (str or int, optional)
        When it shall end by itself: a span (``90s``, ``2h``, ``1d``; a number is seconds) or an
        RFC 3339 time.  A time needs its date (``2026-11-22T18:00:00Z``; UTC without a zone): a bare
        ``18:00`` is a number to YAML, 1080, and so 18 minutes.
    mode (str)
        ``weight``: the priority becomes 1; the address moves when a peer has taken it, without a
        gap.  ``fault``: the instances go to FAULT; the address is released first, as when
        keepalived stops.  ``auto``: weight, but fault where the peers' ``nopreempt`` (or a
        ``preempt_delay`` above 30 s) keeps them from taking an address that is in use.
    force (bool)
        Drain also when no healthy peer takes over.  By weight the address then stays here until
        one does; by fault it is on no node.
    peers_healthy (dict, optional)
        ``{instance: bool}``: whether a peer is known to be ready.  The runner
        ``salt-run keepalived.drain`` fills it in; by fault nothing is drained without it.

    Returns ``{"drained", "mode", "since", "until", "reason", "instances": {name: {"before",
    "after"}}, "did"}``; ``before`` and ``after`` are states (MASTER, BACKUP, FAULT, STOP, None
    when keepalived does not answer).  Raises CommandExecutionError, with nothing changed, when
    no healthy peer took over or the running configuration does not track the drain file.

    CLI Example:

    .. code-block:: bash

        salt controller2 keepalived.drain reason='new disk' expires=2h
        salt controller2 keepalived.drain mode=fault force=True
    """
    who = _who(kwargs)
    with _errors():
        return draining.drain(
            reason=None if reason is None else str(reason),
            expires=expires,
            mode=mode,
            force=bool(force),
            peers_healthy=peers_healthy,
            peers=draining.peers_of(Node(__opts__, __pillar__, __salt__).peers()),
            who=who,
            paths=PATHS,
        )


def undrain(**kwargs):
    """
    End a drain: this node may take addresses again.

    Returns ``{"drained": False, "instances": {name: {"before", "after"}}, "did"}``; ``did`` is
    empty when the node was not drained.

    CLI Example:

    .. code-block:: bash

        salt controller2 keepalived.undrain
    """
    who = _who(kwargs)
    with _errors():
        return draining.undrain(who=who, paths=PATHS)


def drain_status():
    """
    Whether this node is drained, since when, why and until when.

    Returns ``{"drained", "mode", "since", "until", "reason", "who", "missing", "problem"}``.
    ``missing`` lists what the running configuration lacks for a drain (empty: nothing),
    ``problem`` says what is wrong with the drain file, or is None.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.drain_status
    """
    with _errors():
        return looking.status(PATHS)


def _who(kwargs):
    """Who asked for it, for the record.  Salt tells a job's user to functions with ``**kwargs``."""
    unknown = [name for name in kwargs if not name.startswith("__pub_")]
    if unknown:
        raise SaltInvocationError(f"no such argument: {', '.join(unknown)}")
    return str(kwargs.get("__pub_user") or __opts__.get("user") or "")


class _errors(Errors):
    """Turns the library's errors into Salt's."""

    def __exit__(self, kind, err, trace):
        if isinstance(err, draining.DrainError):
            raise CommandExecutionError(err.reason) from err
        return super().__exit__(kind, err, trace)
