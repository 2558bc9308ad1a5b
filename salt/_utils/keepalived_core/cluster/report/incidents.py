"""Incidents, packed for the page: ten thousand of them in about a megabyte.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import incident_text
from ..incident_state import KINDS
from .history import Texts, ms

#: The columns of a row, in this order; what a page of them needs to know each is here.
COLUMNS = (
    "id", "cluster", "instance", "kind", "opened", "resolved", "seconds", "without", "several",
    "cause", "nodes", "planned", "exact", "was", "instances", "owners", "not_ready", "actions",
)  # fmt: skip
_MOST_ACTIONS = 10


def kinds() -> list[dict[str, Any]]:
    """Each kind, the worst first: what it means and what is safe to do."""
    return [
        {"kind": kind, "meaning": incident_text.MEANING[kind][0], "next": _next(kind)}
        for kind in reversed(KINDS)
    ]


def _next(kind: str) -> str:
    return incident_text.MEANING[kind][1]


def packed(found: Iterable[Mapping[str, Any]], base: int, texts: Texts) -> list[list[Any]]:
    """A list for each incident, its values in the order of :data:`COLUMNS`.

    found
        As ``salt-run keepalived.incidents`` has them, in any order; the newest is first here.

    Times are milliseconds after *base* (``resolved`` -1 while it is open), seconds have three
    decimals, texts are places, ``instances`` is 0 where it is the instance alone.
    """
    rows = [_row(each, base, texts) for each in found]
    rows.sort(key=lambda row: (-row[4], row[0]))
    return rows


def _row(each: Mapping[str, Any], base: int, texts: Texts) -> list[Any]:
    place = texts.place
    alone = list(each["instances"]) in ([], [each["instance"]])
    resolved = ms(each["resolved"])
    return [
        str(each["id"]),
        place(each["cluster"]),
        place(each["instance"]),
        place(each["kind"]),
        (ms(each["opened"]) or base) - base,
        -1 if resolved is None else resolved - base,
        round(float(each["seconds"]), 3),
        round(float(each["seconds_without_owner"]), 3),
        round(float(each["seconds_several_owners"]), 3),
        place((each["cause"] or {}).get("text")),
        [place(node) for node in each["nodes"]],
        int(bool(each["planned"])),
        int(bool(each["exact"])),
        [place(kind) for kind in each["was"]],
        0 if alone else [place(name) for name in each["instances"]],
        [[place(name), [place(node) for node in nodes]] for name, nodes in each["owners"].items()],
        [[place(node), place(why)] for node, why in each["not_ready"].items()],
        [_action(one, base, texts) for one in each.get("actions", ())[-_MOST_ACTIONS:]],
    ]


def _action(action: Mapping[str, Any], base: int, texts: Texts) -> list[int]:
    """When, and one sentence of what was done."""
    told = [action.get(name) for name in ("kind", "what", "minion", "action", "reason")]
    text = " ".join(str(each) for each in told if each)
    return [(ms(action.get("time")) or base) - base, texts.place(text[:300])]
