"""
A node's part in a rollout
==========================

What ``salt-run keepalived.rollout`` and its kin ask of a node beside ``plan``, ``apply``,
``commit`` and ``put_back``.  Not for people, except ``planned``.
"""

from __future__ import annotations

import sys

from salt.exceptions import CommandExecutionError, SaltInvocationError

# A running minion still holds the library it imported before sync_all: drop it, import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core.node import apply as applying
from keepalived_core.node import appointment
from keepalived_core.node import planned as marking
from keepalived_core.node.paths import DEFAULT as PATHS

__virtualname__ = "keepalived"


def __virtual__():
    return __virtualname__


def planned(seconds=None, reason="planned by hand"):
    """
    Mark what happens on this node in the next seconds as planned: nothing reacts to it.

    seconds (float, optional)
        For how long, at most a day; 0 ends it; without it nothing is changed.
    reason (str)
        Why.

    Returns ``{"until", "reason"}`` of the mark in force, or None.

    CLI Example:

    .. code-block:: bash

        salt controller1 keepalived.planned 600 reason='new switch'
        salt controller1 keepalived.planned 0
    """
    try:
        if seconds is not None and float(seconds) == 0:
            marking.end(PATHS)
        elif seconds is not None:
            marking.begin(float(seconds), str(reason), paths=PATHS)
    except (TypeError, ValueError) as err:
        raise SaltInvocationError(str(err)) from err
    except OSError as err:
        raise CommandExecutionError(str(err)) from err
    mark = marking.active(PATHS)
    return mark and {"until": mark.until, "reason": mark.reason}


def live_sum():
    """
    The sha256 of keepalived.conf as it stands, None when there is none.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.live_sum
    """
    try:
        return applying.digest(str(PATHS.config))
    except OSError as err:
        raise CommandExecutionError(str(err)) from err


def waits_for():
    """
    The second (since the epoch) at which a ``keepalived.commit`` here will reload, or None.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.waits_for
    """
    return appointment.waits_for(PATHS)


def call_off(at):
    """
    A ``keepalived.commit`` that waits for the second *at* shall not reload.

    at (int)
        Seconds since the epoch.

    Returns True.

    CLI Example:

    .. code-block:: bash

        salt '*' keepalived.call_off 1795339530
    """
    try:
        appointment.call_off(int(at), PATHS)
    except (TypeError, ValueError) as err:
        raise SaltInvocationError(f"at={at!r} is no second") from err
    except OSError as err:
        raise CommandExecutionError(str(err)) from err
    return True
