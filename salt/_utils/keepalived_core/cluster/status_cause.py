"""Why an instance is as it is, from evidence alone, and what is safe to do next.  Pure.

Classes of causes are those of incidents (docs/incidents.md) and a few that only a fresh look at all
nodes can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .mismatch import SETTINGS, Difference
from .verdict import SOUND, why_lame

Row = Mapping[str, Any]
Cause = dict[str, Any]

#: keepalived's counters of adverts that it did not accept -> what the peer has otherwise.
REFUSED = {
    "authtype_mismatch": "auth_type",
    "invalid_authtype": "auth_type",
    "auth_failure": "auth_pass",
    "advert_interval_err": "advert_int",
    "addr_list_err": "vip_list",
    "invalid_type_rcvd": "version",
    "packet_len_err": "vip_list",
    "ip_ttl_err": "ttl",
}

_ADVERTS = (
    "on the node that receives none: salt {node} keepalived_firewall.check; "
    "salt {node} keepalived.adverts"
)
_AUDIT = "salt-run keepalived.audit {cluster}; then the pillar, and salt-run keepalived.rollout"
#: (verdict, class of the cause) or the verdict alone -> the next step that is safe.
NEXT = {
    ("split brain", "no_adverts"): _ADVERTS,
    ("split brain", "one_way"): _ADVERTS,
    ("split brain", "stranger"): "find that hardware address in the switch, and take the address "
    "from the machine behind it; change nothing on the nodes",
    ("split brain", "silent"): "reach {node} by another way than Salt; is it cut off from its "
    "peers too, then switch it off or take the address from it",
    ("split brain", "frozen"): "see what stopped keepalived on {node}; let it run on (SIGCONT), "
    "or restart it there: salt {node} service.restart keepalived",
    **{("split brain", word): _AUDIT for word in (*SETTINGS, "auth_pass", "ttl")},
    ("split brain", ""): "change nothing on the nodes yet: salt-run keepalived.audit {cluster}; "
    "salt {node} keepalived.adverts",
    ("ghost vip", "ghost_vip"): "when another node is MASTER, remove it there: salt {node} cmd.run "
    "'ip address del {address} dev INTERFACE'",
    ("ghost vip", "answers"): "see where {node} has it: salt {node} cmd.run 'ip address; ip neigh "
    "show proxy'",
    ("ghost vip", ""): "salt {node} service.start keepalived: it takes away what it does not own",
    ("hollow master", "no_answer"): "see what keeps {node} from answering: salt {node} cmd.run "
    "'sysctl -a -r arp_' and its ARP filter; else salt-run keepalived.drain {node}",
    ("hollow master", ""): "salt {node} service.restart keepalived: it puts the address back, or "
    "a peer takes over",
    ("no master", "stranger"): "another router uses this virtual_router_id: salt-run "
    "keepalived.audit {cluster}; find its hardware address in the switch",
    ("no master", "stopped"): "salt {node} service.start keepalived",
    ("no master", "drained"): "salt-run keepalived.undrain {node}",
    ("no master", ""): "salt {node} keepalived.checks; repair what fails, on one node first",
    ("unknown", ""): "salt {node} test.ping; reach the node by another way",
    ("mismatch", ""): _AUDIT,
    ("flapping", ""): "salt-run keepalived.drain {node}, then look for what its check or link does",
    ("degraded", "drained"): "salt-run keepalived.undrain {node}, when its work is done",
    ("degraded", "stopped"): "salt {node} service.start keepalived",
    ("degraded", "silent"): "salt {node} test.ping; reach the node by another way",
    ("degraded", "missing"): "salt {node} state.apply keepalived test=True",
    ("degraded", ""): "salt {node} keepalived.checks; repair what keeps it in FAULT",
}
_WORD = {"FAULT": "fault", "STOP": "stopped", "unknown": "silent", "missing": "missing"}


def cause(
    verdict: str,
    rows: Sequence[Row],
    wire: Sequence[Mapping[str, Any]] = (),
    differ: Sequence[Difference] = (),
    before: Iterable[Row] = (),
) -> Cause | None:
    """What the evidence says of the cause: ``{"class", "text", "nodes"}``; None for ``ok``, or
    when it says nothing.

    rows, wire, differ
        As :func:`verdict.judge` takes them.
    before
        The rows of a moment earlier: whether adverts came in since then.
    """
    earlier = {str(row["node"]): row for row in before}
    if verdict == "split brain":
        return _of_split(rows, wire, differ, earlier)
    if verdict == "ghost vip":
        return _of_ghost(rows)
    if verdict == "hollow master":
        return _of_hollow(rows)
    if verdict == "no master":
        return _of_none(rows, wire)
    if verdict == "mismatch":
        return _said(differ[0].setting, differ[0].text, differ[0].nodes)
    if verdict in ("unknown", "degraded"):
        return _of_lame(rows)
    return None


def next_step(
    verdict: str,
    cause: Mapping[str, Any] | None,
    rows: Sequence[Row],
    cluster: str,
    vips: Sequence[str],
) -> str | None:
    """What is safe to do now, in one line; None when nothing has to be done.

    vips
        The addresses of the instance.
    """
    if verdict == "ok":
        return None
    word = str(cause["class"]) if cause else ""
    text = NEXT.get((verdict, word), NEXT[verdict, ""])
    nodes = list((cause or {}).get("nodes", ())) or [
        str(row["node"]) for row in rows if row["claim"] != "BACKUP"
    ]
    return text.format(
        node=nodes[0] if nodes else "NODE",
        cluster=cluster,
        address=vips[0] if vips else "ADDRESS",
    )


def _of_split(
    rows: Sequence[Row],
    wire: Iterable[Mapping[str, Any]],
    differ: Iterable[Difference],
    earlier: Mapping[str, Row],
) -> Cause | None:
    owners = [row for row in rows if row["claim"] == "MASTER" or row["holds_vip"] is True]
    frozen = [row for row in owners if row["claim"] == "unknown"]
    if frozen:
        nodes = _names(frozen)
        why = frozen[0].get("problem") or "its keepalived does not answer"
        return _said("frozen", f"{nodes[0]} holds the address, and {why}", nodes)
    if len(owners) < 2:
        return _of_other_answers(rows, wire)
    concerned = set(_names(owners))
    for each in differ:
        if concerned & set(each.nodes) and _divides(each.setting, owners):
            return _said(each.setting, each.text, each.nodes)
    return _of_adverts(owners, earlier)


def _divides(setting: str, owners: Iterable[Row]) -> bool:
    """Whether nodes that differ in it refuse each other's adverts."""
    if setting == "advert_int":
        # version 3 takes the interval of whoever sends
        return any((row.get("runs") or {}).get("version") != 3 for row in owners)
    return setting != "excluded"


def _of_other_answers(rows: Sequence[Row], wire: Iterable[Mapping[str, Any]]) -> Cause | None:
    silent = [str(row["node"]) for row in rows if row.get("at") is None]
    for one in wire:
        for answer in one["answers"]:
            gone = [node for node in answer["nodes"] if node in silent]
            if gone:
                text = f"{answer['mac']}, which answers for {one['address']}, is {gone[0]}'s"
                return _said("silent", text, gone)
            if not answer["nodes"]:
                whose = " or ".join(["a stranger", *silent])
                text = f"{answer['mac']}, which answers for {one['address']}, is {whose}'s"
                return _said("silent" if silent else "stranger", text, silent)
    return None


def _of_adverts(owners: Sequence[Row], earlier: Mapping[str, Row]) -> Cause | None:
    """What each owner heard since a moment ago."""
    deaf: list[str] = []
    hearing: list[str] = []
    for row in owners:
        then = earlier.get(str(row["node"]))
        if then is None or row["claim"] != "MASTER":
            return None
        for counter, setting in REFUSED.items():
            more = _grown(then, row, counter)
            if more:
                text = f"{row['node']} refuses the adverts it receives ({counter} +{more})"
                return _said(setting, text, [str(row["node"])])
        heard = _received(then, row)
        if heard is None:
            return None
        (hearing if heard else deaf).append(str(row["node"]))
    if not hearing:
        text = f"neither {' nor '.join(deaf)} receives an advert: a firewall, or the path"
        return _said("no_adverts", text, deaf)
    if deaf:
        text = (
            f"{', '.join(hearing)} receives adverts, {', '.join(deaf)} receives none: they are "
            f"lost on the way to {deaf[0]}, or its firewall drops them"
        )
        return _said("one_way", text, deaf)
    return None


def _received(then: Row, now: Row) -> int | None:
    first, last = (row.get("adverts", {}).get("received") for row in (then, now))
    if not isinstance(first, int) or not isinstance(last, int) or last < first:
        return None
    return last - first


def _grown(then: Row, now: Row, counter: str) -> int:
    first, last = ((row.get("adverts", {}).get("rejected") or {}) for row in (then, now))
    if not isinstance(first, Mapping) or not isinstance(last, Mapping):
        return 0
    more = (last.get(counter) or 0) - (first.get(counter) or 0)
    return more if isinstance(more, int) and more > 0 else 0


def _of_ghost(rows: Sequence[Row]) -> Cause:
    ghosts = [row for row in rows if row["holds_vip"] is True and row["claim"] != "MASTER"]
    if not ghosts:
        others = [row for row in rows if row.get("answers") and row["claim"] != "MASTER"]
        nodes = _names(others)
        text = f"{', '.join(nodes)} has it on an interface keepalived does not know, or proxies it"
        return _said("answers", text, nodes)
    row = ghosts[0]
    if row["claim"] == "STOP":
        text = f"keepalived does not run on {row['node']}; it was killed, and the address stayed"
        return _said("stopped", text, _names(ghosts))
    text = f"{row['node']} is {row['claim']} and has the address: somebody else put it there"
    return _said("ghost_vip", text, _names(ghosts))


def _of_hollow(rows: Sequence[Row]) -> Cause:
    bare = [row for row in rows if row["claim"] == "MASTER" and row["holds_vip"] is False]
    if bare:
        text = f"the address was removed from {bare[0]['node']}, by hand or by another program"
        return _said("hollow_master", text, _names(bare))
    owners = [row for row in rows if row["holds_vip"] is True]
    text = f"{', '.join(_names(owners))} does not answer for an address on its own interface"
    return _said("no_answer", text, _names(owners))


def _of_none(rows: Sequence[Row], wire: Iterable[Mapping[str, Any]]) -> Cause:
    macs = sorted({a["mac"] for one in wire for a in one["answers"] if not a["nodes"]})
    ready = [row for row in rows if row["claim"] == "BACKUP"]
    if len(ready) == len(rows) and rows:
        # a BACKUP that hears nobody becomes MASTER
        whose = f" at {', '.join(macs)}" if macs else ""
        text = f"all nodes are BACKUP: they hear a router that is none of them{whose}"
        return _said("stranger", text, [])
    found = _of_lame(rows) or _said("no_election", "a node is ready and does not become MASTER", [])
    if macs:
        found["text"] += f"; a stranger ({', '.join(macs)}) answers for the address"
    return found


def _of_lame(rows: Sequence[Row]) -> Cause | None:
    lame = [row for row in rows if row["claim"] not in SOUND or row.get("drained")]
    if not lame:
        return None
    words = {_WORD.get(why_lame(row), why_lame(row)) for row in lame}
    texts = [f"{row['node']} is {_lame(row)}" for row in lame]
    return _said(words.pop() if len(words) == 1 else "several", "; ".join(texts), _names(lame))


def _lame(row: Row) -> str:
    why, note = why_lame(row), str(row.get("note") or "")
    if note.startswith(why):
        return note
    return f"{why} ({note})" if note else why


def _said(word: str, text: str, nodes: Sequence[str]) -> dict[str, Any]:
    return {"class": word, "text": text, "nodes": list(nodes)}


def _names(rows: Iterable[Row]) -> list[str]:
    return [str(row["node"]) for row in rows]
