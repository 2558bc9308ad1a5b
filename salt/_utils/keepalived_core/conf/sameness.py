"""Whether two configurations mean the same to the daemon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import entries, lexer
from .fault import DEFINES, TRACKS
from .grammar import ROOT
from .keyword import (
    ADDRESS,
    ENTRIES,
    FLAG,
    LAST,
    SCRIPT,
    SWITCH,
    SWITCH_WORDS,
    WORDLIST,
    Keyword,
)
from .tree import Block, Comment, Container, Node, Statement, Tree
from .values import command, number, surplus


def equal(first: Tree, second: Tree) -> bool:
    """Whether keepalived would run the same with either.

    Comments, layout and quotes do not count, nor does the order of different keywords; of a
    keyword given several times the last counts where keepalived says so.  The order of
    addresses, of list items and of blocks of one kind counts, and so does what stands above
    the global_defs or the definition it needs.  In doubt they differ.
    """
    return shape(first, ROOT) == shape(second, ROOT) and _above(first) == _above(second)


def _above(tree: Tree) -> tuple[set[str], list[tuple[str, set[str]]]]:
    """What order decides at the top: blocks read before global_defs, and names read too late."""
    early: set[str] = set()
    seen: set[str] = set()
    known: set[tuple[str, str]] = set()
    unknown = []
    for block in tree.blocks():
        if block.keyword == "global_defs":
            early |= seen
        else:
            seen.add(block.keyword)
        known.add((DEFINES.get(block.keyword, ""), block.name))
        tracked = {
            line.keyword
            for track in block.blocks()
            if track.keyword in TRACKS
            for line in track.statements()
            if (track.keyword, line.keyword) not in known
        }
        if tracked:
            unknown.append((block.name, tracked))
    return early, unknown


def shape(container: Container, scope: Mapping[str, Keyword]) -> dict[str, Any]:
    """A comparable form: a value, or the values in order, for each keyword."""
    found: dict[str, Any] = {}
    for node in container.children:
        if isinstance(node, Comment):
            continue
        keyword = None
        if isinstance(node, Statement) and not _conditional(node):
            keyword = scope.get(node.keyword)
        if keyword is None or keyword.is_block != isinstance(node, Block):
            found.setdefault("", []).append(_plain(node))
        elif isinstance(node, Block):
            _add_block(node, keyword, found)
        else:
            assert isinstance(node, Statement)
            if keyword.repeat == LAST:
                found[node.keyword] = _values(node, keyword)
            else:
                found.setdefault(node.keyword, []).append(_values(node, keyword))
    return found


def _conditional(node: Statement) -> bool:
    if isinstance(node, Block) and (node.open_condition or node.end_condition):
        return True
    return bool(node.condition)


def _add_block(node: Block, keyword: Keyword, found: dict[str, Any]) -> None:
    if keyword.kind == WORDLIST:
        # Several of these in one block read like one.
        words = [word for line in node.statements() for word in line.words]
        if words:  # an empty list says nothing
            found.setdefault(node.keyword, []).extend(words)
    elif keyword.kind == ENTRIES and not node.args:
        lines = [_entry(node.keyword, line) for line in node.statements()]
        if lines:
            found.setdefault(node.keyword, []).extend(lines)
    elif node.keyword in ("global_defs", "authentication"):
        merged = found.setdefault(node.keyword, {})
        for name, value in shape(node, keyword.children).items():
            if isinstance(merged.get(name), list) and keyword.children[name].repeat != LAST:
                merged[name] = merged[name] + value
            else:
                merged[name] = value
    elif keyword.kind == ENTRIES:
        lines = [line.words for line in node.statements()]
        found.setdefault(node.keyword, []).append((node.args, lines))
    else:
        names = node.args[: keyword.words[1]]
        found.setdefault(node.keyword, []).append((names, shape(node, keyword.children)))


def _values(node: Statement, keyword: Keyword) -> Any:
    if keyword.kind == FLAG:
        return True
    if keyword.kind == SWITCH:
        return SWITCH_WORDS.get(node.args[0], node.args[0]) if node.args else True
    if keyword.kind == SCRIPT:
        words = command(node)
        if words is None:
            return node.source
        words = words[: len(words) - len(surplus(keyword, words))]
        return [lexer.split_command(words[0]), *words[1:]] if words else []
    most = keyword.words[1]
    args = node.args if most is None else node.args[:most]
    if keyword.kind == ADDRESS:
        return [word.lower() for word in args]
    if keyword.low is not None and args:
        value = number(args[0])
        return [args[0] if value is None else value, *args[1:]]
    return args


def _entry(keyword: str, line: Statement) -> Any:
    """A line of a value block; an address without mask is a single host."""
    if keyword not in ("virtual_ipaddress", "virtual_ipaddress_excluded", "static_ipaddress"):
        return line.words
    found = entries.address(line.words)
    if found is None:
        return line.words
    prefix = found.prefix if found.prefix is not None else (32 if found.family == 4 else 128)
    rest = [word for word in line.words if word.partition("/")[0] != found.address]
    return found.address.lower(), prefix, rest


def _plain(node: Node) -> Any:
    """A node whose meaning is not known here, as it is written."""
    if isinstance(node, Block):
        inside = [_plain(child) for child in node.children if not isinstance(child, Comment)]
        return node.condition, node.words, node.open_condition, node.end_condition, inside
    if isinstance(node, Statement):
        return node.condition, node.words
    return type(node).__name__, repr(node), node.condition
