"""The lines of static_routes, virtual_routes, static_rules and virtual_rules.

They look like the arguments of ``ip route`` and ``ip rule``, but keepalived has a parser of its
own (vrrp_iproute.c, vrrp_iprule.c), with ways of its own: the word after a leading ``inet`` or
``inet6`` is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from .entry_options import network_fault, option_fault, stranger
from .grammar_entries import NEXTHOP, ROUTE, ROUTE_TYPES, RULE, RULE_ACTIONS
from .keyword import Version

_FAMILIES = ("inet", "inet6")
_PREFERENCES = frozenset({"preference", "order", "priority"})


Lost = list[str]


def route_fault(words: Sequence[str], static: bool = False, release: Version = ()) -> str:
    """Why a line is no route for keepalived, or an empty string."""
    return _told(_route, words, static, release)


def rule_fault(words: Sequence[str], static: bool = False, release: Version = ()) -> str:
    """Why a line is no rule for keepalived, or an empty string."""
    return _told(_rule, words, static, release)


def lost_word(words: Sequence[str], rule: bool, release: Version = ()) -> str:
    """What of a sound line keepalived skips without a word, and what to do; may be empty."""
    lost: Lost = []
    if not set(_FAMILIES).isdisjoint(words):
        (_rule if rule else _route)(words, True, release, lost)
    return lost[0] if lost else ""


def _told(
    judge: Callable[[Sequence[str], bool, Version, Lost], str],
    words: Sequence[str],
    static: bool,
    release: Version,
) -> str:
    """The reason; where a word was skipped before it, that is the better one."""
    lost: Lost = []
    reason = judge(words, static, release, lost)
    return lost[0] if reason and lost else reason


def _route(words: Sequence[str], static: bool, release: Version, lost: Lost) -> str:
    destination = ""
    index = 0
    while index < len(words):
        word = words[index]
        if word in _FAMILIES:
            lost.append(_lost(words, index))
            index += 2
            continue
        if word == "nexthop":
            reason = _nexthops(words, index, release)
            if reason:
                return reason
            break
        option = ROUTE.get(word)
        if option is not None and (static or word != "track_group"):
            index, reason = option_fault(option, words, index, release)
            if reason:
                return reason
            continue
        # A type goes before the destination; `to TYPE` too, for keepalived looks at `to` itself.
        index += word == "to"
        if index < len(words) and word in ROUTE_TYPES:
            index += 1
        if index >= len(words):
            return f"a destination must follow {word!r}"
        reason = network_fault(words[index])
        if reason:
            return reason if destination == "" else stranger(words[index], (*ROUTE, "nexthop"))
        destination = words[index]
        index += 1
    return "" if destination else "a route needs a destination: a network, or default"


def _rule(words: Sequence[str], static: bool, release: Version, lost: Lost) -> str:
    action = preference = False
    index = 0
    while index < len(words):
        word = words[index]
        if word in _FAMILIES:
            lost.append(_lost(words, index))
            index += 2
            continue
        if word == "type":
            index += 1
            if index >= len(words):
                return "an action must follow type"
            word = words[index]
            if word not in RULE_ACTIONS:
                return f"type: {word!r} is not one of {', '.join(RULE_ACTIONS)}"
        option = RULE.get(word)
        if option is not None and (static or word != "track_group"):
            index, reason = option_fault(option, words, index, release)
            if reason:
                return reason
        elif word in RULE_ACTIONS:
            index += 1
        else:
            return stranger(word, (*RULE, *RULE_ACTIONS))
        action = action or word in ("table", "lookup", "l3mdev", *RULE_ACTIONS)
        preference = preference or word in _PREFERENCES
    if not action:
        return "a rule needs an action: table N, l3mdev, goto N, blackhole, prohibit, unreachable"
    return "" if preference else "a rule needs a preference N; keepalived would make one up"


def _nexthops(words: Sequence[str], index: int, release: Version) -> str:
    """What is wrong behind the first nexthop; nothing else can stand there."""
    while index < len(words):
        if words[index] == "nexthop":
            index += 1
            continue
        option = NEXTHOP.get(words[index])
        if option is None:
            return stranger(words[index], (*NEXTHOP, "nexthop")) + " (after nexthop)"
        index, reason = option_fault(option, words, index, release)
        if reason:
            return reason
    return ""


def _lost(words: Sequence[str], index: int) -> str:
    after = words[index + 1] if index + 1 < len(words) else "what follows"
    return f"keepalived skips {after!r} after {words[index]!r}; leave {words[index]} out"
