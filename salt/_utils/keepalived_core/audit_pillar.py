"""What the pillars of a cluster say, as an audit compares it; no node is asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .check import describe as describing
from .check import reach as reaching
from .pillar import PillarError, to_tree

Addresses = Mapping[str, Mapping[str, list[str]]]


@dataclass
class Pillars:
    """One cluster's.  nodes: {node: its instances as ``describe`` shows them}, None of one whose
    pillar is wrong; mistakes: {node: what is wrong with it}; reach: findings as plain data."""

    nodes: dict[str, tuple[dict[str, Any], ...] | None] = field(default_factory=dict)
    mistakes: dict[str, list[str]] = field(default_factory=dict)
    reach: list[dict[str, Any]] = field(default_factory=list)


def read(
    pillars: Mapping[str, Mapping[str, Any] | None],
    versions: Mapping[str, str],
    addresses: Addresses | None = None,
    mark: describing.Mark | None = None,
    reach: bool = True,
) -> Pillars:
    """Read the pillars of one cluster.

    pillars
        {node: its pillar key ``keepalived``}; one that is not at hand (None) is judged by that of
        the others.
    versions
        {node: its keepalived}, as far as known.
    addresses
        As the mine has them: ``unicast_peer: auto`` needs them.
    mark
        For secrets (``describe.marker``); it must be one for all that is compared.
    reach
        Whether to look as well where the addresses would go when something fails.
    """
    mark = mark or describing.marker()
    any_other = next((data for data in pillars.values() if data is not None), None)
    found = Pillars()
    trees = {}
    for node, own in pillars.items():
        try:
            tree = to_tree(
                any_other if own is None else own, node, versions.get(node), addresses or {}
            )
        except PillarError as error:
            found.nodes[node] = None
            found.mistakes[node] = [f"{place}: {why}" for place, why in error.mistakes]
            continue
        trees[node] = tree
        found.nodes[node] = tuple(describing.describe(tree, mark))
    if reach and trees and not found.mistakes:
        plain = reaching.to_plain(reaching.reach(trees, addresses))
        found.reach = [
            *plain["findings"],
            *(one for each in plain["instances"] for one in each["findings"]),
        ]
    return found
