"""Tables for people, from the plain data that the verbs return.  ASCII; colour on request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import status_table
from .event import printable
from .paint import CLAIM_STYLES, Cell, Painter, ago, priority, text_of

__all__ = ["Painter", "render"]

_WHAT_STYLES = {
    "succeeded": "good",
    "sent": "good",
    "failed": "bad",
    "started": "",
    "skipped": "dim",
}


def render(data: object, *, color: bool = False) -> str | None:
    """The table for what a verb of this project returned.

    data
        The return of a runner's verb (it has a ``kind``), or ``{minion: status}`` as Salt
        hands over what ``keepalived.status`` returned on minions.
    color
        Whether to use ANSI colours.

    Returns None for data of any other shape.
    """
    if not isinstance(data, Mapping):
        return None
    painter = Painter(color)
    screens = {
        "status": status_table.screen,
        "timeline": _timeline,
        "reactions": _reactions,
        "message": _message,
    }
    screen = screens.get(str(data.get("kind")))
    if screen is not None:
        return "\n".join(screen(data, painter))
    nodes = {str(node): status for node, status in data.items() if _is_node_status(status)}
    if not nodes or len(nodes) != len(data):
        return None
    return "\n".join(line for node in sorted(nodes) for line in _node(node, nodes[node], painter))


def _vip(present: object) -> Cell:
    if isinstance(present, bool):
        return ("yes", "good") if present else ("no", "")
    return "?", "warn"


def _message(data: Mapping[str, Any], _painter: Painter) -> list[str]:
    return [printable(str(data["message"]))] if data.get("message") else []


def _timeline(data: Mapping[str, Any], painter: Painter) -> list[str]:
    rows = data["rows"]
    lines = painter.rows(
        ("time", "node", "instance", "transition", "vip", "reason"),
        [
            (
                (str(row["time"]), ""),
                (str(row["node"]), ""),
                (text_of(row["instance"]), ""),
                (
                    f"{text_of(row['from'])} -> {text_of(row['to'])}",
                    {"MASTER": "good", "BACKUP": ""}.get(str(row["to"]), "bad"),
                ),
                _vip(row["vip_present"]),
                (
                    text_of(row["reason"])
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
                (text_of(row.get("kind")), ""),
                (text_of(row.get("what")), _WHAT_STYLES.get(str(row.get("what")), "")),
                (text_of(row.get("minion")), ""),
                (text_of(row.get("instance")), ""),
                (text_of(row.get("action")), ""),
                (text_of(row.get("reason")), ""),
                (f"{row['seconds']} s" if row.get("seconds") is not None else "-", ""),
            )
            for row in rows
        ],
    )


def _drain(drain: Mapping[str, Any]) -> str:
    parts = []
    if drain.get("drained"):
        text = f"DRAINED ({text_of(drain.get('mode'))}) since {text_of(drain.get('since'))}"
        if drain.get("until"):
            text += f" until {drain['until']}"
        parts.append(f"{text}: {text_of(drain.get('reason'))}")
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
    facts = [f"keepalived {text_of(daemon.get('version'))}"]
    facts.append("running" if daemon.get("running") else painter.paint("NOT RUNNING", "bad"))
    facts.append(
        "watch running" if watch.get("running") else painter.paint("watch NOT RUNNING", "warn")
    )
    lines = [
        f"{painter.paint(printable(node), 'head')}  {printable(text_of(status.get('cluster')))}  "
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
                (text_of(each.get("instance")), ""),
                (state, CLAIM_STYLES.get(state, "bad")),
                _vip(each.get("vip_present")),
                (priority(each), ""),
                (text_of(each.get("vrid")), ""),
                (text_of(each.get("interface")), ""),
                (ago(each.get("since"), status.get("time")), ""),
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
