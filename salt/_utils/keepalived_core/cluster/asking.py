"""When to ask a node for rows that did not come.  Pure: times are given, requests are data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .rows import MISSING, Stream

#: Rows asked for at once; fewer after a failure, for what Salt returns in one piece is limited.
LIMIT = 500
#: A row that comes a moment after its successor needs no job, seconds.
PATIENCE = 0.5
#: Between two tries that fail, seconds: doubled each time, up to the second.
RETRY, RETRY_MAX = 2.0, 120.0
#: For so long rows wait for those before them that the node is asked for in vain, seconds.
HOLD = 60.0
#: A member that has said nothing for so long is asked what its newest row is, seconds.
SILENCE = 120.0
#: An empty answer must come so often: the return of a job could be somebody else's.
CONFIRM = 2


@dataclass(frozen=True)
class Fetch:
    """A request to one node.

    With a ``stream_id``: the rows of that stream above ``after``, at most ``limit`` of them.
    Without: its newest row.
    """

    minion: str
    stream_id: str | None = None
    after: int = 0
    limit: int = 1


@dataclass
class _Ask:
    due: float
    since: float
    tries: int = 0
    doubts: int = 0
    under_way: bool = False


class Asking:
    """Which requests are due, and how the last ones went."""

    def __init__(self) -> None:
        self._asks: dict[tuple[str, str | None], _Ask] = {}

    def want(self, minion: str, stream_id: str | None, now: float, delay: float = PATIENCE) -> None:
        """Something is missing there; ask for it after ``delay`` unless it comes by itself."""
        ask = self._asks.setdefault((minion, stream_id), _Ask(now + delay, now))
        # one that fails keeps to its pauses
        if not ask.under_way and not ask.tries:
            ask.due = min(ask.due, now + delay)

    def heard(self, minion: str, stream_id: str, now: float) -> None:
        """The node was heard of: one that did not answer may do so now."""
        ask = self._asks.get((minion, stream_id))
        if ask is not None and ask.tries and not ask.under_way:
            ask.due = min(ask.due, now + RETRY)

    def satisfied(self, minion: str, stream_id: str | None) -> None:
        self._asks.pop((minion, stream_id), None)

    @property
    def open(self) -> int:
        """How many requests are to be made, or under way."""
        return len(self._asks)

    def soon(self, now: float) -> bool:
        """Whether one is under way, or to be made within a second."""
        return any(ask.under_way or ask.due < now + 1.0 for ask in self._asks.values())

    def waits(self, minion: str, stream_id: str | None) -> bool:
        """Whether a request for it is to be made, or under way."""
        return (minion, stream_id) in self._asks

    def due(self, streams: Iterable[Stream], now: float) -> list[Fetch]:
        """The requests to make now; each counts as under way until :meth:`failed` or
        :meth:`answered`."""
        known = {(stream.minion, stream.stream_id): stream for stream in streams}
        found: list[Fetch] = []
        for (minion, stream_id), ask in list(self._asks.items()):
            if ask.under_way or ask.due > now:
                continue
            fetch: Fetch | None = Fetch(minion)
            if stream_id is not None:
                stream = known.get((minion, stream_id))
                limit = max(1, LIMIT >> 2 * ask.tries)
                fetch = next_fetch(stream, limit) if stream is not None else None
            if fetch is None:
                del self._asks[minion, stream_id]
                continue
            ask.under_way = True
            found.append(fetch)
        return found

    def failed(self, fetch: Fetch, now: float) -> float:
        """Nothing was answered; returns for how long (seconds) that has been so."""
        ask = self._asks.get((fetch.minion, fetch.stream_id))
        if ask is None:
            return 0.0
        ask.under_way = False
        ask.due = now + min(RETRY_MAX, RETRY * 2**ask.tries)
        ask.tries = min(ask.tries + 1, 20)
        return now - ask.since

    def answered(self, fetch: Fetch, now: float, sure: bool) -> bool:
        """Something was answered.

        sure
            Whether the answer needs no second one to be believed.

        Returns whether to believe it; when not, the node is asked once more.
        """
        ask = self._asks.get((fetch.minion, fetch.stream_id))
        if ask is None:
            return sure
        ask.under_way, ask.tries = False, 0
        ask.doubts = 0 if sure else ask.doubts + 1
        if sure or ask.doubts >= CONFIRM:
            ask.doubts, ask.since, ask.due = 0, now, now
            return True
        ask.due = now + RETRY
        return False


def next_fetch(stream: Stream, limit: int = LIMIT) -> Fetch | None:
    """What to ask first of a stream that lacks rows; None when it lacks none."""
    if stream.tail > stream.high:
        return Fetch(stream.minion, stream.stream_id, stream.high, limit)
    for first, last, why in stream.gaps:
        if why == MISSING:
            return Fetch(stream.minion, stream.stream_id, first - 1, min(limit, last - first + 1))
    return None
