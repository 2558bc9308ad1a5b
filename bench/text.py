"""Python against the C parser: parse, lint and render, beside ``keepalived -t``.

Processor time on both sides, so that other work on the machine blurs no ratio.
"""

from __future__ import annotations

import resource
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "salt" / "_utils"))

from keepalived_core import conf
from keepalived_core.check import lint

# instances -> how often each step is measured; the median counts
SIZES = {1: 15, 100: 9, 1000: 7, 10_000: 3}
# keepalived compares each instance with all others, so -t is given up on after this.
LIMIT_SECONDS = 100.0


def sample(count: int, interface: str) -> str:
    """A file of *count* instances that keepalived -t has nothing to say about.

    Unicast, so that numbers may come again on the one interface every machine has.
    """
    blocks = []
    for number in range(count):
        high, low = divmod(number, 250)
        blocks.append(
            f"vrrp_instance VI_{number} {{\n    interface {interface}\n    state BACKUP\n"
            f"    virtual_router_id {number % 255 + 1}\n    priority 100\n"
            f"    unicast_src_ip 127.0.{high}.1\n    unicast_peer {{\n        127.1.{high}.2\n"
            "    }\n    virtual_ipaddress {\n"
            f"        10.{high}.{low}.1/32 dev {interface}\n    }}\n}}\n"
        )
    return "\n".join(blocks)


def processor_seconds() -> float:
    """Used so far by this process and by those it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def median(action: Callable[[], object], rounds: int) -> float:
    """Median seconds of *rounds* runs after one that does not count."""
    action()
    seconds = []
    for _ in range(rounds):
        begin = processor_seconds()
        action()
        seconds.append(processor_seconds() - begin)
    return statistics.median(seconds)


def their_test(path: str) -> None:
    """``keepalived -t``, which must find nothing: a file it stops at early would flatter it."""
    done = subprocess.run(
        ["keepalived", "-t", "-f", path],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    if done.returncode:
        raise SystemExit(f"keepalived -t exits {done.returncode}: {done.stderr[:300]}")


def their_seconds(path: str, rounds: int) -> float | None:
    """What keepalived -t takes; None for longer than the limit."""
    try:
        # A run of a minute is not repeated for the sake of a median.
        begin = processor_seconds()
        their_test(path)
        first = processor_seconds() - begin
        return first if first > 10 else median(partial(their_test, path), rounds)
    except subprocess.TimeoutExpired:
        return None


def an_interface() -> str:
    """One that keepalived takes: not the loopback."""
    names = [name for _, name in socket.if_nameindex() if name != "lo"]
    if not names:
        raise SystemExit("there is no interface but lo, which keepalived refuses")
    return names[0]


def main() -> None:
    interface = an_interface()
    before: tuple[int, float] | None = None
    print(
        "| instances | parse ms | lint ms | render ms | together ms | keepalived -t ms | ratio "
        "| growth |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for count, rounds in SIZES.items():
        text = sample(count, interface)
        tree = conf.parse(text)
        steps = [partial(conf.parse, text), partial(lint.lint, tree), partial(conf.render, tree)]
        cells = [median(step, rounds) for step in steps]
        ours = sum(cells)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as handle:
            handle.write(text)
            handle.flush()
            theirs = their_seconds(handle.name, rounds)
        shown = " | ".join(f"{cell * 1000:.1f}" for cell in [*cells, ours])
        their_cell = f"> {LIMIT_SECONDS * 1000:.0f}" if theirs is None else f"{theirs * 1000:.1f}"
        sign = "< " * (theirs is None)
        ratio = f"{sign}{ours / (LIMIT_SECONDS if theirs is None else theirs):.2f}"
        growth = f"{count // before[0]} x: {ours / before[1]:.1f}" if before else ""
        print(f"| {count} | {shown} | {their_cell} | {ratio} | {growth} |", flush=True)
        before = count, ours
    print("\ngrowth: how many times the row before, in instances and in our time together.")


if __name__ == "__main__":
    main()
