"""``keepalived:policy`` in the pillar: what may be done about which kind of incident.  Pure.

Read in two places, which therefore share this: the check of the pillar before it is applied, and
the master when an incident opens.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

#: Which actions make sense for which kind.  Everything else is a mistake, not a silent no.
ACTIONS = {
    "split_brain": ("none", "drain", "state"),
    "ghost_vip": ("none", "restart", "state"),
    "no_master": ("none", "restart", "undrain", "state"),
    "hollow_master": ("none", "restart", "state"),
    "flapping": ("none", "drain", "state"),
    "failover": ("none", "restart", "reannounce", "state"),
    "degraded": ("none", "restart", "state"),
}
#: Here a restart means keepalived itself unless the pillar names a service.
_KEEPALIVED = frozenset({"ghost_vip", "hollow_master"})

#: What each action takes besides ``action``.
_KEYS = {
    "none": (),
    "restart": ("service", "peers"),
    "drain": ("expires", "peers"),
    "undrain": (),
    "reannounce": (),
    "state": ("sls", "peers"),
}

# A systemd unit, an SLS name: nothing that could be taken for an option or a path.
SERVICE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:@\\-]{0,254}", re.ASCII)
_SLS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*", re.ASCII)

DAY = 86_400


@dataclass(frozen=True)
class Rule:
    """What may be done about one kind of incident.

    service
        Of ``restart``.
    sls
        Of ``state``.
    peers
        How many other nodes must be seen well before a node is touched that has an address.
    expires
        After how many seconds a ``drain`` ends by itself.
    """

    action: str = "none"
    service: str = ""
    sls: str = ""
    peers: int = 2
    expires: int = 4 * 3600


@dataclass(frozen=True)
class Policy:
    """The rules and their limits.

    budget, window
        At most so many actions in one cluster within so many seconds.
    cooldown
        Seconds between two actions in one cluster.
    mass_failure
        Nothing is done while so many other clusters of this master have lost an address or have
        it twice: then the trouble is not one cluster's.
    dry_run
        Only say what would be done.
    """

    rules: Mapping[str, Rule] = field(default_factory=dict)
    budget: int = 2
    window: float = 3600.0
    cooldown: float = 300.0
    mass_failure: int = 3
    dry_run: bool = False


#: Whole numbers: (lowest, highest, of what).
NUMBERS = {
    "budget": (1, 100, "actions"),
    "window": (60, 30 * DAY, "seconds"),
    "cooldown": (1, DAY, "seconds"),
    "mass_failure": (1, 10_000, "clusters"),
}
_TOP = ("incidents", *NUMBERS, "dry_run")
Note = Callable[[tuple[str, ...], str], None]


def read(value: Any) -> tuple[Policy, list[tuple[str, str]]]:
    """The policy, and what is wrong with it: (path below ``keepalived``, reason) of each mistake.

    value
        The pillar's ``keepalived:policy``; None when there is none, which allows nothing.

    With a mistake nothing is allowed, whatever else it says: half a policy is none.
    """
    if value is None:
        return Policy(), []
    found: list[tuple[str, str]] = []

    def note(path: tuple[str, ...], reason: str) -> None:
        found.append((":".join(("policy", *path)), reason))

    policy = _policy(value, note)
    return (Policy() if found else policy), found


def _policy(value: Any, note: Note) -> Policy:
    settings = _mapping(value, (), _TOP, note)
    numbers = {
        name: _number(settings[name], (name,), *bounds, note)
        for name, bounds in NUMBERS.items()
        if name in settings
    }
    dry_run = settings.get("dry_run", False)
    if not isinstance(dry_run, bool):
        note(("dry_run",), "true or false belongs here, without quotes")
    incidents = _mapping(settings.get("incidents", {}), ("incidents",), tuple(ACTIONS), note)
    rules = {
        str(kind): _rule(str(kind), given, note)
        for kind, given in incidents.items()
        if kind in ACTIONS
    }
    return Policy(rules=rules, dry_run=dry_run is True, **numbers)


def _rule(kind: str, value: Any, note: Note) -> Rule:
    path = ("incidents", kind)
    settings = _mapping(value, path, None, note)
    action = settings.get("action")
    if not isinstance(action, str) or action not in ACTIONS[kind]:
        # an action of another kind is no slip of the pen
        slip = action is not None and action not in list(_KEYS)
        meant = _nearest(str(action), ACTIONS[kind]) if slip else ""
        listed = ", ".join(ACTIONS[kind])
        what = f"{str(action)[:40]!r} is no action for it" if action is not None else "is missing"
        note((*path, "action"), f"{what}; {_hint(meant, f'possible are {listed}')}")
        return Rule()
    _unknown(settings, path, ("action", *_KEYS[action]), note)
    service = settings.get("service", "keepalived" if kind in _KEEPALIVED else None)
    if action == "restart" and not (isinstance(service, str) and SERVICE.fullmatch(service)):
        note((*path, "service"), "the name of a service belongs here")
    sls = settings.get("sls")
    if action == "state" and not (isinstance(sls, str) and _SLS.fullmatch(sls)):
        note((*path, "sls"), "the name of an SLS belongs here, as state.apply takes it")
    peers = _number(settings.get("peers", 2), (*path, "peers"), 1, 100, "nodes", note)
    expires = _number(
        settings.get("expires", Rule.expires), (*path, "expires"), 60, 7 * DAY, "seconds", note
    )
    return Rule(action, str(service or ""), str(sls or ""), peers, expires)


def _mapping(
    value: Any, path: tuple[str, ...], known: tuple[str, ...] | None, note: Note
) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        note(path, f"a mapping belongs here, not {type(value).__name__}")
        return {}
    if known is not None:
        _unknown(value, path, known, note)
    return value


def _unknown(
    settings: Mapping[Any, Any], path: tuple[str, ...], known: Iterable[str], note: Note
) -> None:
    known = tuple(known)
    for key in settings:
        if key not in known:
            hint = _hint(_nearest(str(key), known), f"known are {', '.join(known)}")
            note((*path, str(key)[:40]), f"no such key; {hint}")


def _nearest(word: str, known: Iterable[str]) -> str:
    return next(iter(difflib.get_close_matches(word[:40], list(known), 1)), "")


def _hint(meant: str, otherwise: str) -> str:
    return f"did you mean {meant}?" if meant else otherwise


def _number(value: Any, path: tuple[str, ...], low: int, high: int, what: str, note: Note) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        note(path, f"{str(value)[:20]!r} is no whole number of {what} from {low} to {high}")
        return low
    return value
