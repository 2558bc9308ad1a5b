"""What a rollout has begun, on the master's disk, and the lock that makes it the only one.

The journal outlives a master that dies midway: what it says was written, and synced, before the
step it speaks of.  The lock does not: the kernel drops it with the process that holds it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib import parse

SCHEMA = 1


class Locked(Exception):
    """Somebody else works on this cluster; the text says who."""


class JournalError(Exception):
    """The journal cannot be read or written; the text says why."""


class Journal:
    """The journal and the lock of one cluster, in *directory* (made when it is missing)."""

    def __init__(self, directory: str | os.PathLike[str], cluster: str) -> None:
        self.cluster = cluster
        self._directory = Path(directory)
        # A cluster's name is a person's text: nothing in it may lead out of the directory.
        name = parse.quote(cluster, safe="").replace(".", "%2E")
        self.path = self._directory / f"{name}.json"
        self._lock = self._directory / f"{name}.lock"

    @contextlib.contextmanager
    def locked(self, who: str, what: str, since: str) -> Iterator[None]:
        """Be the only one who changes this cluster.

        who, what, since: for the person whose own run is refused meanwhile.
        Raises Locked when somebody else is, JournalError when the directory cannot be used.
        """
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            opened = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise JournalError(f"{self._lock}: {error.strerror}") from error
        with open(opened, "r+", encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                text = " ".join(handle.read(500).split()) or "somebody"
                raise Locked(
                    f"{self.cluster} is being changed by another run: {text}. "
                    "Wait until it has ended"
                ) from None
            handle.seek(0)
            handle.truncate()
            handle.write(f"{what}, started by {who} at {since}, process {os.getpid()}")
            handle.flush()
            yield

    def read(self) -> dict[str, Any] | None:
        """The rollout that has not ended, or None.  Raises JournalError when it is unreadable."""
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise JournalError(f"{self.path} cannot be read: {error}") from error
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise JournalError(f"{self.path} is not a journal of this version")
        return data

    def write(self, data: dict[str, Any]) -> None:
        """Make *data* the journal: whole, and on disk, when this returns.  Raises JournalError."""
        new = self.path.with_name(f".{self.path.name}.new")
        try:
            with open(
                os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
            ) as file:
                json.dump({"schema": SCHEMA, **data}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            new.replace(self.path)
            self._sync()
        except OSError as error:
            raise JournalError(f"{self.path} cannot be written: {error.strerror}") from error

    def forget(self) -> None:
        """The rollout has ended: keep its journal as ``.last`` for whoever asks what happened."""
        try:
            self.path.replace(self.path.with_suffix(".last"))
            self._sync()
        except FileNotFoundError:
            return
        except OSError as error:
            raise JournalError(f"{self.path} cannot be removed: {error.strerror}") from error

    def _sync(self) -> None:
        fd = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
