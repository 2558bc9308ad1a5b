"""What a new configuration does to a running keepalived, and to its peers, when it is reloaded.

Nothing is asked of the machine: two trees, the release, and perhaps the trees of the other nodes
are enough.  The facts behind each keyword stand in ``change_rules``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..conf.instances import instances
from ..conf.keyword import Version
from ..conf.sameness import equal
from ..conf.tree import Tree
from .change_kind import DISRUPTIVE, Kind, Reason, worst

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
        """Whether keepalived must be restarted: a reload is refused, or ends it."""
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
    reasons = []
    before = {one.name: one for one in instances(old)}
    after = {one.name: one for one in instances(new)}
    for name, one in before.items():
        other = after.get(name)
        if other is None:
            reasons.append(Reason(Kind.REMOVES, name, f"vrrp_instance {name}", "is removed"))
        elif sorted(one.vips) != sorted(other.vips):
            where = f"vrrp_instance {name} virtual_ipaddress"
            if set(one.vips) - set(other.vips):
                reasons.append(Reason(Kind.REMOVES, name, where, "loses an address"))
            if version is None or version < (2, 3, 3):
                reasons.append(Reason(Kind.CLUSTER, name, where, "has other addresses"))
    reasons = reasons or [Reason(Kind.SAFE, "", "", "takes effect by a reload")]
    touched: dict[str, Kind] = {}
    for reason in reasons:
        if reason.instance:
            touched[reason.instance] = worst([touched.get(reason.instance), reason.kind])
    return Change(reasons, touched)
