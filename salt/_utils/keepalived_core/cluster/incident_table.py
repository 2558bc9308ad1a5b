"""The screens of ``salt-run keepalived.incidents`` and ``explain``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import clock
from .event import printable
from .incident_state import RANK
from .incident_view import CRITICAL
from .table import Painter


def screen(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """The table of incidents, the newest last."""
    found = data["incidents"]
    lines = ["No incident."]
    if found:
        lines = painter.rows(
            (
                "id",
                "opened",
                "cluster",
                "instance",
                "kind",
                "state",
                "no owner",
                "several",
                "cause",
            ),
            [
                (
                    (str(each["id"]), ""),
                    (str(each["opened"]), ""),
                    (str(each["cluster"]), ""),
                    (str(each["instance"]), ""),
                    (_kind(each), _style(each)),
                    (_state(each), "bad" if each["state"] == "open" else "good"),
                    (_seconds(each["seconds_without_owner"], each), ""),
                    (_seconds(each["seconds_several_owners"], each), ""),
                    (str(each["cause"].get("text", "not known")), ""),
                )
                for each in found
            ],
        )
        lines.append(f"More of one: salt-run keepalived.explain {found[-1]['id']}")
    return lines + _message(data)


def explanation(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """One incident: what it is, its rows, why, and what to do."""
    incident = data["incident"]
    title = (
        f"{incident['id']}  {incident['cluster']}  {incident['instance']}  "
        f"{_kind(incident).upper()}"
    )
    state = _state(incident)
    lines = [
        f"{painter.paint(printable(title), 'head')}  "
        + painter.paint(state, "bad" if incident["state"] == "open" else "good"),
        f"  opened {incident['opened']}"
        + (f", resolved {incident['resolved']}" if incident["resolved"] else ""),
    ]
    verb = "is" if incident["state"] == "open" else "was"
    lines += [
        printable(f"  {name} {verb} on {', '.join(nodes) or 'no node'}")
        for name, nodes in incident["owners"].items()
    ]
    lines += [
        painter.paint(printable(f"  {node} could not take over: {why}"), "warn")
        for node, why in sorted(incident["not_ready"].items())
        if incident["state"] == "open"
    ]
    lines.append("Evidence, by the nodes' clocks:")
    lines += painter.rows(
        ("time", "node", "instance", "transition", "reason"),
        [
            (
                (str(row["time"]), ""),
                (str(row["node"]), ""),
                (str(row["instance"]), ""),
                (
                    f"{row['from'] or '-'} -> {row['to']}",
                    {"MASTER": "good", "BACKUP": "", "restored": ""}.get(str(row["to"]), "bad"),
                ),
                (
                    str(row["reason"] or "-")
                    + (" (planned)" if row["planned"] else "")
                    + (" (before it)" if row["context"] else "")
                    + (" (came late)" if row["late"] else "")
                    + (" (told by a heartbeat alone)" if not row["seq"] else ""),
                    "",
                ),
            )
            for row in data["rows"]
        ],
    )
    if data["rows_left_out"]:
        lines.append(f"  {data['rows_left_out']} rows in the middle are left out.")
    if incident["actions"]:
        lines.append("Done about it:")
        lines += painter.rows(
            ("time", "kind", "what", "minion", "action", "reason"),
            [
                [
                    (str(each[name] or "-"), "")
                    for name in ("time", "kind", "what", "minion", "action", "reason")
                ]
                for each in incident["actions"]
            ],
        )
    lines.append("Why:")
    lines += [printable(f"  {sentence}") for sentence in data["reasoning"]]
    lines += _checked(data.get("checked"), painter)
    lines.append(printable(f"Next: {data['next']}"))
    return lines + _message(data)


def _checked(checked: Mapping[str, Any] | None, painter: Painter) -> list[str]:
    """What the nodes say now."""
    if not checked:
        return []
    if checked["problem"]:
        return [printable(f"The nodes could not be asked: {checked['problem']}")]
    lines = ["The nodes say now:"]
    for each in checked["findings"]:
        style = "bad" if each["severity"] == "error" else "warn"
        lines.append(painter.paint(printable(f"  {each['code']}: {each['text']}"), style))
        lines.append(printable(f"    do: {each['do']}"))
    return lines if checked["findings"] else [*lines, "  nothing that would explain it."]


def _kind(incident: Mapping[str, Any]) -> str:
    return str(incident["kind"]).replace("_", " ")


def _style(incident: Mapping[str, Any]) -> str:
    if incident["state"] != "open":
        return ""
    return "bad" if RANK.get(str(incident["kind"]), 0) >= RANK[CRITICAL] else "warn"


def _state(incident: Mapping[str, Any]) -> str:
    if incident["state"] == "open":
        return f"open for {clock.span(incident['seconds'])}"
    return f"over after {incident['seconds']:.3f} s"


def _seconds(value: float, incident: Mapping[str, Any]) -> str:
    if not value:
        return "-" if incident["exact"] else "?"
    return f"{value:.3f} s" + ("" if incident["exact"] else " or more")


def _message(data: Mapping[str, Any]) -> list[str]:
    return [printable(str(data["message"]))] if data.get("message") else []
