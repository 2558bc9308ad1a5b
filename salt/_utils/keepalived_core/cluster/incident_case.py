"""One incident: what is kept of it, and how it is told.  Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import clock
from .incident_mark import Key, saved_key
from .saved import known

SCHEMA = 1
#: Rows that are kept as evidence: so many of the first, and so many of the last.
FIRST_ROWS, LAST_ROWS = 60, 60


@dataclass
class Incident:
    """An incident of one instance, or of the instances of one sync group.

    Times are microseconds since the epoch, by the rows' own clocks.
    """

    id: str
    cluster: str
    #: The sync group, or the instance where there is none.
    instance: str
    kind: str
    began_us: int
    opener: Key
    #: What it was before it became worse, the oldest first.
    was: list[str] = field(default_factory=list)
    instances: list[str] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    ended_us: int | None = None
    resolved: bool = False
    planned: bool = False
    #: Whether the seconds are all that a client can have felt.
    exact: bool = True
    without: float = 0.0
    several: float = 0.0
    as_of_us: int = 0
    owners: dict[str, list[str]] = field(default_factory=dict)
    not_ready: dict[str, str] = field(default_factory=dict)
    cause: dict[str, str] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)
    rows_left_out: int = 0
    told: list[Any] = field(default_factory=list)
    told_us: int = 0
    dirty: bool = True

    @classmethod
    def load(cls, saved: Mapping[str, Any]) -> Incident:
        """What :meth:`save` returned."""
        return cls(**{**known(cls, saved), "opener": saved_key(saved["opener"]), "dirty": False})

    def save(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {name: value for name, value in vars(self).items() if name != "dirty"}

    def add(self, row: Mapping[str, Any], context: bool = False) -> None:
        """Keep a row as evidence, once.  context: it tells what was so before."""
        which = (row["node"], row["stream_id"], row["seq"], row["time"])
        for kept in self.rows:
            if (kept["node"], kept["stream_id"], kept["seq"], kept["time"]) == which:
                return
        self.rows.append({**row, "context": context})
        self.rows.sort(key=lambda each: (str(each["time"]), str(each["node"]), each["seq"]))
        if len(self.rows) > FIRST_ROWS + LAST_ROWS:
            del self.rows[FIRST_ROWS]
            self.rows_left_out += 1
        self.dirty = True

    @property
    def summary(self) -> list[Any]:
        """What is worth telling again when it changes."""
        return [
            self.kind,
            self.owners,
            sorted(self.not_ready),
            self.nodes,
            self.cause.get("class"),
        ]

    def public(self) -> dict[str, Any]:
        """As it goes onto the bus; docs/incidents.md describes the keys."""
        end = self.ended_us if self.resolved else self.as_of_us
        return {
            "schema": SCHEMA,
            "id": self.id,
            "cluster": self.cluster,
            "instance": self.instance,
            "instances": list(self.instances),
            "kind": self.kind,
            "was": list(self.was),
            "state": "resolved" if self.resolved else "open",
            "opened": clock.render(self.began_us / 1e6),
            "resolved": clock.render((end or 0) / 1e6) if self.resolved else None,
            "as_of": clock.render(self.as_of_us / 1e6),
            "seconds": round(max(0, (end or 0) - self.began_us) / 1e6, 6),
            "seconds_without_owner": round(self.without, 6),
            "seconds_several_owners": round(self.several, 6),
            "exact": self.exact,
            "owners": {name: list(nodes) for name, nodes in self.owners.items()},
            "not_ready": dict(self.not_ready),
            "nodes": list(self.nodes),
            "cause": dict(self.cause),
            "planned": self.planned,
            "actions": [],
            "opening_row": {
                "node": self.opener[0],
                "stream_id": self.opener[1],
                "seq": self.opener[2],
            },
        }


def name_of(cluster: str, instance: str, kind: str, opener: Key, began_us: int) -> str:
    """The id of an incident: the same rows give the same, whoever counts them how often.

    It begins with a letter: Salt's command line would make a number of digits alone.
    """
    text = "\x00".join([cluster, instance, kind, *map(str, opener), str(began_us)])
    return f"i{hashlib.sha256(text.encode()).hexdigest()[:10]}"
