"""What the hub does not believe: forged, replayed and strange events, and junk."""

from __future__ import annotations

import pytest
from hub_nodes import CLUSTER, EPOCH, HUB_ID, SECRET, Node, World, key, tag, three

from keepalived_core import signing
from keepalived_core.cluster import hub_session


@pytest.fixture
def node() -> Node:
    return Node("n1")


@pytest.fixture
def world(tmp_path, node) -> World:
    made = World(tmp_path / "timeline.db", node, Node("n2"))
    made.step(0)
    made.asked.clear()
    return made


def forged(node: Node, **changes) -> dict:
    row = {**node.row("MASTER", 50), **changes}
    node.spool.pop()
    return row


FORGERIES = {
    "no signature": ({"signature": None}, "it is unsigned"),
    "another node's key": (
        {"signature": signing.sign({"a": 1}, key("n2"))},
        "its signature is not its node's",
    ),
    "a field changed": ({"instance": "VI_9"}, "its signature is not its node's"),
    "a field added": ({"note": "x"}, "its signature is not its node's"),
    "the number changed": ({"seq": 9}, "its signature is not its node's"),
}


@pytest.mark.parametrize(("changes", "reason"), FORGERIES.values(), ids=FORGERIES)
def test_a_forged_event_is_not_believed_and_told_once(world, node, changes, reason) -> None:
    event = forged(node, **changes)
    for _ in range(3):
        world.send(event)
        world.step()
    assert world.stored() == []
    assert [note for note in world.notes if reason in note] == [
        note for note in world.notes if "not believed" in note
    ]
    assert len([note for note in world.notes if reason in note]) == 1
    (rejection,) = world.session.store.rejected()
    assert (rejection.minion, rejection.count) == ("n1", 3)
    assert rejection.reason.endswith(reason)


def test_the_sender_is_named_where_the_bus_tells(world, node) -> None:
    event = node.row("MASTER", 1)
    world.send_as(
        tag(event), {"id": "n2", "cmd": "_minion_event", "tag": tag(event), "data": event}
    )
    world.step()
    assert world.stored() == []
    (rejection,) = world.session.store.rejected()
    assert (rejection.minion, rejection.culprit) == ("n1", "n2")
    assert any("it was sent as n2" in note for note in world.notes)


def test_a_true_event_under_another_tag_is_not_believed(world, node) -> None:
    event = node.row("MASTER", 1)
    for label in (
        tag({**event, "id": "n2"}),
        tag({**event, "instance": "VI_2"}),
        tag({**event, "to": "BACKUP"}),
    ):
        world.send_as(label, event)
    world.step()
    assert world.stored() == []
    assert world.session.store.counters()["rejected"] == 3


def test_a_replayed_event_counts_once(world, node) -> None:
    rows = three(node)
    world.send(*rows)
    for _ in range(5):
        world.send(*rows)
    world.step()
    assert world.stored() == [1, 2, 3]
    assert world.session.store.counters()["repeated"] == 15
    assert sum("came again" in note for note in world.notes) == 1


def test_an_old_heartbeat_changes_nothing(world, node) -> None:
    node.row("MASTER", 1)
    first = node.heartbeat(2)
    node.row("BACKUP", 3)
    world.send(first, node.heartbeat(4))
    node.boot_id = "boot-2"
    rebooted = node.heartbeat(-900)
    world.send(rebooted, first, node.heartbeat(-899))
    world.step(1)
    facts = world.session.hub.facts["n1"]
    assert facts.states["VI_1"]["state"] == "BACKUP"
    assert facts.boot_id == "boot-2"
    assert [each.reason for each in world.session.store.rejected()] == [
        "a heartbeat from before the node's last boot"
    ]


def test_a_stranger_is_not_believed_but_may_be_a_new_member(world) -> None:
    stranger = Node("n9")
    world.send(stranger.row("MASTER", 1))
    assert world.session.hub.strangers == {"n9"}
    world.nodes["n9"] = stranger
    world.restart()
    world.settle(5)
    assert world.stored("n9") == [1]


def test_an_old_secret_is_good_while_it_is_kept(tmp_path) -> None:
    node = Node("n1", b"old" * 12)
    world = World(tmp_path / "db", node)
    known = hub_session.Known(CLUSTER, {}, (key("n1"), key("n1", b"old" * 12)))
    world.session.configure({"n1": known}, True, EPOCH, None)
    world.send(node.row("MASTER", 1))
    world.step()
    assert world.stored() == [1]


def test_rows_from_before_the_node_had_its_key_do_not_hold_up_those_after(tmp_path) -> None:
    node = Node("n1", None)
    node.row("BACKUP", 1)
    node.row("MASTER", 2)
    node.secret = SECRET
    node.row("BACKUP", 10)
    world = World(tmp_path / "db", node)
    world.settle(20)
    assert world.stored() == [3]
    (stream,) = world.session.store.streams()
    assert [gap[:2] for gap in stream.gaps] == [(1, 1), (2, 2)]


def test_without_keys_nothing_is_believed_and_nothing_counts_as_lost(world, node) -> None:
    world.session.configure({"n1": hub_session.Known(CLUSTER)}, True, EPOCH, None)
    rows = three(node)
    world.send(*rows)
    world.settle(20)
    assert world.stored() == []
    world.restart()
    world.settle(20)
    assert world.stored() == [1, 2, 3]


def test_without_a_secret_unsigned_rows_are_taken_and_marked(tmp_path) -> None:
    node = Node("n1", None)
    world = World(tmp_path / "db", node, signed=False)
    world.send(*three(node), node.heartbeat(9))
    world.step()
    assert [row["hub"]["signed"] for row in world.rows()] == [False] * 3
    assert world.session.hub.facts["n1"].signed is False


def test_what_the_hub_fires_is_signed_and_what_it_did_not_fire_is_noticed(world, node) -> None:
    world.send(node.row("BACKUP", 1))
    world.step()
    settled = [(label, data) for label, data in world.fired if label.endswith("/settled")]
    ((label, data),) = settled
    assert hub_session.is_genuine(data, (key(HUB_ID),))
    world.session.take(label, {**data, "_stamp": "x"}, EPOCH)
    world.step()
    assert world.session.store.rejected() == []
    for culprit in ("n2", None):
        fake = {**data, "events": [{**data["events"][0], "to": "MASTER"}]}
        sent = {"id": culprit, "cmd": "_minion_event", "data": fake} if culprit else fake
        world.session.take(label, sent, EPOCH)
    world.session.take(label, ["junk"], EPOCH)
    world.step()
    found = {each.culprit: each.count for each in world.session.store.rejected()}
    assert found == {"n2": 1, None: 2}


JUNK = [
    None,
    1,
    "x",
    [],
    {},
    {"id": "n1"},
    {"to": "heartbeat"},
    {"schema": 1},
    {"data": {}},
    {"cmd": "x", "data": {}, "id": {}},
    {"cmd": "x", "data": {"a": {1: 2}}, "id": "\n"},
]


@pytest.mark.parametrize("data", JUNK, ids=str)
@pytest.mark.parametrize(
    "label",
    [
        "salt/beacon/n1/keepalived/",
        "salt/beacon/n1/keepalived/VI_1/MASTER",
        "salt/beacon/",
        "salt/beacon/n1/keepalived/node/heartbeat",
        "keepalived/x/event/settled",
    ],
)
def test_junk_on_the_bus_is_survived(world, label, data) -> None:
    world.send_as(label, data)
    world.step()
    assert world.stored() == []


@pytest.mark.parametrize(
    "said", [None, "Traceback: no", 3, [None, 1, {}], [{"id": "n2"}], {"rows": None}], ids=str
)
def test_junk_in_an_answer_is_survived(world, node, said) -> None:
    rows = three(node)
    world.send(rows[0], rows[2])
    world.now += 1
    step = world.session.step(EPOCH + world.now)
    for fetch in step.fetches:
        world.session.answer(fetch, said, EPOCH + world.now)
    world.settle(10)
    assert world.stored() == [1, 2, 3]
