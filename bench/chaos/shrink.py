"""Find the few faults that suffice to show what went wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.chaos.compare import Finding
from bench.chaos.play import Played
from bench.chaos.schedule import Round

#: Replays, in all: each takes a quarter of a minute or more.
ATTEMPTS = 12
#: A consequence may be seen so long after its cause.
AFTER_US = 5_000_000


def suspects(findings: Sequence[Finding], played: Sequence[Played]) -> list[Round]:
    """The rounds during which, or right before which, something went wrong."""
    return [
        each.round
        for each in played
        if any(each.begin - AFTER_US <= one.at <= each.end + AFTER_US for one in findings)
    ]


def shrink(
    rounds: Sequence[Round], fails: Callable[[list[Round]], bool], attempts: int = ATTEMPTS
) -> tuple[list[Round], bool]:
    """Leave out rounds, then faults, as long as it still fails.

    Returns (what is left, whether it failed again when played alone).
    """
    left = list(rounds)
    tries = 0
    shown = False
    while tries < 2 and not shown:
        tries += 1
        shown = fails(left)
    if not shown:
        return left, False
    changed = True
    while changed and tries < attempts:
        changed = False
        for candidate in _smaller(left):
            if tries >= attempts:
                break
            tries += 1
            if fails(candidate):
                left, changed = candidate, True
                break
    return left, True


def _smaller(rounds: Sequence[Round]) -> list[list[Round]]:
    """The schedule without one of its rounds; a single round without one of its faults."""
    if len(rounds) > 1:
        return [[*rounds[:n], *rounds[n + 1 :]] for n in range(len(rounds))]
    faults = rounds[0].faults if rounds else ()
    if len(faults) < 2:
        return []
    return [[Round((*faults[:n], *faults[n + 1 :]), rounds[0].hurry)] for n in range(len(faults))]
