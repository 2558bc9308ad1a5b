"""
The secret behind the signatures of events: make it, replace it, look at it
==========================================================================

It never leaves the master, and no verb shows it.  docs/keys.md says how a replacement goes.
"""

from __future__ import annotations

import sys

from salt.exceptions import CommandExecutionError

# A running master still holds the library it imported before sync_runners: import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core.cluster import secret as secrets

__virtualname__ = "keepalived"

_HAND_OUT = (
    "salt -I 'keepalived:config:*' saltutil.refresh_pillar wait=True, then "
    "salt -I 'keepalived:config:*' keepalived.watch_install (or a highstate)"
)


def __virtual__():
    return __virtualname__


def key_init():
    """
    Make the master's secret, if there is none yet.

    Returns ``{"file", "secrets": [{"id", "made"}], "next"}``; what is there already is left as
    it is.  Raises CommandExecutionError when the file cannot be made or read.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.key_init
    """
    path = secrets.location(__opts__)
    try:
        secrets.create(path)
        return _told(path, secrets.read(path), f"hand out the keys: {_HAND_OUT}")
    except secrets.SecretError as err:
        raise CommandExecutionError(str(err)) from None


def key_rotate(drop_old=False):
    """
    Replace the master's secret, in two steps that lose no event.

    drop_old (bool)
        The second step: no new secret, but the old ones are forgotten.  What was signed with
        them, and not yet delivered, is not believed any more.

    The first step makes a new secret; keys made from the old ones stay good for signatures, so
    the nodes may get theirs whenever they next ask for pillar.  Returns ``{"file", "secrets":
    [{"id", "made"}], "next"}``, the newest first; ``next`` says what to do then.  Raises
    CommandExecutionError.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.key_rotate
        salt-run keepalived.key_rotate drop_old=True
    """
    path = secrets.location(__opts__)
    if not isinstance(drop_old, bool):
        raise CommandExecutionError(f"drop_old must be True or False, not {drop_old!r}")
    try:
        known = secrets.rotate(path, drop_old)
    except secrets.SecretError as err:
        raise CommandExecutionError(str(err)) from None
    if drop_old:
        return _told(path, known, "nothing: only the newest secret is believed")
    then = (
        f"hand out the keys: {_HAND_OUT}. When every node signs with the new one "
        "(keepalived.status says event_key), salt-run keepalived.key_rotate drop_old=True"
    )
    return _told(path, known, then)


def key_status():
    """
    Which secrets there are, and since when; nothing secret is shown.

    Returns ``{"file", "secrets": [{"id", "made"}], "next"}``, the newest first.

    CLI Example:

    .. code-block:: bash

        salt-run keepalived.key_status
    """
    path = secrets.location(__opts__)
    try:
        known = secrets.read(path)
    except secrets.SecretError as err:
        raise CommandExecutionError(str(err)) from None
    rotating = "salt-run keepalived.key_rotate drop_old=True once every node has the new key"
    return _told(path, known, rotating if len(known) > 1 else "nothing")


def _told(path, known, then):
    return {
        "file": str(path),
        "secrets": [{"id": one.id, "made": one.made} for one in known],
        "next": then,
    }
