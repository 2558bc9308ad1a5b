"""The error every part of the configuration library raises."""

from __future__ import annotations


class ConfError(ValueError):
    """A text that cannot be read, or a tree that cannot be written, as keepalived.conf.

    line, column: where (from 1; 0 when there is no place); reason: what is wrong and what
    would be right; path: the file's name, when the caller gave one.
    """

    def __init__(self, reason: str, line: int = 0, column: int = 0, path: str | None = None):
        self.reason = reason
        self.line = line
        self.column = column
        self.path = path
        super().__init__(str(self))

    def __str__(self) -> str:
        place = self.path or ""
        if self.line:
            place += f":{self.line}:{self.column}" if place else f"line {self.line}"
        return f"{place}: {self.reason}" if place else self.reason
