"""The report of reach as a table for people, from its plain data.  ASCII; colour on request."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from .reach_reason import name_of

_STYLES = {
    "moves": "32",
    "stays": "33",
    "late": "33",
    "tie": "33",
    "nobody": "1;31",
    "error": "1;31",
    "warning": "33",
    "head": "1",
    "dim": "2",
}
Paint = Callable[[str, str], str]
_HEAD = ("failure", "where", "priorities", "owner", "verdict", "why")


def table(plain: Mapping[str, Any], *, color: bool = False) -> str:
    """The text for ``to_plain``'s data; color: whether to use ANSI colours."""
    paint = _painter(color)
    lines: list[str] = []
    for each in plain["instances"]:
        if lines:
            lines.append("")
        lines.append(_title(each, paint))
        lines += _rows(plain["nodes"], each, paint)
    found = [*plain["findings"], *(one for each in plain["instances"] for one in each["findings"])]
    for one in found:
        lines.append(paint(f"{one['severity']} {one['code']}", one["severity"]) + _said(one))
    if not plain["instances"]:
        lines.append("No VRRP instance.")
    elif not found:
        lines.append("Every failure of one node moves the address.")
    return "\n".join(lines)


def screen(data: Mapping[str, Any], *, color: bool = False) -> str:
    """The text for what the runner's verb returns: a table for each cluster."""
    paint = _painter(color)
    parts = []
    for plain in data["clusters"]:
        body = _clean_lines(plain["problem"]) if plain["problem"] else table(plain, color=color)
        parts.append(f"{paint(_clean(plain['cluster']), 'head')}\n{body}")
    if data.get("message"):
        parts.append(_clean(str(data["message"])))
    return "\n\n".join(parts)


def _painter(color: bool) -> Paint:
    def paint(text: str, style: str) -> str:
        code = _STYLES.get(style)
        return f"\x1b[{code}m{text}\x1b[0m" if color and code else text

    return paint


def _said(finding: Mapping[str, Any]) -> str:
    hint = f"\n    {_clean(finding['hint'])}" if finding["hint"] else ""
    return f" {_clean(finding['message'])}{hint}"


def _title(each: Mapping[str, Any], paint: Paint) -> str:
    parts = [f"vrid {each['vrid']}"]
    if each["sync_group"]:
        parts.append(f"group {each['sync_group']}")
    parts.append(", ".join(each["vips"]) or "no vip")
    owner = each["owner"] or (f"one of {', '.join(each['tied'])}" if each["tied"] else "nobody")
    others = [node for node in each["holders"] if node != each["owner"]]
    stays = f" (or {', '.join(others)}, where it stays)" if each["owner"] and others else ""
    text = "  ".join([*parts, f"normally {owner}{stays}"])
    return f"{paint(_clean(each['instance']), 'head')}  {_clean(text)}"


def _rows(nodes: Sequence[str], each: Mapping[str, Any], paint: Paint) -> list[str]:
    order = [node for node in nodes if node in each["priorities"]]
    lines = [paint(_clean(f"  priorities: {', '.join(order)}"), "dim")]
    rows = [("nothing", "", _numbers(order, each), each["owner"] or "?", "", "")]
    for row in each["rows"]:
        owner = row["owner"] or (" or ".join(row["tied"]) if row["tied"] else "nobody")
        failure = name_of(row["track"], row["name"], row["value"])
        rows.append(
            (
                "it dies" if row["kind"] == "dies" else failure,
                "all nodes" if row["kind"] == "all" else str(row["holder"]),
                _numbers(order, row),
                owner,
                row["verdict"],
                row["reason"],
            )
        )
    return lines + _columns(rows, paint)


def _numbers(order: Iterable[str], row: Mapping[str, Any]) -> str:
    """One number for each node, in their order; - for FAULT or gone."""
    found = row["priorities"]
    return " ".join("-" if found[node] is None else str(found[node]) for node in order)


def _columns(rows: Iterable[Sequence[str]], paint: Paint) -> list[str]:
    table = [_HEAD, *([_clean(text) for text in row] for row in rows)]
    widths = [max(len(row[place]) for row in table) for place in range(len(_HEAD))]
    lines = []
    for number, row in enumerate(table):
        cells = []
        for title, text, width in zip(_HEAD, row, widths, strict=True):
            style = text if title == "verdict" else ""
            cells.append(paint(text, style if number else "dim") + " " * (width - len(text)))
        lines.append(f"  {'  '.join(cells)}".rstrip())
    return lines


def _clean(text: str) -> str:
    """Names come from pillar: a control character would be obeyed by the terminal."""
    return "".join(char if char.isprintable() else "?" for char in text)


def _clean_lines(text: str) -> str:
    return "\n".join(_clean(line) for line in text.split("\n"))
