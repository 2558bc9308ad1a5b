"""A configuration tree into pillar: what a hand-written file would be as ``keepalived:config``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..conf import grammar
from ..conf.keyword import (
    BLOCK,
    DECIMAL,
    ENTRIES,
    FLAG,
    INTEGER,
    LAST,
    NAMED,
    SCRIPT,
    SWITCH,
    SWITCH_WORDS,
    WORDLIST,
    Keyword,
)
from ..conf.renderer import quote
from ..conf.tree import Block, Comment, Container, Statement, Tree
from ..conf.values import command, surplus


def from_tree(tree: Tree) -> tuple[dict[str, Any], list[str]]:
    """(config, notes): the pillar's ``config`` and what of the file it does not carry.

    Rendering the config again gives the same meaning, except for what the notes name.
    """
    notes: list[str] = []
    return _body(tree, grammar.ROOT, notes), notes


def _body(container: Container, scope: Mapping[str, Keyword], notes: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for node in container.children:
        if isinstance(node, Comment):
            continue
        if not isinstance(node, Statement) or node.condition:
            notes.append(f"line {node.line}: {_what(node)} has no place in pillar")
            continue
        keyword = scope.get(node.keyword)
        if keyword is None or keyword.is_block != isinstance(node, Block):
            notes.append(f"line {node.line}: {node.keyword} is no keyword here")
            continue
        if any("$" in word for word in node.words):
            notes.append(f"line {node.line}: {node.keyword} uses a definition")
            continue
        if isinstance(node, Block):
            _block(node, keyword, found, notes)
        elif keyword.repeat == LAST or node.keyword not in found:
            found[node.keyword] = _value(node, keyword)
        else:
            notes.append(f"line {node.line}: a second {node.keyword}; keepalived keeps the first")
    return found


def _what(node: Any) -> str:
    return "a condition" if isinstance(node, Statement) else type(node).__name__.lower()


def _block(node: Block, keyword: Keyword, found: dict[str, Any], notes: list[str]) -> None:
    if keyword.kind == ENTRIES and not node.args:
        found.setdefault(keyword.name, []).extend(_lines(node))
        return
    if keyword.kind == WORDLIST:
        for line in node.statements():
            found.setdefault(keyword.name, []).extend(line.words)
        return
    inside: Any = _lines(node) if keyword.kind == ENTRIES else _body(node, keyword.children, notes)
    if keyword.kind == BLOCK:
        if keyword.name not in found:
            found[keyword.name] = inside
        elif keyword.name in ("global_defs", "authentication"):
            found[keyword.name].update(inside)
        else:
            others = found[keyword.name]
            found[keyword.name] = [*(others if isinstance(others, list) else [others]), inside]
        return
    named = found.setdefault(keyword.name, {})
    if node.name in named:
        notes.append(f"line {node.line}: a second {keyword.name} {node.name}")
        return
    if keyword.kind == NAMED or keyword.kind == ENTRIES:
        named[node.name] = inside


def _lines(block: Block) -> list[str]:
    return [" ".join(quote(word) for word in line.words) for line in block.statements()]


def _value(node: Statement, keyword: Keyword) -> Any:
    if keyword.kind == FLAG or not node.args:
        return True
    first = node.args[0]
    if keyword.kind == SWITCH and first in SWITCH_WORDS:
        return SWITCH_WORDS[first]
    if keyword.kind == INTEGER and len(node.args) == 1 and first.lstrip("+-").isdecimal():
        return int(first)
    if keyword.kind == DECIMAL:
        return int(first) if first.isdecimal() else first
    if keyword.kind == SCRIPT:
        words = command(node) or node.args
        extra = len(surplus(keyword, words))
        words = words[: len(words) - extra]
        return words[0] if len(words) == 1 else words
    if keyword.words[1] == 1:
        return first
    return " ".join(quote(word) for word in node.args)
