"""Cells and lines of the tables: ASCII; colour on request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import clock
from .event import printable

_STYLES = {"bad": "1;31", "warn": "33", "good": "32", "dim": "2", "head": "1", "": ""}
#: What a node claims -> how it looks.
CLAIM_STYLES = {"MASTER": "good", "BACKUP": "", "unknown": "warn"}

Cell = tuple[str, str]


class Painter:
    """Colours, and tables that are as wide as their cells."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def paint(self, text: str, style: str) -> str:
        code = _STYLES[style]
        return f"\x1b[{code}m{text}\x1b[0m" if self._color and code and text else text

    def rows(self, head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> list[str]:
        """Lines of a table, indented; columns as wide as their widest cell."""
        table = [[(title, "dim") for title in head]]
        # Cells hold what nodes sent: a control character would be obeyed by the terminal.
        table += [[(printable(text), style) for text, style in row] for row in rows]
        widths = [max(len(row[place][0]) for row in table) for place in range(len(head))]
        lines = []
        for row in table:
            cells = [
                self.paint(text, style) + " " * (width - len(text))
                for (text, style), width in zip(row, widths, strict=True)
            ]
            lines.append(f"  {'  '.join(cells)}".rstrip())
        return lines


def text_of(value: object) -> str:
    """A value as a cell shows it: ``-`` for none."""
    return "-" if value is None or value == "" else str(value)


def priority(row: Mapping[str, Any]) -> str:
    """The priority; both numbers where a check has changed it: ``103 -> 53``."""
    base, effective = row.get("base_priority"), row.get("effective_priority")
    if base == effective or effective is None:
        return text_of(base)
    return f"{text_of(base)} -> {effective}"


def ago(since: object, now: object) -> str:
    """How long ago a time of RFC 3339 was."""
    start, end = clock.parse(since), clock.parse(now)
    return text_of(since) if start is None or end is None else clock.span(end - start)
