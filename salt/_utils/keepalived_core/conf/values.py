"""What a keyword's words must look like, as keepalived reads them (lib/parser.c: read_*)."""

from __future__ import annotations

import re
import socket
from collections.abc import Sequence

from . import lexer
from .keyword import (
    ADDRESS,
    BLOCKS,
    CHOICE,
    DECIMAL,
    FLAG,
    INTEGER,
    NAMED,
    SCRIPT,
    SWITCH,
    SWITCH_WORDS,
    TEXT,
    Keyword,
)
from .tree import Statement

# A longer number is out of every range, and int() of a very long one is slow, then refused.
MAX_DIGITS = 20

# Kinds whose words may be anything.
_FREE = BLOCKS | {FLAG, TEXT, SCRIPT}

# A number as it may stand in the file; blanks in front are possible inside of quotes.
_INTEGER = re.compile(r"[ \t]*([+-]?[0-9]+)", re.ASCII)
_DECIMAL = re.compile(r"[ \t]*\+?([0-9]*)(?:\.([0-9]*))?", re.ASCII)
# keepalived drops a block of these whose name has more than one word; of others it takes the first.
_ONE_NAME = ("vrrp_instance", "vrrp_sync_group", "track_group")


def fault(keyword: Keyword, args: Sequence[str]) -> str:
    """Why these words cannot follow the keyword, or an empty string.

    Only what keepalived itself refuses counts; words it ignores are ``surplus``.
    """
    if len(args) < keyword.words[0]:
        if keyword.kind == NAMED:
            return f"a name must follow: {keyword.name} NAME {{"
        return f"its value is missing: {wanted(keyword)}"
    if keyword.name in _ONE_NAME and len(args) > 1:
        return (
            f"its name must be one word: keepalived drops a {keyword.name} of {len(args)}; put "
            "the name in double quotes"
        )
    if not args or keyword.kind in _FREE:
        return ""
    if keyword.kind == INTEGER:
        return _integer(keyword, args)
    if keyword.kind == DECIMAL:
        return _decimal(keyword, args[0])
    if keyword.kind == SWITCH and args[0] not in SWITCH_WORDS:
        return f"{args[0]!r} is not one of {', '.join(SWITCH_WORDS)}"
    word = args[0].upper() if keyword.any_case else args[0]
    if keyword.kind == CHOICE and word not in keyword.choices:
        # where the two values changed places the type is the password
        given = "what is given" if keyword.name == "auth_type" else repr(args[0])
        return f"{given} is not one of {', '.join(keyword.choices)}"
    if keyword.kind == ADDRESS and not family(bare_address(args[0])):
        return f"{args[0]!r} is no IP address"
    return ""


def surplus(keyword: Keyword, args: Sequence[str]) -> Sequence[str]:
    """The words keepalived ignores without a word."""
    most = keyword.words[1]
    if keyword.kind == SCRIPT and keyword.name in ("script", "misc_path", "regex"):
        most = 1  # only notify scripts go on with a user and a group
    return args[most:] if most is not None else ()


def command(node: Statement) -> list[str] | None:
    """The words behind a script keyword: the command, then perhaps user and group.

    None when keepalived cannot read the line.
    """
    if node.source is None:
        return node.args
    words = lexer.split_command(node.source)
    return words[1:] if words is not None else None


def wanted(keyword: Keyword) -> str:
    """What may follow the keyword, for a message."""
    if keyword.kind == FLAG:
        return "it takes no value"
    if keyword.kind == SWITCH:
        return "true or false"
    if keyword.kind in (INTEGER, DECIMAL):
        kind = "a whole number" if keyword.kind == INTEGER else "a number"
        bounds = f"{kind} from {_plain(keyword.low)} to {_plain(keyword.high)}"
        return (
            f"{bounds}, perhaps followed by {' or '.join(keyword.choices)}" * bool(keyword.choices)
            or bounds
        )
    if keyword.kind == CHOICE:
        return f"one of {', '.join(keyword.choices)}"
    if keyword.kind == ADDRESS:
        return "an IP address"
    if keyword.kind == SCRIPT:
        return "a command"
    return "a text"


def family(address: str) -> int:
    """4 or 6 for an IP address, 0 for anything else."""
    try:
        if ":" in address:
            socket.inet_pton(socket.AF_INET6, address)
            return 6
        socket.inet_pton(socket.AF_INET, address)
    except (OSError, ValueError, UnicodeError):
        return 0
    return 4


def bare_address(word: str) -> str:
    """A word without what keepalived cuts off an address: a mask, or the end of a range."""
    return word.partition("-")[0] if "-" in word else word.partition("/")[0]


def number(text: str) -> float | None:
    """A number as keepalived reads it; None for what is none, or longer than any it takes."""
    if len(text) > 2 * MAX_DIGITS:
        return None
    match = _INTEGER.fullmatch(text)
    if match:
        return int(match[1])
    match = _DECIMAL.fullmatch(text)
    return float(text) if match and (match[1] or match[2]) else None


def _integer(keyword: Keyword, args: Sequence[str]) -> str:
    match = _INTEGER.fullmatch(args[0])
    if match is None:
        return f"{args[0]!r} is no whole number; {wanted(keyword)}"
    value = int(match[1]) if len(match[1]) <= MAX_DIGITS else 10**MAX_DIGITS
    assert keyword.low is not None and keyword.high is not None
    # -0 as well is negative to what reads unsigned numbers.
    if not keyword.low <= value <= keyword.high or (keyword.low >= 0 and "-" in args[0]):
        return f"{args[0]} is out of range: {wanted(keyword)}"
    if len(args) > 1 and keyword.choices and args[1] not in keyword.choices:
        return f"{args[1]!r} is not an option of it; {' or '.join(keyword.choices)} is"
    return ""


def _decimal(keyword: Keyword, word: str) -> str:
    match = _DECIMAL.fullmatch(word)
    if match is None or not (match[1] or match[2]):
        return f"{word!r} is no number; {wanted(keyword)}"
    if len(match[2] or "") > keyword.places:
        return f"{word} has more than {keyword.places} decimals"
    assert keyword.low is not None and keyword.high is not None
    value = float(word) if len(word) <= 40 else float("inf")
    if not keyword.low <= value <= keyword.high:
        return f"{word} is out of range: {wanted(keyword)}"
    return ""


def _plain(value: float | None) -> str:
    text = f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return text
