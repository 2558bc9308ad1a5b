"""The journal of a change: what is under way, so that the next run can finish or undo it.

One small file, synced before anything is touched.  A run that is killed leaves it behind; whoever
comes next sees that the file was swapped and never seen in force.  When a change is done the
record stays, marked so: it names the backup that ``put_back`` restores.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from . import files
from .apply import ApplyError, plain
from .paths import DEFAULT, Paths

#: SWAPPING: the file may or may not have been replaced.  PREPARED: it was, and waits for commit.
#: RELOADING: keepalived was, or is about to be, told.  RETURNING: it failed, and the old file is
#: being put back.  DONE: seen in force.  UNDONE: put back.
SWAPPING, PREPARED, RELOADING = "swapping", "prepared", "reloading"
RETURNING, DONE, UNDONE = "returning", "done", "undone"


@dataclass(frozen=True)
class Record:
    """One change.

    ``old`` and ``new``: sha256 of the file before and after (``old`` None: there was none).
    ``backup``: the copy of the old file.  ``daemon``: ``pid:starttime`` of the keepalived that ran
    when the file was replaced, None when none did.  ``since``: seconds since the epoch.
    ``change``: what the classifier said, as plain data; ``allowed``: somebody has accepted that;
    ``restarts``: a reload cannot do it; ``tracks``: seconds until the changed scripts have shown
    what they say.  ``back``: of a put-back, the copy whose text is ``new``, otherwise None.
    """

    path: str
    since: float
    backup: str | None
    old: str | None
    new: str
    phase: str = SWAPPING
    reason: str = ""
    daemon: str | None = None
    change: dict[str, Any] | None = None
    allowed: bool = False
    restarts: bool = False
    tracks: float = 0.0
    back: str | None = None

    @property
    def open(self) -> bool:
        """Whether the change is still under way."""
        return self.phase not in (DONE, UNDONE)

    def is_of(self, live: str | None) -> bool:
        """Whether the file *live* (a sha256) is there because of this change."""
        return live == self.new or (self.phase == RETURNING and live == self.old)

    def to_data(self) -> dict[str, Any]:
        """What ``keepalived.pending`` returns."""
        return {
            "since": self.since,
            "path": self.path,
            "backup": self.backup,
            "new": self.new,
            "old": self.old,
            "phase": self.phase,
            "reason": self.reason,
        }


def now() -> float:
    return time.time()


def begin(record: Record, paths: Paths = DEFAULT) -> None:
    """Note that a file is about to be replaced.

    :raises ApplyError: when that cannot be noted; then nothing may be touched.
    """
    try:
        _write(record, paths)
    except OSError as err:
        raise ApplyError(
            f"{record.path} was not replaced, because the journal {paths.journal} cannot be "
            f"written: {plain(err)}; the old file stands"
        ) from err


def move(record: Record, phase: str, reason: str = "", paths: Paths = DEFAULT) -> Record:
    """Note that *record* has come to *phase*.

    A disk that is full by now does not stop a change half way: the next run then finds an earlier
    phase, and looks again.
    """
    record = replace(record, phase=phase, reason=reason)
    with contextlib.suppress(OSError):
        _write(record, paths)
    return record


def last(paths: Paths = DEFAULT) -> Record | None:
    """The last change, whether done or not; None when there was none or it cannot be read."""
    try:
        return Record(**json.loads(paths.journal.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def read(paths: Paths = DEFAULT) -> Record | None:
    """The change that is under way, or None."""
    record = last(paths)
    return record if record and record.open else None


def forget(paths: Paths = DEFAULT) -> None:
    """Drop the record of a change that never happened."""
    paths.journal.unlink(missing_ok=True)


def _write(record: Record, paths: Paths) -> None:
    path = paths.journal
    files.make_private(path.parent)
    # One writer at a time (the lock), so one name: a run that was killed leaves no litter.
    new = path.with_name(f".{path.name}.new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with open(fd, "w", encoding="utf-8") as file:
        json.dump(asdict(record), file)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make a rename in *path* outlive a power failure."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
