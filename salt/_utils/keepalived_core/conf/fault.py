"""A judgement on a configuration, and what the judges know of it."""

from __future__ import annotations

from dataclasses import dataclass

from .tree import Block, Node, Statement, Tree

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


@dataclass(frozen=True, slots=True)
class Fault:
    """One judgement.  node: the statement at fault; path: the blocks around it, outermost first."""

    code: str
    severity: str
    node: Node
    path: tuple[str, ...]
    message: str
    hint: str = ""


class Facts:
    """What the judge of one block must know of the others.

    instances, groups: by name; defined: (track_script and kin, name) -> the block; grouped: the
    names of instances whose sync group lets no weight count.
    """

    def __init__(self, tree: Tree):
        self.instances = {block.name: block for block in tree.blocks("vrrp_instance")}
        self.globals: dict[str, Statement] = {}
        for block in tree.blocks("global_defs"):
            for node in block.statements():
                self.globals[node.keyword] = node
        given = self.globals.get("vrrp_version")
        self.vrrp_version = given.args[0] if given is not None and given.args else "2"
        self.defined = {
            (DEFINES[block.keyword], block.name): block
            for block in tree.blocks()
            if block.keyword in DEFINES
        }
        self.grouped = {
            name
            for group in tree.blocks("vrrp_sync_group")
            if group.get("sync_group_tracking_weight") is None
            for members in group.blocks("group")
            for line in members.statements()
            for name in line.words
        }


def is_on(node: Statement | None) -> bool:
    """Whether a true|false keyword is switched on."""
    return node is not None and (not node.args or node.args[0] in ("true", "on", "yes"))


def place(*blocks: Block) -> tuple[str, ...]:
    """The path of what stands in these blocks."""
    return tuple(" ".join(block.words) for block in blocks)
