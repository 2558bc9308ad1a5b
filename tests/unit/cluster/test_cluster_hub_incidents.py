"""Incidents at the hub: from signed rows of nodes to the store and the bus."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3

import pytest
from hub_nodes import EPOCH, Node, World, key

from keepalived_core.cluster import hub_session, store_file
from keepalived_core.cluster.hub_session import HUB_ID, is_genuine
from keepalived_core.cluster.incident_state import KINDS
from keepalived_core.cluster.store import Store
from keepalived_core.cluster.store_read import Reader


class Cluster:
    """Three nodes whose relays send what they write, and a heartbeat every ten seconds."""

    def __init__(self, path) -> None:
        self.nodes = {name: Node(name) for name in ("n1", "n2", "n3")}
        self.world = World(path, *self.nodes.values())
        self.dead: set[str] = set()
        for name in ("n1", "n2", "n3"):
            self.happens("BACKUP", name)
        self.live(4)
        self.happens("MASTER", "n3")
        self.live(20)

    def happens(self, to: str, node: str, **more) -> None:
        self.world.send(self.nodes[node].row(to, self.world.now, **more))

    def live(self, seconds: float) -> None:
        for _ in range(int(seconds / 0.5)):
            if self.world.now % 10 < 0.5:
                for name, node in self.nodes.items():
                    if name not in self.dead:
                        self.world.send(node.heartbeat(self.world.now))
            self.world.unreachable = set(self.dead)
            self.world.step(0.5)

    @property
    def fired(self) -> list[tuple[str, str]]:
        """(kind, what) of all that was fired about incidents."""
        return [(label.split("/")[2], label.split("/")[3]) for label, _ in self.events]

    @property
    def events(self) -> list[tuple[str, dict]]:
        return [each for each in self.world.fired if each[0].split("/")[2] in KINDS]

    def stored(self) -> list[dict]:
        return self.world.session.store.incidents()


@pytest.fixture
def cluster(tmp_path):
    cluster = Cluster(tmp_path / "timeline.db")
    yield cluster
    cluster.world.session.close()


def failover(cluster: Cluster) -> None:
    cluster.happens("FAULT", "n3", reason="chk_haproxy failed")
    cluster.live(0.5)
    cluster.happens("MASTER", "n2")
    cluster.live(10)


def test_an_incident_is_stored_and_fired_signed(cluster) -> None:
    failover(cluster)

    ((label, data),) = cluster.events
    (kept,) = cluster.stored()

    assert label == "keepalived/controllers/failover/opened"
    assert is_genuine(data, (key(HUB_ID),))
    assert data["id"] == kept["id"]
    assert kept["cause"]["text"] == "n3 is FAULT: chk_haproxy failed"
    assert [(row["node"], row["to"], row["context"]) for row in kept["rows"]] == [
        ("n1", "BACKUP", True),
        ("n2", "BACKUP", True),
        ("n3", "MASTER", True),
        ("n3", "FAULT", False),
        ("n2", "MASTER", False),
    ]


def test_when_all_is_well_again_it_is_resolved_once(cluster) -> None:
    failover(cluster)
    cluster.happens("BACKUP", "n3")
    cluster.live(60)

    assert cluster.fired == [("failover", "opened"), ("failover", "resolved")]
    assert [each["state"] for each in cluster.stored()] == ["resolved"]


@pytest.mark.parametrize("clean", [True, False])
def test_a_restart_changes_nothing_and_repeats_nothing(cluster, clean) -> None:
    failover(cluster)
    (before,) = cluster.stored()
    cluster.world.restart(clean)
    cluster.live(30)
    cluster.happens("BACKUP", "n3")
    cluster.world.restart(clean)
    cluster.live(60)

    assert cluster.fired == [("failover", "opened"), ("failover", "resolved")]
    assert [each["id"] for each in cluster.stored()] == [before["id"]]


def test_what_was_stored_but_not_fired_is_fired_after_a_restart(cluster) -> None:
    cluster.happens("FAULT", "n3")
    cluster.live(0.5)
    cluster.happens("MASTER", "n2")
    while not cluster.stored():
        # and then the process dies before it fires
        cluster.world.now += 0.5
        cluster.world.session.step(EPOCH + cluster.world.now)
    assert cluster.fired == []
    cluster.world.restart(clean=False)
    cluster.live(2)
    cluster.world.restart()
    cluster.live(2)

    assert cluster.fired == [("failover", "opened")]


def test_what_came_and_went_while_the_hub_was_away_is_told_as_it_was(cluster) -> None:
    world, began = cluster.world, cluster.world.now
    world.session.close()
    for node, to, at in (
        ("n3", "STOP", 60),
        ("n2", "MASTER", 60.605),
        ("n3", "BACKUP", 90),
        ("n1", "MASTER", 200),
        ("n1", "BACKUP", 230),
    ):
        cluster.nodes[node].row(to, began + at)
    world.now += 600
    world.session = world._begin()
    cluster.live(60)

    assert cluster.fired == [
        ("failover", "opened"),
        ("failover", "resolved"),
        ("split_brain", "opened"),
        ("split_brain", "resolved"),
    ]
    first, second = cluster.stored()
    assert (first["seconds_without_owner"], first["seconds"]) == (0.605, 30)
    assert (second["seconds_several_owners"], second["seconds"]) == (30, 30)


def test_two_masters_are_asked_before_they_are_two(cluster) -> None:
    cluster.happens("MASTER", "n2")
    asked = len(cluster.world.asked)
    cluster.live(6)

    assert "n3" in {each.minion for each in cluster.world.asked[asked:] if not each.stream_id}
    assert cluster.fired == [("split_brain", "opened")]


def test_an_owner_that_answers_nothing_is_not_one_of_two(cluster) -> None:
    cluster.dead.add("n3")
    cluster.happens("MASTER", "n2")
    cluster.live(60)

    assert cluster.fired[0] == ("failover", "opened")
    assert "split_brain" not in dict(cluster.fired)


def test_who_forges_an_incident_is_noticed(cluster) -> None:
    failover(cluster)
    ((label, data),) = cluster.events
    cluster.world.session.take(label, data, EPOCH + cluster.world.now)
    cluster.world.session.take(label, {**data, "kind": "split_brain"}, EPOCH + cluster.world.now)
    cluster.world.step()

    assert sum("in the name of this hub" in note for note in cluster.world.notes) == 1


def test_a_file_of_the_release_before_gets_the_tables(tmp_path, monkeypatch) -> None:
    path = tmp_path / "timeline.db"
    now = store_file.MIGRATIONS
    monkeypatch.setattr(store_file, "MIGRATIONS", now[:1])
    Store.create(path).close()
    monkeypatch.setattr(store_file, "MIGRATIONS", now)
    Store.create(path).close()

    with Reader.open(path) as reader:
        assert reader.incidents() == []


def test_old_ones_go_and_open_ones_stay(cluster, monkeypatch) -> None:
    failover(cluster)
    cluster.happens("BACKUP", "n3")
    cluster.live(40)
    cluster.happens("FAULT", "n1")
    cluster.live(30)
    store = cluster.world.session.store

    store.prune(EPOCH + 30 * 86400, max_age_days=90)
    assert [each["state"] for each in store.incidents()] == ["resolved", "open"]
    store.prune(EPOCH + 100 * 86400, max_age_days=90)
    assert [each["state"] for each in store.incidents()] == ["open"]


def test_an_id_may_be_shortened_as_long_as_it_is_one(cluster) -> None:
    failover(cluster)
    (kept,) = cluster.stored()
    store = cluster.world.session.store

    def named(text: str) -> list[str]:
        return [each["id"] for each in store.incidents_named(text)]

    assert named(kept["id"][:4]) == [kept["id"]]
    for wrong in ("%", "nothing", kept["id"] + "0"):
        assert named(wrong) == []
    cluster.happens("BACKUP", "n3")
    cluster.live(40)
    cluster.happens("FAULT", "n1")
    cluster.live(30)
    assert len(named("i")) == 2


def places(table, saved):
    """The objects in what was saved to which a newer version might add a field."""
    if table == "subjects":
        for instance in saved["instances"].values():
            yield from instance["tracks"].values()
    else:
        yield saved


@pytest.mark.parametrize("table", ["facts", "subjects"])
def test_the_file_of_a_newer_hub_with_more_in_it_is_read(cluster, table) -> None:
    cluster.happens("FAULT", "n3", reason="chk_haproxy failed")
    cluster.live(0.5)
    world = cluster.world
    world.session.close()
    with contextlib.closing(sqlite3.connect(world.path)) as file, file:
        for number, text in file.execute(f"SELECT rowid, data FROM {table}").fetchall():
            saved = json.loads(text)
            for place in places(table, saved):
                place["of_tomorrow"] = 1
            more = json.dumps(saved)
            file.execute(f"UPDATE {table} SET data = ? WHERE rowid = ?", (more, number))
    world.session = world._begin()
    cluster.happens("MASTER", "n2")
    cluster.live(30)

    assert cluster.fired == [("failover", "opened")]


def test_a_hub_that_cannot_begin_does_not_hold_the_file(cluster, monkeypatch) -> None:
    cluster.world.session.close()

    def broken(*_):
        raise ValueError("what was saved makes no sense")

    monkeypatch.setattr(hub_session, "HubIncidents", broken)
    before = set(os.listdir("/proc/self/fd"))
    with pytest.raises(ValueError, match="no sense"):
        hub_session.Session(cluster.world.path)
    monkeypatch.undo()

    assert set(os.listdir("/proc/self/fd")) <= before
    cluster.world.session = cluster.world._begin()
