"""Files for node_exporter's textfile collector, in a directory that belongs to somebody else."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

#: The collector reads no file with another one.
SUFFIX = ".prom"


def path_of(text: object) -> Path:
    """The path that somebody gave.  Raises ValueError, which says what would be right."""
    if isinstance(text, str) and text.startswith("/") and text.endswith(SUFFIX):
        return Path(text)
    raise ValueError(
        f"{text!r} is no absolute path that ends in {SUFFIX}: the textfile collector reads no "
        "other file"
    )


def write(path: Path, text: str) -> None:
    """Replace the file, mode 0644, at once: who reads sees the old one or the whole new one.

    Raises OSError; then the old file is untouched and nothing is left beside it.
    """
    # The directory is the exporter's user's.  A name that nobody can know beforehand and a file
    # that must not be there yet: no link laid in the way leads root to another file.
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o644)
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        raise
