"""What is wrong with a configuration, each finding with a stable code, its place and a remedy.

An ``error`` is something keepalived itself reports, drops or dies of; what it takes silently
(exit status 0, no message) is at most a ``warning``.  Codes: KA1xx form, KA2xx names, KA3xx VRRP,
KA4xx scripts; a code keeps its meaning for ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..conf import entries, grammar, lexer, meaning, values
from ..conf.effective import own_id
from ..conf.errors import ConfError
from ..conf.evaluator import evaluate, is_plain
from ..conf.fault import ERROR, WARNING
from ..conf.keyword import ENTRIES, FIRST, FLAG, LAST, ONCE, SCRIPT, Keyword, Version, version_text
from ..conf.keyword import version as read_version
from ..conf.opener import Files
from ..conf.renderer import MAX_LINE
from ..conf.tree import Block, Container, Node, Statement, Tree

# Looking for the word that was meant is slow; a file of garbage shall not be.
MAX_SUGGESTIONS = 20
_SEVERITIES = {ERROR: 0, WARNING: 1}


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.  severity: error or warning; line: in the file, 0 for none; path: the blocks
    around it, as ``vrrp_instance VI_1: authentication``; hint: what to do, may be empty; file: the
    included file that line is of, empty for the file itself."""

    severity: str
    code: str
    line: int
    path: str
    message: str
    hint: str
    file: str = ""


def lint(
    tree: Tree,
    version: str | Version | None = None,
    config_id: str | None = None,
    files: Files | None = None,
) -> list[Finding]:
    """All findings of a tree, in the order of the file, then of those it includes.

    version: the keepalived it is for, ``"2.2.7"`` or ``(2, 2, 7)``; None: the newest.
    config_id: whose ``@id`` lines count; None: this host's, the first part of its name, as
    keepalived has it without ``-i``.  files: where includes are opened (``opener.Disk()``); None:
    they are not, and nothing is said that one of them could make untrue.
    """
    release = read_version(version)
    source = tree.source
    if tree.source and not is_plain(tree):
        own = own_id() if config_id is None else config_id
        try:
            tree = evaluate(tree.source, own, tree.path, strict=False, files=files)
        except ConfError as error:
            return [_damage(error, tree)]
    found = [_damage(problem, tree) for problem in tree.problems]
    for file, text in {"": source, **tree.opened}.items():
        found += _lines(text, file)
    found += _form(tree, grammar.ROOT, (), release)
    for fault in [*tree.faults, *meaning.judge(tree, release)]:
        found.append(
            Finding(
                fault.severity,
                fault.code,
                fault.node.line,
                ": ".join(fault.path),
                fault.message,
                fault.hint,
                fault.node.file or "",
            )
        )
    return sorted(found, key=lambda one: (one.file, one.line, _SEVERITIES[one.severity]))


def _damage(error: ConfError, tree: Tree) -> Finding:
    file = error.path if error.path and error.path != tree.path else ""
    return Finding(ERROR, "KA100", error.line, "", error.reason, "", file)


def _lines(source: str, file: str) -> Iterator[Finding]:
    """What goes wrong before any keyword is looked at."""
    for number, line in enumerate(source.split("\n"), 1):
        if len(line) > MAX_LINE // 4 and len(line.encode("utf-8", "surrogateescape")) > MAX_LINE:
            yield Finding(
                ERROR,
                "KA112",
                number,
                "",
                f"the line is longer than the {MAX_LINE} bytes keepalived reads at once; it takes "
                "the rest for another line",
                "write shorter lines, comments included",
                file,
            )
        if "#" in line or "!" in line:
            cut = lexer.split_comment(line)
            start = cut.start
            if lexer.split_comment(cut.text).start >= 0:
                yield Finding(
                    WARNING,
                    "KA109",
                    number,
                    "",
                    "a backslash does not save a '#' or '!': keepalived's children see a comment",
                    "put the value in double quotes",
                    file,
                )
            if start > 0 and line[start - 1] not in " \t{}":
                yield Finding(
                    WARNING,
                    "KA109",
                    number,
                    "",
                    f"{line[start]!r} cuts a word: what follows is a comment to keepalived",
                    "put the value in double quotes, or a blank before the comment",
                    file,
                )


def _form(
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


def _unknown(
    node: Statement, scope: Mapping[str, Keyword], path: tuple[str, ...], suggest: bool
) -> Finding:
    hint = grammar.advice(node.keyword, scope, suggest)
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
    args = node.args
    if keyword.kind == SCRIPT:
        found = values.command(node)
        if found is None:
            yield _finding(
                ERROR, "KA103", node, path, f"{node.keyword}: a quote in the command has no partner"
            )
            return
        args = found
    extra = values.surplus(keyword, args)
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
    return Finding(severity, code, node.line, ": ".join(path), message, hint, node.file or "")
