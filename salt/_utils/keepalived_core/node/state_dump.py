"""What keepalived's DATA dump says of what its instances track: the evidence for a cause.

The dump is free text for debugging, which its author does not promise to keep.  So only lines that
are known are read, from dumps of 2.2.7 and 2.3.3 (tests/unit/node/state_dumps), and what is not
there is not known: a cause is then ``unknown``, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

#: This section comes last: with its heading everything before it is whole.
_LAST = "------< Interfaces >------"
_SECTION = re.compile(r"------< (.+) >------")
_TRACKED = re.compile(r"(?P<name>.+?),? weight (?P<weight>-?\d+)\b")
#: Heading of a list in an instance or sync group -> field of :class:`Tracked`.
_LISTS = {
    "Tracked interfaces": "interfaces",
    "Tracked scripts": "scripts",
    "Tracked files": "files",
    "Tracked processes": "processes",
}


@dataclass
class Tracked:
    """Names of what is tracked, each with its weight; 0 makes its failure a fault."""

    interfaces: dict[str, int] = field(default_factory=dict)
    scripts: dict[str, int] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    processes: dict[str, int] = field(default_factory=dict)


@dataclass
class Told(Tracked):
    """One instance.  ``master_priority`` is that of the router it takes for MASTER, 0: of none."""

    state: str = ""
    group: str | None = None
    interface: str | None = None
    base: int | None = None
    effective: int | None = None
    master_priority: int = 0


@dataclass
class Group(Tracked):
    """One sync group."""

    members: list[str] = field(default_factory=list)


@dataclass
class Account:
    """The dump: ``scripts`` name -> fails, ``files`` name -> value, ``processes`` name -> has its
    quorum, ``interfaces`` name -> what is wrong with it, "" for nothing."""

    instances: dict[str, Told] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    scripts: dict[str, bool] = field(default_factory=dict)
    files: dict[str, int] = field(default_factory=dict)
    processes: dict[str, bool] = field(default_factory=dict)
    interfaces: dict[str, str] = field(default_factory=dict)


def whole(text: str) -> bool:
    """Return whether the dump is written far enough to be read."""
    return _LAST in text


def parse(text: str) -> Account:
    """Read a dump.  Passwords in it are skipped and kept nowhere.

    Raises :class:`ValueError` when it is no whole dump of a VRRP process.
    """
    if not whole(text) or "------< VRRP Topology >------" not in text:
        raise ValueError("no whole dump of keepalived's VRRP process")
    account = Account()
    for section, blocks in _sections(text):
        reader = _READERS.get(section)
        for heading, lines in blocks if reader else ():
            reader(account, heading, lines)  # type: ignore[misc]
    return account


def _sections(text: str) -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    """Yield (section, [(heading, its lines)]): a heading is indented by one blank."""
    name, blocks = "", []  # type: ignore[var-annotated]
    for line in text.splitlines():
        found = _SECTION.fullmatch(line.strip())
        if found:
            yield name, blocks
            name, blocks = found[1], []
        elif line.startswith("  ") and blocks:
            blocks[-1][1].append(line)
        elif line.strip():
            blocks.append((line.strip(), []))
    yield name, blocks


def _pairs(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        if line.startswith("   ") and not line.startswith("    "):
            key, equals, value = line.strip().partition(" = ")
            if equals:
                found.setdefault(key, value.strip())
    return found


def _lists(lines: list[str]) -> dict[str, list[str]]:
    """Return what is indented below a line that ends with a colon."""
    found: dict[str, list[str]] = {}
    heading = None
    for line in lines:
        if not line.startswith("    "):
            text = line.strip()
            heading = text[:-1].strip() if text.endswith(":") else None
        elif heading is not None:
            found.setdefault(heading, []).append(line.strip())
    return found


def _track(into: Tracked, lists: Mapping[str, list[str]]) -> None:
    for heading, name in _LISTS.items():
        for line in lists.get(heading, ()):
            found = _TRACKED.match(line)
            if found:
                getattr(into, name)[found["name"]] = int(found["weight"])


def _number(text: str | None) -> int | None:
    try:
        return int(text or "")
    except ValueError:
        return None


def _instance(account: Account, heading: str, lines: list[str]) -> None:
    name = _named(heading, "VRRP Instance")
    if name is None:
        return
    values = _pairs(lines)
    told = Told(
        state=values.get("State", ""),
        group=values.get("Sync group"),
        # with a macvlan it stands as "vrrp.51, vmac on eth0, …"
        interface=values.get("Interface", "").partition(",")[0] or None,
        base=_number(values.get("Priority")),
        effective=_number(values.get("Effective priority")),
        master_priority=_number(values.get("Master priority")) or 0,
    )
    _track(told, _lists(lines))
    account.instances[name] = told


def _group(account: Account, heading: str, lines: list[str]) -> None:
    name = _named(heading, "VRRP Sync Group")
    if name is None:
        return
    lists = _lists(lines)
    # "G1, MASTER": a name may hold a comma, a state cannot
    group = Group(members=lists.get("VRRP member instances", []))
    _track(group, lists)
    account.groups[name.rpartition(", ")[0]] = group


def _script(account: Account, heading: str, lines: list[str]) -> None:
    name, status = _named(heading, "VRRP Script"), _pairs(lines).get("Status")
    if name is not None and status in ("GOOD", "BAD"):
        account.scripts[name] = status == "BAD"


def _file(account: Account, heading: str, lines: list[str]) -> None:
    name, value = _named(heading, "Track file"), _number(_pairs(lines).get("Status"))
    if name is not None and value is not None:
        account.files[name] = value


def _process(account: Account, heading: str, lines: list[str]) -> None:
    name, quorum = _named(heading, "VRRP Track process"), _pairs(lines).get("Have quorum")
    if name is not None and quorum in ("true", "false"):
        account.processes[name] = quorum == "true"


def _interface(account: Account, heading: str, lines: list[str]) -> None:
    name, state = _named(heading, "Name"), _pairs(lines).get("State")
    if name is not None and state is not None:
        words = [word.strip() for word in state.split(",")]
        fault = "is down" if "UP" not in words else "" if "RUNNING" in words else "has no carrier"
        account.interfaces[name] = fault


def _named(heading: str, keyword: str) -> str | None:
    key, equals, value = heading.partition(" = ")
    return value.strip() if equals and key == keyword else None


_READERS = {
    "VRRP Topology": _instance,
    "VRRP Sync groups": _group,
    "VRRP Scripts": _script,
    "VRRP Track files": _file,
    "VRRP Track processes": _process,
    "Interfaces": _interface,
}
