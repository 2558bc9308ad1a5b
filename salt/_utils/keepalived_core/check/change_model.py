"""A configuration as its daemon counts it, made to be compared: instances by effective values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..conf import entries, sameness
from ..conf.grammar import ROOT
from ..conf.tree import Tree
from ..conf.values import number
from . import reach_routers
from .reach_election import WELL, standing

# What an instance takes from global_defs when it does not say it itself, and keepalived's default.
# smtp_alert has two: that of vrrp, then the one for all.
INHERITED: Mapping[str, tuple[tuple[str, ...], Any]] = {
    "version": (("vrrp_version",), 2),
    "strict_mode": (("vrrp_strict",), False),
    "skip_check_adv_addr": (("vrrp_skip_check_adv_addr",), False),
    "check_unicast_src": (("vrrp_check_unicast_src",), False),
    "v3_checksum_as_v2": (("v3_checksum_as_v2",), False),
    "mcast_dst_ip": (("vrrp_mcast_group4",), "224.0.0.18"),
    "garp_master_delay": (("vrrp_garp_master_delay",), 5),
    "garp_master_repeat": (("vrrp_garp_master_repeat",), 5),
    "garp_master_refresh": (("vrrp_garp_master_refresh",), 0),
    "garp_master_refresh_repeat": (("vrrp_garp_master_refresh_repeat",), 1),
    "garp_lower_prio_delay": (("vrrp_garp_lower_prio_delay", "vrrp_garp_master_delay"), 5),
    "garp_lower_prio_repeat": (("vrrp_garp_lower_prio_repeat", "vrrp_garp_master_repeat"), 5),
    "garp_extra_if": (("vrrp_garp_extra_if", "vrrp_vmac_garp_intvl"), None),
    "lower_prio_no_advert": (("vrrp_lower_prio_no_advert",), False),
    "higher_prio_send_advert": (("vrrp_higher_prio_send_advert",), False),
    "owner_ignore_adverts": (("vrrp_owner_ignore_adverts",), False),
    "down_timer_adverts": (("vrrp_down_timer_adverts",), 3),
    "notify_priority_changes": (("vrrp_notify_priority_changes",), False),
    "smtp_alert": (("smtp_alert_vrrp", "smtp_alert"), None),
}
#: The same words for IPv6.
_IPV6 = {"mcast_dst_ip": (("vrrp_mcast_group6",), "ff02::12")}
# Longer ones are cut (vrrp_parser.c: auth_pass_handler).
_AUTH_LENGTH = 8
_OWNER = 255


@dataclass(frozen=True)
class Vip:
    """One virtual address.  address: canonical, without its mask; details: what makes keepalived
    take it off and put it on again (compare_ipaddress); excluded: not in the adverts.
    """

    address: str
    details: tuple[str, ...]
    excluded: bool


@dataclass
class Instance:
    """One vrrp_instance.

    said: {keyword: value} as written, values as ``sameness`` compares them; given: the same with
    what it inherits; sources: {keyword: the word of global_defs it comes from}; base: its
    priority, and healthy: with the weights of tracks that are all well; group: the names in its
    sync group, empty for none.
    """

    name: str
    place: int
    said: dict[str, Any]
    given: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    family: int = 4
    base: int = 100
    healthy: int = 100
    nopreempt: bool = False
    group: frozenset[str] = frozenset()
    vips: list[Vip] = field(default_factory=list)

    @property
    def slot(self) -> tuple[Any, ...]:
        """What keepalived knows it by at a reload (vrrp_exist), without the way of sending."""
        return self.given.get("virtual_router_id"), self.family, self.given.get("interface")

    @property
    def version(self) -> int:
        """Of VRRP: IPv6 has 3 only."""
        return 3 if self.family == 6 else int(self.given["version"])

    @property
    def strict(self) -> bool:
        """Whether strict mode is on."""
        return bool(self.given["strict_mode"])

    @property
    def advert(self) -> float:
        """Seconds; VRRP version 2 counts in whole ones."""
        value = _number(self.said.get("advert_int"), 1.0)
        return max(1.0, float(int(value + 0.5))) if self.version == 2 else value

    @property
    def auth(self) -> tuple[str, bytes] | None:
        """What is checked in adverts; None where the daemon leaves it out (vrrp.c:3010)."""
        found = self.said.get("authentication")
        if not found or self.version == 3 or self.strict or "auth_type" not in found:
            return None
        secret = first(found.get("auth_pass")) or ""
        return str(first(found["auth_type"])), secret.encode("utf-8", "replace")[:_AUTH_LENGTH]

    @property
    def accepts(self) -> bool:
        """Whether its addresses answer (vrrp.c:2960)."""
        if self.base == _OWNER:
            return True
        if "no_accept" in self.said or (self.strict and self.version == 2):
            return False
        return "accept" in self.said or not self.strict

    @property
    def peers(self) -> dict[str, list[str]]:
        """{unicast peer: its options}; empty for multicast."""
        return {line[0].lower(): line[1:] for line in self.said.get("unicast_peer", ())}

    def wire(self) -> list[str]:
        """The addresses in its adverts; their order does not count (vrrp_in_chk_vips)."""
        return sorted(vip.address for vip in self.vips if not vip.excluded)


@dataclass
class Model:
    """A whole configuration.  shape: as ``sameness`` compares it; groups: {name: its values}."""

    shape: dict[str, Any]
    globals: dict[str, Any]
    instances: list[Instance]
    groups: dict[str, dict[str, Any]]


def read(tree: Tree) -> Model:
    """The model of a tree; of two instances with one name only the first counts, as there."""
    shape = sameness.shape(tree, ROOT)
    common = shape.get("global_defs", {})
    routers = {
        router.name: router for router in reach_routers.read({"": tree}).get("", {}).values()
    }
    groups = {" ".join(args): inside for args, inside in shape.get("vrrp_sync_group", ())}
    members: dict[str, frozenset[str]] = {}
    for inside in groups.values():
        names = frozenset(first_list(inside.get("group")))
        for name in names:
            members.setdefault(name, names)
    found: dict[str, Instance] = {}
    for place, (args, said) in enumerate(shape.get("vrrp_instance", ())):
        name = " ".join(args)
        if name in found:
            continue
        one = Instance(name, place, said)
        one.vips = list(_vips(said))
        one.family = next((6 if ":" in vip.address else 4 for vip in one.vips), 4)
        _inherit(one, common)
        router = routers.get(name)
        if router is not None:
            one.base = router.priority
            one.healthy = standing(router, WELL).priority or 0
            one.nopreempt = router.nopreempt
        one.group = members.get(name, frozenset())
        found[name] = one
    return Model(shape, common, list(found.values()), groups)


def first(value: Any) -> Any:
    """The word that counts of a keyword's value."""
    while isinstance(value, list):
        if not value:
            return None
        value = value[0]
    return value


def first_list(value: Any) -> list[str]:
    """The words of a list that may be given twice; the first one counts."""
    if not value:
        return []
    return list(value[0]) if isinstance(value[0], list) else list(value)


def _inherit(one: Instance, common: Mapping[str, Any]) -> None:
    one.given = {word: first(value) for word, value in one.said.items() if word in INHERITED}
    for word in ("virtual_router_id", "interface"):
        one.given[word] = first(one.said.get(word))
    for word, (names, value) in {**INHERITED, **(_IPV6 if one.family == 6 else {})}.items():
        if word in one.said:
            continue
        for name in names:
            if name in common:
                one.sources[word] = name
                value = first(common[name])
                break
        one.given[word] = value


def _vips(said: Mapping[str, Any]) -> Iterator[Vip]:
    for keyword in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
        for line in said.get(keyword, ()):
            if isinstance(line, tuple):
                address, prefix, rest = line
            else:
                address, prefix, rest = line[0].lower(), None, line[1:]
            yield Vip(address, (str(prefix), *_details(rest)), keyword.endswith("excluded"))


def _details(words: list[str]) -> Iterator[str]:
    """The options that keepalived compares: the device, a VMAC, scope and label."""
    index = 0
    while index < len(words):
        word = words[index]
        option = entries.ADDRESS.get(word)
        takes = option is not None and option.takes != "flag"
        if word in ("dev", "scope", "label", "use_vmac"):
            yield " ".join(words[index : index + 2] if takes else [word])
        index += 2 if takes else 1


def _number(value: Any, otherwise: float) -> float:
    word = first(value)
    if isinstance(word, (int, float)) and not isinstance(word, bool):
        return float(word)
    found = number(word) if isinstance(word, str) else None
    return otherwise if found is None else found
