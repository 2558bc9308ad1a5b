"""Swim-lanes: what each node was when; what nobody knows is blank."""

from __future__ import annotations

import pytest

from keepalived_core.cluster import clock, lanes

T0 = 1_800_000_000.0


def row(node: str, at: float, before: str | None, to: str, **more: object) -> dict:
    return {
        "time": clock.render(T0 + at),
        "node": node,
        "type": "instance",
        "instance": "VI_1",
        "from": before,
        "to": to,
        "source": "fifo",
        "stream_id": "s",
        "seq": int(at) + 1,
        **more,
    }


def drawn(rows, known=None, begin=T0, now=T0 + 60, gaps=(), vips=(), width=66) -> dict[str, str]:
    """``{what stands before a lane: the lane}``, of one column a second (label n1, width 66)."""
    known = {key: (state, T0 + a, T0 + b) for key, (state, a, b) in (known or {}).items()}
    data = lanes.lanes(rows, vips, known, begin, now, gaps)
    lines = lanes.screen(data, lambda text, style: text, width)
    found = {}
    for line in lines:
        if line.strip() and not line.strip().startswith(("+", "#", "0")):
            label, _, lane = line.strip().partition("  ")
            found[label] = lane
    return found


N1 = ("n1", "VI_1")
CASES = {
    "a state lasts until the next": (
        [row("n1", 10, "MASTER", "FAULT"), row("n1", 20, "FAULT", "BACKUP")],
        {N1: ("BACKUP", 20, 60)},
        "#" * 10 + "!" * 10 + "-" * 40,
    ),
    "a node that wrote nothing is what its heartbeat says": (
        [row("n2", 1, "BACKUP", "MASTER")],
        {N1: ("BACKUP", -5000, 60)},
        "-" * 60,
    ),
    "a node that is not heard any more is blank from then on": (
        [row("n1", 10, "BACKUP", "MASTER")],
        {N1: ("MASTER", 10, 30)},
        "-" * 10 + "#" * 20,
    ),
    "before the first row of a new node nothing is known": (
        [row("n1", 10, None, "BACKUP")],
        {N1: ("BACKUP", 10, 60)},
        " " * 10 + "-" * 50,
    ),
    "without a word after its last row nothing is known": (
        [row("n1", 10, "BACKUP", "FAULT"), row("n1", 30, "FAULT", "BACKUP")],
        {},
        "-" * 10 + "!" * 20,
    ),
    "what a watch found when it came back was not so before": (
        [row("n1", 10, "BACKUP", "MASTER"), row("n1", 40, "MASTER", "FAULT", source="resync")],
        {N1: ("FAULT", 40, 60)},
        "-" * 10 + " " * 30 + "!" * 20,
    ),
    "a new stream says nothing of the time before it": (
        [
            row("n1", 10, "BACKUP", "MASTER"),
            row("n1", 40, "MASTER", "BACKUP", stream_id="t", seq=1),
        ],
        {N1: ("BACKUP", 40, 60)},
        "-" * 10 + " " * 30 + "-" * 20,
    ),
    "a failure shorter than a column is seen": (
        [row("n1", 10.2, "MASTER", "FAULT"), row("n1", 10.4, "FAULT", "MASTER", seq=12)],
        {N1: ("MASTER", 10.4, 60)},
        "#" * 10 + "!" + "#" * 49,
    ),
    "a flash shorter than half a column is not": (
        [row("n1", 10.2, "BACKUP", "MASTER"), row("n1", 10.4, "MASTER", "BACKUP", seq=12)],
        {N1: ("BACKUP", 10.4, 60)},
        "-" * 60,
    ),
    "a later word without its row leaves the time between open": (
        [row("n1", 10, "MASTER", "BACKUP")],
        {N1: ("MASTER", 50, 60)},
        "#" * 10 + " " * 40 + "#" * 10,
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_lane(name: str) -> None:
    rows, known, expected = CASES[name]
    assert drawn(rows, known)["n1"].ljust(60) == expected.ljust(60)[: len(expected)].ljust(60)


def test_rows_that_are_missing_are_blank() -> None:
    rows = [row("n1", 10, "BACKUP", "MASTER"), row("n1", 40, "MASTER", "BACKUP")]
    gap = {"node": "n1", "stream_id": "s", "first": 20, "last": 25, "why": "lost"}
    known = {N1: ("BACKUP", 40, 60)}
    assert drawn(rows, known)["n1"] == "-" * 10 + "#" * 30 + "-" * 20
    assert drawn(rows, known, gaps=[{**gap, "node": "n2"}])["n1"][15] == "#"
    assert drawn(rows, known, gaps=[gap])["n1"] == "-" * 10 + " " * 30 + "-" * 20


def test_seconds_without_an_owner_are_marked_and_named() -> None:
    gap = {"from": clock.render(T0 + 10), "to": clock.render(T0 + 13.5), "seconds": 3.5}
    open_gap = {"from": clock.render(T0 + 50), "to": None, "seconds": 10.0}
    data = lanes.lanes([], [{"vip": "v", "gaps": [gap, open_gap]}], {}, T0, T0 + 60)
    assert [each["to"] for each in data["without_owner"]] == [gap["to"], clock.render(T0 + 60)]
    shown = drawn([], vips=[{"vip": "n1", "gaps": [gap, open_gap]}])["n1"]
    marked = [at for at, sign in enumerate(shown) if sign == "x"]
    first, second = marked[:4], marked[4:]
    assert [at - first[0] for at in first] == [0, 1, 2, 3]
    assert [at - first[0] for at in second] == list(range(40, 50))
    assert [word for word in shown.split() if "x" not in word] == ["3.500", "s", "10.000", "s"]


def test_a_group_and_an_event_that_is_no_state_have_no_lane() -> None:
    rows = [
        row("n1", 1, None, "MASTER", type="group", instance="VG1"),
        row("n1", 2, None, "rx_lower"),
    ]
    assert lanes.lanes(rows, [], {}, T0, T0 + 60)["lanes"] == []
    assert drawn(rows) == {}


def test_where_there_is_no_time_there_is_nothing_to_draw() -> None:
    assert lanes.lanes([], [], {}, None, T0) is None
    assert lanes.lanes([], [], {}, T0 + 1, T0) is None


MASTER = {N1: ("MASTER", T0, T0 + 60)}


@pytest.mark.parametrize("width", [60, 100, 160])
def test_lanes_are_as_wide_as_the_screen(width: int) -> None:
    data = lanes.lanes([row("n1", 0, None, "MASTER")], [], MASTER, T0, T0 + 60)
    lines = lanes.screen(data, lambda text, style: text, width)
    assert len(lines[0]) == width
    assert max(map(len, lines)) <= max(width, 72)


def test_a_name_cannot_command_the_terminal() -> None:
    data = lanes.lanes([row("n\x1b[2J", 0, None, "MASTER")], [], {}, T0, T0 + 60)
    assert "\x1b" not in "".join(lanes.screen(data, lambda text, style: text, 80))
