"""The topology in the form that was asked for, as the text of a file or a screen.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import topology_svg, topology_text
from .event import printable
from .paint import Painter


def draw(data: Mapping[str, Any], *, color: bool = False, ascii_only: bool = False) -> str:
    """The picture alone, with a line break at its end.

    data
        What ``salt-run keepalived.topology`` returns; ``format`` says which picture it is.
    color, ascii_only
        Of the tree: whether to use ANSI colours, and no character beyond ASCII.
    """
    if data["format"] == "svg":
        return topology_svg.svg(data)
    if data["format"] == "mermaid":
        lines = topology_text.mermaid(data)
    else:
        lines = topology_text.tree(data, Painter(color), ascii_only=ascii_only)
    return "".join(f"{line}\n" for line in lines)


def screen(data: Mapping[str, Any], *, color: bool = False, ascii_only: bool = False) -> str:
    """What stands on the screen: the picture unless it went into a file, and the message."""
    drawn = "" if data["out"] else draw(data, color=color, ascii_only=ascii_only)
    message = printable(str(data["message"])) if data.get("message") else ""
    return f"{drawn}{message}".rstrip("\n")
