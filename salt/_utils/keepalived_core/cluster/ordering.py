"""Each row once, after all rows before it; what is missing is asked for, or given up.  Pure."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from . import asking
from .hub_findings import Findings
from .rows import LOST, MISSING, Row, Stream

#: So much of what a node wrote before the hub first heard of its stream is fetched.
BACKFILL = 5_000
#: Rows that wait for earlier ones, of one stream; the rest is fetched when its turn comes.
MAX_HELD = 10_000
#: Streams of one node: a new one is born when a spool was lost, not every day.
MAX_STREAMS = 256
REFUSED = "not believed: it is not signed as it must be"


class Ordering(Findings):
    """All streams of all nodes.  The hub says what becomes of a row whose turn it is.

    streams
        What the store holds from before.
    """

    def __init__(self, streams: Iterable[Stream]) -> None:
        super().__init__()
        self.streams = {(each.minion, each.stream_id): each for each in streams}
        self._held: dict[tuple[str, str], dict[int, Row]] = {}
        self._asking = asking.Asking()

    def held(self) -> dict[tuple[str, str], int]:
        """How many rows wait for earlier ones, by stream."""
        return {key: len(found) for key, found in self._held.items() if found}

    # -- what the hub does --

    def _heard(self, row: Row) -> None:
        """A true row has come, whether it is its turn or not."""
        raise NotImplementedError

    def _let_through(self, stream: Stream, row: Row, now: float) -> None:
        """It is its turn."""
        raise NotImplementedError

    def _cluster(self, minion: str) -> str:
        raise NotImplementedError

    # -- is it its turn? --

    def _stream(
        self, minion: str, stream_id: str, seq: int, now: float, oldest: int = 1
    ) -> Stream | None:
        key = (minion, stream_id)
        stream = self.streams.get(key)
        if stream is None:
            others = sum(each.minion == minion for each in self.streams.values())
            if others >= MAX_STREAMS:
                return None
            first = max(1, oldest, seq - BACKFILL + 1)
            stream = Stream(
                minion, stream_id, first=first, high=first - 1, born_us=round(now * 1e6)
            )
            self.streams[key] = stream
            self._note(
                logging.INFO if not others else logging.WARNING,
                f"{minion} writes stream {stream_id}"
                + (": the one before it was lost" if others else ""),
            )
        self._batch.streams[key] = stream
        return stream

    def _offer(self, row: Row, now: float, asked: bool) -> None:
        key = (row.minion, row.stream_id)
        stream = self._stream(*key, row.seq, now)
        if stream is None:
            self.reject("more streams than a node can have", tag_of(row.data), now)
            return
        stream.contact_us = row.received_us
        stream.tail = max(stream.tail, row.seq)
        self._heard(row)
        if row.seq <= stream.high:
            if stream.remove_from_gap(row.seq):
                row.late = True
                self._let_through(stream, row, now)
            elif not asked:
                self._repeated(row)
            return
        held = self._held.setdefault(key, {})
        if row.seq != stream.high + 1:
            if row.seq in held:
                self._repeated(row)
            elif asked or len(held) < MAX_HELD:
                held[row.seq] = row
            self._asking.want(*key, now)
            self._asking.heard(*key, now)
            return
        held[row.seq] = row
        self._advance(stream, now)

    def _advance(self, stream: Stream, now: float) -> None:
        key = (stream.minion, stream.stream_id)
        held = self._held.get(key, {})
        while stream.high + 1 in held:
            stream.high += 1
            self._let_through(stream, held.pop(stream.high), now)
        if not held:
            self._held.pop(key, None)
        if asking.next_fetch(stream) is None:
            self._asking.satisfied(*key)
        else:
            self._asking.want(*key, now)

    def _skip(self, stream: Stream, last: int, why: str, now: float) -> None:
        """Let the rows up to ``last`` go, and those that waited for them through."""
        if last <= stream.high:
            return
        span = (stream.high + 1, last, why)
        stream.gaps.append(span)
        stream.high = last
        self._batch.streams[stream.minion, stream.stream_id] = stream
        self._count(why, last - span[0] + 1)
        self._batch.lost.append(
            {
                "cluster": self._cluster(stream.minion),
                "id": stream.minion,
                "stream_id": stream.stream_id,
                "first": span[0],
                "last": last,
                "why": why,
            }
        )
        self._note(
            logging.WARNING,
            f"rows {span[0]} to {last} of {stream.minion}, stream {stream.stream_id}: {why}",
        )
        self._advance(stream, now)

    # -- answers --

    def _no_answer(self, fetch: asking.Fetch, now: float) -> None:
        waited = self._asking.failed(fetch, now)
        if fetch.stream_id is None or waited < asking.HOLD:
            return
        stream = self.streams.get((fetch.minion, fetch.stream_id))
        held = self._held.get((fetch.minion, fetch.stream_id))
        if stream is not None and held:
            self._skip(stream, min(held) - 1, MISSING, now)

    def _judge_answer(
        self, fetch: asking.Fetch, seqs: Mapping[int, bool], proven: bool, now: float
    ) -> None:
        """What the node did not send of what it was asked for is not there any more."""
        assert fetch.stream_id is not None
        key = (fetch.minion, fetch.stream_id)
        stream = self.streams.get(key)
        if stream is None:
            self._asking.satisfied(*key)
            return
        wanted_to = min(max(seqs, default=stream.tail), fetch.after + fetch.limit)
        refused = [seq for seq, believed in seqs.items() if not believed]
        absent = not seqs or min(seqs) > fetch.after + 1 or len(seqs) < wanted_to - fetch.after
        if not self._asking.answered(fetch, now, sure=proven or not (absent or refused)):
            return
        if seqs:
            self._close(stream, fetch.after, max(seqs), frozenset(refused), now)
        elif fetch.after >= stream.high:
            held = self._held.get(key)
            end = min(held) - 1 if held else stream.tail
            self._close(stream, fetch.after, end, (), now)
        else:
            self._close(stream, fetch.after, fetch.after + fetch.limit, (), now)
        if asking.next_fetch(stream) is None:
            self._asking.satisfied(*key)

    def _close(
        self, stream: Stream, after: int, last: int, refused: Iterable[int], now: float
    ) -> None:
        """Rows after ``after`` to ``last`` that are still not there will not come."""
        refused = frozenset(refused)
        self._batch.streams[stream.minion, stream.stream_id] = stream
        for seq in refused:
            if stream.remove_from_gap(seq):
                stream.gaps.append((seq, seq, REFUSED))
        for first, end, why in [gap for gap in stream.gaps if gap[2] == MISSING]:
            if first <= last and end > after:
                stream.gaps.remove((first, end, why))
                parts = [(first, after, MISSING), (max(first, after + 1), min(end, last), LOST)]
                parts.append((max(first, last + 1), end, MISSING))
                stream.gaps += [part for part in parts if part[0] <= part[1]]
                self._count(LOST, min(end, last) - max(first, after + 1) + 1)
        key = (stream.minion, stream.stream_id)
        while stream.high < last:
            here = stream.high + 1
            held = self._held.get(key, {})
            until = min((seq for seq in (*held, *refused) if seq >= here), default=last + 1)
            if until > here:
                self._skip(stream, min(until - 1, last), LOST, now)
            elif here in refused:
                self._skip(stream, here, REFUSED, now)
            else:
                self._advance(stream, now)


def tag_of(data: Mapping[str, Any]) -> str:
    instance = quote(str(data.get("instance")), safe="")
    return f"salt/beacon/{data.get('id')}/keepalived/{instance}/{data.get('to')}"
