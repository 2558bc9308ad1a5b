"""Bring keepalived to run the file that stands there, and see that it does; or go back."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from . import plan as planning
from .node import apply as applying
from .node import pending, process, verify
from .node import reload as reloading
from .node.absence import Absence
from .node.paths import Paths

Restart = Callable[[], None]

#: Until a keepalived that was started anew has its pid file and answers.
START_SECONDS = 15.0
#: What was put back gets this long to be as it was: an election, or a script's next run.
RETURN_SECONDS = 15.0


class Force:
    """One change on its way into force; a context manager.

    ``before``: what was true before it; ``at``: the second (since the epoch) of the reload;
    ``quiet``: there is no journal, for no file was replaced.
    """

    def __init__(
        self,
        record: pending.Record,
        before: verify.Before,
        rules: verify.Rules,
        restart: Restart | None,
        paths: Paths,
        at: int | None = None,
        quiet: bool = False,
    ) -> None:
        self.record = record
        self.before = before
        self.rules = rules
        self.restart = restart
        self.paths = paths
        self.at = at
        self.quiet = quiet
        self.seen: verify.Instances | None = None
        self._away: Absence | None = None

    def __enter__(self) -> Force:
        """From here on it is measured how long addresses are away."""
        if self.before.daemon.same_netns:
            self._away = Absence(self.before.holding).__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._away is not None:
            self._away.__exit__()

    def run(self, expected: dict[str, dict] | None) -> dict[str, Any]:
        """Reload or restart, and verify.

        :returns: ``{"reload", "restart", "did"}``.
        :raises applying.ApplyError: with what was seen.
        """
        daemon, how = self._start()
        blind = self.before.instances is None and not self.record.restarts
        patience = 0.0 if blind else verify.SHOWN_SECONDS
        self.seen = verify.in_force(daemon, expected, self.paths, patience)
        verify.observe(self.before, daemon, self.seen, self.rules, self._away, self.paths)
        did = f"keepalived was {how} and runs it"
        if self.seen is None and expected:
            why = verify.why_blind(self.paths)
            did = f"keepalived was {how} and lives; whether it runs it is unknown: {why}"
        if told := self.outage():
            did += f". {told}"
        return {"reload": not self.record.restarts, "restart": self.record.restarts, "did": did}

    def undo(self) -> str:
        """Put the previous file in force after :meth:`run` failed; where that left the node."""
        old = planning.read(self.record.backup) if self.record.backup else None
        if old is None:
            self._note(pending.UNDONE, "there was no file before")
            return f"There was no file before; the new one stays at {self.record.path}"
        kept = self.record.backup
        if applying.digest(self.record.path) != self.record.new:
            self._note(pending.UNDONE, "somebody changed the file")
            return (
                f"{self.record.path} was changed by somebody else meanwhile and stays as it is; "
                f"the file before this run is {kept}"
            )
        started = time.monotonic()
        self._note(pending.RETURNING, "it failed and is being put back")
        try:
            with applying.staged(old, self.record.path) as new:
                applying.swap(new, self.record.path, expect=self.record.new)
            trouble = self._back(old)
        except (applying.ApplyError, planning.conf.ConfError) as err:
            trouble = str(err)
        self._note(pending.UNDONE, "it failed and was put back")
        said = (
            f"The previous file ({kept}) is back in force after {time.monotonic() - started:.1f} s"
        )
        if trouble:
            said = f"The previous file ({kept}) is back, but: {trouble}"
        return ". ".join(filter(None, (said, self.outage())))

    def _back(self, old: str) -> str:
        """Run *old* again; what is still wrong."""
        daemon = process.find(self.paths)
        if daemon is None:
            if self.restart is None:
                return "keepalived does not run any more: start it with systemctl start keepalived"
            self.restart()
            daemon = self._started(None)
        elif self.record.restarts and self.restart is not None:
            self.restart()
            daemon = self._started(daemon)
        else:
            mark = reloading.mark(daemon)
            reloading.hup(daemon)
            reloading.wait(daemon, mark)
        verify.in_force(daemon, planning.expected(old), self.paths)
        deadline = time.monotonic() + RETURN_SECONDS
        while wrong := verify.not_as_before(self.before, self.paths):
            if time.monotonic() > deadline:
                return "; ".join(wrong)
            time.sleep(0.1)
        return ""

    def _start(self) -> tuple[process.Daemon, str]:
        daemon = self.before.daemon
        if self.record.restarts:
            if self.restart is None:
                raise applying.ApplyError("this change needs a restart, which nobody can do here")
            if self.at is not None:
                reloading.check_second(self.at)
                reloading.sleep_until(self.at, self.paths)
            self._note(pending.RELOADING)
            self.restart()
            return self._started(daemon), "restarted"
        mark = reloading.mark(daemon)
        if self.at is not None:
            how = reloading.at_second(daemon, self.at, mark, self._time_file(), self.paths)
            self._note(pending.RELOADING)
            how = f"reloaded at {self.at} by {how}"
        else:
            self._note(pending.RELOADING)
            reloading.hup(daemon)
            how = "reloaded"
        reloading.wait(daemon, mark)
        return daemon, how

    def _started(self, old: process.Daemon | None) -> process.Daemon:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            fresh = process.find(self.paths)
            if fresh and fresh.children and (old is None or fresh.id != old.id):
                return fresh
            time.sleep(0.05)
        raise applying.ApplyError(
            f"keepalived did not come up again within {START_SECONDS:g} s of its restart"
        )

    def _time_file(self) -> Path | None:
        """``reload_time_file`` of what keepalived runs now."""
        text = planning.read(self.record.backup) if self.record.backup else None
        tree = planning.meaning(text, self.record.path)
        found = (
            [block.value("reload_time_file") for block in tree.blocks("global_defs")]
            if tree
            else []
        )
        named = [Path(one) for one in found if one]
        return named[-1] if named and named[-1].parent.is_dir() else None

    def outage(self) -> str:
        """How long which address was away; "" when none was."""
        return self._away.sentence() if self._away else ""

    def _note(self, phase: str, reason: str = "") -> None:
        if not self.quiet:
            self.record = pending.move(self.record, phase, reason, self.paths)
