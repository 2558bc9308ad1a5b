"""Settles the transitions of all instances of all nodes as their rows come.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import settle
from .rows import Batch, Row, Settled

#: Added to the settle time: what the beacon sends comes once a second.
SLACK = 0.3
#: A row that was so long on its way comes from a backlog: its successor may be right behind it …
BACKLOG = 5.0
#: … and a heartbeat that says it is the last should come within this time.  Seconds, all three.
BACKLOG_WAIT = 15.0

Key = tuple[str, str, str]  # minion, type, instance


@dataclass
class _Wait:
    stream_id: str
    came: float
    due: float
    patience: float
    #: None after a restart: the store has it.
    row: Row | None = None


class Settling:
    """What is settled, and what may still be.

    advert
        ``advert(key)`` is the ``advert_int`` of an instance, seconds.
    """

    def __init__(
        self, saved: Mapping[Key, Mapping[str, Any]], advert: Callable[[Key], float]
    ) -> None:
        self._settlers = {key: settle.Settler(each) for key, each in saved.items()}
        self._advert = advert
        self._waits: dict[Key, _Wait] = {}
        self._changed: set[Key] = set()
        self._next = float("inf")

    def begin(self, now: float) -> None:
        """After a restart: what was pending then gets the time that the catch-up takes."""
        for key, settler in self._settlers.items():
            if settler.pending is not None and key not in self._waits:
                self._wait(key, settler.pending, now, late=True)

    def feed(self, row: Row, now: float, batch: Batch) -> None:
        """Take the next row of its instance."""
        key = (row.minion, row.type, row.instance)
        settler = self._settlers.setdefault(key, settle.Settler())
        mark = settle.Mark(row.key, row.to, row.came_from, row.time_us, row.monotonic_us)
        waited = self._waits.pop(key, None)
        for word in settler.feed(mark, self._advert(key)):
            _tell(key, word, row, waited.row if waited else None, batch)
        if settler.pending is not None:
            if settler.pending is mark:
                row.settled = settle.PENDING
                pending: Row | None = row
            else:
                pending = waited.row if waited else None
            late = row.received_us - row.time_us > BACKLOG * 1e6
            self._wait(key, settler.pending, now, late, pending)
        self._changed.add(key)

    def tick(
        self, now: float, complete: Callable[[str, str, float], bool | None], batch: Batch
    ) -> None:
        """Settle what has lasted.

        complete
            ``complete(minion, stream_id, since)`` is False while rows of that stream are known to
            be missing, True when a heartbeat since that time said there are none, None otherwise.
        """
        if now < self._next:
            return
        self._next = float("inf")
        for key, wait in list(self._waits.items()):
            if now < wait.due:
                self._next = min(self._next, wait.due)
                continue
            known = complete(key[0], wait.stream_id, wait.came)
            if known is False or (known is None and now < wait.patience):
                self._next = now
                continue
            del self._waits[key]
            word = self._settlers[key].elapsed()
            if word is not None:
                which = (key[0], *word.key)
                batch.words[which] = word.word
                batch.settled.append(Settled(key[0], word.key, word.before, row=wait.row))
                self._changed.add(key)

    @property
    def open(self) -> int:
        """How many transitions may still turn out to be flashes."""
        return len(self._waits)

    def replace(self, key: Key, settler: settle.Settler, now: float) -> None:
        """The rows of an instance were settled anew, all of them."""
        self._settlers[key] = settler
        self._waits.pop(key, None)
        if settler.pending is not None:
            self._wait(key, settler.pending, now, late=False)

    def take_changed(self) -> dict[Key, dict[str, Any]]:
        """The settlers that changed since the last call, as plain data."""
        changed, self._changed = self._changed, set()
        return {key: self._settlers[key].save() for key in changed}

    def _wait(
        self, key: Key, mark: settle.Mark, now: float, late: bool, row: Row | None = None
    ) -> None:
        wait = settle.settle_time(mark.to, self._advert(key)) + SLACK
        patience = max(wait, BACKLOG_WAIT) if late else wait
        self._next = min(self._next, now + wait)
        self._waits[key] = _Wait(mark.key[0], now, now + wait, now + patience, row)


def _tell(key: Key, word: settle.Word, row: Row, pending: Row | None, batch: Batch) -> None:
    """Note a word that followed from ``row``: about itself, or about the one pending before."""
    its: Row | None = row
    if row.key == word.key:
        row.settled = word.word
    else:
        its = pending if pending is not None and pending.key == word.key else None
        which = (key[0], *word.key)
        batch.words[which] = word.word
    if word.word == settle.YES or word.retracts:
        batch.settled.append(Settled(key[0], word.key, word.before, word.retracts, its))
