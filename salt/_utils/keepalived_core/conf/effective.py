"""What the daemon on this machine makes of a configuration file."""

from __future__ import annotations

import os

from .evaluator import evaluate, is_plain
from .opener import Disk, Files
from .parser import parse
from .tree import Tree


def own_id() -> str:
    """keepalived's config-id where ``-i`` gives none: the first part of the host's name."""
    return os.uname().nodename.partition(".")[0]


def effective(
    text: str,
    path: str | None = None,
    config_id: str | None = None,
    strict: bool = True,
    files: Files | None = None,
) -> Tree:
    """The tree as the daemon sees it: conditions decided, definitions replaced, includes opened.

    config_id: None for this host's; files: where includes are, None for this machine's disk.
    Raises ConfError as ``evaluate`` does.
    """
    tree = parse(text, path, strict=False)
    if not is_plain(tree):
        own = own_id() if config_id is None else config_id
        tree = evaluate(text, own, path, strict=False, files=Disk() if files is None else files)
    if strict and tree.problems:
        raise tree.problems[0]
    return tree
