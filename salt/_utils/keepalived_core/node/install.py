"""Put a copy of this library where the watch service runs it from.

Salt syncs the library into a minion's cache, which a service must not depend on: the watch has its
own copy, and gets a new one when the formula says so.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from . import drain_file, event_key, fifo, files, settings
from . import paths as node_paths


def _files(package: Path) -> dict[str, Path]:
    return {str(path.relative_to(package)): path for path in sorted(package.rglob("*.py"))}


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None


def install_library(
    src_dir: str | Path = node_paths.PACKAGE_DIR,
    lib_dir: str | Path = node_paths.LIB_DIR,
    test: bool = False,
) -> list[str]:
    """Make ``lib_dir/keepalived_core`` equal to the package in ``src_dir``.

    Only ``*.py`` counts.  Each file is replaced atomically, what is no longer in the source is
    removed.  With ``test`` nothing is touched.

    Returns the changed files, relative to the package, those to be removed with a leading ``-``.
    Raises :class:`OSError`; :class:`ValueError` when ``src_dir`` is not the package.
    """
    source, target = Path(src_dir), Path(lib_dir) / "keepalived_core"
    wanted = _files(source)
    if "__init__.py" not in wanted or "node/watch.py" not in wanted:
        raise ValueError(f"{source} is not the keepalived_core package")
    there = _files(target) if target.is_dir() else {}
    changed = [name for name, path in wanted.items() if _digest(path) != _digest(target / name)]
    removed = [name for name in there if name not in wanted]
    if not test:
        for name in changed:
            file = target / name
            file.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            files.write_atomically(file, wanted[name].read_bytes(), mode=0o644)
        for name in removed:
            (target / name).unlink(missing_ok=True)
        _drop_empty(target)
    return changed + [f"-{name}" for name in removed]


def _drop_empty(target: Path) -> None:
    for directory, _, _ in os.walk(target, topdown=False):
        path = Path(directory)
        cache = path / "__pycache__"
        if (
            path != target
            and path.name != "__pycache__"
            and not any(entry != cache for entry in path.iterdir())
        ):
            for compiled in cache.glob("*.pyc") if cache.is_dir() else ():
                compiled.unlink()
            if cache.is_dir():
                cache.rmdir()
            path.rmdir()


def install(
    paths: node_paths.Paths = node_paths.DEFAULT,
    cluster: str = "",
    minion: str = "",
    test: bool = False,
    key: str | None = None,
) -> list[str]:
    """Deploy what the watch service needs: library, settings, key, run-time directory and FIFO.

    :param cluster: the cluster's name, for the events.
    :param minion: this minion's id, for the events.
    :param test: only say what would change.
    :param key: what the events are signed with; None leaves the one that is there.

    Returns what changed, as paths; a removed file has a leading ``-``.  Raises :class:`OSError`,
    :class:`ValueError` for a key that is none.
    """
    package = paths.lib_dir / "keepalived_core"
    changed = []
    for name in install_library(node_paths.PACKAGE_DIR, paths.lib_dir, test):
        sign, bare = ("-", name[1:]) if name.startswith("-") else ("", name)
        changed.append(f"{sign}{package / bare}")
    if settings.write(cluster or None, minion or None, paths=paths, test=test):
        changed.append(str(paths.settings))
    if key is not None and event_key.write(key, paths, test):
        changed.append(str(paths.event_key))
    if drain_file.prepare(paths, test):
        changed.append(str(paths.drain))
    if not paths.fifo.exists():
        changed.append(str(paths.fifo))
        if not test:
            fifo.make(paths.fifo)
    return changed
