"""Which file is being read: the stack of included files, and keepalived's rules for opening one.

lib/parser.c: check_include, open_glob_file, open_conf_file, check_glob_file, end_file.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from . import opener
from .fault import ERROR, WARNING, Fault
from .tree import Include

# What keepalived calls an error, by keyword and by include_check.
_READ, _MATCH, _WILDCARD, _BRACE = 1, 2, 4, 8
_ALL = _READ | _MATCH | _WILDCARD | _BRACE
_RULES = {
    "include": 0,
    "includer": _READ,
    "includem": _READ | _MATCH,
    "includew": _READ | _MATCH | _WILDCARD,
    "includeb": _READ | _BRACE,
    "includea": _ALL,
}
_CHECKS = {"read": _READ, "match": _MATCH, "wildcard_match": _WILDCARD, "brace_match": _BRACE}

# keepalived opens files inside of files until it has no descriptor left.
MAX_DEPTH = 32
MAX_OPENED = 10_000
# Names a wildcard is compared with, and files it matches, that take the time of reading one.
_NAMES, _MATCHES = 50, 10
MAX_TOTAL = 16 * 1024 * 1024

NOT_OPENED = "KA114"
READ_TWICE = "KA115"


class TooMuch(ValueError):
    """The included files together are more than anybody writes."""


class Source:
    """One file on its way.  at: lines read; path: None for the text that was given as such;
    parent: the file it was included from.
    """

    def __init__(self, text: str, path: str | None, folder: str, parent: Source | None = None):
        self.lines = text.split("\n")
        self.at = 0
        self.path = path
        self.folder = folder
        self.parent = parent
        self.siblings: list[str] = []
        self.checks = 0


class Sources:
    """The file that is read, and those it was included from."""

    def __init__(self, text: str, path: str | None, files: opener.Files | None):
        folder = posixpath.dirname(path) if path else ""
        self.files = files
        self.stack = [Source(text, None, folder)]
        # Where the last line came from; what was opened since waits on the stack.
        self.here = self.stack[0]
        self.path = path
        self.checks = 0
        self.faults: list[Fault] = []
        self.opened: dict[str, str] = {}
        self._count = self._size = 0

    @property
    def folder(self) -> str:
        """keepalived's working directory: that of the file that was opened last."""
        return self.stack[-1].folder

    def line(self) -> str | None:
        """The next physical line; None at the very end."""
        while True:
            source = self.stack[-1]
            if source.at < len(source.lines):
                self.here = source
                source.at += 1
                return source.lines[source.at - 1]
            if len(self.stack) == 1:
                return None
            self.stack.pop()
            self.checks = source.checks
            self._next(source.siblings, source.checks, source.parent)

    def peek(self) -> str | None:
        """The next physical line of this file, not taken."""
        source = self.stack[-1]
        return source.lines[source.at] if source.at < len(source.lines) else None

    def check(self, words: Sequence[str]) -> None:
        """``include_check`` in global_defs: from here on a plain include is stricter."""
        if not words:
            self.checks = _ALL
            return
        for index, word in enumerate(words):
            bits = _CHECKS.get(word.lstrip("+-"), 0)
            if word[0] == "-":
                self.checks &= ~bits
            elif word[0] == "+":
                self.checks |= bits
            elif index == 0:
                self.checks = bits

    def open(self, node: Include, twice: bool) -> bool:
        """Go on with what the include brings; False when something it names is not there.

        twice: keepalived's parent opens it and, because it does not know the line for an
        include, so do its children.
        """
        assert self.files is not None
        folder = self.folder
        rules = self.checks | _RULES[node.keyword]
        match = opener.expand(node.target, folder, self.files)
        self._spend(1 + match.looked_at // _NAMES + len(match.paths) // _MATCHES, 0)
        if match.too_many:
            raise TooMuch(f"{node.keyword} {node.target} stands for too many files")
        if not match.paths:
            if match.missing:
                fatal = _BRACE if opener.has_brace(node.target) else _MATCH
                self._fault(node, rules & fatal, f"{node.target}: there is no such file")
            elif match.wildcards and rules & _WILDCARD:
                self._fault(node, True, f"{node.target} matches no file")
            return not match.missing
        if match.missing:
            text = f"{node.target}: some of these files are not there"
            if rules & _BRACE:
                self._fault(node, True, f"{text}; keepalived then opens none of them")
                return False
            self._fault(node, False, text)
        paths = [path for path in match.paths if self._sound(node, rules, folder, path)]
        if twice and paths:
            self.faults.append(
                Fault(
                    READ_TWICE,
                    WARNING,
                    node,
                    (),
                    f"keepalived reads {node.target} twice: an include behind a condition, a "
                    "definition or a brace is opened by its parent and by its children",
                    "let the include begin its line, and put the condition into the file",
                )
            )
        for _ in range(1 + twice):
            self._next([posixpath.join(folder, path) for path in paths], self.checks, self.here)
        return not match.missing

    def _sound(self, node: Include, rules: int, folder: str, path: str) -> bool:
        """Whether keepalived opens a file that is there."""
        assert self.files is not None
        where = posixpath.join(folder, path)
        kind = self.files.kind(where)
        if kind == opener.FOLDER:
            self._fault(node, rules & _READ, f"{path} is a directory; keepalived skips it")
            return False
        if kind != opener.FILE:
            self._fault(
                node,
                rules & _READ,
                f"{path} is executable or no regular file; keepalived skips it",
                f"chmod a-x {path}",
            )
            return False
        above = self._above()
        if any(_same(path, where) for path in above):
            self._fault(node, True, f"{path} includes itself; keepalived runs out of files")
            return False
        if len(above) > MAX_DEPTH:
            self._fault(node, True, f"{path}: files included more than {MAX_DEPTH} deep")
            return False
        try:
            text = self.opened[where] if where in self.opened else self.files.read(where)
        except OSError as error:
            self._fault(node, rules & _READ, f"{path}: {error.strerror}")
            return False
        self.opened[where] = text
        return True

    def _above(self) -> list[str]:
        """The file that is read, and those it was included from."""
        found = []
        source: Source | None = self.here
        while source is not None:
            found.append(source.path or self.path or "")
            source = source.parent
        return found

    def _next(self, paths: list[str], checks: int, parent: Source | None) -> None:
        """Begin the first of these files; the others follow when it ends."""
        if not paths:
            return
        self._spend(1, len(self.opened[paths[0]]))
        source = Source(self.opened[paths[0]], paths[0], posixpath.dirname(paths[0]), parent)
        source.siblings = paths[1:]
        source.checks = checks
        self.stack.append(source)

    def _spend(self, count: int, size: int) -> None:
        self._count += count
        self._size += size
        if self._count > MAX_OPENED or self._size > MAX_TOTAL:
            raise TooMuch(
                f"the included files are more than {MAX_OPENED} or together larger than "
                f"{MAX_TOTAL // 2**20} MiB"
            )

    def _fault(self, node: Include, fatal: int, text: str, hint: str = "") -> None:
        if fatal:
            text += "; keepalived does not start with this"
        self.faults.append(Fault(NOT_OPENED, ERROR if fatal else WARNING, node, (), text, hint))


def _same(first: str, second: str) -> bool:
    return bool(first) and posixpath.normpath(first) == posixpath.normpath(second)
