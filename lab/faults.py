"""What can go wrong with a machine, on request, and be undone.

A fault that stays (a cut, a partition, a stopped unit, a frozen process) is written into the lab's
journal, so that another process can heal it.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

from lab import network, processes
from lab.host import LabError
from lab.machine import Node, process_ids

if TYPE_CHECKING:
    from lab.state import State

#: The peer name for the client, which is the lab's own end of the bridges.
CLIENT = "client"

DIRECTIONS = ("in", "out", "both")


class Faults:
    """The faults of a Lab. Every `node` is a machine's name."""

    state: State

    def node(self, name: str) -> Node:
        """The machine of that name."""
        raise NotImplementedError

    @property
    def nodes(self) -> list[Node]:
        """All machines."""
        raise NotImplementedError

    # -- processes --------------------------------------------------------------------------------

    def stop(self, node: str, unit: str = "keepalived") -> None:
        """Stop a unit in an orderly way (`systemctl stop`)."""
        machine = self.node(node)
        self._note(node, {"kind": "stopped", "unit": unit})
        machine.run(["systemctl", "stop", unit])

    def kill(self, node: str, what: str = "both") -> list[int]:
        """SIGKILL keepalived's `parent`, its `child` processes, or `both`.

        Returns the host process ids that were killed; raises LabError if there were none.
        """
        machine = self.node(node)
        found = _keepalived(machine)
        parents = {pid for pid, parent in found.items() if parent not in found}
        chosen = {"parent": parents, "child": set(found) - parents, "both": set(found)}
        if what not in chosen:
            raise LabError(f"kill {what!r}: one of parent, child, both")
        if not chosen[what]:
            raise LabError(f"{node}: keepalived has no process to kill ({what})")
        self._note(node, {"kind": "stopped", "unit": "keepalived"})
        # All held, then children first: a child that sees its parent die gives up the addresses in
        # an orderly way, and so does one to which systemd says that the parent has died.
        victims = sorted(chosen[what], key=lambda pid: pid in parents)
        processes.kill(set(victims), signal.SIGSTOP)
        for pid in victims:
            processes.kill({pid})
        return victims

    def freeze(self, node: str, what: str = "keepalived") -> None:
        """Suspend keepalived's processes (SIGSTOP), or every process of the machine (`node`)."""
        machine = self.node(node)
        if what not in ("keepalived", "node"):
            raise LabError(f"freeze {what!r}: one of keepalived, node")
        victims = set(_keepalived(machine)) if what == "keepalived" else _everything(machine)
        if not victims:
            raise LabError(f"{node}: keepalived is not running")
        self._note(node, {"kind": "frozen", "what": what})
        processes.kill(victims, signal.SIGSTOP)

    def thaw(self, node: str) -> None:
        """Let frozen processes run on."""
        machine = self.node(node)
        stopped = {
            pid for pid in _everything(machine) if processes.fields(pid).get("State", "")[:1] == "T"
        }
        processes.kill(stopped, signal.SIGCONT)
        self._forget(node, "frozen")

    # -- wires ------------------------------------------------------------------------------------

    def cut(self, node: str, link: str = "vip") -> None:
        """Pull a machine's cable: its interface loses the carrier. `link`: vip or mgmt."""
        machine = self.node(node)
        port = self._port(machine, link)
        self._note(node, {"kind": "cut", "link": link})
        network.inside(self.state, ["ip", "link", "set", port, "down"])

    def partition(
        self, node: str, link: str = "vip", direction: str = "both", peer: str | None = None
    ) -> None:
        """Drop a machine's packets (IPv4, IPv6, ARP) on the wire; the carrier stays up.

        `direction` as the machine sees it: `out` drops what it sends, `in` what is sent to it.
        `peer`: only between it and this machine (or `client`, the lab's own end of the wire).
        """
        self._port(self.node(node), link)
        if direction not in DIRECTIONS:
            raise LabError(f"direction {direction!r}: one of {', '.join(DIRECTIONS)}")
        if peer is not None and peer != CLIENT:
            self._port(self.node(peer), link)
        fault = {"kind": "partition", "link": link, "direction": direction, "peer": peer}
        self._note(node, fault)
        self._write_filter()

    def reconnect(self, node: str) -> None:
        """Undo cuts and partitions of a machine; its other faults stay."""
        machine = self.node(node)
        cut = [fault["link"] for fault in self.faults(node) if fault["kind"] == "cut"]
        self._forget(node, "cut", "partition")
        self._write_filter()
        for link in cut:
            network.inside(self.state, ["ip", "link", "set", self._port(machine, link), "up"])

    # -- the whole machine ------------------------------------------------------------------------

    def reboot(self, node: str, hard: bool = False) -> None:
        """Reboot a machine, orderly or by pulling the plug (`hard`), and wait until it is up."""
        machine = self.node(node)
        machine.stop(hard=hard)
        machine.start()
        for fault in self.faults(node):
            if fault["kind"] == "cut":
                port = self._port(machine, fault["link"])
                network.inside(self.state, ["ip", "link", "set", port, "down"])
        self._forget(node, "stopped", "frozen")
        machine.wait_booted()

    def heal(self, node: str | None = None) -> None:
        """Undo every fault on a machine, or on all: wires, frozen and stopped things, power."""
        for machine in self.nodes if node is None else [self.node(node)]:
            faults = self.faults(machine.name)
            self._forget(machine.name, "cut", "partition", "stopped", "frozen")
            if any(fault["kind"] == "partition" for fault in faults):
                self._write_filter()
            if not machine.running:
                machine.start()
                machine.wait_booted()
                continue
            for fault in faults:
                if fault["kind"] == "cut":
                    port = self._port(machine, fault["link"])
                    network.inside(self.state, ["ip", "link", "set", port, "up"])
                elif fault["kind"] == "frozen":
                    self.thaw(machine.name)
            for unit in {fault["unit"] for fault in faults if fault["kind"] == "stopped"}:
                machine.run(["systemctl", "reset-failed", unit], check=False)
                machine.run(["systemctl", "start", unit])

    def faults(self, node: str) -> list[dict[str, Any]]:
        """The faults that a machine has now, as the lab's journal has them."""
        found: list[dict[str, Any]] = self.state.read().get("faults", {}).get(node, [])
        return found

    # -- helpers ----------------------------------------------------------------------------------

    def _port(self, machine: Node, link: str) -> str:
        if link not in machine.links:
            raise LabError(
                f"{machine.name} has no link {link!r} (it has: {', '.join(machine.links)})"
            )
        return network.port(link, machine.number)

    def _note(self, node: str, fault: dict[str, Any]) -> None:
        with self.state.change() as data:
            faults = data.setdefault("faults", {}).setdefault(node, [])
            if fault not in faults:
                faults.append(fault)

    def _forget(self, node: str, *kinds: str) -> None:
        with self.state.change() as data:
            faults = data.setdefault("faults", {})
            faults[node] = [fault for fault in faults.get(node, []) if fault["kind"] not in kinds]

    def _write_filter(self) -> None:
        """Replace the bridge's filter by one that has exactly the partitions in the journal."""
        rules: dict[str, list[str]] = {
            hook: [] for hook in ("prerouting", "input", "forward", "output", "postrouting")
        }
        for name, faults in self.state.read().get("faults", {}).items():
            for fault in faults:
                if fault["kind"] == "partition":
                    _add_partition(rules, self, name, fault)
        chains = "".join(
            f"chain on_{hook} {{ type filter hook {hook} priority -300; {' '.join(lines)} }}\n"
            for hook, lines in rules.items()
        )
        text = (
            f"table bridge faults\ndelete table bridge faults\ntable bridge faults {{\n{chains}}}\n"
        )
        network.inside(self.state, ["nft", "-f", "-"], input=text)


def _add_partition(
    rules: dict[str, list[str]], lab: Faults, name: str, fault: dict[str, Any]
) -> None:
    port = network.port(fault["link"], lab.node(name).number)
    there = back = ""
    if fault["peer"] is None:
        sending, receiving = "prerouting", "postrouting"
    elif fault["peer"] == CLIENT:
        sending, receiving = "input", "output"
    else:
        other = network.port(fault["link"], lab.node(fault["peer"]).number)
        sending = receiving = "forward"
        there, back = f"oifname {other} ", f"iifname {other} "
    if fault["direction"] in ("out", "both"):
        rules[sending].append(f"iifname {port} {there}drop;")
    if fault["direction"] in ("in", "both"):
        rules[receiving].append(f"oifname {port} {back}drop;")


def _keepalived(machine: Node) -> dict[int, int]:
    # With process_names keepalived calls its children keepalived_vrrp and the like.
    return process_ids(machine, "keepalived")


def _everything(machine: Node) -> set[int]:
    return set(process_ids(machine))
