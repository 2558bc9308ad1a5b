"""One machine of a lab: boot it, run things in it, read and write its files."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lab import network, processes
from lab.host import CommandError, LabError, lab_environment, run

if TYPE_CHECKING:
    from lab.state import State

#: keepalived locks its memory with vrrp_no_swap; nspawn does not grant that by itself.
_EXTRA_CAPABILITIES = "CAP_IPC_LOCK"

_START = """
set -e
echo $$ > "$1/cgroup.procs"
echo $$ > "$2/pid.new"
mv "$2/pid.new" "$2/pid"
shift 2
exec "$@"
"""


class Node:
    """A machine. Made by Lab; get one by `lab.node("controller1")`.

    Attributes: `name`, `number` (the last part of its addresses), `links` (those it has).
    """

    def __init__(self, state: State, name: str, number: int, links: Sequence[str]) -> None:
        self.state, self.name, self.number, self.links = state, name, number, list(links)

    def __repr__(self) -> str:
        return f"<Node {self.name} of lab {self.state.name}>"

    # -- what it is -----------------------------------------------------------------------------

    @property
    def nspawn_pid(self) -> int | None:
        """The systemd-nspawn process on the host, None while the machine is off."""
        try:
            pid = int((self.state.node_path(self.name) / "pid").read_text())
        except (FileNotFoundError, ValueError):
            return None
        return pid if pid in processes.in_cgroup(self.state.cgroup / self.name) else None

    @property
    def pid(self) -> int:
        """The machine's process number 1, seen from the host. Raises LabError while it is off."""
        nspawn = self.nspawn_pid
        leader = processes.leader(nspawn) if nspawn else None
        if leader is None:
            raise LabError(f"{self.name} of lab {self.state.name} is not running")
        return leader

    @property
    def running(self) -> bool:
        """Whether the machine is on."""
        nspawn = self.nspawn_pid
        return nspawn is not None and processes.leader(nspawn) is not None

    @property
    def netns(self) -> Path:
        """The machine's network namespace, for `nsenter --net=` or setns."""
        return Path(f"/proc/{self.pid}/ns/net")

    @property
    def root(self) -> Path:
        """The machine's root file system on the host (mind absolute symbolic links in it)."""
        return self.state.root(self.name)

    @property
    def mgmt_address(self) -> str:
        """Its address on the management link."""
        return f"{network.MGMT_NET}.{self.number}"

    @property
    def vip_address(self) -> str:
        """Its own address on the VRRP link."""
        if "vip" not in self.links:
            raise LabError(f"{self.name} is not on the VRRP link")
        return f"{network.VIP_NET}.{self.number}"

    # -- running things ---------------------------------------------------------------------------

    def command(self, argv: Sequence[str]) -> list[str]:
        """The host command that runs `argv` in the machine.

        Its control group is not entered: a process put there by hand breaks unit starts.
        """
        return ["nsenter", "-t", str(self.pid), "-m", "-u", "-i", "-n", "-p", "--", *argv]

    def environment(self) -> dict[str, str]:
        """The environment for `command`: clean, and marked as this lab's."""
        return lab_environment(self.state.name)

    def run(
        self,
        argv: Sequence[str],
        *,
        check: bool = True,
        timeout: float | None = 60,
        input: str | bytes | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in the machine, as root, with a clean environment.

        `timeout` is in seconds. Returns stdout, stderr and returncode as text; raises CommandError
        on a non-zero exit status (unless `check` is false) and when the time is over.
        """
        return run(
            self.command(argv),
            check=check,
            timeout=timeout,
            input=input,
            env=self.environment(),
            where=self.name,
        )

    def popen(self, argv: Sequence[str]) -> subprocess.Popen[str]:
        """Start a command in the machine and return it with text pipes for its output."""
        return subprocess.Popen(
            self.command(argv),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def write_file(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Write a file in the machine, with missing directories, owned by root."""
        self.run(["install", "-D", "-m", f"{mode:04o}", "/dev/stdin", path], input=content)

    def read_file(self, path: str) -> str:
        """The text of a file in the machine; raises CommandError if it cannot be read."""
        return self.run(["cat", path]).stdout

    def addresses(self, interface: str) -> list[str]:
        """All addresses that the kernel has on an interface now, without prefix lengths."""
        rows = json.loads(self.run(["ip", "-json", "addr", "show", "dev", interface]).stdout)
        return [info["local"] for row in rows for info in row.get("addr_info", [])]

    def holds(self, address: str, interface: str = "eth1") -> bool:
        """Whether the kernel has that address on the interface now."""
        return address in self.addresses(interface)

    def logs(self, lines: int = 50, unit: str | None = None) -> str:
        """The end of the machine's journal; works while the machine is off, too."""
        argv = ["journalctl", "--no-pager", "-o", "short-precise", "-n", str(lines)]
        argv += ["-u", unit] if unit else []
        if self.running:
            return self.run(argv).stdout
        return run([*argv, "-D", str(self.root / "var/log/journal")], check=False).stdout

    # -- power ------------------------------------------------------------------------------------

    def start(self) -> None:
        """Switch the machine on; returns when its cables are plugged in, not when it is up."""
        state, home = self.state, self.state.node_path(self.name)
        home.mkdir(parents=True, exist_ok=True)
        (state.cgroup / self.name).mkdir(parents=True, exist_ok=True)
        state.note_machine(state.machine(self.name))
        nspawn = ["systemd-nspawn", "--quiet", "--settings=no", "--register=no", "--keep-unit"]
        nspawn += [f"--directory={self.root}", f"--machine={state.machine(self.name)}"]
        nspawn += [f"--hostname={self.name}", "--resolv-conf=off", "--timezone=off"]
        nspawn += ["--link-journal=no", f"--capability={_EXTRA_CAPABILITIES}"]
        for link in self.links:
            host_side = network.port(link, self.number)
            nspawn.append(f"--network-veth-extra={host_side}:{network.LINKS[link][1]}")
        argv = ["sh", "-c", _START, "sh", str(state.cgroup / self.name), str(home)]
        argv += ["nsenter", f"--net={state.netns}", *nspawn, "--boot"]
        # systemd 257 (trixie) refuses the old control groups that a hybrid host would give it.
        env = {**self.environment(), "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}
        (home / "pid").unlink(missing_ok=True)
        with (home / "console.log").open("ab") as console:
            # --fork: the machine must not be a child of ours, it lives on when we end.
            subprocess.run(
                ["setsid", "--fork", *argv],
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                check=True,
            )

        try:
            network.connect(state, self.links, self.number, given_up=self._ended)
        except CommandError as error:
            raise LabError(f"{self.name} does not start:\n{self.console()}") from error

    def wait_booted(self, timeout: float = 60) -> None:
        """Wait until systemd has started everything; raises LabError if a unit failed."""
        deadline = time.monotonic() + timeout
        while not (self.running and (self._proc_root() / "run/systemd/private").exists()):
            if time.monotonic() > deadline or self._ended():
                raise LabError(f"{self.name} did not boot in {timeout:.0f} s:\n{self.console()}")
            time.sleep(0.05)
        left = max(deadline - time.monotonic(), 1)
        wait = ["systemctl", "is-system-running", "--wait"]
        answer = self.run(wait, check=False, timeout=left).stdout.strip()
        if answer != "running":
            failed = self.run(["systemctl", "--failed", "--no-legend"], check=False).stdout
            raise LabError(f"{self.name} is {answer or 'not answering'}; failed units:\n{failed}")

    def _ended(self) -> bool:
        """Whether nspawn was started and is gone again.

        Not asked of the control group: while nspawn moves into one of its own, it can be missed.
        """
        try:
            pid = int((self.state.node_path(self.name) / "pid").read_text())
        except (FileNotFoundError, ValueError):
            return False
        return not processes.alive(pid)

    def stop(self, hard: bool = False, timeout: float = 30) -> None:
        """Switch the machine off: an orderly halt, or the plug pulled if `hard`."""
        nspawn = self.nspawn_pid
        if nspawn is None:
            return
        if hard:
            processes.kill({self.pid})
        else:
            self.run(["systemctl", "poweroff"], check=False)
        deadline = time.monotonic() + timeout
        while processes.alive(nspawn):
            if time.monotonic() > deadline:
                raise LabError(f"{self.name} did not stop in {timeout:.0f} s:\n{self.console()}")
            time.sleep(0.05)

    def console(self, lines: int = 20) -> str:
        """The end of what the machine wrote to its console."""
        path = self.state.node_path(self.name) / "console.log"
        text = path.read_text(errors="replace") if path.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def shell_hint(self) -> str:
        """How a person gets into the machine without this program."""
        return shlex.join(self.command(["bash", "-l"]))

    def _proc_root(self) -> Path:
        return Path(f"/proc/{self.pid}/root")


def process_ids(node: Node, prefix: str = "") -> dict[int, int]:
    """Host process id -> parent's host process id, for a machine's processes.

    Only those whose name begins with `prefix`.
    """
    namespace = os.stat(f"/proc/{node.pid}/ns/pid").st_ino
    found = {}
    for pid in processes.all_pids():
        status = processes.fields(pid)
        try:
            same = os.stat(f"/proc/{pid}/ns/pid").st_ino == namespace
        except OSError:
            continue
        if same and status.get("Name", "").startswith(prefix):
            found[pid] = int(status["PPid"])
    return found
