"""How the keyword table is written: one line of text for each keyword.

    keyword      takes             since   line  notes
    priority     integer 1..255    0.5.3   2367  = 100

takes: flag; switch (true|false|on|off|yes|no, or nothing); integer A..B [option words];
decimal A..B (6 decimals count; decimal3: 3); text [A..B words]; address; script;
words A..B [choices]; A|B|C (one of these); block, named [A..B words], wordlist, entries KIND.
since: the first release that reads the word; a block's own release counts for all in it.
line: where keepalived 2.4.3 installs it, in the table's file unless it names another.
notes, separated by ``;``: first, once, last, many (what a second occurrence does; perhaps
``since X``, the first release that reports it), value since X (of a switch: before, its value is
not read and the word alone switches it on), secret,
any case (of choices), name (one must follow),
bare (the value may be missing), ``use X`` (deprecated), ``= X`` (default).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from .grammar_entries import ENTRY_WORDS
from .keyword import (
    ADDRESS,
    BLOCK,
    CHOICE,
    DECIMAL,
    ENTRIES,
    FIRST,
    FLAG,
    INTEGER,
    LAST,
    MANY,
    NAMED,
    ONCE,
    SCRIPT,
    SWITCH,
    TEXT,
    UNIQUE,
    WORDLIST,
    WORDS,
    Keyword,
    Version,
    version,
)

Scope = Mapping[str, Keyword]

# Bounds that come from C types: 32-bit numbers, a microsecond, as many seconds as fit 32 bits
# of microseconds, and the daemon's longest timer.
_BOUNDS = {
    "U32": 2**32 - 1,
    "I32MAX": 2**31 - 1,
    "-I32MAX": -(2**31 - 1),
    "US": 0.000001,
    "SECS": 4294.967295,
    "TIMER": 18446744073709,
}
_REPEAT = {"first": FIRST, "once": ONCE, "last": LAST, "many": MANY}
_KINDS = {
    "flag": (FLAG, (0, 0), LAST),
    "switch": (SWITCH, (0, 1), LAST),
    "integer": (INTEGER, (1, 1), LAST),
    "decimal": (DECIMAL, (1, 1), LAST),
    "decimal3": (DECIMAL, (1, 1), LAST),
    "text": (TEXT, (1, 1), LAST),
    "address": (ADDRESS, (1, 1), LAST),
    "script": (SCRIPT, (1, 3), FIRST),
    "words": (WORDS, (1, 1), LAST),
    "block": (BLOCK, (0, 0), MANY),
    "named": (NAMED, (1, 1), UNIQUE),
    "wordlist": (WORDLIST, (0, 0), MANY),
    "entries": (ENTRIES, (0, 0), MANY),
}


def rows(source: str, table: str, **named: Scope | str) -> dict[str, Keyword]:
    """The keywords of a table by name.

    source: the C file the line numbers belong to; named: the tables of the blocks in it, and
    long lists of choices the table calls by name.
    """
    found = {}
    for line in table.strip().splitlines():
        if line.startswith("#"):
            continue
        row = _row(source, line, named)
        found[row.name] = row
    return found


def _row(source: str, line: str, named: Mapping[str, Scope | str]) -> Keyword:
    name, takes, since, where, *more = [part.strip() for part in line.split("  ") if part.strip()]
    kind, _, rest = takes.partition(" ")
    if kind not in _KINDS:
        choices = named.get(kind, kind)
        assert isinstance(choices, str)
        row = Keyword(name, CHOICE, choices=tuple(choices.split("|")))
    else:
        what, words, repeat = _KINDS[kind]
        row = Keyword(name, what, words=words, repeat=repeat)
        row = _details(row, kind, rest)
    row = replace(row, since=version(since), source=where if ":" in where else f"{source}:{where}")
    if row.is_block:
        inside = named.get(name, {})
        assert not isinstance(inside, str)
        row = replace(row, children=_not_older(inside, row.since))
    for note in more[0].split("; ") if more else []:
        row = _noted(row, note)
    return row


def _details(row: Keyword, kind: str, rest: str) -> Keyword:
    """What stands behind the kind: bounds, number of words, option words."""
    if not rest:
        return row
    if row.kind == ENTRIES:
        return replace(row, choices=ENTRY_WORDS[rest])
    bounds, _, choices = rest.partition(" ")
    low, _, high = bounds.partition("..")
    options = tuple(choices.split("|")) if choices else ()
    if row.kind in (INTEGER, DECIMAL):
        places = {"decimal": 6, "decimal3": 3}.get(kind, 0)
        words = (1, 2) if options else (1, 1)
        if bounds == "I32":
            low, high = "-2147483648", "I32MAX"
        return replace(
            row, low=_number(low), high=_number(high), places=places, words=words, choices=options
        )
    return replace(row, words=(int(low), int(high) if high else None), choices=options)


def _number(text: str) -> float:
    if text in _BOUNDS:
        return _BOUNDS[text]
    return float(text) if "." in text else int(text)


def _noted(row: Keyword, note: str) -> Keyword:
    if note in _REPEAT:
        return replace(row, repeat=_REPEAT[note])
    what, _, since = note.partition(" since ")
    if since and what == "value":
        return replace(row, valued=version(since))
    if since:
        return replace(row, repeat=_REPEAT[what], reported=version(since))
    if note == "secret":
        return replace(row, secret=True)
    if note == "bare":
        return replace(row, words=(0, row.words[1]))
    if note == "name":
        return replace(row, words=(1, 1))
    if note == "any case":
        return replace(row, any_case=True)
    if note.startswith("use "):
        return replace(row, deprecated=note)
    if note.startswith("= "):
        return replace(row, default=note[2:])
    raise ValueError(f"{row.name}: unknown note {note!r}")


def _not_older(scope: Scope, first: Version) -> dict[str, Keyword]:
    """A word can be older than the block it now also stands in."""
    return {
        name: row
        if row.since >= first
        else replace(row, since=first, children=_not_older(row.children, first))
        for name, row in scope.items()
    }
