"""One node's configuration out of the cluster's: overlay, priorities, unicast peers.

Everything here works on plain pillar data; nothing is typed yet.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Mapping
from typing import Any

from ..conf.entries import address as read_address
from ..conf.grammar import nearest
from ..conf.values import family
from .errors import Mistakes, Path, kind_of

TOP = "keepalived"
# What may stand directly under `keepalived:`; the last two are the official formula's.
TOP_KEYS = (
    "cluster",
    "config",
    "nodes",
    "priorities",
    "firewall",
    "sysctl",
    "scripts",
    "remediation",
    "policy",
    "package",
    "clean",
    "allow_disruptive",
    "drain_file",
    "metrics",
    "scripts_dir",
    "lookup",
)
_NODE_KEYS = ("config", "address")
# An ordered list of nodes gets 200, 190, ...; the twentieth has 10.
_FIRST, _STEP, _MOST = 200, 10, 20
AUTO = "auto"

EXAMPLE = """keepalived:
  config:
    vrrp_instance:
      VI_1:
        interface: eth0
        virtual_router_id: 51
        virtual_ipaddress: [192.0.2.10]"""

Addresses = Mapping[str, Mapping[str, list[str]]]


def for_node(
    data: Any, node: str | None, addresses: Addresses | None, mistakes: Mistakes
) -> dict[str, Any]:
    """The `config` of one node; what is wrong goes to mistakes."""
    if not isinstance(data, Mapping) or not data:
        given = "there is no such pillar" if data is None else f"this is {kind_of(data)}"
        if data is not None and not data:
            given = "it is empty"
        mistakes.add((TOP,), f"{given}; the least it needs is\n{EXAMPLE}")
        return {}
    for key in data:
        if key not in TOP_KEYS:
            meant = nearest(str(key), TOP_KEYS)
            mistakes.add(
                (TOP, str(key)),
                f"no such key; did you mean {meant}?"
                if meant
                else f"no such key; known are {', '.join(TOP_KEYS)}",
            )
    config = data.get("config")
    if not isinstance(config, (Mapping, list)) or not config:
        what = "is missing" if config is None else f"is {kind_of(config)}"
        mistakes.add((TOP, "config"), f"it {what}; the least it needs is\n{EXAMPLE}")
        return {}
    nodes = _nodes(data.get("nodes"), mistakes)
    if node is not None and nodes is not None and node not in nodes:
        mistakes.add(
            (TOP, "nodes"), f"{node} is not listed; the nodes are {', '.join(nodes) or 'none'}"
        )
        node = None  # what all have in common can be judged
    merged = _overlaid(config, nodes, node, mistakes)
    _priorities(data.get("priorities"), nodes, node, merged, mistakes)
    if node is not None:
        _unicast(merged, config, nodes or {}, node, addresses or {}, mistakes)
    return merged


def merge(base: Any, overlay: Any) -> Any:
    """Mappings merge, everything else is replaced."""
    if not isinstance(base, Mapping) or not isinstance(overlay, Mapping):
        return copy.deepcopy(overlay)
    merged = {key: copy.deepcopy(value) for key, value in base.items()}
    for key, value in overlay.items():
        merged[key] = merge(merged[key], value) if key in merged else copy.deepcopy(value)
    return merged


def _nodes(nodes: Any, mistakes: Mistakes) -> dict[str, Any] | None:
    """The nodes and their overlays; None when pillar names none."""
    if nodes is None:
        return None
    if isinstance(nodes, (list, tuple)) and all(isinstance(name, str) for name in nodes):
        return {name: {} for name in nodes}
    if not isinstance(nodes, Mapping):
        mistakes.add(
            (TOP, "nodes"), f"a mapping of node to overlay belongs here, not {kind_of(nodes)}"
        )
        return None
    found = {}
    for name, overlay in nodes.items():
        path = (TOP, "nodes", str(name))
        if overlay is None:
            overlay = {}
        if not isinstance(overlay, Mapping):
            mistakes.add(path, f"an overlay (config, address) belongs here, not {kind_of(overlay)}")
            overlay = {}
        for key in overlay:
            if key not in _NODE_KEYS:
                meant = nearest(str(key), _NODE_KEYS)
                mistakes.add(
                    (*path, str(key)),
                    "no such key; "
                    + (f"did you mean {meant}?" if meant else f"known are {', '.join(_NODE_KEYS)}"),
                )
        if not _are_addresses(overlay.get("address"), (*path, "address"), mistakes):
            overlay = {key: value for key, value in overlay.items() if key != "address"}
        found[str(name)] = overlay
    return found


def _are_addresses(value: Any, path: Path, mistakes: Mistakes) -> bool:
    """Whether this is what ``nodes:NAME:address`` may be: nothing, an address, a list of them."""
    listed = value if isinstance(value, (list, tuple)) else [value]
    for each in listed if value is not None else ():
        if not isinstance(each, str):
            mistakes.add(path, f"an IP address or a list of them belongs here, not {kind_of(each)}")
            return False
        if not family(each.partition("/")[0]):
            mistakes.add(path, f"{each[:60]!r} is no IP address, as 192.0.2.11")
            return False
    return True


def _overlaid(
    config: Any, nodes: dict[str, Any] | None, node: str | None, mistakes: Mistakes
) -> dict[str, Any]:
    overlay = (nodes or {}).get(node or "", {}).get("config")
    if overlay is not None and not isinstance(overlay, Mapping):
        path = (TOP, "nodes", str(node), "config")
        mistakes.add(path, f"a mapping as in config belongs here, not {kind_of(overlay)}")
        overlay = None
    return merge(_as_mapping(config), overlay or {})


def _as_mapping(value: Any) -> Any:
    """The official formula's ordered lists, ``[{a: ...}, {b: ...}]``, as the mapping they are."""
    if not isinstance(value, (list, tuple)):
        return value
    joined: dict[str, Any] = {}
    for item in value:
        if isinstance(item, Mapping):
            joined = merge(joined, item)
    return joined


def instances(config: Any) -> dict[str, dict[str, Any]]:
    """The vrrp_instances of a config by name; what is not a mapping is left out."""
    found = _as_mapping(config.get("vrrp_instance")) if isinstance(config, Mapping) else None
    if not isinstance(found, Mapping):
        return {}
    return {str(name): body for name, body in found.items() if isinstance(body, dict)}


def _priorities(
    given: Any, nodes: dict[str, Any] | None, node: str | None, config: Any, mistakes: Mistakes
) -> None:
    """Write each instance's priority for this node into config."""
    if given is None:
        return
    top = (TOP, "priorities")
    if not isinstance(given, Mapping):
        mistakes.add(top, f"a mapping of instance to nodes belongs here, not {kind_of(given)}")
        return
    known = instances(config)
    for name, members in given.items():
        path = (*top, str(name))
        if name not in known:
            meant = nearest(str(name), known)
            mistakes.add(
                path, "no such vrrp_instance" + (f"; did you mean {meant}?" if meant else "")
            )
            continue
        numbers = _numbers(members, nodes, path, mistakes)
        if node is None or numbers is None:
            continue
        if node not in numbers:
            mistakes.add(path, f"{node} has no priority here")
            continue
        # The shared config's priority is a default (the classic guide has one); the node's own
        # overlay says the same thing as this map, and may not say it differently.
        overlay = (nodes or {}).get(node, {}).get("config")
        own = instances(overlay).get(str(name), {}).get("priority", numbers[node])
        if own != numbers[node]:
            mistakes.add(
                (TOP, "nodes", node, "config", "vrrp_instance", str(name), "priority"),
                f"{own} is given here and {numbers[node]} in {':'.join(path)}; keep one of them",
            )
        default = known[str(name)].get("priority", numbers[node])
        if not _is_priority(default):
            mistakes.add(
                (TOP, "config", "vrrp_instance", str(name), "priority"),
                f"{kind_of(default)} is no priority: a whole number from 1 to 255",
            )
        known[str(name)]["priority"] = numbers[node]


def _is_priority(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 255


def _numbers(
    members: Any, nodes: dict[str, Any] | None, path: Path, mistakes: Mistakes
) -> dict[str, int] | None:
    """node -> priority, or None when it cannot be told."""
    if isinstance(members, (list, tuple)):
        names = [str(name) for name in members]
        for name, times in sorted(Counter(names).items()):
            if times > 1:
                mistakes.add(path, f"{name} is listed twice")
        if len(names) > _MOST:
            mistakes.add(path, f"a list gives priorities to {_MOST} nodes at most; use a mapping")
            return None
        numbers: dict[str, Any] = {
            name: _FIRST - _STEP * index for index, name in enumerate(dict.fromkeys(names))
        }
    elif isinstance(members, Mapping):
        numbers = {str(name): value for name, value in members.items()}
    else:
        mistakes.add(
            path, f"nodes belong here, as a mapping to numbers or a list, not {kind_of(members)}"
        )
        return None
    sound = {}
    taken: dict[int, str] = {}
    for name, value in numbers.items():
        if nodes is not None and name not in nodes:
            meant = nearest(name, nodes)
            mistakes.add(
                (*path, name),
                "no such node in keepalived:nodes" + (f"; did you mean {meant}?" if meant else ""),
            )
        if not _is_priority(value):
            mistakes.add(
                (*path, name), f"{kind_of(value)} is no priority: a whole number from 1 to 255"
            )
            continue
        if value in taken:
            mistakes.add(
                (*path, name),
                f"{value} is {taken[value]}'s already; give each node its own "
                "(or the same number in config, if the nodes shall be equals)",
            )
        taken.setdefault(value, name)
        sound[name] = value
    return sound


def _unicast(
    config: Any,
    shared: Any,
    nodes: dict[str, Any],
    node: str,
    addresses: Addresses,
    mistakes: Mistakes,
) -> None:
    """Replace ``unicast_peer: auto`` by the other nodes' addresses."""
    wanted = [name for name, body in instances(config).items() if body.get("unicast_peer") == AUTO]
    if not wanted:
        return
    others = {
        name: instances(_overlaid(shared, nodes, name, Mistakes()))
        for name in nodes
        if name != node
    }
    for name in wanted:
        body = instances(config)[name]
        path = (TOP, "config", "vrrp_instance", name, "unicast_peer")
        if not others:
            mistakes.add(path, "auto needs the other members in keepalived:nodes; there are none")
            body["unicast_peer"] = []
            continue
        kind = _family(body)
        own = _address(node, body, nodes, addresses, kind)
        if own is None:
            mistakes.add(path, _unknown(node, body, kind))
        else:
            body.setdefault("unicast_src_ip", own)
        peers = []
        for other, theirs in others.items():
            peer = _address(other, theirs.get(name, {}), nodes, addresses, kind)
            if peer is None:
                mistakes.add(path, _unknown(other, theirs.get(name, {}), kind))
            else:
                peers.append(peer)
        body["unicast_peer"] = peers


def _family(body: Mapping[str, Any]) -> int:
    """4 or 6, by the first virtual address."""
    vips = body.get("virtual_ipaddress")
    # anything else is told where the instance is read
    listed = vips if isinstance(vips, (list, tuple, Mapping)) else [vips or ""]
    first = next(iter(listed), "")
    found = read_address(str(first).split())
    return found.family if found is not None else 4


def _address(
    node: str, body: Mapping[str, Any], nodes: dict[str, Any], addresses: Addresses, kind: int
) -> str | None:
    """Where a node's adverts come from: its config, its overlay, or what its interface has."""
    listed = nodes.get(node, {}).get("address") or []
    candidates = [body.get("unicast_src_ip")]
    candidates += [listed] if isinstance(listed, str) else listed
    if not any(candidates):
        candidates += addresses.get(node, {}).get(str(body.get("interface")), [])
    for candidate in candidates:
        text = str(candidate or "").partition("/")[0]
        if family(text) == kind and not text.lower().startswith("fe80:"):
            return text
    for candidate in candidates:
        text = str(candidate or "").partition("/")[0]
        if family(text) == kind:
            return text
    return None


def _unknown(node: str, body: Mapping[str, Any], kind: int) -> str:
    return (
        f"no IPv{kind} address of {node} on {body.get('interface')} is known (its mine is empty or "
        f"the interface has none); write it in keepalived:nodes:{node}:address"
    )
