"""Hold events back for the moment that keepalived needs to say why.

An event whose cause only keepalived knows waits for its DATA dump: five milliseconds as a rule, and
never longer than :data:`HOLD`.  What comes after it waits with it, so that the order stays.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import cause, dump, process, state_dump
from .paths import Paths

FILE_NAME = "keepalived.data"
#: The longest that an event waits, in seconds.
HOLD = 0.25
FIRST_WAIT, LONGEST_WAIT = 0.001, 0.01
#: Where no dump was to be had, none is asked for so long; nothing waits meanwhile.
USELESS = 60.0
#: Each dump stops keepalived for a moment and is logged by it.
APART = 0.1
#: 250 instances are about 0.4 MB.
MAX_BYTES = 8 << 20

Draft = dict[str, Any]

_ASK: dict[str, Callable[[state_dump.Account, str], str]] = {
    "fault": cause.of_fault,
    "backup": cause.of_backup,
    "priority": cause.of_priority,
}


@dataclass
class _Held:
    draft: Draft
    added_us: int
    question: str | None


class Evidence:
    """Events on their way from the tracker to the recorder.

    A draft's ``ask`` (``fault``, ``backup``, ``priority``; left out: nothing to ask) is taken out
    of it here, and ``reason`` filled in.
    """

    def __init__(self, paths: Paths, learned: Callable[[Draft], None] = lambda draft: None) -> None:
        """:param learned: called with each event to which a cause was found."""
        self._paths = paths
        self._learned = learned
        self._held: list[_Held] = []
        self._request: _Request | None = None
        self._lock = -1
        self._wait = FIRST_WAIT
        self._next = self._useless_until = 0.0
        self._late: Path | None = None

    @property
    def due(self) -> float | None:
        """When to :meth:`take` at the latest, in monotonic seconds; None: nothing waits."""
        if not self._held:
            return None
        now = time.monotonic()
        return now + (self._wait if self._request is not None else FIRST_WAIT)

    def take(self, drafts: Iterable[Draft], daemon: process.Daemon | None) -> list[Draft]:
        """Add what the tracker told; return what need not wait, or not any longer.

        :param daemon: whom to ask; None: nobody, then nothing waits.
        """
        now_us = time.monotonic_ns() // 1000
        for draft in drafts:
            self._held.append(_Held(draft, now_us, draft.pop("ask", None)))
        if any(held.question for held in self._held):
            self._ask(daemon)
        ready: list[Draft] = []
        while self._held:
            first = self._held[0]
            if first.question and now_us - first.added_us < HOLD * 1e6:
                break
            ready.append(self._held.pop(0).draft)
        if not self._held:
            self._end()
        return ready

    def _ask(self, daemon: process.Daemon | None) -> None:
        now = time.monotonic()
        if daemon is None or now < self._useless_until:
            self._give_up()
            return
        try:
            if self._request is None and now >= self._next:
                self._begin(daemon)
            elif self._request is None and self._next - now > HOLD:
                self._give_up()
            if self._request is not None:
                self._poll(self._request)
        except dump.DumpUnavailable:
            if self._request is not None or not isinstance(daemon, process.Daemon):
                self._useless_until = now + USELESS
            self._give_up()

    def _begin(self, daemon: process.Daemon) -> None:
        lock = dump.try_lock(self._paths)
        if lock is None:
            return
        self._lock = lock
        self._wait = FIRST_WAIT
        self._next = time.monotonic() + APART
        self._request = _Request(daemon)

    def _poll(self, request: _Request) -> None:
        account = request.poll()
        if account is None:
            self._wait = min(self._wait * 2, LONGEST_WAIT)
            return
        for held in self._held:
            # what was told later than it was asked, the answer may not know yet
            if held.question and held.added_us <= request.asked_us:
                self._explain(held, account)
        self._end()

    def _explain(self, held: _Held, account: state_dump.Account) -> None:
        assert held.question is not None
        found = _ASK[held.question](account, held.draft["instance"])
        if found != cause.UNKNOWN:
            before = held.draft["reason"]
            held.draft["reason"] = found if before == cause.UNKNOWN else f"{before}: {found}"
            self._learned(held.draft)
        held.question = None

    def _give_up(self) -> None:
        for held in self._held:
            held.question = None
        self._end()

    def tidy(self) -> None:
        """Remove an answer that came too late: it holds passwords.  Call it now and then."""
        if self._late is not None and self._request is None:
            with contextlib.suppress(OSError):
                self._late.unlink()
                self._late = None

    def _end(self) -> None:
        if self._request is not None and self._request.unread:
            self._late = self._request.path
        self._request = None
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


class _Request:
    """One DATA dump asked for and not yet read; of the VRRP process alone, which then writes no
    more than this one file."""

    def __init__(self, daemon: process.Daemon) -> None:
        number = process.signal_number("DATA")
        if number is None or daemon.vrrp is None:
            raise dump.DumpUnavailable("no process of keepalived to ask")
        if daemon.frozen() or not daemon.vrrp_handles(number):
            raise dump.NotReady(f"keepalived (pid {daemon.pid}) is stopped or still starting")
        self._daemon = daemon
        self.path = dump.location(daemon).with_name(FILE_NAME)
        self._before = dump.mark(self.path)
        #: Whether a file may come that is nobody else's.
        self.unread = self._before is None
        self.asked_us = time.monotonic_ns() // 1000
        dump.send(daemon, daemon.vrrp, number)

    def poll(self) -> state_dump.Account | None:
        """Return the answer when it is complete.  Raises :class:`dump.DumpUnavailable`."""
        now = dump.mark(self.path)
        if now is not None and now != self._before:
            with contextlib.suppress(OSError, ValueError):
                with self.path.open(encoding="utf-8", errors="replace") as file:
                    text = file.read(MAX_BYTES)
                account = state_dump.parse(text)
                if self.unread:
                    self.path.unlink()
                    self.unread = False
                return account
        if time.monotonic_ns() // 1000 - self.asked_us > HOLD * 1e6:
            raise dump.NoAnswer(f"keepalived (pid {self._daemon.pid}) wrote no {FILE_NAME}")
        return None
