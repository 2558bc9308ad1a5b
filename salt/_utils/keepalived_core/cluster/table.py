"""Tables for people, from the plain data that the verbs return.  ASCII; colour on request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import clock, lanes
from .event import printable

_STYLES = {"bad": "1;31", "warn": "33", "good": "32", "dim": "2", "head": "1", "": ""}
_VERDICT_STYLES = {"ok": "good", "degraded": "warn", "unknown": "warn"}
_CLAIM_STYLES = {"MASTER": "good", "BACKUP": "", "unknown": "warn"}
_WHAT_STYLES = {
    "succeeded": "good",
    "sent": "good",
    "failed": "bad",
    "started": "",
    "skipped": "dim",
}

Cell = tuple[str, str]


def render(data: object, *, color: bool = False, width: int = 100) -> str | None:
    """The table for what a verb of this project returned.

    data
        The return of a runner's verb (it has a ``kind``), or ``{minion: status}`` as Salt
        hands over what ``keepalived.status`` returned on minions.
    color
        Whether to use ANSI colours.
    width
        Of the screen, in characters; the lanes of a timeline fill it.

    Returns None for data of any other shape.
    """
    if not isinstance(data, Mapping):
        return None
    painter = Painter(color)
    screens = {
        "status": _status,
        "reactions": _reactions,
        "message": _message,
    }
    if data.get("kind") == "timeline":
        return "\n".join(_timeline(data, painter, width))
    screen = screens.get(str(data.get("kind")))
    if screen is not None:
        return "\n".join(screen(data, painter))
    nodes = {str(node): status for node, status in data.items() if _is_node_status(status)}
    if not nodes or len(nodes) != len(data):
        return None
    return "\n".join(line for node in sorted(nodes) for line in _node(node, nodes[node], painter))


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


def _text(value: object) -> str:
    return "-" if value is None or value == "" else str(value)


def _priority(row: Mapping[str, Any]) -> str:
    base, effective = row.get("base_priority"), row.get("effective_priority")
    if base == effective or effective is None:
        return _text(base)
    return f"{_text(base)} -> {effective}"


def _vip(present: object) -> Cell:
    if isinstance(present, bool):
        return ("yes", "good") if present else ("no", "")
    return "?", "warn"


def _ago(since: object, now: object) -> str:
    start, end = clock.parse(since), clock.parse(now)
    return _text(since) if start is None or end is None else clock.span(end - start)


def _title(each: Mapping[str, Any]) -> str:
    parts = [str(each["instance"])]
    if each.get("vrid") is not None:
        parts.append(f"vrid {each['vrid']}")
    if each.get("sync_group"):
        parts.append(f"group {each['sync_group']}")
    vips = each.get("vips")
    parts.append(
        ", ".join(map(str, vips)) if isinstance(vips, (list, tuple)) and vips else "no vip"
    )
    return printable("  ".join(parts))


def _status(data: Mapping[str, Any], painter: Painter) -> list[str]:
    lines: list[str] = []
    for cluster in data["clusters"]:
        if lines:
            lines.append("")
        count = f"{cluster['answered']} of {cluster['expected']} nodes answered"
        lines.append(f"{painter.paint(printable(cluster['cluster']), 'head')}  {count}")
        for each in cluster["instances"]:
            verdict = str(each["verdict"])
            lines.append(
                f"{_title(each)}  "
                + painter.paint(verdict.upper(), _VERDICT_STYLES.get(verdict, "bad"))
                + f": {printable(str(each['reason']))}"
            )
            lines += painter.rows(
                ("node", "claim", "vip", "priority", "since", "age", "note"),
                [
                    (
                        (str(row["node"]), ""),
                        (str(row["claim"]), _CLAIM_STYLES.get(str(row["claim"]), "bad")),
                        _vip(row["holds_vip"]),
                        (_priority(row), ""),
                        (_ago(row["since"], data["time"]), ""),
                        (f"{row['age']} s" if row["age"] is not None else "unknown", ""),
                        (str(row["note"]), "warn"),
                    )
                    for row in each["nodes"]
                ],
            )
    return lines + _message(data, painter)


def _message(data: Mapping[str, Any], _painter: Painter) -> list[str]:
    return [printable(str(data["message"]))] if data.get("message") else []


def _timeline(data: Mapping[str, Any], painter: Painter, width: int) -> list[str]:
    rows = data["rows"]
    lines = lanes.screen(data["lanes"], painter.paint, width) if data.get("lanes") else []
    lines += painter.rows(
        ("time", "node", "instance", "transition", "vip", "reason"),
        [
            (
                (str(row["time"]), ""),
                (str(row["node"]), ""),
                (_text(row["instance"]), ""),
                (
                    f"{_text(row['from'])} -> {_text(row['to'])}",
                    {"MASTER": "good", "BACKUP": ""}.get(str(row["to"]), "bad"),
                ),
                _vip(row["vip_present"]),
                (
                    _text(row["reason"])
                    + (" (planned)" if row["planned"] else "")
                    + (" (flash)" if row.get("settled") == "flash" else ""),
                    "",
                ),
            )
            for row in rows
        ],
    )
    for vip in data["vips"]:
        count = len(vip["gaps"])
        if not count:
            lines.append(f"{printable(vip['vip'])}: always had an owner in this time")
            continue
        text = f"no owner for {vip['seconds']:.3f} s in {count} gap{'s' if count > 1 else ''}"
        if vip["open"]:
            text += ", the last still open"
        lines.append(
            f"{printable(vip['vip'])}: {painter.paint(text, 'bad' if vip['open'] else 'warn')}"
        )
    for flash in data.get("flashes") or ():
        times = "once" if flash["count"] == 1 else f"{flash['count']} times"
        lines.append(
            printable(f"{flash['instance']} on {flash['node']}: flashed {flash['to']} {times}")
        )
    for gap in data.get("gaps") or ():
        lines.append(
            painter.paint(
                printable(f"{gap['node']}: rows {gap['first']} to {gap['last']}: {gap['why']}"),
                "warn",
            )
        )
    for node, why in sorted(data["missing"].items()):
        lines.append(painter.paint(printable(f"{node}: its journal is missing ({why})"), "warn"))
    return lines + _message(data, painter)


def _reactions(data: Mapping[str, Any], painter: Painter) -> list[str]:
    rows: Sequence[Mapping[str, Any]] = data["rows"]
    if not rows:
        return ["No reaction yet."]
    return painter.rows(
        ("time", "kind", "what", "minion", "instance", "action", "reason", "took"),
        [
            (
                (str(row["time"]), ""),
                (_text(row.get("kind")), ""),
                (_text(row.get("what")), _WHAT_STYLES.get(str(row.get("what")), "")),
                (_text(row.get("minion")), ""),
                (_text(row.get("instance")), ""),
                (_text(row.get("action")), ""),
                (_text(row.get("reason")), ""),
                (f"{row['seconds']} s" if row.get("seconds") is not None else "-", ""),
            )
            for row in rows
        ],
    )


def _drain(drain: Mapping[str, Any]) -> str:
    parts = []
    if drain.get("drained"):
        text = f"DRAINED ({_text(drain.get('mode'))}) since {_text(drain.get('since'))}"
        if drain.get("until"):
            text += f" until {drain['until']}"
        parts.append(f"{text}: {_text(drain.get('reason'))}")
    if drain.get("problem"):
        parts.append(str(drain["problem"]))
    return printable("; ".join(parts))


def _is_node_status(status: object) -> bool:
    return isinstance(status, Mapping) and isinstance(status.get("instances"), (list, tuple))


def _node(node: str, status: Mapping[str, Any], painter: Painter) -> list[str]:
    daemon = status.get("keepalived")
    daemon = daemon if isinstance(daemon, Mapping) else {}
    watch = status.get("watch")
    watch = watch if isinstance(watch, Mapping) else {}
    facts = [f"keepalived {_text(daemon.get('version'))}"]
    facts.append("running" if daemon.get("running") else painter.paint("NOT RUNNING", "bad"))
    facts.append(
        "watch running" if watch.get("running") else painter.paint("watch NOT RUNNING", "warn")
    )
    lines = [
        f"{painter.paint(printable(node), 'head')}  {printable(_text(status.get('cluster')))}  "
        + "  ".join(facts)
    ]
    rows = []
    for each in status["instances"]:
        state = str(each.get("state") or "unknown")
        held = [
            f"{vip.get('address')}" + ("" if vip.get("present") else " (absent)")
            for vip in each.get("vips") or ()
        ]
        rows.append(
            (
                (_text(each.get("instance")), ""),
                (state, _CLAIM_STYLES.get(state, "bad")),
                _vip(each.get("vip_present")),
                (_priority(each), ""),
                (_text(each.get("vrid")), ""),
                (_text(each.get("interface")), ""),
                (_ago(each.get("since"), status.get("time")), ""),
                (", ".join(held) or "-", ""),
            )
        )
    drain = status.get("drain")
    if isinstance(drain, Mapping) and (drain.get("drained") or drain.get("problem")):
        lines.append(f"  {painter.paint(_drain(drain), 'warn')}")
    if not rows:
        return [*lines, "  no VRRP instance"]
    head = ("instance", "state", "vip", "priority", "vrid", "interface", "since", "addresses")
    return lines + painter.rows(head, rows)
