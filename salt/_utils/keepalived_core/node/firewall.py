"""What must pass a node's firewall for VRRP, and the narrowest firewalld rules that let it.

VRRP is IP protocol 112, not a port. On firewalld's default backend (nftables) a direct ACCEPT
rule does not open it: the zones must. So the zones get rich rules, each for one protocol and one
group address (multicast) or one peer (unicast).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..conf import instances as conf_instances
from ..conf.tree import Tree
from .firewalld import FirewallError
from .firewalld_zone import Zone

#: Where adverts go unless the configuration says otherwise: RFC 5798, 5.1.1.2.
GROUPS = {4: "224.0.0.18", 6: "ff02::12"}
#: Where an IGMP querier asks for all groups: RFC 2236, 9.
ALL_HOSTS = "224.0.0.1"

# Words of use_vmac and use_ipvlan that are no interface.
_VMAC_WORDS = ("netlink_notify_msg", "bridge", "private", "vepa")


class Opening(NamedTuple):
    """One kind of packet that must get in.

    interface: None when the configuration names none, so any may be meant. family: 4 or 6.
    protocol: vrrp, ah or igmp. source: the peer; destination: the group; one of them is None.
    """

    interface: str | None
    family: int
    protocol: str
    source: str | None = None
    destination: str | None = None

    @property
    def rule(self) -> str:
        """The rich rule, as firewalld itself prints it."""
        side, address = (
            ("source", self.source) if self.source else ("destination", self.destination)
        )
        return (
            f'rule family="ipv{self.family}" {side} address="{address}" '
            f'protocol value="{self.protocol}" accept'
        )


class Planned(NamedTuple):
    """A rich rule and the zone that needs it."""

    zone: str
    rule: str


def instances(tree: Tree) -> list[dict[str, Any]]:
    """The instances of a configuration as :func:`needs` takes them."""
    groups: dict[int, str] = {}
    for block in tree.blocks("global_defs"):
        for family in GROUPS:
            groups[family] = block.value(f"vrrp_mcast_group{family}", groups.get(family, ""))
    blocks = {block.name: block for block in tree.blocks("vrrp_instance")}
    found = []
    for instance in conf_instances.instances(tree):
        family = instance.family or 4
        found.append(
            {
                "instance": instance.name,
                "interface": instance.interface or None,
                "vmac": _vmac(blocks[instance.name], instance.vrid, family),
                "family": family,
                "unicast_peers": list(instance.unicast_peers),
                "mcast_group": instance.mcast_group or groups.get(family) or None,
                "auth_type": instance.auth_type,
            }
        )
    return found


def needs(described: Iterable[Mapping[str, Any]]) -> list[Opening]:
    """What must pass for these instances, each opening once.

    described: dicts with ``instance``, ``interface`` and, where they apply, ``family`` (4 or 6,
    default 4), ``unicast_peers``, ``mcast_group`` (default: the family's own), ``auth_type`` and
    ``vmac`` (the interface that keepalived makes for ``use_vmac`` and receives on).

    Raises :class:`FirewallError` for an address that is none.
    """
    found: dict[Opening, None] = {}  # a set that keeps the order
    for instance in described:
        name = str(instance.get("instance"))
        interfaces = [instance.get("interface") or None]
        if instance.get("vmac"):
            interfaces.append(str(instance["vmac"]))
        # A configuration of VRRP version 3 ignores the authentication and sends plain VRRP.
        is_ah = str(instance.get("auth_type") or "").upper() == "AH"
        protocols = ["vrrp", "ah"] if is_ah else ["vrrp"]
        for interface in interfaces:
            for opening in _of_instance(instance, name, interface, protocols):
                found[opening] = None
    return list(found)


def plan(
    openings: Iterable[Opening],
    zones: Mapping[str, Zone],
    default: str,
    runtime: Mapping[str, Zone] | None = None,
) -> list[Planned]:
    """Which zone needs which rich rule.

    zones: the configuration to plan for. default: the zone of interfaces that none names.
    runtime: what is in force now, when *zones* is the permanent configuration: an interface that
    only the runtime one binds may come up there again (NetworkManager did it) or in the default
    zone (somebody typed it), so both are opened.
    """
    found: dict[Planned, None] = {}
    for opening in openings:
        names = _zones_of_interface(opening.interface, zones, default, runtime)
        # A zone with sources takes a packet before the zone of its interface sees it.
        names += [zone.name for zone in zones.values() if _may_hold(zone, opening)]
        for name in names:
            found[Planned(name, opening.rule)] = None
    return list(found)


def _of_instance(
    instance: Mapping[str, Any], name: str, interface: str | None, protocols: list[str]
) -> Iterable[Opening]:
    peers = [
        _address(peer, f"unicast peer of {name}") for peer in instance.get("unicast_peers") or []
    ]
    for peer in peers:
        for protocol in protocols:
            yield Opening(interface, peer.version, protocol, source=str(peer))
    if peers:
        return
    family = 6 if instance.get("family") == 6 else 4
    group = _address(instance.get("mcast_group") or GROUPS[family], f"multicast group of {name}")
    for protocol in protocols:
        yield Opening(interface, group.version, protocol, destination=str(group))
    if group.version == 4:
        # A switch that snoops IGMP forwards a group only while its queries are answered. (The
        # same for IPv6 is ICMPv6, which zones let in.)
        for asked in (ALL_HOSTS, str(group)):
            yield Opening(interface, 4, "igmp", destination=asked)


def _address(text: Any, what: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(str(text))
    except ValueError:
        raise FirewallError(
            f"{what}: {text!r} is no IP address, so nothing can be opened for it"
        ) from None


def _zones_of_interface(
    interface: str | None,
    zones: Mapping[str, Zone],
    default: str,
    runtime: Mapping[str, Zone] | None,
) -> list[str]:
    if interface is None:
        return [default, *(zone.name for zone in zones.values() if zone.interfaces)]
    bound = [zone.name for zone in zones.values() if interface in zone.interfaces]
    if bound:
        return bound
    now = [
        z.name for z in (runtime or {}).values() if interface in z.interfaces and z.name in zones
    ]
    return [default, *now]


def _may_hold(zone: Zone, opening: Opening) -> bool:
    """True when a packet of *opening* may come from one of the zone's sources."""
    for source in zone.sources:
        try:
            network = ipaddress.ip_network(source, strict=False)
        except ValueError:  # a MAC address or an ipset: who is in it is not written here
            return True
        if network.version == opening.family and (
            opening.source is None or ipaddress.ip_address(opening.source) in network
        ):
            return True
    return False


def _vmac(block: Any, vrid: int | None, family: int) -> str | None:
    """The interface that keepalived makes for the instance and receives on; None without one."""
    vmac, ipvlan = block.get("use_vmac"), block.get("use_ipvlan")
    if (vmac is None or block.get("vmac_xmit_base") is not None) and ipvlan is None:
        return None
    words = iter((ipvlan if vmac is None else vmac).args)
    for word in words:
        if word == "group":
            next(words, None)  # its number
        elif word == "name":
            return next(words, None)
        elif word not in _VMAC_WORDS and not _is_address(word):
            return str(word)
    return f"vrrp{'6' if family == 6 else ''}.{vrid}"  # as keepalived 2.2.7 names it


def _is_address(word: str) -> bool:
    """True for a MAC address or an IP address; an interface's name may hold dots."""
    return ":" in word or "/" in word or re.fullmatch(r"[0-9.]+", word) is not None
