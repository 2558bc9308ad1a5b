"""Carry out a :class:`plan.Plan`: write, reload, verify, or put the old file back."""

from __future__ import annotations

from typing import Any

from . import plan as planning
from .node import apply as applying
from .node import dump, planned, process
from .node.paths import DEFAULT, Paths

#: Events within this many seconds of a reload are marked planned: a handover takes
#: 3 adverts and the skew (3.6 s at priority 100 and advert_int 1, RFC 5798 section 6.1).
PLANNED_SECONDS = 30


def carry_out(path: str, made: planning.Plan, paths: Paths = DEFAULT) -> dict[str, Any]:
    """Put *made* in force at *path*.

    :returns: ``{"reload": bool, "backup": path or None, "did": sentence}``.
    :raises applying.ApplyError: with what was seen, and where that left the node.
    """
    daemon = process.find(paths)
    with applying.staged(made.text, path) as new:
        kept = applying.backup(path, str(paths.state_dir / "backup"))
        applying.swap(new, path)
    if made.action == "form":
        return {"reload": False, "backup": kept, "did": "nothing had to be reloaded"}
    if daemon is None:
        return {"reload": False, "backup": kept, "did": "keepalived is not running"}
    planned.begin(PLANNED_SECONDS, "a changed configuration is reloaded", paths=paths)
    try:
        seen = applying.reload_daemon(
            daemon.pid, daemon.alive, lambda: running_facts(paths), made.expected
        )
    except applying.ApplyError as err:
        raise applying.ApplyError(f"{err.reason}. {_put_back(path, kept, paths)}") from err
    finally:
        planned.end(paths=paths)
    did = "keepalived was reloaded and runs it"
    if seen is None:
        did = f"keepalived was reloaded and lives; whether it runs it is unknown: {_why(paths)}"
    return {"reload": True, "backup": kept, "did": did}


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


def _put_back(path: str, kept: str | None, paths: Paths) -> str:
    """Restore the previous file after a failed reload, and say what came of it."""
    old = planning.read(kept) if kept else None
    if old is None:
        return f"There was no file before; the new one stays at {path}"
    with applying.staged(old, path) as staged:
        applying.swap(staged, path)
    daemon = process.find(paths)
    if daemon is None:
        return f"The previous file ({kept}) is back, but keepalived does not run any more"
    try:
        applying.reload_daemon(
            daemon.pid, daemon.alive, lambda: running_facts(paths), planning.expected(old)
        )
    except (applying.ApplyError, planning.conf.ConfError) as err:
        return f"The previous file ({kept}) is back, but: {err}"
    return f"The previous file ({kept}) is back in force"
