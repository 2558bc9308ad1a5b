"""What the hub knows as metrics: numbers by the labels people ask for, and nothing unknown."""

from __future__ import annotations

import json
import os
import re
import sqlite3

import pytest
from hub_nodes import CLUSTER, EPOCH, HUB_ID, Known, Node, World, key

from keepalived_core import exposition
from keepalived_core.cluster import hub_view, ledger_read, metrics_facts
from keepalived_core.cluster.deeds import Silence
from keepalived_core.cluster.ledger import Ledger, LedgerError

SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")
ONE = 'cluster="controllers",vrrp_instance="VI_1"'
NODE = 'cluster="controllers",node="{}"'


@pytest.fixture
def world(tmp_path) -> World:
    world = World(tmp_path / "timeline.db", Node("n1"), Node("n2"))
    n1, n2 = world.nodes.values()
    world.now = 1.25
    world.send(n1.row("MASTER", 1), n2.row("BACKUP", 1))
    world.now = 20.0
    world.send(n1.heartbeat(19), n2.heartbeat(19))
    world.settle(5)
    return world


def samples(world: World, after: float = 0.0) -> dict[str, dict[str, float]]:
    """{metric: {its labels as text: value}}."""
    text = exposition.render(metrics_facts.gather(world.path, EPOCH + world.now + after))
    found: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            found.setdefault(name, {})[labels or ""] = float(value)
    return found


def test_who_is_what_and_how_many_have_the_address(world) -> None:
    found = samples(world)

    of = 'cluster="controllers",node="{}",vrrp_instance="VI_1",state="{}"'
    assert found["salt_keepalived_vrrp_state"][of.format("n1", "MASTER")] == 1
    assert found["salt_keepalived_vrrp_state"][of.format("n1", "BACKUP")] == 0
    assert found["salt_keepalived_vrrp_state"][of.format("n2", "BACKUP")] == 1
    assert found["salt_keepalived_vrrp_masters"] == {ONE: 1}
    assert found["salt_keepalived_vrrp_holders"] == {ONE: 1}
    assert found["salt_keepalived_vrrp_unknown"] == {ONE: 0}
    assert found["salt_keepalived_hub_up"] == {"": 1}
    assert found["salt_keepalived_hub_events_stored_total"] == {"": 2}


def test_how_long_the_newest_event_of_each_node_was_on_its_way(world) -> None:
    found = samples(world)["salt_keepalived_node_event_delivery_seconds"]
    assert found == {NODE.format("n1"): 0.25, NODE.format("n2"): 0.25}


def test_of_a_node_that_is_not_heard_no_state_is_told(world) -> None:
    found = samples(world, after=hub_view.SILENT + 1)

    assert "salt_keepalived_vrrp_state" not in found
    assert found["salt_keepalived_vrrp_masters"] == {ONE: 0}
    assert found["salt_keepalived_vrrp_unknown"] == {ONE: 2}
    assert found["salt_keepalived_hub_up"] == {"": 0}


#: Of a cluster of three, of which the hub hears the BACKUP n1: what the pillar of n2 has, what is
#: sent of n2, and of how many nodes nothing is known.
HEARD = {
    "never": ({"VI_1": 1.0}, None, 2),
    "never, and it has another instance": ({"VI_2": 1.0}, None, 1),
    "never, and its pillar names none": ({}, None, 2),
    "a transition of another instance": ({"VI_1": 1.0, "VI_2": 1.0}, "row", 2),
    "a heartbeat without the instance": ({"VI_1": 1.0}, "heartbeat", 1),
}


@pytest.mark.parametrize("name", HEARD)
def test_a_member_that_was_never_heard_is_one_of_whom_nothing_is_known(tmp_path, name: str) -> None:
    adverts, sent, unknown = HEARD[name]
    world = World(tmp_path / "timeline.db", Node("n1"), Node("n2"), Node("n3"))
    n1, n2, _ = world.nodes.values()
    keys = {node: (key(node),) for node in world.nodes}
    members = {node: Known(CLUSTER, {"VI_1": 1.0}, keys[node]) for node in world.nodes}
    members["n2"] = Known(CLUSTER, adverts, keys["n2"])
    world.session.configure(members, True, EPOCH, key(HUB_ID))
    world.unreachable = {"n2", "n3"}
    world.now = 1.0
    world.send(n1.row("BACKUP", 1))
    if sent == "row":
        world.send(n2.row("BACKUP", 1, "VI_2"))
    if sent == "heartbeat":
        world.send(n2.heartbeat(1))
    world.settle(20)
    found = samples(world)

    assert found["salt_keepalived_vrrp_holders"][ONE] == 0
    assert found["salt_keepalived_vrrp_unknown"][ONE] == unknown
    assert "salt_keepalived_vrrp_state" in found


def test_a_member_that_was_never_heard_is_silent_since_the_hub_knows_of_it(tmp_path) -> None:
    world = World(tmp_path / "timeline.db", Node("n1"), Node("n2"))
    world.unreachable = {"n2"}

    def silent() -> dict[str, float]:
        return samples(world)["salt_keepalived_node_heard_age_seconds"]

    world.settle(90)
    assert silent()[NODE.format("n2")] == 90
    world.restart()
    world.settle(10)
    assert silent()[NODE.format("n2")] == 100, "a hub that begins anew has not heard it either"

    world.session.configure({"n1": Known(CLUSTER)}, True, EPOCH + world.now, key(HUB_ID))
    world.settle(10)
    assert set(silent()) == {NODE.format("n1")}


def test_events_that_are_not_believed_are_counted_from_0(world) -> None:
    refused = "salt_keepalived_hub_events_refused_total"
    assert samples(world)[refused] == {"": 0}
    liar = Node("n1", secret=b"x" * 32)
    world.send(liar.row("MASTER", 21))
    world.step(1)

    assert samples(world)[refused] == {"": 1}


def test_a_lost_event_that_arrives_after_all_is_lost_no_more(tmp_path) -> None:
    node = Node("n1")
    world = World(tmp_path / "timeline.db", node)
    rows = [node.row("BACKUP" if count % 2 else "MASTER", count / 10) for count in range(1, 6)]
    node.spool = [rows[0], rows[4]]
    world.now = 1.0
    world.send(rows[0], rows[4])

    def lost() -> float:
        for _ in range(24):
            world.send(node.heartbeat(world.now))
            world.settle(5)
        return samples(world)["salt_keepalived_node_events_lost"][NODE.format("n1")]

    assert lost() == 3
    world.send(rows[2])
    assert lost() == 2


def test_open_incidents_are_counted_by_kind_and_each_says_what_it_costs(world) -> None:
    n1, n2 = world.nodes.values()
    world.now = 30.2
    world.send(n1.row("FAULT", 30), n2.row("FAULT", 30.1))
    for _ in range(20):
        world.step(0.5)
        world.send(n1.heartbeat(world.now), n2.heartbeat(world.now))
    found = samples(world)

    counts = found["salt_keepalived_incidents_open"]
    assert counts['cluster="controllers",kind="no_master"'] == 1
    assert counts['cluster="controllers",kind="split_brain"'] == 0
    (seconds,) = found["salt_keepalived_incident_without_owner_seconds"].values()
    assert seconds > 5
    (opened,) = found["salt_keepalived_incident_opened_timestamp_seconds"].values()
    assert opened == pytest.approx(EPOCH + 30, abs=1)


def test_without_a_hub_that_is_what_is_told(tmp_path) -> None:
    text = exposition.render(metrics_facts.gather(tmp_path / "timeline.db", EPOCH))
    assert "salt_keepalived_hub_up 0\n" in text
    assert "salt_keepalived_hub_metrics_timestamp_seconds" in text
    assert "vrrp" not in text
    assert list(tmp_path.iterdir()) == [], "asking made a file, which the master could not open"


# -- the ledger --


@pytest.fixture
def ledger(world) -> Ledger:
    return Ledger(world.path.with_name("react.db"))


def test_a_maintenance_is_told_with_its_end(world, ledger) -> None:
    now = EPOCH + world.now
    assert samples(world)["salt_keepalived_silenced"] == {'cluster="controllers"': 0}

    ledger.silence(Silence("controllers", now - 1, now + 600, "new switch", "root"))

    found = samples(world)
    assert found["salt_keepalived_silenced"] == {'cluster="controllers"': 1}
    assert found["salt_keepalived_silence_end_timestamp_seconds"] == {
        'cluster="controllers"': now + 600
    }


def test_a_route_is_judged_by_its_last_alert(world, ledger) -> None:
    now = EPOCH + world.now
    both = {"webhook": "failed: timeout from https://x", "log": "sent"}
    ledger.record("alert", "sent", "controllers", {"routes": both}, now - 20)
    ledger.record("alert", "sent", "controllers", {"routes": {"log": "sent"}}, now - 10)
    ledger.record("alert", "skipped", "controllers", {"reason": "silenced"}, now - 5)

    found = samples(world)
    assert found["salt_keepalived_alert_route_delivered"] == {
        'route="log"': 1, 'route="webhook"': 0
    }  # fmt: skip
    assert found["salt_keepalived_alert_route_timestamp_seconds"] == {
        'route="log"': now - 10, 'route="webhook"': now - 20
    }  # fmt: skip


#: What came of alerts for a route, the newest last: (what, its result).
LAST_ALERTS = {
    "sent, then one waits for others": ([("sent", "sent"), ("waiting", "waiting: for others")], 1),
    "failed, then one waits": ([("failed", "failed: 503"), ("waiting", "waiting: it is busy")], 0),
    "waits, then failed": ([("waiting", "waiting: for others"), ("failed", "failed: 503")], 0),
    "one waits, the first of all": ([("waiting", "waiting: for others")], None),
    "failed, then one waits here and is sent elsewhere": (
        [("failed", "failed: 503"), ("sent", "waiting: it is busy")],
        0,
    ),
    "failed, then many wait": (
        [("failed", "failed: 503"), *[("waiting", "waiting: it is busy")] * ledger_read.ALERTS],
        0,
    ),
    "failed, then many that were not to be sent": (
        [("failed", "failed: 503"), *[("skipped", None)] * ledger_read.ALERTS],
        0,
    ),
}


@pytest.mark.parametrize("name", LAST_ALERTS)
def test_a_route_is_judged_by_the_last_alert_that_was_tried(tmp_path, name: str) -> None:
    rows, taken = LAST_ALERTS[name]
    ledger = Ledger(tmp_path / "react.db")
    ledger.record("alert", "sent", "c", {"routes": {"other": "sent"}}, EPOCH - 9)
    with sqlite3.connect(ledger.path) as connection:
        connection.executemany(
            "INSERT INTO audit (at, kind, what, cluster, data) VALUES (?, 'alert', ?, 'c', ?)",
            [
                (EPOCH - 5, what, json.dumps({"routes": {"oncall": result}} if result else {}))
                for what, result in rows
            ],
        )

    found = ledger_read.figures(ledger.path, EPOCH).routes
    assert found.get("oncall") == (None if taken is None else (bool(taken), EPOCH - 5))


def test_reactions_are_counted_over_an_hour(world, ledger) -> None:
    now = EPOCH + world.now
    for age in (10, 20, 3700):
        ledger.record("remediation", "failed", "controllers", {}, now - age)

    found = samples(world)["salt_keepalived_reactions_last_hour"]
    assert found == {'kind="remediation",result="failed"': 2}


def test_a_ledger_that_cannot_be_read_keeps_nothing_else_back(world, ledger) -> None:
    ledger.path.write_bytes(b"this is no database" * 100)
    found = samples(world)
    assert found["salt_keepalived_vrrp_masters"] == {ONE: 1}
    assert "salt_keepalived_silenced" not in found


def test_a_ledger_of_a_newer_release_is_not_read(tmp_path) -> None:
    path = tmp_path / "react.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerError, match="newer"):
        ledger_read.figures(path, EPOCH)


def test_reading_leaves_the_ledger_as_it_is(ledger) -> None:
    ledger.record("alert", "sent", "controllers", {"routes": {"log": "sent"}}, EPOCH)
    before = ledger.path.read_bytes()
    ledger_read.figures(ledger.path, EPOCH)
    assert ledger.path.read_bytes() == before
    assert os.listdir(ledger.path.parent).count("react.db-journal") == 0
