"""Settings that all nodes of an instance must run alike, and do not.  Pure.

Only what the nodes' own answers say is compared; passwords are in none of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: The settings, the most telling first, with what comes of a difference.
SETTINGS = {
    "vrid": "virtual_router_id",
    "vip_list": "virtual_ipaddress",
    "excluded": "virtual_ipaddress_excluded",
    "version": "version",
    "auth_type": "auth_type",
    "advert_int": "advert_int",
}


@dataclass(frozen=True)
class Difference:
    """A setting that differs.

    setting
        A key of :data:`SETTINGS`; it is also the class of what this causes.
    nodes
        Those that differ from most of the others; all of them when there is no majority.
    """

    setting: str
    text: str
    nodes: tuple[str, ...]


def differences(rows: Sequence[Mapping[str, Any]]) -> list[Difference]:
    """What the rows of one instance (:mod:`facts_row`) differ in, the most telling first."""
    found = []
    for setting, name in SETTINGS.items():
        by_value: dict[Any, list[str]] = {}
        for row in rows:
            value = (row.get("runs") or {}).get(setting)
            if value is not None:
                by_value.setdefault(value, []).append(str(row["node"]))
        if len(by_value) > 1:
            found.append(_difference(setting, name, by_value))
    return found


def _difference(setting: str, name: str, by_value: Mapping[Any, list[str]]) -> Difference:
    sizes = sorted((len(nodes) for nodes in by_value.values()), reverse=True)
    majority = sizes[0] if sizes[0] > sizes[1] else 0
    odd = [node for nodes in by_value.values() if len(nodes) != majority for node in nodes]
    if setting in ("vip_list", "excluded"):
        differ = set().union(*by_value) - set.intersection(*(set(each) for each in by_value))
        parts = [
            f"{' '.join(nodes)} has {_listed(sorted(differ & set(value))) or 'none of these'}"
            for value, nodes in by_value.items()
        ]
    else:
        parts = [f"{_shown(value)} on {' '.join(nodes)}" for value, nodes in by_value.items()]
    return Difference(setting, f"{name} differs: {', '.join(parts)}", tuple(odd))


def _listed(addresses: Sequence[str]) -> str:
    more = f" and {len(addresses) - 4} more" if len(addresses) > 4 else ""
    return " ".join(addresses[:4]) + more


def _shown(value: object) -> str:
    return f"{value:g} s" if isinstance(value, float) else str(value)
