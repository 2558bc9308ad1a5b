"""What is wrong with a configuration, each finding with a stable code, its place and a remedy.

An ``error`` is something keepalived itself refuses, drops or dies of; what it takes silently
(exit status 0, no message) is at most a ``warning``.  Codes: KA1xx form, KA2xx names, KA3xx VRRP,
KA4xx scripts, KA5xx virtual servers, KA6xx the machine; a code keeps its meaning for ever.  All of
them stand in docs/lint.md.
"""

from __future__ import annotations

from ..conf import grammar, meaning
from ..conf.collector import collector_held
from ..conf.effective import own_id
from ..conf.errors import ConfError
from ..conf.evaluator import evaluate, is_plain
from ..conf.fault import ERROR
from ..conf.keyword import Version
from ..conf.keyword import version as read_version
from ..conf.opener import Files
from ..conf.tree import Tree
from .host import HostFacts
from .lint_finding import Finding, order
from .lint_form import judge_form
from .lint_host import judge_host
from .lint_lines import judge_lines, killer_comment

__all__ = ["Finding", "lint"]


@collector_held()
def lint(
    tree: Tree,
    version: str | Version | None = None,
    config_id: str | None = None,
    files: Files | None = None,
    host: HostFacts | None = None,
) -> list[Finding]:
    """All findings of a tree, in the order of the file, then of those it includes.

    version: the keepalived it is for, ``"2.2.7"`` or ``(2, 2, 7)``; None: the newest.
    config_id: whose ``@id`` lines count; None: this host's, the first part of its name, as
    keepalived has it without ``-i``.  files: where includes are opened (``opener.Disk()``); None:
    they are not, and nothing is said that one of them could make untrue.
    host: the machine it is for (``host.this_host()``), whose interfaces, users and files are then
    compared with what the text names; None: the text alone is judged.
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
        found += judge_lines(text, file)
    found += judge_form(tree, grammar.ROOT, (), release)
    if not any(block.get("reload_check_config") for block in tree.blocks("global_defs")):
        found += killer_comment(source, release)
    judged = [*tree.faults, *meaning.judge(tree, release)]
    if host is not None:
        judged += judge_host(tree, host, release)
    found += [Finding.of(fault) for fault in judged]
    return sorted(found, key=order)


def _damage(error: ConfError, tree: Tree) -> Finding:
    file = error.path if error.path and error.path != tree.path else ""
    return Finding(ERROR, "KA100", error.line, "", error.reason, "", file)
