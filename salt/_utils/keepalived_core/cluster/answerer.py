"""Who answers for the virtual addresses on the wire: whom to ask, and what the answers mean.  Pure.

A node that does not hold the address is asked, for a holder's own answer never comes over the
wire.  It is also asked for one address of each holder's own: when not even that is answered, it
cannot reach the holder, and that nobody answers for the virtual address says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .answers import Answer, last_line
from .event import printable

#: The first bytes of a virtual router's hardware address (RFC 5798, 7.3); the VRID follows.
VIRTUAL = {4: "00:00:5e:00:01", 6: "00:00:5e:00:02"}
#: Who is asked first: a BACKUP has a link that works and is on the same network.
_ASKED_FIRST = {"BACKUP": 0, "INIT": 1, "FAULT": 2, "STOP": 3, "unknown": 4}
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.ASCII)
#: So many answers for one address are kept.
_MOST = 16


def plan(tables: Iterable[Mapping[str, Sequence[Mapping[str, Any]]]]) -> dict[str, list[str]]:
    """Which node is to be asked for which addresses: one for each instance.

    tables
        Of each cluster what ``facts.by_instance`` returns.

    Returns ``{node: addresses}``; an instance that nobody can ask about is in none of them.
    """
    found: dict[str, dict[str, None]] = {}
    for table in tables:
        for rows in table.values():
            node = asker(rows)
            if node is None:
                continue
            asked = found.setdefault(node, {})
            asked.update(dict.fromkeys(_addresses(rows)))
            for row in rows:
                if row.get("held"):
                    asked.update(dict.fromkeys(row.get("own", ())))
    return {node: list(asked) for node, asked in sorted(found.items()) if asked}


def asker(rows: Iterable[Mapping[str, Any]]) -> str | None:
    """The node to ask about an instance: one that answers and holds none of its addresses."""
    free = [
        (_ASKED_FIRST.get(str(row["claim"]), 5), str(row["node"]))
        for row in rows
        if row.get("at") is not None and not row.get("held")
    ]
    return min(free)[1] if free else None


def owners(
    answers: Mapping[str, Answer], last_known: Mapping[str, Iterable[str]], nodes: Iterable[str]
) -> dict[str, list[str]]:
    """``{hardware address: the nodes that have it}`` of a cluster.

    last_known
        ``{node: its hardware addresses}``, for nodes that do not answer.
    """
    found: dict[str, list[str]] = {}
    for node in nodes:
        answer = answers.get(node)
        said = answer.said if answer else None
        links = said.get("interfaces") if isinstance(said, Mapping) else None
        macs = [
            str(link.get("mac"))
            for link in (links.values() if isinstance(links, Mapping) else ())
            if isinstance(link, Mapping)
        ]
        for mac in macs or last_known.get(node, ()):
            if _MAC.fullmatch(mac) and not mac.startswith(tuple(VIRTUAL.values())):
                nodes_of = found.setdefault(mac, [])
                if node not in nodes_of:
                    nodes_of.append(node)
    return found


def truth(
    rows: Sequence[Mapping[str, Any]],
    replies: Mapping[str, Answer] | None,
    owners: Mapping[str, Sequence[str]],
) -> list[dict[str, Any]]:
    """Of each virtual address of an instance: who holds it, and who answers for it.

    replies
        ``{node: Answer}`` of ``keepalived.answers``; None: nobody was asked.
    owners
        As :func:`owners` returns them.

    Returns ``[{"address", "holders", "asked", "why_not", "answers": [{"mac", "nodes"}],
    "reached"}]``.  ``asked`` is the node that asked, None when none could, and ``why_not`` says
    why; ``nodes`` is empty for a stranger; ``reached`` are the holders that ``asked`` can reach.
    """
    node = asker(rows)
    why = None
    said: Mapping[str, Any] = {}
    if replies is None:
        why = "nobody was asked"
    elif node is None:
        why = "every node that answers holds it, and none of them can ask"
    elif (reply := replies.get(node)) is None:
        why = f"{node} did not answer in time"
    elif not isinstance(reply.said, Mapping):
        why = f"{node}: {last_line(reply.said)}"
    else:
        said = reply.said
    own_addresses = {ip for row in rows for ip in row.get("own", ())}
    reach: dict[str, set[str]] = {}
    proxies: set[str] = set()
    for address, one in said.items():
        for mac in _macs(one):
            nodes = owners.get(mac, ())
            reach.setdefault(str(one.get("interface")), set()).update(nodes)
            if not nodes and address in own_addresses:
                proxies.add(mac)
    found = []
    for address in _addresses(rows):
        holders = [str(row["node"]) for row in rows if address in row.get("held", ())]
        told: dict[str, Any] = {"asked": None, "why_not": why, "answers": [], "reached": []}
        if why is None:
            told = _told(address, holders, rows, str(node), said.get(address), owners, proxies)
            near = reach.get(told.pop("on"), set())
            told["reached"] = [each for each in holders if each in near]
        found.append({"address": address, "holders": holders, **told})
    return found


def _told(
    address: str,
    holders: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    node: str,
    one: object,
    owners: Mapping[str, Sequence[str]],
    proxies: set[str],
) -> dict[str, Any]:
    """What the node that asked says of one address; ``on``: on which interface it did."""
    if not isinstance(one, Mapping) or one.get("problem"):
        problem = one.get("problem") if isinstance(one, Mapping) else "it says nothing of it"
        why = f"{node}: {printable(str(problem))[:120]}"
        return {"asked": None, "why_not": why, "answers": [], "on": ""}
    macs = _macs(one)
    if proxies & set(macs):
        mac = sorted(proxies & set(macs))[0]
        why = f"{node}: {mac} answers for the nodes' own addresses too, so an answer tells nothing"
        return {"asked": None, "why_not": why, "answers": [], "on": ""}
    answers = [
        {"mac": mac, "nodes": _nodes_of(mac, address, holders, rows, owners)} for mac in macs
    ]
    return {"asked": node, "why_not": None, "answers": answers, "on": str(one.get("interface"))}


def mark(rows: Iterable[dict[str, Any]], wire: Iterable[Mapping[str, Any]]) -> None:
    """Enter into each row whether its node answers; None where nobody could be asked.

    A node that holds addresses answers when it does so for all of them, another one when it does so
    for any.
    """
    asked = [each for each in wire if each["asked"] is not None]
    for row in rows:
        node = row["node"]
        if not asked:
            continue
        answered = {each["address"] for each in asked if node in _answering(each)}
        held = {each["address"] for each in asked if node in each["holders"]}
        if held:
            row["answers"] = held <= answered
        elif answered or row.get("at") is not None:
            row["answers"] = bool(answered)


def _answering(one: Mapping[str, Any]) -> set[str]:
    return {node for answer in one["answers"] for node in answer["nodes"]}


def _nodes_of(
    mac: str,
    address: str,
    holders: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    owners: Mapping[str, Sequence[str]],
) -> list[str]:
    """Whose that is; the address of a virtual router belongs to whoever is it."""
    if mac[:14] in VIRTUAL.values():
        return [
            str(row["node"])
            for row in rows
            if row.get("vmac")
            and str(row["node"]) in holders
            and mac == virtual_mac(row.get("vrid"), address)
        ]
    nodes = owners.get(mac, ())
    # copied machines may have one hardware address: then it is the holder's answer
    return [node for node in nodes if node in holders] or list(nodes)


def virtual_mac(vrid: object, address: str) -> str | None:
    """The hardware address of a virtual router."""
    if not isinstance(vrid, int) or not 0 < vrid < 256:
        return None
    return f"{VIRTUAL[6 if ':' in address else 4]}:{vrid:02x}"


def _macs(one: object) -> list[str]:
    macs = one.get("macs") if isinstance(one, Mapping) else None
    listed = macs[:_MOST] if isinstance(macs, (list, tuple)) else ()
    return [mac for mac in listed if isinstance(mac, str) and _MAC.fullmatch(mac)]


def _addresses(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        found.update(dict.fromkeys(str(vip).partition("/")[0] for vip in row.get("vips", ())))
    return list(found)
