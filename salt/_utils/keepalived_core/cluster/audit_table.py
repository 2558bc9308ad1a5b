"""The screens of an audit and of a failover test."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .event import printable
from .table import Painter

_STYLES = {"error": "bad", "warning": "warn", "info": "dim"}


def screen(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """The lines for the return of ``keepalived.audit``; the worst first."""
    lines = []
    for each in data["clusters"]:
        found = [row for row in data["findings"] if row["cluster"] == each["cluster"]]
        head = painter.paint(printable(str(each["cluster"])), "head")
        count = f"{each['answered']} of {each['expected']} nodes answered"
        lines.append(f"{head}  {count}  {_counts(found, painter)}")
    lines += _findings(data["findings"], len(data["clusters"]) > 1, painter)
    return lines + ([printable(str(data["message"]))] if data.get("message") else [])


def _counts(rows: list[Mapping[str, Any]], painter: Painter) -> str:
    words = {"error": "error", "warning": "warning", "info": "for your information"}
    parts = []
    for severity, word in words.items():
        count = sum(row["severity"] == severity for row in rows)
        if count:
            plural = "s" if count > 1 and severity != "info" else ""
            parts.append(painter.paint(f"{count} {word}{plural}", _STYLES[severity]))
    return ", ".join(parts) or painter.paint("nothing found", "good")


def _findings(rows: list[Mapping[str, Any]], several: bool, painter: Painter) -> list[str]:
    if not rows:
        return []
    cells = [
        (
            (str(row["severity"]), _STYLES[row["severity"]]),
            (str(row["code"]), ""),
            *([(str(row["cluster"]), "")] if several else []),
            (str(row["text"]), ""),
        )
        for row in rows
    ]
    head = ("", "finding", *(["cluster"] if several else []), "what was seen")
    first, *shown = painter.rows(head, cells)
    lines = [first]
    for place, line in enumerate(shown):
        lines.append(line)
        row = rows[place]
        following = rows[place + 1] if place + 1 < len(rows) else None
        # Said once for all that are alike and stand together.
        if following is None or any(row[key] != following[key] for key in ("code", "do")):
            lines.append(painter.paint(f"      why: {printable(row['why'])}", "dim"))
            lines.append(f"      do:  {printable(row['do'])}")
    return lines


_RESULTS = {"done": "good", "would": "", "refused": "warn"}


def failover(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """The lines for the return of ``keepalived.failover_test``."""
    result = str(data["result"])
    word = painter.paint(result.upper(), _RESULTS.get(result, "bad"))
    head = painter.paint(printable(str(data["cluster"])), "head")
    lines = [f"{head}  failover test: {word}  ({data['seconds']} s)"]
    lines.append(printable(str(data["message"])))
    for each in data.get("findings") or []:
        place = f"{each['node']}: " if each["node"] else ""
        style = "bad" if each["level"] == "error" else "warn"
        lines.append(painter.paint(f"  {each['level']}: {printable(place + each['text'])}", style))
    steps = data.get("steps") or []
    if steps:
        rows = [
            (
                (str(step["step"]), ""),
                (str(step["instance"]), ""),
                (step["from"] or "-", ""),
                (step["to"] or "-", ""),
                _gap(step),
                (str(step["verdict"] or ""), ""),
            )
            for step in steps
        ]
        head_row = ("step", "instance", "from", "to", "gap", "verdict after")
        lines += ["", *painter.rows(head_row, rows)]
    if data.get("back"):
        lines += ["", "To go back:", *(f"  {printable(text)}" for text in data["back"])]
    return lines


def _gap(step: Mapping[str, Any]) -> tuple[str, str]:
    if step["state"] == "todo":
        return "", ""
    if not step["moved"]:
        return "stayed", "warn" if step["step"] != "back" else ""
    if step["gap"] is None:
        return "not known", "warn"
    return f"{step['gap']:.3f} s", ""
