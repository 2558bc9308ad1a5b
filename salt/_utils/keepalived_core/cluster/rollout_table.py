"""The screen of the verbs that change a cluster: what was done, before and after, what is next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .event import printable
from .table import Painter

_RESULTS = {"done": "good", "nothing": "good", "undone": "good", "would": "", "refused": "warn"}
_MARKS = {"done": "done", "failed": "FAILED", "doing": "FAILED", "todo": "not done"}


def screen(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """The lines for the return of rollout, drain, undrain, switchover and upgrade."""
    result = str(data["result"])
    word = painter.paint(result.upper(), _RESULTS.get(result, "bad"))
    head = painter.paint(printable(str(data["cluster"])), "head")
    lines = [f"{head}  {data['verb']}: {word}  ({data['seconds']} s)"]
    findings = data.get("findings") or []
    # What a refusal says in its message is said better as a list.
    listed = result == "refused" and any(each["level"] == "error" for each in findings)
    lines.append("nothing was changed:" if listed else printable(str(data["message"])))
    for each in findings:
        place = f"{each['node']}: " if each["node"] else ""
        style = "bad" if each["level"] == "error" else "warn"
        lines.append(painter.paint(f"  {each['level']}: {printable(place + each['text'])}", style))
    lines += [painter.paint(f"  {printable(text)}", "warn") for text in data.get("notes") or []]
    for nodes, each in _alike(data.get("changes") or []):
        did = f" ({each['phase']})" if each["phase"] != "untouched" else ""
        lines += ["", f"{printable(', '.join(nodes))}: {each['kind']}{did}"]
        lines += [f"  {printable(text)}" for text in each["reasons"]]
        if result == "would":
            lines += [f"    {printable(line)}" for line in str(each["diff"]).splitlines()]
    lines += _packages(data, painter) + _steps(data, painter) + _rows(data, painter)
    for gap in data.get("gaps") or []:
        how = "for how long is not known"
        if gap["seconds"] is not None:
            how = f"for {gap['seconds']:.3f} s"
        lines.append(f"{printable(gap['address'])} was on no node {how}")
    if data.get("back"):
        lines += ["", "To go back:", *(f"  {printable(text)}" for text in data["back"])]
    return lines


def _alike(
    changes: list[Mapping[str, Any]],
) -> list[tuple[list[str], Mapping[str, Any]]]:
    """The changes, those that say the same of several nodes said once."""
    found: list[tuple[list[str], Mapping[str, Any]]] = []
    for each in changes:
        for nodes, known in found:
            if all(each[key] == known[key] for key in ("kind", "phase", "reasons", "diff")):
                nodes.append(str(each["node"]))
                break
        else:
            found.append(([str(each["node"])], each))
    return found


def _packages(data: Mapping[str, Any], painter: Painter) -> list[str]:
    packages = data.get("packages") or []
    if not packages:
        return []
    rows = [
        (
            (str(each["node"]), ""),
            (str(each["from"]), ""),
            (str(each["to"]), ""),
            _mark(each["state"], data),
        )
        for each in packages
    ]
    return ["", *painter.rows(("node", "has", "gets", ""), rows)]


def _steps(data: Mapping[str, Any], painter: Painter) -> list[str]:
    steps = data.get("steps") or []
    if not steps:
        return []
    rows = [
        (
            (str(number), ""),
            (str(step["do"]), ""),
            (", ".join(step["nodes"]), ""),
            (str(step["why"]), ""),
            _mark(step["state"], data),
            (f"{step['seconds']} s" if "seconds" in step else "", ""),
        )
        for number, step in enumerate(steps, 1)
    ]
    return ["", *painter.rows(("step", "do", "nodes", "why", "", ""), rows)]


def _mark(state: object, data: Mapping[str, Any]) -> tuple[str, str]:
    if data["result"] == "would":
        return "", ""
    text = _MARKS.get(str(state), str(state))
    return text, {"done": "good", "FAILED": "bad"}.get(text, "dim")


def _rows(data: Mapping[str, Any], painter: Painter) -> list[str]:
    rows = data.get("rows") or []
    if not rows:
        return []
    shown = []
    for row in rows:
        was, now = _say(row["before"], row["holds_before"]), _say(row["after"], row["holds_after"])
        style = "" if row["after"] in ("MASTER", "BACKUP") else "bad"
        shown.append(
            (
                (str(row["instance"]), ""),
                (str(row["node"]), ""),
                (was, ""),
                (now if now != was else "same", style or ("" if now != was else "dim")),
            )
        )
    return ["", *painter.rows(("instance", "node", "before", "after"), shown)]


def _say(state: object, held: list[str]) -> str:
    return " ".join([str(state or "-"), *held])
