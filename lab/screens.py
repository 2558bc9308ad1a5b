"""The terminal pictures of the docs: ``./run screens`` breaks a lab in known ways and looks.

Each scene is a fault, an incident to wait for, and the commands that an operator types then.  What
they print on a terminal of 110 columns becomes ``docs/screens/<scene>-<command>.svg``; it is also
printed, so that the operator's guide can be compared with it.  The page's own pictures
(``page_screens``) come first.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Callable
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

from lab import ansi, demo, page_screens
from lab.host import LabError
from lab.lab import Lab

DOCS = Path(__file__).resolve().parent.parent / "docs" / "screens"
COLUMNS, ROWS = 110, 50
PATIENCE = 60.0  # seconds
OWNER, SECOND, THIRD = "controller3", "controller2", "controller1"
VIP = f"{demo.VIP}/32"
STATUS, TIMELINE, EXPLAIN = "status", "timeline since=90s last=8", "explain {id}"


@dataclass(frozen=True)
class Scene:
    """kind: of the incident to wait for, None: all is well; commands: verbs of ``salt-run
    keepalived``, ``{id}`` is the incident's; doing: makes the fault; lasting: False for one that
    soon becomes another."""

    name: str
    kind: str | None
    doing: Callable[[Lab], None]
    commands: tuple[str, ...]
    lasting: bool = True


def nothing(_lab: Lab) -> None:
    """All is well."""


def check_fails(lab: Lab) -> None:
    lab.stop(OWNER, "haproxy")


def split(lab: Lab) -> None:
    for peer in (SECOND, THIRD):
        lab.partition(OWNER, direction="both", peer=peer)


def ghost(lab: Lab) -> None:
    lab.kill(OWNER, "both")


def no_master(lab: Lab) -> None:
    for node in (THIRD, SECOND, OWNER):
        lab.stop(node, "haproxy")


def hollow(lab: Lab) -> None:
    lab.freeze(OWNER)
    lab.node(OWNER).run(["ip", "address", "del", VIP, "dev", "eth1"])


def degraded(lab: Lab) -> None:
    lab.stop(THIRD, "haproxy")


def flapping(lab: Lab) -> None:
    node = lab.node(OWNER)
    for _ in range(5):
        node.run(["systemctl", "stop", "haproxy"])
        wait(lambda: not node.holds(demo.VIP), "the owner gives the address up")
        node.run(["systemctl", "start", "haproxy"])
        wait(lambda: node.holds(demo.VIP), "it has the address again")


SCENES = (
    Scene("healthy", None, nothing, (STATUS, "topology")),
    Scene("failover", "failover", check_fails, (STATUS, TIMELINE, EXPLAIN)),
    Scene("split_brain", "split_brain", split, (STATUS, TIMELINE, EXPLAIN)),
    Scene("ghost_vip", "ghost_vip", ghost, (STATUS, EXPLAIN)),
    Scene("no_master", "no_master", no_master, (STATUS, EXPLAIN)),
    Scene("hollow_master", "hollow_master", hollow, (EXPLAIN, STATUS), lasting=False),
    Scene("degraded", "degraded", degraded, (STATUS, EXPLAIN)),
    Scene("flapping", "flapping", flapping, (STATUS, TIMELINE, EXPLAIN)),
)


def typed(lab: Lab, verb: str) -> str:
    """What ``salt-run keepalived.VERB`` sends to a terminal on the master."""
    machine = lab.master
    words = verb.split()
    argv = machine.command(["salt-run", f"keepalived.{words[0]}", *words[1:]])
    kept = {
        **machine.environment(),
        "TERM": "xterm",
        "LANG": "C.UTF-8",
        "COLUMNS": str(COLUMNS),
    }
    child, terminal = pty.fork()
    if child == 0:
        # Salt warns there of what is its own affair
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        os.execvpe(argv[0], argv, kept)
    ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    said = b""
    deadline = time.monotonic() + PATIENCE
    with contextlib.suppress(OSError):  # the end of a terminal is an error of its reader
        while time.monotonic() < deadline:
            if select.select([terminal], [], [], 0.5)[0]:
                data = os.read(terminal, 65536)
                if not data:
                    break
                said += data
    os.close(terminal)
    os.waitpid(child, 0)
    return said.decode(errors="replace").replace("\r\n", "\n")


def play(lab: Lab, scene: Scene, target: Path) -> None:
    """One scene from a healthy cluster, and its pictures."""
    mend(lab)
    if scene.kind is None:
        # lanes and seconds of the scene before are no part of this one
        time.sleep(5)
    scene.doing(lab)
    found = wait(lambda: scene.kind is None or incident(lab, scene.kind), f"{scene.kind} is told")
    if scene.lasting:
        time.sleep(3)
    for command in scene.commands:
        verb = command.format(id=found)
        text = typed(lab, verb)
        line = f"salt-run keepalived.{verb}"
        print(f"--- {scene.name}\n# {line}\n{ansi.plain(text)}", flush=True)
        if command != EXPLAIN:  # too wide for a picture: the docs have its text
            name = f"{scene.name}-{verb.split()[0]}.svg"
            (target / name).write_text(ansi.svg(text, f"# {line}"), encoding="utf-8")


def incident(lab: Lab, kind: str) -> str:
    """The id of the open incident of that kind, "" when there is none."""
    told = lab.salt_run("keepalived.incidents", open_only=True)["incidents"]
    return next((str(each["id"]) for each in told if each["kind"] == kind), "")


def mend(lab: Lab) -> None:
    """No fault, no incident."""
    lab.heal()
    for node in lab.controllers:
        node.run(["systemctl", "start", "keepalived", "haproxy"])
    demo.one_holder(lab, OWNER, timeout=40)
    wait(
        lambda: not lab.salt_run("keepalived.incidents", open_only=True)["incidents"],
        "no incident is open",
    )


def wait(condition: Callable[[], object], what: str) -> object:
    """What the condition says as soon as it says anything."""
    deadline = time.monotonic() + PATIENCE
    while not (said := condition()):
        if time.monotonic() > deadline:
            raise LabError(f"after {PATIENCE:g} s still not: {what}")
        time.sleep(0.3)
    return said


def prepare(lab: Lab, *, fresh: bool) -> None:
    """The classic cluster with this tree's code, and nobody who repairs what we break."""
    lab.push()
    if fresh:
        demo.configure_master(lab)
    path = "/srv/pillar/keepalived/classic.sls"
    text = lab.master.read_file(path)
    lab.master.write_file(path, re.sub(r"(?ms)^  remediation:\n.*\Z", "", text))
    lab.wait_minions()
    lab.salt("*", "saltutil.sync_all")
    lab.salt_run("saltutil.sync_all")
    if fresh:
        demo.summarise(lab.salt("controller*", "state.highstate", timeout=240))
        demo.wait_for_beacons(lab, timeout=60)
    lab.salt("controller*", "saltutil.refresh_pillar", wait=True, timeout=20)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./run screens", description=__doc__)
    parser.add_argument("--name", help="a lab that is up (./run demo --keep); else one of its own")
    parser.add_argument("--only", action="append", choices=[each.name for each in SCENES])
    parser.add_argument("--page", action="store_true", help="the page's alone, which need no lab")
    parser.add_argument("--into", type=Path, default=DOCS, help="default: docs/screens")
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    if not options.only:
        page_screens.take(options.into)
    if options.page:
        return 0
    lab = Lab.attach(options.name) if options.name else Lab("screens", nodes=3).up()
    status = 0
    try:
        prepare(lab, fresh=not options.name)
        for scene in SCENES:
            if not options.only or scene.name in options.only:
                play(lab, scene, options.into)
        mend(lab)
    except (LabError, demo.StepFailed) as error:
        print(f"screens: {error}", file=sys.stderr)
        status = 1
    finally:
        if not options.name:
            lab.down()
    return status


if __name__ == "__main__":
    sys.exit(main())
