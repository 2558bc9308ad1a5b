"""Is it what a node's ``keepalived.audit_facts`` returns?

A node may be of another make, or lie: what the parts of an audit take for granted is looked at
here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

#: That of ``keepalived.audit_facts``.
SCHEMA = 1


def usable(said: Any) -> Any:
    """What ``keepalived.audit_facts`` returned, or why it is no such thing, as a text."""
    if not isinstance(said, Mapping):
        return said
    if said.get("schema") != SCHEMA:
        told = said.get("schema")
        return f"schema {told!r} is not {SCHEMA}: sync the modules of node and master"
    wrong = [
        key for key, fits in _SHAPES.items() if said.get(key) is not None and not fits(said[key])
    ]
    return f"not what it returns: {', '.join(wrong)}" if wrong else said


def _is_mapping(value: Any) -> bool:
    return isinstance(value, Mapping)


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _of_mappings(value: Any) -> bool:
    return _is_mapping(value) and all(_is_mapping(each) for each in value.values())


def _is_file(value: Any) -> bool:
    instances = value.get("instances") if _is_mapping(value) else None
    return isinstance(instances, (list, tuple)) and all(map(_is_instance, instances))


def _is_instance(one: Any) -> bool:
    return (
        _is_mapping(one)
        and all(isinstance(one.get(key), kind) for key, kind in _INSTANCE.items())
        and (one.get("auth") is None or (_is_mapping(one["auth"]) and "type" in one["auth"]))
    )


def _is_running(value: Any) -> bool:
    return _of_mappings(value) and all(
        _of_mappings(one.get("rejected") or {})
        and all(
            one.get(key) is None or isinstance(one[key], (int, float)) for key in _RUNNING_NUMBERS
        )
        for one in value.values()
    )


def _is_plan(value: Any) -> bool:
    reasons = (value.get("reasons") or []) if _is_mapping(value) else None
    return isinstance(reasons, (list, tuple)) and all(
        _is_mapping(one) and "text" in one for one in reasons
    )


def _is_links(value: Any) -> bool:
    try:
        for own in value.values():
            for one in own:
                ipaddress.ip_interface(one)
    except (AttributeError, TypeError, ValueError):
        return False
    return True


def _is_firewall(value: Any) -> bool:
    return (
        _is_mapping(value)
        and _of_mappings(value.get("missing") or {})
        and _is_mapping(value.get("stale") or {})
    )


_RUNNING_NUMBERS = (
    "vrid",
    "version",
    "base_priority",
    "advert_interval",
    "seconds",
    "heard",
)
_INSTANCE: dict[str, type | tuple[type, ...]] = {
    "instance": str,
    "vrid": (int, type(None)),
    "family": int,
    "version": int,
    "priority": int,
    "advert_int": (int, float),
    "vips": (list, tuple),
    "excluded": (list, tuple),
    "way": str,
    "peers": (list, tuple),
    "interface": (str, type(None)),
}
_SHAPES: dict[str, Callable[[Any], bool]] = {
    "version": _is_mapping,
    "plan": _is_plan,
    "file": _is_file,
    "running": _is_running,
    "firewall": _is_firewall,
    "links": _is_links,
    "sysctl": _of_mappings,
    "managers": _of_mappings,
    "missing": _is_mapping,
    "not_loaded": _is_list,
    "binds": _is_list,
}
