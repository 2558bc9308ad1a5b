"""Files for node_exporter's textfile collector, in a directory that belongs to somebody else."""

from __future__ import annotations

from pathlib import Path

from .node import files

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

    What UTF-8 cannot write becomes a question mark.

    Raises OSError; then the old file is untouched and nothing is left beside it.
    """
    files.write_atomically(path, text.encode(errors="replace"), 0o644)
