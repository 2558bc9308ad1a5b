"""What around keepalived decides over a virtual address, read from /proc, /sys, /run and /etc."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from . import addresses

#: Of these the kernel uses the larger of ``all`` and the interface's own.
LARGER = ("rp_filter", "arp_ignore", "arp_announce")
_HAPROXY = ("etc/haproxy/haproxy.cfg", "etc/haproxy/conf.d/*.cfg", "etc/haproxy/conf/*.cfg")
_BIND = re.compile(r"^\s*bind\s+(\S+)(.*)$", re.MULTILINE)


def links(virtual: Collection[str]) -> dict[str, list[str]]:
    """The node's own addresses: ``{interface: [address with prefix length]}``.

    virtual: addresses (without prefix) that are keepalived's; they and link-local ones are left
    out.  Raises OSError.
    """
    found = {}
    for name, pairs in addresses.snapshot().items():
        own = [
            f"{ip}/{prefix}"
            for ip, prefix in pairs
            if ip not in virtual and not ip.startswith(("fe80:", "127.", "::1"))
        ]
        if own:
            found[name] = own
    return found


def sysctls(interfaces: Iterable[str], root: Path = Path("/")) -> dict[str, Any]:
    """The kernel settings in force that an address hangs on.

    Returns ``{"ip_nonlocal_bind": {"ipv4": 0, "ipv6": 0}, "interfaces": {name: {"rp_filter",
    "arp_ignore", "arp_announce"}}}``; what the kernel does not have is None.  Among the interfaces
    is ``all``, which is what a VMAC has: keepalived sets its own values to 0.
    """
    net = root / "proc/sys/net"
    return {
        "ip_nonlocal_bind": {
            family: _number(net / family / "ip_nonlocal_bind") for family in ("ipv4", "ipv6")
        },
        "interfaces": {
            name: {word: _larger(net / "ipv4/conf", name, word) for word in LARGER}
            for name in ("all", *interfaces)
        },
    }


def binds(virtual: Collection[str], root: Path = Path("/")) -> list[str]:
    """The virtual addresses that HAProxy's configuration binds by name.

    ``bind … transparent`` needs no setting of the kernel and is left out.
    """
    found = set()
    for pattern in _HAPROXY:
        for path in sorted(root.glob(pattern)):
            for where, rest in _BIND.findall(path.read_text(encoding="utf-8", errors="replace")):
                if "transparent" in rest.split():
                    continue
                for one in where.split(","):
                    address = one.rpartition(":")[0].rpartition("@")[2].strip("[]")
                    if address in virtual:
                        found.add(address)
    return sorted(found)


def managers(interfaces: Iterable[str], root: Path = Path("/")) -> dict[str, dict[str, Any]]:
    """Which network manager has an interface in its hands, and whether it leaves foreign addresses.

    Returns ``{interface: {"manager": "systemd-networkd" or "NetworkManager", "keeps": whether it
    is told to keep them, "file"}}``; an interface that neither of them manages is left out.
    """
    found = {}
    for name in interfaces:
        index = _index(name, root)
        told = index and (_networkd(index, root) or _network_manager(index, root))
        if told:
            found[name] = told
    return found


def _networkd(index: int, root: Path) -> dict[str, Any] | None:
    """What systemd-networkd wrote about the link (sd-network's own file)."""
    state = _pairs(root / f"run/systemd/netif/links/{index}")
    file = state.get("NETWORK_FILE")
    if not file or state.get("ADMIN_STATE") in ("unmanaged", "initialized"):
        return None
    texts = [file, *state.get("NETWORK_FILE_DROPINS", "").replace('"', "").split()]
    keep = ""
    for text in texts:
        with contextlib.suppress(OSError):
            lines = (root / text.lstrip("/")).read_text(encoding="utf-8", errors="replace")
            for line in lines.splitlines():
                word, equals, value = line.partition("=")
                if equals and word.strip() == "KeepConfiguration":
                    keep = value.strip().lower()
    return {
        "manager": "systemd-networkd",
        "keeps": keep in ("yes", "true", "1", "on", "static"),
        "file": file,
    }


def _network_manager(index: int, root: Path) -> dict[str, Any] | None:
    """NetworkManager's own file of the device; only a connection that it activated counts."""
    state = _pairs(root / f"run/NetworkManager/devices/{index}")
    if not state or state.get("managed", "true").lower() not in ("true", "1", "yes", "full"):
        return None
    if not state.get("connection-uuid"):
        return None
    return {"manager": "NetworkManager", "keeps": False, "file": None}


def _pairs(path: Path) -> dict[str, str]:
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found = {}
    for line in text.splitlines():
        word, equals, value = line.partition("=")
        if equals:
            found[word.strip()] = value.strip()
    return found


def _index(name: str, root: Path) -> int | None:
    return _number(root / f"sys/class/net/{name}/ifindex")


def _larger(conf: Path, name: str, word: str) -> int | None:
    own = _number(conf / name / word)
    return None if own is None else max(own, _number(conf / "all" / word) or 0)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None
