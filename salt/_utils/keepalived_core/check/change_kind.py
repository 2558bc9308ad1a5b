"""The classes of a change, and one reason for one of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Kind(str, Enum):
    """What a change does, from nothing to the worst.

    NOTHING: it means the same to the daemon; SAFE: a reload does it, no address moves;
    MOVES: an address leaves the node that has it, at least for a moment; RESTART: a reload is
    refused, or ends the daemon; CLUSTER: two nodes hold the address until all have the change;
    REMOVES: an address is gone afterwards.
    """

    NOTHING = "nothing"
    SAFE = "safe"
    MOVES = "moves"
    RESTART = "restart"
    CLUSTER = "cluster"
    REMOVES = "removes"


ORDER = list(Kind)
DISRUPTIVE = frozenset({Kind.MOVES, Kind.RESTART, Kind.CLUSTER, Kind.REMOVES})


def worst(kinds: Iterable[Kind | None]) -> Kind:
    """The worst of some; NOTHING of none."""
    return max((kind for kind in kinds if kind), key=ORDER.index, default=Kind.NOTHING)


@dataclass(frozen=True)
class Reason:
    """One thing that is changed, and what that does.

    instance: its name in the new configuration (in the old one, when it is removed), "" when it
    is not about one instance; keyword: the path, such as ``vrrp_instance VI virtual_ipaddress``;
    text: one sentence without any secret.
    """

    kind: Kind
    instance: str
    keyword: str
    text: str

    def sentence(self) -> str:
        """For a person: the class, the place and what happens."""
        place = f"{self.keyword}: " if self.keyword else ""
        return f"{self.kind.value}: {place}{self.text}"

    def to_data(self) -> dict[str, str]:
        """The same as plain data for JSON."""
        return {
            "kind": self.kind.value,
            "instance": self.instance,
            "keyword": self.keyword,
            "text": self.text,
        }
