"""Whether two configurations mean the same to the daemon."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import entries
from .grammar import ROOT
from .keyword import ADDRESS, BLOCK, ENTRIES, FLAG, LAST, SWITCH, SWITCH_WORDS, WORDLIST, Keyword
from .tree import Block, Comment, Container, Node, Statement, Tree
from .values import number

_NOTHING: Mapping[str, Keyword] = {}


def equal(first: Tree, second: Tree) -> bool:
    """Whether keepalived would run the same with either.

    Comments, layout and quotes do not count, nor does the order of independent keywords in a
    block; of a keyword given several times the last counts where keepalived says so.  The order
    of addresses, of list items and of blocks counts.  In doubt they differ.
    """
    return _shape(first, ROOT) == _shape(second, ROOT)


def _shape(container: Container, scope: Mapping[str, Keyword]) -> Any:
    """A comparable form: single values by name, everything repeatable in order."""
    single: dict[str, Any] = {}
    ordered: list[Any] = []
    for node in container.children:
        if isinstance(node, Comment):
            continue
        if not isinstance(node, Statement) or _conditional(node):
            ordered.append(_plain(node))
            continue
        keyword = scope.get(node.keyword)
        if keyword is None or keyword.is_block != isinstance(node, Block):
            ordered.append(_plain(node))
        elif isinstance(node, Block):
            _add_block(node, keyword, single, ordered)
        elif keyword.repeat == LAST:
            single[node.keyword] = _values(node, keyword)
        else:
            ordered.append((node.keyword, node.args))
    return single, ordered


def _conditional(node: Statement) -> bool:
    if isinstance(node, Block) and (node.open_condition or node.end_condition):
        return True
    return bool(node.condition)


def _add_block(node: Block, keyword: Keyword, single: dict[str, Any], ordered: list[Any]) -> None:
    if keyword.kind in (ENTRIES, WORDLIST) and not node.args:
        # Several of these in one block read like one.
        lines = single.setdefault(node.keyword, [])
        for line in node.statements():
            if keyword.kind == WORDLIST:
                lines.extend(line.words)
            else:
                lines.append(_entry(node.keyword, line))
    elif keyword.kind == BLOCK and node.keyword in ("global_defs", "authentication"):
        inside, rest = _shape(node, keyword.children)
        values, others = single.setdefault(node.keyword, ({}, []))
        values.update(inside)
        others.extend(rest)
    elif keyword.kind == ENTRIES:
        ordered.append((node.words, [line.words for line in node.statements()]))
    else:
        ordered.append((node.words, _shape(node, keyword.children)))


def _values(node: Statement, keyword: Keyword) -> Any:
    if keyword.kind == FLAG:
        return True
    if keyword.kind == SWITCH:
        return SWITCH_WORDS.get(node.args[0], node.args[0]) if node.args else True
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
