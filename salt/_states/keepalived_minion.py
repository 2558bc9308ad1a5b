"""
Settings of Salt's own daemons for the keepalived formula: written only where they take effect
and hide nobody else's, and in force without losing the running job.

.. code-block:: yaml

    keepalived-events-settings:
      keepalived_minion.minion_settings:
        - name: /etc/salt/minion.d/keepalived.conf

    keepalived-events-in-force:
      keepalived_minion.settings_in_force:
        - name: salt-minion
        - files: [/etc/salt/minion.d/keepalived.conf]
        - require:
          - keepalived_minion: keepalived-events-settings
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from salt.exceptions import CommandExecutionError
from salt.utils import yaml

# A running minion still holds the library it imported before sync_all: drop it, import the new.
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] == "keepalived_core"]

from keepalived_core import metrics_pillar

__virtualname__ = "keepalived_minion"

HEADER = "# Written by Salt (formula keepalived): changes made here are lost.\n"

# How many events one pass of the beacon takes from the spool: one pass a second, and one request
# to the master for all of them.
BEACON_LIMIT = 500

_ALERT, _REMEDIATE = (
    "salt://keepalived/reactor/alert.sls",
    "salt://keepalived/reactor/remediate.sls",
)
REACTIONS = [
    {"salt/beacon/*/keepalived/*/*": [_ALERT]},
    {"salt/beacon/*/keepalived/*/FAULT": [_REMEDIATE]},
    # the hub's
    {"keepalived/*/*/opened": [_ALERT, _REMEDIATE]},
    {"keepalived/*/*/resolved": [_ALERT]},
    {"keepalived/hub/silence/ended": [_ALERT]},
]

# What the pillar keepalived_master may set.
_MASTER_KEYS = ("alerts", "secret_file", "metrics")
_KNOWN = ", ".join(_MASTER_KEYS)
# These the master itself has to know.
_MASTER_SETTINGS = ("alerts", "secret_file")


def __virtual__() -> str | tuple[bool, str]:
    if "keepalived_minion.schedule_restart" not in __salt__:
        return False, "the execution module keepalived_minion is missing: run saltutil.sync_all"
    return __virtualname__


def minion_settings(name: str) -> dict[str, Any]:
    """
    The file in ``minion.d`` that switches relay and beacon on.

    Fails, and writes nothing, where a setting could not work or would switch off another:
    ``beacons`` or ``engines`` in the main file (a file in ``minion.d`` replaces them whole), and
    ``beacons`` in pillar without ours (Salt then runs none from the minion's configuration).

    name
        Path of the file, ``/etc/salt/minion.d/keepalived.conf``.
    """
    pillar = __pillar__.get("beacons")
    if pillar and "keepalived" not in pillar:
        return _failed(
            name,
            "pillar 'beacons' is set: Salt then runs none of the beacons in the minion's "
            "configuration, so no VRRP event would be sent. Put the beacons of that pillar into "
            f"{Path(name).parent}/*.conf, or add ours to it: keepalived: "
            f"[{{limit: {BEACON_LIMIT}}}]",
        )
    settings = {
        "beacons": {"keepalived": [{"limit": BEACON_LIMIT}]},
        "engines": [{"keepalived_relay": {}}],
    }
    return _written(name, settings, main="minion", mode="0640", group="root")


def master_settings(name: str) -> dict[str, Any]:
    """
    The file in ``master.d`` that switches the hub on, maps VRRP events to their reactions, hands
    each node its event key and, from the pillar ``keepalived_master`` of the master's own minion,
    says where alerts go (``alerts``) and where the secret of the keys lies (``secret_file``).  What
    that pillar says of ``metrics`` is judged here and carried out by ``keepalived.master``.

    Fails, and writes nothing, where ``engines``, ``reactor``, ``ext_pillar`` or ``keepalived``
    stand in the main file (a file in ``master.d`` replaces them whole) and for a pillar that is
    not understood. The content is never shown: the address of a webhook is often a secret.

    name
        Path of the file, ``/etc/salt/master.d/keepalived.conf``.
    """
    settings: dict[str, Any] = {
        "engines": [{"keepalived_hub": {}}],
        "reactor": REACTIONS,
        "ext_pillar": [{"keepalived": {}}],
    }
    pillar = __pillar__.get("keepalived_master") or {}
    if not isinstance(pillar, dict):
        return _failed(name, f"pillar keepalived_master: must be a mapping; its keys are {_KNOWN}")
    unknown = sorted(set(pillar) - set(_MASTER_KEYS))
    if unknown:
        return _failed(
            name, f"pillar keepalived_master:{unknown[0]}: unknown key, known are {_KNOWN}"
        )
    mistakes = metrics_pillar.read(_plain(pillar.get("metrics")))[1]
    if mistakes:
        return _failed(
            name, "; ".join(f"pillar keepalived_master:{path}: {why}" for path, why in mistakes)
        )
    ours = {key: _plain(pillar[key]) for key in _MASTER_SETTINGS if pillar.get(key)}
    if ours:
        settings["keepalived"] = ours
    return _written(
        name,
        settings,
        main="master",
        mode="0640",
        group=__salt__["keepalived_minion.master_group"](),
        show_changes=False,
    )


def event_secret(name: str) -> dict[str, Any]:
    """
    The master of this machine has the secret from which the nodes' keys are made, readable by
    the user that the master runs as alone. One that is there is never changed: see docs/keys.md
    for a replacement.

    name
        Free text.
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": "the master has its secret"}
    try:
        made = __salt__["keepalived_minion.event_secret"](test=__opts__["test"])
    except CommandExecutionError as err:
        return {**ret, "result": False, "comment": str(err)}
    if made:
        ret["changes"] = {made: "made"}
        ret["result"] = None if __opts__["test"] else True
        ret["comment"] = f"{made} {'would be' if __opts__['test'] else 'was'} made"
    return ret


def settings_in_force(name: str, files: list[str]) -> dict[str, Any]:
    """
    A Salt daemon has been started after each of these files was written; else its restart is
    scheduled for the time when no state run needs it. Where the daemon does not run as a service
    of systemd (masterless, a container), it reads them at its next start.

    name
        ``salt-minion`` or ``salt-master``.
    files
        Settings and code that are only read at a start.
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    try:
        if __salt__["keepalived_minion.running_since"](name) is None:
            ret["comment"] = f"{name} does not run as a service here: nothing to restart"
            return ret
        newer = __salt__["keepalived_minion.newer_files"](files, name)
        if not newer:
            ret["comment"] = f"{name} has read its settings"
            return ret
        return _restart(ret, f"it has not read {', '.join(newer)}")
    except CommandExecutionError as err:
        return {**ret, "result": False, "comment": str(err)}


def restarted(name: str) -> dict[str, Any]:
    """
    Restart a Salt daemon when no state run needs it. For ``onchanges``: removing a settings file
    leaves nothing that settings_in_force could compare.

    name
        ``salt-minion`` or ``salt-master``.
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    try:
        if __salt__["keepalived_minion.running_since"](name) is None:
            ret["comment"] = f"{name} does not run as a service here: nothing to restart"
            return ret
        return _restart(ret, "asked for")
    except CommandExecutionError as err:
        return {**ret, "result": False, "comment": str(err)}


def master_synced(name: str) -> dict[str, Any]:
    """
    The master of this machine has the bundle's runners, outputters and libraries.

    name
        Free text.
    """
    ret = {"name": name, "result": True, "changes": {}, "comment": ""}
    if __opts__["test"]:
        ret["comment"] = "not looked at in test mode: salt-run saltutil.sync_all tells by copying"
        return ret
    try:
        ret["changes"] = __salt__["keepalived_minion.sync_master"]()
    except CommandExecutionError as err:
        return {**ret, "result": False, "comment": str(err)}
    ret["comment"] = "copied to the master" if ret["changes"] else "the master has all of it"
    return ret


def _plain(value: Any) -> Any:
    """Pillar as plain data: YAML cannot write the masking types in which Salt hands it out."""
    return json.loads(json.dumps(value))


def _failed(name: str, comment: str) -> dict[str, Any]:
    return {"name": name, "result": False, "changes": {}, "comment": comment}


def _restart(ret: dict[str, Any], why: str) -> dict[str, Any]:
    service = ret["name"]
    if __salt__["keepalived_minion.restart_scheduled"](service):
        ret["comment"] = f"a restart of {service} waits already ({why})"
    elif __opts__["test"]:
        ret["result"] = None
        ret["comment"] = f"{service} would be restarted after this job: {why}"
    else:
        __salt__["keepalived_minion.schedule_restart"](service)
        ret["changes"] = {"restart": "scheduled"}
        ret["comment"] = f"{service} restarts as soon as no state run needs it: {why}"
    return ret


def _written(
    name: str,
    settings: dict[str, Any],
    main: str,
    mode: str,
    group: str,
    show_changes: bool = True,
) -> dict[str, Any]:
    main_file = Path(name).parent.with_name(main)
    try:
        taken = __salt__["keepalived_minion.shadowed"](str(main_file), list(settings))
    except CommandExecutionError as err:
        return _failed(name, str(err))
    if taken:
        return _failed(
            name,
            f"{main_file} sets {', '.join(taken)}: a file in {Path(name).parent} would replace "
            f"that, not add to it. Move it to a file of its own, for example "
            f"{Path(name).parent}/local-{taken[0]}.conf (those are merged), then run this again",
        )
    return __states__["file.managed"](
        name=name,
        contents=HEADER + yaml.safe_dump(settings, default_flow_style=False),
        user="root",
        group=group,
        mode=mode,
        makedirs=True,
        show_changes=show_changes,
    )
