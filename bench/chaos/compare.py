"""What was told against what was true.  Pure: lists in, findings out.

The truth of a node is when its kernel had the address.  The told is the rows of its timeline.  Both
become *flips* (the address came, the address went), and each flip of the one must have its partner
in the other, in the same order.  Times are microseconds of the one clock that all have.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Two clocks' readings of one thing: the watch may have waited for the processor.
TOLERANCE_US = 1_000_000
#: I1 asks for what lasts: an address that came and went within this may go unnoticed.
FLASH_US = 50_000
#: After its return the watch has so long to tell what became of everything.
CATCH_UP_US = 3_000_000

HELD, GONE = True, False
OFF_DUTY = ("BACKUP", "FAULT")


@dataclass(frozen=True)
class Flip:
    """The address of a node came (``held``) or went, at a time."""

    at: int
    held: bool
    why: str = ""


@dataclass(frozen=True)
class Window:
    """From when until when nobody watched a node; ``end`` None: to the last."""

    begin: int
    end: int | None = None

    def covers(self, at: int) -> bool:
        """Whether something at this time may have been missed, or be told with the time of the
        watch's return."""
        last = None if self.end is None else self.end + CATCH_UP_US
        return self.begin - TOLERANCE_US <= at and (last is None or at <= last)


@dataclass
class Finding:
    """One thing that is wrong: ``kind`` is lost, invented, order, doubled or state."""

    kind: str
    node: str
    at: int
    text: str


@dataclass
class Result:
    """``compared``: flips that were matched; ``blind``: flips while nobody watched, seen as their
    result; ``flashes``: too short to be owed; ``errors``: seconds between the kernel's time and
    the told one."""

    compared: int = 0
    blind: int = 0
    flashes: int = 0
    findings: list[Finding] = field(default_factory=list)
    errors: list[float] = field(default_factory=list)

    def count(self, kind: str) -> int:
        """How many findings of one kind."""
        return sum(finding.kind == kind for finding in self.findings)

    def add(self, other: Result) -> None:
        """Take in another node's."""
        self.compared += other.compared
        self.blind += other.blind
        self.flashes += other.flashes
        self.findings += other.findings
        self.errors += other.errors


def told_flips(rows: Iterable[Mapping[str, Any]], held: bool) -> list[Flip]:
    """What the rows of one node's instance say of its address, in their order.

    held: whether the node had it before the first row.
    """
    flips = []
    for row in rows:
        now = _held_after(row, held)
        if now != held:
            why = f"{row['from']}>{row['to']} ({row['reason']})"
            flips.append(Flip(row["monotonic_us"], now, why))
            held = now
    return flips


def _held_after(row: Mapping[str, Any], held: bool) -> bool:
    to = row["to"]
    if to == "MASTER":
        return HELD
    if to in OFF_DUTY and row["from"] in OFF_DUTY:
        return held  # only who leaves MASTER gives an address back: a ghost stays
    if to in (*OFF_DUTY, "STOP", "DELETED"):
        return GONE
    if to in ("ghost", "hollow", "restored") and row.get("vip_present") is not None:
        return bool(row["vip_present"])
    return held


def compare(
    node: str,
    truth: Sequence[Flip],
    rows: Sequence[Mapping[str, Any]],
    windows: Sequence[Window] = (),
    held: bool = False,
) -> Result:
    """Compare one node: every coming and going of its address against its rows.

    truth: in order of time.  rows: of one instance, in the order of the timeline.  windows: when
    nobody watched.  held: whether the node had the address at first.
    """
    result = Result()
    result.findings += chain(node, rows)
    mine = told_flips(rows, held)
    used = _match(truth, mine)
    partner_of = {told: true for true, told in used.items()}
    last = -1
    for index, flip in enumerate(truth):
        told = used.get(index)
        if told is not None:
            result.compared += 1
            result.errors.append((mine[told].at - flip.at) / 1e6)
            if told < last:
                text = f"{_shown(flip)} is told after what followed it"
                result.findings.append(Finding("order", node, flip.at, text))
            last = max(last, told)
        elif any(window.covers(flip.at) for window in windows):
            result.blind += 1
        elif _flash(truth, index, used):
            result.flashes += 1
        else:
            text = f"{_shown(flip)}, and no row tells it"
            result.findings.append(Finding("lost", node, flip.at, text))
    for index, flip in enumerate(mine):
        if index not in partner_of and not any(window.covers(flip.at) for window in windows):
            text = f"{_shown(flip)} by the row {flip.why}; the kernel knows nothing of it"
            result.findings.append(Finding("invented", node, flip.at, text))
    result.findings += _end_state(node, truth, mine, held)
    return result


def _match(truth: Sequence[Flip], mine: Sequence[Flip]) -> dict[int, int]:
    """Index in truth -> index in mine: equals close in time, each once, the nearest first."""
    pairs = sorted(
        (abs(flip.at - told.at), one, other)
        for one, flip in enumerate(truth)
        for other, told in enumerate(mine)
        if flip.held == told.held and abs(flip.at - told.at) <= TOLERANCE_US
    )
    found: dict[int, int] = {}
    taken: set[int] = set()
    for _, one, other in pairs:
        if one not in found and other not in taken:
            found[one] = other
            taken.add(other)
    return found


def _flash(truth: Sequence[Flip], index: int, used: Mapping[int, int]) -> bool:
    """Whether it and a neighbour, both untold, undo each other at once."""
    return any(
        0 <= other < len(truth)
        and other not in used
        and truth[other].held != truth[index].held
        and abs(truth[other].at - truth[index].at) <= FLASH_US
        for other in (index - 1, index + 1)
    )


def _end_state(node: str, truth: Sequence[Flip], mine: Sequence[Flip], held: bool) -> list[Finding]:
    true = truth[-1].held if truth else held
    told = mine[-1].held if mine else held
    if true == told:
        return []
    at = max([flip.at for flip in (*truth[-1:], *mine[-1:])], default=0)
    text = f"at the end the node {_has(true)} the address, its timeline says it {_has(told)} it"
    return [Finding("state", node, at, text)]


def chain(node: str, rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Look at one instance's rows by themselves: each begins where the one before ended, each
    number comes once, and they rise."""
    found = []
    state: str | None = None
    seen: dict[str, int] = {}
    keys = set()
    for row in rows:
        stream, seq, at = row["stream_id"], row["seq"], row["monotonic_us"]
        if (stream, seq) in keys:
            found.append(Finding("doubled", node, at, f"row {seq} comes twice"))
            continue
        keys.add((stream, seq))
        if seq < seen.get(stream, 0):
            text = f"row {seq} comes after row {seen[stream]}"
            found.append(Finding("order", node, at, text))
        seen[stream] = max(seq, seen.get(stream, 0))
        if row["to"].isupper():
            if state is not None and row["from"] != state:
                text = f"row {seq} leaves {row['from']}, the one before led to {state}"
                found.append(Finding("order", node, at, text))
            state = row["to"]
    return found


def gaps(node: str, rows: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """Look for numbers that no row of the node has.  rows: all of its rows, of every type."""
    found = []
    streams: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        streams.setdefault(row["stream_id"], []).append(row)
    for mine in streams.values():
        numbers = {row["seq"] for row in mine}
        missing = sorted(set(range(min(numbers), max(numbers) + 1)) - numbers)
        if missing:
            text = f"no row {', '.join(map(str, missing[:9]))} ({len(missing)} missing)"
            found.append(Finding("lost", node, mine[0]["monotonic_us"], text))
    return found


def master_near(rows: Iterable[Mapping[str, Any]], at: int) -> bool:
    """Whether one instance's rows have it as MASTER then, or a tolerance earlier or later."""
    state: str | None = None
    since = at - 2 * TOLERANCE_US
    for row in (*(row for row in rows if row["to"].isupper()), None):
        until = row["monotonic_us"] if row else at + 2 * TOLERANCE_US
        before = row["from"] if row and state is None else state
        if before in (None, "MASTER") and since <= at + TOLERANCE_US and until >= at - TOLERANCE_US:
            return True
        if row:
            state, since = row["to"], until
    return False


def delivered(
    journals: Mapping[str, Sequence[Mapping[str, Any]]], hub: Sequence[Mapping[str, Any]]
) -> Result:
    """Compare the hub's timeline with the journals that the nodes keep: every row once, in order.

    hub: rows with ``node``, ``stream_id``, ``seq`` and ``to``, in the timeline's order; rows of
    other times are passed over.  ``errors`` are the seconds that each took to arrive.
    """
    result = Result()
    expected = {
        (name, row["stream_id"], row["seq"]): row for name, rows in journals.items() for row in rows
    }
    seen: set[tuple[str, str, int]] = set()
    last: dict[tuple[str, str], int] = {}
    for row in hub:
        name, stream, seq = key = (row["node"], row["stream_id"], row["seq"])
        if key not in expected:
            continue
        at = expected[key]["monotonic_us"]
        if key in seen:
            result.findings.append(Finding("doubled", name, at, f"the hub has row {seq} twice"))
            continue
        seen.add(key)
        if row["to"] != expected[key]["to"]:
            text = f"the hub has row {seq} as {row['to']}, it is {expected[key]['to']}"
            result.findings.append(Finding("invented", name, at, text))
        if seq < last.get((name, stream), 0):
            text = f"the hub has row {seq} after row {last[name, stream]}"
            result.findings.append(Finding("order", name, at, text))
        last[name, stream] = max(seq, last.get((name, stream), 0))
        result.compared += 1
        result.errors.append(row["seconds"])
    for name, stream, seq in sorted(expected.keys() - seen):
        at = expected[name, stream, seq]["monotonic_us"]
        text = f"the hub has no row {seq} of {stream[:8]}"
        result.findings.append(Finding("lost", name, at, text))
    return result


def unowned(
    flips: Mapping[str, Sequence[Flip]],
    held: Mapping[str, bool],
    begin: int,
    end: int,
    blind: Iterable[Window] = (),
) -> tuple[float, float]:
    """(seconds without an owner, seconds with more than one) between two times.

    blind: what to leave out, for nobody can have told it.
    """
    moves: list[tuple[int, int, str]] = [
        (flip.at, 1 if flip.held else -1, node) for node, mine in flips.items() for flip in mine
    ]
    for window in blind:
        last = end if window.end is None else window.end + CATCH_UP_US
        moves += [(window.begin - TOLERANCE_US, 1, ""), (last, -1, "")]
    owners = {node for node, has in held.items() if has}
    nobody = several = shut = 0
    last = begin
    # by time alone: of one time the order is the node's own
    for at, change, node in [*sorted(moves, key=lambda move: move[0]), (end, 0, "")]:
        at = min(max(at, begin), end)
        if not shut:
            nobody += (at - last) * (not owners)
            several += (at - last) * (len(owners) > 1)
        last = at
        if not node:
            shut += change
        elif change > 0:
            owners.add(node)
        else:
            owners.discard(node)
    return nobody / 1e6, several / 1e6


def _shown(flip: Flip) -> str:
    return f"the address {'came' if flip.held else 'went'} at {flip.at / 1e6:.3f}"


def _has(held: bool) -> str:
    return "has" if held else "has not"
