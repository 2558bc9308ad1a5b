"""An event from the bus, believed only as far as it can be checked.

Salt's bus authenticates no content: every accepted minion can put any text under any tag.
So an event is a hint.  What leaves here has the right types, sizes and names, and says the
same in its tag as in its data; everything else is ``Rejected`` with a reason that quotes
nothing of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import unquote

from . import clock

SCHEMA = 1
STATES = frozenset({"INIT", "MASTER", "BACKUP", "FAULT", "STOP", "DELETED"})
#: What is no state of an instance.
KINDS = frozenset({"ghost", "hollow", "restored", "rx_lower", "priority", "overflow", "heartbeat"})
TYPES = frozenset({"instance", "group", "node"})
SOURCES = frozenset({"netlink", "fifo", "json", "resync", "poll"})

# The largest honest event, one with several hundred addresses, is about 20 KiB.
MAX_TEXT = 64 * 1024
MAX_VIPS = 1024

# Narrower than what Salt allows in a minion id: nothing that a target expression, a path,
# a shell or a template could read as more than a name.
MINION_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}", re.ASCII)
# What keepalived.conf takes as a name is nearly anything; this is what people write.
NAME = re.compile(r"\w[\w.:@/+#=~,() -]{0,127}")
_SEGMENT = re.compile(r"(?:[A-Za-z0-9._~-]|%[0-9A-Fa-f]{2}){1,400}", re.ASCII)
_STREAM = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{3,63}", re.ASCII)
_INTERFACE = re.compile(r"[A-Za-z0-9_.:@-]{1,32}", re.ASCII)  # IFNAMSIZ is 16; aliases are longer
_ADDRESS = re.compile(r"[0-9A-Fa-f:.]{2,45}(?:/[0-9]{1,3})?(?:%[A-Za-z0-9_.-]{1,15})?", re.ASCII)
_FAMILIES: tuple[str | int, ...] = (4, 6, "ipv4", "ipv6", "inet", "inet6")
_WORD = re.compile(r"[A-Za-z_]{1,16}", re.ASCII)
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~() -]{0,63}", re.ASCII)


@dataclass(frozen=True)
class Event:
    """One transition, checked.  Field names are those of the event schema (``from`` is a word
    of Python, hence ``from_state``)."""

    id: str
    type: str
    stream_id: str
    seq: int
    instance: str
    to: str
    time: str
    planned: bool
    cluster: str | None = None
    sync_group: str | None = None
    vrid: int | None = None
    family: str | int | None = None
    interface: str | None = None
    from_state: str | None = None
    reason: str | None = None
    base_priority: int | None = None
    effective_priority: int | None = None
    vips: tuple[str, ...] = ()
    vip_present: bool | None = None
    source: str | None = None
    dropped: int | None = None
    keepalived_version: str | None = None

    @property
    def key(self) -> str:
        """What one incident's reactions are filed under."""
        return f"{self.id}/{self.instance}/{self.stream_id}/{self.seq}"

    def public(self) -> dict[str, object]:
        """The event as a flat dict of plain values, for a webhook or an audit record."""
        data: dict[str, object] = {
            ("from" if name == "from_state" else name): value for name, value in vars(self).items()
        }
        data["vips"] = list(self.vips)
        return data


@dataclass(frozen=True)
class Rejected:
    """Why an event is not believed.  ``reason`` names fields, it never quotes their content."""

    reason: str


T = TypeVar("T")


class _Wrong(Exception):
    pass


def quote_for_log(text: object, limit: int = 120) -> str:
    """Untrusted text on one line of printable ASCII, cut to ``limit`` characters."""
    shown = ascii(text if isinstance(text, str) else type(text).__name__)
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def printable(text: str) -> str:
    """The text on one line, without control characters (a terminal or a log obeys those)."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "?" for character in text)


def validate_event(tag: object, data: object) -> Event | Rejected:
    """Check an event's tag and data against schema 1.

    tag
        The whole tag: ``salt/beacon/<minion>/keepalived/<instance>/<TO>``, the instance
        percent-encoded.
    data
        The flat data of the event, a dict or its JSON text.

    Returns an ``Event``, or ``Rejected`` for whatever is missing, of the wrong type or size,
    or contradicts the tag.  Keys that schema 1 does not know are dropped.
    """
    try:
        return _validate(tag, _decode(data))
    except _Wrong as wrong:
        return Rejected(str(wrong))


def _decode(data: object) -> Mapping[object, object]:
    if isinstance(data, str):
        if len(data) > MAX_TEXT:
            raise _Wrong(f"the data is longer than {MAX_TEXT} characters")
        try:
            data = json.loads(data)
        # A few kilobytes of "[[[[" are deep enough for the second.
        except (ValueError, RecursionError):
            raise _Wrong("the data is no JSON") from None
    if not isinstance(data, Mapping):
        raise _Wrong("the data is no mapping")
    # The master stamps whatever comes in.
    if not set(data) - {"_stamp"}:
        raise _Wrong("it has no data, as Salt's own event for a beacon that failed")
    return data


def _validate(tag: object, data: Mapping[object, object]) -> Event:
    minion, instance, to = _split(tag)
    field = _Fields(data)
    if field.whole("schema", 0, 1 << 31) != SCHEMA:
        raise _Wrong(f"schema is not {SCHEMA}")
    kind = field.one_of("type", TYPES)
    if field.text("id", MINION_ID) != minion:
        raise _Wrong("id is not the minion of the tag")
    if field.text("instance", NAME) != instance:
        raise _Wrong("instance is not the one of the tag")
    if field.one_of("to", STATES | KINDS) != to:
        raise _Wrong("to is not the last word of the tag")
    time = data.get("time")
    if clock.parse(time) is None:
        raise _Wrong("time is no RFC 3339 time in UTC")
    return Event(
        id=minion,
        type=kind,
        stream_id=field.text("stream_id", _STREAM),
        seq=field.whole("seq", 1, (1 << 63) - 1),  # SQLite's integers end there
        instance=instance,
        to=to,
        time=str(time),
        planned=field.flag("planned"),
        # a node whose pillar names no cluster
        cluster=field.maybe("cluster", lambda name: field.text(name, NAME))
        if data.get("cluster") != ""
        else None,
        sync_group=field.maybe("sync_group", lambda name: field.text(name, NAME)),
        vrid=field.maybe("vrid", lambda name: field.whole(name, 0, 255)),
        family=field.maybe("family", field.family),
        interface=field.maybe("interface", lambda name: field.text(name, _INTERFACE)),
        from_state=field.maybe("from", lambda name: field.text(name, _WORD)),
        reason=field.maybe("reason", field.prose),
        # A track_script's weight of -254 on priority 1 is the lowest that can be written.
        base_priority=field.maybe("base_priority", lambda name: field.whole(name, 0, 255)),
        effective_priority=field.maybe(
            "effective_priority", lambda name: field.whole(name, -255, 510)
        ),
        vips=field.addresses("vips"),
        vip_present=field.maybe("vip_present", field.flag),
        source=field.maybe("source", lambda name: field.one_of(name, SOURCES)),
        dropped=field.maybe("dropped", lambda name: field.whole(name, 0, (1 << 63) - 1)),
        keepalived_version=field.maybe(
            "keepalived_version", lambda name: field.text(name, _VERSION)
        ),
    )


def _split(tag: object) -> tuple[str, str, str]:
    parts = tag.split("/") if isinstance(tag, str) and len(tag) <= 1024 else []
    if len(parts) != 6 or parts[:2] != ["salt", "beacon"] or parts[3] != "keepalived":
        raise _Wrong("the tag is not salt/beacon/<minion>/keepalived/<instance>/<TO>")
    minion, segment, to = parts[2], parts[4], parts[5]
    if not MINION_ID.fullmatch(minion):
        raise _Wrong("the tag's minion is no minion id")
    if not _SEGMENT.fullmatch(segment):
        raise _Wrong("the tag's instance is not percent-encoded")
    try:
        instance = unquote(segment, errors="strict")
    except UnicodeDecodeError:
        raise _Wrong("the tag's instance is not percent-encoded UTF-8") from None
    return minion, instance, to


class _Fields:
    """Reads one field at a time; each method raises ``_Wrong`` naming the field."""

    def __init__(self, data: Mapping[object, object]) -> None:
        self._data = data

    def maybe(self, name: str, read: Callable[[str], T]) -> T | None:
        return None if self._data.get(name) is None else read(name)

    def text(self, name: str, pattern: re.Pattern[str]) -> str:
        value = self._data.get(name)
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise _Wrong(f"{name} is missing or malformed")
        return value

    def one_of(self, name: str, words: frozenset[str]) -> str:
        value = self._data.get(name)
        if not isinstance(value, str) or value not in words:
            raise _Wrong(f"{name} is none of {', '.join(sorted(words))}")
        return value

    def whole(self, name: str, low: int, high: int) -> int:
        value = self._data.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise _Wrong(f"{name} is no whole number from {low} to {high}")
        return value

    def flag(self, name: str) -> bool:
        value = self._data.get(name)
        if not isinstance(value, bool):
            raise _Wrong(f"{name} is neither true nor false")
        return value

    def family(self, name: str) -> str | int:
        value = self._data.get(name)
        if isinstance(value, (str, int)) and not isinstance(value, bool) and value in _FAMILIES:
            return value
        raise _Wrong(f"{name} is no address family")

    def prose(self, name: str) -> str:
        value = self._data.get(name)
        if not isinstance(value, str) or len(value) > 1024:
            raise _Wrong(f"{name} is no text of at most 1024 characters")
        return printable(value)

    def addresses(self, name: str) -> tuple[str, ...]:
        value = self._data.get(name)
        if value is None:
            return ()
        if not isinstance(value, (list, tuple)) or len(value) > MAX_VIPS:
            raise _Wrong(f"{name} is no list of at most {MAX_VIPS} addresses")
        if not all(isinstance(each, str) and _ADDRESS.fullmatch(each) for each in value):
            raise _Wrong(f"{name} has an entry that is no address")
        return tuple(value)
