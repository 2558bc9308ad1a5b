"""Random faults on a live cluster, and what was told of them against the kernels' truth.

``./run bench chaos --faults N --seed S``: N faults (default 20), the same S the same faults; a
cluster of three is booted for it.  ``--lab NAME`` uses one that is up and has the classic pillar.
Exits with 1, the seed and a shrunk list of faults when something was lost, invented or disordered.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Callable, Sequence

from bench.chaos import play, report, schedule, shrink
from lab.demo import OWNER, configure_master, one_holder, summarise, wait_for_beacons
from lab.lab import Lab


def main(arguments: Sequence[str] = ()) -> int:
    """Play, print the table; 0 when all is well."""
    parser = argparse.ArgumentParser(prog="./run bench chaos", description=__doc__)
    parser.add_argument("--faults", type=int, default=20, help="how many (default: 20)")
    parser.add_argument("--seed", type=int, help="of the schedule (default: a new one)")
    parser.add_argument("--lab", help="a lab that is up and configured; left up")
    parser.add_argument("--only", help="kinds of faults, separated by commas")
    parser.add_argument("--no-shrink", action="store_true", help="do not play a failure again")
    options = parser.parse_args(list(arguments))
    if os.geteuid() != 0:
        print("left out: it boots a lab, which needs root", file=sys.stderr)
        return 0
    seed = random.randrange(1 << 30) if options.seed is None else options.seed
    lab = Lab.attach(options.lab, quiet=True) if options.lab else Lab("chaos", nodes=3)
    try:
        if not options.lab:
            _make(lab)
        only = options.only.split(",") if options.only else None
        outcome = run(lab, options.faults, seed, only, _say)
        print(report.table(outcome, seed), flush=True)
        if outcome.bad:
            left, again = shrunk(lab, outcome, not options.no_shrink, _say)
            print("\n" + report.failure(outcome, seed, options.faults, left, again))
        return 1 if outcome.bad else 0
    finally:
        if not options.lab:
            lab.down()


def run(
    lab: Lab,
    faults: int,
    seed: int,
    only: Sequence[str] | None = None,
    say: Callable[[str], None] = lambda text: None,
) -> play.Outcome:
    """Play a schedule on a healthy lab, all kinds of faults or *only* some."""
    names = [node.name for node in lab.controllers]
    outcome = play.play(lab, schedule.make(seed, faults, names, lab.master.name, only), say)
    for sentence in outcome.bad:
        say(f"wrong: {sentence}")
    return outcome


def shrunk(
    lab: Lab,
    outcome: play.Outcome,
    again: bool = True,
    say: Callable[[str], None] = lambda text: None,
) -> tuple[list[schedule.Round], bool]:
    """Find what suffices to show a failure.

    again: play the rounds beside it again, and fewer and fewer of them.
    Returns (rounds, whether they failed again).
    """
    rounds = shrink.suspects(outcome.findings, outcome.played)
    if not rounds or not again:
        return rounds, False

    def fails(some: list[schedule.Round]) -> bool:
        return bool(play.play(lab, some, say).bad)

    return shrink.shrink(rounds, fails)


def _make(lab: Lab) -> None:
    lab.down()
    lab.up()
    lab.push()
    configure_master(lab)
    summarise(lab.salt("controller*", "state.highstate", timeout=240))
    one_holder(lab, OWNER, timeout=30)
    wait_for_beacons(lab, timeout=60)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
