"""The parts of the pillar beside ``config``: what the formula and the reactions are told there.

A slip here would otherwise be found late: a misspelled ``ip_nonlocal_bind`` when HAProxy does not
start on the next master, a misspelled ``restart_service`` at night.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .. import metrics_pillar, policy_pillar
from ..conf.grammar import nearest
from .errors import Mistakes, Path, kind_of
from .merge import TOP

_MODE = re.compile(r"0?[0-7]{3,4}")


def check(data: Any) -> list[tuple[str, str]]:
    """(pillar path, reason) for each mistake in the sections of ``data``, the ``keepalived``
    pillar. A missing section is none, and neither is a pillar that is no mapping: ``to_tree``
    says what is wrong with that.
    """
    mistakes = Mistakes()
    if isinstance(data, Mapping):
        for name, section in _SECTIONS.items():
            if name in data:
                section(data[name], (TOP, name), mistakes)
        _checks_exist(data, mistakes)
    return mistakes.found


def _mapping(
    value: Any, path: Path, mistakes: Mistakes, known: tuple[str, ...] = ()
) -> Mapping[Any, Any] | None:
    """``value``, or None if it is no mapping. Keys other than the known are noted, if any are."""
    if not isinstance(value, Mapping):
        mistakes.add(path, f"a mapping belongs here, not {kind_of(value)}")
        return None
    for key in value:
        if known and key not in known:
            meant = nearest(str(key), known)
            mistakes.add(
                (*path, str(key)),
                f"no such key; did you mean {meant}?"
                if meant
                else f"no such key; known are {', '.join(known)}",
            )
    return value


def _package(value: Any, path: Path, mistakes: Mistakes) -> None:
    version = (_mapping(value, path, mistakes, ("version",)) or {}).get("version")
    if version is not None and not isinstance(version, str):
        # 2.10 would have become 2.1.
        mistakes.add((*path, "version"), f"quote it: a text belongs here, not {kind_of(version)}")


def _scripts(value: Any, path: Path, mistakes: Mistakes) -> None:
    known = ("source", "contents", "user", "group", "mode")
    for name, given_script in (_mapping(value, path, mistakes) or {}).items():
        where = (*path, str(name))
        if not str(name).startswith("/"):
            mistakes.add(where, "the full path of the script belongs here")
        script = _mapping(given_script, where, mistakes, known)
        if script is None:
            continue
        given = [key for key in ("source", "contents") if script.get(key) is not None]
        if len(given) != 1:
            mistakes.add(where, "give either source (salt://...) or contents")
        for key in (*given, "user", "group"):
            if script.get(key) is not None and not isinstance(script[key], str):
                mistakes.add((*where, key), f"a text belongs here, not {kind_of(script[key])}")
            elif script.get(key) == "":
                mistakes.add((*where, key), "it is empty")
        mode = script.get("mode", "0755")
        if isinstance(mode, bool) or not _MODE.fullmatch(str(mode)):
            mistakes.add((*where, "mode"), f"{kind_of(mode)} is no file mode; it would be '0755'")


def _switches(*names: str) -> Callable[[Any, Path, Mistakes], None]:
    """A section whose keys are each true or false."""

    def section(value: Any, path: Path, mistakes: Mistakes) -> None:
        for name, switch in (_mapping(value, path, mistakes, names) or {}).items():
            _boolean(switch, (*path, str(name)), mistakes)

    return section


def _boolean(value: Any, path: Path, mistakes: Mistakes) -> None:
    if not isinstance(value, bool):
        mistakes.add(path, f"true or false belongs here, without quotes, not {kind_of(value)}")


def _firewall(value: Any, path: Path, mistakes: Mistakes) -> None:
    section = _mapping(value, path, mistakes, ("direct_rules", "vrrp")) or {}
    if "vrrp" in section:
        _boolean(section["vrrp"], (*path, "vrrp"), mistakes)
    rules = section.get("direct_rules")
    if rules is not None and not isinstance(rules, (list, tuple)):
        where = (*path, "direct_rules")
        mistakes.add(where, f"a list of rules belongs here, not {kind_of(rules)}")


def _remediation(value: Any, path: Path, mistakes: Mistakes) -> None:
    for name, given in (_mapping(value, path, mistakes) or {}).items():
        where = (*path, str(name))
        entry = _mapping(given, where, mistakes, ("restart_service", "cooldown", "budget"))
        if entry is None:
            continue
        service = entry.get("restart_service")
        if not isinstance(service, str) or not service:
            mistakes.add(where, "restart_service is missing: the name of a service belongs there")
        cooldown = entry.get("cooldown", 0)
        if isinstance(cooldown, bool) or not isinstance(cooldown, (int, float)) or cooldown < 0:
            mistakes.add((*where, "cooldown"), f"seconds belong here, not {kind_of(cooldown)}")
        budget = entry.get("budget", 1)
        if isinstance(budget, bool) or not isinstance(budget, int) or not 1 <= budget <= 60:
            mistakes.add(
                (*where, "budget"), "a whole number of restarts an hour belongs here, 1 to 60"
            )


def _policy(value: Any, _path: Path, mistakes: Mistakes) -> None:
    for where, reason in policy_pillar.read(value)[1]:
        mistakes.add((TOP, *where.split(":")), reason)


def _metrics(value: Any, _path: Path, mistakes: Mistakes) -> None:
    for where, reason in metrics_pillar.read(value)[1]:
        mistakes.add((TOP, *where.split(":")), reason)


def _checks_exist(data: Mapping[str, Any], mistakes: Mistakes) -> None:
    """A repair is keyed by the check that failed: one that no script has is never done."""
    allowed, nodes = data.get("remediation"), data.get("nodes")
    if not isinstance(allowed, Mapping):
        return
    overlays = list(nodes.values()) if isinstance(nodes, Mapping) else []
    scripts: set[str] = set()
    for place in (data, *overlays):
        config = place.get("config") if isinstance(place, Mapping) else None
        found = config.get("vrrp_script") if isinstance(config, Mapping) else None
        if isinstance(found, Mapping):
            scripts.update(str(name) for name in found)
    for name in allowed:
        if scripts and name not in scripts:
            meant = nearest(str(name), scripts)
            mistakes.add(
                (TOP, "remediation", str(name)),
                "no such vrrp_script" + (f"; did you mean {meant}?" if meant else ""),
            )


_SECTIONS: dict[str, Callable[[Any, Path, Mistakes], None]] = {
    "package": _package,
    "scripts": _scripts,
    "sysctl": _switches("ip_nonlocal_bind"),
    "clean": _switches("stop_keepalived"),
    "firewall": _firewall,
    "remediation": _remediation,
    "policy": _policy,
    "metrics": _metrics,
    "allow_disruptive": _boolean,
    "drain_file": _boolean,
}
