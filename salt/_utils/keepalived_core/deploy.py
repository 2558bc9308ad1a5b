"""Carry out a :class:`plan.Plan`: write, reload or restart, verify, or put the old file back.

Each step is noted in a journal first (``node/pending.py``), so that a run which is killed at any
moment leaves a whole file and a live daemon, and the next run knows what is left to do.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from . import conf
from . import plan as planning
from .check import gate
from .conf.tree import Tree
from .node import apply as applying
from .node import appointment, dump, pending, planned, process
from .node.paths import DEFAULT, Paths

#: Events within this many seconds of a reload are marked planned: a handover takes
#: 3 adverts and the skew (3.6 s at priority 100 and advert_int 1, RFC 5798 section 6.1).
PLANNED_SECONDS = 30

Restart = Callable[[], None]


@contextlib.contextmanager
def alone(paths: Paths = DEFAULT) -> Iterator[None]:
    """Hold the lock of this node: one change at a time."""
    with applying.lock(str(paths.apply_lock)):
        yield


def judge(
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
        with applying.staged(text, path) as new:
            return gate.run(new, version=version)

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
    made.live = None if live is None else planning.digest(live)
    running = _running(path, live, made.live, paths)
    if running is not live and action in ("nothing", "form"):
        made.action = "finish"
    if made.action in ("create", "change", "finish"):
        made.old = planning.meaning(running, path)
        made.change = planning.classify(made.old, text, version, peers())
    return made


def _running(path: str, live: str | None, digest: str | None, paths: Paths) -> str | None:
    """The text that keepalived runs, as far as files can tell: a change that was never seen in
    force does not count."""
    waiting = pending.read(paths)
    if waiting and waiting.path == path and waiting.backup and waiting.new == digest:
        return planning.read(waiting.backup)
    return live


def check_expected(path: str, made: planning.Plan, expect: str | None) -> None:
    """:raises applying.ApplyError: when *made* is not for the file that the caller knows."""
    if expect is not None and expect != made.live:
        raise applying.ApplyError(
            f"{path} was changed meanwhile (it is not the file this was planned for); "
            "nothing was changed here: plan again"
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
        "this change is not harmless, so nothing was changed:\n  "
        + "\n  ".join(made.change.sentences())
        + f"\nLet `salt-run keepalived.rollout {cluster or 'CLUSTER'}` carry it out node by node; "
        "or accept it on this node: allow_disruptive: True on the state, or "
        """pillar='{"keepalived": {"allow_disruptive": true}}' with the command"""
    )


def carry_out(
    path: str,
    made: planning.Plan,
    paths: Paths = DEFAULT,
    reload: str = "now",
    restart: Restart | None = None,
) -> dict[str, Any]:
    """Put *made* in force at *path*.

    :returns: ``{"reload": bool, "restart": bool, "backup": path or None, "did": sentence}``.
    :raises applying.ApplyError: with what was seen, and where that left the node.
    """
    daemon = process.find(paths)
    done = {"reload": False, "restart": False, "backup": None, "did": ""}
    with applying.staged(made.text, path) as new:
        done["backup"] = kept = applying.backup(path, str(paths.backups))
        record = pending.begin(
            path,
            made.live,
            made.new,
            kept,
            f"{daemon.pid}:{daemon.starttime}" if daemon else None,
            made.change.to_data() if made.change else None,
            paths,
        )
        applying.swap(new, path)
    if made.action == "form":
        pending.move(record, pending.DONE, "", paths)
        return {**done, "did": "nothing had to be reloaded"}
    if reload == "no":
        pending.move(record, pending.PREPARED, "waits for keepalived.commit", paths)
        return {**done, "did": "the file is in place; keepalived.commit puts it in force"}
    if daemon is None:
        pending.move(record, pending.DONE, "", paths)
        return {**done, "did": "keepalived is not running"}
    return {**done, **_in_force(record, made.expected, paths, None, restart)}


def commit(
    paths: Paths = DEFAULT, at: int | None = None, restart: Restart | None = None
) -> dict[str, Any]:
    """Put a prepared file in force.  :returns: ``{"did", "reload"}``."""
    record = pending.read(paths)
    if record is None:
        raise applying.ApplyError("nothing is prepared on this node: there is nothing to commit")
    text = planning.read(record.path) or ""
    if planning.digest(text) != record.new:
        raise applying.ApplyError(f"{record.path} was changed after it was prepared: plan again")
    if process.find(paths) is None:
        pending.move(record, pending.DONE, "", paths)
        return {"reload": False, "did": "keepalived is not running"}
    done = _in_force(record, planning.expected(text), paths, at, restart)
    return {"did": done["did"], "reload": done["reload"]}


def _in_force(
    record: pending.Record,
    expected: dict[str, dict],
    paths: Paths,
    at: int | None,
    restart: Restart | None,
) -> dict[str, Any]:
    daemon = process.find(paths)
    assert daemon is not None
    if at is not None:
        left = at - time.time()
        if left < 0:
            raise applying.ApplyError(f"the second {at} has passed; nothing was reloaded")
        try:
            appointment.keep(at, paths)
        except appointment.CalledOff as err:
            raise applying.ApplyError(str(err)) from err
    record = pending.move(record, pending.RELOADING, "", paths)
    planned.begin(PLANNED_SECONDS, "a changed configuration is reloaded", paths=paths)
    try:
        seen = applying.reload_daemon(
            daemon.pid, daemon.alive, lambda: running_facts(paths), expected
        )
    except applying.ApplyError as err:
        undone = put_back(paths, restart=restart)
        raise applying.ApplyError(f"{err.reason}. {undone['did']}") from err
    finally:
        planned.end(paths=paths)
    pending.move(record, pending.DONE, "", paths)
    did = "keepalived was reloaded and runs it"
    if seen is None:
        did = f"keepalived was reloaded and lives; whether it runs it is unknown: {_why(paths)}"
    return {"reload": True, "did": did}


def put_back(
    paths: Paths = DEFAULT,
    backup: str | None = None,
    reload: str = "now",
    restart: Restart | None = None,
) -> dict[str, Any]:
    """Restore an earlier file.  :returns: ``{"did", "reload", "backup"}``."""
    record = pending.last(paths)
    if record is None:
        raise applying.ApplyError("no change of this node is known: name the backup to restore")
    kept = backup or record.backup
    old = planning.read(kept) if kept else None
    if kept is None or old is None:
        raise applying.ApplyError(f"there was no file before; {record.path} stays as it is")
    with applying.staged(old, record.path) as staged:
        applying.swap(staged, record.path)
    done = {"backup": kept, "reload": False, "did": f"The previous file ({kept}) is back"}
    daemon = process.find(paths)
    if reload == "no":
        return done
    if daemon is None:
        return {**done, "did": f"{done['did']}, but keepalived does not run any more"}
    try:
        applying.reload_daemon(
            daemon.pid, daemon.alive, lambda: running_facts(paths), planning.expected(old)
        )
    except (applying.ApplyError, conf.ConfError) as err:
        return {**done, "did": f"{done['did']}, but: {err}"}
    pending.move(record, pending.UNDONE, "", paths)
    return {**done, "reload": True, "did": f"{done['did']} in force"}


def reload_as_it_stands(paths: Paths, version: tuple[int, ...]) -> dict[str, Any]:
    """Reload the live file.  :returns: ``{"pid", "instances", "notes"}``."""
    path = str(paths.config)
    result = gate.run(path, version=version)
    if not result.ok:
        raise applying.ApplyError(f"{path} would harm the running keepalived:\n{result.report()}")
    daemon = process.find(paths)
    if daemon is None:
        raise applying.ApplyError("keepalived is not running: there is nothing to reload")
    seen = applying.reload_daemon(daemon.pid, daemon.alive, lambda: running_facts(paths), None)
    return {"pid": daemon.pid, "instances": sorted(seen or {}), "notes": []}


def running_facts(paths: Paths = DEFAULT) -> dict[str, dict] | None:
    """What the daemon runs, in the shape of :func:`plan.expected`; None when it cannot tell."""
    try:
        seen = dump.read_json(paths)
    except dump.DumpUnavailable:
        return None
    return {
        one.name: {
            "vrid": one.vrid,
            "base_priority": one.base_priority,
            "vips": sorted(f"{vip.address}/{vip.prefix}" for vip in one.vips if not vip.excluded),
        }
        for one in seen.instances
    }


def _why(paths: Paths) -> str:
    try:
        dump.read_json(paths)
    except dump.DumpUnavailable as err:
        return err.reason
    return "it answered too late"
