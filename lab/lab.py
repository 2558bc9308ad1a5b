"""A lab: machines, a Salt master beside them, a client, and their private network."""

from __future__ import annotations

import concurrent.futures
import hashlib
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab import door, faults, images, network, recipe, saltconf, salting, teardown
from lab.host import LabError, Progress, inotify_instances, require, run
from lab.machine import Node
from lab.salting import MASTER
from lab.state import State, known_labs

#: Seen: systemd 3, dbus 1, firewalld 1. The kernel allows root 128 by default.
_INOTIFY_PER_MACHINE = 5

#: The first number for machines added later under names of their own.
_FIRST_EXTRA = 51


class Lab(faults.Faults, salting.Salting):
    """One lab. `Lab()` describes it; `up()` makes it; an existing one of that name is taken over.

    Parameters: `name` (several labs run side by side), `nodes` (how many), `suite` (bookworm,
    trixie, bullseye), `salt` (False: no master, no minions), `prefix` (the machines are
    `<prefix>1` … `<prefix>N`), `quiet` (print no progress).
    """

    def __init__(
        self,
        name: str = "lab",
        nodes: int = 3,
        suite: str = "bookworm",
        salt: bool = True,
        prefix: str = "controller",
        quiet: bool = False,
    ) -> None:
        self.state = State(name)
        self.name, self.suite, self.prefix, self.quiet = name, suite, prefix, quiet
        self.salt_wanted = salt and suite not in recipe.SUITES_WITHOUT_SALT
        self.node_count = nodes
        if salt and not self.salt_wanted and not self.state.exists():
            Progress(quiet).say(f"{suite}'s Python is too old for Salt: machines without Salt")

    # -- life -------------------------------------------------------------------------------------

    @classmethod
    def attach(cls, name: str, quiet: bool = False) -> Lab:
        """The running lab of that name; raises LabError if there is none."""
        state = State(name)
        data = state.read()
        if not data["up"]:
            running = ", ".join(known_labs()) or "none"
            raise LabError(
                f"no lab {name!r} is up (known: {running}); start it: lab up --name {name}"
            )
        return cls(
            name, data["count"], data["suite"], data["salt"], prefix=data["prefix"], quiet=quiet
        )

    def up(self) -> Lab:
        """Make the lab: images if they are missing, network, machines, Salt. Returns itself.

        Whatever goes wrong on the way, what was made is removed again and the error is raised.
        """
        require()
        progress = Progress(self.quiet)
        with self.state.operation():
            if self.state.exists():
                raise LabError(
                    f"lab {self.name!r} exists already; remove it: lab down --name {self.name}"
                )
            self._check_room()
            lower = images.ensure(self.suite, self.salt_wanted, self.quiet)
            try:
                self._make(lower, progress)
            except BaseException:
                teardown.remove(self.state)
                raise
        progress.say(f"lab {self.name} is up")
        return self

    def _check_room(self) -> None:
        """systemd fails in strange places when inotify runs out: rather say so beforehand."""
        used, allowed = inotify_instances()
        needed = _INOTIFY_PER_MACHINE * (self.node_count + self.salt_wanted)
        if used + needed > allowed:
            raise LabError(
                f"{used} of {allowed} inotify instances are in use and this lab needs {needed} "
                f"(labs here: {', '.join(known_labs())}); remove a lab, or allow more: "
                "sysctl fs.inotify.max_user_instances=1024"
            )

    def _make(self, lower: list[Path], progress: Progress) -> None:
        self.state.path.mkdir(parents=True)
        with self.state.change() as data:
            data.update(
                suite=self.suite,
                salt=self.salt_wanted,
                prefix=self.prefix,
                count=self.node_count,
                layers=[str(layer) for layer in lower],
            )
        network.create(self.state)
        self.state.note_mount(self.state.disk)
        self.state.disk.mkdir()
        source = f"salt-keepalived-lab-{self.name}"
        options = "mode=0755,size=50%"
        run(["mount", "-t", "tmpfs", "-o", options, source, str(self.state.disk)])
        plan = [
            (f"{self.prefix}{i}", network.MASTER_NUMBER + i) for i in range(1, self.node_count + 1)
        ]
        for name, number in plan:
            self._register(name, number, ["mgmt", "vip"], salt=self.salt_wanted, minion=True)
        if self.salt_wanted:
            self._register(MASTER, network.MASTER_NUMBER, ["mgmt"], salt=True, minion=False)
        for node in self.nodes:
            self._furnish(node)
        progress.say(f"starting {', '.join(node.name for node in self.nodes)}")
        self._each(lambda node: node.start())
        self._each(lambda node: node.wait_booted())
        progress.say("machines are up")
        if self.salt_wanted:
            self.wait_minions()
            progress.say("every minion answers")
        with self.state.change() as data:
            data["up"] = True

    def down(self) -> None:
        """Remove everything this lab made, however far it came. Doing it twice is fine."""
        with self.state.operation():
            teardown.remove(self.state)
        teardown.tidy_up()

    # -- machines ---------------------------------------------------------------------------------

    @property
    def nodes(self) -> list[Node]:
        """All machines, the master included, in the order they were made."""
        known = self.state.read()["nodes"]
        return [Node(self.state, name, it["number"], it["links"]) for name, it in known.items()]

    @property
    def controllers(self) -> list[Node]:
        """The cluster's machines, `<prefix>1` … `<prefix>N`; not the master, none added later."""
        return [self.node(f"{self.prefix}{i}") for i in range(1, self.node_count + 1)]

    def node(self, name: str) -> Node:
        """The machine of that name; raises LabError naming those there are."""
        for node in self.nodes:
            if node.name == name:
                return node
        names = ", ".join(node.name for node in self.nodes) or "none"
        raise LabError(f"lab {self.name} has no machine {name!r} (it has: {names})")

    def add_node(
        self, name: str, salt: bool = True, minion: bool = False, keepalived: bool = True
    ) -> Node:
        """Add a machine to the running lab and wait until it is up.

        `salt`: Salt is installed (`salt-call --local` works after `push(node=…)`); `minion`: its
        minion runs too; `keepalived`: False gives a machine on which it is not installed.
        """
        if salt and not self.salt_wanted:
            raise LabError(f"lab {self.name} was made without Salt")
        with self.state.operation():
            known = self.state.read()["nodes"]
            if name in known:
                raise LabError(f"lab {self.name} has a machine {name!r} already")
            used = {it["number"] for it in known.values()}
            number = next(n for n in range(_FIRST_EXTRA, network.CLIENT_NUMBER) if n not in used)
            self._register(name, number, ["mgmt", "vip"], salt=salt, minion=minion)
            node = self.node(name)
            self._furnish(node)
            node.start()
            node.wait_booted()
            if not keepalived:
                node.run(["dpkg", "--purge", "keepalived"])
            self._announce()
            if self.state.read().get("door") == "open":
                door.furnish(node)
            if minion:
                self.wait_minions([name])
        return node

    def remove_node(self, name: str) -> None:
        """Take a machine away from the running lab, with all it has written and its key."""
        node = self.node(name)
        if name in self.minions():
            self.master.run(["salt-key", "--yes", f"--delete={name}"])
        with self.state.operation():
            teardown.remove_machine(node)
            with self.state.change() as data:
                del data["nodes"][name]
                data.get("faults", {}).pop(name, None)
            self._announce()

    def _announce(self) -> None:
        """Let every machine know the names of all."""
        for node in self.nodes:
            if node.running:
                node.write_file("/etc/hosts", self._hosts())

    def _register(
        self, name: str, number: int, links: list[str], *, salt: bool, minion: bool
    ) -> None:
        with self.state.change() as data:
            data["nodes"][name] = {"number": number, "links": links, "salt": salt, "minion": minion}

    def _furnish(self, node: Node) -> None:
        """Give a machine its disk and what makes it itself, before it boots."""
        upper, work = self.state.upper(node.name), self.state.disk / node.name / "work"
        for path in (upper, work, node.root):
            path.mkdir(parents=True)
        about = self.state.read()["nodes"][node.name]
        files = {
            "etc/hostname": f"{node.name}\n",
            "etc/hosts": self._hosts(),
            "etc/machine-id": hashlib.md5(uuid.uuid4().bytes).hexdigest() + "\n",
            "etc/lab-network": network.boot_script(node.links, node.number),
        }
        enabled, masked = [], []
        if about["salt"]:
            files[saltconf.MINION_CONF] = saltconf.minion(node.name)
        if about["minion"] and about["salt"]:
            enabled.append("salt-minion")
        if node.name == MASTER:
            files[saltconf.MASTER_CONF] = saltconf.master()
            enabled.append("salt-master")
            masked += ["firewalld", "haproxy", "keepalived"]
        layers = [Path(layer) for layer in self.state.read()["layers"]]
        if not about["salt"]:
            layers = [layer for layer in layers if not layer.name.startswith("salt-")]
        for relative, content in files.items():
            path = upper / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
        units = upper / "etc/systemd/system"
        (units / "multi-user.target.wants").mkdir(parents=True, exist_ok=True)
        for unit in enabled:
            link = units / f"multi-user.target.wants/{unit}.service"
            link.symlink_to(f"/etc/systemd/system/{unit}.service")
        for unit in masked:
            (units / f"{unit}.service").symlink_to("/dev/null")
        stack = ":".join(str(layer) for layer in layers)
        options = f"lowerdir={stack},upperdir={upper},workdir={work}"
        run(["mount", "-t", "overlay", "overlay", "-o", options, str(node.root)])

    def _hosts(self) -> str:
        lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
        lines += [f"{node.mgmt_address} {node.name}" for node in self.nodes]
        return "\n".join([*lines, ""])

    def _each(self, action: Any) -> None:
        """Do something on every machine at once; the first error is raised."""
        nodes = self.nodes
        with concurrent.futures.ThreadPoolExecutor(max_workers=len(nodes) or 1) as pool:
            for future in [pool.submit(action, node) for node in nodes]:
                future.result()

    # -- the client and the door ------------------------------------------------------------------

    def client_command(
        self,
        argv: Sequence[str],
        *,
        check: bool = True,
        timeout: float | None = 30,
        input: str | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of the host as the client 192.168.1.250 on the VRRP link."""
        return network.inside(self.state, argv, check=check, timeout=timeout, input=input)

    def door(self, open_: bool) -> None:
        """Open or shut the machines' one way out: a proxy for package installs only."""
        if open_:
            door.open_door(self.state, self.nodes)
        else:
            door.shut_door(self.state, self.nodes)
