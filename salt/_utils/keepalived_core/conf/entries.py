"""The lines of value blocks: virtual addresses, tracked things, unicast peers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .grammar import nearest
from .grammar_entries import ENTRY_WORDS
from .values import family, number

# Options of an address that are followed by a word; the others stand alone.
_ADDRESS_VALUES = frozenset(
    {"dev", "scope", "broadcast", "brd", "label", "peer", "preferred_lft", "track_group"}
)
_TRACKED = {
    "track_interface": (-253, 253),
    "track_script": (-253, 253),
    "track_file": (-254, 254),
    "track_process": (-254, 254),
    "track_bfd": (-253, 253),
}


@dataclass(frozen=True, slots=True)
class Address:
    """One line of virtual_ipaddress.  prefix: None when no mask was written; family: 4 or 6."""

    address: str
    prefix: int | None
    family: int
    dev: str


def address(words: Sequence[str]) -> Address | None:
    """The address a line stands for, or None when it has none that can be read."""
    found = None
    dev = ""
    index = 0
    while index < len(words):
        word = words[index]
        if word in _ADDRESS_VALUES:
            if word == "dev" and index + 1 < len(words):
                dev = words[index + 1]
            index += 2
            continue
        if found is None and word not in ENTRY_WORDS["address"]:
            found = word
        index += 1
    if found is None:
        return None
    text, slash, mask = found.partition("/")
    kind = family(text)
    if not kind or (slash and not mask.isdecimal()) or len(mask) > 3:
        return None
    return Address(text, int(mask) if slash else None, kind, dev)


def address_fault(words: Sequence[str]) -> str:
    """Why a line is no address for keepalived, or an empty string."""
    seen = ""
    index = 0
    while index < len(words):
        word = words[index]
        if word in _ADDRESS_VALUES:
            if index + 1 >= len(words):
                return f"a value must follow {word!r}"
            index += 2
            continue
        if word not in ENTRY_WORDS["address"]:
            if seen:
                meant = nearest(word, ENTRY_WORDS["address"])
                if family(word.partition("/")[0]):
                    return f"{seen} and {word} on one line; each address is an entry of its own"
                return f"unknown option {word!r}" + (f"; did you mean {meant}?" if meant else "")
            seen = word
        index += 1
    if not seen:
        return "there is no address in this line"
    text, slash, mask = seen.partition("/")
    kind = family(text)
    if not kind:
        return f"{text!r} is no IP address"
    if slash:
        most = 32 if kind == 4 else 128
        if not (mask.isascii() and mask.isdecimal() and len(mask) <= 3 and int(mask) <= most):
            return f"the mask of {seen!r} must be a number from 0 to {most}"
    return ""


def peer_fault(words: Sequence[str]) -> str:
    """Why a line of unicast_peer is none, or an empty string."""
    if not family(words[0]):
        return f"{words[0]!r} is no IP address"
    index = 1
    while index < len(words):
        word = words[index]
        if word not in ENTRY_WORDS["peer"]:
            if family(word):
                return f"{words[0]} and {word} on one line; each peer is an entry of its own"
            return f"unknown option {word!r}; a peer takes min_ttl N and max_ttl N"
        value = number(words[index + 1]) if index + 1 < len(words) else None
        if value is None or not 0 <= value <= 255:
            return f"a number from 0 to 255 must follow {word}"
        index += 2
    return ""


def track_fault(keyword: str, words: Sequence[str]) -> str:
    """Why a line of track_script and its kin is none, or an empty string."""
    low, high = _TRACKED[keyword]
    index = 1
    while index < len(words):
        word = words[index]
        if word == "weight":
            value = number(words[index + 1]) if index + 1 < len(words) else None
            if value is None or value != int(value) or not low <= value <= high:
                return f"a whole number from {low} to {high} must follow weight"
            index += 2
            continue
        if word not in ("reverse", "noreverse"):
            return f"unknown option {word!r}; {keyword} takes NAME [weight N [reverse]]"
        index += 1
    return ""


def fault(keyword: str, words: Sequence[str]) -> str:
    """Why a line cannot stand in the value block of that keyword, or an empty string."""
    if keyword in ("static_ipaddress", "virtual_ipaddress", "virtual_ipaddress_excluded"):
        return address_fault(words)
    if keyword == "unicast_peer":
        return peer_fault(words)
    if keyword in _TRACKED:
        return track_fault(keyword, words)
    return ""
