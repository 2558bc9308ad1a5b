"""Reading the timeline that the hub keeps on the master."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import clock, store_file
from .rows import Rejection, Stream
from .settle import Mark
from .store_file import StoreError

_ROW_COLUMNS = (
    "e.minion, s.stream_id, e.seq, e.cluster, e.order_us, e.received_us, e.signed, e.late, "
    "e.settled, e.row"
)


class Reader:
    """The open file.  Every method raises :class:`StoreError` when it cannot be used."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self._db = connection
        self.path = path

    @classmethod
    def open(cls, path: str | Path) -> Reader | None:
        """Open the file; None when there is none."""
        connection = store_file.open_to_read(Path(path))
        return None if connection is None else cls(connection, Path(path))

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._db.close()

    def streams(self) -> list[Stream]:
        """All streams, the oldest first."""
        with self._errors():
            found = self._db.execute(
                "SELECT minion, stream_id, first, high, tail, gaps, order_us, dropped, born_us, "
                "contact_us FROM streams ORDER BY number"
            ).fetchall()
        return [
            Stream(
                minion,
                stream_id,
                first,
                high,
                tail,
                [(a, b, str(why)) for a, b, why in json.loads(gaps)],
                *rest,
            )
            for minion, stream_id, first, high, tail, gaps, *rest in found
        ]

    def facts(self) -> dict[str, dict[str, Any]]:
        """``{minion: its latest facts}``."""
        with self._errors():
            found = self._db.execute("SELECT minion, data FROM facts").fetchall()
        return {minion: json.loads(data) for minion, data in found}

    def settlers(self) -> dict[tuple[str, str, str], dict[str, Any]]:
        """``{(minion, type, instance): a settler's plain data}``."""
        with self._errors():
            found = self._db.execute("SELECT minion, type, instance, data FROM settlers").fetchall()
        return {(minion, kind, name): json.loads(data) for minion, kind, name, data in found}

    def rejected(self) -> list[Rejection]:
        """What was not believed, the newest last."""
        with self._errors():
            found = self._db.execute(
                "SELECT reason, minion, culprit, tag, first_us, last_us, count FROM rejected "
                "ORDER BY last_us, reason"
            ).fetchall()
        return [
            Rejection(reason, minion, culprit or None, *rest)
            for reason, minion, culprit, *rest in found
        ]

    def counters(self) -> dict[str, int]:
        """What was counted since the file was made."""
        with self._errors():
            return dict(self._db.execute("SELECT name, count FROM counters").fetchall())

    def hub(self) -> dict[str, Any]:
        """What the hub says of itself.

        ``alive``: when it last wrote, epoch seconds; ``started``; ``signed``: whether it believes
        signed events only; ``members``: how many nodes; ``held``: how many rows wait for earlier
        ones; ``asking``: how many requests to nodes are open.
        """
        with self._errors():
            found = self._db.execute("SELECT name, value FROM hub WHERE name != 'known'").fetchall()
        return {name: json.loads(value) for name, value in found}

    def members(self) -> dict[str, dict[str, Any]]:
        """The nodes that the hub listens for, heard or not: ``{minion: {"cluster", "names": its
        instances and groups by its pillar, "since": from when on, epoch seconds}}``.

        Empty while the file is an older release's.
        """
        with self._errors():
            found = self._db.execute("SELECT value FROM hub WHERE name = 'known'").fetchone()
        return json.loads(found[0]) if found else {}

    def rows(
        self,
        minion: str,
        last: int = 20,
        since: float | None = None,
        settled: bool = False,
    ) -> list[dict[str, Any]]:
        """The newest rows of one node in the order of its own numbers.

        last
            How many at most.
        since
            Only from then on, seconds since the epoch.
        settled
            Only transitions that settled, with the events that are no state.

        Each is the row as the node wrote it and, under ``hub``, what the hub knows of it.
        """
        wanted, values = ["e.minion = ?"], [minion]
        if since is not None:
            wanted.append("e.order_us >= ?")
            values.append(int(since * 1e6))  # type: ignore[arg-type]
        if settled:
            wanted.append("(e.settled = 'yes' OR e.settled IS NULL)")
        with self._errors():
            found = self._db.execute(
                f"SELECT {_ROW_COLUMNS} FROM events e JOIN streams s ON s.number = e.stream "
                f"WHERE {' AND '.join(wanted)} "
                "ORDER BY e.order_us DESC, e.stream DESC, e.seq DESC LIMIT ?",
                (*values, last),
            ).fetchall()
        return [_public(each) for each in reversed(found)]

    def newest(self) -> int:
        """The number of the row that was stored last; 0 when there is none."""
        with self._errors():
            (number,) = self._db.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()
        return int(number)

    def rows_after(self, number: int, last: int = 1000) -> tuple[int, list[dict[str, Any]]]:
        """What was stored after row *number*, in that order, *last* at most: the number of the
        newest of them, and the rows as :meth:`rows` returns them."""
        with self._errors():
            found = self._db.execute(
                f"SELECT e.id, {_ROW_COLUMNS} FROM events e JOIN streams s ON s.number = e.stream "
                "WHERE e.id > ? ORDER BY e.id LIMIT ?",
                (number, last),
            ).fetchall()
        return (found[-1][0] if found else number), [_public(each[1:]) for each in found]

    def incidents_changed(self, since_us: int) -> list[tuple[int, dict[str, Any]]]:
        """``[(when it changed, incident)]`` of those that changed at *since_us* or later, in order;
        microseconds since the epoch."""
        with self._errors():
            found = self._db.execute(
                "SELECT changed_us, data FROM incidents WHERE changed_us >= ? "
                "ORDER BY changed_us, id",
                (since_us,),
            ).fetchall()
        return [(changed, json.loads(data)) for changed, data in found]

    def flashes(self, minion: str, since: float | None = None) -> list[dict[str, Any]]:
        """How often each instance of a node flashed: ``[{instance, to, count, last}]``."""
        with self._errors():
            found = self._db.execute(
                "SELECT instance, state, count(*), max(order_us) FROM events WHERE minion = ? "
                "AND settled = 'flash' AND order_us >= ? GROUP BY type, instance, state "
                "ORDER BY instance",
                (minion, int((since or 0) * 1e6)),
            ).fetchall()
        return [
            {"instance": instance, "to": to, "count": count, "last_us": last_us}
            for instance, to, count, last_us in found
        ]

    def history(self, key: tuple[str, str, str]) -> list[tuple[Mark, str | None]]:
        """All transitions of one instance of one node, in order, with their words."""
        with self._errors():
            found = self._db.execute(
                "SELECT s.stream_id, e.seq, e.settled, e.row FROM events e "
                "JOIN streams s ON s.number = e.stream "
                "WHERE e.minion = ? AND e.type = ? AND e.instance = ? AND e.state = upper(e.state) "
                "ORDER BY e.stream, e.seq",
                key,
            ).fetchall()
        return [
            (_mark(stream_id, seq, json.loads(text)), word) for stream_id, seq, word, text in found
        ]

    def row(self, minion: str, key: tuple[str, int]) -> dict[str, Any] | None:
        """One row, as :meth:`rows` returns them."""
        with self._errors():
            found = self._db.execute(
                f"SELECT {_ROW_COLUMNS} FROM events e JOIN streams s ON s.number = e.stream "
                "WHERE s.minion = ? AND s.stream_id = ? AND e.seq = ?",
                (minion, *key),
            ).fetchone()
        return None if found is None else _public(found)

    def size(self) -> dict[str, int]:
        """Rows and bytes of the file."""
        with self._errors():
            (rows,) = self._db.execute("SELECT count(*) FROM events").fetchone()
        size = 0
        for suffix in ("", "-wal"):
            with contextlib.suppress(OSError):
                size += os.stat(f"{self.path}{suffix}").st_size
        return {"rows": rows, "bytes": size}

    def outbox(self, after: int = 0) -> list[tuple[int, str, dict[str, Any]]]:
        """The events that nobody said were told: their number, tag and data."""
        with self._errors():
            found = self._db.execute(
                "SELECT id, tag, data FROM outbox WHERE id > ? ORDER BY id", (after,)
            ).fetchall()
        return [(number, tag, json.loads(data)) for number, tag, data in found]

    def subjects(self) -> dict[tuple[str, str], dict[str, Any]]:
        """``{(cluster, sync group or instance): what is known there}``, for the incidents."""
        with self._errors():
            found = self._db.execute("SELECT cluster, name, data FROM subjects").fetchall()
        return {(cluster, name): json.loads(data) for cluster, name, data in found}

    def incidents(
        self, cluster: str | None = None, last: int = 20, open_only: bool = False
    ) -> list[dict[str, Any]]:
        """The newest incidents, the oldest of them first; of one cluster, or of all.

        Each is as docs/incidents.md describes it, with ``rows`` and ``rows_left_out``.
        """
        with self._errors():
            found = self._db.execute(
                "SELECT data FROM incidents WHERE (? IS NULL OR cluster = ?) "
                "AND (state = 'open' OR NOT ?) ORDER BY opened DESC, id LIMIT ?",
                (cluster, cluster, open_only, last),
            ).fetchall()
        return [json.loads(data) for (data,) in reversed(found)]

    def incidents_named(self, name: str) -> list[dict[str, Any]]:
        """The one with this id, or those whose ids begin so: two of them at most."""
        with self._errors():
            found = self._db.execute(
                "SELECT data FROM incidents WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT 2",
                (len(name), name),
            ).fetchall()
        return [json.loads(data) for (data,) in found]

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise StoreError(f"{self.path}: {error}") from error


def _mark(stream_id: str, seq: int, data: Mapping[str, Any]) -> Mark:
    monotonic = data.get("monotonic_us")
    return Mark(
        (stream_id, seq),
        str(data["to"]),
        data.get("from"),
        round((clock.parse(data.get("time")) or 0.0) * 1e6),
        monotonic if isinstance(monotonic, int) else None,
    )


def _public(found: tuple[Any, ...]) -> dict[str, Any]:
    minion, _, _, cluster, order_us, received_us, signed, late, settled, text = found
    data: dict[str, Any] = json.loads(text)
    data["hub"] = {
        "minion": minion,
        "cluster": cluster,
        "order_us": order_us,
        "received_us": received_us,
        "signed": bool(signed),
        "late": bool(late),
        "settled": settled,
    }
    return data
