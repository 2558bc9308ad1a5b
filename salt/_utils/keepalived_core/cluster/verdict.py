"""One word for the state of a VRRP instance, from what its nodes say and who answers for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .mismatch import Difference

#: The worst first.  The numbers are exit statuses as Nagios plugins use them.
VERDICTS = {
    "split brain": 2,
    "ghost vip": 2,
    "no master": 2,
    "hollow master": 2,
    "unknown": 3,
    "mismatch": 1,
    "flapping": 1,
    "degraded": 1,
    "ok": 0,
}
_RANK = {verdict: place for place, verdict in enumerate(VERDICTS)}
_WORDS = {2: "critical", 3: "unknown", 1: "warnings", 0: "ok"}

Row = Mapping[str, Any]
Verdict = tuple[str, str]


def rank(verdict: str) -> int:
    """The place of a verdict among all, the worst is 0."""
    return _RANK[verdict]


def worst(verdicts: Iterable[str]) -> str:
    """The worst of several verdicts; of none, ``unknown``."""
    return min(verdicts, key=rank, default="unknown")


def retcode(verdicts: Iterable[str]) -> int:
    """The exit status for several verdicts: 0 ok, 1 a warning, 2 critical, 3 unknown."""
    return VERDICTS[worst(verdicts)]


def tally(verdicts: Iterable[str]) -> dict[str, int]:
    """How many verdicts are critical, unknown, warnings and ok."""
    found = dict.fromkeys(_WORDS.values(), 0)
    for verdict in verdicts:
        found[_WORDS[VERDICTS[verdict]]] += 1
    return found


def judge(
    rows: Sequence[Row],
    wire: Sequence[Mapping[str, Any]] = (),
    differ: Sequence[Difference] = (),
    flapping: str | None = None,
) -> Verdict:
    """The verdict of one instance, and why.

    rows
        One per node that shall run it: ``node``; ``claim`` (MASTER, BACKUP, FAULT, STOP,
        ``missing`` or ``unknown``); ``holds_vip``: whether its addresses are on the interface
        (None when not known); ``drained`` (optional): whether it is kept from taking over; ``at``
        (optional): when it answered, None when it did not.
    wire
        Who answers for each address (:func:`answerer.truth`).
    differ
        What the nodes run unlike each other (:func:`mismatch.differences`).
    flapping
        Why it counts as flapping, None when it does not.
    """
    claimed = _claimed(rows)
    if claimed[0] == "unknown":
        claimed = _with_answers(claimed, wire)
    found = [claimed, *_answered(rows, wire)]
    if differ:
        found.append(("mismatch", differ[0].text))
    if flapping:
        found.append(("flapping", flapping))
    return min(found, key=lambda each: rank(each[0]))


def _claimed(rows: Sequence[Row]) -> Verdict:
    """By what keepalived claims and the kernels have."""
    masters = _nodes(row for row in rows if row["claim"] == "MASTER")
    holders = _nodes(row for row in rows if row["holds_vip"] is True)
    silent = _nodes(row for row in rows if row["claim"] == "unknown")
    # one that does not answer may well be MASTER (frozen): that is no ghost
    ghosts = [node for node in holders if node not in masters and node not in silent]
    hollow = _nodes(row for row in rows if row["claim"] == "MASTER" and row["holds_vip"] is False)
    if len(masters) > 1:
        return "split brain", f"{_and(masters)} all claim MASTER"
    if len(holders) - len(ghosts) > 1:
        return "split brain", f"{_and(holders)} all hold the address"
    if ghosts:
        beside = f", beside {masters[0]}, which is" if masters else ""
        return "ghost vip", f"{ghosts[0]} holds the address without being MASTER{beside}"
    if hollow:
        return "hollow master", f"{hollow[0]} is MASTER without the address on its interface"
    if not masters:
        if silent:
            return "unknown", f"no MASTER among those that answered; unknown: {_and(silent)}"
        return "no master", "no node holds the address"
    lame = [
        f"{row['node']} is {why_lame(row)}"
        for row in rows
        if row["claim"] not in SOUND or row.get("drained")
    ]
    if lame:
        return "degraded", f"{masters[0]} holds the address; {', '.join(lame)}"
    others = len(rows) - 1
    return "ok", f"{masters[0]} holds the address, {others or 'none'} ready to take over"


def _answered(rows: Sequence[Row], wire: Sequence[Mapping[str, Any]]) -> Iterable[Verdict]:
    """By who answers for the addresses; of several addresses the first with the worst."""
    heard = {str(row["node"]) for row in rows if row.get("at") is not None}
    silent = [str(row["node"]) for row in rows if row.get("at") is None]
    for one in wire:
        if one["asked"] is None or not one["holders"]:
            continue
        address, holders = one["address"], one["holders"]
        who = [(answer["mac"], answer["nodes"]) for answer in one["answers"]]
        strangers = [mac for mac, nodes in who if not nodes]
        others = [node for _, nodes in who for node in nodes if node not in holders]
        gone = [node for node in others if node not in heard]
        if strangers or gone:
            yield "split brain", f"{_both(address, holders, strangers, gone, silent)}"
        elif others:
            yield "ghost vip", f"{_and(others)} answers for {address} without having it"
        elif not who and one["reached"]:
            yield (
                "hollow master",
                f"{_and(holders)} has {address}, but nobody answers for it (asked from "
                f"{one['asked']}, which reaches {_and(one['reached'])} otherwise)",
            )


def _both(
    address: str,
    holders: Sequence[str],
    strangers: Sequence[str],
    gone: Sequence[str],
    silent: Sequence[str],
) -> str:
    if gone:
        return (
            f"{_and(holders)} holds {address}, and {_and(gone)}, which does not answer the "
            "master, answers for it"
        )
    whose = "of no node here" if not silent else f"of {' or '.join(silent)}, or of a stranger"
    return f"{_and(holders)} holds {address}, and {_and(strangers)} ({whose}) answers for it"


def _with_answers(claimed: Verdict, wire: Iterable[Mapping[str, Any]]) -> Verdict:
    """Nobody who was heard is MASTER: then who answers is worth a word."""
    for one in wire:
        who = [" ".join(answer["nodes"]) or answer["mac"] for answer in one["answers"]]
        if who:
            return claimed[0], f"{claimed[1]}; {_and(who)} answers for {one['address']}"
    return claimed


SOUND = frozenset({"MASTER", "BACKUP"})


def why_lame(row: Row) -> str:
    """A drained node is in FAULT or has the last priority because somebody wanted it so."""
    drained = row.get("drained") and row["claim"] in (*SOUND, "FAULT")
    return "drained" if drained else str(row["claim"])


def _nodes(rows: Iterable[Row]) -> list[str]:
    return [str(row["node"]) for row in rows]


def _and(nodes: Sequence[str]) -> str:
    return nodes[0] if len(nodes) == 1 else f"{', '.join(nodes[:-1])} and {nodes[-1]}"
