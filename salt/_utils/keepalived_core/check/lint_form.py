"""Lint of form: keywords, their values, and the lines of value blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..conf import entries, grammar, values
from ..conf.fault import ERROR, WARNING
from ..conf.grammar_entries import DEVICE
from ..conf.keyword import ENTRIES, FIRST, FLAG, LAST, ONCE, SCRIPT, Keyword, Version, version_text
from ..conf.tree import Block, Container, Node, Statement
from .lint_finding import Finding

# Looking for the word that was meant is slow; a file of garbage shall not be.
MAX_SUGGESTIONS = 20


def judge_form(
    container: Container, scope: Mapping[str, Keyword], path: tuple[str, ...], release: Version
) -> Iterator[Finding]:
    """Keywords and values of one block and of those in it."""
    seen: set[str] = set()
    strangers = 0
    for node in container.children:
        if not isinstance(node, Statement):
            continue
        keyword = scope.get(node.keyword)
        if keyword is None:
            strangers += 1
            yield _unknown(node, scope, path, strangers <= MAX_SUGGESTIONS)
            continue
        if node.keyword in seen:
            yield from _again(node, keyword, path)
        else:
            seen.add(node.keyword)
        found = _statement(node, keyword, path, release)
        if found:
            yield from found
        if isinstance(node, Block) and keyword.is_block:
            inside = (*path, " ".join(node.words))
            if keyword.kind == ENTRIES:
                yield from _entries(node, inside, release)
            elif keyword.children:
                yield from judge_form(node, keyword.children, inside, release)


def _unknown(
    node: Statement, scope: Mapping[str, Keyword], path: tuple[str, ...], suggest: bool
) -> Finding:
    hint = grammar.advice(node.keyword, scope, suggest)
    message = f"no such keyword here: {node.keyword}"
    if isinstance(node, Block):
        message += "; keepalived loses the rest of the block around it"
    return _finding(ERROR, "KA101", node, path, message, hint)


def _again(node: Statement, keyword: Keyword, path: tuple[str, ...]) -> Iterator[Finding]:
    if keyword.repeat in (FIRST, ONCE):
        kept = "first" if keyword.repeat == FIRST else "last"
        yield _finding(
            ERROR, "KA107", node, path, f"{node.keyword} is given twice; the {kept} one counts"
        )
    elif keyword.repeat == LAST and keyword.kind != FLAG:
        yield _finding(
            WARNING, "KA107", node, path, f"{node.keyword} is given twice; the last one wins"
        )


def _statement(
    node: Statement, keyword: Keyword, path: tuple[str, ...], release: Version
) -> list[Finding]:
    """What is wrong with one statement; mostly nothing, so it is no generator."""
    found = []
    if release and keyword.since > release:
        found.append(
            _finding(
                ERROR,
                "KA104",
                node,
                path,
                f"{node.keyword} needs keepalived {version_text(keyword.since)}, "
                f"this is {version_text(release)}",
            )
        )
    if keyword.deprecated:
        message = f"{node.keyword} is deprecated"
        found.append(_finding(WARNING, "KA106", node, path, message, keyword.deprecated))
    if keyword.is_block != isinstance(node, Block):
        message = (
            f"{node.keyword} begins a block, but there is no '{{'"
            if keyword.is_block
            else f"{node.keyword} takes no block; its '}}' closes the block around it"
        )
        return [*found, _finding(ERROR, "KA110", node, path, message)]
    reason = values.fault(keyword, node.args)
    if not reason and keyword.name in DEVICE:
        reason = entries.fault(keyword.name, node.args, release)
    if reason:
        code = "KA102" if len(node.args) < keyword.words[0] else "KA103"
        shown = "the value" if keyword.secret else reason
        return [*found, _finding(ERROR, code, node, path, f"{node.keyword}: {shown}")]
    args = node.args
    if keyword.kind == SCRIPT:
        command = values.command(node)
        if command is None:
            message = f"{node.keyword}: a quote in the command has no partner"
            return [*found, _finding(ERROR, "KA103", node, path, message)]
        args = command
    extra = values.surplus(keyword, args)
    if extra:
        words = "the rest of the line" if keyword.secret else " ".join(extra)
        message = f"{node.keyword}: keepalived ignores {words!r}"
        found.append(_finding(WARNING, "KA108", node, path, message))
    return found


def _entries(block: Block, path: tuple[str, ...], release: Version) -> Iterator[Finding]:
    for line in block.statements():
        reason = entries.fault(block.keyword, line.words, release)
        if reason:
            yield _finding(ERROR, "KA113", line, path, reason)


def _finding(
    severity: str, code: str, node: Node, path: tuple[str, ...], message: str, hint: str = ""
) -> Finding:
    return Finding(severity, code, node.line, ": ".join(path), message, hint, node.file or "")
