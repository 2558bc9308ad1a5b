"""Nothing of a lab stays: not after `down`, not when its process was killed at any moment."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lab import Lab, LabError, machine, network, processes
from lab.host import REPO
from lab.state import State

pytestmark = [pytest.mark.lab, pytest.mark.root]


def started(pid: int) -> float:
    """When a process was started, in seconds since boot (proc(5), field 22 of stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def traces(name: str, namespaces: set[int], since_boot: float) -> dict[str, list[str]]:
    """Everything on this machine that belongs or belonged to a lab, found without its journal.

    A process in one of the network `namespaces` counts only if it is older than `since_boot`: the
    kernel gives the number of a namespace that is gone to the next one anybody makes.
    """
    found: dict[str, list[str]] = {"processes": [], "mounts": [], "namespaces": []}
    for pid in processes.all_pids():
        proc = Path(f"/proc/{pid}")
        try:
            words = (proc / "cmdline").read_bytes() + (proc / "environ").read_bytes()
            where = (proc / "cgroup").read_text()
            net = os.stat(proc / "ns/net").st_ino
            inside = net in namespaces and started(pid) < since_boot
        except OSError:
            continue
        ours = f"skl-{name}-" in words.decode("utf-8", "replace")
        ours = ours or f"OWNER={name}\0" in words.decode("utf-8", "replace")
        ours = ours or f"/salt-keepalived-lab/{name}/" in where
        if (ours or inside) and processes.alive(pid) and pid != os.getpid():
            found["processes"].append(f"{pid} {words[:60]!r}")
        if inside:
            found["namespaces"].append(f"net:[{net}] of {pid}")
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        if f"salt-keepalived-lab/{name}/" in line or f"skl-{name}-" in line:
            found["mounts"].append(line)
    cgroups = State(name).cgroup
    found["control groups"] = [str(cgroups)] if cgroups.exists() else []
    found["files"] = [
        str(path)
        for folder in ("/run/salt-keepalived-lab", "/run/systemd/nspawn/propagate", "/run/netns")
        for path in Path(folder).glob("*")
        if name in path.name
    ]
    # A lab's links live in its namespace: not one of them may ever be seen in this one.
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    found["links"] = re.findall(r"br-mgmt|br-vip|\bmgmt\d+|\bvip\d+", links)
    return found


def namespaces_of(lab: State) -> set[int]:
    """Inode numbers of the lab's network namespace and of its machines'."""
    found = set()
    if os.path.ismount(lab.netns):
        found.add(lab.netns.stat().st_ino)
    for pid in processes.of_lab(lab):
        try:
            found.add(os.stat(f"/proc/{pid}/ns/net").st_ino)
        except OSError:
            continue
    return found - {os.stat("/proc/self/ns/net").st_ino}


def cli(*words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "lab", *words],
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


#: The moment at which `lab up` is killed -> how it is recognised.
MOMENTS: dict[str, Callable[[State], bool]] = {
    "the journal exists": lambda lab: lab.file.exists(),
    "the network is made": lambda lab: os.path.ismount(lab.netns),
    "the disk is mounted": lambda lab: lab.disk.is_mount(),
    "a machine's disk is mounted": lambda lab: lab.root("controller1").is_mount(),
    "a machine starts": lambda lab: (lab.node_path("controller1") / "pid").exists(),
    "a machine boots": lambda lab: (lab.root("controller2") / "var/log/journal").exists()
    and any((lab.root("controller2") / "var/log/journal").iterdir()),
    "it is up": lambda lab: lab.read()["up"],
}  # fmt: skip


@pytest.mark.parametrize("moment", MOMENTS)
def test_down_after_kill_9_leaves_nothing(lab_prerequisites: None, moment: str) -> None:
    name = f"t{os.getpid()}-crash"
    state = State(name)
    up = cli("up", "--name", name, "--nodes", "2", "--no-salt")
    try:
        deadline = time.monotonic() + 60
        while not MOMENTS[moment](state):
            assert time.monotonic() < deadline and up.poll() is None, state.read()
            time.sleep(0.002)
        up.send_signal(signal.SIGKILL)
        up.wait()
        namespaces = namespaces_of(state)
        killed = time.clock_gettime(time.CLOCK_BOOTTIME)
        left_behind = traces(name, namespaces, killed)
        assert left_behind["files"], "nothing was left behind: this test has tested nothing"
    finally:
        up.kill()
        up.wait()
        down = cli("down", "--name", name)
        said = down.communicate(timeout=60)[0]
    assert down.returncode == 0, said
    left = {what: found for what, found in traces(name, namespaces, killed).items() if found}
    assert left == {}, f"after a kill while {moment}; before down: {left_behind}"


def test_up_that_fails_removes_what_it_made(
    lab_prerequisites: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"t{os.getpid()}-fails"
    seen: set[int] = set()

    def fail(node: machine.Node, timeout: float = 60) -> None:
        seen.update(namespaces_of(node.state))
        raise LabError("it does not boot")

    monkeypatch.setattr(machine.Node, "wait_booted", fail)
    with pytest.raises(LabError, match="it does not boot"):
        Lab(name, nodes=1, salt=False, quiet=True).up()
    assert seen
    now = time.clock_gettime(time.CLOCK_BOOTTIME)
    assert {what: found for what, found in traces(name, seen, now).items() if found} == {}


def test_down_twice_is_fine_and_up_works_again_after_it(lab_prerequisites: None) -> None:
    lab = Lab(f"t{os.getpid()}-again", nodes=1, salt=False, quiet=True)
    try:
        lab.up()
        with pytest.raises(LabError, match="exists already"):
            lab.up()
        assert lab.node("controller1").run(["hostname"]).stdout == "controller1\n"
        lab.down()
        lab.down()
        lab.up()
        assert network.inside(lab.state, ["ping", "-c1", "-W2", "192.168.1.11"]).returncode == 0
    finally:
        lab.down()
