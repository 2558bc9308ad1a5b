"""One option of a line, and what follows it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .grammar import nearest
from .grammar_entries import ENCAP, NETWORKS, Option
from .keyword import Version, version_text
from .values import family, number

# A whole number as strtoul reads it with base 0; longer ones are out of every range.
_ANY_BASE = re.compile(r"0[xX][0-9a-fA-F]{1,16}|[0-9]{1,20}", re.ASCII)
_RANGE = re.compile(r"[0-9]+-[0-9]+", re.ASCII)


def option_fault(
    option: Option, words: Sequence[str], index: int, release: Version
) -> tuple[int, str]:
    """Where the next option of a line is, and why this one is wrong (or an empty string).

    index: where the option's word stands.
    """
    word = words[index]
    reason = newer(word, option.since, release)
    index += 1
    takes = option.takes
    if reason or takes == "flag":
        return index, reason
    if takes == "encap":
        return _encap(words, index)
    if takes.startswith("lock "):
        takes = takes[5:]
        index += words[index : index + 1] == ["lock"]
    if takes == "via":
        takes = "address"
        index += tuple(words[index : index + 1]) in (("inet",), ("inet6",))
    if index >= len(words):
        return index, f"a value must follow {word!r}"
    return index + 1, value_fault(word, takes, words[index])


def value_fault(word: str, takes: str, value: str) -> str:
    """Why a value cannot follow an option word, or an empty string."""
    kind, *more = takes.split(" ")
    if kind == "word":
        if more and len(value) > int(more[0]):
            return f"{word} {value!r} is longer than {more[0]} letters"
        return ""
    if kind == "address":
        return "" if family(value.partition("/")[0]) else f"{word}: {value!r} is no IP address"
    if kind == "network":
        return network_fault(value, f"{word}: ")
    if kind == "broadcast":
        right = value in ("+", "-") or family(value) == 4
        return "" if right else f"{word}: {value!r} is no IPv4 address, nor + or -"
    if kind == "range":
        right = _RANGE.fullmatch(value) is not None
        return "" if right else f"{word}: {value!r} is no range like 1000-1999"
    if ".." in takes:
        return _number(word, takes, value)
    choices = takes.split("|")
    return "" if value in choices else f"{word}: {value!r} is not {' or '.join(choices)}"


def network_fault(text: str, before: str = "") -> str:
    """Why a word is no network, or an empty string."""
    if text in NETWORKS:
        return ""
    address, slash, mask = text.partition("/")
    kind = family(address)
    if not kind:
        return f"{before}{text!r} is no IP address or network, nor default"
    most = 32 if kind == 4 else 128
    if slash and not (mask.isascii() and mask.isdecimal() and len(mask) <= 3 and int(mask) <= most):
        return f"{before}the mask of {text!r} must be a number from 0 to {most}"
    return ""


def newer(word: str, since: Version, release: Version) -> str:
    """Why a release cannot know a word, or an empty string."""
    if release and since > release:
        return f"{word} needs keepalived {version_text(since)}, this is {version_text(release)}"
    return ""


def stranger(word: str, options: Iterable[str]) -> str:
    """What to say of a word that is no option."""
    meant = nearest(word, options)
    return f"unknown option {word!r}" + (f"; did you mean {meant}?" if meant else "")


def _number(word: str, takes: str, value: str) -> str:
    kind, *more = takes.split(" ")
    bounds = kind
    found: float | None
    if kind == "hex":
        bounds, *more = more
        found = (
            int(value, 0 if "x" in value.lower() else 10) if _ANY_BASE.fullmatch(value) else None
        )
    else:
        found = number(value)
    low, _, high = bounds.partition("..")
    if value in more or (
        found is not None and found == int(found) and int(low) <= found <= int(high)
    ):
        return ""
    besides = f", or {' or '.join(more)}" if more else ""
    return f"{word}: {value!r} is no whole number from {low} to {high}{besides}"


def _encap(words: Sequence[str], index: int) -> tuple[int, str]:
    """encap TYPE and what belongs to it; the words' own values are keepalived's to judge."""
    if index >= len(words):
        return index, "a type must follow encap"
    kind = words[index]
    if kind not in ENCAP:
        return index, f"encap: {kind!r} is not one of {', '.join(ENCAP)}"
    index += 1
    if not ENCAP[kind]:
        reason = "" if index < len(words) else f"an address must follow encap {kind}"
        return index + 1, reason
    while index + 1 < len(words) and words[index] in ENCAP[kind]:
        index += 2
    return index, ""
