"""The lines of keepalived.conf by which keepalived follows the drain file.

keepalived adds the file's number, times the weight, to a priority; a product of -254 or less
makes FAULT.  What is written where follows from what 2.1.5, 2.2.7 and 2.3.3 do:

- In a sync group a weighted track of a member is ignored, the group's own counts for all.
- 2.1.0 to 2.2.2 dissolve a sync group with one member, and its tracks with it; before and after
  that it is a group like any other.
- For the address owner (priority 255) weights do not count, and a sync group with such a member
  takes none.  There the weight is 0: any number other than 0 makes FAULT.
"""

from __future__ import annotations

from ..conf.instances import Instance, instances
from ..conf.tree import Block, Comment, Container, Node, Statement, Tree

NAME = "salt_drain"
SINCE = (2, 0, 0)
#: ``track_file`` as a block; before it, the same was called ``vrrp_track_file``.
RENAMED = (2, 1, 0)
OWNER = 255
_DEFINITIONS = ("track_file", "vrrp_track_file")
_DISSOLVED = ((2, 1, 0), (2, 2, 3))  # from, to before


def add(tree: Tree, version: tuple[int, ...] | None, path: str) -> list[str]:
    """Make every instance of *tree* follow the file *path*; notes on what had to be left out.

    :param version: the installed keepalived; None when it is not known (then the newest counts).
    """
    found = instances(tree)
    if not found or _followers(tree, path, version).issuperset(one.name for one in found):
        return []
    if version is not None and version < SINCE:
        text = ".".join(map(str, version))
        return [f"keepalived {text} has no track_file (2.0.0 has): this node cannot be drained"]
    names = _names(tree, path)
    if not names:
        if any(block.name == NAME for word in _DEFINITIONS for block in tree.blocks(word)):
            return [f"the pillar has a track_file {NAME} of its own: this node cannot be drained"]
        keyword = "vrrp_track_file" if version is not None and version < RENAMED else "track_file"
        # Not only a default: it says what the numbers in the file mean.
        lines: list[Node] = [Statement("file", [path]), Statement("weight", ["1"])]
        tree.children.insert(_place(tree), Block(keyword, [NAME], lines))
    for block, owner in _places(tree, found, version):
        if not _refers(block, names):
            _follow(block, min(names, default=NAME), ["weight", "0"] if owner else [])
    return []


def missing(tree: Tree, path: str, version: tuple[int, ...] | None = None) -> list[str]:
    """The instances of *tree* that do not follow the file *path*."""
    followers = _followers(tree, path, version)
    return [one.name for one in instances(tree) if one.name not in followers]


def faulting(tree: Tree, path: str) -> set[str]:
    """The instances of which any number in the file other than 0 makes FAULT."""
    names, found = _names(tree, path), set()
    for block in tree.blocks("vrrp_sync_group"):
        if _refers(block, names, "0"):
            found |= {one.name for one in instances(tree) if one.sync_group == block.name}
    return found | {b.name for b in tree.blocks("vrrp_instance") if _refers(b, names, "0")}


def _place(tree: Tree) -> int:
    """Before whatever may refer to it: keepalived knows only what it has read."""
    for number, node in enumerate(tree.children):
        if isinstance(node, Block) and node.keyword.startswith("vrrp_"):
            while number and isinstance(tree.children[number - 1], Comment):
                number -= 1  # a comment belongs to what follows it
            return number
    return len(tree.children)


def _places(
    tree: Tree, found: list[Instance], version: tuple[int, ...] | None
) -> list[tuple[Block, bool]]:
    """The blocks that have to refer to the file, and whether an address owner is in each."""
    groups = _groups(found, version)
    places = []
    for block in tree.blocks("vrrp_sync_group"):
        members = groups.get(block.name)
        if members:
            places.append((block, any(one.priority == OWNER for one in members)))
    grouped = {one.name for members in groups.values() for one in members}
    alone = {one.name: one for one in found if one.name not in grouped}
    for block in tree.blocks("vrrp_instance"):
        if block.name in alone:
            places.append((block, alone[block.name].priority == OWNER))
    return places


def _groups(found: list[Instance], version: tuple[int, ...] | None) -> dict[str, list[Instance]]:
    """The sync groups that keepalived keeps, and their members."""
    groups: dict[str, list[Instance]] = {}
    for one in found:
        if one.sync_group:
            groups.setdefault(one.sync_group, []).append(one)
    if version is not None and _DISSOLVED[0] <= version < _DISSOLVED[1]:
        return {name: members for name, members in groups.items() if len(members) > 1}
    return groups


def _follow(block: Block, name: str, weight: list[str]) -> None:
    own = next(block.blocks("track_file"), None)
    if own is None:
        own = Block("track_file")
        block.children.append(own)
    own.children.append(Statement(name, weight))


def _followers(tree: Tree, path: str, version: tuple[int, ...] | None) -> set[str]:
    """The instances that follow the file, whatever it is called there."""
    names = _names(tree, path)
    found = instances(tree)
    groups = _groups(found, version)
    grouped = {one.name for members in groups.values() for one in members}
    followers = set()
    for block in tree.blocks("vrrp_sync_group"):
        if _refers(block, names):
            followers |= {one.name for one in groups.get(block.name, [])}
    for block in tree.blocks("vrrp_instance"):
        if block.name not in grouped and _refers(block, names):
            followers.add(block.name)
    return followers


def _names(tree: Tree, path: str) -> set[str]:
    """What the file *path* is called where *tree* defines it."""
    return {
        block.name
        for word in _DEFINITIONS
        for block in tree.blocks(word)
        if block.value("file") == path
    }


def _refers(container: Container, names: set[str], weight: str | None = None) -> bool:
    """Whether it tracks the file; with *weight*, whether with that one on the line."""
    lines = [line for block in container.blocks("track_file") for line in block.statements()]
    found = [line for line in lines if line.keyword in names]
    return any(weight is None or line.args[:2] == ["weight", weight] for line in found)
