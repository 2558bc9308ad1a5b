"""The topology as an SVG that needs nothing beside itself.  Pure.

One column a node, one row an instance; where a node has an address now, its cell is filled.  The
colours follow the reader's light or dark screen; a screen reader gets title and description.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any

from .event import printable
from .topology import owner_style, owner_text, shared_tracks, track_text
from .topology_text import priority, title, where

# Pixels; left and columns are wider where what stands there is.
_LEFT, _COLUMN, _LINE, _PAD, _MARGIN, _CHAR = 330, 190, 18, 10, 20, 7.4

_STYLE = """
svg { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: 12px; }
.back { fill: #ffffff; } text { fill: #1c2733; } .dim { fill: #5a6773; }
.box { fill: #f3f6f9; stroke: #b8c4cf; } .owner { fill: #d9f2df; stroke: #2f8f4e; stroke-width: 2; }
.good { fill: #1d7a3a; } .warn { fill: #8a5a00; } .bad { fill: #b3261e; font-weight: bold; }
.name { font-weight: bold; font-size: 13px; } .line { stroke: #2f8f4e; stroke-width: 2; }
@media (prefers-color-scheme: dark) {
  .back { fill: #10161c; } text { fill: #dde5ec; } .dim { fill: #93a1ad; }
  .box { fill: #1a232c; stroke: #3b4956; } .owner { fill: #153d24; stroke: #58c27d; }
  .good { fill: #6fd391; } .warn { fill: #e0b050; } .bad { fill: #ff8a80; }
  .line { stroke: #58c27d; }
}
"""


class _Page:
    """What was drawn, and how far down."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.y = float(_MARGIN)
        self.width = 0.0

    def text(self, x: float, y: float, text: str, style: str = "") -> None:
        shown = printable(text)
        self.width = max(self.width, x + len(shown) * _CHAR + _MARGIN)
        named = f' class="{style}"' if style else ""
        self.parts.append(f'<text x="{x:g}" y="{y:g}"{named}>{escape(shown)}</text>')

    def box(self, x: float, y: float, width: float, height: float, style: str) -> None:
        self.width = max(self.width, x + width + _MARGIN)
        self.parts.append(
            f'<rect class="{style}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
            'rx="5"/>'
        )

    def line(self, x1: float, x2: float, y: float) -> None:
        self.parts.append(f'<line class="line" x1="{x1:g}" y1="{y:g}" x2="{x2:g}" y2="{y:g}"/>')


def svg(data: Mapping[str, Any]) -> str:
    """The whole file's text."""
    page = _Page()
    for cluster in data["clusters"]:
        _cluster(page, cluster, bool(data["now"]))
    width, height = page.width or 2 * _MARGIN, page.y + _MARGIN
    names = ", ".join(str(each["cluster"]) for each in data["clusters"])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" role="img" aria-labelledby="title desc">\n'
        f'<title id="title">{escape(printable(f"keepalived topology: {names}"))}</title>\n'
        f'<desc id="desc">{escape(printable(description(data)))}</desc>\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="back" width="{width:g}" height="{height:g}"/>\n'
        + "\n".join(page.parts)
        + "\n</svg>\n"
    )


def description(data: Mapping[str, Any]) -> str:
    """The picture in sentences, for who cannot see it."""
    told = [f"As of {data['time']}." if data["now"] else "From the pillar alone."]
    for cluster in data["clusters"]:
        if cluster["problem"]:
            told.append(f"Cluster {cluster['cluster']}: {cluster['problem']}.")
        for each in cluster["instances"]:
            told.append(f"{title(each)}.")
            told += [f"{where(vip)} {owner_text(vip)}".rstrip() + "." for vip in each["vips"]]
            for node in each["nodes"]:
                claim = f" {node['claim']}" if node["claim"] else ""
                told.append(f"{node['node']}: {priority(node)}{claim}.")
    return " ".join(told)


def _cluster(page: _Page, cluster: Mapping[str, Any], is_now: bool) -> None:
    page.text(_MARGIN, page.y + 14, str(cluster["cluster"]), "name")
    if not is_now:
        page.text(_MARGIN, page.y + 14 + _LINE, "from the pillar alone", "dim")
    left, column = _widths(cluster)
    columns = {}
    for at, node in enumerate(cluster["nodes"]):
        x = columns[node["node"]] = left + at * column
        page.box(x, page.y, column - _PAD, 2 * _LINE + 4, "box")
        page.text(x + _PAD, page.y + 16, str(node["node"]), "name")
        if node["answered"] is False:
            page.text(x + _PAD, page.y + 16 + _LINE, "unknown", "warn")
    page.y += 2 * _LINE + 4 + _PAD
    if cluster["problem"]:
        page.text(_MARGIN, page.y + 14, str(cluster["problem"]), "bad")
        page.y += _LINE
    for each in cluster["instances"]:
        _instance(page, each, columns, column - _PAD)
    page.y += _PAD


def _widths(cluster: Mapping[str, Any]) -> tuple[float, float]:
    """Where the first node's column begins, and how wide each is."""
    words = [title(each) for each in cluster["instances"]]
    cells = [str(node["node"]) for node in cluster["nodes"]]
    for each in cluster["instances"]:
        for vip in each["vips"]:
            words += [where(vip), f"  {owner_text(vip)}"]
        for node in each["nodes"]:
            cells += [priority(node), f"{node['interface']} nopreempt"]
    longest, widest = (max(map(len, some), default=0) * (_CHAR + 0.6) for some in (words, cells))
    return max(_LEFT, _MARGIN + longest + 3 * _PAD), max(_COLUMN, widest + 3 * _PAD)


def _instance(
    page: _Page, each: Mapping[str, Any], columns: Mapping[str, float], width: float
) -> None:
    top = page.y
    page.text(_MARGIN, top + 16, title(each), "name")
    y = top + 16
    for vip in each["vips"]:
        y += _LINE
        page.text(_MARGIN, y, where(vip))
        if vip["owners"] is not None:
            y += _LINE
            page.text(_MARGIN + 2 * _PAD, y, owner_text(vip), owner_style(vip))
    height = max(y - top + _PAD, 3 * _LINE + _PAD)
    owners = {name for vip in each["vips"] for name in vip["owners"] or ()}
    reached = [columns[name] for name in owners if name in columns]
    if reached:
        page.line(min(columns.values()) - 2 * _PAD, max(reached), top + height - 4)
    for node in each["nodes"]:
        x = columns[node["node"]]
        is_owner = node["node"] in owners
        page.box(x, top, width, height, "owner" if is_owner else "box")
        claim = node["claim"]
        style = {"MASTER": "good", "BACKUP": "", "unknown": "warn"}.get(str(claim), "bad")
        if claim is not None:
            page.text(x + _PAD, top + 16, claim, style)
        page.text(x + _PAD, top + 16 + _LINE, priority(node))
        more = " nopreempt" if node["nopreempt"] else ""
        page.text(x + _PAD, top + 16 + 2 * _LINE, f"{node['interface']}{more}", "dim")
    page.y = top + height + 4
    common = shared_tracks(each)
    if common is not None:
        told = [f"every node: {track_text(one)}" for one in common]
    else:
        told = [
            f"{node['node']}: {track_text(one)}" for node in each["nodes"] for one in node["tracks"]
        ]
    for sentence in told:
        page.text(_MARGIN + 2 * _PAD, page.y + 12, sentence, "dim")
        page.y += _LINE
    page.y += _PAD
