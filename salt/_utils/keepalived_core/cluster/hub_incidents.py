"""Incidents at the hub: its rows and heartbeats in, what is to be stored and fired out.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from . import event
from .hub import Hub, Known
from .incident import Incidents, Member, Place
from .incident_mark import Mark
from .rows import Batch, Row

#: A row from a later time than this happened when the master had it, for its node's clock is wrong.
AHEAD_US = 1_000_000


class HubIncidents:
    """The incidents of all clusters of one hub.

    saved
        ``{(cluster, sync group or instance): what was stored of it}``.
    """

    def __init__(self, saved: Mapping[Place, Mapping[str, Any]] | None = None) -> None:
        self._incidents = Incidents(saved)

    def configure(self, members: Mapping[str, Known], now: float) -> None:
        """Take over which nodes there are."""
        found = {node: Member(each.cluster, each.adverts) for node, each in members.items()}
        self._incidents.configure(found, now)

    def step(self, hub: Hub, batch: Batch, now: float) -> None:
        """Take what the hub learned, and put into the batch what follows from it."""
        for row in batch.rows:
            if row.type == "instance":
                self._incidents.take(row.cluster, mark_of(row))
        beats, batch.beats = batch.beats, set()
        for node in sorted(beats):
            facts = hub.facts.get(node)
            if facts is not None:
                states = {
                    name: (str(each["state"]), each["since_us"])
                    for name, each in facts.states.items()
                }
                self._incidents.beat(facts.cluster, node, states, now, facts.boot_id or None)
        batch.told += [
            (tag_of(public, what, kind), public)
            for what, kind, public in self._incidents.advance(now)
        ]
        batch.incidents += [
            {**each.public(), "rows": list(each.rows), "rows_left_out": each.rows_left_out}
            for each in self._incidents.take_cases()
        ]
        batch.subjects = self._incidents.take_changed(now)
        for node in self._incidents.doubts():
            hub.look_at(node, now)

    def busy(self, now: float) -> bool:
        """Whether something may happen within the next second, although nothing comes."""
        return self._incidents.busy(now)


def tag_of(incident: Mapping[str, Any], what: str, kind: str) -> str:
    """The tag under which the hub fires: ``keepalived/<cluster>/<kind>/<what>``."""
    return f"keepalived/{quote(str(incident['cluster']), safe='')}/{kind}/{what}"


def mark_of(row: Row) -> Mark:
    """What matters of a row, which was checked when it came."""
    data = row.data
    reason = data.get("reason")
    vips = data.get("vips")
    boot = data.get("boot_id")
    return Mark(
        node=row.minion,
        instance=row.instance,
        to=row.to,
        # a clock that is far ahead must not hold up what others say
        time_us=row.order_us if row.order_us <= row.received_us + AHEAD_US else row.received_us,
        received_us=row.received_us,
        stream_id=row.stream_id,
        seq=row.seq,
        came_from=row.came_from,
        reason=event.printable(reason) if isinstance(reason, str) else None,
        planned=data.get("planned") is True,
        group=data.get("sync_group") or None,
        vips=tuple(vips) if isinstance(vips, (list, tuple)) else (),
        vrid=data.get("vrid"),
        base_priority=data.get("base_priority"),
        effective_priority=data.get("effective_priority"),
        version=data.get("keepalived_version"),
        boot=boot if isinstance(boot, str) and len(boot) <= 64 else None,
        late=row.late,
    )
