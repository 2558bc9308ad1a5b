"""What a configuration means as a whole: names that must exist, addresses that must agree.

These are the judgements keepalived makes when all is read (vrrp_complete_init and kin), plus
those it does not make although the cluster suffers.  An ``error`` is what keepalived itself
reports, ignores or refuses; a ``warning`` is something it takes but that is hardly wanted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from . import entries
from .grammar import nearest
from .keyword import Version
from .tree import Block, Node, Statement, Tree
from .values import family

ERROR = "error"
WARNING = "warning"

# What a track block names, and which blocks define such names.
TRACKS = {
    "track_script": ("vrrp_script",),
    "track_file": ("track_file", "vrrp_track_file"),
    "track_process": ("vrrp_track_process",),
    "track_bfd": ("bfd_instance",),
}
# The same, the other way round: vrrp_script -> track_script.
DEFINES = {kind: track for track, kinds in TRACKS.items() for kind in kinds}
# Blocks whose name must not come twice, with what keepalived calls them.
_UNIQUE = ("vrrp_instance", "vrrp_sync_group", "bfd_instance", "track_group")
_SCRIPTS = (
    "notify",
    "notify_master",
    "notify_backup",
    "notify_fault",
    "notify_stop",
    "notify_deleted",
    "notify_master_rx_lower_pri",
)
_VIPS = ("virtual_ipaddress", "virtual_ipaddress_excluded")


@dataclass(frozen=True, slots=True)
class Fault:
    """One judgement.  node: the statement at fault; path: the blocks around it, outermost first."""

    code: str
    severity: str
    node: Node
    path: tuple[str, ...]
    message: str
    hint: str = ""


def judge(tree: Tree, version: Version = ()) -> list[Fault]:
    """Everything wrong with the meaning of an evaluated tree, in the order of the file.

    version: of the keepalived it is for; () for any.
    """
    facts = _Facts(tree, version)
    found = [*_names(tree), *_references(tree, facts)]
    taken: dict[tuple, Block] = {}
    for instance in tree.blocks("vrrp_instance"):
        found += _instance(instance, facts)
        found += _same_vrid(instance, facts, taken)
    for group in tree.blocks("vrrp_sync_group"):
        found += _sync_group(group, facts)
    found += _unused(tree)
    found += _security(tree)
    if version and version < (2, 3, 3):
        found += _whole_seconds(tree)
    return sorted(found, key=lambda fault: fault.node.line)


class _Facts:
    """What the checks of one instance need to know of the others."""

    def __init__(self, tree: Tree, version: Version):
        self.version = version
        self.instances = {block.name: block for block in tree.blocks("vrrp_instance")}
        self.globals: dict[str, Statement] = {}
        for block in tree.blocks("global_defs"):
            for node in block.statements():
                self.globals[node.keyword] = node
        self.strict = on(self.globals.get("vrrp_strict"))
        given = self.globals.get("vrrp_version")
        self.vrrp_version = given.args[0] if given is not None and given.args else "2"


def on(node: Statement | None) -> bool:
    """Whether a true|false keyword is switched on."""
    return node is not None and (not node.args or node.args[0] in ("true", "on", "yes"))


def addresses(instance: Block) -> Iterator[tuple[Statement, entries.Address]]:
    """The virtual addresses of an instance that can be read, excluded ones last."""
    for keyword in _VIPS:
        for block in instance.blocks(keyword):
            for line in block.statements():
                found = entries.address(line.words)
                if found is not None:
                    yield line, found


def instance_family(instance: Block) -> int:
    """4 or 6: what the instance speaks, which its first virtual address decides; 0 unknown."""
    for _, found in addresses(instance):
        return found.family
    if instance.get("native_ipv6") is not None:
        return 6
    for peers in instance.blocks("unicast_peer"):
        for line in peers.statements():
            return family(line.keyword)
    return 0


def _path(*blocks: Block) -> tuple[str, ...]:
    return tuple(" ".join(block.words) for block in blocks)


def _names(tree: Tree) -> Iterator[Fault]:
    for keyword in _UNIQUE:
        seen: dict[str, Block] = {}
        for block in tree.blocks(keyword):
            first = seen.setdefault(block.name, block)
            if first is not block:
                where = f" (line {first.line})" if first.line else ""
                yield Fault(
                    "KA203",
                    ERROR,
                    block,
                    (),
                    f"{keyword} {block.name} is defined twice{where}; keepalived keeps the first",
                    "rename or remove one of them",
                )


def _references(tree: Tree, facts: _Facts) -> Iterator[Fault]:
    """Tracked things must be defined above the line that names them."""
    everywhere: dict[str, set[str]] = {}
    for track, kinds in TRACKS.items():
        everywhere[track] = {block.name for kind in kinds for block in tree.blocks(kind)}
    known: dict[str, set[str]] = {track: set() for track in TRACKS}
    for block in tree.blocks():
        if block.keyword in DEFINES:
            known[DEFINES[block.keyword]].add(block.name)
        if block.keyword not in ("vrrp_instance", "vrrp_sync_group"):
            continue
        for child in block.blocks():
            if child.keyword not in TRACKS:
                continue
            kind = TRACKS[child.keyword][0]
            for line in child.statements():
                name = line.keyword
                if name in known[child.keyword]:
                    continue
                if name in everywhere[child.keyword]:
                    message = (
                        f"{kind} {name} is defined further down; keepalived has not read it yet"
                    )
                    hint = f"move {kind} {name} above {' '.join(block.words)}"
                else:
                    meant = nearest(name, everywhere[child.keyword])
                    message = f"there is no {kind} {name}"
                    hint = f"did you mean {meant}?" if meant else f"define {kind} {name} above"
                yield Fault("KA201", ERROR, line, _path(block, child), message, hint)


def _instance(instance: Block, facts: _Facts) -> Iterator[Fault]:
    path = _path(instance)
    yield from _required(instance, facts, path)
    yield from _families(instance, path)
    version = instance.value("version") or ("3" if instance_family(instance) == 6 else "")
    version = version or facts.vrrp_version
    state = instance.get("state")
    nopreempt = instance.get("nopreempt")
    if nopreempt is not None and state is not None and state.args[:1] == ["MASTER"]:
        yield Fault(
            "KA302",
            ERROR,
            nopreempt,
            path,
            "nopreempt does not work with state MASTER; keepalived clears it",
            "write state BACKUP on every node",
        )
    for block in instance.blocks("authentication"):
        inside = (*path, "authentication")
        password = block.get("auth_pass")
        if version == "3" and block.get("auth_type") is not None:
            yield Fault(
                "KA304",
                ERROR,
                block,
                path,
                "VRRP version 3 has no authentication; keepalived ignores it",
                "remove authentication, or set version 2",
            )
        if password is not None and password.args:
            if len(password.args[0].encode("utf-8", "surrogateescape")) > 8:
                yield Fault(
                    "KA303",
                    ERROR,
                    password,
                    inside,
                    "auth_pass is longer than 8 bytes; keepalived cuts it to 8",
                    "write 8 characters or fewer",
                )
        elif block.get("auth_type") is not None:
            yield Fault(
                "KA305", ERROR, block, path, "auth_type without auth_pass; keepalived ignores it"
            )


def _required(instance: Block, facts: _Facts, path: tuple[str, ...]) -> Iterator[Fault]:
    if instance.get("virtual_router_id") is None:
        yield Fault(
            "KA307",
            ERROR,
            instance,
            (),
            f"{path[0]} has no virtual_router_id; keepalived drops the instance",
            "give it a number from 1 to 255 that no other cluster on this network uses",
        )
    unicast = any(True for block in instance.blocks("unicast_peer") for _ in block.statements())
    unbound = unicast and instance.get("unicast_src_ip") is not None
    if instance.get("interface") is None and not unbound:
        yield Fault(
            "KA306", ERROR, instance, (), f"{path[0]} has no interface", "write interface NAME"
        )
    has_vip = any(
        True for block in instance.blocks("virtual_ipaddress") for _ in block.statements()
    )
    if not has_vip and instance.get("no_virtual_ipaddress") is None:
        yield Fault(
            "KA308",
            ERROR,
            instance,
            (),
            f"{path[0]} has no virtual_ipaddress",
            "list at least one address in virtual_ipaddress",
        )


def _families(instance: Block, path: tuple[str, ...]) -> Iterator[Fault]:
    """All of virtual_ipaddress has one family, and peers and source have it too."""
    kind = 0
    for block in instance.blocks("virtual_ipaddress"):
        for line in block.statements():
            found = entries.address(line.words)
            if found is None:
                continue
            if kind and found.family != kind:
                yield Fault(
                    "KA301",
                    ERROR,
                    line,
                    (*path, "virtual_ipaddress"),
                    f"{found.address} is IPv{found.family}, the addresses before it are IPv{kind}; "
                    "one instance speaks one family",
                    "move it to virtual_ipaddress_excluded or to an instance of its own",
                )
            kind = kind or found.family
    if not kind:
        return
    for block in instance.blocks("unicast_peer"):
        for line in block.statements():
            other = family(line.keyword)
            if other and other != kind:
                yield Fault(
                    "KA309",
                    ERROR,
                    line,
                    (*path, "unicast_peer"),
                    f"peer {line.keyword} is IPv{other}, virtual_ipaddress is IPv{kind}",
                    f"list the peers' IPv{kind} addresses",
                )
    for keyword in ("unicast_src_ip", "mcast_src_ip"):
        node = instance.get(keyword)
        other = family(node.args[0]) if node is not None and node.args else 0
        if node is not None and other and other != kind:
            yield Fault(
                "KA309",
                ERROR,
                node,
                path,
                f"{keyword} {node.args[0]} is IPv{other}, virtual_ipaddress is IPv{kind}",
                f"write an IPv{kind} address",
            )


def _same_vrid(instance: Block, facts: _Facts, taken: dict[tuple, Block]) -> Iterator[Fault]:
    """Two multicast instances on one interface need different numbers, within a family."""
    if any(True for _ in instance.blocks("unicast_peer")) or on(
        facts.globals.get("dynamic_interfaces")
    ):
        return
    vrid, interface = instance.value("virtual_router_id"), instance.value("interface")
    if not vrid or not interface:
        return
    key = (interface, instance_family(instance) or 4, vrid, instance.value("mcast_dst_ip"))
    first = taken.setdefault(key, instance)
    if first is not instance and first.name != instance.name:
        node = instance.get("virtual_router_id")
        assert node is not None
        yield Fault(
            "KA204",
            ERROR,
            node,
            _path(instance),
            f"{first.name} already uses virtual_router_id {vrid} with IPv{key[1]} on {interface}",
            "give each instance on an interface its own number",
        )


def _sync_group(group: Block, facts: _Facts) -> Iterator[Fault]:
    path = _path(group)
    members = [
        (line, name)
        for block in group.blocks("group")
        for line in block.statements()
        for name in line.words
    ]
    for line, name in members:
        if name not in facts.instances:
            meant = nearest(name, facts.instances)
            yield Fault(
                "KA202",
                ERROR,
                line,
                (*path, "group"),
                f"there is no vrrp_instance {name}",
                f"did you mean {meant}?" if meant else "list instances of this file",
            )
    if len(members) == 1:
        yield Fault(
            "KA205",
            WARNING,
            group,
            (),
            f"{path[0]} has only one member; keepalived -t reports that with exit status 5",
            "leave the group out until there is a second instance",
        )


def _unused(tree: Tree) -> Iterator[Fault]:
    used = {
        line.keyword
        for keyword in ("vrrp_instance", "vrrp_sync_group")
        for block in tree.blocks(keyword)
        for track in block.blocks("track_script")
        for line in track.statements()
    }
    for block in tree.blocks("vrrp_script"):
        if block.name not in used:
            yield Fault(
                "KA206",
                WARNING,
                block,
                (),
                f"vrrp_script {block.name} is not used; keepalived -t reports that with exit "
                "status 5",
                "name it in a track_script, or remove it",
            )


def _security(tree: Tree) -> Iterator[Fault]:
    """Scripts want enable_script_security, and it must stand above them."""
    secure = False
    for block in tree.blocks():
        if block.keyword == "global_defs":
            secure = secure or block.get("enable_script_security") is not None
        if secure:
            return
        scripts: list[Statement] = [block] if block.keyword == "vrrp_script" else []
        scripts += [node for node in block.statements() if node.keyword in _SCRIPTS]
        if scripts:
            yield Fault(
                "KA401",
                WARNING,
                scripts[0],
                () if scripts[0] is block else _path(block),
                "a script without enable_script_security above it: keepalived -t exits 6",
                "write enable_script_security and script_user root in global_defs, at the top",
            )
            return


def _whole_seconds(tree: Tree) -> Iterator[Fault]:
    for block in tree.blocks("vrrp_script"):
        for keyword in ("interval", "timeout"):
            node = block.get(keyword)
            if node is not None and node.args and "." in node.args[0]:
                yield Fault(
                    "KA104",
                    ERROR,
                    node,
                    _path(block),
                    f"{keyword} {node.args[0]}: parts of a second need keepalived 2.3.3",
                    "write whole seconds",
                )
