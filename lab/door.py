"""The one way out of a lab: a forward proxy for package installs, shut unless opened.

The proxy process listens inside the lab's namespace and connects from the host's, so neither the
host's firewall nor its routing is touched. It lets through only the hosts of the package sources
that this machine itself uses.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence

from lab import hostconfig, network, processes
from lab.host import REPO, LabError, lab_environment
from lab.machine import Node
from lab.state import State

_APT_CONF = "/etc/apt/apt.conf.d/90lab-door"
_PORT = 3142


def open_door(state: State, nodes: Sequence[Node]) -> None:
    """Start the proxy and tell apt on the machines to use it. Opening an open door is fine."""
    if not _proxy_pids(state):
        _start(state)
    with state.change() as data:
        data["door"] = "open"
    for node in nodes:
        furnish(node)


def shut_door(state: State, nodes: Sequence[Node]) -> None:
    """Stop the proxy and take apt's setting away. Shutting a shut door is fine."""
    processes.kill(_proxy_pids(state))
    with state.change() as data:
        data["door"] = "shut"
    for node in nodes:
        if node.running:
            node.run(["rm", "-f", _APT_CONF])


def furnish(node: Node) -> None:
    """Let a machine's apt go through the door."""
    address = f"http://{network.MGMT_NET}.{network.LAB_NUMBER}:{_PORT}"
    lines = [f'Acquire::{kind}::Proxy "{address}";' for kind in ("http", "https")]
    other = [row for row in hostconfig.apt_settings().splitlines() if "::Proxy" not in row]
    node.write_file(_APT_CONF, "\n".join([*lines, *other, ""]))


def _start(state: State, timeout: float = 10) -> None:
    argv = [sys.executable, "-m", "lab.proxy", str(state.netns), str(_PORT)]
    argv += [json.dumps(sorted(hostconfig.package_hosts())), hostconfig.apt_proxy() or ""]
    log = state.path / "door.log"
    with log.open("ab") as out:
        subprocess.run(
            ["setsid", "--fork", *argv],
            env={**lab_environment(state.name), "PYTHONPATH": str(REPO)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            check=True,
        )
    deadline = time.monotonic() + timeout
    while "listening" not in log.read_text():
        if time.monotonic() > deadline:
            raise LabError(f"the door does not open:\n{log.read_text()}")
        time.sleep(0.05)


def _proxy_pids(state: State) -> set[int]:
    """The proxy's processes: those that carry the lab's mark and run this module's sibling."""
    found = set()
    for pid in processes.of_lab(state):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
        except OSError:
            continue
        if b"lab.proxy" in words and os.fsencode(state.netns) in words:
            found.add(pid)
    return found
