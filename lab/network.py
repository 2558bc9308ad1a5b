"""The lab's own network: one namespace with two bridges in it, and nothing that leads out.

    br-mgmt   10.77.0.0/24     Salt; the master is .10, controllerN .10+N, the lab itself .1
    br-vip    192.168.1.0/24   VRRP and the VIP; controllerN is .10+N, the client .250
              fd00:1::/64      the same numbers

The namespace itself is the client: a command run in it sees the VIP as any host on that wire would.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence

from lab.host import CommandError, LabError, lab_environment, run
from lab.state import State

MGMT_NET, VIP_NET, VIP6_NET = "10.77.0", "192.168.1", "fd00:1::"
LAB_NUMBER, MASTER_NUMBER, CLIENT_NUMBER = 1, 10, 250

#: Link name as the faults know it -> (bridge, interface inside the machine).
LINKS = {"mgmt": ("br-mgmt", "mgmt0"), "vip": ("br-vip", "eth1")}


def port(link: str, number: int) -> str:
    """The host side of a machine's cable, e.g. `vip11`; it exists in the lab's namespace only."""
    if link not in LINKS:
        raise LabError(f"link {link!r} is not one of {', '.join(LINKS)}")
    return f"{link}{number}"


def inside(
    state: State,
    argv: Sequence[str],
    *,
    check: bool = True,
    timeout: float | None = 30,
    input: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command in the lab's network namespace: as the client, or to look after the wires."""
    command = ["nsenter", f"--net={state.netns}", *argv]
    env = lab_environment(state.name)
    where = f"the network of lab {state.name}"
    return run(command, check=check, timeout=timeout, input=input, env=env, where=where)


def create(state: State) -> None:
    """Make the namespace and its two bridges."""
    state.note_mount(state.netns)
    state.netns.touch()
    run(["unshare", f"--net={state.netns}", "true"], env=lab_environment(state.name))
    lines = [
        "link set lo up",
        # Snooping would hold back VRRP's multicast until somebody asks for it.
        "link add br-mgmt type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        "link add br-vip type bridge stp_state 0 forward_delay 0 mcast_snooping 0",
        f"addr add {MGMT_NET}.{LAB_NUMBER}/24 dev br-mgmt",
        f"addr add {VIP_NET}.{CLIENT_NUMBER}/24 dev br-vip",
        "link set br-mgmt up",
        "link set br-vip up",
    ]
    inside(state, ["ip", "-batch", "-"], input="\n".join(lines) + "\n")
    # A kernel without IPv6 still makes a useful lab.
    inside(
        state,
        ["ip", "addr", "add", f"{VIP6_NET}{CLIENT_NUMBER}/64", "dev", "br-vip", "nodad"],
        check=False,
    )


def connect(
    state: State,
    links: Sequence[str],
    number: int,
    given_up: Callable[[], bool],
    timeout: float = 20,
) -> None:
    """Plug a machine's cables into the bridges as soon as nspawn has made them.

    Raises CommandError after `timeout` seconds, and as soon as `given_up` says that nothing comes.
    """
    lines = [f"link set {port(link, number)} master {LINKS[link][0]} up" for link in links]
    deadline = time.monotonic() + timeout
    while True:
        try:
            inside(state, ["ip", "-batch", "-"], input="\n".join(lines) + "\n")
            return
        except CommandError:
            if time.monotonic() > deadline or given_up():
                raise
            time.sleep(0.05)


def boot_script(links: Sequence[str], number: int) -> str:
    """The shell script that gives a machine its addresses at boot."""
    lines = ["# Written by the lab: this machine's addresses."]
    for link in links:
        interface = LINKS[link][1]
        net = MGMT_NET if link == "mgmt" else VIP_NET
        lines.append(f"echo 0 > /proc/sys/net/ipv6/conf/{interface}/accept_dad")
        lines.append(f"echo 0 > /proc/sys/net/ipv6/conf/{interface}/accept_ra")
        lines.append(f"ip addr add {net}.{number}/24 dev {interface}")
        if link == "vip":
            lines.append(f"ip addr add {VIP6_NET}{number}/64 dev {interface} nodad")
        lines.append(f"ip link set {interface} up")
    return "\n".join([*lines, "exit 0", ""])
