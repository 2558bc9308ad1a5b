"""What one node says of one instance, as one row.  What it says is checked and made printable."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any

from .answers import Answer, last_line
from .event import MAX_VIPS, printable

#: An answer that is older, in seconds, says nothing of what is true now.
STALE = 30.0

#: Address with prefix length, whether the kernel has it, whether no advert names it.
Vip = tuple[str, bool, bool]

# For the judges, not for the reader: said once per instance, or not at all.
_PRIVATE = frozenset(
    [
        "vrid",
        "sync_group",
        "vips",
        "held",
        "own",
        "problem",
        "runs",
        "adverts",
        "advert_int",
        "vmac",
        "at",
    ]
)


def usable(answer: Answer | None, now: float) -> bool:
    """Whether an answer tells what is true now."""
    return answer is not None and isinstance(answer.said, Mapping) and now - answer.at <= STALE


def row(
    node: str, instance: str, answer: Answer | None, now: float, accepted: bool = True
) -> dict[str, Any]:
    """The row: what docs/status.md describes, and for the judges

    ``vips``
        The addresses with prefix length; ``held``: those that its kernel has, without it.
    ``own``
        Of the holder one address of its own for each family that it holds, on the instance's
        interface.
    ``runs``
        What all nodes must agree about, ``{setting: value}``; empty when it runs none.
    ``adverts``, ``advert_int``, ``vmac``, ``problem``, ``at``
        The counters, seconds, whether ``use_vmac`` is set, why its keepalived does not answer, and
        when it answered.
    """
    found: dict[str, Any] = {
        "node": node,
        "claim": "unknown",
        "holds_vip": None,
        "answers": None,
        "base_priority": None,
        "effective_priority": None,
        "interface": None,
        "since": None,
        "age": None,
        "keepalived": None,
        "drained": None,
        "note": "",
    }
    if not accepted:
        return {**found, "note": "the master accepts no key of it"}
    if answer is None:
        return {**found, "note": "no answer"}
    if not isinstance(answer.said, Mapping):
        return {**found, "note": f"keepalived.status failed: {last_line(answer.said)}"}
    age = round(max(0.0, now - answer.at), 1)
    found["age"] = age
    if age > STALE:
        return {**found, "note": "its last answer is too old"}
    status = answer.said
    daemon = status.get("keepalived")
    runs = daemon.get("running") if isinstance(daemon, Mapping) else None
    running = runs if isinstance(runs, bool) else None
    found.update(keepalived=running, at=answer.at)
    notes = [] if running is not False else ["keepalived does not run"]
    problem = daemon.get("problem") if isinstance(daemon, Mapping) else None
    if problem and running is not False:
        found["problem"] = printable(str(problem))[:120]
        notes.append(found["problem"])
    drain = status.get("drain")
    if isinstance(drain, Mapping):
        found["drained"] = bool(drain.get("drained"))
        notes += _drain_notes(drain)
    watch = status.get("watch")
    if isinstance(watch, Mapping) and watch.get("running") is False:
        notes.append("the watch does not run: no events from here")
    listed = status.get("instances")
    for each in listed if isinstance(listed, (list, tuple)) else ():
        if isinstance(each, Mapping) and each.get("instance") == instance:
            found.update(_claims(each, running))
            found["own"] = _own(found["interface"], found["held"], status.get("interfaces"))
            break
    else:
        found["claim"] = "missing"
        if running is not False:
            notes.append("its keepalived has no such instance")
    found["note"] = "; ".join(notes)
    return found


def public(row: Mapping[str, Any]) -> dict[str, Any]:
    """The row without what only the judges need."""
    return {key: value for key, value in row.items() if key not in _PRIVATE}


def _drain_notes(drain: Mapping[str, Any]) -> list[str]:
    """What a person wants to know of a drain: why, until when, and what is wrong with it."""
    notes = []
    if drain.get("drained"):
        text = f"drained: {printable(str(drain.get('reason') or 'no reason given'))[:80]}"
        if drain.get("until"):
            text += f" until {printable(str(drain['until']))[:32]}"
        notes.append(text)
    if drain.get("problem"):
        notes.append(printable(str(drain["problem"]))[:120])
    return notes


def _claims(found: Mapping[str, Any], running: object) -> dict[str, Any]:
    vips = list(_vips(found.get("vips")))
    present = found.get("vip_present")
    state = printable(str(found.get("state") or "unknown"))
    adverts = found.get("adverts")
    return {
        # A daemon that is gone claims nothing, whatever was last heard of it.
        "claim": "STOP" if running is False else state,
        "holds_vip": present if isinstance(present, bool) else None,
        "base_priority": _whole(found.get("base_priority")),
        "effective_priority": _whole(found.get("effective_priority")),
        "interface": _text(found.get("interface")),
        "since": _text(found.get("since")),
        "vrid": _whole(found.get("vrid")),
        "sync_group": _text(found.get("sync_group")),
        "vips": [address for address, _, _ in vips],
        "held": [address.partition("/")[0] for address, there, _ in vips if there],
        "runs": _runs(found, vips) if running is not False and found.get("state") else {},
        "adverts": adverts if isinstance(adverts, Mapping) else {},
        "advert_int": _number(found.get("advert_int")),
        "vmac": found.get("use_vmac") is True,
    }


def _own(interface: str | None, held: Iterable[str], links: object) -> list[str]:
    link = links.get(interface) if isinstance(links, Mapping) else None
    listed = link.get("addresses") if isinstance(link, Mapping) else None
    own: dict[int, str] = {}
    for text in listed[:MAX_VIPS] if isinstance(listed, (list, tuple)) else ():
        try:
            ip = ipaddress.ip_interface(str(text)).ip
        except ValueError:
            continue
        if not ip.is_link_local:
            own.setdefault(ip.version, str(ip))
    families = {6 if ":" in address else 4 for address in held}
    return [own[family] for family in sorted(families) if family in own]


def _vips(said: object) -> Iterable[Vip]:
    for vip in said[:MAX_VIPS] if isinstance(said, (list, tuple)) else ():
        if isinstance(vip, Mapping):
            try:
                address = str(ipaddress.ip_interface(str(vip.get("address"))))
            except ValueError:
                continue
            yield address, bool(vip.get("present")), vip.get("excluded") is True


def _runs(found: Mapping[str, Any], vips: Iterable[Vip]) -> dict[str, Any]:
    lists: tuple[list[str], list[str]] = ([], [])
    for address, _, excluded in vips:
        lists[excluded].append(address.partition("/")[0])
    settings = {
        "vrid": _whole(found.get("vrid")),
        "vip_list": tuple(sorted(lists[0])),
        "excluded": tuple(sorted(lists[1])),
        "version": _whole(found.get("version")),
        "auth_type": _text(found.get("auth_type")),
        "advert_int": _number(found.get("advert_int")),
    }
    return {name: value for name, value in settings.items() if value is not None}


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _number(value: object) -> float | None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return float(value) if number else None  # type: ignore[arg-type]


def _text(value: object) -> str | None:
    return printable(value)[:64] if isinstance(value, str) and value else None
