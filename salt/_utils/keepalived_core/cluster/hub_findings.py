"""What the hub counts and says: each kind of rejected event is told once, then counted."""

from __future__ import annotations

import logging

from . import event
from .rows import Batch, Rejection, Row

#: Kinds of rejected events that are told apart.
MAX_KINDS = 1_000


class Findings:
    """Collects in ``_batch`` what is to be stored, and what is to be said."""

    def __init__(self) -> None:
        self._batch = Batch()
        self._told: set[tuple[str, str, str | None]] = set()

    def reject(self, reason: str, tag: object, now: float, culprit: str | None = None) -> None:
        """Count an event that is not true.

        culprit
            The minion that sent it, where the bus tells.
        """
        parts = tag.split("/") if isinstance(tag, str) else []
        of_node = parts[:2] == ["salt", "beacon"] and len(parts) > 3
        minion = parts[2] if of_node and event.MINION_ID.fullmatch(parts[2]) else "-"
        if culprit is not None and not event.MINION_ID.fullmatch(culprit):
            culprit = "-"
        self._count("rejected")
        key = (reason, minion, culprit)
        if key not in self._told and len(self._told) >= MAX_KINDS:
            key = ("of more kinds than can be told apart", "-", None)
        shown = event.quote_for_log(tag)
        if key not in self._told:
            self._told.add(key)
            sender = f"; it was sent as {culprit}" if culprit else ""
            self._note(
                logging.WARNING,
                f"an event in the name of {minion} is not believed: {reason}{sender}; "
                f"its tag: {shown} (more of this kind are only counted)",
            )
        now_us = round(now * 1e6)
        found = self._batch.rejected.get(key)
        if found is None:
            self._batch.rejected[key] = Rejection(*key, shown, now_us, now_us)
        else:
            found.count, found.last_us, found.tag = found.count + 1, now_us, shown

    def _repeated(self, row: Row) -> None:
        """Count a row that is known already: delivered twice, or replayed."""
        self._count("repeated")
        key = ("repeated", row.minion, None)
        if key not in self._told:
            self._told.add(key)
            self._note(
                logging.INFO,
                f"row {row.seq} of {row.minion} came again: a repetition, or a replay "
                "(more of these are only counted)",
            )

    def _count(self, what: str, number: int = 1) -> None:
        self._batch.counters[what] = self._batch.counters.get(what, 0) + number

    def _note(self, level: int, text: str) -> None:
        self._batch.notes.append((level, text))
