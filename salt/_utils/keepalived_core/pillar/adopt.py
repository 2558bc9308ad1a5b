"""A configuration tree into pillar: what a hand-written file would be as ``keepalived:config``."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..conf import grammar, lexer
from ..conf.errors import ConfError
from ..conf.fault import TRACKS
from ..conf.keyword import (
    BLOCK,
    DECIMAL,
    ENTRIES,
    FIRST,
    FLAG,
    INTEGER,
    MANY,
    ONCE,
    SCRIPT,
    SWITCH,
    SWITCH_WORDS,
    WORDLIST,
    Keyword,
    Version,
    version_text,
)
from ..conf.renderer import quote
from ..conf.tree import Block, Brace, Comment, Container, Include, Node, Statement, Tree
from ..conf.values import command, surplus
from .errors import Path
from .tree import CONFIG, SEVERAL

# Blocks that several of are like one.
_MERGED = ("global_defs", "authentication")
# keepalived takes the first 8 bytes of auth_pass (vrrp_parser.c, vrrp_auth_pass_handler).
_PASSWORD = 8


def from_tree(tree: Tree) -> tuple[dict[str, Any], list[str]]:
    """(config, notes): the pillar's ``config`` and what of the file it does not carry.

    Rendering the config again gives the same meaning, except for what the notes name.  A tree
    that is not evaluated has definitions, conditions and includes, which pillar cannot carry.
    """
    adopter = Adopter(tree)
    return adopter.config, [text for _node, text in adopter.noted]


class Adopter:
    """Reads a tree once.

    config: the pillar's; noted: (node, note) pairs, each note with its place; nodes: pillar path,
    its parts joined with ``:``, to the node it was made from; secrets: (pillar path, node) of each
    value that must not be shown.
    evaluated: the tree is what the daemon sees, so that a ``$NAME`` in it stands for itself;
    skip: ids of nodes to leave out; version: of the keepalived that reads the file, () for the
    newest.
    """

    def __init__(
        self,
        tree: Tree,
        evaluated: bool = False,
        skip: Collection[int] = (),
        version: Version = (),
    ):
        self.path = tree.path
        self.evaluated = evaluated
        self.skip = skip
        self.version = version
        self.noted: list[tuple[Node, str]] = []
        self.nodes: dict[str, Node] = {}
        self.secrets: list[tuple[Path, Node]] = []
        # The names of a block's kind so far, by its path.
        self._names: dict[Path, set[str]] = {}
        self._order(tree)
        self.config = self._body(tree, grammar.ROOT, CONFIG)

    def place(self, node: Node) -> str:
        """Where a node stands: ``FILE:LINE``, or ``line LINE`` of a text without a name."""
        file = node.file or self.path
        return f"{file}:{node.line}" if file else f"line {node.line}"

    def note(self, node: Node, text: str) -> None:
        """Say what is not carried, or not as it stands."""
        self.noted.append((node, f"{self.place(node)}: {text}"))

    def _at(self, path: Path, node: Node) -> None:
        self.nodes[":".join(path)] = node

    # -- blocks ----------------------------------------------------------------------------

    def _body(
        self, container: Container, scope: Mapping[str, Keyword], path: Path
    ) -> dict[str, Any]:
        found: dict[str, Any] = {}
        several: dict[str, list[Block]] = {}
        for node in container.children:
            if isinstance(node, Comment) or id(node) in self.skip:
                continue
            keyword = self._keyword(node, scope)
            if keyword is None:
                continue
            assert isinstance(node, Statement)
            where = (*path, keyword.name)
            if not isinstance(node, Block):
                self._statement(node, keyword, found, where)
            elif keyword.kind == BLOCK and keyword.name not in _MERGED:
                # Their paths have a number when there are several: wait for the last.
                found.setdefault(keyword.name, {})
                several.setdefault(keyword.name, []).append(node)
            else:
                self._block(node, keyword, found, where)
        for name, blocks in several.items():
            found[name] = self._several(blocks, scope[name], (*path, name))
        return found

    def _keyword(self, node: Node, scope: Mapping[str, Keyword]) -> Keyword | None:
        """The keyword of what can be carried; anything else is noted."""
        if isinstance(node, Include) and self.evaluated:
            return None  # what was not opened is said by the tree's faults
        if not isinstance(node, Statement) or node.condition:
            what = "a condition" if isinstance(node, Statement) else type(node).__name__.lower()
            what = "a brace that belongs to nothing" if isinstance(node, Brace) else what
            self.note(node, f"{what} has no place in pillar")
            return None
        keyword = scope.get(node.keyword)
        if keyword is None or keyword.is_block != isinstance(node, Block):
            self.note(node, f"{node.keyword} is no keyword here; keepalived ignores it")
            return None
        if not self.evaluated and any("$" in word for word in node.words):
            self.note(node, f"{node.keyword} uses a definition")
            return None
        return keyword

    def _several(self, blocks: list[Block], keyword: Keyword, path: Path) -> Any:
        bodies = []
        for index, block in enumerate(blocks):
            where = path if len(blocks) == 1 else (*path, str(index))
            self._at(where, block)
            bodies.append(self._body(block, keyword.children, where))
        return bodies[0] if len(bodies) == 1 else bodies

    def _block(self, node: Block, keyword: Keyword, found: dict[str, Any], path: Path) -> None:
        if keyword.name in _MERGED:
            self._at(path, node)
            found.setdefault(keyword.name, {}).update(self._body(node, keyword.children, path))
        elif keyword.kind in (ENTRIES, WORDLIST) and not node.args:
            lines = found.setdefault(keyword.name, [])
            lines += self._lines(node, keyword, path, len(lines))
            if not lines:
                del found[keyword.name]
        else:
            self._named(node, keyword, found, path)

    def _named(self, node: Block, keyword: Keyword, found: dict[str, Any], path: Path) -> None:
        named = found.setdefault(keyword.name, {})
        names = self._names.setdefault(path, set())
        again = node.name in names
        names.add(node.name)
        if again and keyword.name not in SEVERAL:
            self.note(
                node,
                f"a second {keyword.name} {node.name} is left out: pillar has one of each name",
            )
            return
        self._ignored(node, keyword, surplus(keyword, node.args))
        where = (*path, node.name)
        self._at(where, node)
        body: Any = (
            self._lines(node, keyword, where, 0)
            if keyword.kind == ENTRIES
            else self._body(node, keyword.children, where)
        )
        if again and isinstance(named, dict):
            named = found[keyword.name] = [{name: one} for name, one in named.items()]
        if isinstance(named, dict):
            named[node.name] = body
        else:
            named.append({node.name: body})

    def _lines(self, block: Block, keyword: Keyword, path: Path, start: int) -> list[str]:
        found: list[str] = []
        for node in block.children:
            if isinstance(node, Comment) or id(node) in self.skip:
                continue
            if not isinstance(node, Statement) or isinstance(node, Block) or node.condition:
                if not (isinstance(node, Include) and self.evaluated):
                    self.note(node, f"this has no place in a list of {keyword.name}")
                continue
            if not self.evaluated and any("$" in word for word in node.words):
                self.note(node, f"{node.keyword} uses a definition")
                continue
            pieces = [[word] for word in node.words]
            for words in pieces if keyword.kind == WORDLIST else [node.words]:
                try:
                    text = " ".join(quote(word) for word in words)
                except ConfError as error:
                    self.note(node, f"left out: {error.reason}")
                    continue
                self._at((*path, str(start + len(found))), node)
                found.append(text)
        return found

    # -- values ----------------------------------------------------------------------------

    def _statement(
        self, node: Statement, keyword: Keyword, found: dict[str, Any], path: Path
    ) -> None:
        name = keyword.name
        if name in found and keyword.repeat == FIRST:
            self.note(node, f"a second {name} is left out; keepalived keeps the first")
            return
        if name in found and keyword.repeat == ONCE:
            self.note(node, f"a second {name}: the first is left out; keepalived keeps the last")
        value = self._value(node, keyword)
        if value is None:
            return
        self._at(path, node)
        if name in found and keyword.repeat == MANY:
            if not isinstance(found[name], list):
                found[name] = [found[name]]
            found[name].append(value)
        else:
            found[name] = value
        if keyword.secret and not any(word.startswith("file:") for word in node.args):
            self.secrets.append((path, node))

    def _value(self, node: Statement, keyword: Keyword) -> Any:
        """The value in pillar; None when there is none that means the same."""
        if keyword.kind == FLAG:
            self._ignored(node, keyword, node.args)
            return True
        if not node.args:
            return True
        args = node.args
        if keyword.kind == SCRIPT:
            words = command(node)
            if words is None:
                self.note(node, f"{node.keyword}: a quote in the command has no partner")
                return None
            if "\\" in (node.source or ""):
                self.note(
                    node,
                    f"{node.keyword}: keepalived 2.4.0 and later leave a backslash in a command "
                    "where it is, older ones read an escape, as was done here",
                )
            args = words
        extra = surplus(keyword, args)
        self._ignored(node, keyword, extra)
        args = args[: len(args) - len(extra)]
        first = args[0]
        if keyword.kind == SCRIPT:
            return first if len(args) == 1 else args
        if keyword.kind == SWITCH and first in SWITCH_WORDS:
            return SWITCH_WORDS[first] or self._unread(node, keyword)
        if keyword.kind == INTEGER and len(args) == 1 and _is_whole(first.lstrip("+-")):
            return int(first)
        if keyword.kind == DECIMAL:
            return int(first) if _is_whole(first) else first
        if keyword.name == "auth_pass":
            return self._password(node, first)
        if keyword.words[1] == 1:
            return first
        try:
            return " ".join(quote(word) for word in args)
        except ConfError as error:
            self.note(node, f"{node.keyword} is left out: {error.reason}")
            return None

    def _unread(self, node: Statement, keyword: Keyword) -> bool:
        """What an off is to the release that reads the file: the old ones take it for an on."""
        unread = bool(self.version) and self.version < keyword.valued
        if unread:
            self.note(
                node,
                f"keepalived {version_text(self.version)} does not read the {node.args[0]!r}: "
                f"{node.keyword} is on there, and so it is in pillar",
            )
        return unread

    def _password(self, node: Statement, text: str) -> str:
        raw = lexer.encoded(text)
        if len(raw) <= _PASSWORD:
            return text
        self.note(node, f"of auth_pass the first {_PASSWORD} bytes count; the others are left out")
        return raw[:_PASSWORD].decode("utf-8", "surrogateescape")

    def _ignored(self, node: Node, keyword: Keyword, words: Collection[str]) -> None:
        if words:
            shown = "the rest of the line" if keyword.secret else repr(" ".join(words))
            self.note(node, f"{keyword.name}: keepalived ignores {shown}; it is left out")

    # -- order -----------------------------------------------------------------------------

    def _order(self, tree: Tree) -> None:
        """What counts otherwise in pillar because it is written in the order of need."""
        first: Block | None = None
        defined: set[tuple[str, str]] = set()
        later = {(block.keyword, block.name) for block in tree.blocks()}
        for block in tree.blocks():
            if block.keyword == "global_defs" and first is not None:
                self.note(
                    block,
                    f"these global_defs stand below {' '.join(first.words)} and do not count for "
                    "what is above them; in pillar they come first",
                )
            elif block.keyword != "global_defs":
                first = first or block
            defined.add((block.keyword, block.name))
            for track in block.blocks():
                for line in track.statements() if track.keyword in TRACKS else ():
                    kinds = {(kind, line.keyword) for kind in TRACKS[track.keyword]}
                    if kinds & later and not kinds & defined:
                        self.note(
                            line,
                            f"{line.keyword} is defined below, so that keepalived ignores this "
                            "line; in pillar it counts",
                        )


def _is_whole(text: str) -> bool:
    # A number of very many digits is out of every range, and slow to read.
    return text.isascii() and text.isdecimal() and len(text) <= 20
