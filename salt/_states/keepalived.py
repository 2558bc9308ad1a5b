"""
Keep a node's keepalived as its pillar says
===========================================

.. code-block:: yaml

    /etc/keepalived/keepalived.conf:
      keepalived.managed

The configuration comes from the pillar key ``keepalived`` (see docs/pillar.md).  A change is
judged by ``keepalived -t`` first, swapped in whole, reloaded and verified; what does not come
into force is put back.  A change that would move an address, need a restart, or make two masters
until the other nodes have it is refused, unless it is allowed (docs/apply.md).  With
``test=True`` nothing is written.
"""

from __future__ import annotations

from salt.exceptions import CommandExecutionError, SaltInvocationError

__virtualname__ = "keepalived"


def __virtual__():
    if "keepalived.plan" not in __salt__:
        return False, "the execution module keepalived is not there: run saltutil.sync_all"
    return __virtualname__


def managed(name, config_file=None, allow_disruptive=False):
    """
    Bring keepalived.conf to what the pillar says, and the running daemon with it.

    name (str)
        The file, by convention ``/etc/keepalived/keepalived.conf``.
    config_file (str, optional)
        The file, when the state's name shall be something else.
    allow_disruptive (bool)
        Also carry out a change that moves an address, needs a restart, or makes two masters until
        the other nodes have it.  ``salt-run keepalived.rollout`` carries those out without harm.

    Returns the usual state dictionary; ``changes`` holds ``diff`` (without secrets), ``change``
    (what it does to the running keepalived), ``reload``, ``restart`` and ``backup``.  The result
    is False, and the file untouched, when the pillar is wrong, keepalived would not take the file,
    or the change is not allowed; the comment says why.

    .. code-block:: yaml

        keepalived-config:
          keepalived.managed:
            - name: /etc/keepalived/keepalived.conf
    """
    path = config_file or name
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    try:
        plan = __salt__["keepalived.plan"](path)
        if plan["action"] == "nothing":
            ret["comment"] = _sentences(f"{path} is as the pillar says", plan["notes"])
            return ret
        if __opts__["test"]:
            ret["result"] = None
            ret["changes"] = _changes(plan)
            would = _WOULD[plan["action"]]
            if plan["refused"] and not allow_disruptive:
                # What a run without test=True would answer.
                ret["result"] = False
                ret["comment"] = plan["refused"]
                return ret
            if any(one["kind"] == "restart" for one in (plan["change"] or {}).get("reasons", [])):
                would = "would be changed and keepalived restarted"
            ret["comment"] = _sentences(f"{path} {would}", [*_effects(plan), *plan["notes"]])
            return ret
        done = __salt__["keepalived.apply"](path, allow_disruptive=allow_disruptive)
    except (CommandExecutionError, SaltInvocationError) as err:
        ret["result"] = False
        ret["comment"] = str(err)
        return ret
    ret["changes"] = _changes(done)
    ret["comment"] = _sentences(
        f"{path} {_DONE[done['action']]}", [done["did"], *_effects(done), *done["notes"]]
    )
    return ret


_WOULD = {
    "create": "would be created",
    "form": "would be rewritten; its meaning stays the same, so nothing would be reloaded",
    "change": "would be changed and keepalived reloaded",
    "finish": "stands already, but was never seen in force; it would be reloaded and verified",
}
_DONE = {
    "nothing": "is as the pillar says",
    "create": "was created",
    "form": "was rewritten; its meaning is the same",
    "change": "was changed",
    "finish": "stood already; what an earlier run left undone was finished",
}
_KEPT = ("diff", "change", "reload", "restart", "backup")


def _changes(done):
    return {key: done[key] for key in _KEPT if done.get(key)}


def _effects(done):
    """What the change does to the running keepalived, a sentence each."""
    return [
        f"{one['kind']}: {one['keyword'] + ': ' if one['keyword'] else ''}{one['text']}"
        for one in (done.get("change") or {}).get("reasons", [])
    ]


def version_supported(name, minimum="1.2.13", package="keepalived"):
    """
    Refuse a keepalived that is too old, and say what an old one cannot protect.

    name (str)
        Any name.
    minimum (str)
        The oldest version that will do; 1.2.13 is the first with which the formula was meant
        to work (VRRP scripts and sync groups as this project writes them).
    package (str)
        What to name in the message.

    .. code-block:: yaml

        keepalived-version:
          keepalived.version_supported:
            - minimum: 1.2.13
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    try:
        found = __salt__["keepalived.version"]()
    except CommandExecutionError as err:
        # In test mode the package may be about to be installed by the state before this one.
        ret["result"] = None if __opts__["test"] else False
        ret["comment"] = str(err)
        return ret
    have = tuple(int(part) for part in found["version"].split("."))
    if have < tuple(int(part) for part in str(minimum).split(".")):
        ret["result"] = False
        ret["comment"] = (
            f"{package} {found['version']} is too old: at least {minimum} is needed. "
            "Upgrade the package, or pin a newer one in keepalived:package:version"
        )
        return ret
    ret["comment"] = _sentences(f"{package} {found['version']}", found["lost_protection"])
    return ret


def watch_installed(name="keepalived-watch"):
    """
    Deploy the library and settings that the watch service runs with.

    The library is the one this minion has loaded, whichever way it was delivered, so watch
    and modules are never of different versions.  Also creates the run-time directory and the
    notify FIFO at once; tmpfiles.d does so at boot.

    .. code-block:: yaml

        keepalived-watch-library:
          keepalived.watch_installed
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    try:
        changed = __salt__["keepalived.watch_install"](test=__opts__["test"])
    except CommandExecutionError as err:
        ret["result"] = False
        ret["comment"] = str(err)
        return ret
    if not changed:
        ret["comment"] = "the watch has this version of the library"
        return ret
    ret["changes"] = {"files": changed}
    ret["result"] = None if __opts__["test"] else True
    verb = "would be" if __opts__["test"] else "were"
    ret["comment"] = f"{len(changed)} files of the watch {verb} brought up to date"
    return ret


def _sentences(first, rest):
    return ". ".join([first, *(text.rstrip(".") for text in rest if text)]) + "."
