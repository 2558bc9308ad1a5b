"""What one vrrp_instance means: what it needs, and what in it contradicts itself."""

from __future__ import annotations

from collections.abc import Iterator

from . import entries
from .fault import ERROR, TRACKS, WARNING, Facts, Fault, place
from .tree import Block, Statement
from .values import family, number

_VIPS = ("virtual_ipaddress", "virtual_ipaddress_excluded")
# The address owner: keepalived lets no weight change this priority.
_OWNER = "255"


def judge_instance(instance: Block, facts: Facts) -> Iterator[Fault]:
    """Everything wrong with one instance."""
    path = place(instance)
    yield from _required(instance, path)
    yield from _families(instance, path)
    yield from _tracks(instance, facts, path)
    version = instance.value("version") or ("3" if family_of(instance) == 6 else "")
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


def family_of(instance: Block) -> int:
    """4 or 6: what the instance speaks, which its first virtual address decides; 0 unknown."""
    for _, found in _addresses(instance):
        return found.family
    if instance.get("native_ipv6") is not None:
        return 6
    for peers in instance.blocks("unicast_peer"):
        for line in peers.statements():
            return family(line.keyword)
    return 0


def _addresses(instance: Block) -> Iterator[tuple[Statement, entries.Address]]:
    """The virtual addresses of an instance that can be read, excluded ones last."""
    for keyword in _VIPS:
        for block in instance.blocks(keyword):
            for line in block.statements():
                found = entries.address(line.words)
                if found is not None:
                    yield line, found


def _required(instance: Block, path: tuple[str, ...]) -> Iterator[Fault]:
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
    source = instance.value("unicast_src_ip")
    for block in instance.blocks("unicast_peer"):
        for line in block.statements():
            if source and line.keyword == source:
                yield Fault(
                    "KA312",
                    WARNING,
                    line,
                    (*path, "unicast_peer"),
                    f"{source} is this node's own address; it sends adverts to itself",
                    "list the other nodes only",
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


def _tracks(instance: Block, facts: Facts, path: tuple[str, ...]) -> Iterator[Fault]:
    """Things that are tracked in vain."""
    own = instance.value("interface")
    for block in instance.blocks("track_interface"):
        for line in block.statements():
            if line.keyword == own:
                yield Fault(
                    "KA310",
                    ERROR,
                    line,
                    (*path, "track_interface"),
                    f"{own} is the instance's own interface, which is tracked anyway; keepalived "
                    "ignores the line",
                    "remove it",
                )
    if instance.value("priority") == _OWNER:
        why = f"the address owner (priority {_OWNER})"
    elif instance.name in facts.grouped:
        why = "a member of a sync group"
    else:
        return
    for keyword in TRACKS:
        for block in instance.blocks(keyword):
            for line in block.statements():
                weight = _weight(keyword, line, facts)
                if weight:
                    yield Fault(
                        "KA311",
                        ERROR,
                        line,
                        (*path, keyword),
                        f"{line.keyword} has weight {weight:g}, but {path[0]} is {why}; keepalived "
                        "ignores the line",
                        "write weight 0, or track it in the sync group"
                        if why.endswith("group")
                        else "write weight 0, or another priority",
                    )


def _weight(keyword: str, line: Statement, facts: Facts) -> float:
    """The weight a tracked thing has here: given on the line, else where it is defined."""
    words = line.args
    if "weight" in words[:-1]:
        return number(words[words.index("weight") + 1]) or 0
    definition = facts.defined.get((keyword, line.keyword))
    if definition is None:
        return 0
    return number(definition.value("weight", "1" if keyword == "track_file" else "0")) or 0
