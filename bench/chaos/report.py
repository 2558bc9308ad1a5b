"""The table of a schedule, and what to print when it failed."""

from __future__ import annotations

from bench.chaos.compare import FLASH_US
from bench.chaos.faults import LEFT_OUT
from bench.chaos.play import Outcome
from bench.chaos.schedule import Round


def table(outcome: Outcome, seed: int) -> str:
    """The figures, in Markdown."""
    result = outcome.result
    faults = sum(len(each.round.faults) for each in outcome.played)
    errors = sorted(map(abs, result.errors)) or [0.0]
    rows = [
        ("faults", f"{faults} in {len(outcome.played)} rounds, seed {seed}"),
        ("time", f"{outcome.seconds:.0f} s"),
        ("transitions compared", result.compared),
        ("transitions while no watch ran, seen as their result", result.blind),
        (f"flashes under {FLASH_US // 1000} ms, not owed", result.flashes),
        ("lost (I1)", result.count("lost")),
        ("invented (I2)", result.count("invented")),
        ("twice", result.count("doubled")),
        ("out of order (I3)", result.count("order")),
        ("told time beside the kernel's, p50 / p95 / max ms (I4)", _three(errors)),
        ("states that differ at the end (I5)", len(outcome.i5) + result.count("state")),
        ("ghosts of a dead keepalived, told (I7)", "{1} of {0}".format(*outcome.ghosts)),
        ("seconds without an owner, kernel / told (I8)", "{:.2f} / {:.2f}".format(*outcome.nobody)),
        ("seconds with two owners, kernel / told", "{:.2f} / {:.2f}".format(*outcome.several)),
        ("adverts of a node told as MASTER", "{1} of {0}".format(*outcome.adverts)),
        *((f"the watch of {name} (I16)", cost) for name, cost in sorted(outcome.bounds.items())),
    ]
    hub = outcome.hub
    if hub is None:
        rows.append(("the hub", "there is none"))
    else:
        wrong = " / ".join(
            str(hub.count(kind)) for kind in ("lost", "invented", "doubled", "order")
        )
        rows += [
            ("rows in the hub's timeline, of the nodes' journals", hub.compared),
            ("there lost / invented / twice / out of order", wrong),
            ("kernel to hub, p50 / p95 / max ms", _three(sorted(hub.errors) or [0.0])),
        ]
    lines = ["| chaos | |", "| --- | --- |", *(f"| {name} | {value} |" for name, value in rows)]
    lines += [f"\nLeft out: {kind}: {why}." for kind, why in LEFT_OUT.items()]
    return "\n".join(lines)


def failure(outcome: Outcome, seed: int, count: int, rounds: list[Round], again: bool) -> str:
    """What went wrong, and the least that shows it."""
    lines = [f"FAILED: ./run bench chaos --faults {count} --seed {seed}", ""]
    lines += outcome.bad[:40]
    lines += ["", "played again alone, this fails too:" if again else "around these faults:"]
    for each in rounds:
        lines += [f"  {fault}" for fault in each.faults]
    return "\n".join(lines)


def _three(values: list[float]) -> str:
    places = (len(values) // 2, len(values) * 95 // 100, len(values) - 1)
    return " / ".join(f"{values[place] * 1000:.1f}" for place in places)
