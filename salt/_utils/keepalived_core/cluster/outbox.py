"""Alerts that wait for their routes, and what each route was told: a part of the ledger's file.

A route has a queue of its own, and one sender at a time: whoever holds its lease.  A message leaves
the file when the receiver has taken it, so that one who dies in between leaves it to the next.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import ledger as ledgers
from .alert import Alert
from .alert_message import Failure, Kept, dump, load

# Seconds.
#: A sender that has not said a word for so long is dead: longer than any one message takes.
LEASE = 60.0
#: The first pause after a failure; each is twice the one before, to the longest.
PAUSE, PAUSE_MAX = 10.0, 300.0
#: A message that could not be sent for so long is given up.
GIVE_UP = 3600.0
#: The most messages taken at a time.
TAKE = 100

#: In the place of when an incident was resolved: it is not, and its route has taken nothing of it.
_UNHEARD = -1.0


@dataclass(frozen=True)
class Health:
    """How a route is.  Times are seconds since the epoch, None where it never happened.

    failures
        In a row, since the last message that was taken.
    why
        Of the last failure.
    """

    failures: int = 0
    failing_since: float | None = None
    why: str | None = None
    next_try: float | None = None
    last_sent: float | None = None
    last_failed: float | None = None
    sent: int = 0
    given_up: int = 0
    last_given_up: float | None = None
    waiting: int = 0
    oldest: float | None = None


@dataclass(frozen=True)
class Busy:
    """Why nothing can be taken for a route now."""

    reason: str


class Outbox:
    """Raises LedgerError from every method when the file cannot be used."""

    def __init__(self, ledger: ledgers.Ledger) -> None:
        self._ledger = ledger
        self._me = secrets.token_hex(8)

    def enter(
        self,
        alert: Alert,
        routes: Mapping[str, float],
        about: Mapping[str, Any],
        now: float,
        claim: ledgers.Claim | None = None,
    ) -> dict[str, int] | None:
        """Keep an alert until its routes have it.

        routes
            ``{name: seconds it may wait for others of its cluster}``.  What is ``resolved`` goes to
            those of them alone that were told that it opened.
        claim
            What may be told once.

        Returns ``{route: the message's number}``, None when it was claimed before.
        """
        with self._ledger.transaction() as connection:
            if claim is not None and not ledgers.claim(connection, claim, now):
                return None
            if alert.word == "resolved":
                told = _told(connection, alert.incident)
                routes = {name: wait for name, wait in routes.items() if name in told}
                connection.execute(
                    "UPDATE told SET resolved = ? WHERE incident = ?", (now, alert.incident)
                )
            found = {}
            for name, wait in routes.items():
                cursor = connection.execute(
                    "INSERT INTO message (route, cluster, entered, due, alert, about) "
                    "VALUES (?, ?, ?, ?, ?, ?)",
                    (
                        name,
                        alert.cluster,
                        now,
                        _due(connection, name, alert.cluster, now, wait),
                        dump(alert),
                        json.dumps(about, sort_keys=True),
                    ),
                )
                found[name] = int(cursor.lastrowid or 0)
                if alert.word == "opened":
                    connection.execute(
                        "INSERT OR REPLACE INTO told VALUES (?, ?, ?, NULL)",
                        (name, alert.incident, now),
                    )
                elif alert.word == "reminder":
                    connection.execute(
                        "UPDATE told SET last = ? WHERE route = ? AND incident = ?",
                        (now, name, alert.incident),
                    )
            return found

    def take(self, route: str, now: float, patient: bool = False) -> list[Kept] | Busy:
        """Become the sender of a route, and take what is due; nothing due: nobody's sender.

        patient
            Leave a route that was dead a moment ago to somebody else.
        """
        with self._ledger.transaction() as connection:
            row = connection.execute(
                "SELECT holder, lease, next_try, why FROM route WHERE name = ?", (route,)
            ).fetchone()
            holder, lease, next_try, why = row or (None, None, None, None)
            # A lease that ends later than one can was given before the clock was set back.
            leased = lease is not None and now < lease <= now + LEASE
            if leased and holder != self._me:
                return Busy("another alert is on its way there")
            if next_try is not None and (patient or now < next_try <= now + PAUSE_MAX):
                wait = max(1, round(next_try - now))
                return Busy(f"{why}; the next try is in {wait} s")
            due = _take(connection, route, now)
            connection.execute("INSERT OR IGNORE INTO route (name) VALUES (?)", (route,))
            connection.execute(
                "UPDATE route SET holder = ?, lease = ? WHERE name = ?",
                (self._me, now + LEASE, route) if due else (None, None, route),
            )
            return due

    def sent(self, route: str, kept: Iterable[Kept], now: float) -> None:
        """The receiver has taken a message."""
        kept = list(kept)
        with self._ledger.transaction() as connection:
            numbers = [(each.number,) for each in kept]
            connection.executemany("DELETE FROM message WHERE id = ?", numbers)
            connection.executemany(
                "UPDATE told SET resolved = NULL WHERE route = ? AND incident = ? AND resolved = ?",
                [
                    (route, each.alert.incident, _UNHEARD)
                    for each in kept
                    if each.alert.word == "reminder"
                ],
            )
            _well(connection, route, now, len(numbers))
            self._renew(connection, route, now)

    def failed(self, route: str, kept: Sequence[Kept], failure: Failure, now: float) -> list[Kept]:
        """The receiver has not taken a message; returns the alerts that are given up.

        One that answers and refuses is asked again for this message later, and for the next one
        now; one that cannot be reached is left alone for a while, and all that waits too long for
        it is given up: :meth:`give_up_old` has what this one has not.
        """
        with self._ledger.transaction() as connection:
            failures = _ill(connection, route, failure, now)
            if not failure.refused:
                pause = _pause(failures)
                connection.execute(
                    "UPDATE route SET next_try = ? WHERE name = ?", (now + pause, route)
                )
            # not after a single try: the clock may have been set forward
            if failure.refused:
                over = [each for each in kept if now - each.entered >= GIVE_UP and each.tries]
            else:
                over = _old(connection, route, now) if failures > 1 else []
            _give_up(connection, route, over, now)
            for each in kept:
                # of one that cannot be reached all wait for the route, in their order
                pause = _pause(each.tries + 1) if failure.refused else 0.0
                connection.execute(
                    "UPDATE message SET tries = tries + 1, due = ?, entered = min(entered, ?) "
                    "WHERE id = ?",
                    # else one of before the clock was set back would be due whatever stands there
                    (now + pause, now, each.number),
                )
            self._renew(connection, route, now)
            return over

    def give_up_old(self, route: str, now: float) -> list[Kept]:
        """Give up what waits too long for a route that cannot be reached, so many at a time."""
        with self._ledger.transaction() as connection:
            over = _old(connection, route, now)
            _give_up(connection, route, over, now)
            self._renew(connection, route, now)
            return over

    def release(self, route: str) -> None:
        """Be its sender no more."""
        with self._ledger.transaction() as connection:
            connection.execute(
                "UPDATE route SET holder = NULL, lease = NULL WHERE name = ? AND holder = ?",
                (route, self._me),
            )

    def tried(self, route: str, failure: Failure | None, now: float) -> None:
        """Something was sent past the queue, as a test."""
        with self._ledger.transaction() as connection:
            connection.execute("INSERT OR IGNORE INTO route (name) VALUES (?)", (route,))
            if failure is None:
                _well(connection, route, now, 0)
            else:
                _ill(connection, route, failure, now)

    def due(self, now: float) -> tuple[set[str], float | None]:
        """Which routes have something to send now, and when the next has; None: never."""
        with self._ledger.transaction() as connection:
            # What is further away than it can be was written before the clock was set back.
            rows = connection.execute(
                "SELECT message.route, max("
                "min(CASE WHEN entered > ? THEN 0 ELSE due END), "
                "CASE WHEN next_try <= ? THEN next_try ELSE 0 END) "
                "FROM message LEFT JOIN route ON route.name = message.route "
                "GROUP BY message.route",
                (now, now + PAUSE_MAX),
            ).fetchall()
        ready = {name for name, when in rows if when <= now}
        later = [when for name, when in rows if name not in ready]
        return ready, min(later, default=None)

    def give_up_strangers(self, known: Iterable[str], now: float) -> list[tuple[str, Kept]]:
        """Give up what waits for routes that are no more, when it is old enough."""
        known = set(known)
        with self._ledger.transaction() as connection:
            names = {name for (name,) in connection.execute("SELECT DISTINCT route FROM message")}
            found = []
            for name in sorted(names - known):
                over = [
                    each
                    for each in _kept(connection, "route = ?", (name,))
                    if now - each.entered >= GIVE_UP
                ]
                _give_up(connection, name, over, now)
                found += [(name, each) for each in over]
            return found

    def to_remind(self, route: str, before: float, now: float) -> list[str]:
        """The incidents that a route was last told of before a time, that are not resolved, and of
        which nothing waits for it."""
        with self._ledger.transaction() as connection:
            rows = connection.execute(
                "SELECT incident FROM told WHERE route = ? AND (resolved IS NULL OR resolved = ?) "
                # what was told in the future was told before the clock was set back
                "AND (last <= ? OR last > ?) ORDER BY last",
                (route, _UNHEARD, before, now),
            ).fetchall()
            waiting = _incidents(connection, route)
        return [incident for (incident,) in rows if incident not in waiting]

    def reminded(self, route: str, incident: str, now: float) -> None:
        """It is not the time to remind of it: look again after as long."""
        with self._ledger.transaction() as connection:
            connection.execute(
                "UPDATE told SET last = ? WHERE route = ? AND incident = ?", (now, route, incident)
            )

    def forget(self, incident: str, now: float) -> None:
        """Nobody knows of this incident any more: remind nobody."""
        with self._ledger.transaction() as connection:
            connection.execute("UPDATE told SET resolved = ? WHERE incident = ?", (now, incident))

    def health(self) -> dict[str, Health]:
        """How each route is of which something is known."""
        if not self._ledger.path.exists():
            return {}
        with self._ledger.transaction() as connection:
            rows = connection.execute(
                "SELECT name, failures, failing_since, why, next_try, last_sent, last_failed, "
                "sent, given_up, last_given_up FROM route"
            ).fetchall()
            waiting = {
                name: (count, oldest)
                for name, count, oldest in connection.execute(
                    "SELECT route, count(*), min(entered) FROM message GROUP BY route"
                )
            }
        known = {name: rest for name, *rest in rows}
        return {
            name: Health(*known.get(name, ()), **_waiting(waiting.get(name)))
            for name in sorted({*known, *waiting})
        }

    def _renew(self, connection: sqlite3.Connection, route: str, now: float) -> None:
        connection.execute(
            "UPDATE route SET lease = ? WHERE name = ? AND holder = ?",
            (now + LEASE, route, self._me),
        )


def _waiting(found: tuple[int, float] | None) -> dict[str, Any]:
    return {} if found is None else {"waiting": found[0], "oldest": found[1]}


def _told(connection: sqlite3.Connection, incident: str) -> set[str]:
    """The routes that have heard of an incident that is open, or will before anything else."""
    rows = connection.execute(
        "SELECT route, resolved FROM told "
        "WHERE incident = ? AND (resolved IS NULL OR resolved = ?)",
        (incident, _UNHEARD),
    ).fetchall()
    return {
        name
        for name, resolved in rows
        if resolved is None or incident in _incidents(connection, name)
    }


def _incidents(connection: sqlite3.Connection, route: str) -> set[str]:
    """Of which something waits for a route."""
    rows = connection.execute("SELECT alert FROM message WHERE route = ?", (route,))
    return {load(alert).incident for (alert,) in rows}


def _due(
    connection: sqlite3.Connection, route: str, cluster: str, now: float, wait: float
) -> float:
    """With the first of this cluster that waits already, or after the whole time."""
    if not wait:
        return now
    (first,) = connection.execute(
        "SELECT min(due) FROM message "
        "WHERE route = ? AND cluster = ? AND tries = 0 AND due > ? AND due <= ?",
        (route, cluster, now, now + wait),
    ).fetchone()
    return now + wait if first is None else float(first)


def _kept(connection: sqlite3.Connection, where: str, values: tuple[Any, ...]) -> list[Kept]:
    rows = connection.execute(
        "SELECT id, alert, about, entered, tries FROM message "
        f"WHERE {where} ORDER BY id LIMIT {TAKE}",
        values,
    )
    return [
        Kept(number, load(alert), json.loads(about), at, tries)
        for number, alert, about, at, tries in rows
    ]


def _take(connection: sqlite3.Connection, route: str, now: float) -> list[Kept]:
    # One that was entered in the future was entered before the clock was set back.
    return _kept(connection, "route = ? AND (due <= ? OR entered > ?)", (route, now, now))


def _old(connection: sqlite3.Connection, route: str, now: float) -> list[Kept]:
    return _kept(connection, "route = ? AND entered <= ?", (route, now - GIVE_UP))


def _pause(failures: int) -> float:
    return min(PAUSE_MAX, PAUSE * 2.0 ** min(failures - 1, 10))


def _well(connection: sqlite3.Connection, route: str, now: float, count: int) -> None:
    connection.execute(
        "UPDATE route SET failures = 0, failing_since = NULL, why = NULL, next_try = NULL, "
        "last_sent = ?, sent = sent + ? WHERE name = ?",
        (now, count, route),
    )


def _ill(connection: sqlite3.Connection, route: str, failure: Failure, now: float) -> int:
    connection.execute(
        "UPDATE route SET failures = failures + 1, why = ?, last_failed = ?, "
        "failing_since = coalesce(failing_since, ?) WHERE name = ?",
        (failure.reason, now, now, route),
    )
    (failures,) = connection.execute(
        "SELECT failures FROM route WHERE name = ?", (route,)
    ).fetchone()
    return int(failures)


def _give_up(connection: sqlite3.Connection, route: str, over: Sequence[Kept], now: float) -> None:
    if not over:
        return
    connection.execute("INSERT OR IGNORE INTO route (name) VALUES (?)", (route,))
    for each in over:
        connection.execute("DELETE FROM message WHERE id = ?", (each.number,))
        if each.alert.word == "opened":
            # who was not told that it opened need not hear that it is over, but that it still is
            connection.execute(
                "UPDATE told SET resolved = ? "
                "WHERE route = ? AND incident = ? AND resolved IS NULL",
                (_UNHEARD, route, each.alert.incident),
            )
    connection.execute(
        "UPDATE route SET given_up = given_up + ?, last_given_up = ? WHERE name = ?",
        (len(over), now, route),
    )
