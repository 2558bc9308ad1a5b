"""Small files, written so that nobody ever reads half of one."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def make_private(directory: Path) -> None:
    """Create ``directory``, mode 0700, when it is missing.  Raises :class:`OSError`."""
    if not directory.is_dir():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync_directory(directory: Path) -> None:
    """Have the names in ``directory`` on the disk.  Raises :class:`OSError`."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(
    path: Path, content: str | bytes, mode: int = 0o600, sync: bool = False
) -> None:
    """Replace ``path`` by ``content``: a reader sees the old file or the whole new one.

    The directory may be somebody else's: no link laid in the way leads to another file.
    With ``sync`` it is on the disk when this returns, whatever happens to the machine.

    Raises :class:`OSError`; then the old file is untouched and nothing is left beside it.
    """
    data = content.encode() if isinstance(content, str) else content
    # a name that nobody can know beforehand, and a file that must not be there yet
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(new, flags, 0o600)
    try:
        with open(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(data)
            if sync:
                file.flush()
                os.fsync(file.fileno())
        new.replace(path)
        if sync:
            sync_directory(path.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
