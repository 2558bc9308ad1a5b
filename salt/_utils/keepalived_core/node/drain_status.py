"""Whether this node is drained, and whether it could be."""

from __future__ import annotations

import time
from typing import Any

from .. import conf
from ..conf.instances import instances
from ..conf.tree import Tree
from . import drain_file, drain_track, process
from .drain_file import Record
from .paths import DEFAULT, Paths

#: The watch ends a drain within a second or two of its time.
LATE = 5.0


def status(
    paths: Paths = DEFAULT, tree: Tree | None = None, version: tuple[int, ...] | None = None
) -> dict[str, Any]:
    """Whether the node is drained; see ``keepalived.drain_status`` of the modules."""
    record, number = drain_file.read(paths), drain_file.value(paths)
    lacked = lacks(configured(paths) if tree is None else tree, paths, version)
    mode = record.mode if record else None
    if record is None and number:
        mode = "fault" if number <= drain_file.VALUES["fault"] else "weight"
    return {
        "drained": mode is not None,
        "mode": mode,
        "since": drain_file.text(record.since) if record else None,
        "until": drain_file.text(record.until) if record and record.until is not None else None,
        "reason": record.reason if record else None,
        "who": record.who if record else None,
        "missing": lacked,
        "problem": _problem(record, number, lacked, paths),
    }


def lacks(tree: Tree, paths: Paths, version: tuple[int, ...] | None = None) -> list[str]:
    """What the configuration lacks for a drain, in sentences without an end."""
    names = [one.name for one in instances(tree)]
    if not names:
        return ["there is no VRRP instance in keepalived.conf"]
    if version is None and (found := process.version()):
        version = found.tuple
    lost = drain_track.missing(tree, str(paths.drain), version)
    if not lost:
        return []
    if version is not None and version < drain_track.SINCE:
        return [f"keepalived {'.'.join(map(str, version))} has no track_file (2.0.0 has)"]
    return [f"keepalived does not track the drain file {paths.drain} for {', '.join(lost)}"]


def _problem(
    record: Record | None, number: int | None, lacked: list[str], paths: Paths
) -> str | None:
    if record is not None and record.over(time.time() - LATE):
        return "its time is over, but no watch runs that would end it: keepalived.undrain does"
    if record is not None and number != drain_file.VALUES[record.mode]:
        return f"{paths.drain} does not hold {drain_file.VALUES[record.mode]}: not in force"
    if record is None and number:
        return f"{paths.drain} holds {number}, written by hand: keepalived.undrain ends it"
    if number is None and not lacked:
        return f"{paths.drain} is not there or holds no number; keepalived takes it for 0"
    return None


def configured(paths: Paths) -> Tree:
    """What the file gives this host: its ``@id`` lines, definitions and includes followed.

    An empty tree when it cannot be read.
    """
    try:
        text = paths.config.read_text(encoding="utf-8", errors="surrogateescape")
        return conf.effective(text, str(paths.config))
    except (OSError, conf.ConfError):
        return Tree()
