"""An incident's event from the bus, believed only when the hub of this master signed it.  Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from . import clock
from .event import MAX_TEXT, MINION_ID, NAME, Rejected
from .hub_session import HUB_ID, is_genuine
from .incident_state import KINDS

#: What the hub tells of an incident.
WORDS = frozenset({"opened", "updated", "resolved"})

__all__ = ["HUB_ID", "WORDS", "is_incident_tag", "validate_incident"]


def is_incident_tag(tag: object) -> bool:
    """Whether a tag is one that the hub gives to incidents."""
    parts = tag.split("/") if isinstance(tag, str) else []
    return len(parts) == 4 and parts[0] == "keepalived" and parts[2] in KINDS and parts[3] in WORDS


def validate_incident(tag: str, data: object, keys: Sequence[str]) -> dict[str, Any] | Rejected:
    """The incident that an event tells of.

    tag
        The whole tag, of which ``is_incident_tag`` is true.
    data
        The event's data, a mapping or its JSON text.
    keys
        With which the hub may have signed (of :data:`HUB_ID`, one for each secret of the master).

    Returns what the hub told, or ``Rejected``: no key, another signature, or a tag that says
    something else than the data.  What is signed was written by the hub, so its form is looked at
    only as far as this program relies on it.
    """
    if isinstance(data, str):
        if len(data) > MAX_TEXT:
            return Rejected(f"the data is longer than {MAX_TEXT} characters")
        try:
            data = json.loads(data)
        except (ValueError, RecursionError):
            return Rejected("the data is no JSON")
    if not isinstance(data, Mapping):
        return Rejected("the data is no mapping")
    if not keys:
        return Rejected("this master has no secret, so nothing proves that its hub fired it")
    if not is_genuine(data, tuple(keys)):
        return Rejected("it does not bear the signature of this master's hub")
    _, cluster, kind, word = tag.split("/")
    if cluster != quote(str(data.get("cluster")), safe="") or kind != data.get("kind"):
        return Rejected("cluster or kind is not the one of the tag")
    if (data.get("state") == "resolved") != (word == "resolved"):
        return Rejected("state is not the one of the tag")
    if not _is_whole(data):
        return Rejected("it has not the form of an incident of schema 1")
    return {str(key): value for key, value in data.items()}


def _is_whole(data: Mapping[str, Any]) -> bool:
    nodes, instances = data.get("nodes"), data.get("instances")
    return (
        data.get("schema") == 1
        and isinstance(data.get("id"), str)
        and isinstance(data.get("planned"), bool)
        and clock.parse(data.get("opened")) is not None
        and isinstance(instances, (list, tuple))
        and all(isinstance(each, str) and NAME.fullmatch(each) for each in instances)
        and isinstance(nodes, (list, tuple))
        and all(isinstance(each, str) and MINION_ID.fullmatch(each) for each in nodes)
    )
