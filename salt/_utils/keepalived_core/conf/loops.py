"""~SEQ and ~LST (lib/parser.c: add_seq, add_lst): a text that is read once for each value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

# No two neighbours here can match the same blanks: with them a long line would take very long.
_SEQ = re.compile(r"~SEQ(x?)[ \t]*\([ \t]*([^ \t,)]+)[ \t]*,([^)]*)\)[ \t]*(.*)", re.DOTALL)
_LST = re.compile(
    r"~LST[ \t]*\([ \t]*(\{[^}]*\}[ \t]*|[^,{ \t][^,{]*|),([^)]*)\)[ \t]*(.*)", re.DOTALL
)
_SET = re.compile(r"\{([^}]*)\}|([^,{}]+)")


@dataclass
class Loop:
    """A ~SEQ or ~LST on its way: the definitions of each round, and the text to read."""

    rounds: Iterator[dict[str, str]]
    text: str
    upcoming: dict[str, str] | None = None


def read(text: str, replaced: Callable[[str], str]) -> Loop | None:
    """The loop that a line begins; None when it cannot be read.

    replaced: puts the values of definitions into a text.
    """
    if text.startswith("~SEQ"):
        match = _SEQ.match(text)
        rounds = _numbers(match, replaced(match[3])) if match is not None else None
        return Loop(rounds, match[4]) if match is not None and rounds is not None else None
    match = _LST.match(text)
    return Loop(_sets(match[1], match[2]), match[3]) if match is not None else None


def _numbers(match: re.Match[str], listed: str) -> Iterator[dict[str, str]] | None:
    try:
        numbers = [int(part.strip(), 0) for part in listed.split(",")]
    except ValueError:
        return None
    if len(numbers) == 1:
        end = numbers[0]
        start, step = (-1 if end < 0 else 1), (-1 if end < 1 else 1)
    elif len(numbers) == 2:
        start, end = numbers
        step = 1 if start <= end else -1
    elif len(numbers) == 3:
        start, step, end = numbers
    else:
        return None
    if not step or (end - start) * step < 0:
        return None
    form = "x" if match[1] else "d"
    values = range(start, end + (1 if step > 0 else -1), step)
    return ({match[2]: format(value, form)} for value in values)


def _sets(names: str, listed: str) -> Iterator[dict[str, str]]:
    """The rounds of ~LST({a, b}, {1, 2}, {3, 4}); missing values are empty."""
    keys = [name.strip(" \t") for name in names.strip("{} \t").split(",")]
    for match in _SET.finditer(listed):
        text = match[1] if match[1] is not None else match[2]
        if match[1] is None and not text.strip(" \t"):
            continue
        values = [value.strip(" \t") for value in text.split(",")]
        values += [""] * (len(keys) - len(values))
        yield dict(zip(keys, values, strict=False))
