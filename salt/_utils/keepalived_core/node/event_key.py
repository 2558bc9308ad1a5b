"""The key with which this node signs its events: a file that only root reads."""

from __future__ import annotations

from .. import signing
from . import files
from . import paths as node_paths


class NoKey(Exception):
    """The key cannot be used; the text names the file and the reason, never content."""


def read(paths: node_paths.Paths = node_paths.DEFAULT) -> str | None:
    """Return the key, None when this node has none.

    Raises :class:`NoKey` for a file that cannot be read or holds no key.
    """
    try:
        text = paths.event_key.read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        return None
    except OSError as err:
        raise NoKey(f"{paths.event_key}: {err.strerror}") from None
    if not signing.is_key(text):
        raise NoKey(
            f"{paths.event_key} holds no key of 64 hex digits: run keepalived.watch_install"
        )
    return text


def write(key: str, paths: node_paths.Paths = node_paths.DEFAULT, test: bool = False) -> bool:
    """Make ``key`` the one to sign with; return whether it was another one before.

    The watch takes it within a second.  With ``test`` nothing is written.  Raises
    :class:`ValueError` for what is no key (the text does not show it), :class:`OSError`.
    """
    if not signing.is_key(key):
        raise ValueError("pillar keepalived_event_key:key is not 64 hex digits")
    try:
        if read(paths) == key and paths.event_key.stat().st_mode & 0o077 == 0:
            return False
    except NoKey:
        pass
    if not test:
        files.make_private(paths.state_dir)
        files.write_atomically(paths.event_key, key + "\n")
    return True
