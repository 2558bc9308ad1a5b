"""The lines of value blocks: virtual addresses, tracked things, unicast peers, server groups.

Only what keepalived itself reports is a fault; what it takes silently is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .entry_options import newer, option_fault, stranger
from .entry_routes import lost_word, route_fault, rule_fault
from .grammar_entries import (
    ADDRESS,
    DEVICE,
    LINKBEAT,
    MARK_FAMILY_SINCE,
    PEER,
    REVERSE_SINCE,
    TRACKED,
)
from .keyword import Version
from .values import bare_address, family, number

# No interface name is longer (IFNAMSIZ, without the final zero).
_LONGEST_NAME = 15


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
        option = ADDRESS.get(word)
        if option is None:
            found = found or word
        elif option.takes != "flag":
            index += 1
            if word == "dev" and index < len(words):
                dev = words[index]
        index += 1
    if found is None:
        return None
    text, slash, mask = found.partition("/")
    kind = family(text)
    if not kind or (slash and not mask.isdecimal()) or len(mask) > 3:
        return None
    return Address(text, int(mask) if slash else None, kind, dev)


def fault(keyword: str, words: Sequence[str], release: Version = ()) -> str:
    """Why these words cannot be a line of that keyword, or an empty string.

    keyword: of the value block the line stands in, or use_vmac or use_ipvlan, whose own words
    they are; release: of the keepalived it is for, () for the newest.
    """
    if keyword in ("static_ipaddress", "virtual_ipaddress", "virtual_ipaddress_excluded"):
        return address_fault(words, keyword == "static_ipaddress", release)
    if keyword in ("static_routes", "virtual_routes"):
        return route_fault(words, keyword == "static_routes", release)
    if keyword in ("static_rules", "virtual_rules"):
        return rule_fault(words, keyword == "static_rules", release)
    if keyword == "unicast_peer":
        return peer_fault(words, release)
    if keyword in TRACKED:
        return track_fault(keyword, words, release)
    if keyword in DEVICE:
        return device_fault(keyword, words, release)
    if keyword == "virtual_server_group":
        return group_fault(words, release)
    if keyword == "linkbeat_interfaces" and len(words) > 1 and words[1] not in LINKBEAT:
        return f"{words[1]!r} is no way to look at a link; it is one of {', '.join(LINKBEAT)}"
    if keyword == "linkbeat_interfaces" and len(words) > 2:
        return f"unknown option {words[2]!r}; a line is IFNAME [{'|'.join(LINKBEAT)}]"
    return ""


def ignored(keyword: str, words: Sequence[str], release: Version = ()) -> str:
    """What of a line without a fault keepalived skips in silence, or an empty string."""
    if keyword in ("static_routes", "virtual_routes", "static_rules", "virtual_rules"):
        return lost_word(words, keyword.endswith("rules"), release)
    if keyword == "unicast_peer" and bare_address(words[0]) != words[0]:
        return f"a peer is one address; keepalived takes {bare_address(words[0])}"
    return ""


def address_fault(words: Sequence[str], static: bool = False, release: Version = ()) -> str:
    """Why a line is no address for keepalived, or an empty string."""
    text, slash, mask = words[0].partition("/")
    kind = family(text)
    if not kind:
        if words[0] in ADDRESS:
            found = any(family(word.partition("/")[0]) for word in words[1:])
            after = f"the address must come before {words[0]}"
            return after if found else "there is no address in this line"
        return f"{text!r} is no IP address"
    most = 32 if kind == 4 else 128
    if slash and not (mask.isascii() and mask.isdecimal() and len(mask) <= 3 and int(mask) <= most):
        return f"the mask of {words[0]!r} must be a number from 0 to {most}"
    foreign = "use_vmac" if static else "track_group"
    given: set[str] = set()
    index = 1
    while index < len(words):
        word = words[index]
        option = ADDRESS.get(word)
        if option is None or word == foreign:
            if family(word.partition("/")[0]):
                return f"{words[0]} and {word} on one line; each address is an entry of its own"
            return stranger(word, [known for known in ADDRESS if known != foreign])
        index, reason = option_fault(option, words, index, release)
        reason = reason or _address_option(word, words[index - 1], words[0], given)
        if reason:
            return reason
        given.add(word)
    return ""


def _address_option(word: str, value: str, line: str, given: set[str]) -> str:
    """What is wrong with an option of this address."""
    text, _, mask = line.partition("/")
    kind = family(text)
    if kind == 6 and word in ("scope", "label", "broadcast", "brd"):
        return f"{word} is for IPv4 addresses"
    if word == "dev" and word in given:
        return "dev is given twice"
    if word == "peer" and family(value.partition("/")[0]) != kind:
        return f"the peer {value} is of another family than {line}"
    if word in ("broadcast", "brd") and value in "+-" and (not mask or int(mask) > 30):
        return f"{word} {value} needs an address with a mask of at most 30"
    return ""


def peer_fault(words: Sequence[str], release: Version = ()) -> str:
    """Why a line of unicast_peer is none, or an empty string."""
    if not family(bare_address(words[0])):
        return f"{words[0]!r} is no IP address"
    index = 1
    while index < len(words):
        word = words[index]
        if word not in PEER:
            if family(word):
                return f"{words[0]} and {word} on one line; each peer is an entry of its own"
            return f"unknown option {word!r}; a peer takes min_ttl N and max_ttl N"
        index, reason = option_fault(PEER[word], words, index, release)
        if reason:
            return reason
    return ""


def track_fault(keyword: str, words: Sequence[str], release: Version = ()) -> str:
    """Why a line of track_script and its kin is none, or an empty string."""
    low, high = TRACKED[keyword]
    directions = ("reverse",) if keyword == "track_interface" else ("reverse", "noreverse")
    form = f"{keyword} takes NAME [weight N [{'|'.join(directions)}]]"
    if len(words) > 1 and words[1] != "weight":
        return f"unknown option {words[1]!r}; {form}"
    if len(words) > 1:
        value = number(words[2]) if len(words) > 2 else None
        if value is None or value != int(value) or not low <= value <= high:
            return f"a whole number from {low} to {high} must follow weight"
    if len(words) > 3:
        if words[3] not in directions:
            return f"unknown option {words[3]!r}; {form}"
        return newer(words[3], REVERSE_SINCE, release)
    return ""


def device_fault(keyword: str, words: Sequence[str], release: Version = ()) -> str:
    """Why these words cannot follow use_vmac or use_ipvlan, or an empty string."""
    options = DEVICE[keyword]
    given: set[str] = set()
    index = 0
    while index < len(words):
        word = words[index]
        option = options.get(word)
        if option is not None:
            index, reason = option_fault(option, words, index, release)
            what = {"name": "an interface name", "group": "a group"}.get(word, "a kind")
            if word == "netlink_notify_msg":
                what = word
        else:
            index += 1
            what, reason = _device_word(keyword, word)
        if not reason and what in given:
            reason = f"{what} is given already, before {word!r}"
        if reason:
            return reason
        given.add(what)
    return ""


def _device_word(keyword: str, word: str) -> tuple[str, str]:
    """What a word without an option is, and what is wrong with it."""
    if keyword == "use_vmac" and ":" in word:
        octets = word.removesuffix(":").split(":")
        right = len(octets) in (5, 6) and all(
            0 < len(octet) <= 2 and all(digit in "0123456789abcdefABCDEF" for digit in octet)
            for octet in octets
        )
        return "a MAC address", "" if right else f"{word!r} is no MAC address"
    if keyword == "use_ipvlan" and family(word.partition("/")[0]):
        return "an address", ""
    if len(word) > _LONGEST_NAME:
        return "", f"{word!r} is no interface name: it has more than {_LONGEST_NAME} letters"
    return "an interface name", ""


def group_fault(words: Sequence[str], release: Version = ()) -> str:
    """Why a line of virtual_server_group is none, or an empty string."""
    if words[0] == "fwmark":
        mark = number(words[1]) if len(words) > 1 else None
        if mark is None or mark != int(mark) or not 0 <= mark <= 2**32 - 1:
            return f"a whole number from 0 to {2**32 - 1} must follow fwmark"
        if len(words) > 2:
            if words[2] not in ("inet", "inet6"):
                return f"{words[2]!r} is no family; inet or inet6 is"
            return newer(words[2], MARK_FAMILY_SINCE, release)
        return ""
    start = words[0].partition("/")[0].partition("-")[0]
    if not family(start):
        return f"{start!r} is no IP address; a line is ADDRESS[-END] [PORT] or fwmark N"
    port = number(words[1]) if len(words) > 1 else 0
    if port is None or port != int(port) or not 0 <= port <= 65535:
        return f"{words[1]!r} is no port: a whole number from 1 to 65535"
    return ""
