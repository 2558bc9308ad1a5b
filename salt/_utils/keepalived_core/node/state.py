"""One VRRP instance as keepalived describes it in its JSON dump."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

#: vrrp.h: the numbers are the protocol's states plus two of keepalived's own.
STATES = {0: "INIT", 1: "BACKUP", 2: "MASTER", 3: "FAULT", 97: "DELETED", 98: "STOP"}
#: vrrp.h, VRRP_AUTH_*: the words of keepalived.conf(5).
AUTH_TYPES = {0: "none", 1: "PASS", 2: "AH"}


@dataclass(frozen=True)
class Vip:
    """A virtual address: where it belongs, and whether it is an excluded one.

    ``device`` is None when only the instance's own interface can be meant.
    """

    address: str
    prefix: int
    device: str | None = None
    excluded: bool = False

    @property
    def family(self) -> str:
        return "ipv6" if ":" in self.address else "ipv4"


@dataclass(frozen=True)
class Instance:
    """A VRRP instance.  ``since`` is seconds since the epoch, 0.0 when keepalived has none.

    ``interface`` is the one the instance is configured on; ``vmac`` the macvlan it really uses
    when ``use_vmac`` is set.  ``track_scripts`` are command lines (the dump has no names).
    """

    name: str
    state: str = "INIT"
    vrid: int | None = None
    family: str | None = None
    interface: str | None = None
    vmac: str | None = None
    base_priority: int | None = None
    effective_priority: int | None = None
    vips: tuple[Vip, ...] = ()
    since: float = 0.0
    advert_interval: float | None = None
    version: int | None = None
    auth_type: str | None = None
    nopreempt: bool = False
    accept: bool | None = None
    track_interfaces: tuple[str, ...] = ()
    track_scripts: tuple[str, ...] = ()
    stats: Mapping[str, int] = field(default_factory=dict)

    def links(self) -> frozenset[str]:
        """Return the interfaces without which the instance is faulty."""
        named = (self.interface, self.vmac, *self.track_interfaces)
        return frozenset(name for name in named if name)

    def devices(self, vip: Vip) -> frozenset[str]:
        """Return the interfaces on which ``vip`` counts as held by this instance."""
        named = (vip.device, self.vmac) if vip.device else (self.interface, self.vmac)
        return frozenset(name for name in named if name)

    def wire(self, vip: Vip) -> str | None:
        """Return the interface on whose network ``vip`` is: below the macvlan, where there is one.

        None when keepalived names no interface at all (``dont_track_primary`` without one).
        """
        return vip.device if vip.device and vip.device != self.vmac else self.interface


def parse_vip(text: str, excluded: bool = False) -> Vip | None:
    """Read an address as keepalived prints it: ``10.0.0.1/24 dev eth0@if2 scope global set``.

    Returns None for what is not an address (keepalived prints ``None`` for an empty one).
    """
    words = text.split()
    if not words:
        return None
    try:
        interface = ipaddress.ip_interface(words[0])
    except ValueError:
        return None
    device = None
    if "dev" in words[1:-1]:
        # a macvlan or VLAN is printed as NAME@PARENT
        device = words[words.index("dev") + 1].partition("@")[0]
        device = None if device == "(none)" else device
    return Vip(str(interface.ip), interface.network.prefixlen, device, excluded)


def _texts(values: Any) -> tuple[str, ...]:
    return tuple(str(value) for value in values) if isinstance(values, list) else ()


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def from_dump(data: Mapping[str, Any], stats: Mapping[str, Any]) -> Instance:
    """Build an :class:`Instance` from one element's ``data`` and ``stats``.

    Raises :class:`ValueError` when it has no name or no state: then it is no instance.
    """
    name, state = data.get("iname"), _number(data.get("state"))
    if not isinstance(name, str) or state is None:
        raise ValueError("an element of the dump has no iname or no state")
    vips = [parse_vip(text) for text in _texts(data.get("vips"))]
    vips += [parse_vip(text, excluded=True) for text in _texts(data.get("evips"))]
    known = tuple(vip for vip in vips if vip)
    interface, vmac = data.get("ifp_ifname") or None, data.get("vmac_ifname") or None
    if vmac and interface == vmac:
        # with use_vmac ifp_ifname is the macvlan; the interface below it is printed with the VIPs
        interface = _parent_interface(_texts(data.get("vips")), vmac) or interface
    since = data.get("last_transition")
    advert = data.get("adver_int")
    accept = data.get("accept")
    return Instance(
        name=name,
        state=STATES.get(state, f"STATE_{state}"),
        vrid=_number(data.get("vrid")),
        # the family is that of the advertised addresses; excluded ones may be of either
        family=next((vip.family for vip in known if not vip.excluded), None),
        interface=interface,
        vmac=vmac,
        base_priority=_number(data.get("base_priority")),
        effective_priority=_number(data.get("effective_priority")),
        vips=known,
        since=float(since) if isinstance(since, (int, float)) else 0.0,
        advert_interval=float(advert) if isinstance(advert, (int, float)) else None,
        version=_number(data.get("version")),
        auth_type=AUTH_TYPES.get(_number(data.get("auth_type")) or 0)
        if "auth_type" in data
        else None,
        nopreempt=bool(data.get("nopreempt")),
        accept=None if accept is None else bool(accept),
        track_interfaces=_texts(data.get("track_ifp")),
        track_scripts=_texts(data.get("track_script")),
        stats={key: value for key, value in stats.items() if _number(value) is not None},
    )


def _parent_interface(vips: tuple[str, ...], vmac: str) -> str | None:
    for text in vips:
        for word in text.split():
            name, _, parent = word.partition("@")
            if name == vmac and parent and parent != "NOWHERE":
                return parent
    return None
