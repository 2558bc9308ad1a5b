"""What a configuration means as a whole: names that must exist, addresses that must agree.

These are the judgements keepalived makes when all is read (vrrp_complete_init and kin), plus
those it does not make although the cluster suffers.  An ``error`` is what keepalived itself
reports, ignores or refuses; a ``warning`` is something it takes but that is hardly wanted.
"""

from __future__ import annotations

from collections.abc import Iterator

from .fault import DEFINES, ERROR, TRACKS, WARNING, Facts, Fault, is_on, place
from .grammar import nearest
from .keyword import Version
from .meaning_instance import family_of, judge_instance
from .tree import Block, Include, Node, Statement, Tree

# Blocks whose name must not come twice.
_UNIQUE = ("vrrp_instance", "vrrp_sync_group", "bfd_instance", "track_group")
# Something is not there: with an include nobody can say so.
_ABSENCES = frozenset({"KA201", "KA202", "KA206", "KA306", "KA307", "KA308", "KA401"})
_SCRIPTS = (
    "notify",
    "notify_master",
    "notify_backup",
    "notify_fault",
    "notify_stop",
    "notify_deleted",
    "notify_master_rx_lower_pri",
)


def judge(tree: Tree, version: Version = ()) -> list[Fault]:
    """Everything wrong with the meaning of an evaluated tree, in the order of the file.

    version: of the keepalived it is for; () for any.
    """
    facts = Facts(tree)
    found = [*_names(tree), *_references(tree)]
    taken: dict[tuple, Block] = {}
    for instance in tree.blocks("vrrp_instance"):
        found += judge_instance(instance, facts)
        found += _same_vrid(instance, facts, taken)
    for group in tree.blocks("vrrp_sync_group"):
        found += _sync_group(group, facts)
    found += _unused(tree)
    found += _security(tree)
    if version and version < (2, 3, 3):
        found += _whole_seconds(tree)
    if _includes(tree):
        found = [fault for fault in found if fault.code not in _ABSENCES]
    return sorted(found, key=lambda fault: fault.node.line)


def _includes(tree: Tree) -> bool:
    stack: list[Node] = list(tree.children)
    while stack:
        node = stack.pop()
        if isinstance(node, Include):
            return True
        if isinstance(node, Block):
            stack.extend(node.children)
    return False


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


def _references(tree: Tree) -> Iterator[Fault]:
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
                yield Fault("KA201", ERROR, line, place(block, child), message, hint)


def _same_vrid(instance: Block, facts: Facts, taken: dict[tuple, Block]) -> Iterator[Fault]:
    """Two multicast instances on one interface need different numbers, within a family."""
    if any(True for _ in instance.blocks("unicast_peer")) or is_on(
        facts.globals.get("dynamic_interfaces")
    ):
        return
    vrid, interface = instance.value("virtual_router_id"), instance.value("interface")
    if not vrid or not interface:
        return
    key = (interface, family_of(instance) or 4, vrid, instance.value("mcast_dst_ip"))
    first = taken.setdefault(key, instance)
    if first is not instance and first.name != instance.name:
        node = instance.get("virtual_router_id")
        assert node is not None
        yield Fault(
            "KA204",
            ERROR,
            node,
            place(instance),
            f"{first.name} already uses virtual_router_id {vrid} with IPv{key[1]} on {interface}",
            "give each instance on an interface its own number",
        )


def _sync_group(group: Block, facts: Facts) -> Iterator[Fault]:
    path = place(group)
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
                () if scripts[0] is block else place(block),
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
                    place(block),
                    f"{keyword} {node.args[0]}: parts of a second need keepalived 2.3.3",
                    "write whole seconds",
                )
