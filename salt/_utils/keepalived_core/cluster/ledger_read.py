"""Figures from the ledger for the metrics: read only, and without the lock of who decides there."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .deeds import Silence
from .ledger import SCHEMA_VERSION, LedgerError

#: Seconds: reactions are counted over the last of them; a route is judged by its last alert of so
#: long.
RECENT, DAY = 3600.0, 86_400.0
#: No more alerts of a day are looked at.
ALERTS = 1_000
_BUSY_SECONDS = 2.0


@dataclass(frozen=True)
class Figures:
    """What the ledger says now.

    silences
        Those in force.
    reactions
        ``{(kind, result): how many in the last hour}``.
    routes
        ``{route: (whether it took its last alert, when that was sent)}``, seconds since the epoch.
    """

    silences: tuple[Silence, ...] = ()
    reactions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    routes: Mapping[str, tuple[bool, float]] = field(default_factory=dict)


def figures(path: Path, now: float) -> Figures:
    """Read them; all empty where there is no ledger yet.  Raises LedgerError."""
    if not path.exists():
        return Figures()
    try:
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=_BUSY_SECONDS)) as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise LedgerError(f"{path} was written by a newer release (schema {version})")
            return Figures(
                _silences(connection, now) if version > 1 else (),
                _reactions(connection, now) if version else {},
                _routes(connection, now) if version else {},
            )
    except (sqlite3.Error, OSError) as error:
        raise LedgerError(f"{path}: {error}") from error


def _silences(connection: sqlite3.Connection, now: float) -> tuple[Silence, ...]:
    rows = connection.execute(
        "SELECT cluster, since, until, reason, who FROM silence WHERE until > ? ORDER BY until",
        (now,),
    )
    return tuple(Silence(*row) for row in rows)


def _reactions(connection: sqlite3.Connection, now: float) -> dict[tuple[str, str], int]:
    rows = connection.execute(
        "SELECT kind, what, count(*) FROM audit WHERE at > ? GROUP BY kind, what",
        (now - RECENT,),
    )
    return {(str(kind), str(what)): count for kind, what, count in rows}


def _routes(connection: sqlite3.Connection, now: float) -> dict[str, tuple[bool, float]]:
    rows = connection.execute(
        # what was not to be sent, or waits for every route, may be very many rows
        "SELECT at, data FROM audit WHERE at > ? AND kind = 'alert' "
        "AND what NOT IN ('skipped', 'waiting') ORDER BY id DESC LIMIT ?",
        (now - DAY, ALERTS),
    )
    found: dict[str, tuple[bool, float]] = {}
    for at, text in rows:
        for name, result in _results(text).items():
            # one that waits was not tried: the one before it counts
            if isinstance(result, str) and not result.startswith("waiting:"):
                found.setdefault(name, (result == "sent", at))
    return found


def _results(text: str) -> Mapping[str, Any]:
    data = json.loads(text)
    routes = data.get("routes") if isinstance(data, dict) else None
    return routes if isinstance(routes, dict) else {}
