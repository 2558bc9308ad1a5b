"""The screen of ``salt-run keepalived.status``: the verdict first, the worst first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import alert_view, clock
from .event import printable
from .paint import CLAIM_STYLES, Cell, Painter, ago, priority

_VERDICT_STYLES = dict.fromkeys(("degraded", "unknown", "mismatch", "flapping"), "warn")
_VERDICT_STYLES["ok"] = "good"
_HEAD = ("node", "claim", "vip", "arp", "prio", "since", "age", "note")


def screen(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """The lines: each cluster's instances with their nodes, and one line about all."""
    lines: list[str] = []
    for cluster in data["clusters"]:
        count = f"{cluster['answered']} of {cluster['expected']} nodes answered"
        lines.append(f"{painter.paint(printable(cluster['cluster']), 'head')}  {count}")
        for each in cluster["instances"]:
            lines += _instance(each, data["time"], painter)
        lines.append("")
    if data["clusters"]:
        lines.append(_footer(data))
    alerts = alert_view.trouble_lines(data.get("alerts"), data["time"])
    lines += [painter.paint(line, "bad") for line in alerts]
    if data.get("message"):
        lines.append(printable(str(data["message"])))
    return lines


def _instance(each: Mapping[str, Any], now: str, painter: Painter) -> list[str]:
    verdict = str(each["verdict"])
    incident = each["incident"]
    title = painter.paint(verdict.upper(), _VERDICT_STYLES.get(verdict, "bad"))
    lines = [f"{_title(each)}  {title}: {printable(str(each['reason']))}"]
    stranger = {
        answer["mac"]: one["address"]
        for one in each["wire"]
        for answer in one["answers"]
        if not answer["nodes"]
    }
    rows = [_row(row, verdict, now) for row in each["nodes"]]
    rows += [_stranger(mac, address) for mac, address in sorted(stranger.items())]
    lines += painter.rows(_HEAD, rows)
    why_not = sorted({str(one["why_not"]) for one in each["wire"] if one["why_not"]})
    if why_not:
        lines.append(painter.paint(f"  arp:   not asked: {printable('; '.join(why_not))}", "dim"))
    if each["cause"]:
        lines.append(f"  cause: {printable(str(each['cause']['text']))}")
    if each["next"]:
        lines.append(f"  next:  {printable(str(each['next']))}")
    if incident:
        kind = str(incident["kind"]).replace("_", " ")
        lines.append(
            printable(
                f"  incident {incident['id']}: {kind}, open for "
                f"{clock.span(incident['seconds'])}; salt-run keepalived.explain {incident['id']}"
            )
        )
    return lines


def _row(row: Mapping[str, Any], verdict: str, now: str) -> list[Cell]:
    claim, held = str(row["claim"]), row["holds_vip"]
    wrong = verdict in ("split brain", "ghost vip", "hollow master")
    claim_style = CLAIM_STYLES.get(claim, "bad")
    if claim == "MASTER" and wrong:
        claim_style = "bad"
    return [
        (str(row["node"]), ""),
        (claim, claim_style),
        _yes(held, held is True and not wrong),
        _yes(row["answers"], row["answers"] is True and not wrong),
        (priority(row), ""),
        (ago(row["since"], now), ""),
        (f"{row['age']} s" if row["age"] is not None else "unknown", ""),
        (str(row["note"]), "warn"),
    ]


def _stranger(mac: str, address: str) -> list[Cell]:
    """One that answers and is no node that was heard."""
    cells = [("?", "warn"), ("-", ""), ("?", "warn"), ("yes", "bad")]
    return [*cells, ("-", ""), ("-", ""), ("-", ""), (f"{mac} answers for {address}", "warn")]


def _yes(value: object, good: bool) -> Cell:
    if not isinstance(value, bool):
        return "?", "warn"
    if not value:
        return "-", ""
    return "yes", "good" if good else "bad"


def _title(each: Mapping[str, Any]) -> str:
    parts = [str(each["instance"])]
    if each.get("vrid") is not None:
        parts.append(f"vrid {each['vrid']}")
    if each.get("sync_group"):
        parts.append(f"group {each['sync_group']}")
    vips = [str(vip) for vip in each["vips"]]
    more = f" and {len(vips) - 4} more" if len(vips) > 4 else ""
    parts.append(", ".join(vips[:4]) + more if vips else "no vip")
    return printable("  ".join(parts))


def _footer(data: Mapping[str, Any]) -> str:
    summary, hub = data["summary"], data["hub"]
    count = summary["clusters"]
    parts = [f"{count} cluster" + ("s" if count != 1 else "")]
    parts += [f"{summary['critical']} critical", f"{summary['unknown']} unknown"]
    parts.append(f"{summary['warnings']} warning" + ("s" if summary["warnings"] != 1 else ""))
    text = ", ".join(parts)
    if summary["max_age"] is not None:
        text += f"; the oldest answer is {summary['max_age']} s old"
    if hub is None:
        return f"{text}; no hub"
    if hub["problem"]:
        return printable(f"{text}; {hub['problem']}")
    return f"{text}; hub: {hub['lag']} rows behind, {hub['missing']} missing, {hub['lost']} lost"
