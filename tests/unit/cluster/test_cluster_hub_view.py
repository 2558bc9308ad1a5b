"""What the runner shows of the hub's file, and what stands on the screen."""

from __future__ import annotations

import pytest
from hub_nodes import EPOCH, Node, World

from keepalived_core.cluster import clock, hub_table, hub_view, table, timeline
from keepalived_core.cluster.facts import Answer
from keepalived_core.cluster.store_read import Reader


@pytest.fixture
def world(tmp_path) -> World:
    world = World(tmp_path / "timeline.db", Node("n1"), Node("n2"))
    n1, n2 = world.nodes.values()
    world.send(n1.row("MASTER", 1), n2.row("BACKUP", 1))
    world.now = 60.0
    world.send(
        n1.row("FAULT", 50),
        n2.row("MASTER", 50.5),
        n2.row("BACKUP", 50.6),
        n2.row("MASTER", 51),
        n2.heartbeat(59),
    )
    world.settle(20)
    return world


@pytest.fixture
def reader(world) -> Reader:
    with Reader.open(world.path) as reader:
        yield reader


def test_the_timeline_has_all_that_the_nodes_would_have_said_and_more(world, reader) -> None:
    now = EPOCH + world.now
    shown = hub_view.show_timeline(reader, ["n1", "n2"], 20, None, now)
    asked = timeline.collect(
        ["n1", "n2"], {name: Answer(node.spool, now) for name, node in world.nodes.items()}, 20, now
    )
    assert {key: shown[key] for key in asked if key != "rows"} == {
        key: each for key, each in asked.items() if key != "rows"
    }
    rows = [
        {key: each for key, each in row.items() if key not in timeline.HUB_FIELDS}
        for row in shown["rows"]
    ]
    assert rows == asked["rows"]
    assert [row["settled"] for row in shown["rows"]] == [
        "yes", "yes", "yes", "flash", "back", "yes",
    ]  # fmt: skip
    assert [(each["node"], each["count"]) for each in shown["flashes"]] == [("n2", 1)]
    assert (shown["source"], shown["gaps"]) == ("hub", [])
    text = table.render({**shown, "message": None})
    assert "unknown (flash)" in text
    assert "VI_1 on n2: flashed MASTER once" in text


def test_what_was_before_the_newest_rows_of_a_period_is_not_known(world, reader, monkeypatch):
    monkeypatch.setattr(hub_view, "PERIOD_ROWS", 2)
    now = EPOCH + world.now

    shown = hub_view.show_timeline(reader, ["n1", "n2"], 20, EPOCH, now)

    # n2 has four rows, of which the third came at 50.6
    assert shown["cut"] == shown["lanes"]["from"] == clock.render(EPOCH + 50.6)
    assert [clock.parse(row["time"]) - EPOCH for row in shown["rows"]] == pytest.approx([50.6, 51])
    assert hub_view.show_timeline(reader, ["n1"], 20, EPOCH, now)["cut"] == clock.render(EPOCH + 1)


def test_a_file_to_which_no_hub_has_written_yet_is_shown_as_it_is(world, reader, monkeypatch):
    monkeypatch.setattr(type(reader), "hub", lambda _: {})
    shown = hub_view.show_timeline(reader, ["n1"], 20, None, EPOCH + world.now)
    assert len(shown["rows"]) == 2


def test_settled_leaves_flashes_out(world, reader) -> None:
    shown = hub_view.show_timeline(reader, ["n2"], 20, None, EPOCH + world.now, settled=True)
    assert [(row["to"], row["settled"]) for row in shown["rows"]] == [
        ("BACKUP", "yes"),
        ("MASTER", "yes"),
    ]


def test_one_the_hub_never_heard_of_is_missing(world, reader) -> None:
    shown = hub_view.show_timeline(reader, ["n1", "n7"], 20, None, EPOCH + world.now)
    assert shown["missing"] == {"n7": "the hub has heard nothing of it"}


def test_a_hub_that_does_not_run_is_noticed(world, reader) -> None:
    now = EPOCH + world.now
    assert hub_view.why_not(None, now) == "there is no hub on this master"
    assert hub_view.why_not(reader, now + 10) is None
    assert "has not run for" in hub_view.why_not(reader, now + 3600)
    assert hub_view.show_status(reader, [], now + 3600)["retcode"] == 2


def test_the_state_of_the_hub(world, reader) -> None:
    n1 = world.nodes["n1"]
    n1.row("BACKUP", 60)
    del n1.spool[-1]
    world.send({**n1.heartbeat(70), "seq": 1})
    world.step()
    data = hub_view.show_status(reader, ["n1", "n2", "n3"], EPOCH + world.now + 1)
    assert (data["running"], data["retcode"], data["signed"]) == (True, 0, True)
    of = {each["node"]: each for each in data["nodes"]}
    assert (of["n1"]["high"], of["n2"]["high"], of["n3"]["high"]) == (2, 4, None)
    assert of["n2"]["states"]["VI_1"]["state"] == "MASTER"
    assert of["n3"]["age"] is None
    ((minion, count),) = [(each["minion"], each["count"]) for each in data["rejected"]]
    assert (minion, count) == ("n1", 1)
    text = "\n".join(hub_table.screen({**data, "message": None}, table.Painter(False)))
    assert "hub  running" in text
    assert "signed events only" in text
    assert "never" in text
    assert "not believed, 1 times" in text


def test_rows_that_are_missing_are_an_exit_status(world, reader) -> None:
    n1 = world.nodes["n1"]
    n1.row("BACKUP", 65)
    world.unreachable.add("n1")
    world.send(n1.heartbeat(70))
    world.settle(10)
    data = hub_view.show_status(reader, ["n1"], EPOCH + world.now)
    assert (data["retcode"], data["nodes"][0]["lag"]) == (1, 1)


def test_a_lane_ends_where_its_node_was_heard_last(world, reader) -> None:
    def last_of(node: str, now: float) -> tuple[str, float]:
        shown = hub_view.show_timeline(reader, ["n1", "n2"], 20, None, now)["lanes"]
        (lane,) = (each for each in shown["lanes"] if each["node"] == node)
        span = lane["spans"][-1]
        return span["state"], clock.parse(span["to"])

    heard = EPOCH + world.now
    world.send(world.nodes["n2"].heartbeat(world.now))
    world.settle(1)

    assert last_of("n2", heard + 20) == ("MASTER", heard + 20)
    state, until = last_of("n2", heard + 500)
    assert state == "MASTER"
    assert until == pytest.approx(heard, abs=2)
    assert last_of("n1", heard + 500) == ("FAULT", pytest.approx(EPOCH + 60, abs=2))
