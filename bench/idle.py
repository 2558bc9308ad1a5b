"""What watch and relay cost a node on which nothing happens: memory, processor time, wake-ups.

The classic cluster, a MASTER and two BACKUPs, left alone for a while.  Memory is PSS: what a
process has to itself, and its share of what it shares with others (the relay is a child of
salt-minion).  A wake-up is a time that a process gave up the processor by itself and so was woken
again (voluntary_ctxt_switches), threads included.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

from bench.classic import classic_lab
from lab.machine import Node

#: Seconds after the set-up, and of the measurement.
REST, SECONDS = 30, 180
#: What a process is called -> a word of its command line, or of its name.
PROCESSES = {"watch": "keepalived_core.node.watch", "relay": "keepalived_relay"}
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """pss in kB, cpu in seconds, wake-ups: since the process began."""

    pss: int
    cpu: float
    wakeups: int


def main() -> None:
    if os.geteuid() != 0:
        print("left out: it boots a lab, which needs root", file=sys.stderr)
        return
    with classic_lab() as lab:
        time.sleep(REST)
        begin = time.monotonic()
        before = {node.name: _costs(node) for node in lab.controllers}
        time.sleep(SECONDS)
        seconds = time.monotonic() - begin
        after = {node.name: _costs(node) for node in lab.controllers}
    _print(before, after, seconds)


def _costs(node: Node) -> dict[str, Cost]:
    found = {}
    for name, word in PROCESSES.items():
        pids = node.run(["pgrep", "-f", word]).stdout.split()
        if len(pids) != 1:
            raise SystemExit(f"{node.name}: not one {name}, but {pids}")
        found[name] = _cost(node, pids[0])
    return found


def _cost(node: Node, pid: str) -> Cost:
    folder = f"/proc/{pid}"
    lines = _read(node, f"{folder}/smaps_rollup").splitlines()
    pss = sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    # behind the name, which may hold blanks: utime and stime are fields 14 and 15 (proc(5))
    fields = _read(node, f"{folder}/stat").rpartition(")")[2].split()
    tasks = node.run(["ls", f"{folder}/task"]).stdout.split()
    status = "\n".join(_read(node, f"{folder}/task/{task}/status") for task in tasks)
    return Cost(
        pss,
        (int(fields[11]) + int(fields[12])) / _TICKS,
        sum(
            int(line.split()[1])
            for line in status.splitlines()
            if line.startswith("voluntary_ctxt_switches:")
        ),
    )


def _read(node: Node, path: str) -> str:
    return str(node.run(["cat", path]).stdout)


def _print(
    before: dict[str, dict[str, Cost]], after: dict[str, dict[str, Cost]], seconds: float
) -> None:
    print(f"| idle for {seconds:.0f} s | PSS MB | CPU s an hour | % of a core | wake-ups / s |")
    print("| --- | --- | --- | --- | --- |")
    for node, costs in after.items():
        rows = [(name, [before[node][name]], [cost]) for name, cost in costs.items()]
        rows.append(("both", list(before[node].values()), list(costs.values())))
        for name, old, new in rows:
            cpu = _sum(each.cpu for each in new) - _sum(each.cpu for each in old)
            woken = _sum(each.wakeups for each in new) - _sum(each.wakeups for each in old)
            pss = _sum(each.pss for each in new) / 1024
            print(
                f"| {node}, {name} | {pss:.1f} | {cpu / seconds * 3600:.1f} "
                f"| {cpu / seconds * 100:.2f} | {woken / seconds:.1f} |"
            )


def _sum(values: Iterable[float]) -> float:
    return float(sum(values))


if __name__ == "__main__":
    main()
