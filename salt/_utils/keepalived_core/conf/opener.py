"""The files an include may bring: what there is, what its pattern matches, what they say.

Patterns follow glob(3) as keepalived calls it: braces first, then ``*``, ``?`` and ``[...]`` in
each part of the path, sorted, hidden names only where the pattern begins with a dot.
"""

from __future__ import annotations

import fnmatch
import os
import posixpath
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

FILE = "file"
FOLDER = "folder"
OTHER = "other"  # executable, a device, a pipe, a link to nothing: keepalived skips it
NOTHING = ""

# What one pattern may stand for: alternatives of its braces, names it matches.
MAX_ALTERNATIVES = 200
MAX_MATCHES = 10_000

_MAGIC = re.compile(r"\\.|[*?]|\[[^]]")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Files(Protocol):
    """Where included files come from; paths are absolute, or relative to where we are."""

    def kind(self, path: str) -> str:
        """FILE, FOLDER, OTHER or NOTHING."""

    def names(self, folder: str) -> list[str] | None:
        """What is in a folder; None when it cannot be opened."""

    def read(self, path: str) -> str:
        """The text of a file.  Raises OSError."""


class Disk:
    """The files of this machine."""

    def kind(self, path: str) -> str:
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError):
            return OTHER if os.path.islink(path) else NOTHING
        if stat.S_ISDIR(mode):
            return FOLDER
        return FILE if stat.S_ISREG(mode) and not mode & 0o111 else OTHER

    def names(self, folder: str) -> list[str] | None:
        try:
            return os.listdir(folder or ".")
        except (OSError, ValueError):
            return None

    def read(self, path: str) -> str:
        # What was a file a moment ago may be a pipe now: never wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, encoding="utf-8", errors="surrogateescape") as lines:
            return lines.read(MAX_FILE + 1)


# keepalived has no such bound; a configuration of this size is none.
MAX_FILE = 16 * 1024 * 1024


class Given:
    """Files by path, for those who have no disk: ``{"/etc/keepalived/a.conf": "..."}``.

    others: paths that are there but that keepalived skips.
    """

    def __init__(self, texts: Mapping[str, str], others: tuple[str, ...] = ()):
        self.texts = {posixpath.normpath(path): text for path, text in texts.items()}
        self.others = others
        self.folders: dict[str, set[str]] = {}
        for path in [*self.texts, *others]:
            while path not in ("", "/"):
                folder, name = posixpath.split(path)
                self.folders.setdefault(folder, set()).add(name)
                path = folder

    def kind(self, path: str) -> str:
        path = posixpath.normpath(path)
        if path in self.texts:
            return FILE
        if path in self.others:
            return OTHER
        return FOLDER if path in self.folders or path == "." else NOTHING

    def names(self, folder: str) -> list[str] | None:
        found = self.folders.get(posixpath.normpath(folder) if folder else "")
        return None if found is None else sorted(found)

    def read(self, path: str) -> str:
        return self.texts[posixpath.normpath(path)]


@dataclass
class Match:
    """What a pattern stands for.

    paths: in keepalived's order; missing: whether a file or folder it names is not there;
    wildcards: whether it has any; looked_at: names compared with it; too_many: whether it stands
    for more than anybody means.
    """

    paths: list[str] = field(default_factory=list)
    missing: bool = False
    wildcards: bool = False
    looked_at: int = 0
    too_many: bool = False


def expand(pattern: str, folder: str, files: Files) -> Match:
    """The paths a pattern matches, seen from folder (where the including file is)."""
    match = Match()
    for one in _alternatives(pattern, match):
        _glob(one, folder, files, match)
        if match.too_many:
            break
    return match


def has_brace(pattern: str) -> bool:
    """Whether there is a ``{`` that no backslash protects."""
    return "{" in _ESCAPED.sub("", pattern)


def _alternatives(pattern: str, match: Match) -> list[str]:
    """The pattern once for each way through its braces, in order."""
    done: list[str] = []
    todo = [pattern]
    while todo:
        if len(todo) + len(done) > MAX_ALTERNATIVES:
            match.too_many = True
            return []
        text = todo.pop()
        parts = _brace(text)
        if parts is None:
            done.append(text)
        else:
            head, choices, tail = parts
            todo += [head + choice + tail for choice in reversed(choices)]
    return done


def _brace(text: str) -> tuple[str, list[str], str] | None:
    """What is before, in and behind the first braces; None when there are none with a partner."""
    depth, start, cut = 0, -1, 0
    choices: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char == "{" and text[at : at + 2] == "{}" and not depth:
            at += 1  # glob(3) leaves {} alone
        elif char == "{":
            depth += 1
            if depth == 1:
                start, cut = at, at + 1
        elif char == "," and depth == 1:
            choices.append(text[cut:at])
            cut = at + 1
        elif char == "}" and depth:
            depth -= 1
            if not depth:
                return text[:start], [*choices, text[cut:at]], text[at + 1 :]
        at += 1
    return None


def _glob(pattern: str, folder: str, files: Files, match: Match) -> None:
    """One alternative: its paths go to match."""
    base = "/" if pattern.startswith("/") else ""
    found = [base]
    for part in pattern.split("/"):
        if not part:
            continue
        magic = any(not mark.startswith("\\") for mark in _MAGIC.findall(part))
        if not magic:
            name = _ESCAPED.sub(r"\1", part)
            found = [posixpath.join(path, name) for path in found]
            continue
        match.wildcards = True
        matches = re.compile(fnmatch.translate(_translated(part))).match
        deeper = []
        for path in found:
            names = files.names(posixpath.join(folder, path))
            if names is None:
                match.missing = True
                continue
            match.looked_at += len(names)
            deeper += [
                posixpath.join(path, name)
                for name in sorted(names)
                if (part[0] == "." or name[0] != ".") and matches(name)
            ]
            if len(deeper) > MAX_MATCHES:
                match.too_many = True
                return
        found = deeper
    for path in found:
        if files.kind(posixpath.join(folder, path)) == NOTHING:
            match.missing = True
        else:
            match.paths.append(path)


def _translated(part: str) -> str:
    """A part of a glob(3) pattern as Python's fnmatch writes it."""
    part = _ESCAPED.sub(lambda found: f"[{found[1]}]" if found[1] in "*?[" else found[1], part)
    return part.replace("[^", "[!")
