"""Carry out a :class:`plan.Plan`: write, reload or restart, verify, or put the old file back.

Each step is noted in a journal first (``node/pending.py``), so that a run which is killed at any
moment leaves a whole file and a live daemon, and the next run knows what is left to do.
docs/apply.md tells the order for people.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from . import judge
from . import plan as planning
from .force import Force, Restart
from .node import apply as applying
from .node import pending, planned, process, trial, verify
from .node import reload as reloading
from .node.paths import DEFAULT, Paths

#: Events within this many seconds of a change are marked planned: a handover takes 3 adverts and
#: the skew (3.6 s at priority 100 and advert_int 1, RFC 5798 section 6.1), and a change that fails
#: has it twice.
PLANNED_SECONDS = 60


@contextlib.contextmanager
def alone(path: str, paths: Paths = DEFAULT) -> Iterator[None]:
    """Hold the lock of this node, and clear away what a killed run has left beside *path*."""
    with applying.lock(str(paths.apply_lock)):
        applying.sweep(path)
        _forget_what_never_was(paths)
        yield


def carry_out(
    path: str,
    made: planning.Plan,
    paths: Paths = DEFAULT,
    reload: str = "now",
    restart: Restart | None = None,
    allowed: bool = False,
) -> dict[str, Any]:
    """Put *made* in force at *path*.

    :param reload: ``now``, or ``no``: :func:`commit` does the rest.
    :param restart: starts keepalived anew; needed for what a reload cannot do.
    :param allowed: somebody has accepted that addresses move.
    :returns: ``{"reload": bool, "restart": bool, "backup": path or None, "did": sentence,
        "notes": [...]}``.
    :raises applying.ApplyError: with what was seen, and where that left the node.
    """
    done: dict[str, Any] = {"reload": False, "restart": False, "backup": None, "did": ""}
    record = pending.read(paths)
    if made.action == "nothing":
        if record and record.path == path:
            pending.move(record, pending.DONE, "", paths)
        return {**done, "notes": []}
    daemon = process.find(paths)
    tried, before = trial.Trial(), None
    if daemon is not None and made.action != "form":
        reloading.settle(daemon, paths)
        before = verify.look(daemon, paths, doubt=not allowed)
        tried = _try_scripts(made, before)
    record = _swap(path, made, daemon, allowed, tried.seconds, paths)
    done = {**done, "backup": record.backup, "notes": tried.notes}
    if made.action == "form":
        pending.move(record, pending.DONE, "", paths)
        return {**done, "did": "nothing had to be reloaded"}
    if reload == "no":
        pending.move(record, pending.PREPARED, "waits for keepalived.commit", paths)
        return {**done, "did": "the file is in place; keepalived.commit puts it in force"}
    if before is None:
        pending.move(record, pending.DONE, "", paths)
        return {**done, "did": "keepalived is not running"}
    force = Force(record, before, _rules(record), restart, paths)
    return {**done, **_or_put_back(force, made.expected)}


def commit(
    paths: Paths = DEFAULT, at: int | None = None, restart: Restart | None = None
) -> dict[str, Any]:
    """Put a prepared file in force.

    :param at: reload at the beginning of that second (since the epoch).
    :returns: ``{"did", "reload", "restart"}``.
    """
    record = pending.read(paths)
    if record is None:
        raise applying.ApplyError("nothing is prepared on this node: there is nothing to commit")
    if applying.digest(record.path) != record.new:
        raise applying.ApplyError(
            f"{record.path} was changed after it was prepared; nothing was reloaded: plan again"
        )
    daemon = process.find(paths)
    if daemon is None:
        pending.move(record, pending.DONE, "", paths)
        return {"reload": False, "restart": False, "did": "keepalived is not running"}
    reloading.settle(daemon, paths)
    before = verify.look(daemon, paths, doubt=not record.allowed)
    force = Force(record, before, _rules(record), restart, paths, at)
    return _or_put_back(force, planning.expected(planning.read(record.path) or ""))


def put_back(
    paths: Paths = DEFAULT,
    backup: str | None = None,
    reload: str = "now",
    restart: Restart | None = None,
    sum: str | Sequence[str] | None = None,
) -> dict[str, Any]:
    """Restore an earlier file.

    A put-back that failed or was killed is finished: its own backup is of the file that it
    replaced, so to restore that one would undo it.

    :param backup: None: of the change that is under way, or of the last one.
    :param sum: the sha256 that the restored file must have, or several that it may have.  Without
        *backup* the newest such copy is taken.
    :returns: ``{"did", "reload", "restart", "backup"}``.
    """
    record = pending.last(paths)
    path = record.path if record else str(paths.config)
    sums = [sum] if isinstance(sum, str) else sum
    half = _half_put_back(record, backup, sums)
    kept = half.back if half else backup or _backup_of(record, sums, paths)
    done = {"backup": kept, "reload": False, "restart": False}
    daemon = process.find(paths)
    if kept is None and record is not None and record.old is None and daemon is None:
        Path(path).unlink(missing_ok=True)
        pending.move(record, pending.UNDONE, "", paths)
        return {**done, "did": f"there was no {path} before, so it was removed"}
    if kept is None:
        raise applying.ApplyError(
            f"there is no earlier {path} to put back; it stays as it is (backups are in "
            f"{paths.backups}; name one)"
        )
    text = planning.read(path if half else kept)
    if text is None:
        raise applying.ApplyError(f"the backup {kept} is not there; {path} stays as it is")
    if sums is not None and not half and not _has_sum(kept, record, sums):
        raise applying.ApplyError(
            f"the backup {kept} is not the file that was asked for (sha256 {', '.join(sums)}); "
            f"{path} stays as it is (backups are in {paths.backups})"
        )
    restarts = bool(record and (record.change or {}).get("kind") == "restart")
    restarts = restarts or bool(record and record.restarts)
    before = None
    if daemon is not None and reload != "no":
        reloading.settle(daemon, paths)
        before = verify.look(daemon, paths, doubt=False)
    unread = record is not None and record.phase == pending.PREPARED and kept == record.backup
    if half:
        # A keepalived that was started since has read the file by itself.
        again = half.restarts and daemon is not None and half.daemon == daemon.id
        record = replace(half, restarts=again)
    else:
        record = _replace(path, text, daemon, paths, restarts, kept)
    done["did"] = f"the previous file ({kept}) is back"
    if reload == "no" and unread:
        pending.move(record, pending.DONE, "", paths)
        return {**done, "did": f"{done['did']}; keepalived has not read the other"}
    if reload == "no":
        pending.move(record, pending.PREPARED, "put back; waits for keepalived.commit", paths)
        return done
    if before is None:
        pending.move(record, pending.DONE, "", paths)
        return {**done, "did": f"{done['did']}; keepalived is not running"}
    with _planned(paths), Force(record, before, verify.Rules(loose=True), restart, paths) as force:
        found = force.run(planning.expected(text))
        outage = force.outage()
    pending.move(record, pending.DONE, "", paths)
    return {**done, **found, "did": ". ".join(filter(None, (f"{done['did']} in force", outage)))}


def reload_as_it_stands(paths: Paths, version: tuple[int, ...]) -> dict[str, Any]:
    """Reload the live file, which somebody may have written by hand.

    :returns: ``{"pid", "instances", "notes"}``.
    """
    path = str(paths.config)
    notes = judge.hand_written(path, version)
    daemon = process.find(paths)
    if daemon is None:
        raise applying.ApplyError("keepalived is not running: there is nothing to reload")
    reloading.settle(daemon, paths)
    before = verify.look(daemon, paths, doubt=False)
    record = pending.Record(path, 0.0, None, None, applying.digest(path) or "")
    rules = verify.Rules(loose=True)
    with _planned(paths), Force(record, before, rules, None, paths, quiet=True) as force:
        force.run(None)
    waiting = pending.read(paths)
    if waiting and (waiting.path, waiting.new) == (path, record.new):
        pending.move(waiting, pending.DONE, "", paths)
    return {"pid": daemon.pid, "instances": sorted(force.seen or {}), "notes": notes}


# --- beneath ---------------------------------------------------------------------------------


def _try_scripts(made: planning.Plan, before: verify.Before) -> trial.Trial:
    states = {name: one.state for name, one in (before.instances or {}).items()}
    tried = trial.attempt(made.old, planning.conf.parse(made.text), states)
    if tried.fatal:
        raise applying.ApplyError(
            "nothing was changed, because after the reload\n  " + "\n  ".join(tried.fatal)
        )
    return tried


def _swap(
    path: str,
    made: planning.Plan,
    daemon: process.Daemon | None,
    allowed: bool,
    tracks: float,
    paths: Paths,
) -> pending.Record:
    """Put the text in place, its journal before it.  An earlier change that was never seen in
    force is carried on: what was true before it is what a failure goes back to."""
    record = judge.unfinished(path, made.live, paths)
    if record is not None and made.live == made.new:
        return pending.move(
            replace(record, new=made.new, allowed=allowed, tracks=tracks),
            pending.RELOADING,
            "",
            paths,
        )
    change = made.change.to_data() if made.change else None
    with applying.staged(made.text, path) as new:
        if record is not None:
            kept, old, runs = record.backup, record.old, record.daemon
        else:
            kept, old = applying.backup(path, str(paths.backups)), made.live
            runs = daemon.id if daemon else None
        record = pending.Record(
            path, pending.now(), kept, old, made.new, daemon=runs, change=change, allowed=allowed,
            restarts=bool(made.change and made.change.restart), tracks=tracks,
        )  # fmt: skip
        pending.begin(record, paths)
        try:
            applying.swap(new, path, expect=made.live)
        except applying.ApplyError:
            pending.forget(paths)
            raise
    return record


def _replace(
    path: str, text: str, daemon: process.Daemon | None, paths: Paths, restarts: bool, source: str
) -> pending.Record:
    """Put the *text* of the backup *source* in place; what stands there is kept as well."""
    live = applying.digest(path)
    with applying.staged(text, path) as new:
        kept = applying.backup(path, str(paths.backups))
        record = pending.Record(
            path, pending.now(), kept, live, planning.digest(text), allowed=True,
            daemon=daemon.id if daemon else None, restarts=restarts, back=source,
        )  # fmt: skip
        pending.begin(record, paths)
        applying.swap(new, path, expect=live)
    return record


def _half_put_back(
    record: pending.Record | None, backup: str | None, sums: Sequence[str] | None
) -> pending.Record | None:
    """The put-back whose file stands there and was never seen in force, if that is what is wanted.

    One that only waits for its commit is finished when the sum of its file is asked for; otherwise
    it is a prepared change like any other, and taken back.
    """
    if record is None or not record.open or record.back is None:
        return None
    live = applying.digest(record.path)
    if live != record.new:
        return None
    if sums is not None:
        return record if live in sums else None
    return record if backup is None and record.phase != pending.PREPARED else None


def _backup_of(
    record: pending.Record | None, sums: Sequence[str] | None, paths: Paths
) -> str | None:
    """What is restored when no backup is named."""
    kept = record.backup if record else None
    half = record is not None and record.back and record.phase != pending.DONE
    if record is not None and half and applying.digest(record.path) == record.old:
        kept = record.back  # it was killed before it had replaced the file
    if sums is None or (kept and _has_sum(kept, record, sums)):
        return kept
    found = [str(one) for one in paths.backups.glob("*") if applying.digest(str(one)) in sums]
    return max(found, key=lambda one: Path(one).stat().st_mtime_ns, default=kept)


def _has_sum(kept: str, record: pending.Record | None, sums: Sequence[str]) -> bool:
    """Whether *kept* is a copy of such a file; a copy may differ from it in its line ends."""
    copied = record.old if record and record.backup == kept else None
    return copied in sums or applying.digest(kept) in sums


def _or_put_back(force: Force, expected: dict[str, dict]) -> dict[str, Any]:
    """Put it in force; where that fails, the old file, and say both."""
    with _planned(force.paths), force:
        try:
            done = force.run(expected)
        except reloading.NotYet:
            raise  # nothing was reloaded: what was prepared stays prepared
        except applying.ApplyError as err:
            raise applying.ApplyError(f"{err.reason}. {force.undo()}") from err
    pending.move(force.record, pending.DONE, "", force.paths)
    return done


def _rules(record: pending.Record) -> verify.Rules:
    kinds = (record.change or {}).get("instances", {})
    found = process.version()
    rejected = verify.rejections(found.tuple if found else None)
    return verify.Rules(kinds, record.allowed, record.tracks, rejected)


@contextlib.contextmanager
def _planned(paths: Paths) -> Iterator[None]:
    """Mark what happens as meant, unless somebody (a rollout, a drain) has done so already."""
    if planned.active(paths):
        yield
        return
    with contextlib.suppress(OSError):
        planned.begin(PLANNED_SECONDS, "a changed configuration is put in force", paths=paths)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            planned.end(paths=paths)


def _forget_what_never_was(paths: Paths) -> None:
    """Close the record of a change whose file was never put in place, or is not there any more."""
    record = pending.read(paths)
    if record is None:
        return
    live = applying.digest(record.path)
    if record.is_of(live):
        return
    why = "the file was never replaced" if live == record.old else "somebody changed the file"
    pending.move(record, pending.UNDONE, why, paths)
