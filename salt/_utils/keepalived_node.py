"""
What the execution modules of this project share: pillar, the installed version, errors
=======================================================================================

Not a part of the library: it knows Salt.  Modules drop it from ``sys.modules`` together with the
library, so that what ``sync_all`` brings counts at once.
"""

from __future__ import annotations

import functools

import salt.exceptions

from keepalived_core import conf
from keepalived_core import plan as planning
from keepalived_core.check import report
from keepalived_core.node import apply, dump, process, spool
from keepalived_core.node import status as looking
from keepalived_core.node.paths import DEFAULT as PATHS
from keepalived_core.pillar import PillarError


class Node:
    """This minion, as its modules see it.

    opts, pillar, functions
        ``__opts__``, ``__pillar__`` and ``__salt__`` of the module that asks.
    """

    def __init__(self, opts, pillar, functions):
        self.id = opts["id"]
        # Never pillar.get: Salt 3008 gives asterisks to Python modules.
        self.data = plain(pillar.get("keepalived"))
        self._functions = functions

    @functools.cached_property
    def version(self):
        """The installed keepalived's version, or None; asked once, for it costs a process."""
        return process.version()

    @property
    def pillar(self):
        """The pillar key ``keepalived``, or an empty mapping."""
        return self.data if isinstance(self.data, dict) else {}

    def desired(self, path=None):
        """(tree, notes): what pillar asks of this node, with what the bundle adds to it.

        Raises SaltInvocationError with every mistake in the pillar.
        """
        found = self.version
        try:
            return planning.desired(
                self.data,
                self.id,
                found and found.tuple,
                str(PATHS.fifo),
                self.addresses(),
                str(PATHS.drain),
                str(PATHS.reload_time),
            )
        except PillarError as err:
            raise salt.exceptions.SaltInvocationError(str(err)) from err

    def peers(self):
        """{node: tree} of the other nodes of the same pillar; one that cannot be made is left
        out: its own state says why."""
        found = self.version
        return planning.peers(self.data, self.id, found and found.tuple, self.addresses())

    def addresses(self):
        """``{node: {interface: [address]}}`` from the mine; only ``unicast_peer: auto`` asks."""
        if "auto" not in str(self.pillar.get("config", "")):
            return {}
        nodes = sorted((self.pillar.get("nodes") or {}).keys())
        found = self._functions["mine.get"](",".join(nodes), "keepalived.addresses", "list")
        found = plain(found) or {}
        found[self.id] = looking.own_addresses(PATHS)
        return found


def installed(found=None):
    """The installed keepalived's version (*found*, if it was asked for already).

    Raises CommandExecutionError when there is none.
    """
    found = found or process.version()
    if found is None:
        raise salt.exceptions.CommandExecutionError(
            "keepalived is not installed (no keepalived program in PATH): "
            "run state.apply keepalived.package"
        )
    return found


def plain(value):
    """Pillar as plain Python: Salt 3008 hands out wrappers that print as asterisks."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


class Errors:
    """Turns the library's errors into Salt's."""

    def __enter__(self):
        return self

    def __exit__(self, kind, err, trace):
        if isinstance(err, (apply.ApplyError, dump.DumpUnavailable)):
            raise salt.exceptions.CommandExecutionError(_sendable(err.reason)) from err
        if isinstance(err, (conf.ConfError, report.Unreadable, spool.SpoolError, OSError)):
            raise salt.exceptions.CommandExecutionError(_sendable(err)) from err
        if isinstance(err, ValueError):
            raise salt.exceptions.SaltInvocationError(_sendable(err)) from err
        return False


def _sendable(err):
    """Its text; a byte of a file that is no UTF-8, which Salt cannot send, as its escape."""
    return str(err).encode("utf-8", "backslashreplace").decode("utf-8")
