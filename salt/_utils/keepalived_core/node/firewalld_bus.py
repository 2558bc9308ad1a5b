"""Reads a running firewalld over D-Bus, with systemd's ``busctl``.

firewall-cmd is a Python program that starts anew for every question (140 ms where busctl takes 7),
and a state run that has nothing to do asks five.  So questions go this way where it is open, and
nothing else does: what changes firewalld is firewall-cmd's.  Whatever is not understood (no
busctl, one before systemd 240 that prints no JSON, a firewalld before 0.9 that lacks the method,
a firewalld that does not run) is answered None, and the caller asks firewall-cmd.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from .firewalld_zone import Zone

#: Runs an argument list without a shell; returns retcode, stdout and stderr under these names.
Run = Callable[[list[str]], Mapping[str, Any]]

PROGRAM = "busctl"
# --auto-start=no: a question must never start a firewalld that somebody stopped.
_CALL = [PROGRAM, "--auto-start=no", "--json=short", "--", "call"]
_NAME = "org.fedoraproject.FirewallD1"
_RUNTIME = "/org/fedoraproject/FirewallD1"
_CONFIG = "/org/fedoraproject/FirewallD1/config"
#: firewall-cmd's words of an entry -> the D-Bus signature of ``query…``; the rest is an array.
_SIGNATURES = {"rule": ("sssias", 4), "chain": ("sss", 3), "passthrough": ("sas", 1)}


class Bus:
    """run: see :data:`Run`.  permanent: in every verb, which of the two configurations is meant."""

    def __init__(self, run: Run):
        self._run = run

    def holds(self, permanent: bool, kind: str, words: list[str]) -> bool | None:
        """Whether a direct rule, chain or passthrough is held; *words* as firewall-cmd has them."""
        signature, fixed = _SIGNATURES[kind]
        arguments = words[:fixed]
        if signature.endswith("as"):
            arguments = [*arguments, str(len(words) - fixed), *words[fixed:]]
        path, interface = (
            (_CONFIG, f"{_NAME}.config.direct") if permanent else (_RUNTIME, f"{_NAME}.direct")
        )
        found = self._call(path, interface, f"query{kind.capitalize()}", signature, *arguments)
        return found if isinstance(found, bool) else None

    def default_zone(self) -> str | None:
        found = self._call(_RUNTIME, _NAME, "getDefaultZone")
        return found if isinstance(found, str) and found else None

    def zones(self, permanent: bool) -> dict[str, Zone] | None:
        """All zones by name."""
        if permanent:
            names = self._call(_CONFIG, f"{_NAME}.config", "getZoneNames")
        else:
            names = self._call(_RUNTIME, f"{_NAME}.zone", "getZones")
        if not isinstance(names, list) or not names:
            return None
        found = {}
        for name in names:
            zone = self._zone(permanent, name)
            if zone is None:
                return None
            found[name] = zone
        return found

    def _zone(self, permanent: bool, name: str) -> Zone | None:
        if permanent:
            path = self._call(_CONFIG, f"{_NAME}.config", "getZoneByName", "s", name)
            if not isinstance(path, str):
                return None
            settings = self._call(path, f"{_NAME}.config.zone", "getSettings2")
        else:
            settings = self._call(_RUNTIME, f"{_NAME}.zone", "getZoneSettings2", "s", name)
        try:
            lists = [
                tuple(settings[key]["data"]) if key in settings else ()
                for key in ("interfaces", "sources", "rules_str")
            ]
        except (TypeError, KeyError):
            return None
        return Zone(name, *lists)

    def _call(self, path: str, interface: str, method: str, *arguments: str) -> Any:
        """What the method returns; None when it could not be asked, or not be read."""
        answer = self._run([*_CALL, _NAME, path, interface, method, *arguments])
        if answer["retcode"] != 0:
            return None
        try:
            return json.loads(str(answer["stdout"]))["data"][0]
        except (ValueError, LookupError, TypeError):
            return None
