"""One word for the state of a VRRP instance, from what its nodes say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

#: The worst first.  The numbers are exit statuses as Nagios plugins use them.
VERDICTS = {
    "split brain": 2,
    "ghost vip": 2,
    "no master": 2,
    "hollow master": 2,
    "unknown": 3,
    "degraded": 1,
    "ok": 0,
}
_RANK = {verdict: place for place, verdict in enumerate(VERDICTS)}


def rank(verdict: str) -> int:
    """The place of a verdict among all, the worst is 0."""
    return _RANK[verdict]


def worst(verdicts: Iterable[str]) -> str:
    """The worst of several verdicts; of none, ``unknown``."""
    return min(verdicts, key=rank, default="unknown")


def retcode(verdicts: Iterable[str]) -> int:
    """The exit status for several verdicts: 0 ok, 1 degraded, 2 critical, 3 unknown."""
    return VERDICTS[worst(verdicts)]


def judge(rows: Sequence[Mapping[str, object]]) -> tuple[str, str]:
    """The verdict of one instance, and why.

    rows
        One per node that shall run it: ``node``; ``claim`` (MASTER, BACKUP, FAULT, STOP,
        ``missing`` or ``unknown``); ``holds_vip``: whether its addresses are on the interface
        (None when not known); ``drained`` (optional): whether it is kept from taking over.
    """
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
        f"{row['node']} is {_why_lame(row)}"
        for row in rows
        if row["claim"] not in _SOUND or row.get("drained")
    ]
    if lame:
        return "degraded", f"{masters[0]} holds the address; {', '.join(lame)}"
    others = len(rows) - 1
    return "ok", f"{masters[0]} holds the address, {others or 'none'} ready to take over"


_SOUND = frozenset({"MASTER", "BACKUP"})


def _why_lame(row: Mapping[str, object]) -> str:
    """A drained node is in FAULT or has the last priority because somebody wanted it so."""
    drained = row.get("drained") and row["claim"] in (*_SOUND, "FAULT")
    return "drained" if drained else str(row["claim"])


def _nodes(rows: Iterable[Mapping[str, object]]) -> list[str]:
    return [str(row["node"]) for row in rows]


def _and(nodes: Sequence[str]) -> str:
    return nodes[0] if len(nodes) == 1 else f"{', '.join(nodes[:-1])} and {nodes[-1]}"
