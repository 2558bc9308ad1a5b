"""What the runner shows of the hub's file: the timeline, and how the hub itself is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from . import clock, lanes, timeline
from .answers import Answer
from .event import printable
from .rows import LOST, MISSING
from .store_read import Reader

SCHEMA = 1
#: A hub that has written nothing for so long does not run, in seconds.
DEAD = 30.0
#: A node of which nothing was heard for so long is unknown (docs/incidents.md), in seconds.
SILENT = 30.0
#: The most rows of one node when a period was given instead of a number.
PERIOD_ROWS = 5_000


@dataclass(frozen=True)
class Heard:
    """What the file has of all nodes, read once: their streams, and their latest word."""

    streams: Mapping[str, list[Any]]
    facts: Mapping[str, Any]

    @classmethod
    def read(cls, reader: Reader) -> Heard:
        streams: dict[str, list[Any]] = {}
        for stream in reader.streams():
            streams.setdefault(stream.minion, []).append(stream)
        return cls(streams, reader.facts())


def why_not(reader: Reader | None, now: float) -> str | None:
    """Why the file does not tell what is known now; None when it does."""
    if reader is None:
        return "there is no hub on this master"
    alive = reader.hub().get("alive")
    if not isinstance(alive, (int, float)):
        return "the hub has not begun yet"
    if now - alive > DEAD:
        return f"the hub has not run for {clock.span(now - alive)}"
    return None


def show_timeline(
    reader: Reader,
    nodes: Iterable[str],
    last: int,
    since: float | None,
    now: float,
    settled: bool = False,
    heard: Heard | None = None,
) -> dict[str, Any]:
    """The timeline as the hub has it; the keys are those of :func:`timeline.collect` and more.

    nodes
        The members to show.
    since
        Seconds since the epoch.
    settled
        Without flashes.
    heard
        For one who shows many clusters.
    """
    nodes = sorted(set(nodes))
    heard = heard or Heard.read(reader)
    streams = {node: heard.streams.get(node, []) for node in nodes}
    limit = last if since is None else PERIOD_ROWS
    answers = {
        node: Answer(reader.rows(node, limit, since, settled), now)
        for node in nodes
        if streams[node]
    }
    data = timeline.collect(nodes, answers, limit, now, period=since is not None)
    missing = {node: "the hub has heard nothing of it" for node in nodes if not streams[node]}
    rows: Any = data["rows"]
    vips: Any = data["vips"]
    begin = since if since is not None else clock.parse(rows[0]["time"]) if rows else None
    begin = clock.parse(data["cut"]) or begin
    gaps = _gaps(nodes, streams)
    known = _known(heard.facts, nodes, now)
    return {
        **data,
        "missing": missing,
        "lanes": lanes.lanes(rows, vips, known, begin, now, gaps),
        "source": "hub",
        "age": round(max(0.0, now - float(reader.hub().get("alive", now))), 1),
        "flashes": [
            {
                "node": node,
                **{name: each[name] for name in ("instance", "to", "count")},
                "last": clock.render(each["last_us"] / 1e6),
            }
            for node in nodes
            for each in reader.flashes(node, begin)
        ],
        "gaps": gaps,
    }


def _gaps(nodes: Iterable[str], streams: Mapping[str, list[Any]]) -> list[dict[str, Any]]:
    return [
        {
            "node": node,
            "stream_id": stream.stream_id,
            "first": first,
            "last": end,
            "why": why,
        }
        for node in nodes
        for stream in streams[node]
        for first, end, why in stream.gaps
    ]


def _known(facts: Mapping[str, Any], nodes: Iterable[str], now: float) -> lanes.Known:
    """What each instance is by its node's latest word: the state, since when, until when."""
    found = {}
    for node in nodes:
        for name, each in facts.get(node, {}).get("states", {}).items():
            told = each["told_us"] / 1e6
            until = now if now - told < SILENT else told
            found[node, name] = (str(each["state"]), (each["since_us"] or 0) / 1e6 or told, until)
    return found


def show_status(reader: Reader, nodes: Iterable[str], now: float) -> dict[str, Any]:
    """How the hub is: what it stored, how far it is with each node, what it did not believe.

    ``retcode`` is 0, 1 when rows are missing, 2 when the hub does not run.
    """
    hub = reader.hub()
    problem = why_not(reader, now)
    facts = reader.facts()
    by_node: dict[str, list[Any]] = {node: [] for node in sorted({*nodes, *facts})}
    for stream in reader.streams():
        by_node.setdefault(stream.minion, []).append(stream)
    table = []
    for node, streams in sorted(by_node.items()):
        known = facts.get(node, {})
        newest = streams[-1] if streams else None
        table.append(
            {
                "node": node,
                "cluster": known.get("cluster"),
                "stream_id": newest.stream_id if newest else None,
                "streams": len(streams),
                "high": newest.high if newest else None,
                "lag": sum(stream.tail - stream.high for stream in streams),
                "missing": sum(stream.count(MISSING) for stream in streams),
                "lost": sum(stream.count(LOST) for stream in streams),
                "refused": sum(
                    last - first + 1
                    for stream in streams
                    for first, last, why in stream.gaps
                    if why not in (MISSING, LOST)
                ),
                "dropped": newest.dropped if newest else None,
                "age": _age(known.get("received_us"), now),
                "heartbeat_age": _age(known.get("heartbeat_us"), now),
                "clock_ahead": round(known["skew_us"] / 1e6, 3) if "skew_us" in known else None,
                "clock_jumps": known.get("clock_jumps"),
                "signed": known.get("signed"),
                "states": {
                    name: {
                        "state": each["state"],
                        "vip_present": each["vip_present"],
                        "since": _time(each["since_us"]),
                        "age": _age(each["told_us"], now),
                    }
                    for name, each in sorted(known.get("states", {}).items())
                },
            }
        )
    behind = any(each["lag"] or each["missing"] for each in table)
    return {
        "kind": "hub_status",
        "schema": SCHEMA,
        "time": clock.render(now),
        "running": problem is None,
        "problem": problem,
        "started": _time(round(hub["started"] * 1e6)) if "started" in hub else None,
        "signed": hub.get("signed"),
        "members": hub.get("members"),
        "held": hub.get("held"),
        "asking": hub.get("asking"),
        "file": {"path": str(reader.path), **reader.size()},
        "counters": dict(sorted(reader.counters().items())),
        "nodes": table,
        "rejected": [
            {
                "minion": each.minion,
                "culprit": each.culprit,
                "reason": printable(each.reason),
                "count": each.count,
                "first": _time(each.first_us),
                "last": _time(each.last_us),
                "tag": printable(each.tag),
            }
            for each in reader.rejected()
        ],
        "retcode": 2 if problem else 1 if behind else 0,
    }


def _age(then_us: int | None, now: float) -> float | None:
    return round(max(0.0, now - then_us / 1e6), 1) if then_us else None


def _time(micro: int | None) -> str | None:
    return clock.render(micro / 1e6) if micro else None
