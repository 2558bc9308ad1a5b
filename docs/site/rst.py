"""Small pieces of reStructuredText."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def title(text: str, line: str = "=") -> list[str]:
    """A heading."""
    return [text, line * len(text), ""]


def indented(text: str, by: int = 3) -> list[str]:
    """The lines of a text, moved to the right."""
    return [(" " * by + line).rstrip() for line in text.splitlines()]


def plain(text: str) -> str:
    """Text in which nothing is markup."""
    return "".join(f"\\{char}" if char in "*`|_\\" else char for char in text)


def toctree(pages: Iterable[str], caption: str = "") -> list[str]:
    """What the sidebar lists below this page."""
    named = [f"   :caption: {caption}"] if caption else []
    return [".. toctree::", "   :hidden:", *named, "", *indented("\n".join(pages)), ""]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table whose cells are markup."""
    found = [".. list-table::", "   :header-rows: 1", ""]
    for row in (head, *rows):
        for index, cell in enumerate(row):
            found.append(f"   {'* -' if index == 0 else '  -'} {cell}".rstrip())
    return [*found, ""]
