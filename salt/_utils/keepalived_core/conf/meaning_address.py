"""The addresses and routes of an instance: family, mask, and what keepalived can track."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator

from . import entries
from .fault import ERROR, WARNING, Fault, View
from .tree import Statement
from .values import family

_VIPS = ("virtual_ipaddress", "virtual_ipaddress_excluded")
_OTHERS = ("unicast_src_ip", "mcast_src_ip")


def family_in(view: View) -> int:
    """4 or 6: what the instance speaks, which its first virtual address decides; 0 unknown."""
    for keyword in _VIPS:
        for _, found in view.addresses(keyword):
            return found.family
    if "native_ipv6" in view:
        return 6
    for line in view.lines("unicast_peer"):
        return family(line.keyword)
    return 0


def judge_addresses(view: View) -> Iterator[Fault]:
    """Everything wrong with the addresses of one instance."""
    vips = view.addresses("virtual_ipaddress")
    if vips:
        yield from _families(view, vips[0][1].family)
    seen: set[tuple[str, str]] = set()
    for keyword in _VIPS:
        for line, found in view.addresses(keyword):
            yield from _address(line, found, (*view.path, keyword))
            key = (found.address, found.dev)
            if key in seen:
                yield Fault(
                    "KA320",
                    WARNING,
                    line,
                    (*view.path, keyword),
                    f"{found.address} is listed twice; keepalived 2.4.3 and later refuse that",
                    "remove one of the two lines",
                )
            seen.add(key)
    if "virtual_routes" in view:
        yield from routes(view.lines("virtual_routes"), (*view.path, "virtual_routes"))


def _families(view: View, kind: int) -> Iterator[Fault]:
    """All of virtual_ipaddress has one family, and peers and source have it too."""
    for line, found in view.addresses("virtual_ipaddress"):
        if found.family != kind:
            yield Fault(
                "KA301",
                ERROR,
                line,
                (*view.path, "virtual_ipaddress"),
                f"{found.address} is IPv{found.family}, the addresses before it are IPv{kind}; "
                "one instance speaks one family",
                "move it to virtual_ipaddress_excluded or to an instance of its own",
            )
    for line in view.lines("unicast_peer"):
        other = family(line.keyword)
        if other and other != kind:
            yield Fault(
                "KA309",
                ERROR,
                line,
                (*view.path, "unicast_peer"),
                f"peer {line.keyword} is IPv{other}, virtual_ipaddress is IPv{kind}",
                f"list the peers' IPv{kind} addresses",
            )
    for keyword in _OTHERS:
        node = view.get(keyword)
        other = family(node.args[0]) if node is not None and node.args else 0
        if node is not None and other and other != kind:
            yield Fault(
                "KA309",
                ERROR,
                node,
                view.path,
                f"{keyword} {node.args[0]} is IPv{other}, virtual_ipaddress is IPv{kind}",
                f"write an IPv{kind} address",
            )


def _address(line: Statement, found: entries.Address, path: tuple[str, ...]) -> Iterator[Fault]:
    """Masks that are hardly meant."""
    if found.prefix is None or found.prefix >= (31 if found.family == 4 else 127):
        return
    reason = ""
    if found.prefix == 0:
        reason = "the mask /0 makes the whole internet a neighbour on this interface"
    elif found.family == 4:
        try:
            network = ipaddress.IPv4Network((found.address, found.prefix), strict=False)
        except ValueError:
            return  # the mask is out of range: a finding of its own
        if found.address == str(network.network_address):
            reason = f"{found.address} is the address of the network {network} itself"
        elif found.address == str(network.broadcast_address):
            reason = f"{found.address} is the broadcast address of {network}"
    if reason:
        yield Fault("KA319", WARNING, line, path, reason, "correct the address or its mask")


def routes(lines: Iterable[Statement], path: tuple[str, ...]) -> Iterator[Fault]:
    """Routes that keepalived cannot track (vrrp_iproute.c, alloc_route)."""
    for line in lines:
        words = line.words
        if {"dev", "oif", "no_track"}.isdisjoint(_before_hops(words)):
            yield Fault(
                "KA317",
                WARNING,
                line,
                path,
                f"the route {words[0]} names no interface, so that keepalived cannot track it",
                "add dev INTERFACE, or no_track",
            )


def _before_hops(words: list[str]) -> list[str]:
    """The words of the route itself; each nexthop has an interface of its own."""
    if "nexthop" not in words:
        return words
    return words[: words.index("nexthop")] + [word for word in words if word == "no_track"]
