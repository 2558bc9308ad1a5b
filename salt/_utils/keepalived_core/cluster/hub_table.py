"""The screen of ``salt-run keepalived.hub_status``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .event import printable
from .table import Painter


def screen(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """The lines: the hub, its nodes, what it did not believe."""
    running = data["running"]
    word = painter.paint("running", "good") if running else painter.paint("NOT RUNNING", "bad")
    trust = "signed events only" if data["signed"] else "UNSIGNED EVENTS ARE BELIEVED"
    counters = data["counters"]
    lines = [
        f"{painter.paint('hub', 'head')}  {word}  since {data['started'] or '-'}  "
        + painter.paint(trust, "" if data["signed"] else "warn"),
        f"  {data['file']['rows']} rows, {data['file']['bytes'] / 1e6:.1f} MB in "
        f"{printable(data['file']['path'])}",
        "  "
        + (", ".join(f"{count} {printable(name)}" for name, count in counters.items()) or "nothing")
        + " so far",
    ]
    if data["problem"]:
        lines.append(painter.paint(f"  {printable(data['problem'])}", "bad"))
    lines += painter.rows(
        (
            "node",
            "heard",
            "heartbeat",
            "row",
            "lag",
            "missing",
            "lost",
            "dropped",
            "clock",
            "signed",
        ),
        [
            (
                (str(each["node"]), ""),
                (_seconds(each["age"]), "" if each["age"] is not None else "warn"),
                (_seconds(each["heartbeat_age"]), ""),
                (_text(each["high"]), ""),
                (str(each["lag"]), "warn" if each["lag"] else ""),
                (str(each["missing"]), "warn" if each["missing"] else ""),
                (str(each["lost"] + each["refused"]), "bad" if each["lost"] else ""),
                (_text(each["dropped"]), "warn" if each["dropped"] else ""),
                (_clock(each["clock_ahead"]), ""),
                (_text(each["signed"]), ""),
            )
            for each in data["nodes"]
        ],
    )
    for each in data["rejected"]:
        sender = f", sent as {each['culprit']}" if each["culprit"] else ""
        lines.append(
            painter.paint(
                printable(
                    f"not believed, {each['count']} times, last {each['last']}: in the name of "
                    f"{each['minion']}{sender}: {each['reason']}"
                ),
                "warn",
            )
        )
    if data.get("message"):
        lines.append(printable(str(data["message"])))
    return lines


def _seconds(value: object) -> str:
    return "never" if value is None else f"{value} s ago"


def _clock(value: float | None) -> str:
    return "-" if value is None else f"{value:+.3f} s"


def _text(value: object) -> str:
    return "-" if value is None else {True: "yes", False: "NO"}.get(value, str(value))  # type: ignore[call-overload]
