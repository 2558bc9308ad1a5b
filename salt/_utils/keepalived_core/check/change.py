"""What a new configuration does to a running keepalived, and to its peers, when it is reloaded.

Nothing is asked of the machine: two trees, the release, and perhaps the trees of the other nodes
are enough.  The facts behind each keyword stand in ``change_table``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..conf.keyword import Version
from ..conf.sameness import equal
from ..conf.tree import Tree
from . import change_election, change_global, change_instance, change_rules
from .change_instance import Pair
from .change_kind import DISRUPTIVE, ORDER, Kind, Reason, worst
from .change_model import Instance, Model, Vip, read
from .change_table import ADDED, REMOVED

__all__ = ["Change", "Kind", "Reason", "classify"]


@dataclass
class Change:
    """All that a change does.  instances: the worst kind for each instance that it touches."""

    reasons: list[Reason] = field(default_factory=list)
    instances: dict[str, Kind] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """The worst of all."""
        return worst(reason.kind for reason in self.reasons)

    @property
    def disruptive(self) -> bool:
        """Whether somebody who uses an address may notice."""
        return any(reason.kind in DISRUPTIVE for reason in self.reasons)

    @property
    def restart(self) -> bool:
        """Whether keepalived must be restarted: a reload is refused, or does harm."""
        return any(reason.kind is Kind.RESTART for reason in self.reasons)

    @property
    def cluster(self) -> bool:
        """Whether two nodes hold an address until all of them have the change."""
        return any(reason.kind is Kind.CLUSTER for reason in self.reasons)

    def sentences(self) -> list[str]:
        """What to tell a person, the worst first."""
        return [reason.sentence() for reason in self.reasons]

    def to_data(self) -> dict[str, Any]:
        """The same as plain data for JSON."""
        return {
            "kind": self.kind.value,
            "disruptive": self.disruptive,
            "instances": {name: kind.value for name, kind in self.instances.items()},
            "reasons": [reason.to_data() for reason in self.reasons],
        }


def classify(
    old: Tree | None,
    new: Tree,
    version: Version | None = None,
    *,
    peers: Mapping[str, Tree] | None = None,
) -> Change:
    """What replacing *old* by *new* and reloading does.

    old: what the daemon runs now, None for none; both as the daemon reads them
    (``conf.effective``); version: of the installed keepalived, None when unknown (then the worst
    of all releases counts); peers: {node: the configuration it will have}, which tell whether a
    changed priority moves an address.
    """
    if old is None:
        return Change([Reason(Kind.SAFE, "", "", "first configuration")])
    if equal(old, new):
        return Change()
    before, after = read(old), read(new)
    pairs, gone, come = _match(before, after)
    found = list(_instances(before, after, pairs, gone, come, version))
    elections = change_election.Elections(old, new, peers) if peers else None
    found += change_election.compare(pairs, elections, version)
    names = {pair.old.name: pair.new.name for pair in pairs}
    by_name = {pair.new.name: pair for pair in pairs}

    def together(members: list[str]) -> bool:
        known = [by_name[name] for name in members if name in by_name]
        return elections is not None and len(known) == len(members) and elections.one_holder(known)

    found += change_global.groups(before, after, names, together, version)
    counted = {
        reason.keyword.split(" ")[1]
        for reason in found
        if reason.keyword.startswith("global_defs ")
    }
    found += change_global.compare(before, after, counted, version)
    if not found:
        # equal() asks for more than what these compare: the order of blocks, and defaults.
        text = "what is written differently comes to the same values"
        found.append(Reason(Kind.SAFE, "", "", text))
    found = sorted(dict.fromkeys(found), key=lambda one: -ORDER.index(one.kind))
    touched: dict[str, Kind] = {}
    for reason in found:
        if reason.instance:
            touched[reason.instance] = worst([touched.get(reason.instance), reason.kind])
    return Change(found, touched)


def _match(old: Model, new: Model) -> tuple[list[Pair], list[Instance], list[Instance]]:
    """Instances that are the same before and after; those that go, and those that come.

    keepalived knows them by slot; people by name.
    """
    free = {one.name: one for one in new.instances}
    pairs: dict[str, Instance] = {}
    slots: dict[tuple[Any, ...], list[Instance]] = {}
    for one in new.instances:
        slots.setdefault(one.slot, []).append(one)
    for one in old.instances:
        for other in sorted(slots.get(one.slot, ()), key=lambda other: other.name != one.name):
            if free.pop(other.name, None) is not None:
                pairs[one.name] = other
                break
    for one in old.instances:
        if one.name not in pairs and one.name in free:
            pairs[one.name] = free.pop(one.name)
    found = [Pair(one, pairs[one.name]) for one in old.instances if one.name in pairs]
    gone = [one for one in old.instances if one.name not in pairs]
    return found, gone, list(free.values())


def _instances(
    before: Model,
    after: Model,
    pairs: list[Pair],
    gone: list[Instance],
    come: list[Instance],
    version: Version | None,
) -> Iterator[Reason]:
    homes = {vip.address: one for one in after.instances for vip in one.vips}
    for pair in pairs:
        yield from change_instance.compare(pair, version)
        kept = {vip.address for vip in pair.new.vips}
        lost = [vip for vip in pair.old.vips if vip.address not in kept]
        removed = [vip for vip in lost if vip.address not in homes]
        yield from change_instance.addresses(pair, removed, version)
        for vip in lost:
            if vip.address in homes:
                yield _moved(pair, vip, homes[vip.address], pairs, version)
    for one in gone:
        moved = [vip.address for vip in one.vips if vip.address in homes]
        case = "removed, its addresses in another instance" if moved else REMOVED
        rule = change_rules.find(("vrrp_instance",), case, version)
        yield Reason(rule.kind, one.name, f"vrrp_instance {one.name}", f"removed: {rule.text}")
    for one in come:
        rule = change_rules.find(("vrrp_instance",), ADDED, version)
        yield Reason(rule.kind, one.name, f"vrrp_instance {one.name}", f"added: {rule.text}")
    order = [pair.new.place for pair in pairs]
    if order != sorted(order):
        rule = change_rules.find(("vrrp_instance",), "another order", version)
        yield Reason(rule.kind, "", "vrrp_instance", f"another order of instances: {rule.text}")


def _moved(
    pair: Pair, vip: Vip, home: Instance, pairs: list[Pair], version: Version | None
) -> Reason:
    """An address that another instance has from now on.

    keepalived goes through the instances in their old order: what one takes off after the other
    has put it on is gone.
    """
    target = next((other.old for other in pairs if other.new is home), None)
    case = "goes to another instance"
    if target is not None and target.place < pair.old.place:
        case = "goes up to an instance that stands above"
    word = "virtual_ipaddress_excluded" if vip.excluded else "virtual_ipaddress"
    rule = change_rules.find(("vrrp_instance", word), case, version)
    what = f"{vip.address} goes to {home.name}: {rule.text}"
    return Reason(rule.kind, pair.new.name, f"vrrp_instance {pair.new.name} {word}", what)
