"""Small keepalived nodes on one machine: namespaces instead of machines, one bridge between them.

A node has its own processes, network, /run, /var/lib and /etc/keepalived, all of which end with
it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path

from keepalived_core.node import install, journal
from keepalived_core.node.paths import PACKAGE_DIR, Paths

OBSERVER = Path(__file__).with_name("address_observer.py")
#: What it subscribes to: IPv4 and IPv6 addresses, RTMGRP_* of rtnetlink(7).
ADDRESS_GROUPS = 0x110
VIP = "10.99.0.100"
# the interpreter itself: a virtual environment may lie where the node cannot see it
PYTHON = os.path.realpath(sys.executable)

_INIT = """
import os, time
print("up", flush=True)
while True:
    try:
        os.waitpid(-1, 0)
    except ChildProcessError:
        time.sleep(0.1)
"""


def run(*arguments: str) -> str:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
    return done.stdout


def until(condition, timeout: float = 10.0, step: float = 0.01):
    """Wait until ``condition()`` is true; return what it returned, whatever it is at the end."""
    deadline = time.monotonic() + timeout
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(step)
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text().strip()
    except FileNotFoundError:
        return ""


class Switch:
    """A bridge in a network namespace of its own."""

    def __init__(self) -> None:
        self._holder = subprocess.Popen(
            [
                "setpriv",
                "--pdeathsig",
                "KILL",
                "unshare",
                "-n",
                "sh",
                "-c",
                "echo; exec sleep 1000",
            ],
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        self._holder.stdout.readline()
        self.ip("link", "add", "br0", "type", "bridge")
        self.ip("link", "set", "br0", "up")

    def ip(self, *arguments: str) -> None:
        run("nsenter", "-t", str(self._holder.pid), "-n", "ip", *arguments)

    def plug(self, pid: int, name: str, interface: str = "eth0", bridge: str = "br0") -> None:
        self.ip("link", "add", name, "type", "veth", "peer", "name", interface, "netns", str(pid))
        self.ip("link", "set", name, "master", bridge, "up")

    def close(self) -> None:
        self._holder.kill()
        self._holder.wait()


class Node:
    """One node; ``root`` is its file system, seen from here."""

    def __init__(self, switch: Switch, root: Path, number: int) -> None:
        self.name = f"n{number}"
        self.truth: list[tuple[str, str, int]] = []
        self.states_before: dict[str, str] = {}
        self._read_seq = 0
        self._switch = switch
        self._started: list[subprocess.Popen] = []
        self.watch: subprocess.Popen | None = None
        mounts = ["ip link set lo up", "mount -t tmpfs tmpfs /run"]
        for directory in ("var/lib", "etc/keepalived"):
            # on disk, as on a real machine
            own = root / self.name / directory
            own.mkdir(parents=True)
            mounts.append(f"mount --bind {own} /{directory}")
        self._outer = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "unshare", "-m", "-n", "-p", "--fork",
             "--kill-child", "--mount-proc", "sh", "-c",
             " && ".join([*mounts, 'exec "$0" -c "$1"']), PYTHON, _INIT],
            stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._outer.stdout is not None
        assert self._outer.stdout.readline() == b"up\n"
        children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text()
        self._inner = children.split()[0]
        self.root = Path(f"/proc/{self._inner}/root")
        # sqlite would follow that link itself, and end up on this machine
        state = root / self.name / "var/lib/salt-keepalived"
        self.paths = dataclasses.replace(Paths.under(self.root), state_dir=state)
        (self.root / "run/tmp").mkdir()
        switch.plug(int(self._inner), self.name)
        self.run("ip", "link", "set", "eth0", "up")
        self.run("ip", "addr", "add", f"10.99.0.{number}/24", "dev", "eth0")
        install.install_library(PACKAGE_DIR, self.root / "var/lib/library")
        self.start_observer()

    def add_interface(self, interface: str, bridge: str) -> None:
        """One more network card; its cable ends with the node."""
        self._switch.plug(int(self._inner), f"{self.name}{interface}", interface, bridge)
        self.run("ip", "link", "set", interface, "up")

    def enter(self, *arguments: str) -> list[str]:
        return ["nsenter", "-t", self._inner, "-m", "-n", "-p", *arguments]

    def run(self, *arguments: str) -> str:
        return run(*self.enter(*arguments))

    def start(self, *arguments: str, log: str, **environment: str) -> subprocess.Popen:
        with (self.root / "run" / log).open("ab") as file:
            process = subprocess.Popen(
                self.enter("env", *(f"{k}={v}" for k, v in environment.items()), *arguments),
                stdout=file,
                stderr=file,
                cwd="/",
            )
        self._started.append(process)
        return process

    def python(self, code: str) -> str:
        """Run code with the library inside the node."""
        return self.run("env", "PYTHONPATH=/var/lib/library", "TMPDIR=/run", PYTHON, "-c", code)

    # -- keepalived --

    def configure(self, text: str) -> None:
        new = self.paths.config.with_suffix(".new")
        new.write_text(text)
        new.chmod(0o640)
        new.replace(self.paths.config)

    def start_keepalived(self) -> None:
        self.start("keepalived", "-n", "-l", "-D", log="keepalived.log", TMPDIR="/run/tmp")
        self.keepalived_pids()  # are written

    def keepalived_pids(self) -> tuple[int, int]:
        """Parent and VRRP child, as the node numbers them.

        keepalived creates a pid file and writes the number a moment later, and a child that
        died leaves none until the next one is there: both are waited for.
        """
        files = [self.root / "run" / name for name in ("keepalived.pid", "vrrp.pid")]
        texts = until(lambda: (found := [_text(file) for file in files]) and all(found) and found)
        assert texts, f"{self.name}: no number in {' and '.join(map(str, files))}"
        return int(texts[0]), int(texts[1])

    def signal(self, name: str, *pids: int) -> None:
        self.run("kill", "-s", name, *map(str, pids))

    def stop_keepalived(self) -> None:
        self.signal("TERM", self.keepalived_pids()[0])
        assert until(lambda: not (self.root / "run/keepalived.pid").exists())

    def kill_keepalived(self) -> None:
        self.signal("KILL", *self.keepalived_pids()[::-1])
        for name in ("keepalived.pid", "vrrp.pid"):
            (self.root / "run" / name).unlink()

    def cable(self, state: str) -> None:
        self._switch.ip("link", "set", self.name, state)

    # -- the watch --

    def start_watch(self) -> None:
        before = self.status().get("started")
        self.watch = self.start(
            PYTHON, "-s", "-S", "-B", "-m", "keepalived_core.node.watch",
            log="watch.log", PYTHONPATH="/var/lib/library",
        )  # fmt: skip
        assert until(lambda: self.status().get("started") not in (None, before)), self.log("watch")

    def watch_pid(self) -> int:
        """The watch, as the node numbers it."""
        return self.status()["running"]

    def status(self) -> dict:
        try:
            return json.loads(self.paths.watch_status.read_text())
        except FileNotFoundError:
            return {}

    def log(self, name: str) -> str:
        return (self.root / "run" / f"{name}.log").read_text()

    def begin_chapter(self) -> None:
        """From now on, tell only what is new."""
        rows = journal.journal(self.paths, last=100_000)
        self._read_seq = rows[-1]["seq"] if rows else 0
        self.states_before = {row["instance"]: row["to"] for row in rows if row["to"].isupper()}
        self.observed()
        self.truth.clear()

    def events(self, instance: str | None = "VI") -> list[dict]:
        """The events of this chapter."""
        rows = journal.journal(self.paths, last=100_000, instance=instance)
        return [row for row in rows if row["seq"] > self._read_seq]

    def told(self) -> list[str]:
        """The events of this chapter, shortly."""
        return [f"{e['instance']} {e['from']}>{e['to']} {e['source']}" for e in self.events(None)]

    def states(self, instance: str = "VI") -> list[str]:
        return [
            event["to"]
            for event in self.events(instance)
            if event["to"].isupper() or event["to"] == "ghost"
        ]

    def state(self, instance: str = "VI") -> str | None:
        """The last state that was recorded, in whichever chapter."""
        rows = journal.journal(self.paths, last=1000, instance=instance)
        return next((row["to"] for row in reversed(rows) if row["to"].isupper()), None)

    def wait_for(self, *states: str, instance: str = "VI", timeout: float = 10.0) -> None:
        """Wait until the last events of the instance in this chapter are these."""
        until(lambda: self.states(instance)[-len(states) :] == list(states), timeout)
        shown = f"{self.name}: {self.told()}\n{self.log('watch')}"
        assert self.states(instance)[-len(states) :] == list(states), shown

    def wait_kinds(self, *kinds: str, timeout: float = 10.0) -> None:
        """Wait until the last events in this chapter that are no transitions are these."""

        def seen() -> list[str]:
            found = [event["to"] for event in self.events() if event["to"].islower()]
            return found[-len(kinds) :]

        until(lambda: seen() == list(kinds), timeout)
        assert seen() == list(kinds), f"{self.name}: {self.told()}\n{self.log('watch')}"

    # -- the truth --

    def start_observer(self) -> None:
        self._observer = subprocess.Popen(
            ["nsenter", "-t", self._inner, "-n", sys.executable, str(OBSERVER)],
            stdout=subprocess.PIPE,
        )
        assert self._observer.stdout is not None
        self._observer.stdout.readline()

    def stop_observer(self) -> None:
        self._observer.kill()
        self._observer.wait()

    def observed(self) -> list[tuple[str, str, int]]:
        """What the kernel said of addresses: (NEWADDR or DELADDR, address, monotonic µs)."""
        assert self._observer.stdout is not None
        os.set_blocking(self._observer.stdout.fileno(), False)
        for line in self._observer.stdout.readlines():
            self.truth.append(tuple(json.loads(line)))
        # netlink's own count of what found no room; nobody else here listens to addresses alone
        found = Path(f"/proc/{self._observer.pid}/net/netlink").read_text().splitlines()
        header, *rows = (line.split() for line in found)
        sockets = [dict(zip(header, row, strict=True)) for row in rows]
        own = [each for each in sockets if int(each["Groups"], 16) == ADDRESS_GROUPS]
        assert [each["Drops"] for each in own] == ["0"], "\n".join(found)
        return self.truth

    def close(self) -> None:
        # a namespace ends some time after its last process, and the cable's other end with it
        self._switch.ip("link", "del", self.name)
        self._outer.kill()
        self._outer.wait(5)
        self.stop_observer()
        for process in self._started:
            # nsenter stops itself together with what it started
            process.kill()
            process.wait(5)
