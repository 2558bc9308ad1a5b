"""What is new in the hub's file, as it comes: transitions and incidents, one line each.  Pure but
for the file, which is only read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import clock
from .event import printable
from .store_read import Reader

SCHEMA = 1
_ROW = (
    "time", "instance", "type", "from", "to", "reason", "vips", "vip_present", "planned",
    "stream_id", "seq",
)  # fmt: skip
_INCIDENT = (
    "id", "cluster", "instance", "kind", "state", "opened", "resolved", "seconds",
    "seconds_without_owner", "seconds_several_owners", "exact", "cause",
)  # fmt: skip
_TO = {"MASTER": "good", "BACKUP": "", "restored": ""}


class Follower:
    """Remembers how far the file was read.

    cluster
        Only this one; None: all.
    """

    def __init__(self, reader: Reader, cluster: str | None = None) -> None:
        self._reader = reader
        self._cluster = cluster
        self._row = reader.newest()
        self._changed_us = 0
        #: incident -> what was last said of it
        self._said: dict[str, tuple[str, str]] = {}
        for changed, incident in reader.incidents_changed(0):
            self._changed_us = max(self._changed_us, changed)
            self._said[incident["id"]] = (incident["kind"], incident["state"])

    def poll(self) -> list[dict[str, Any]]:
        """What is new since the last time: transitions in the order of their times, then incidents.

        Each is a document of its own: ``{"kind": "transition" | "incident", "schema", ...}``, as
        docs/topology.md has it.  Raises :class:`store_file.StoreError`.
        """
        self._row, rows = self._reader.rows_after(self._row)
        found = [
            _transition(row)
            for row in sorted(rows, key=lambda row: int(row["hub"]["order_us"]))
            if self._wanted(row["hub"]["cluster"])
        ]
        for changed, incident in self._reader.incidents_changed(self._changed_us):
            self._changed_us = max(self._changed_us, changed)
            now = (incident["kind"], incident["state"])
            before = self._said.get(incident["id"])
            self._said[incident["id"]] = now
            if before != now and self._wanted(incident["cluster"]):
                found.append(_incident(incident, before))
        return found

    def _wanted(self, cluster: object) -> bool:
        return self._cluster is None or cluster == self._cluster


def _transition(row: Mapping[str, Any]) -> dict[str, Any]:
    hub = row["hub"]
    return {
        "kind": "transition",
        "schema": SCHEMA,
        "cluster": hub["cluster"],
        "node": hub["minion"],
        **{name: row.get(name) for name in _ROW},
        "late": hub["late"],
        "signed": hub["signed"],
    }


def _incident(incident: Mapping[str, Any], before: tuple[str, str] | None) -> dict[str, Any]:
    if incident["state"] != "open":
        word = "resolved"
    else:
        word = "opened" if before is None or before[1] != "open" else "worse"
    said = {name: incident.get(name) for name in _INCIDENT}
    said["incident"] = said.pop("kind")
    return {"kind": "incident", "schema": SCHEMA, "word": word, **said}


def line(item: Mapping[str, Any], paint: Callable[[str, str], str]) -> str:
    """One of :meth:`Follower.poll` for a person.

    paint
        Gives a text a style (:meth:`table.Painter.paint`).
    """
    if item["kind"] == "incident":
        return _incident_line(item, paint)
    change = f"{item['from'] or '-'} -> {item['to']}"
    has = {True: "has the address", False: ""}.get(item["vip_present"], "address: not known")
    reason = "" if item["reason"] in (None, "", "unknown") else str(item["reason"])
    more = [has, reason, "planned" if item["planned"] else "", "came late" if item["late"] else ""]
    name = str(item["instance"] or "node")
    return (
        f"{_time(item['time'])}  {printable(str(item['node']))}  {printable(name)}  "
        + paint(printable(change), _TO.get(str(item["to"]), "bad"))
        + "".join(f"  {printable(each)}" for each in more if each)
    )


def _incident_line(item: Mapping[str, Any], paint: Callable[[str, str], str]) -> str:
    word = item["word"]
    when = item["resolved"] if word == "resolved" else item["opened"]
    kind = str(item["incident"]).replace("_", " ").upper()
    head = f"{kind} {'is worse now' if word == 'worse' else word}"
    parts = [str(item["instance"]), str(item["id"])]
    cause = item["cause"] if isinstance(item["cause"], Mapping) else {}
    if word != "resolved":
        parts.append(str(cause.get("text", "the cause is not known")))
    else:
        parts.append(
            f"after {item['seconds']:.3f} s, "
            f"{item['seconds_without_owner']:.3f} s without an owner, "
            f"{item['seconds_several_owners']:.3f} s with several"
        )
    style = "good" if word == "resolved" else "bad"
    return f"{_time(when)}  {paint(head, style)}  {printable('  '.join(parts))}"


def _time(text: object) -> str:
    moment = clock.parse(text)
    return "-" if moment is None else clock.render(moment)[11:23]
