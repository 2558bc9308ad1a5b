"""What the hub knows as metrics: numbers by the labels people ask for, and nothing unknown."""

from __future__ import annotations

import re

import pytest
from hub_nodes import EPOCH, Node, World

from keepalived_core import exposition
from keepalived_core.cluster import hub_view, metrics
from keepalived_core.cluster.store_read import Reader

SAMPLE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+)")


@pytest.fixture
def world(tmp_path) -> World:
    world = World(tmp_path / "timeline.db", Node("n1"), Node("n2"))
    n1, n2 = world.nodes.values()
    world.send(n1.row("MASTER", 1), n2.row("BACKUP", 1))
    world.now = 20.0
    world.send(n1.heartbeat(19), n2.heartbeat(19))
    world.settle(5)
    return world


def samples(world: World, incidents=(), after: float = 0.0) -> dict[str, dict[str, float]]:
    """{metric: {its labels as text: value}}."""
    now = EPOCH + world.now + after
    with Reader.open(world.path) as reader:
        hub = hub_view.show_status(reader, (), now)
    text = exposition.render(metrics.families(hub, incidents, hub_view.SILENT, now))
    found: dict[str, dict[str, float]] = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            name, labels, value = SAMPLE.fullmatch(line).groups()
            found.setdefault(name, {})[labels or ""] = float(value)
    return found


def test_who_is_what_and_how_many_have_the_address(world) -> None:
    found = samples(world)

    of = 'cluster="controllers",node="{}",instance="VI_1",state="{}"'
    assert found["salt_keepalived_vrrp_state"][of.format("n1", "MASTER")] == 1
    assert found["salt_keepalived_vrrp_state"][of.format("n1", "BACKUP")] == 0
    assert found["salt_keepalived_vrrp_state"][of.format("n2", "BACKUP")] == 1
    instance = 'cluster="controllers",instance="VI_1"'
    assert found["salt_keepalived_vrrp_masters"] == {instance: 1}
    assert found["salt_keepalived_vrrp_holders"] == {instance: 1}
    assert found["salt_keepalived_vrrp_unknown"] == {instance: 0}
    assert found["salt_keepalived_hub_up"] == {"": 1}


def test_of_a_node_that_is_not_heard_no_state_is_told(world) -> None:
    found = samples(world, after=hub_view.SILENT + 1)

    assert "salt_keepalived_vrrp_state" not in found
    assert found["salt_keepalived_vrrp_masters"] == {'cluster="controllers",instance="VI_1"': 0}
    assert found["salt_keepalived_vrrp_unknown"] == {'cluster="controllers",instance="VI_1"': 2}
    assert found["salt_keepalived_hub_up"] == {"": 0}


def test_open_incidents_are_counted_by_kind_and_each_says_what_it_costs(world) -> None:
    incident = {
        "id": "i1", "cluster": "controllers", "instance": "VI_1", "kind": "no_master",
        "opened": "2027-01-15T08:00:30.000000Z", "seconds_without_owner": 12.5,
    }  # fmt: skip
    found = samples(world, [incident])

    counts = found["salt_keepalived_incidents_open"]
    assert counts['kind="no_master"'] == 1
    assert counts['kind="split_brain"'] == 0
    (seconds,) = found["salt_keepalived_incident_without_owner_seconds"].values()
    assert seconds == 12.5
