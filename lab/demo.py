"""The main job, live: three controllers, one VIP, a failure, the reaction, the way home.

``./run demo`` boots real machines, applies the formula from ``pillar/`` with Salt, stops haproxy
on the node that holds the VIP, and shows each event as it reaches the master.  The exit status
is 0 only when every step really happened.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from lab import Lab

VIP = "192.168.1.220"
CLUSTER = "controllers"
NODES = "controller*"
ROOT = Path(__file__).resolve().parent.parent


class StepFailed(Exception):
    """A step of the demo did not happen; the text says what was seen instead."""


class Screen:
    """What a person reads: numbered steps, indented output, colours only on a terminal."""

    def __init__(self) -> None:
        self.colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self.number = 0
        self.begin = time.monotonic()

    def _paint(self, code: str, text: str) -> str:
        return f"\033[{code}m{text}\033[0m" if self.colour else text

    def step(self, title: str) -> None:
        self.number += 1
        clock = self._paint("2", f"[{time.monotonic() - self.begin:6.1f} s]")
        print(f"\n{clock} {self._paint('1', f'{self.number}. {title}')}", flush=True)

    def say(self, text: str) -> None:
        for line in text.rstrip("\n").splitlines():
            print(f"    {line}", flush=True)

    def good(self, text: str) -> None:
        print(f"    {self._paint('32', 'ok')} {text}", flush=True)

    def bad(self, text: str) -> None:
        print(f"    {self._paint('31', 'FAILED')} {text}", flush=True)


class EventTap:
    """Reads the master's event bus in the background, keeping ours with the time of arrival."""

    def __init__(self, lab: Lab, screen: Screen) -> None:
        self.lab, self.screen = lab, screen
        self.seen: list[tuple[str, dict[str, Any]]] = []
        self.buffer = b""
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = self.lab.master.popen(
            ["salt-run", "--no-color", "state.event", "tagmatch=*keepalived*"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self.process.stdout is not None
        os.set_blocking(self.process.stdout.fileno(), False)
        # The listener answers nothing when it is ready: ask the bus until it hears us.
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            self.lab.master.run(["salt-call", "--local", "test.true"], check=False)
            self.lab.salt_run("event.send", "demo/keepalived/ready")
            self.pump(show=False)
            if any(tag == "demo/keepalived/ready" for tag, _ in self.seen):
                self.seen.clear()
                return
        raise StepFailed("the listener on the master's event bus did not come up")

    def pump(self, show: bool = True) -> None:
        """Take in what has arrived, and print each event."""
        assert self.process is not None and self.process.stdout is not None
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self.process.stdout.fileno(), 65536):
                self.buffer += chunk
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            tag, _, rest = line.decode("utf-8", "replace").partition("\t")
            try:
                data = json.loads(rest)
            except ValueError:
                continue
            self.seen.append((tag.strip(), data))
            if show and not tag.startswith(("salt/run", "salt/job", "demo/")):
                self.screen.say(describe(tag.strip(), data, time.time()))

    def wait(self, what: str, wanted: Any, timeout: float) -> tuple[str, dict[str, Any]]:
        """The first event for which ``wanted(tag, data)`` holds."""
        deadline = time.monotonic() + timeout
        looked = 0
        while True:
            self.pump()
            for tag, data in self.seen[looked:]:
                if wanted(tag, data):
                    return tag, data
            looked = len(self.seen)
            if time.monotonic() > deadline:
                raise StepFailed(f"no event within {timeout:g} s: {what}")
            time.sleep(0.05)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()


def describe(tag: str, data: dict[str, Any], now: float) -> str:
    """One event as one line."""
    if "/beacon/" in tag:
        delay = ""
        with contextlib.suppress(KeyError, ValueError):
            happened = datetime.fromisoformat(str(data["time"]).replace("Z", "+00:00")).timestamp()
            delay = f"{(now - happened) * 1000:6.0f} ms after it happened"
        name = data.get("instance") or "node"
        change = f"{data.get('from') or '-'} -> {data.get('to')}"
        return f"event  {data.get('id'):12} {name:10} {change:20} {delay}"
    what = " ".join(tag.split("/")[2:])
    detail = {k: data[k] for k in ("minion", "check", "service", "reason") if data.get(k)}
    return f"event  {what}: " + ", ".join(f"{key} {value}" for key, value in detail.items())


def holders(lab: Lab) -> list[str]:
    """The nodes that have the VIP on an interface, asked of each kernel."""
    found = []
    for node in lab.nodes:
        out = node.run(["ip", "-o", "addr", "show"], check=False).stdout
        if f" {VIP}/" in out:
            found.append(node.name)
    return found


def one_holder(lab: Lab, timeout: float, other_than: str | None = None) -> str:
    """Wait until exactly one node has the VIP, and say which."""
    deadline = time.monotonic() + timeout
    while True:
        seen = holders(lab)
        if len(seen) == 1 and seen[0] != other_than:
            return seen[0]
        if time.monotonic() > deadline:
            raise StepFailed(f"within {timeout:g} s the VIP {VIP} was on: {seen or 'no node'}")
        time.sleep(0.1)


def summarise(result: dict[str, Any]) -> list[str]:
    """A highstate's outcome, a line a node; raises when a state failed."""
    lines = []
    for node, states in sorted(result.items()):
        if not isinstance(states, dict):
            raise StepFailed(f"{node}: {states}")
        failed = [s for s in states.values() if s.get("result") is False]
        changed = [s for s in states.values() if s.get("changes")]
        if failed:
            reasons = "\n".join(f"{s.get('__id__')}: {s.get('comment')}" for s in failed)
            raise StepFailed(f"{node}: {len(failed)} states failed\n{reasons}")
        lines.append(f"{node}: {len(states)} states, {len(changed)} changed, 0 failed")
    return lines


@contextlib.contextmanager
def probing(lab: Lab) -> Iterator[dict[str, Any]]:
    """Probe the VIP as a client while the body runs; the result is filled in at the end."""
    result: dict[str, Any] = {}
    command = [sys.executable, "-m", "lab.probe", VIP, "--interval", "0.01", "--http", "80"]
    process = subprocess.Popen(lab.client_command(command), stdout=subprocess.PIPE, cwd=ROOT)
    try:
        yield result
    finally:
        process.terminate()
        out, _ = process.communicate(timeout=15)
        with contextlib.suppress(ValueError):
            result.update(json.loads(out))


def story(lab: Lab, screen: Screen) -> None:
    """The steps.  Raises StepFailed at the first one that does not happen."""
    screen.step("Three controllers and a Salt master")
    answers = lab.salt(NODES, "test.ping")
    if len(answers) != len(lab.nodes):
        raise StepFailed(f"only {sorted(answers)} answer the master")
    screen.good(f"{', '.join(sorted(answers))} answer the master")

    screen.step("Configure the master: reactor and reactions")
    out = lab.configure_master()
    screen.say(out)
    screen.good("two reactor files are in place: keepalived/reactor/alert.sls, remediate.sls")

    screen.step("salt 'controller*' state.highstate: pillar in, one VIP out")
    for line in summarise(lab.salt(NODES, "state.highstate", timeout=240)):
        screen.good(line)
    owner = one_holder(lab, timeout=30)
    screen.good(f"{VIP} is on {owner} and nowhere else (highest priority: 103)")
    lab.wait_for_events_enabled()

    screen.step("salt-run keepalived.status")
    screen.say(lab.master.run(["salt-run", "--no-color", "keepalived.status"]).stdout)

    tap = EventTap(lab, screen)
    tap.start()
    try:
        with probing(lab) as probe:
            time.sleep(1)
            break_and_mend(lab, screen, tap, owner)
            time.sleep(1)
    finally:
        tap.stop()

    screen.step("What happened, from the nodes' own journals")
    screen.say(lab.master.run(["salt-run", "--no-color", "keepalived.timeline"]).stdout)
    screen.step("What the client saw, probing every 10 ms")
    if not probe:
        raise StepFailed("the client's probe gave no result")
    for gap in probe["gaps"]:
        screen.say(f"no answer for {gap['seconds']:.2f} s")
    screen.good(f"{probe['sent']} probes, {probe['lost']} lost, longest gap {probe['longest']} s")


def break_and_mend(lab: Lab, screen: Screen, tap: EventTap, owner: str) -> None:
    """haproxy stops on the VIP's holder; everything after that happens by itself."""
    screen.step(f"systemctl stop haproxy on {owner}, which holds the VIP")
    lab.node(owner).run(["systemctl", "stop", "haproxy"])
    screen.say("its check fails, it gives up the address, a peer takes it over:")
    tap.wait(
        f"{owner} in FAULT",
        lambda tag, data: data.get("id") == owner and data.get("to") == "FAULT",
        timeout=20,
    )
    _, taken = tap.wait(
        "another node MASTER",
        lambda tag, data: data.get("to") == "MASTER" and data.get("id") != owner,
        timeout=20,
    )
    screen.good(f"the VIP moved to {taken['id']}")

    screen.step("The reactor: confirm by a fresh job, then restart haproxy there")
    tap.wait(
        "remediation succeeded",
        lambda tag, data: tag == f"keepalived/{CLUSTER}/remediation/succeeded",
        timeout=40,
    )
    state = lab.node(owner).run(["systemctl", "is-active", "haproxy"], check=False).stdout.strip()
    if state != "active":
        raise StepFailed(f"haproxy on {owner} is {state}")
    screen.good(f"haproxy runs again on {owner}; nobody logged in")

    screen.step("The VIP comes home, for the repaired node has the highest priority")
    tap.wait(
        f"{owner} MASTER again",
        lambda tag, data: data.get("id") == owner and data.get("to") == "MASTER",
        timeout=30,
    )
    home = one_holder(lab, timeout=10)
    if home != owner:
        raise StepFailed(f"the VIP is on {home}")
    screen.good(f"{VIP} is on {owner} again, and nowhere else")
    tap.pump()


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the machines up afterwards")
    parser.add_argument("--name", default="demo", help="name of the lab (default: demo)")
    options = parser.parse_args()
    screen = Screen()
    lab = Lab(options.name)
    status = 1
    try:
        screen.step("Booting (the first time the machine images are built: a few minutes)")
        lab.down()
        lab.up(nodes=3, progress=screen.say)
        lab.push()
        story(lab, screen)
        status = 0
        print(f"\nEvery step happened, in {time.monotonic() - screen.begin:.0f} s.")
    except StepFailed as err:
        screen.bad(str(err))
    except KeyboardInterrupt:
        screen.bad("interrupted")
    finally:
        if options.keep:
            print(LOOK_AROUND.format(name=options.name))
        else:
            lab.down()
    return status


LOOK_AROUND = """
The machines are still up.  Look around:

  python3 -m lab exec --name {name} master -- salt-run keepalived.status
  python3 -m lab exec --name {name} master -- salt-run keepalived.timeline
  python3 -m lab exec --name {name} master -- salt 'controller*' keepalived.journal
  python3 -m lab fault --name {name} kill controller3        (kill -9 of keepalived)
  python3 -m lab fault --name {name} cut controller3         (pull the cable)
  python3 -m lab fault --name {name} heal controller3
  python3 -m lab down --name {name}                          (remove everything)
"""


if __name__ == "__main__":
    sys.exit(main())
