"""A random schedule from a seed: the same seed is the same schedule."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.chaos.faults import KINDS


@dataclass(frozen=True)
class Fault:
    """``wait`` seconds after the one before it has begun it begins; ``hold`` seconds later it is
    mended.  ``seed`` is for what it draws itself."""

    kind: str
    node: str
    wait: float
    hold: float
    seed: int

    def __str__(self) -> str:
        return f"{self.kind} on {self.node}, after {self.wait:.1f} s for {self.hold:.1f} s"


@dataclass(frozen=True)
class Round:
    """Faults that may overlap; ``hurry``: the next ones come before all has settled."""

    faults: tuple[Fault, ...]
    hurry: bool = False


def make(
    seed: int, count: int, nodes: Sequence[str], master: str, kinds: Iterable[str] | None = None
) -> list[Round]:
    """Draw *count* faults, in rounds of one to three."""
    draw = random.Random(seed)
    names = list(KINDS if kinds is None else kinds)
    weights = [KINDS[name].weight for name in names]
    rounds: list[Round] = []
    left = count
    while left:
        size = min(left, draw.choices((1, 2, 3), (5, 4, 2))[0])
        faults = []
        for _ in range(size):
            (name,) = draw.choices(names, weights)
            kind = KINDS[name]
            # the last one has the highest priority, so mostly the address
            (node,) = draw.choices(nodes, range(1, len(nodes) + 1))
            node = master if kind.master else node
            wait = draw.uniform(0, 3) if faults else 0.0
            faults.append(
                Fault(name, node, wait, draw.uniform(*kind.hold), draw.randrange(1 << 30))
            )
        rounds.append(Round(tuple(faults), hurry=draw.random() < 0.25))
        left -= size
    return rounds
