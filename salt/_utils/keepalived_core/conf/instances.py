"""The VRRP instances of a tree as plain facts, for everybody who asks what a file says."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field

from . import lexer, values
from .tree import Block, Container, Statement, Tree


@dataclass
class Instance:
    """What one ``vrrp_instance`` block says; absent settings have keepalived's defaults.

    ``vips`` and ``excluded``: (address with prefix length, interface or "").
    ``checks``: names of the vrrp_scripts that the instance or its sync group tracks.
    """

    name: str
    line: int = 0
    interface: str = ""
    state: str = "BACKUP"
    vrid: int | None = None
    priority: int = 100  # VRRP_PRIO_DFL in vrrp.h
    advert_int: str = "1"
    version: int = 2
    nopreempt: bool = False
    vips: list[tuple[str, str]] = field(default_factory=list)
    excluded: list[tuple[str, str]] = field(default_factory=list)
    unicast_peers: list[str] = field(default_factory=list)
    mcast_group: str | None = None
    auth_type: str | None = None
    sync_group: str | None = None
    checks: list[str] = field(default_factory=list)

    @property
    def family(self) -> int | None:
        """4 or 6, from the first address; None when there is none to tell."""
        for address, _dev in [*self.vips, *self.excluded]:
            if not address.startswith(("$", "~")):
                return 6 if ":" in address else 4
        return None


@dataclass
class Check:
    """One ``vrrp_script``: how keepalived runs it."""

    name: str
    command: list[str]
    interval: float = 1.0
    timeout: float = 0.0  # 0: the interval
    user: str | None = None
    line: int = 0


def instances(tree: Tree) -> list[Instance]:
    """All instances of *tree*, in order; conditions and includes are not followed."""
    global_version = 2
    for block in tree.blocks("global_defs"):
        global_version = _number(block.value("vrrp_version"), global_version)
    groups = _sync_groups(tree)
    found = []
    for block in tree.blocks("vrrp_instance"):
        instance = _instance(block, global_version)
        for group, (members, checks) in groups.items():
            if instance.name in members:
                instance.sync_group = group
                instance.checks += [name for name in checks if name not in instance.checks]
        found.append(instance)
    return found


def sync_groups(tree: Tree) -> dict[str, list[str]]:
    """``{group: [instance, …]}``."""
    return {name: members for name, (members, _checks) in _sync_groups(tree).items()}


def checks(tree: Tree) -> dict[str, Check]:
    """The ``vrrp_script`` blocks of *tree*, by name."""
    default_user = None
    for block in tree.blocks("global_defs"):
        default_user = block.value("script_user") or default_user
    found = {}
    for block in tree.blocks("vrrp_script"):
        # keepalived takes one word (quoted, if it has blanks) and splits that as a shell would.
        script = block.get("script")
        words = (values.command(script) if script else None) or [""]
        command = lexer.split_command(words[0]) or []
        found[block.name] = Check(
            name=block.name,
            command=command,
            interval=_decimal(block.value("interval"), 1.0),
            timeout=_decimal(block.value("timeout"), 0.0),
            user=block.value("user") or default_user,
            line=block.line,
        )
    return found


def _instance(block: Block, version: int) -> Instance:
    auth_type = None
    for auth in block.blocks("authentication"):
        auth_type = auth.value("auth_type") or auth_type
    vips = _addresses(block, "virtual_ipaddress")
    instance = Instance(
        name=block.name,
        line=block.line,
        interface=block.value("interface"),
        state=block.value("state", "BACKUP"),
        vrid=_number(block.value("virtual_router_id"), None),
        priority=_number(block.value("priority"), 100),
        advert_int=block.value("advert_int", "1"),
        nopreempt=block.get("nopreempt") is not None,
        vips=vips,
        excluded=_addresses(block, "virtual_ipaddress_excluded"),
        unicast_peers=[line.keyword for line in _lines(block, "unicast_peer")],
        mcast_group=block.value("mcast_dst_ip") or None,
        auth_type=auth_type,
        checks=[line.keyword for line in _lines(block, "track_script")],
    )
    default = 3 if instance.family == 6 else version
    instance.version = _number(block.value("version"), default)
    return instance


def _sync_groups(tree: Tree) -> dict[str, tuple[list[str], list[str]]]:
    groups: dict[str, tuple[list[str], list[str]]] = {}
    for block in tree.blocks("vrrp_sync_group"):
        members = [word for line in _lines(block, "group") for word in line.words]
        tracked = [line.keyword for line in _lines(block, "track_script")]
        groups[block.name] = (members, tracked)
    return groups


def _lines(container: Container, keyword: str) -> list[Statement]:
    return [line for block in container.blocks(keyword) for line in block.statements()]


def _addresses(block: Block, keyword: str) -> list[tuple[str, str]]:
    found = []
    for line in _lines(block, keyword):
        words = line.words
        address = with_prefix(words[0])
        device = words[words.index("dev") + 1] if "dev" in words[:-1] else ""
        found.append((address, device))
    return found


def with_prefix(address: str) -> str:
    """*address* in canonical form with its prefix length; as it stands when it is none.

    keepalived takes /32 and /128 where none is written (vrrp_ipaddress.c, parse_ipaddress).
    """
    try:
        return str(ipaddress.ip_interface(address))
    except ValueError:
        return address


def _number(text: str, default):  # type: ignore[no-untyped-def]  # int in, int or default out
    try:
        return int(text)
    except ValueError:
        return default


def _decimal(text: str, default: float) -> float:
    try:
        return float(text)
    except ValueError:
        return default
