"""What a change would be, and whether it may be made; nothing is changed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import conf
from . import plan as planning
from .check import gate
from .conf.tree import Tree
from .node import apply as applying
from .node import drain_file, pending, process
from .node.paths import DEFAULT, Paths


def plan(
    path: str,
    tree: Tree,
    version: tuple[int, ...],
    peers: Callable[[], Mapping[str, Tree]] = dict,
    paths: Paths = DEFAULT,
) -> planning.Plan:
    """What bringing *path* to *tree* means: gate, comparison with the live file, classification.

    :param peers: gives the trees of the other nodes; called only when something changes.
    :raises applying.ApplyError: when keepalived would not take it.
    """

    def ask(text: str) -> gate.GateResult:
        with drain_file.stand_in(paths), applying.staged(text, path) as new:
            return gate.run(
                new,
                version=version,
                generated=True,
                ours=(str(paths.run_dir), str(paths.state_dir)),
            )

    text, result = planning.choose_text(tree, version, ask)
    if not result.ok:
        number = ".".join(map(str, version))
        raise applying.ApplyError(
            f"keepalived {number} would not take the new {path}; nothing was changed:\n"
            + conf.redact(result.report())
        )
    live = planning.read(path)
    action, diff = planning.compare(text, live, path)
    notes = [f"tolerated: {one}" for one in result.tolerated]
    if not result.tested:
        notes.append("no config test (-t): a bad file is noticed only by our own checks")
    made = planning.Plan(text, action, diff, result, notes, planning.expected(text))
    made.live = applying.digest(path)
    waiting = unfinished(path, made.live, paths)
    if waiting and action in ("nothing", "form"):
        made.action = "finish"
    if made.action in ("create", "change", "finish"):
        runs = planning.read(waiting.backup) if waiting and waiting.backup else live
        made.old = planning.meaning(None if waiting and not waiting.backup else runs, path)
        made.change = planning.classify(made.old, text, version, peers())
    return made


def unfinished(path: str, live: str | None, paths: Paths = DEFAULT) -> pending.Record | None:
    """The change that put the file *live* (a sha256) in place and was never seen in force.

    One that a keepalived started since then has read by itself does not count.
    """
    record = pending.read(paths)
    if record is None or record.path != path or not record.is_of(live):
        return None
    daemon = process.find(paths)
    if daemon is not None and record.daemon != daemon.id:
        return None
    return record


def check_expected(
    path: str, made: planning.Plan, expect: str | None, expect_new: str | None = None
) -> None:
    """:raises applying.ApplyError: when *made* is not for the file that the caller knows, or would
    not write the one that the caller has planned."""
    if expect is not None and expect != made.live:
        raise applying.ApplyError(
            f"{path} was changed meanwhile: it is not the file this was planned for. "
            "Nothing was changed: plan again"
        )
    if expect_new is not None and expect_new != made.new:
        raise applying.ApplyError(
            f"the pillar was changed meanwhile: it makes another {path} than the planned one "
            f"(sha256 {made.new}, not {expect_new}). Nothing was changed: plan again"
        )


def check_allowed(
    made: planning.Plan, allowed: bool, cluster: str | None, paths: Paths = DEFAULT
) -> None:
    """:raises applying.ApplyError: when *made* would hurt and nobody has allowed it."""
    if allowed or made.change is None or not made.change.disruptive:
        return
    if process.find(paths) is None:
        return  # nothing runs, so there is nothing to disturb
    raise applying.ApplyError(
        "nothing was changed, because this change can be felt:\n  "
        + "\n  ".join(made.change.sentences())
        + f"\n`salt-run keepalived.rollout {cluster or 'CLUSTER'}` carries it out with the least "
        "harm. To accept it on this node: allow_disruptive: True on the state keepalived.managed, "
        """or pillar='{"keepalived": {"allow_disruptive": true}}' with the command"""
    )


def hand_written(path: str, version: tuple[int, ...]) -> list[str]:
    """Judge a file that a person wrote; notes on what is hardly meant.

    :raises applying.ApplyError: when it would harm a running keepalived.
    """
    result = gate.run(path, version=version)
    if not result.ok:
        raise applying.ApplyError(
            f"{path} would harm the running keepalived:\n" + conf.redact(result.report())
        )
    return [str(one) for one in result.warnings]
