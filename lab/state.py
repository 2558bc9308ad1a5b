"""The journal of one lab: what it made, written down before it is made.

`/run/salt-keepalived-lab/NAME/state.json` is replaced atomically, so a lab killed at any moment
leaves a readable record for `down`. Processes need no record of their own: each carries the lab's
name in its environment, sits in the lab's control group, network namespace or root file system
(see teardown).
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lab.host import RUN_ROOT, LabError, cgroup2_mount

#: Short: it becomes part of nspawn's machine name, which may have 64 characters.
_NAME = re.compile(r"^[a-z0-9][a-z0-9-]{0,30}$")


def check_name(name: str) -> str:
    """Return `name` if it may name a lab or a machine; raise LabError otherwise."""
    if not _NAME.match(name):
        raise LabError(f"{name!r}: a name has 1 to 31 of a-z, 0-9 and -, and no - at the start")
    return name


def known_labs() -> list[str]:
    """Names of all labs of which anything is left, running or not."""
    if not RUN_ROOT.is_dir():
        return []
    return sorted({path.name.removesuffix(".lock") for path in RUN_ROOT.iterdir()})


class State:
    """One lab's directory and journal."""

    def __init__(self, name: str) -> None:
        self.name = check_name(name)
        self.path = RUN_ROOT / name
        self.file = self.path / "state.json"

    # -- where things are -----------------------------------------------------------------------

    @property
    def netns(self) -> Path:
        """The file that holds the lab's network namespace."""
        return self.path / "netns"

    @property
    def disk(self) -> Path:
        """The tmpfs on which the machines write."""
        return self.path / "disk"

    @property
    def cgroup(self) -> Path:
        """The lab's control group; each machine has one below it."""
        mount = cgroup2_mount()
        if mount is None:
            raise LabError("no cgroup2 hierarchy is mounted")
        return mount / "salt-keepalived-lab" / self.name

    def node_path(self, node: str) -> Path:
        """A machine's own directory: its process ids and console log."""
        return self.path / "nodes" / node

    def root(self, node: str) -> Path:
        """A machine's root file system as the host sees it."""
        return self.disk / node / "root"

    def upper(self, node: str) -> Path:
        """The writable layer of a machine."""
        return self.disk / node / "upper"

    def machine(self, node: str) -> str:
        """nspawn's name for a machine, unique on this host."""
        return f"skl-{self.name}-{node}"

    # -- the journal ----------------------------------------------------------------------------

    def exists(self) -> bool:
        """Whether a lab of this name was begun and not yet removed."""
        return self.path.exists()

    def read(self) -> dict[str, Any]:
        """The whole journal; an empty one if there is none."""
        try:
            data = json.loads(self.file.read_text())
        except FileNotFoundError:
            data = {}
        return {"name": self.name, "mounts": [], "machines": [], "nodes": {}, "up": False, **data}

    @contextlib.contextmanager
    def change(self) -> Iterator[dict[str, Any]]:
        """Read, let the caller change, and replace the journal; one at a time."""
        if not self.path.is_dir():
            raise LabError(f"there is no lab {self.name!r}")
        with (self.path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            data = self.read()
            yield data
            tmp = self.path / "state.json.new"
            tmp.write_text(json.dumps(data, indent=1) + "\n")
            tmp.replace(self.file)

    def note_mount(self, path: Path) -> None:
        """Write down a mount that is about to be made."""
        with self.change() as data:
            if str(path) not in data["mounts"]:
                data["mounts"].append(str(path))

    def note_machine(self, machine: str) -> None:
        """Write down a machine that is about to be started."""
        with self.change() as data:
            if machine not in data["machines"]:
                data["machines"].append(machine)

    # -- one operation at a time ------------------------------------------------------------------

    @contextlib.contextmanager
    def operation(self) -> Iterator[None]:
        """Hold the lab: `up`, `down` and the like of one lab exclude each other."""
        RUN_ROOT.mkdir(parents=True, exist_ok=True)
        path = RUN_ROOT / f"{self.name}.lock"
        while True:
            lock = path.open("a+")
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                lock.seek(0)
                holder = lock.read().strip() or "unknown"
                lock.close()
                raise LabError(
                    f"lab {self.name}: process {holder} is working on it; wait for it or end it"
                ) from None
            # Whoever held it before may have removed the file meanwhile: then it locks nothing.
            if path.exists() and os.fstat(lock.fileno()).st_ino == path.stat().st_ino:
                break
            lock.close()
        try:
            lock.truncate(0)
            lock.write(f"{os.getpid()}\n")
            lock.flush()
            yield
        finally:
            path.unlink(missing_ok=True)
            lock.close()
