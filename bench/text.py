"""Python against the C parser: parse, lint and render, beside ``keepalived -t``."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "salt" / "_utils"))

from keepalived_core import conf
from keepalived_core.check import lint

SIZES = (1, 100, 1000)
ROUNDS = 5


def sample(count: int) -> str:
    """A file of *count* instances on the loopback interface, each with one address."""
    blocks = []
    for number in range(count):
        blocks.append(
            f"vrrp_instance VI_{number} {{\n    interface lo\n    state BACKUP\n"
            f"    virtual_router_id {number % 255 + 1}\n    priority 100\n"
            f"    unicast_src_ip 127.0.{number // 255}.1\n"
            f"    virtual_ipaddress {{\n        10.{number // 250}.{number % 250}.1/32 dev lo\n"
            "    }\n}\n"
        )
    return "\n".join(blocks)


def median(action: Callable[[], object]) -> float:
    """Median seconds of ROUNDS runs after one that does not count."""
    action()
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds)


def main() -> None:
    print("| instances | parse ms | lint ms | render ms | together ms | keepalived -t ms | ratio |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for count in SIZES:
        text = sample(count)
        tree = conf.parse(text)
        parse = median(partial(conf.parse, text))
        judge = median(partial(lint.lint, tree))
        render = median(partial(conf.render, tree))
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as handle:
            handle.write(text)
            handle.flush()
            command = ["keepalived", "-t", "-f", handle.name]
            theirs = median(partial(subprocess.run, command, capture_output=True, check=False))
        ours = parse + judge + render
        cells = [parse, judge, render, ours, theirs]
        shown = " | ".join(f"{cell * 1000:.1f}" for cell in cells)
        print(f"| {count} | {shown} | {ours / theirs:.1f} |")
