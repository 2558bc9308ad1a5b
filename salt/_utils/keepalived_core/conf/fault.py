"""A judgement on a configuration, and what the judges know of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from . import entries
from .grammar import nearest
from .grammar_global import GLOBAL_DEFS
from .keyword import Version
from .tree import Block, Node, Statement, Tree

ERROR = "error"
WARNING = "warning"
INFO = "info"

# What a track block names, and which blocks define such names.
TRACKS = {
    "track_script": ("vrrp_script",),
    "track_file": ("track_file", "vrrp_track_file"),
    "track_process": ("vrrp_track_process",),
    "track_bfd": ("bfd_instance",),
}
# Looking for the name that was meant takes long: a file of wrong names shall not.
MAX_SUGGESTIONS = 20
MAX_NAMES = 500

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


class View:
    """A block read once, its statements by keyword: a judge asks each block for a dozen."""

    __slots__ = ("_addresses", "_found", "block", "name", "path")

    def __init__(self, block: Block):
        self.block = block
        self.name = block.name
        self.path = place(block)
        self._addresses: dict[str, list[tuple[Statement, entries.Address]]] = {}
        self._found: dict[str, list[Statement]] = {}
        found = self._found
        for node in block.children:
            if isinstance(node, Statement):
                if node.keyword in found:
                    found[node.keyword].append(node)
                else:
                    found[node.keyword] = [node]

    def __contains__(self, keyword: str) -> bool:
        return keyword in self._found

    def get(self, keyword: str) -> Statement | None:
        """The statement that counts: keepalived lets the last one win."""
        found = self._found.get(keyword)
        return found[-1] if found else None

    def value(self, keyword: str, default: str = "") -> str:
        """The first word of the statement that counts, or default."""
        found = self._found.get(keyword)
        return found[-1].args[0] if found and found[-1].args else default

    def all(self, keyword: str) -> list[Statement]:
        """The statements of that keyword, blocks included."""
        return self._found.get(keyword, [])

    def blocks(self, keyword: str) -> Iterator[Block]:
        """The blocks of that keyword."""
        return (node for node in self._found.get(keyword, ()) if isinstance(node, Block))

    def lines(self, keyword: str) -> list[Statement]:
        """The lines in all blocks of that keyword."""
        if keyword not in self._found:
            return []
        return [line for block in self.blocks(keyword) for line in block.statements()]

    def addresses(self, keyword: str) -> list[tuple[Statement, entries.Address]]:
        """The addresses that can be read in the blocks of that keyword."""
        if keyword not in self._addresses:
            read = ((line, entries.address(line.words)) for line in self.lines(keyword))
            self._addresses[keyword] = [(line, found) for line, found in read if found]
        return self._addresses[keyword]


class Facts:
    """What the judge of one block must know of the others.

    views: of the instances, in order; instances: their names; globals: the statements of
    global_defs; strict: whether vrrp_strict is on; defined: (track_script and kin, name) -> the
    block; grouped: the names of instances whose sync group lets no weight count.
    """

    def __init__(self, tree: Tree, version: Version = ()):
        self._suggestions = MAX_SUGGESTIONS
        self.roots: dict[str, list[Block]] = {}
        for block in tree.blocks():
            self.roots.setdefault(block.keyword, []).append(block)
        self.views = [View(block) for block in self.blocks("vrrp_instance")]
        self.instances = {view.name for view in self.views}
        self.globals: dict[str, Statement] = {}
        for block in self.blocks("global_defs"):
            for node in block.statements():
                self.globals[node.keyword] = node
        strict = self.globals.get("vrrp_strict")
        unread = bool(version) and version < GLOBAL_DEFS["vrrp_strict"].valued
        self.strict = is_on(strict) or (unread and strict is not None)
        given = self.globals.get("vrrp_version")
        self.vrrp_version = given.args[0] if given is not None and given.args else "2"
        self.defined = {
            (track, block.name): block
            for kind, track in DEFINES.items()
            for block in self.blocks(kind)
        }
        self.grouped = {
            name
            for group in self.blocks("vrrp_sync_group")
            if group.get("sync_group_tracking_weight") is None
            for members in group.blocks("group")
            for line in members.statements()
            for name in line.words
        }

    def hint(self, name: str, names: Collection[str], otherwise: str) -> str:
        """The name that was probably meant, as a question; otherwise, when nobody can tell."""
        meant = ""
        if self._suggestions and len(names) <= MAX_NAMES:
            self._suggestions -= 1
            meant = nearest(name, names)
        return f"did you mean {meant}?" if meant else otherwise

    def blocks(self, keyword: str) -> list[Block]:
        """The outermost blocks of that keyword, in the order of the file."""
        return self.roots.get(keyword, [])


def is_on(node: Statement | None) -> bool:
    """Whether a true|false keyword is switched on."""
    return node is not None and (not node.args or node.args[0] in ("true", "on", "yes"))


def place(*blocks: Block) -> tuple[str, ...]:
    """The path of what stands in these blocks."""
    return tuple(" ".join(block.words) for block in blocks)
