"""Pillar into a configuration tree, every value checked against the keyword table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..conf import entries, fault, grammar, lexer, meaning
from ..conf.errors import ConfError
from ..conf.keyword import BLOCK, ENTRIES, MANY, NAMED, WORDLIST, Keyword, Version, version_text
from ..conf.keyword import version as read_version
from ..conf.renderer import INDENT, MAX_LINE, quote
from ..conf.tree import Block, Node, Statement, Tree
from . import merge
from .errors import Mistakes, Path, kind_of
from .values import Unfit, words

CONFIG = (merge.TOP, "config")
# Two services may share address and port, with TCP and UDP: then pillar has a list of mappings.
SEVERAL = ("virtual_server", "real_server")
# Indented six times, and with a brace behind it, it still is a line keepalived reads.
_LONGEST = MAX_LINE - 6 * len(INDENT) - 2
_UNQUOTED = "the name here is %s after YAML; quote it"
# What the judges say of a name that is not defined.
_REFERENCES = ("KA201", "KA202", "KA217", "KA519")
# keepalived wants a thing defined above the line that names it; sync groups may come first.
_ORDER = (
    "global_defs",
    "static_ipaddress",
    "static_routes",
    "static_rules",
    "linkbeat_interfaces",
    "interface_up_down_delays",
    "garp_group",
    "track_group",
    "vrrp_script",
    "vrrp_track_process",
    "track_file",
    "vrrp_track_file",
    "bfd_instance",
    "vrrp_sync_group",
    "vrrp_instance",
    "SSL",
    "virtual_server_group",
    "virtual_server",
)
# The same inside of blocks: a VRF stands above the interface, what the scheduler or the sorry
# server is told below it.  Everything else keeps the pillar's order.
_PLACES = {
    "vrf": 0,
    "lb_algo": 0,
    "lvs_sched": 0,
    "sorry_server": 0,
    "": 1,
}


def to_tree(
    data: Any,
    node: str | None = None,
    version: str | Version | None = None,
    addresses: merge.Addresses | None = None,
) -> Tree:
    """The configuration of one node.

    data: the whole ``keepalived`` pillar; node: the minion's id, None for what all have in
    common; version: of its keepalived (``"2.2.7"``), None for the newest; addresses:
    ``{node: {interface: [address, ...]}}`` without virtual addresses, for ``unicast_peer: auto``.
    Raises PillarError with every mistake found.
    """
    mistakes = Mistakes()
    config = merge.for_node(data, node, addresses, mistakes)
    builder = _Builder(mistakes, read_version(version))
    tree = Tree(builder.body(config, grammar.ROOT, CONFIG))
    tree.children.sort(key=_rank)
    torn = _Torn(mistakes)
    for found in meaning.judge(tree, builder.version):
        path = builder.paths[id(found.node)]
        if found.severity == fault.ERROR and not torn.explains(found.code, path):
            hint = f"; {found.hint}" if found.hint else ""
            mistakes.add(path, found.message + hint)
    mistakes.stop()
    return tree


class _Torn:
    """Where values are missing from the tree because of a mistake: what follows from that alone is
    no mistake of its own."""

    def __init__(self, mistakes: Mistakes):
        self._around = {
            path[:length] for path in mistakes.paths for length in range(1, len(path) + 1)
        }
        # A whole definition is missing, or a keyword that may have been one.
        self._names = any(path[:2] == CONFIG and len(path) <= 4 for path in mistakes.paths)

    def explains(self, code: str, path: Path) -> bool:
        """Whether a judgement may come from a mistake that was told already."""
        return path in self._around or (self._names and code in _REFERENCES)


def _rank(node: Node) -> int:
    """Words outside of blocks first (net_namespace and kin), then in the order of need."""
    keyword = node.keyword if isinstance(node, Statement) else ""
    return _ORDER.index(keyword) + 1 if keyword in _ORDER else 0


def _place(node: Node) -> int:
    keyword = node.keyword if isinstance(node, Statement) else ""
    return _PLACES.get(keyword, _PLACES[""])


class _Builder:
    def __init__(self, mistakes: Mistakes, version: Version):
        self.mistakes = mistakes
        self.version = version
        self.paths: dict[int, Path] = {}

    def body(self, data: Any, scope: Mapping[str, Keyword], path: Path) -> list[Node]:
        """The inside of a block."""
        nodes: list[Node] = []
        seen: set[str] = set()
        for name, value, where in self.items(data, path):
            keyword = scope.get(name)
            if keyword is None:
                advice = grammar.advice(name, scope)
                self.mistakes.add(where, "; ".join(filter(None, ["no such keyword here", advice])))
                continue
            if self.version and keyword.since > self.version:
                self.mistakes.add(
                    where,
                    f"needs keepalived {version_text(keyword.since)}; this node has "
                    f"{version_text(self.version)}",
                )
                continue
            if name in seen and keyword.repeat != MANY and keyword.kind != NAMED:
                self.mistakes.add(where, "given twice")
                continue
            seen.add(name)
            nodes += self.keyword(keyword, value, where)
        if path != CONFIG:
            nodes.sort(key=_place)
        return nodes

    def items(self, data: Any, path: Path) -> Iterator[tuple[str, Any, Path]]:
        """Names and values of a mapping, or of the official formula's list of mappings."""
        if data is None:
            return
        if isinstance(data, Mapping):
            for name, value in data.items():
                where = (*path, str(name))
                if _is_name(name):
                    yield str(name), value, where
                else:
                    self.mistakes.add(where, _UNQUOTED % kind_of(name))
        elif isinstance(data, (list, tuple)) and all(isinstance(item, Mapping) for item in data):
            for item in data:
                yield from self.items(item, path)
        else:
            self.mistakes.add(path, f"a mapping belongs here, not {kind_of(data)}")

    def keyword(self, keyword: Keyword, value: Any, path: Path) -> list[Node]:
        if keyword.kind == NAMED:
            return self.named(keyword, value, path)
        if keyword.kind == BLOCK:
            return [
                self.made(Block(keyword.name, [], self.body(part, keyword.children, where)), where)
                for part, where in _parts(keyword, value, path)
            ]
        if keyword.kind in (ENTRIES, WORDLIST):
            return self.lines(keyword, value, path)
        values = value if keyword.repeat == MANY and isinstance(value, list) else [value]
        nodes: list[Node] = []
        for one in values:
            try:
                args = words(keyword, one, self.version)
                _writable([keyword.name, *(args or ())])
            except Unfit as error:
                self.mistakes.add(path, str(error))
            except ConfError as error:
                self.mistakes.add(
                    path, "the secret cannot be written" if keyword.secret else error.reason
                )
            else:
                if args is not None:
                    nodes.append(self.made(Statement(keyword.name, args), path))
        return nodes

    def named(self, keyword: Keyword, value: Any, path: Path) -> list[Node]:
        nodes: list[Node] = []
        names: set[str] = set()
        for name, body, where in self.items(value, path):
            least, most = keyword.words
            args = [name] if most == 1 else name.split()
            if not least <= len(args) <= (most or 99) or not name.strip():
                self.mistakes.add(where, f"{name!r} is no name for a {keyword.name}")
                continue
            if name in names and keyword.name not in SEVERAL:
                self.mistakes.add(where, "given twice")
                continue
            names.add(name)
            try:
                _writable([keyword.name, *args])
            except ConfError as error:
                self.mistakes.add(where, error.reason)
                continue
            children = (
                self.entries(keyword, body, where)
                if keyword.kind == ENTRIES
                else self.body(body, keyword.children, where)
            )
            nodes.append(self.made(Block(keyword.name, args, children), where))
        return nodes

    def lines(self, keyword: Keyword, value: Any, path: Path) -> list[Node]:
        """A value block: lines of words, or a list of words."""
        if keyword.name == "virtual_server_group":
            return self.named(keyword, value, path)
        children = self.entries(keyword, value, path)
        return [self.made(Block(keyword.name, [], children), path)] if children else []

    def entries(self, keyword: Keyword, value: Any, path: Path) -> list[Node]:
        nodes: list[Node] = []
        for found, where in _entries(value, path, self.mistakes):
            if not found:
                self.mistakes.add(where, "an empty line")
                continue
            reason = ""
            if keyword.kind == ENTRIES:
                reason = entries.fault(keyword.name, found, self.version)
                reason = reason or entries.ignored(keyword.name, found, self.version)
            try:
                _writable(found)
            except ConfError as error:
                reason = error.reason
            if reason:
                self.mistakes.add(where, reason)
                continue
            nodes.append(self.made(Statement(found[0], found[1:]), where))
        return nodes

    def made(self, node: Node, path: Path) -> Node:
        self.paths[id(node)] = path
        return node


def _is_name(name: Any) -> bool:
    return isinstance(name, (str, int)) and not isinstance(name, bool)


def _writable(line: list[str]) -> None:
    """Raises ConfError for words that cannot be written as one line, however deep it stands."""
    written = [quote(word, frozenset(), first=not index) for index, word in enumerate(line)]
    if len(lexer.encoded(" ".join(written))) > _LONGEST:
        raise ConfError(f"it is too long: a line of keepalived.conf has {_LONGEST} bytes at most")


def _parts(keyword: Keyword, value: Any, path: Path) -> list[tuple[Any, Path]]:
    """A block's bodies: one mapping, or several as a list.

    ``[{url: ...}, {url: ...}, {connect_timeout: 3}]`` is the official formula's way to write
    one body; a list whose mappings repeat a plain keyword, or have several, is many bodies.
    """
    if not isinstance(value, (list, tuple)):
        return [(value, path)]
    seen: set[str] = set()
    for item in value:
        if isinstance(item, Mapping):
            repeated = [
                name
                for name in item
                if name in seen
                and (name not in keyword.children or not keyword.children[name].is_block)
            ]
            if len(item) > 1 or repeated:
                return [(part, (*path, str(index))) for index, part in enumerate(value)]
            seen.update(item)
    return [(value, path)]


def _entries(value: Any, path: Path, mistakes: Mistakes) -> Iterator[tuple[list[str], Path]]:
    """The lines of a value block as words."""
    if value is None:
        return
    if isinstance(value, str):
        yield lexer.split_words(value), path
    elif isinstance(value, Mapping):
        for name, more in value.items():
            where = (*path, str(name))
            if not _is_name(name):
                mistakes.add(where, _UNQUOTED % kind_of(name))
                continue
            options = _options(more, where, mistakes)
            if options is not None:
                yield [str(name), *options], where
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            where = (*path, str(index))
            if isinstance(item, Mapping):
                yield from _entries(item, where, mistakes)
            elif isinstance(item, str):
                yield lexer.split_words(item), where
            elif isinstance(item, int) and not isinstance(item, bool):
                yield [str(item)], where
            else:
                mistakes.add(where, f"a line of words belongs here, not {kind_of(item)}")
    else:
        mistakes.add(path, f"a list belongs here, not {kind_of(value)}")


def _options(more: Any, path: Path, mistakes: Mistakes) -> list[str] | None:
    """What follows the name in ``{192.0.2.1/24: {dev: eth0}}`` or ``{chk: weight 10}``."""
    if more is None or more is True:
        return []
    if isinstance(more, str):
        return lexer.split_words(more)
    if isinstance(more, int) and not isinstance(more, bool):
        return [str(more)]
    if isinstance(more, Mapping):
        found: list[str] = []
        for name, value in more.items():
            if value is False:
                continue
            inner = _options(value, (*path, str(name)), mistakes)
            if inner is None:
                return None
            found += [str(name), *inner]
        return found
    mistakes.add(path, f"options belong here, not {kind_of(more)}")
    return None
