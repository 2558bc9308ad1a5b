"""The hub at work: what it learns is stored, then told.  No Salt here, and no threads."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .. import signing
from . import asking, clock, event
from .hub import Hub, Known
from .hub_incidents import HubIncidents
from .incident_state import KINDS
from .rows import Batch, Row, Settled
from .store import Store, StoreError

SCHEMA = 1
#: No minion can have this id, so no minion can have this key.
HUB_ID = "//hub"
#: What cannot be stored (disk full) waits in memory, so many rows of it; then the hub begins anew
#: from what it has stored, and asks the nodes for the rest.
MAX_UNSAVED = 50_000
#: Seconds between two signs of life in the store, and between two looks at its bounds.
ALIVE, PRUNE = 5.0, 60.0
#: Entries of one event of ours: to fire one costs the master far more than an entry does.
ENTRIES = 200


class Overflow(Exception):
    """Too much could not be stored; the text says why."""


@dataclass
class Step:
    """What is to be done outside."""

    #: Events to fire: (tag, data).
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    #: Requests to nodes; each comes back through :meth:`Session.answer`.
    fetches: list[asking.Fetch] = field(default_factory=list)
    #: (logging level, text)
    notes: list[tuple[int, str]] = field(default_factory=list)


class Session:
    """One hub on one file.  Raises :class:`StoreError` when that cannot be opened."""

    def __init__(self, path: str | Path) -> None:
        self.store = Store.create(path)
        try:
            self.hub = Hub(self.store.streams(), self.store.settlers(), self.store.facts())
            self._incidents = HubIncidents(self.store.subjects())
            # what was stored but perhaps not told before a crash
            self._outbox = self.store.outbox()
            self._known = self.store.members()
        except BaseException:
            # the next try would find the file held by this one
            self.store.close()
            raise
        self._key = secrets.token_hex(32)
        self._signed = True
        self._unsaved: list[Batch] = []
        self._problem: str | None = None
        self._started = self._saved = self._pruned = 0.0
        self._members = 0
        #: Whether the file says which nodes there are.
        self._known_saved = True
        #: Up to which number of the outbox the caller has fired, and what the file says of that.
        self._told = self._noted = 0
        self._notes: list[tuple[int, str]] = []
        if self.store.replaced:
            self._notes.append(
                (
                    logging.ERROR,
                    f"{path} was damaged ({self.store.replaced}): moved to {path}.corrupt; the "
                    "nodes are asked for what they still have",
                )
            )

    def close(self) -> None:
        self.store.close()

    def configure(
        self, members: Mapping[str, Known], signed: bool, now: float, key: str | None = None
    ) -> None:
        """Take over which nodes there are; see :meth:`Hub.configure`.

        key
            The hub's own, with which it signs what it fires.
        """
        self._key, self._signed, self._members = key or self._key, signed, len(members)
        self._known = {
            minion: {
                "cluster": each.cluster,
                "names": sorted(each.adverts),
                "since": self._known.get(minion, {}).get("since", now),
            }
            for minion, each in members.items()
        }
        self._known_saved = False
        self.hub.configure(members, signed, now)
        self._incidents.configure(members, now)

    def take(self, tag: str, data: Any, now: float) -> None:
        """An event from the master's bus, as it came."""
        if tag.startswith("keepalived/"):
            self._check_derived(tag, data, now)
        else:
            self.hub.take(tag, data, now)

    def answer(self, fetch: asking.Fetch, said: object, now: float) -> None:
        """What a node said to a request."""
        self.hub.answer(fetch, said, now)

    def step(self, now: float) -> Step:
        """Store what came since the last call; returns what is to be told and asked.

        Raises :class:`Overflow`.
        """
        step = Step(notes=self._notes)
        self._notes = []
        self.hub.tick(now)
        batch = self.hub.drain(now)
        self._incidents.step(self.hub, batch, now)
        step.notes += batch.notes
        if batch:
            self._unsaved.append(batch)
        # what was fired is noted at once: a hub killed before that fires it again
        unnoted = self._told != self._noted
        if self._unsaved or self._outbox or unnoted or now - self._saved >= ALIVE:
            self._save(now, step)
        step.fetches = self.hub.fetches(now)
        return step

    def busy(self, now: float) -> bool:
        """Whether :meth:`step` should be called again within a second, although nothing comes."""
        unnoted = self._told != self._noted
        return bool(self._unsaved) or unnoted or self.hub.busy(now) or self._incidents.busy(now)

    # -- storing --

    def _status(self, now: float) -> dict[str, Any]:
        self._started = self._started or now
        return {
            "alive": now,
            "started": self._started,
            "pid": os.getpid(),
            "signed": self._signed,
            # an engine of a release before this one has no thread that does
            "works_alerts": True,
            "members": self._members,
            "held": sum(self.hub.held().values()),
            "asking": self.hub.asking_open,
            **({} if self._known_saved else {"known": self._known}),
        }

    def _save(self, now: float, step: Step) -> None:
        try:
            saved = self.store.save(
                self._unsaved, self._status(now), self.hub.advert, self._tell, self._told
            )
            if now - self._pruned >= PRUNE:
                self._pruned = now
                self.store.prune(now)
        except StoreError as error:
            if str(error) != self._problem:
                step.notes.append((logging.ERROR, f"events cannot be stored: {error}"))
            self._problem = str(error)
            if sum(len(batch.rows) for batch in self._unsaved) > MAX_UNSAVED:
                raise Overflow(str(error)) from error
            return
        if self._problem is not None:
            step.notes.append((logging.INFO, f"{self.store.path} takes events again"))
        batches, self._unsaved, self._problem, self._saved = self._unsaved, [], None, now
        self._known_saved = True
        for each in saved.resettled:
            self.hub.replace_settler(each.key, each.settler, now)
        outbox, self._outbox = saved.outbox, []
        self._noted = self._told
        # told as soon as the caller calls again
        self._told = max((number for number, _, _ in outbox), default=self._told)
        step.events += [(tag, self._sign(data)) for tag, data in _raw(batches)]
        step.events += [(tag, self._sign(data)) for tag, data in _together(outbox)]

    def _tell(self, settled: list[Settled]) -> list[tuple[str, dict[str, Any]]]:
        found = []
        for each in settled:
            kept = _kept(each.row) if each.row else self.store.row(each.minion, each.key)
            if kept is not None:
                found.append(_settled(kept, each.before, each.retracted))
        return found

    # -- what the hub itself fires --

    def _sign(self, data: dict[str, Any]) -> dict[str, Any]:
        return {**data, "signature": signing.sign(data, self._key)}

    def _check_derived(self, tag: str, data: Any, now: float) -> None:
        """Notice who fires in the hub's name what it never fired."""
        parts = tag.split("/")
        ours = len(parts) == 4 and (parts[2] == "event" or parts[2] in KINDS)
        if not ours or not self._signed:
            return
        culprit = None
        if isinstance(data, Mapping) and "cmd" in data and isinstance(data.get("data"), Mapping):
            culprit = data.get("id") if isinstance(data.get("id"), str) else None
            data = data["data"]
        if not isinstance(data, Mapping) or not is_genuine(data, (self._key,)):
            self.hub.reject("in the name of this hub, which did not fire it", tag, now, culprit)


def is_genuine(data: Mapping[str, Any], keys: tuple[str, ...]) -> bool:
    """Whether an event ``keepalived/<cluster>/event/…``, or about an incident, is the hub's.

    keys
        Those of :data:`HUB_ID`, made from the master's secrets.
    """
    bare = {key: value for key, value in data.items() if not str(key).startswith("_")}
    return signing.verify(bare, keys)


def _tag(cluster: str, kind: str) -> str:
    return f"keepalived/{quote(cluster, safe='')}/event/{kind}"


_FIELDS = (
    "type",
    "instance",
    "sync_group",
    "vrid",
    "family",
    "interface",
    "reason",
    "base_priority",
    "effective_priority",
    "vips",
    "vip_present",
    "source",
    "time",
    "planned",
    "stream_id",
    "seq",
)


def _settled(
    kept: Mapping[str, Any], before: str | None, retracted: bool
) -> tuple[str, dict[str, Any]]:
    hub = kept["hub"]
    data = {
        "id": hub["minion"],
        "cluster": hub["cluster"],
        **{name: kept.get(name) for name in _FIELDS},
        "from": before,
        "to": kept["to"],
        "received": clock.render(hub["received_us"] / 1e6),
        "late": hub["late"],
        "signed": hub["signed"],
    }
    if isinstance(data["reason"], str):
        data["reason"] = event.printable(data["reason"])
    return _tag(hub["cluster"], "retracted" if retracted else "settled"), data


def _kept(row: Row) -> dict[str, Any]:
    hub = {
        "minion": row.minion,
        "cluster": row.cluster,
        "received_us": row.received_us,
        "signed": row.signed,
        "late": row.late,
    }
    return {**row.data, "hub": hub}


def _raw(batches: list[Batch]) -> list[tuple[str, dict[str, Any]]]:
    by_cluster: dict[str, list[Row]] = {}
    for batch in batches:
        for row in batch.rows:
            by_cluster.setdefault(row.cluster, []).append(row)
    found: list[tuple[str, dict[str, Any]]] = []
    for cluster, rows in by_cluster.items():
        for start in range(0, len(rows), ENTRIES):
            part = [
                {"id": row.minion, **row.data, "late": row.late, "signed": row.signed}
                for row in rows[start : start + ENTRIES]
            ]
            found.append(
                (_tag(cluster, "raw"), {"schema": SCHEMA, "cluster": cluster, "events": part})
            )
    lost = [(_tag(str(each["cluster"]), "lost"), each) for batch in batches for each in batch.lost]
    return found + _together([(0, tag, each) for tag, each in lost])


def _together(
    entries: Sequence[tuple[int, str, dict[str, Any]]],
) -> list[tuple[str, dict[str, Any]]]:
    """Entries in their order, as few events as that allows."""
    found: list[tuple[str, dict[str, Any]]] = []
    for _, tag, entry in entries:
        if tag.split("/")[2] != "event":
            # an incident is told alone: whoever reacts to it needs no list
            found.append((tag, entry))
            continue
        if not found or found[-1][0] != tag or len(found[-1][1]["events"]) >= ENTRIES:
            found.append((tag, {"schema": SCHEMA, "cluster": entry["cluster"], "events": []}))
        found[-1][1]["events"].append(entry)
    return found
