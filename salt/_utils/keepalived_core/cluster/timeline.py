"""The transitions of a whole cluster in one order, and how long an address had no owner."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from . import clock
from .answers import Answer, last_line
from .event import printable

SCHEMA = 1
_FIELDS = (
    "type",
    "instance",
    "from",
    "to",
    "reason",
    "vips",
    "vip_present",
    "planned",
    "source",
    "stream_id",
    "seq",
)
#: What a row has in addition when it comes from the hub: its word (docs/events.md), whether it came
#: after later ones, whether its node had signed it, and when the master had it.
HUB_FIELDS = ("settled", "late", "signed", "received")


def collect(
    nodes: Iterable[str],
    answers: Mapping[str, Answer],
    last: int,
    now: float,
    period: bool = False,
) -> dict[str, object]:
    """The newest rows of all nodes, the seconds without an owner, and whose rows are missing.

    nodes
        Those that should have answered.
    answers
        What ``keepalived.journal`` returned on those that did.
    last
        How many rows at most.  The seconds are those of the time that the rows span: before
        the first of them a node may have done more than its answer holds.
    now
        Seconds since the epoch.
    period
        Each node was asked for its newest *last* rows of a period, and all are shown.  Where a node
        has so many, nobody knows what was before: the time begins there, for all nodes alike.

    Returns what ``salt-run keepalived.timeline --out=json`` prints.
    """
    journals: dict[str, list[Mapping[str, object]]] = {}
    missing: dict[str, str] = {}
    for node in sorted(nodes):
        answer = answers.get(node)
        if answer is None:
            missing[node] = "no answer"
        elif not isinstance(answer.said, (list, tuple)):
            missing[node] = last_line(answer.said)
        else:
            journals[node] = [row for row in answer.said if isinstance(row, Mapping)]
    rows = merge(journals)
    cut = _cut(journals.values(), last) if period else None
    if not period:
        shown = rows[-last:]
    elif cut is None:
        shown = rows
    else:
        shown = [row for row in rows if (clock.parse(row["time"]) or 0.0) >= cut]
    since = clock.parse(shown[0]["time"]) if shown else None
    return {
        "kind": "timeline",
        "schema": SCHEMA,
        "time": clock.render(now),
        "rows": shown,
        "vips": without_owner(rows, now, since),
        "missing": missing,
        "cut": None if cut is None else clock.render(cut),
    }


def _cut(journals: Iterable[Sequence[Mapping[str, object]]], last: int) -> float | None:
    """Since when all rows of all nodes are there; None: nothing was left out."""
    firsts = [
        min((clock.parse(row.get("time")) or 0.0 for row in rows), default=0.0)
        for rows in journals
        if len(rows) >= last
    ]
    return max(firsts, default=None)


def merge(journals: Mapping[str, Iterable[Mapping[str, object]]]) -> list[dict[str, object]]:
    """All rows in the order of their times; rows of one node never overtake each other.

    journals
        ``{node: its rows}``, as ``keepalived.journal`` returns them, in any order.  A row
        without a time or a number is left out, a row that comes twice appears once.
    """
    placed: list[tuple[float, str, str, int, dict[str, object]]] = []
    for node, rows in journals.items():
        streams: dict[str, dict[int, tuple[float, Mapping[str, object]]]] = {}
        for row in rows:
            moment, seq = clock.parse(row.get("time")), row.get("seq")
            if moment is None or isinstance(seq, bool) or not isinstance(seq, int):
                continue
            streams.setdefault(str(row.get("stream_id")), {})[seq] = (moment, row)
        for stream, numbered in streams.items():
            latest = float("-inf")
            for seq in sorted(numbered):
                moment, row = numbered[seq]
                # A clock that was set back on the node must not reorder what it wrote.
                latest = max(latest, moment)
                plain = {
                    "time": row["time"],
                    "node": node,
                    **{key: row.get(key) for key in _FIELDS},
                }
                if isinstance(plain["reason"], str):
                    plain["reason"] = printable(plain["reason"])
                hub = row.get("hub")
                if isinstance(hub, Mapping):
                    plain.update({name: hub.get(name) for name in HUB_FIELDS})
                    plain["received"] = clock.render(hub["received_us"] / 1e6)
                placed.append((latest, node, stream, seq, plain))
    placed.sort(key=lambda each: each[:4])
    return [row for *_, row in placed]


def without_owner(
    rows: Sequence[Mapping[str, object]], until: float, since: float | None = None
) -> list[dict[str, object]]:
    """For each address, when no node held it.

    rows
        As ``merge`` returns them.  Only rows that say whether the address was on the interface
        count.  Before its first row, a node held what it left as MASTER.
    until
        Seconds since the epoch; where a gap that is still open is cut.
    since
        Seconds since the epoch; gaps that began earlier do not count, earlier rows only say who
        held the address then.

    Returns ``[{vip, seconds, open, gaps: [{from, to, seconds}]}]`` sorted by address; ``to`` is
    None while nobody has taken the address over.  A node that wrote nothing in this time is
    invisible here.
    """
    tracks: dict[str, list[tuple[float, str, bool, bool]]] = {}
    for row in rows:
        present, moment, vips = (
            row.get("vip_present"),
            clock.parse(row.get("time")),
            row.get("vips"),
        )
        if not isinstance(present, bool) or moment is None or not isinstance(vips, (list, tuple)):
            continue
        for vip in vips:
            flip = (moment, str(row["node"]), present, row.get("from") == "MASTER")
            tracks.setdefault(str(vip), []).append(flip)
    begin = float("-inf") if since is None else since
    return [_gaps(vip, tracks[vip], begin, until) for vip in sorted(tracks)]


def _gaps(
    vip: str, flips: list[tuple[float, str, bool, bool]], since: float, until: float
) -> dict[str, object]:
    holders: set[str] = set()
    known: set[str] = set()
    for _, node, present, was_master in flips:
        if node not in known and was_master and not present:
            holders.add(node)
        known.add(node)
    gaps: list[dict[str, object]] = []
    start: float | None = None
    total = 0.0
    for moment, node, present, _ in flips:
        had_owner = bool(holders)
        (holders.add if present else holders.discard)(node)
        if moment < since:
            continue
        if had_owner and not holders:
            start = moment
        elif holders and start is not None:
            total += _close(gaps, start, max(start, moment), is_open=False)
            start = None
    if start is not None:
        total += _close(gaps, start, max(start, until), is_open=True)
    return {"vip": vip, "seconds": round(total, 6), "open": start is not None, "gaps": gaps}


def _close(gaps: list[dict[str, object]], start: float, end: float, *, is_open: bool) -> float:
    seconds = round(end - start, 6)
    gaps.append(
        {
            "from": clock.render(start),
            "to": None if is_open else clock.render(end),
            "seconds": seconds,
        }
    )
    return seconds
