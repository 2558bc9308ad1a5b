"""What a run costs that has nothing to do: ``state.apply keepalived`` on three nodes.

Beside it, in turn, a plain ``file.managed`` + ``service.running`` of the same file and service:
the least that a state run over them can cost.  Seconds as the person at the master waits for
them, and milliseconds that the states themselves took on the slowest node.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from typing import Any

from bench.classic import classic_lab
from lab.lab import Lab

ROUNDS = 7
PLAIN = """
/etc/keepalived/keepalived.conf:
  file.managed:
    - source: salt://plain/{{ grains.id }}.conf
    - mode: '0640'
keepalived:
  service.running:
    - enable: True
"""


def main() -> None:
    if os.geteuid() != 0:
        print("left out: it boots a lab, which needs root", file=sys.stderr)
        return
    with classic_lab() as lab:
        lab.master.write_file("/srv/salt/plain/init.sls", PLAIN)
        for node in lab.controllers:
            text = node.read_file("/etc/keepalived/keepalived.conf")
            lab.master.write_file(f"/srv/salt/plain/{node.name}.conf", text)
        found: dict[str, list[tuple[float, float]]] = {"keepalived": [], "plain": []}
        for _ in range(ROUNDS):
            for sls, rows in found.items():
                rows.append(_measured(lab, sls))
        _print(found)


def _measured(lab: Lab, sls: str) -> tuple[float, float]:
    """(seconds at the master, milliseconds of the states on the slowest node) of one run."""
    begin = time.monotonic()
    answers = lab.salt("controller*", "state.apply", sls)
    seconds = time.monotonic() - begin
    changed = {n: _changes(states) for n, states in answers.items() if _changes(states)}
    if changed or len(answers) != len(lab.controllers):
        raise SystemExit(f"{sls} was no no-op: {json.dumps(changed)[:500]}")
    nodes = [sum(state["duration"] for state in states.values()) for states in answers.values()]
    return seconds, max(nodes)


def _changes(states: dict[str, Any]) -> list[str]:
    return [
        name for name, state in states.items() if state["changes"] or state["result"] is not True
    ]


def _print(found: dict[str, list[tuple[float, float]]]) -> None:
    print(f"| no-op on three nodes, median of {ROUNDS} | seconds | states' ms |")
    print("| --- | --- | --- |")
    medians = {}
    for sls, rows in found.items():
        medians[sls] = [statistics.median(column) for column in zip(*rows, strict=True)]
        print(f"| state.apply {sls} | {medians[sls][0]:.2f} | {medians[sls][1]:.0f} |")
    ratios = [ours / theirs for ours, theirs in zip(*medians.values(), strict=True)]
    print(f"| ratio | {ratios[0]:.2f} | {ratios[1]:.1f} |")


if __name__ == "__main__":
    main()
