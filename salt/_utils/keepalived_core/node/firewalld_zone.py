"""A zone of firewalld, and how ``firewall-cmd --list-all-zones`` prints it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Zone:
    """What of a zone decides whether VRRP passes."""

    name: str
    interfaces: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    rich_rules: tuple[str, ...] = ()

    def has(self, rule: str) -> bool:
        """True when the zone holds the rich rule, however its values are quoted."""
        wanted = shlex.split(rule)
        return any(shlex.split(held) == wanted for held in self.rich_rules)


def parse_zones(text: str) -> dict[str, Zone]:
    """Read what ``--list-all-zones`` prints, runtime, permanent and offline alike."""
    found: dict[str, Zone] = {}
    name = ""
    values: dict[str, Any] = {}

    def close() -> None:
        if name:
            found[name] = Zone(name, **values)

    for line in text.splitlines():
        if line and not line[0].isspace():  # "public (default, active)"
            close()
            name, values = line.split()[0], {}
        elif line.strip().startswith("rule "):
            values["rich_rules"] = (*values.get("rich_rules", ()), line.strip())
        else:
            key, _, value = line.strip().partition(":")
            if key in ("interfaces", "sources"):
                values[key] = tuple(value.split())
    close()
    return found
