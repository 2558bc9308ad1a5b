"""What the formula tells the watch of this node."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from . import files
from . import paths as node_paths


@dataclass(frozen=True)
class Settings:
    """``cluster`` and ``id`` (the minion's) go into every event."""

    cluster: str | None = None
    id: str | None = None


def read(paths: node_paths.Paths = node_paths.DEFAULT) -> Settings:
    """Return the settings; empty ones when none were written or they cannot be read."""
    try:
        data: Any = json.loads(paths.settings.read_text())
    except (OSError, ValueError):
        return Settings()
    if not isinstance(data, dict):
        return Settings()
    known = {key: data.get(key) for key in ("cluster", "id")}
    return Settings(**{key: str(value) for key, value in known.items() if value is not None})


def write(
    cluster: str | None,
    id: str | None,
    paths: node_paths.Paths = node_paths.DEFAULT,
    test: bool = False,
) -> dict[str, dict[str, str | None]]:
    """Write the settings; return what changed as ``{name: {"old": …, "new": …}}``.

    The watch sees a change within a second.  With ``test`` nothing is written.
    Raises :class:`OSError`.
    """
    old, new = asdict(read(paths)), asdict(Settings(cluster, id))
    changed = {key: {"old": old[key], "new": new[key]} for key in new if old[key] != new[key]}
    if (changed or not paths.settings.exists()) and not test:
        files.make_private(paths.state_dir)
        files.write_atomically(paths.settings, json.dumps(new, indent=1) + "\n")
    return changed
