"""What is known about one keyword."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Version = tuple[int, ...]

# What a keyword takes.
FLAG = "flag"  # nothing: the word alone switches it on, and whatever follows is ignored
SWITCH = "switch"  # true|false|on|off|yes|no, or nothing for true
INTEGER = "integer"
DECIMAL = "decimal"  # digits and at most `places` decimals, never a sign
TEXT = "text"
ADDRESS = "address"  # one IP address
CHOICE = "choice"
WORDS = "words"  # words with a grammar of their own
SCRIPT = "script"  # a command, read with shell-like quoting; then perhaps user and group
BLOCK = "block"
NAMED = "named block"
ENTRIES = "entries"  # a block of lines, each with a grammar of its own
WORDLIST = "word list"  # a block of words, any number on a line

BLOCKS = frozenset({BLOCK, NAMED, ENTRIES, WORDLIST})
SWITCH_WORDS = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}

# What a second occurrence in the same block does.
LAST = "last wins"
FIRST = "first kept, the second is an error"
ONCE = "last kept, the second is an error"
MANY = "many"
UNIQUE = "many, each with its own name"


@dataclass(frozen=True, slots=True)
class Keyword:
    """One keyword in one place of the configuration.

    low, high: bounds of a number, both included; places: decimals that count; choices: the
    words allowed (of CHOICE; any_case: in capitals or not), or the option words of an entry or
    value; words: the least and
    the most number of words after the keyword (None: no limit); since: first release, never
    earlier than the block's it stands in; valued: of a switch, the first release that reads its
    value (before, the word alone switches it on, whatever follows); reported: the first release
    that says a word about a second occurrence; deprecated: why, or what to use instead;
    source: file:line in keepalived 2.4.3.
    """

    name: str
    kind: str
    low: float | None = None
    high: float | None = None
    places: int = 0
    choices: tuple[str, ...] = ()
    words: tuple[int, int | None] = (1, 1)
    repeat: str = LAST
    since: Version = ()
    valued: Version = ()
    reported: Version = ()
    deprecated: str = ""
    default: str = ""
    source: str = ""
    secret: bool = False
    any_case: bool = False
    children: Mapping[str, Keyword] = field(default_factory=dict)

    @property
    def is_block(self) -> bool:
        """Whether a ``{`` must follow."""
        return self.kind in BLOCKS


def version(text: str | Version | None) -> Version:
    """``"2.2.7"`` or ``"v2.2.7 (01/16,2022)"`` as ``(2, 2, 7)``; an unknown version is ``()``."""
    if text is None:
        return ()
    if not isinstance(text, str):
        return tuple(text)
    numbers = text.strip().lstrip("v").split(" ")[0].split(".")
    if not all(part.isdigit() for part in numbers):
        raise ValueError(f"{text!r} is no keepalived version; one looks like 2.2.7")
    return tuple(int(part) for part in numbers)


def version_text(numbers: Version) -> str:
    """``(2, 2, 7)`` as ``"2.2.7"``."""
    return ".".join(str(number) for number in numbers)
