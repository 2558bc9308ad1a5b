"""The timeline as swim-lanes: one lane a node and instance, what it was when.  Pure.

A stretch of which nobody knows what was is left out (blank on the screen), never drawn as what
was before it: before a node's first row, around rows that are missing, before a row by which a
watch that had been away found another state, and after a node was last heard.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from . import clock
from .event import printable

#: How a state is drawn.
SIGNS = {"MASTER": "#", "BACKUP": "-", "FAULT": "!", "STOP": ".", "DELETED": "."}
#: A column in which one of these was for however short shows it.
_SEEN = ("FAULT", "STOP")
_STYLES = {"#": "good", "-": "", "!": "bad", ".": "warn", "x": "bad", " ": ""}
LEGEND = "# MASTER  - BACKUP  ! FAULT  . stopped  x no owner  (blank: not known)"
_NARROWEST = 20
_TICK = 20

Span = tuple[float, float, str]
Known = Mapping[tuple[str, str], tuple[str, float, float]]


def lanes(
    rows: Sequence[Mapping[str, Any]],
    vips: Iterable[Mapping[str, Any]],
    known: Known,
    begin: float | None,
    now: float,
    gaps: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any] | None:
    """What each instance was on each node, over a stretch of time.

    rows, vips
        Of the timeline (:func:`timeline.collect`).
    known
        ``{(node, instance): (state, since when, until when that is known)}``, the latest, in
        seconds since the epoch.  Without an entry nothing is known after the last row.
    begin, now
        Seconds since the epoch; begin None: the first row's time.
    gaps
        ``[{"node", "stream_id", "first", "last"}]``: numbers of rows that are missing.

    Returns ``{"from", "to", "lanes": [{"node", "instance", "spans": [{"from", "to", "state"}]}],
    "without_owner": [{"vip", "from", "to", "seconds"}]}``; None where there is no time to draw.
    """
    marks: dict[tuple[str, str], list[tuple[float, Mapping[str, Any]]]] = {}
    times = []
    for row in rows:
        moment = clock.parse(row.get("time"))
        if moment is None:
            continue
        times.append(moment)
        is_state = str(row.get("to")) in SIGNS
        if row.get("type", "instance") == "instance" and row.get("instance") and is_state:
            marks.setdefault((str(row["node"]), str(row["instance"])), []).append((moment, row))
    start = begin if begin is not None else min(times, default=None)
    if start is None or start >= now:
        return None
    missing = list(gaps)
    found = []
    for key in sorted({*marks, *known}, key=lambda each: (each[1], each[0])):
        spans = _spans(marks.get(key, []), known.get(key), missing, start)
        found.append(
            {
                "node": key[0],
                "instance": key[1],
                "spans": [
                    {"from": clock.render(a), "to": clock.render(b), "state": state}
                    for a, b, state in _cut(spans, start, now)
                ],
            }
        )
    return {
        "from": clock.render(start),
        "to": clock.render(now),
        "lanes": found,
        "without_owner": [
            {"vip": vip["vip"], **gap, "to": gap["to"] or clock.render(now)}
            for vip in vips
            for gap in vip["gaps"]
        ],
    }


def _spans(
    marks: Sequence[tuple[float, Mapping[str, Any]]],
    known: tuple[str, float, float] | None,
    gaps: Sequence[Mapping[str, Any]],
    start: float,
) -> list[Span]:
    spans: list[Span] = []
    before: tuple[float, Mapping[str, Any]] | None = None
    for moment, row in marks:
        was = str(row.get("from"))
        if was in SIGNS and _continuous(before, row, gaps):
            spans.append((start if before is None else before[0], moment, was))
        before = (moment, row)
    if known is None:
        return spans
    state, since, until = known
    if before is None:
        spans.append((since, until, state))
    elif str(before[1].get("to")) == state:
        spans.append((before[0], until, state))
    elif since > before[0]:
        # a later change of which the row is not among these
        spans.append((since, until, state))
    return spans


def _continuous(
    before: tuple[float, Mapping[str, Any]] | None,
    row: Mapping[str, Any],
    gaps: Sequence[Mapping[str, Any]],
) -> bool:
    """Whether what a row says it was before held since the row before it."""
    if row.get("source") == "resync" and row.get("from") != row.get("to"):
        return False
    seq = row.get("seq")
    first = before[1].get("seq") if before else None
    if before is not None:
        same = before[1].get("stream_id") == row.get("stream_id")
        if not same or before[1].get("to") != row.get("from"):
            return False
    for gap in gaps:
        mine = gap["node"] == row.get("node") and gap["stream_id"] == row.get("stream_id")
        if (
            mine
            and isinstance(seq, int)
            and gap["first"] < seq
            and (not isinstance(first, int) or gap["last"] > first)
        ):
            return False
    return True


def _cut(spans: Iterable[Span], start: float, end: float) -> list[Span]:
    cut = [(max(a, start), min(b, end), state) for a, b, state in spans]
    return sorted(each for each in cut if each[0] < each[1])


def screen(data: Mapping[str, Any], paint: Callable[[str, str], str], width: int) -> list[str]:
    """The lanes as lines, no wider than *width* characters where that is possible.

    data
        As :func:`lanes` returns it.
    paint
        Gives a text a style (:meth:`table.Painter.paint`).
    """
    start, end = clock.parse(data["from"]), clock.parse(data["to"])
    if start is None or end is None or end <= start:
        return []
    several = len({each["instance"] for each in data["lanes"]}) > 1
    names = [
        printable(f"{each['node']} {each['instance']}" if several else str(each["node"]))
        for each in data["lanes"]
    ]
    gaps: dict[str, list[Mapping[str, Any]]] = {}
    for gap in data["without_owner"]:
        gaps.setdefault(str(gap["vip"]), []).append(gap)
    vips = [printable(vip) for vip in gaps]
    label = max(map(len, (*names, *vips)), default=0)
    columns = max(_NARROWEST, width - label - 4)
    step = (end - start) / columns
    lines = []
    for name, lane in zip(names, data["lanes"], strict=True):
        spans = [
            (_at(span["from"]) - start, _at(span["to"]) - start, str(span["state"]))
            for span in lane["spans"]
        ]
        drawn = "".join(_sign(spans, at * step, (at + 1) * step) for at in range(columns))
        lines.append(f"  {name.ljust(label)}  {_painted(drawn, paint)}".rstrip())
    for vip, found in gaps.items():
        drawn = _without(found, start, step, columns)
        lines.append(f"  {printable(vip).ljust(label)}  {_painted(drawn, paint)}".rstrip())
    if not lines:
        return []
    lines += [f"  {' ' * label}  {each}".rstrip() for each in _axis(start, end, columns)]
    return [*lines, paint(f"  {LEGEND}", "dim"), ""]


def _at(text: object) -> float:
    return clock.parse(text) or 0.0


def _sign(spans: Iterable[Span], begin: float, end: float) -> str:
    """What a column shows: a failure that was in it, else what was for the longest."""
    lasted: dict[str, float] = {}
    for a, b, state in spans:
        both = min(b, end) - max(a, begin)
        if both > 0:
            lasted[state] = lasted.get(state, 0.0) + both
    for state in _SEEN:
        if state in lasted:
            return SIGNS[state]
    blank = (end - begin) - sum(lasted.values())
    longest = max(lasted, key=lambda state: lasted[state], default=None)
    if longest is None or lasted[longest] < blank:
        return " "
    return SIGNS.get(longest, "?")


def _without(gaps: Iterable[Mapping[str, Any]], start: float, step: float, columns: int) -> str:
    """The stretches in which an address had no owner, their seconds written where there is room."""
    signs = [" "] * columns
    places = []
    for gap in gaps:
        first = int((_at(gap["from"]) - start) / step)
        last = int((_at(gap["to"]) - start) / step)
        if last < 0 or first >= columns:
            continue
        first, last = max(first, 0), min(last, columns - 1)
        signs[first : last + 1] = "x" * (last + 1 - first)
        places.append((first, last + 1, f"{gap['seconds']:.3f} s"))
    for first, after, text in places:
        # right of it, or left where the lane ends; nowhere where another one is in the way
        for place, written in ((after, f" {text}"), (first - len(text) - 1, f"{text} ")):
            end = place + len(written)
            if place >= 0 and end <= columns and not "".join(signs[place:end]).strip():
                signs[place:end] = written
                break
    return "".join(signs).rstrip()


def _painted(drawn: str, paint: Callable[[str, str], str]) -> str:
    parts = []
    begin = 0
    for at in range(1, len(drawn) + 1):
        if at == len(drawn) or drawn[at] != drawn[begin]:
            parts.append(paint(drawn[begin:at], _STYLES.get(drawn[begin], "")))
            begin = at
    return "".join(parts)


def _axis(start: float, end: float, columns: int) -> list[str]:
    """Two lines: ticks, and the times (UTC) that they stand for."""
    long = end - start > 86_400
    ticks, times = ["-"] * columns, [" "] * columns
    for at in range(0, columns, _TICK):
        text = clock.render(start + (end - start) * at / columns)
        shown = f"{text[5:10]} {text[11:16]}" if long else text[11:19]
        if at + len(shown) <= columns:
            ticks[at] = "+"
            times[at : at + len(shown)] = shown
    return ["".join(ticks), "".join(times)]
