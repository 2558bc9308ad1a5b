"""The page in short, for a browser that runs no scripts, and the screen of the verb.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import status_table, topology_text
from ..event import printable
from ..paint import Painter


def screen(status: Mapping[str, Any] | None, wiring: Mapping[str, Any]) -> str:
    """What a terminal shows of the clusters: their status, or how they are wired."""
    painter = Painter(False)
    if status is not None:
        return "\n".join(status_table.screen(status, painter))
    return "\n".join(topology_text.tree(wiring, painter))


def written(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """What the verb says when it is done."""
    size = f"{data['bytes'] / 1e6:.1f} MB" if data["bytes"] >= 1e6 else f"{data['bytes']} bytes"
    parts = [_count(data["clusters"], "cluster"), _count(data["lanes"], "lane")]
    if data["incidents"] is not None:
        parts.append(_count(data["incidents"], "incident"))
    if data["findings"] is not None:
        parts.append(_count(data["findings"], "finding"))
    lines = [
        f"{painter.paint('Written', 'good')}: {printable(data['out'])}  {size}",
        f"  {', '.join(parts)}, since {data['since'][:19]}Z",
    ]
    return lines + [painter.paint(printable(note), "warn") for note in data["notes"]]


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
