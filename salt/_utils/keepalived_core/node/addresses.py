"""Which addresses this host holds."""

from __future__ import annotations

from . import netlink
from .state import Instance, Vip


def snapshot() -> dict[str, list[tuple[str, int]]]:
    """Return every address of this network namespace: interface -> [(address, prefix length)].

    Interfaces without an address are there with an empty list.  Raises :class:`OSError`.
    """
    return netlink.dump_addresses()


class Held:
    """The addresses of this host, kept up to date from the kernel's messages."""

    def __init__(self, found: dict[str, list[tuple[str, int]]] | None = None) -> None:
        self._on: dict[str, set[str]] = {}
        self.replace(found or {})

    def replace(self, found: dict[str, list[tuple[str, int]]]) -> None:
        """Take a whole snapshot."""
        self._on = {name: {address for address, _ in pairs} for name, pairs in found.items()}

    def apply(self, change: netlink.Change) -> bool:
        """Take one message; return whether an address came or went."""
        if change.ifname is None:
            return False
        on = self._on.setdefault(change.ifname, set())
        if change.kind == "DELLINK":
            self._on.pop(change.ifname)
            return bool(on)
        if change.address is None:
            return False
        before = change.address in on
        if change.kind == "NEWADDR":
            on.add(change.address)
        else:
            on.discard(change.address)
        return before != (change.address in on)

    def holds(self, instance: Instance, vip: Vip) -> bool:
        """Return whether ``vip`` is on an interface where ``instance`` puts it.

        Elsewhere does not count: a load balancer's real server has the VIP on ``lo``.  When no
        interface is known, any but ``lo`` counts.
        """
        devices = instance.devices(vip) or self._on.keys() - {"lo"}
        return any(vip.address in self._on.get(name, ()) for name in devices)

    def presence(self, instance: Instance) -> tuple[bool, bool] | None:
        """Return (all VIPs present, any VIP present); None when the instance has no VIP."""
        held = [self.holds(instance, vip) for vip in instance.vips]
        return (all(held), any(held)) if held else None
