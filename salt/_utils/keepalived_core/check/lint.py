"""What is wrong with a configuration, each finding with a stable code, its place and a remedy.

An ``error`` is something keepalived itself reports, drops or dies of; what it takes silently
(exit status 0, no message) is at most a ``warning``.  Codes: KA1xx form, KA2xx names, KA3xx VRRP,
KA4xx scripts; a code keeps its meaning for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..conf import entries, grammar, meaning, values
from ..conf.keyword import ENTRIES, FIRST, FLAG, LAST, ONCE, Keyword, Version, version_text
from ..conf.keyword import version as read_version
from ..conf.meaning import ERROR, WARNING
from ..conf.tree import Block, Container, Node, Statement, Tree

_SEVERITIES = {ERROR: 0, WARNING: 1}
_TRACKED = frozenset(
    {"track_interface", "track_script", "track_file", "track_process", "track_bfd"}
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.  severity: error or warning; line: in the file, 0 for none; path: the blocks
    around it, as ``vrrp_instance VI_1: authentication``; hint: what to do, may be empty."""

    severity: str
    code: str
    line: int
    path: str
    message: str
    hint: str


def lint(tree: Tree, version: str | Version | None = None) -> list[Finding]:
    """All findings of a tree, in the order of the file.

    version: the keepalived it is for, ``"2.2.7"`` or ``(2, 2, 7)``; None: the newest.
    """
    release = read_version(version)
    found = [
        Finding(ERROR, "KA100", problem.line, "", problem.reason, "") for problem in tree.problems
    ]
    found += _form(tree, grammar.ROOT, (), release)
    for fault in meaning.judge(tree, release):
        found.append(
            Finding(
                fault.severity,
                fault.code,
                fault.node.line,
                ": ".join(fault.path),
                fault.message,
                fault.hint,
            )
        )
    return sorted(found, key=lambda finding: (finding.line, _SEVERITIES[finding.severity]))


def _form(
    container: Container, scope: Mapping[str, Keyword], path: tuple[str, ...], release: Version
) -> Iterator[Finding]:
    """Keywords and values of one block and of those in it."""
    seen: set[str] = set()
    for node in container.children:
        if not isinstance(node, Statement):
            continue
        keyword = scope.get(node.keyword)
        if keyword is None:
            yield _unknown(node, scope, path)
            continue
        if keyword.repeat in (FIRST, ONCE) and node.keyword in seen:
            kept = "first" if keyword.repeat == FIRST else "last"
            yield _finding(
                ERROR, "KA107", node, path, f"{node.keyword} is given twice; the {kept} one counts"
            )
        elif keyword.repeat == LAST and node.keyword in seen and keyword.kind != FLAG:
            yield _finding(
                WARNING,
                "KA107",
                node,
                path,
                f"{node.keyword} is given twice; the last one wins",
            )
        seen.add(node.keyword)
        yield from _statement(node, keyword, path, release)
        if isinstance(node, Block) and keyword.is_block:
            inside = (*path, " ".join(node.words))
            if keyword.kind == ENTRIES:
                yield from _entries(node, inside)
            elif keyword.children:
                yield from _form(node, keyword.children, inside, release)


def _unknown(node: Statement, scope: Mapping[str, Keyword], path: tuple[str, ...]) -> Finding:
    meant = grammar.nearest(node.keyword, scope)
    last = grammar.REMOVED.get(node.keyword)
    if last:
        hint = f"keepalived {version_text(last)} was the last to know it; remove it"
    elif meant:
        hint = f"did you mean {meant}?"
    else:
        homes = grammar.homes(node.keyword)
        hint = f"it belongs in {homes[0]}" if homes else ""
    message = f"no such keyword here: {node.keyword}"
    if isinstance(node, Block):
        message += "; keepalived loses the rest of the block around it"
    return _finding(ERROR, "KA101", node, path, message, hint)


def _statement(
    node: Statement, keyword: Keyword, path: tuple[str, ...], release: Version
) -> Iterator[Finding]:
    if release and keyword.since > release:
        yield _finding(
            ERROR,
            "KA104",
            node,
            path,
            f"{node.keyword} needs keepalived {version_text(keyword.since)}, "
            f"this is {version_text(release)}",
        )
    if keyword.deprecated:
        yield _finding(
            WARNING, "KA106", node, path, f"{node.keyword} is deprecated", keyword.deprecated
        )
    if keyword.is_block != isinstance(node, Block):
        message = (
            f"{node.keyword} begins a block, but there is no '{{'"
            if keyword.is_block
            else f"{node.keyword} takes no block; its '}}' closes the block around it"
        )
        yield _finding(ERROR, "KA110", node, path, message)
        return
    reason = values.fault(keyword, node.args)
    if reason:
        code = "KA102" if len(node.args) < keyword.words[0] else "KA103"
        shown = "the value" if keyword.secret else reason
        yield _finding(ERROR, code, node, path, f"{node.keyword}: {shown}")
        return
    extra = values.surplus(keyword, node.args)
    if extra:
        words = "the rest of the line" if keyword.secret else " ".join(extra)
        yield _finding(
            WARNING, "KA108", node, path, f"{node.keyword}: keepalived ignores {words!r}"
        )


def _entries(block: Block, path: tuple[str, ...]) -> Iterator[Finding]:
    for line in block.statements():
        reason = entries.fault(block.keyword, line.words)
        if reason:
            yield _finding(ERROR, "KA113", line, path, reason)


def _finding(
    severity: str, code: str, node: Node, path: tuple[str, ...], message: str, hint: str = ""
) -> Finding:
    return Finding(severity, code, node.line, ": ".join(path), message, hint)
