"""What a configuration means as a whole: names that must exist, addresses that must agree.

These are the judgements keepalived makes when all is read (vrrp_complete_init and kin), plus
those it does not make although the cluster suffers.  An ``error`` is what keepalived itself
refuses, ignores or drops; a ``warning`` is what it mends by itself, often with a message, or
takes although it is hardly wanted; an ``info`` is worth knowing.
"""

from __future__ import annotations

from collections.abc import Iterator

from .fault import DEFINES, ERROR, TRACKS, WARNING, Facts, Fault, View, is_on, place
from .keyword import Version
from .meaning_address import family_in
from .meaning_definition import judge_definitions
from .meaning_instance import judge_instance
from .meaning_script import judge_scripts
from .meaning_server import judge_servers
from .tree import Block, Include, Node, Tree
from .values import family

# Blocks whose name must not come twice.
_UNIQUE = ("vrrp_instance", "vrrp_sync_group", "bfd_instance", "track_group")
# Something is not there: with an include nobody can say so.
_ABSENCES = frozenset(
    f"KA{number}"
    for number in (
        *(201, 202, 205, 206, 207, 208, 209, 210, 211, 214, 216, 217),
        *(306, 307, 308, 313, 314, 401),
        *(501, 502, 503, 504, 505, 507, 508, 518, 519),
    )
)


def judge(tree: Tree, version: Version = ()) -> list[Fault]:
    """Everything wrong with the meaning of an evaluated tree, in the order of the file.

    version: of the keepalived it is for; () for any.
    """
    facts = Facts(tree, version)
    found = [*_names(facts), *_references(tree, facts)]
    taken: dict[tuple, View] = {}
    for view in facts.views:
        found += judge_instance(view, facts)
        found += _same_vrid(view, facts, taken)
    found += _same_address(facts)
    found += _same_device(facts)
    found += _sync_groups(facts)
    found += judge_definitions(facts)
    found += judge_scripts(tree, facts)
    found += judge_servers(facts)
    if version and version < (2, 3, 3):
        found += _whole_seconds(facts)
    if any(fault.code in _ABSENCES for fault in found) and _includes(tree):
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


def _names(facts: Facts) -> Iterator[Fault]:
    for keyword in _UNIQUE:
        seen: dict[str, Block] = {}
        for block in facts.blocks(keyword):
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


def _references(tree: Tree, facts: Facts) -> Iterator[Fault]:
    """Tracked things must be defined above the line that names them."""
    everywhere: dict[str, set[str]] = {}
    for track, kinds in TRACKS.items():
        everywhere[track] = {block.name for kind in kinds for block in facts.blocks(kind)}
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
                    message = f"there is no {kind} {name}"
                    hint = facts.hint(
                        name, everywhere[child.keyword], f"define {kind} {name} above"
                    )
                yield Fault("KA201", ERROR, line, place(block, child), message, hint)


def _same_vrid(view: View, facts: Facts, taken: dict[tuple, View]) -> Iterator[Fault]:
    """Two multicast instances on one interface need different numbers, within a family."""
    if "unicast_peer" in view or is_on(facts.globals.get("dynamic_interfaces")):
        return
    vrid, interface = view.value("virtual_router_id"), view.value("interface")
    if not vrid or not interface:
        return
    key = (interface, family_in(view) or 4, vrid, view.value("mcast_dst_ip"))
    first = taken.setdefault(key, view)
    if first is not view and first.name != view.name:
        node = view.get("virtual_router_id")
        assert node is not None
        yield Fault(
            "KA204",
            ERROR,
            node,
            view.path,
            f"{first.name} already uses virtual_router_id {vrid} with IPv{key[1]} on {interface}",
            "give each instance on an interface its own number",
        )


def _same_address(facts: Facts) -> Iterator[Fault]:
    """An address that two instances want: the one that lets go of it takes it from the other."""
    seen: dict[tuple[str, str], View] = {}
    for view in facts.views:
        for keyword in ("virtual_ipaddress", "virtual_ipaddress_excluded"):
            for line, found in view.addresses(keyword):
                key = (found.address, found.dev or view.value("interface"))
                first = seen.setdefault(key, view)
                if first is not view and first.name != view.name:
                    yield Fault(
                        "KA320",
                        WARNING,
                        line,
                        (*view.path, keyword),
                        f"vrrp_instance {first.name} has {found.address} as well; one of the two "
                        "removes it from under the other",
                        "leave it to one instance",
                    )


def _same_device(facts: Facts) -> Iterator[Fault]:
    """use_vmac and use_ipvlan create a device; its name can be given once."""
    seen: dict[str, View] = {}
    for view in facts.views:
        node = view.get("use_vmac") or view.get("use_ipvlan")
        if node is None or not node.args or family(node.args[0].partition("/")[0]):
            continue
        first = seen.setdefault(node.args[0], view)
        if first is not view:
            yield Fault(
                "KA328",
                ERROR,
                node,
                view.path,
                f"vrrp_instance {first.name} already has the device {node.args[0]}; keepalived "
                "ignores the name",
                "give each instance a device of its own",
            )


def _sync_groups(facts: Facts) -> Iterator[Fault]:
    homes: dict[str, Block] = {}
    for group in facts.blocks("vrrp_sync_group"):
        path = place(group)
        members = [
            (line, name)
            for block in group.blocks("group")
            for line in block.statements()
            for name in line.words
        ]
        if not members:
            yield Fault(
                "KA216",
                ERROR,
                group,
                (),
                f"{path[0]} has no members; keepalived drops it",
                "list instances in group, or remove it",
            )
        for line, name in members:
            inside = (*path, "group")
            if name not in facts.instances:
                hint = facts.hint(name, facts.instances, "list instances of this file")
                yield Fault("KA202", ERROR, line, inside, f"there is no vrrp_instance {name}", hint)
            elif name in homes:
                yield Fault(
                    "KA215",
                    WARNING,
                    line,
                    inside,
                    f"{name} is already a member of vrrp_sync_group {homes[name].name}; "
                    "keepalived ignores it here",
                    "name each instance in one group, once",
                )
            else:
                homes[name] = group
        if len(members) == 1:
            yield Fault(
                "KA205",
                WARNING,
                group,
                (),
                f"{path[0]} has only one member; keepalived -t reports that with exit status 5",
                "leave the group out until there is a second instance",
            )


def _whole_seconds(facts: Facts) -> Iterator[Fault]:
    for block in facts.blocks("vrrp_script"):
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
