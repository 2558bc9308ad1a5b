"""Lint of form: keywords, their values, and the lines of value blocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..conf import entries, grammar, values
from ..conf.fault import ERROR, WARNING
from ..conf.grammar_entries import DEVICE
from ..conf.keyword import (
    ADDRESS,
    ENTRIES,
    FIRST,
    FLAG,
    LAST,
    ONCE,
    SCRIPT,
    SWITCH_WORDS,
    Keyword,
    Version,
    version_text,
)
from ..conf.tree import Block, Container, Node, Statement
from .lint_finding import Finding

# Looking for the word that was meant is slow; a file of garbage shall not be.
MAX_SUGGESTIONS = 20
# Without a value, or with a wrong one, these lines are ignored, by old releases in silence; of
# others keepalived dies.
_IGNORED = frozenset(
    {
        *("smtp_helo_name", "status_code", "regex", "regex_options", "regex_min_offset"),
        *("regex_max_offset", "regex_stack"),
    }
)


def judge_form(
    container: Container, scope: Mapping[str, Keyword], path: tuple[str, ...], release: Version
) -> Iterator[Finding]:
    """Keywords and values of one block and of those in it."""
    seen: dict[str, Statement] = {}
    strangers = 0
    for node in container.children:
        if not isinstance(node, Statement):
            continue
        keyword = scope.get(node.keyword)
        if keyword is None:
            strangers += 1
            yield _unknown(node, scope, path, strangers <= MAX_SUGGESTIONS)
            continue
        first = seen.setdefault(node.keyword, node)
        if first is not node:
            yield from _again(node, first, keyword, path, release)
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


def _again(
    node: Statement, first: Statement, keyword: Keyword, path: tuple[str, ...], release: Version
) -> Iterator[Finding]:
    # keepalived does not know a default that was written from one that was not.
    silent = first.args == [keyword.default] or (release and release < keyword.reported)
    if keyword.repeat in (FIRST, ONCE) and not silent:
        kept = "first" if keyword.repeat == FIRST else "last"
        yield _finding(
            ERROR, "KA107", node, path, f"{node.keyword} is given twice; the {kept} one counts"
        )
    elif keyword.repeat in (FIRST, ONCE, LAST) and keyword.kind != FLAG:
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
    if release and release < keyword.valued:
        return [*found, *_not_read(node, keyword, path, release)]
    reason = values.fault(keyword, node.args)
    if not reason and keyword.name in DEVICE:
        reason = entries.fault(keyword.name, node.args, release)
    if reason:
        missing = len(node.args) < keyword.words[0]
        severity = WARNING if node.keyword in _IGNORED else ERROR
        code = "KA102" if missing else "KA103"
        shown = "the value" if keyword.secret else reason
        return [*found, _finding(severity, code, node, path, f"{node.keyword}: {shown}")]
    args = node.args
    if keyword.kind == SCRIPT:
        command = values.command(node)
        if command is None:
            severity, what = ERROR, "a quote in the command has no partner"
            if (node.source or "").endswith("\\"):
                severity, what = (
                    WARNING,
                    "a backslash ends the command; keepalived ignores the line",
                )
            message = f"{node.keyword}: {what}"
            return [*found, _finding(severity, "KA103", node, path, message)]
        args = command
    extra = values.surplus(keyword, args)
    if keyword.kind == ADDRESS and (rest := args[0].removeprefix(values.bare_address(args[0]))):
        extra = [rest, *extra]
    if extra:
        words = "the rest of the line" if keyword.secret else " ".join(extra)
        message = f"{node.keyword}: keepalived ignores {words!r}"
        found.append(_finding(WARNING, "KA108", node, path, message))
    return found


def _not_read(
    node: Statement, keyword: Keyword, path: tuple[str, ...], release: Version
) -> Iterator[Finding]:
    """A switch of a release that does not read its value."""
    if node.args and not SWITCH_WORDS.get(node.args[0]):
        yield _finding(
            WARNING,
            "KA118",
            node,
            path,
            f"keepalived {version_text(release)} does not read the {node.args[0]!r}: the word "
            f"{node.keyword} alone switches it on",
            f"remove the line, or use keepalived {version_text(keyword.valued)}",
        )


def _entries(block: Block, path: tuple[str, ...], release: Version) -> Iterator[Finding]:
    for line in block.statements():
        reason = entries.fault(block.keyword, line.words, release)
        if reason:
            yield _finding(ERROR, "KA113", line, path, reason)
        elif ignored := entries.ignored(block.keyword, line.words, release):
            yield _finding(WARNING, "KA108", line, path, ignored)


def _finding(
    severity: str, code: str, node: Node, path: tuple[str, ...], message: str, hint: str = ""
) -> Finding:
    return Finding(severity, code, node.line, ": ".join(path), message, hint, node.file or "")
