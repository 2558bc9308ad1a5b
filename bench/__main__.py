"""Measurements: ``./run bench [NAME ...]``.  Each prints one table; ratios are from one run.

``./run bench NAME --OPTION ...``: what begins with the first option goes to that measurement.
"""

from __future__ import annotations

import importlib
import sys

#: name -> what it measures; each is a module here with main().
BENCHES = {
    "text": "read, judge and write n instances, beside keepalived -t on the same file",
    "hub": "events a second into the timeline, beside reactor and runner, one real master",
    "change": "a harmless change on a live cluster: probes lost, ours beside a restart (root)",
    "latency": "transition to event on the bus: relay, beacon, bare send, notify script (root)",
    "status": "verdicts and the screen of 250, 500 and 1,000 clusters of three nodes",
    "report": "the page with 10,000 incidents of 100 nodes: its size, and frames in Chromium",
    "chaos": "random faults: what was told of them against the kernels' truth (root)",
    "noop": "a run that has nothing to do, beside a plain file and service (root)",
    "idle": "what watch and relay cost a node on which nothing happens (root)",
}


def main(arguments: list[str]) -> int:
    first = next((n for n, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    names, options = arguments[:first], arguments[first:]
    if options and len(names) != 1:
        print("options are for one measurement: name it before them", file=sys.stderr)
        return 2
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        print(f"no such bench: {', '.join(unknown)}; there are:", file=sys.stderr)
        for name, what in BENCHES.items():
            print(f"  {name:8} {what}", file=sys.stderr)
        return 2
    status = 0
    for name in names or BENCHES:
        print(f"## {name}: {BENCHES[name]}\n")
        begin = importlib.import_module(f"bench.{name}").main
        # only some of them end with a verdict
        status = (begin(options) if options else begin()) or status
        print()
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
