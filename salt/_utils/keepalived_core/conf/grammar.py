"""The keyword table of keepalived 2.4.3, and how to ask it.

The rows stand in ``grammar_global``, ``grammar_vrrp``, ``grammar_server`` and, for the lines of
value blocks, ``grammar_entries``, grouped as keepalived.conf(5) is; every row points at the line
of C that installs the keyword.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from . import grammar_global, grammar_server, grammar_vrrp
from .keyword import Keyword, Version, version_text

# What may stand outside of all blocks.
ROOT: Mapping[str, Keyword] = {
    **grammar_global.ROOT,
    **grammar_vrrp.ROOT,
    **grammar_server.ROOT,
}

# Words of old releases that files still carry, and the last release that read them.
REMOVED: Mapping[str, Version] = {
    "lvs_id": (1, 1, 7),
    "nat_mask": (1, 2, 19),
    "plugin_dir": (1, 2, 19),
    "real_group": (1, 0, 0),
    "real_server_group": (1, 0, 0),
    "sync_instance": (0, 5, 9),
}


def lookup(path: tuple[str, ...]) -> Keyword | None:
    """The keyword at ``("vrrp_instance", "authentication", "auth_pass")``, or None."""
    scope = ROOT
    found = None
    for word in path:
        found = scope.get(word)
        if found is None:
            return None
        scope = found.children
    return found


def walk() -> Iterator[tuple[tuple[str, ...], Keyword]]:
    """Every keyword with its path, in the order of the table."""
    stack: list[tuple[tuple[str, ...], Keyword]] = [
        ((name,), keyword) for name, keyword in reversed(list(ROOT.items()))
    ]
    while stack:
        path, keyword = stack.pop()
        yield path, keyword
        for name, child in reversed(list(keyword.children.items())):
            stack.append(((*path, name), child))


@lru_cache(maxsize=1024)
def _near(word: str, scope: tuple[str, ...]) -> str:
    found = difflib.get_close_matches(word, scope, n=1, cutoff=0.7)
    return found[0] if found else ""


def nearest(word: str, scope: Iterable[str]) -> str:
    """The word that was probably meant, or an empty string."""
    return _near(word, tuple(scope)) if len(word) <= 40 else ""


def homes(word: str) -> list[str]:
    """The blocks a keyword may stand in, outermost words first; empty when there is none."""
    return _homes().get(word, [])


def advice(word: str, scope: Iterable[str], suggest: bool = True) -> str:
    """What to do about a word that has no place in a scope; may be empty.

    suggest: look for the word that was meant, which takes a millisecond.
    """
    last = REMOVED.get(word)
    if last:
        return f"keepalived {version_text(last)} was the last to know this word; remove it"
    found = homes(word)
    meant = nearest(word, scope) if suggest else ""
    parts = [f"it belongs in {found[0]}"] if found else []
    parts += [f"did you mean {meant}?"] if meant else []
    return ", or ".join(parts)


@lru_cache(maxsize=1)
def _homes() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for path, _ in walk():
        if len(path) > 1:
            found.setdefault(path[-1], []).append(" / ".join(path[:-1]))
    return found
