"""State runs that are killed with -9 while they change a live cluster, at random moments.

What they leave is the old file or the new one, whole, and the daemon that was there; the next run
finishes the job.
"""

from __future__ import annotations

import collections
import concurrent.futures
import os
import random
import time

import pytest
from observer import Observer
from support import CONFIG, VIP, instance, set_pillar

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(1800)]

SEED = 4
#: Rounds; in each a run is killed on every one of the three nodes.
ROUNDS = 34 if os.environ.get("SALT_KEEPALIVED_LONG") else 1
#: Of the seconds that a run with nothing to do takes: before that it has not begun to write.
EARLIEST = 0.7
#: Seconds that a change takes more: written, reloaded, looked at.
CHANGE = 3.0
STATE = ["state.single", "keepalived.managed", f"name={CONFIG}", "--out=quiet"]


def pid(node):
    return node.read_file("/run/keepalived.pid").strip()


def alive(node):
    return node.run(["kill", "-0", pid(node)], check=False).returncode == 0


def run_and_kill(node, after):
    """Whether it was still running after so many seconds, and so was killed with its children."""
    done = node.run(["timeout", "-s", "KILL", f"{after:.2f}", "salt-call", *STATE], check=False)
    return done.returncode != 0


def seconds_of_a_run(node):
    begin = time.monotonic()
    node.run(["salt-call", *STATE])
    return time.monotonic() - begin


def test_a_killed_state_run_leaves_a_whole_file_and_a_living_daemon_and_the_next_one_converges(
    healthy,
):
    nodes = healthy.controllers
    draw = random.Random(SEED)
    pids = {node.name: pid(node) for node in nodes}
    seen = collections.Counter()
    wrong = []
    with (
        Observer(nodes, VIP) as kernel,
        concurrent.futures.ThreadPoolExecutor(len(nodes)) as pool,
    ):
        idle = max(pool.map(seconds_of_a_run, nodes))
        for number in range(ROUNDS):
            old = {node.name: node.read_file(CONFIG) for node in nodes}
            set_pillar(healthy, instance(garp_master_repeat=2 + number % 2))
            moments = [draw.uniform(EARLIEST * idle, idle + CHANGE) for _ in nodes]
            killed = list(pool.map(run_and_kill, nodes, moments))
            left = {node.name: node.read_file(CONFIG) for node in nodes}
            dead = [node.name for node in nodes if not alive(node)]
            pending = healthy.salt("controller*", "keepalived.pending")
            # a minion that is not told still plans with the pillar of before
            healthy.salt("controller*", "saltutil.refresh_pillar", wait=True)
            answers = healthy.salt("controller*", "state.single", "keepalived.managed", name=CONFIG)
            for node, was_killed in zip(nodes, killed, strict=True):
                name, new = node.name, node.read_file(CONFIG)
                (state,) = answers[name].values()
                if left[name] not in (old[name], new):
                    wrong.append(f"round {number}, {name}: a torn file")
                if name in dead or pid(node) != pids[name]:
                    wrong.append(f"round {number}, {name}: keepalived is another or dead")
                if state["result"] is not True or new == old[name]:
                    wrong.append(f"round {number}, {name}: not converged: {state['comment']}")
                phase = "finished before" if not was_killed else "killed"
                file = "new" if left[name] == new else "old"
                work = "pending" if pending[name] else "nothing pending"
                seen[f"{phase}, file {file}, {work}"] += 1
        plans = healthy.salt("controller*", "keepalived.plan")
        moves = kernel.changes()
    print(f"{ROUNDS * len(nodes)} runs, seed {SEED}: {dict(seen)}")
    assert wrong == []
    assert {plan["action"] for plan in plans.values()} == {"nothing"}
    assert [move for move in moves if move["address"] == VIP] == []
    assert any(kind.startswith("killed") for kind in seen)
