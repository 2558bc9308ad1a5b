"""What each instance was on each node, packed for the page: numbers, and each text once.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .. import clock

#: So many stretches of all lanes together: about 20 bytes each in the file.
MOST_SPANS = 90_000


class Texts:
    """A list of texts, each of them once; what the page holds instead is its place."""

    def __init__(self) -> None:
        self.all: list[str] = [""]
        self._places: dict[str, int] = {"": 0}

    def place(self, text: object) -> int:
        """Where the text stands; nothing is the empty text."""
        shown = "" if text is None else str(text)
        if shown not in self._places:
            self._places[shown] = len(self.all)
            self.all.append(shown)
        return self._places[shown]


def ms(text: object) -> int | None:
    """A time as events carry it, in milliseconds since the epoch."""
    seconds = clock.parse(text)
    return None if seconds is None else round(seconds * 1000)


def lanes(
    timelines: Mapping[str, Mapping[str, Any]], base: int, texts: Texts, most: int = MOST_SPANS
) -> dict[str, Any]:
    """All lanes of all clusters.

    timelines
        ``{cluster: what salt-run keepalived.timeline has}``.
    base
        From when times are counted, milliseconds since the epoch.
    most
        So many stretches at most: of each lane the newest are kept.

    Returns ``{"cut": n, "lanes": [{"cluster", "instance", "node", "spans": [from, length, state,
    reason, planned, ...]}], "gaps": [{"cluster", "vip", "spans": [from, length, open, ...]}]}``:
    times in milliseconds, texts as places, ``planned`` and ``open`` 0 or 1; ``cut`` says how many
    stretches were left out.
    """
    found, gaps = [], []
    limit = _limit(
        [
            len(lane["spans"])
            for each in timelines.values()
            for lane in (each.get("lanes") or {}).get("lanes") or ()
        ],
        most,
    )
    cut = 0
    for cluster, timeline in timelines.items():
        drawn = timeline.get("lanes")
        if not drawn:
            continue
        said = _said(timeline["rows"])
        for lane in drawn["lanes"]:
            spans = lane["spans"]
            cut += max(0, len(spans) - limit)
            packed = _spans(spans[-limit:], said, (lane["node"], lane["instance"]), base, texts)
            found.append(
                {
                    "cluster": cluster,
                    "instance": lane["instance"],
                    "node": lane["node"],
                    "spans": packed,
                }
            )
        gaps += _gaps(cluster, timeline["vips"], ms(drawn["to"]) or base, base)
    return {"cut": cut, "lanes": found, "gaps": gaps}


def _limit(lengths: Sequence[int], most: int) -> int:
    """How many each may have, so that all have no more than *most* together: short ones leave
    room for long ones."""
    left, limit = most, max(lengths, default=0)
    for place, length in enumerate(sorted(lengths)):
        share = left // (len(lengths) - place)
        if length > share:
            return max(1, share)
        left -= length
    return limit


def _said(rows: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str, int], tuple[str, bool]]:
    """Why a state began, and whether that was planned, by node, instance and time."""
    found = {}
    for row in rows:
        moment = ms(row.get("time"))
        if moment is not None:
            reason = row.get("reason")
            told = "" if reason in (None, "unknown") else str(reason)[:300]
            key = (str(row["node"]), str(row.get("instance")), moment)
            found[key] = (told, bool(row.get("planned")))
    return found


def _spans(
    spans: Sequence[Mapping[str, Any]],
    said: Mapping[tuple[str, str, int], tuple[str, bool]],
    lane: tuple[str, str],
    base: int,
    texts: Texts,
) -> list[int]:
    packed: list[int] = []
    for span in spans:
        begin, end = ms(span["from"]), ms(span["to"])
        if begin is None or end is None:
            continue
        reason, planned = said.get((*lane, begin), ("", False))
        packed += (begin - base, end - begin, texts.place(span["state"]))
        packed += (texts.place(reason), int(planned))
    return packed


def _gaps(
    cluster: str, vips: Iterable[Mapping[str, Any]], until: int, base: int
) -> list[dict[str, Any]]:
    found = []
    for vip in vips:
        packed: list[int] = []
        for gap in vip["gaps"]:
            begin, end = ms(gap["from"]), ms(gap["to"]) or until
            if begin is not None:
                packed += (begin - base, max(0, end - begin), int(gap["to"] is None))
        if packed:
            found.append({"cluster": cluster, "vip": vip["vip"], "spans": packed})
    return found
