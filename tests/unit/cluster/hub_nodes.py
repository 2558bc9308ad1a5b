"""Nodes and a bus for tests of the hub: they sign and number as real ones do, on our clock."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any
from urllib.parse import quote

from keepalived_core import signing
from keepalived_core.cluster import asking, clock
from keepalived_core.cluster.hub import Known
from keepalived_core.cluster.hub_session import HUB_ID, Session, Step
from keepalived_core.cluster.rows import Stream

SECRET = b"s" * 32
EPOCH = 1_800_000_000.0
CLUSTER = "controllers"


def key(minion: str, secret: bytes = SECRET) -> str:
    return signing.node_key(secret, minion)


class Node:
    """One node: its spool, its keys, its clock (``at`` is seconds since the test began)."""

    _born = itertools.count(1)

    def __init__(self, minion: str = "n1", secret: bytes | None = SECRET) -> None:
        self.minion = minion
        self.secret = secret
        self.stream_id = f"{minion}-{next(self._born):08d}"
        self.spool: list[dict[str, Any]] = []
        self.boot_id = "boot-1"
        self.states: dict[str, list[Any]] = {}
        self.clock = EPOCH
        self.answers_with_heartbeat = True

    def row(self, to: str, at: float, instance: str = "VI_1", **more: Any) -> dict[str, Any]:
        """Write one row into the spool and return it."""
        before = self.states.get(instance, [None])[0]
        row = {
            "schema": 1,
            "type": "instance",
            "id": self.minion,
            "cluster": CLUSTER,
            "stream_id": self.stream_id,
            "seq": self.spool[-1]["seq"] + 1 if self.spool else 1,
            "instance": instance,
            "from": before,
            "to": to,
            "reason": "unknown",
            "vips": ["192.0.2.10/24"],
            "vip_present": to == "MASTER",
            "source": "fifo",
            "time": clock.render(self.clock + at),
            "monotonic_us": round((1000 + at) * 1e6),
            "planned": False,
            "dropped": 0,
            **more,
        }
        row["signature"] = self._sign(row)
        self.spool.append(row)
        if to.isupper():
            self.states[instance] = [to, to == "MASTER", round((self.clock + at) * 1e6)]
        return row

    def heartbeat(self, at: float, **more: Any) -> dict[str, Any]:
        beat = {
            "schema": 1,
            "type": "node",
            "instance": "node",
            "to": "heartbeat",
            "id": self.minion,
            "cluster": CLUSTER,
            "stream_id": self.stream_id,
            "seq": self.spool[-1]["seq"] if self.spool else 0,
            "first": self.spool[0]["seq"] if self.spool else 1,
            "time": clock.render(self.clock + at),
            "monotonic_us": round((1000 + at) * 1e6),
            "dropped": 0,
            "boot_id": self.boot_id,
            "states": dict(self.states),
            **more,
        }
        beat["signature"] = self._sign(beat)
        return beat

    def answer(self, fetch: asking.Fetch, at: float) -> list[dict[str, Any]]:
        """What ``keepalived.journal_rows`` returns."""
        beat = [self.heartbeat(at)] if self.answers_with_heartbeat else []
        if fetch.stream_id is None:
            return self.spool[-1:] + beat
        if fetch.stream_id != self.stream_id:
            return beat
        return [row for row in self.spool if row["seq"] > fetch.after][: fetch.limit] + beat

    def _sign(self, row: dict[str, Any]) -> str | None:
        return signing.sign(row, key(self.minion, self.secret)) if self.secret else None


def tag(data: dict[str, Any]) -> str:
    instance = quote(str(data["instance"]), safe="")
    return f"salt/beacon/{data['id']}/keepalived/{instance}/{data['to']}"


def three(node: Node) -> list[dict[str, Any]]:
    return [node.row("BACKUP", 1), node.row("MASTER", 2), node.row("FAULT", 4)]


class World:
    """A hub, its nodes, and the way between them."""

    def __init__(self, path: Path, *nodes: Node, signed: bool = True) -> None:
        self.path = path
        self.nodes = {node.minion: node for node in nodes}
        self.signed = signed
        self.now = 0.0
        self.fired: list[tuple[str, dict[str, Any]]] = []
        self.notes: list[str] = []
        self.asked: list[asking.Fetch] = []
        self.unreachable: set[str] = set()
        self.session = self._begin()

    def _begin(self) -> Session:
        session = Session(self.path)
        members = {
            name: Known(CLUSTER, {"VI_1": 1.0}, (key(name),) if self.signed else ())
            for name in self.nodes
        }
        session.configure(members, self.signed, EPOCH + self.now, key(HUB_ID))
        return session

    def restart(self, clean: bool = True) -> None:
        """A new hub on the same file; not clean: what was not stored is gone."""
        if clean:
            self.step(0.0)
        self.session.close()
        self.session = self._begin()

    def send(self, *events: dict[str, Any]) -> None:
        for each in events:
            self.send_as(tag(each), each)

    def send_as(self, label: str, data: Any) -> None:
        stamped = {**data, "_stamp": "2027-01-01"} if isinstance(data, dict) else data
        self.session.take(label, stamped, EPOCH + self.now)

    def step(self, seconds: float = 0.1) -> Step:
        """Time goes by; what the hub asks is answered at once."""
        self.now += seconds
        step = self.session.step(EPOCH + self.now)
        self.fired += step.events
        self.notes += [text for _, text in step.notes]
        for fetch in step.fetches:
            self.asked.append(fetch)
            away = fetch.minion in self.unreachable
            said = None if away else self.nodes[fetch.minion].answer(fetch, self.now)
            self.session.answer(fetch, said, EPOCH + self.now)
        return step

    def settle(self, seconds: float = 30.0) -> None:
        for _ in range(int(seconds / 0.5)):
            self.step(0.5)

    def stored(self, minion: str = "n1") -> list[int]:
        return [row["seq"] for row in self.rows(minion)]

    def rows(self, minion: str = "n1") -> list[dict[str, Any]]:
        found = self.session.store.rows(minion, last=100_000)
        return sorted(found, key=lambda row: (row["stream_id"], row["seq"]))

    def streams(self, minion: str) -> list[Stream]:
        return [each for each in self.session.store.streams() if each.minion == minion]

    def words(self, minion: str = "n1") -> list[tuple[str, str | None]]:
        return [(row["to"], row["hub"]["settled"]) for row in self.rows(minion)]

    def told(self, kind: str = "settled") -> list[tuple[str, str | None, str]]:
        return [(each["id"], each["from"], each["to"]) for each in self.entries(kind)]

    def entries(self, kind: str) -> list[dict[str, Any]]:
        end = f"/event/{kind}"
        return [
            each for label, data in self.fired if label.endswith(end) for each in data["events"]
        ]

    def told_keys(self, kind: str, minion: str) -> list[int]:
        return [each["seq"] for each in self.entries(kind) if each["id"] == minion]
