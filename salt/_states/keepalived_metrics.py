"""
The library where a service of the formula runs it
==================================================

.. code-block:: yaml

    /usr/local/lib/salt-keepalived-hub:
      keepalived.copy_installed
"""

from __future__ import annotations

from salt.exceptions import CommandExecutionError

__virtualname__ = "keepalived"


def __virtual__():
    if "keepalived.install_library" not in __salt__:
        return False, "the execution module keepalived_metrics is not there: run saltutil.sync_all"
    return __virtualname__


def copy_installed(name):
    """
    A directory has the library of the version that this minion has loaded.

    name (str)
        The directory.

    .. code-block:: yaml

        /usr/local/lib/salt-keepalived-hub:
          keepalived.copy_installed
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": "it has this version"}
    try:
        changed = __salt__["keepalived.install_library"](name, test=__opts__["test"])
    except CommandExecutionError as err:
        return {**ret, "result": False, "comment": str(err)}
    if not changed:
        return ret
    verb = "would be" if __opts__["test"] else "were"
    return {
        **ret,
        "result": None if __opts__["test"] else True,
        "changes": {"files": changed},
        "comment": f"{len(changed)} files {verb} brought up to date",
    }
