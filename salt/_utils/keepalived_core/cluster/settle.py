"""Which transitions stay, and which are only flashes.  Pure.

When a master fails, every backup of the same priority becomes MASTER for a moment, and many an
instance flashes on a third node.  Such a state was true, so the raw row says it; but nobody needs
to act on it.  A transition is *settled* when its state lasted for the settle time of that state.

The word for each row of one node's instance depends on nothing but the rows of that instance in
their order (and, for the last of them, on how long ago it came), so whoever has the same rows
comes to the same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .saved import known

#: keepalived's own default of ``advert_int``, seconds.
ADVERT_INT = 1.0

#: The state stayed: this is the transition to act on.
YES = "yes"
#: The state did not stay.
FLASH = "flash"
#: Back from a flash to the state before it: no transition, either.
BACK = "back"
#: The state was told again (after a restart of the watch, a reload).
SAME = "same"
#: It is too early to say.
PENDING = "pending"


@dataclass(frozen=True)
class Mark:
    """What matters of one row.  Times are the node's, in microseconds."""

    key: tuple[str, int]  # stream_id, seq
    to: str
    came_from: str | None
    time_us: int
    monotonic_us: int | None

    def until(self, later: Mark) -> float:
        """Seconds from this row to a later one of the same node.

        The monotonic clock knows best, for the other may be set in between; it began anew where
        the later row's is smaller, or the stream another.
        """
        if (
            self.monotonic_us is not None
            and later.monotonic_us is not None
            and self.key[0] == later.key[0]
            and later.monotonic_us >= self.monotonic_us
        ):
            return (later.monotonic_us - self.monotonic_us) / 1e6
        return (later.time_us - self.time_us) / 1e6


@dataclass(frozen=True)
class Word:
    """What is now known about a row: its key, the word, and the settled state before it."""

    key: tuple[str, int]
    word: str
    before: str | None = None
    #: It was said to have settled, because time went by, before a late row showed otherwise.
    retracts: bool = False


def settle_time(to: str, advert_int: float) -> float:
    """For how long (seconds) a state must last to count.

    To lose the address, or the ability to hold it, counts at once; to gain it only when no other
    node takes it back within an advert.
    """
    return advert_int if to == "MASTER" else 0.0


class Settler:
    """One instance (or group) of one node."""

    def __init__(self, saved: Mapping[str, Any] | None = None) -> None:
        """Begin anew, or from what :meth:`save` returned."""
        self.state: str | None = None
        self.pending: Mark | None = None
        # The transition last settled because time went by, and the state before it: a row that
        # was late may still show that it was a flash.
        self._told: Mark | None = None
        self._before: str | None = None
        if saved:
            self.state, self._before = saved["state"], saved["before"]
            self.pending, self._told = _mark(saved["pending"]), _mark(saved["told"])

    def save(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "state": self.state,
            "before": self._before,
            "pending": self.pending and vars(self.pending),
            "told": self._told and vars(self._told),
        }

    def feed(self, mark: Mark, advert_int: float = ADVERT_INT) -> list[Word]:
        """Take the next row, return the words that are known now, in the order of their rows.

        A word of a row that had one already (``yes``) replaces it.
        """
        words: list[Word] = []
        flashed = False
        pending, told, before = self.pending, self._told, self._before
        self._told = self._before = None
        if pending is not None and mark.to == pending.to and mark.came_from in (None, mark.to):
            # told again before it could settle: the first of them counts
            return [Word(mark.key, SAME, self.state)]
        if pending is not None:
            self.pending = None
            if pending.until(mark) < settle_time(pending.to, advert_int):
                words.append(Word(pending.key, FLASH, self.state))
                flashed = True
            else:
                words.append(Word(pending.key, YES, self.state))
                self.state = pending.to
        elif told is not None and told.until(mark) < settle_time(told.to, advert_int):
            if mark.to == told.to and mark.came_from in (None, mark.to):
                self._told, self._before = told, before
                return [Word(mark.key, SAME, self.state)]
            words.append(Word(told.key, FLASH, before, retracts=True))
            self.state = before
            flashed = True
        if mark.to == self.state and (flashed or mark.came_from in (None, mark.to)):
            words.append(Word(mark.key, BACK if flashed else SAME, self.state))
        elif settle_time(mark.to, advert_int) > 0:
            self.pending = mark
        else:
            words.append(Word(mark.key, YES, self.state))
            self.state = mark.to
        return words

    def elapsed(self) -> Word | None:
        """The pending state has lasted: that word, if there was one pending."""
        if self.pending is None:
            return None
        word = Word(self.pending.key, YES, self.state)
        self._told, self._before = self.pending, self.state
        self.state, self.pending = self.pending.to, None
        return word


def judge(marks: Iterable[Mark], advert_int: float = ADVERT_INT) -> tuple[list[Word], Settler]:
    """The words of all rows of one instance, in order, and the settler after them."""
    settler = Settler()
    words: dict[tuple[str, int], Word] = {}
    for mark in marks:
        for word in settler.feed(mark, advert_int):
            words[word.key] = word
    return list(words.values()), settler


def advert_ints(pillar: Mapping[str, object], node: str) -> dict[str, float]:
    """The ``advert_int`` of each instance and sync group of a node, in seconds, from its pillar.

    A group's is the largest of its members'.  What cannot be read is keepalived's default.
    """
    own = pillar.get("keepalived")
    if not isinstance(own, Mapping):
        return {}
    nodes = own.get("nodes")
    entry = nodes.get(node) if isinstance(nodes, Mapping) else None
    overlay = entry.get("config") if isinstance(entry, Mapping) else None
    found: dict[str, float] = {}
    groups: dict[str, list[str]] = {}
    for config in (own.get("config"), overlay):
        if not isinstance(config, Mapping):
            continue
        for name, body in _items(config.get("vrrp_instance")):
            value = _seconds(body.get("advert_int"))
            found[name] = value or found.get(name, ADVERT_INT)
        for name, body in _items(config.get("vrrp_sync_group")):
            listed = body.get("group")
            if isinstance(listed, (list, tuple)):
                groups[name] = [str(each) for each in listed]
    of_groups = {
        name: max((found.get(each, ADVERT_INT) for each in listed), default=ADVERT_INT)
        for name, listed in groups.items()
    }
    return {**of_groups, **found}


def _items(section: object) -> Iterable[tuple[str, Mapping[str, object]]]:
    if not isinstance(section, Mapping):
        return ()
    return ((str(name), body) for name, body in section.items() if isinstance(body, Mapping))


def _seconds(value: object) -> float | None:
    try:
        seconds = float(str(value))
    except ValueError:
        return None
    # RFC 5798 allows 40.95 s, keepalived 255
    return seconds if 0 < seconds <= 255 else None


def _mark(saved: Mapping[str, Any] | None) -> Mark | None:
    if saved is None:
        return None
    mark = Mark(**known(Mark, saved))
    return replace(mark, key=(str(mark.key[0]), int(mark.key[1])))
