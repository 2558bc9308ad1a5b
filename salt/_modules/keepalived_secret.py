"""
The secret behind the signatures of events, for the minion that runs beside the master
======================================================================================

For the state ``keepalived_minion.event_secret``; a person uses ``salt-run keepalived.key_init``.
"""

from __future__ import annotations

import pwd
import sys
from pathlib import Path

# A running minion still holds the library it imported before sync_all: drop it, import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core.cluster import secret as secrets

# Beside the other verbs about Salt's own daemons; that file also runs by itself, without a library.
__virtualname__ = "keepalived_minion"


def __virtual__():
    return __virtualname__


def event_secret(test=False):
    """
    Make the master's secret, if there is none yet.

    test (bool)
        Only say.

    It belongs to the user that the master of this machine runs as.  Returns the path of a file
    that was (or would be) made, None when it was there already.  Raises CommandExecutionError
    when it cannot be made, or when the one that is there is of no use.

    CLI Example:

    .. code-block:: bash

        salt master keepalived_minion.event_secret
    """
    import salt.config
    from salt.exceptions import CommandExecutionError

    main = Path(__opts__["conf_file"]).with_name("master")
    settings = salt.config.master_config(str(main))
    path = secrets.location(settings)
    try:
        if path.exists():
            secrets.read(path)
            return None
        if not test:
            user = pwd.getpwnam(settings["user"])
            secrets.create(path, (user.pw_uid, user.pw_gid))
    except KeyError:
        raise CommandExecutionError(
            f"{main}: there is no user {settings['user']!r} to own {path}"
        ) from None
    except secrets.SecretError as err:
        raise CommandExecutionError(str(err)) from None
    return str(path)
