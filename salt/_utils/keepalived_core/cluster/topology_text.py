"""The topology as a tree for a terminal, and as a Mermaid graph.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .event import printable
from .paint import Painter
from .topology import owner_style, owner_text, shared_tracks, track_text

_CLAIMS = {"MASTER": "good", "BACKUP": "", "unknown": "warn"}
_OWNERS = {"good": "good", "warn": "warn", "bad": "bad", "none": ""}
#: (branch, last branch, line, no line)
UTF8 = ("├─ ", "└─ ", "│  ", "   ")
ASCII = ("|- ", "`- ", "|  ", "   ")

Twig = tuple[str, list[Any]]


def tree(data: Mapping[str, Any], painter: Painter, *, ascii_only: bool = False) -> list[str]:
    """Lines of a tree: clusters, their instances, under each its addresses and nodes.

    ascii_only
        Draw the branches without characters that a terminal of old does not have.
    """
    lines: list[str] = []
    for cluster in data["clusters"]:
        if lines:
            lines.append("")
        lines.append(painter.paint(printable(str(cluster["cluster"])), "head") + _count(cluster))
        if cluster["problem"]:
            lines.append(painter.paint(printable(str(cluster["problem"])), "bad"))
        twigs = _silent(cluster, painter)
        for group in cluster["sync_groups"]:
            members = ", ".join(map(str, group["instances"]))
            twigs.append((printable(f"sync group {group['group']}: {members}"), []))
        twigs += [_instance(each, painter) for each in cluster["instances"]]
        lines += _draw(twigs, ASCII if ascii_only else UTF8)
    return lines


def _count(cluster: Mapping[str, Any]) -> str:
    answered = [node["answered"] for node in cluster["nodes"]]
    if None in answered:
        return f"  {len(answered)} nodes, from the pillar alone"
    return f"  {sum(answered)} of {len(answered)} nodes answered"


def _silent(cluster: Mapping[str, Any], painter: Painter) -> list[Twig]:
    return [
        (painter.paint(printable(f"{node['node']}: unknown ({node['note']})"), "warn"), [])
        for node in cluster["nodes"]
        if node["answered"] is False
    ]


def _instance(each: Mapping[str, Any], painter: Painter) -> Twig:
    twigs: list[Twig] = [(_vip(vip, painter), []) for vip in each["vips"]]
    common = shared_tracks(each)
    twigs += [_node(node, painter, tracks=common is None) for node in each["nodes"]]
    if common:
        twigs.append(("every node tracks", [(printable(track_text(one)), []) for one in common]))
    return printable(title(each)), twigs


def title(each: Mapping[str, Any]) -> str:
    """An instance in one line."""
    vrid = "no vrid" if each["vrid"] is None else f"vrid {each['vrid']}"
    group = f"  group {each['sync_group']}" if each["sync_group"] else ""
    return f"{each['instance']}  {vrid}  IPv{each['family']}{group}"


def where(vip: Mapping[str, Any]) -> str:
    """An address with its interface, or its interfaces where nodes differ."""
    names = list(dict.fromkeys(vip["interfaces"].values()))
    text = f"{vip['address']} dev {names[0]}"
    if len(names) > 1:
        listed = ", ".join(f"{node} {name}" for node, name in vip["interfaces"].items())
        text = f"{vip['address']} dev ({listed})"
    return text + (" (excluded from adverts)" if vip["excluded"] else "")


def _vip(vip: Mapping[str, Any], painter: Painter) -> str:
    said = owner_text(vip)
    text = printable(where(vip))
    return f"{text}  {painter.paint(printable(said), _OWNERS[owner_style(vip)])}" if said else text


def priority(node: Mapping[str, Any]) -> str:
    """A priority, with what is left of it now."""
    effective = node["effective_priority"]
    text = f"priority {node['priority']}"
    return text if effective in (None, node["priority"]) else f"{text} -> {effective}"


def _node(node: Mapping[str, Any], painter: Painter, *, tracks: bool) -> Twig:
    parts = [str(node["node"]), str(node["interface"]), priority(node)]
    if node["nopreempt"]:
        parts.append("nopreempt")
    text = printable("  ".join(parts))
    if node["claim"] is not None:
        text += "  " + painter.paint(node["claim"], _CLAIMS.get(node["claim"], "bad"))
    under = node["tracks"] if tracks else ()
    return text, [(printable(track_text(one)), []) for one in under]


def _draw(twigs: list[Twig], signs: tuple[str, str, str, str], indent: str = "") -> list[str]:
    branch, last, line, empty = signs
    lines = []
    for place, (text, under) in enumerate(twigs):
        is_last = place == len(twigs) - 1
        lines.append(f"{indent}{last if is_last else branch}{text}")
        lines += _draw(under, signs, indent + (empty if is_last else line))
    return lines


def mermaid(data: Mapping[str, Any]) -> list[str]:
    """A Mermaid flowchart: addresses to instances to nodes, the owner's line thick."""
    lines = ["flowchart LR"]
    for number, cluster in enumerate(data["clusters"]):
        lines.append(f"  subgraph c{number}[{_quote(cluster['cluster'])}]")
        names = {node["node"]: f"c{number}n{at}" for at, node in enumerate(cluster["nodes"])}
        for node in cluster["nodes"]:
            silent = " (unknown)" if node["answered"] is False else ""
            lines.append(f"    {names[node['node']]}[{_quote(node['node'] + silent)}]")
        for at, each in enumerate(cluster["instances"]):
            mine = f"c{number}i{at}"
            lines.append(f"    {mine}([{_quote(title(each))}])")
            owners = {name for vip in each["vips"] for name in vip["owners"] or ()}
            for place, vip in enumerate(each["vips"]):
                lines.append(f"    {mine}v{place}(({_quote(where(vip))})) --- {mine}")
            for node in each["nodes"]:
                arrow = "==>" if node["node"] in owners else "-->"
                claim = f" {node['claim']}" if node["claim"] else ""
                label = _quote(f"{priority(node)}{claim}")
                lines.append(f"    {mine} {arrow}|{label}| {names[node['node']]}")
        lines.append("  end")
    return lines


def _quote(text: object) -> str:
    safe = printable(str(text))
    for sign, entity in (("&", "#amp;"), ('"', "#quot;"), ("<", "#lt;"), (">", "#gt;")):
        safe = safe.replace(sign, entity)
    return f'"{safe}"'
