"""The master's secret, from which every node's key is made: its file, its birth, its replacement.

One JSON file, mode 0600, of the user that the master runs as.  ``{"schema": 1, "secrets": [{"id",
"secret", "made"}]}``, the newest first: that one makes the keys that are handed out, all of them
are good for checking signatures.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets as randomness
import stat
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import signing
from . import clock

SCHEMA = 1
FILE_NAME = "keepalived-events.secret"
_BYTES = 32
_HEX = re.compile(r"[0-9a-f]{64,}", re.ASCII)


class SecretError(Exception):
    """The secret cannot be had; the text names file, reason and remedy, never content."""


@dataclass(frozen=True)
class Secret:
    """``id`` is public; ``made`` is an RFC 3339 time."""

    id: str
    made: str
    value: bytes = field(repr=False)


def location(opts: Mapping[str, Any]) -> Path:
    """Return where the secret of this master is.

    opts
        The master's configuration.  ``keepalived: {secret_file: PATH}`` sets it; else it lies
        beside the master's own private key, in the one directory that belongs to the user the
        master runs as and that nobody else may read.
    """
    ours = opts.get("keepalived")
    given = ours.get("secret_file") if isinstance(ours, Mapping) else None
    return Path(str(given)) if given else Path(str(opts["pki_dir"])) / FILE_NAME


def read(path: Path) -> list[Secret]:
    """Return the secrets, the newest first; never an empty list.

    Raises :class:`SecretError`: missing, unreadable, damaged, or open to other users.
    """
    try:
        with open(path, "rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            raw = file.read(1 << 20)
    except FileNotFoundError:
        raise SecretError(
            f"{path} is missing: make it with salt-run keepalived.key_init, or with the state "
            "keepalived.master"
        ) from None
    except OSError as err:
        raise SecretError(
            f"{path} cannot be read by the user that the master runs as (uid {os.geteuid()}): "
            f"{err.strerror}"
        ) from None
    if mode & 0o077:
        raise SecretError(
            f"{path} has mode {mode:04o}, so others may have read it: chmod 0600, then "
            "salt-run keepalived.key_rotate drop_old=True"
        )
    return _parse(path, raw)


def create(path: Path, owner: tuple[int, int] | None = None) -> Secret:
    """Make the file with a first secret; one that is there already is left alone and returned.

    owner
        User and group id that it shall belong to; by default those of this process.

    Raises :class:`SecretError`.
    """
    if path.exists():
        return read(path)[0]
    made = _new()
    _write(path, [made], owner, replace=False)
    return read(path)[0]


def rotate(path: Path, drop_old: bool = False) -> list[Secret]:
    """Put a new secret before those that are there; return what the file holds then.

    drop_old
        Do not make a new one, but forget all except the newest: what was signed with the others
        is not believed any more.

    Raises :class:`SecretError`.
    """
    there = read(path)
    kept = there[:1] if drop_old else [_new(), *there]
    found = path.stat()
    _write(path, kept, (found.st_uid, found.st_gid), replace=True)
    return read(path)


def node_keys(known: list[Secret], minion_id: str) -> list[str]:
    """Return the keys with which that node may sign, the one it shall use first."""
    return [signing.node_key(secret.value, minion_id) for secret in known]


def _new() -> Secret:
    return Secret(
        randomness.token_hex(4), clock.render(time.time()), randomness.token_bytes(_BYTES)
    )


def _parse(path: Path, raw: bytes) -> list[Secret]:
    try:
        data = json.loads(raw)
        if data["schema"] != SCHEMA:
            raise SecretError(
                f"{path} has schema {int(data['schema'])}, this program knows {SCHEMA}: it was "
                "made by another version"
            )
        found = [
            Secret(str(one["id"]), str(one["made"]), bytes.fromhex(one["secret"]))
            for one in data["secrets"]
            if _HEX.fullmatch(one["secret"])
        ]
        if not found or len(found) != len(data["secrets"]):
            raise ValueError
    except (ValueError, KeyError, TypeError):
        # the parser's own words could quote what it read
        raise SecretError(
            f"{path} is damaged: put it back from a backup, or remove it and make a new one "
            "with salt-run keepalived.key_init"
        ) from None
    return found


def _write(
    path: Path, known: list[Secret], owner: tuple[int, int] | None, *, replace: bool
) -> None:
    data = {
        "schema": SCHEMA,
        "secrets": [{"id": one.id, "secret": one.value.hex(), "made": one.made} for one in known],
    }
    new = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            if owner and owner != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), *owner)
            json.dump(data, file, indent=1)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        if replace:
            os.replace(new, path)
        else:
            # of two that make it at once, one wins and both use that one's
            with contextlib.suppress(FileExistsError):
                os.link(new, path)
    except OSError as err:
        raise SecretError(
            f"{path} cannot be written by uid {os.geteuid()}: {err.strerror}; the directory must "
            "belong to the user that the master runs as"
        ) from None
    finally:
        with contextlib.suppress(OSError):
            os.unlink(new)
