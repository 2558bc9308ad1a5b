"""The main job, live: three controllers, one VIP, a failure, the reaction, the way home.

``./run demo`` boots real machines, applies the formula from ``pillar/`` with Salt, stops haproxy
on the node that holds the VIP, and shows each event as it reaches the master.  The exit status
is 0 only when every step really happened.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
import time
from datetime import datetime
from typing import Any

from lab.bus import EventTap
from lab.host import LabError
from lab.lab import Lab
from lab.probing import probing

VIP = "192.168.1.220"
CLUSTER = "controllers"
NODES = "controller*"
OWNER = "controller3"  # the classic pillar gives it the highest priority


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
    kind, what = tag.split("/")[2:4]
    about = f"{data.get('minion')} {data.get('instance')} {data.get('to') or ''}".rstrip()
    if kind == "alert":
        return f"alert {what}: {about} ({data.get('action')})"
    return f"{kind} {what}: {about}: {data.get('action') or ''} ({data.get('reason')})"


def holders(lab: Lab) -> list[str]:
    """The nodes that have the VIP on an interface, asked of each kernel."""
    return [node.name for node in lab.controllers if node.holds(VIP)]


def one_holder(lab: Lab, expected: str, timeout: float) -> None:
    """Wait until *expected*, and no other node, has the VIP."""
    deadline = time.monotonic() + timeout
    while (seen := holders(lab)) != [expected]:
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


def story(lab: Lab, screen: Screen) -> None:
    """The steps.  Raises StepFailed at the first one that does not happen."""
    screen.step("Three controllers and a Salt master")
    answers = lab.salt(NODES, "test.ping")
    if len(answers) != len(lab.controllers):
        raise StepFailed(f"only {sorted(answers)} answer the master")
    screen.good(f"{', '.join(sorted(answers))} answer the master")

    screen.step("Configure the master: reactor and reactions")
    configure_master(lab)
    screen.good("reactor files keepalived/reactor/alert.sls and remediate.sls are in force")

    screen.step("salt 'controller*' state.highstate: pillar in, one VIP out")
    for line in summarise(lab.salt(NODES, "state.highstate", timeout=240)):
        screen.good(line)
    one_holder(lab, OWNER, timeout=30)
    screen.good(f"{VIP} is on {OWNER} and nowhere else: it has the highest priority, 103")

    screen.step("Each minion restarts once, by itself, to read its new settings (the beacon)")
    wait_for_beacons(lab, timeout=60)
    screen.good("every minion runs the keepalived beacon")

    screen.step("salt-run keepalived.status")
    screen.say(lab.master.run(["salt-run", "--no-color", "keepalived.status"]).stdout)

    def show(tag: str, data: dict[str, Any]) -> None:
        if data.get("to") != "heartbeat" and "/event/" not in tag:  # the hub repeats them, settled
            screen.say(describe(tag, data, time.time()))

    with EventTap(lab, show) as tap, probing(lab, VIP) as probe:
        time.sleep(1)
        break_and_mend(lab, screen, tap, OWNER)
        time.sleep(1)
        tap.pump()

    screen.step("What happened, from the timeline that the master keeps")
    screen.say(lab.master.run(["salt-run", "--no-color", "keepalived.timeline"]).stdout)
    screen.step("What the client saw, probing every 10 ms")
    for gap in probe["gaps"]:
        screen.say(f"no answer for {gap['seconds']:.2f} s")
    screen.good(f"{probe['sent']} probes, {probe['lost']} lost, longest gap {probe['longest']} s")


def configure_master(lab: Lab) -> None:
    """The formula's master part, applied on the master by its own salt-call."""
    lab.salt_call("master", "saltutil.sync_all", local=True)
    result = lab.salt_call("master", "state.apply", "keepalived.master", local=True)
    summarise({"master": result})
    wait_restarted(lab, "master", "salt-master")
    lab.wait_minions()


def wait_restarted(lab: Lab, node: str, service: str, timeout: float = 60) -> None:
    """The formula restarts Salt's daemons detached, once no state run needs them: wait for it."""
    unit = f"salt-keepalived-restart-{service}.service"
    deadline = time.monotonic() + timeout
    while lab.node(node).run(["systemctl", "is-active", unit], check=False).returncode == 0:
        if time.monotonic() > deadline:
            raise StepFailed(f"{service} on {node} was not restarted within {timeout:g} s")
        time.sleep(0.2)


def wait_for_beacons(lab: Lab, timeout: float) -> None:
    """The formula restarts each minion once, detached, for its new settings."""
    deadline = time.monotonic() + timeout
    while True:
        answers = lab.salt(NODES, "config.get", "beacons", timeout=5)
        ready = [name for name, value in answers.items() if value and "keepalived" in value]
        if len(ready) == len(lab.controllers):
            return
        if time.monotonic() > deadline:
            raise StepFailed(f"only {ready} run the beacon")
        time.sleep(0.5)


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
    taken = tap.wait(
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
    one_holder(lab, owner, timeout=10)
    screen.good(f"{VIP} is on {owner} again, and nowhere else")
    tap.pump()


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run demo", description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave the machines up afterwards")
    parser.add_argument("--name", default="demo", help="name of the lab (default: demo)")
    options = parser.parse_args()
    screen = Screen()
    lab = Lab(options.name, nodes=3)
    status = 1
    try:
        screen.step("Booting (the first time the machine images are built: a few minutes)")
        lab.down()
        lab.up()
        lab.push()
        story(lab, screen)
        status = 0
        print(f"\nEvery step happened, in {time.monotonic() - screen.begin:.0f} s.")
    except (StepFailed, LabError) as err:
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
