"""Applies a change again and again inside a node, and kills the run at the moments it is told.

A moment is a fraction of the time a whole run takes.  Prints what was found as JSON.
"""

import json
import os
import signal
import sys
import time
from collections import Counter

import apply_in_node

from keepalived_core import conf, plan
from keepalived_core.node import pending, process, verify
from keepalived_core.node.paths import DEFAULT as PATHS

# The moments shall fall into the work, not into the time in which it is only looked on.
verify.SHORTEST = verify.CALM = verify.DOUBT = 0.02
verify._STEP = 0.02


def run_in_child(text):
    child = os.fork()
    if child:
        return child
    try:
        done = apply_in_node.ask({"text": text})
        os.write(2, json.dumps(done).encode() if "error" in done else b"")
        os._exit(1 if "error" in done else 0)
    finally:
        os._exit(2)


def main(given):
    whole = [plan.render(conf.parse(text)) for text in given["texts"]]
    # choose_text may add reload_check_config; what counts is what a whole run writes
    written = []
    for text in given["texts"]:
        begin = time.monotonic()
        os.waitpid(run_in_child(text), 0)
        took = time.monotonic() - begin
        written.append(PATHS.config.read_text())
    assert len(set(written)) == len(set(whole)) == 2
    daemon = process.find(PATHS)
    told = {"kills": 0, "torn": [], "unfinished": [], "phases": Counter(), "seconds": took}
    for number, moment in enumerate(given["moments"]):
        text, final = given["texts"][number % 2], written[number % 2]
        child = run_in_child(text)
        time.sleep(moment * took)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        told["kills"] += 1
        record = pending.last(PATHS)
        swapped = PATHS.config.read_text() == final
        told["phases"][f"{record.phase if record else None} {swapped}"] += 1
        if PATHS.config.read_text() not in written:
            told["torn"].append(number)
        _, status = os.waitpid(run_in_child(text), 0)
        litter = [name for name in os.listdir(PATHS.config.parent) if name.startswith(".")]
        alive = daemon.alive() and not process.ended(daemon.vrrp)
        done = PATHS.config.read_text() == final and pending.read(PATHS) is None
        if status or litter or not alive or not done:
            told["unfinished"].append([number, status, litter, alive, done])
    print(json.dumps(told))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
