"""Opens firewalld for VRRP on this host, and closes again what was opened here.

What is opened is written down first, so that closing removes exactly that: a rule that was there
before, or that somebody else adds, stays.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import files
from .firewall import Opening, Planned, needs, plan
from .firewalld import PERMANENT, RUNTIME, Firewalld, FirewallError, Outcome
from .firewalld_zone import Zone
from .paths import STATE_DIR

RECORD = STATE_DIR / "firewall.json"

#: The instances of a node: see firewall.needs.
Described = Iterable[Mapping[str, Any]]


@dataclass(frozen=True)
class View:
    """One configuration of firewalld against what VRRP needs of it."""

    place: str
    zones: Mapping[str, Zone]
    wanted: list[Planned]

    @property
    def missing(self) -> list[Planned]:
        return [item for item in self.wanted if not self.holds(item)]

    def holds(self, item: Planned) -> bool:
        return item.zone in self.zones and self.zones[item.zone].has(item.rule)


def views(firewalld: Firewalld, openings: list[Opening]) -> list[View]:
    """The runtime (while firewalld runs) and the permanent configuration, in this order."""
    runtime = firewalld.zones(RUNTIME)
    permanent = firewalld.zones(PERMANENT) or {}
    default = firewalld.default_zone()
    found = [View(PERMANENT, permanent, plan(openings, permanent, default, runtime))]
    if runtime is not None:
        found.insert(0, View(RUNTIME, runtime, plan(openings, runtime, default)))
    return found


def allow(
    firewalld: Firewalld,
    described: Described,
    enabled: Callable[[], bool],
    test: bool = False,
    record: Path = RECORD,
) -> Outcome:
    """Let the adverts of these instances in, now and after a restart; only adds.

    enabled: says whether firewalld starts at boot; asked only while it is stopped.
    """
    openings = needs(described)
    if not openings:
        return Outcome(True, "No VRRP instance on this node: nothing to open", {})
    if not firewalld.installed:
        return Outcome(True, "firewalld is not installed and filters nothing: nothing done", {})
    before = views(firewalld, openings)
    stopped = len(before) == 1
    if stopped and not enabled():
        return Outcome(True, "firewalld neither runs nor starts at boot: nothing done", {})
    changes = {
        view.place: {"old": None, "new": _by_zone(view.missing)} for view in before if view.missing
    }
    suffix = f" (FirewallBackend={firewalld.backend()})"
    if stopped:
        suffix += "; firewalld does not run, the runtime part follows when it starts"
    if not changes:
        return Outcome(True, f"VRRP is already let in{suffix}", {})
    where = " and ".join(changes)
    if test:
        return Outcome(None, f"VRRP would be let in: {where} configuration{suffix}", changes)
    _remember(record, before)
    done: dict[str, list[Planned]] = {}
    try:
        for view in before:
            for item in view.missing:
                firewalld.ask(view.place, _command("add", item))
                done.setdefault(view.place, []).append(item)
        _verify(views(firewalld, openings))
    except FirewallError as error:
        partly = {place: {"old": None, "new": _by_zone(items)} for place, items in done.items()}
        return Outcome(False, str(error), partly)
    return Outcome(True, f"VRRP was let in: {where} configuration{suffix}", changes)


def disallow(
    firewalld: Firewalld,
    running: Callable[[], bool],
    test: bool = False,
    record: Path = RECORD,
) -> Outcome:
    """Close what :func:`allow` opened on this host, and nothing else.

    running: says whether keepalived runs here. While it does nothing is closed: a node that
    hears no adverts makes itself master.
    """
    if not _read(record):
        return Outcome(True, "Nothing was opened for VRRP by this state", {})
    if not test and running():  # a state before this one may be about to stop it
        return Outcome(
            False,
            "keepalived runs on this node: closing VRRP now would make it master beside the "
            "present one. Stop keepalived first",
            {},
        )
    return _close(firewalld, [], test, record)


def close_stale(
    firewalld: Firewalld, described: Described, test: bool = False, record: Path = RECORD
) -> Outcome:
    """Close what :func:`allow` opened earlier and these instances no longer need.

    For use when every node runs the new configuration: closing earlier would cut off the nodes
    that still speak as before.
    """
    wanted = [item for view in views(firewalld, needs(described)) for item in view.wanted]
    return _close(firewalld, wanted, test, record)


def check(
    firewalld: Firewalld,
    described: Described,
    enabled: Callable[[], bool],
    record: Path = RECORD,
) -> dict[str, Any]:
    """How VRRP fares with firewalld here; changes nothing.

    Returns ``ok``, ``firewalld`` (absent, stopped or running), ``enabled``, ``backend``,
    ``openings`` (the rich rules needed), ``missing`` ({place: {zone: [rule]}}) and ``stale``
    ({zone: [rule]}: opened here earlier, no longer needed).
    """
    openings = needs(described)
    report: dict[str, Any] = {
        "ok": True,
        "firewalld": "absent",
        "enabled": False,
        "backend": None,
        "openings": list(dict.fromkeys(opening.rule for opening in openings)),
        "missing": {},
        "stale": {},
    }
    if not firewalld.installed:
        return report
    found = views(firewalld, openings)
    report["firewalld"] = "running" if len(found) == 2 else "stopped"
    report["enabled"] = enabled()
    report["backend"] = firewalld.backend()
    report["missing"] = {view.place: _by_zone(view.missing) for view in found if view.missing}
    wanted = [item for view in found for item in view.wanted]
    report["stale"] = _by_zone(item for item in _read(record) if item not in wanted)
    filters = report["firewalld"] == "running" or report["enabled"]
    report["ok"] = not (filters and report["missing"])
    return report


def _close(firewalld: Firewalld, keep: list[Planned], test: bool, record: Path) -> Outcome:
    entries = _read(record)
    gone = {item: where for item, where in entries.items() if item not in keep}
    left = {item: where for item, where in entries.items() if item in keep}
    removals = _removals(firewalld, gone) if gone and firewalld.installed else {}
    changes = {
        place: {"old": _by_zone(items), "new": None} for place, items in removals.items() if items
    }
    if test:
        if not changes:
            return Outcome(True, "No rule of ours is in firewalld: nothing to close", {})
        return Outcome(
            None, f"VRRP would be closed: {' and '.join(changes)} configuration", changes
        )
    done: dict[str, dict[str, Any]] = {}
    try:
        for place, items in removals.items():
            for item in items:
                firewalld.ask(place, _command("remove", item))
            if items:
                done[place] = changes[place]
    except FirewallError as error:
        return Outcome(False, str(error), done)
    if gone:
        _write(record, left)
    if not changes:
        return Outcome(True, "No rule of ours is in firewalld: nothing to close", {})
    return Outcome(True, f"VRRP was closed: {' and '.join(changes)} configuration", changes)


def _removals(firewalld: Firewalld, gone: Mapping[Planned, set[str]]) -> dict[str, list[Planned]]:
    """{place: rules to remove}: a runtime rule stays where the permanent one is somebody's own."""
    found = {view.place: view for view in views(firewalld, [])}
    ours: dict[str, list[Planned]] = {
        place: [item for item, places in gone.items() if place in places and view.holds(item)]
        for place, view in found.items()
    }
    if RUNTIME in ours:
        ours[RUNTIME] = [
            item
            for item in ours[RUNTIME]
            if item in ours[PERMANENT] or not found[PERMANENT].holds(item)
        ]
    return ours


def _command(verb: str, item: Planned) -> list[str]:
    return [f"--zone={item.zone}", f"--{verb}-rich-rule={item.rule}"]


def _verify(after: list[View]) -> None:
    for view in after:
        if view.missing:
            raise FirewallError(
                f"firewalld reported success, but its {view.place} configuration lacks "
                f"{view.missing[0].rule} in zone {view.missing[0].zone}"
            )


def _by_zone(items: Iterable[Planned]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item.zone, []).append(item.rule)
    return found


def _remember(record: Path, found: list[View]) -> None:
    entries = _read(record)
    stopped = len(found) == 1
    for view in found:
        for item in view.missing:
            places = entries.setdefault(item, set())
            # What is made permanent while firewalld is stopped is in force when it starts.
            places.update((RUNTIME, PERMANENT) if stopped else (view.place,))
    _write(record, entries)


def _read(record: Path) -> dict[Planned, set[str]]:
    """What was opened: {rule and zone: places}. Raises FirewallError for a spoiled record."""
    try:
        rows = json.loads(record.read_text(encoding="utf-8"))
        return {Planned(row["zone"], row["rule"]): set(row["places"]) for row in rows}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FirewallError(
            f"{record}: cannot be read ({error}); it lists the firewall rules opened here. Move "
            "it away to go on: the rules it lists must then be removed by hand"
        ) from error


def _write(record: Path, entries: Mapping[Planned, set[str]]) -> None:
    rows = [
        {"zone": item.zone, "rule": item.rule, "places": sorted(places)}
        for item, places in entries.items()
    ]
    try:
        if not rows:
            record.unlink(missing_ok=True)
            return
        files.make_private(record.parent)
        files.write_atomically(record, json.dumps(rows, indent=1) + "\n")
    except OSError as error:
        raise FirewallError(f"{record}: cannot be written: {error}") from error
