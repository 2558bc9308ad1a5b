"""A configuration as the daemon sees it: conditions decided, definitions replaced, lists repeated.

This follows read_line() and replace_param() of keepalived's lib/parser.c step by step, odd ones
included, because real files rely on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import lexer, loops
from .errors import ConfError
from .includes import Sources, TooMuch
from .opener import Files
from .parser import Builder
from .tree import Block, Definition, Include, Node, Repeat, Statement, Tree

# A few lines of ~SEQ can stand for millions; nobody runs such a file.  Lines that really are
# written, in the file or in what it includes, do not count.
MAX_LINES = 50_000
# keepalived's line buffer: a replacement that does not fit is not made.
MAX_TEXT = 1023
# Replacements in one line; more is a definition that contains itself.
MAX_REPLACEMENTS = 500

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PARAMETERS = re.compile(r"[ 0-9]*")


def is_plain(tree: Tree) -> bool:
    """Whether a tree has nothing to evaluate: it already is what the daemon sees."""
    stack: list[Node] = list(tree.children)
    while stack:
        node = stack.pop()
        if node.condition or isinstance(node, (Definition, Include, Repeat)):
            return False
        source = node.source if isinstance(node, Statement) else None
        if source is not None and ("$" in source or "\\" in source):
            return False
        if isinstance(node, Block):
            if node.open_condition or node.end_condition:
                return False
            stack.extend(node.children)
    return True


def evaluate(
    text: str,
    config_id: str = "",
    path: str | None = None,
    strict: bool = True,
    files: Files | None = None,
) -> Tree:
    """Read a configuration for one config-id (``-i``, else the first part of the host's name).

    files: where includes are opened (``opener.Disk()``, or ``opener.Given({path: text})``); None
    keeps them as they are.  An include that names what is not there stays in the tree, and
    ``Tree.faults`` says what was not opened.  A node's ``file`` and ``line`` are where it stands,
    for repeated lines where the line stands that repeats them.  Raises ConfError for damaged
    structure (if strict) and, always, for a text that stands for 50,000 lines more than it has,
    and for about 10,000 included files or 16 MiB of them.
    """
    reader = _Reader(text, config_id, path, files)
    builder = reader.builder
    try:
        for line, number in reader.lines():
            builder.evaluated(line, number)
    except TooMuch as error:
        raise reader.error(str(error)) from None
    tree = builder.finish()
    tree.opened = reader.sources.opened
    tree.faults = reader.sources.faults
    if strict and tree.problems:
        raise tree.problems[0]
    return tree


@dataclass
class _Value:
    """A definition's value: its lines, whether it may only end a line, and whether its first
    line did not stand behind the ``=``."""

    lines: list[str]
    multiline: bool = False
    below: bool = False


class _Reader:
    def __init__(self, text: str, config_id: str, path: str | None, files: Files | None):
        self.builder = Builder(path, macros=False)
        self.config_id = config_id
        self.sources = Sources(text, path, files)
        self.count = self.physical = 0
        self.residue = ""
        # The residue of a line in which no name is left to replace, as long as none is defined.
        self.settled = self.looked_up = False
        # What did not fit into keepalived's buffer, last piece first.
        self.overlong: list[str] = []
        # Whether an include here is opened by keepalived's parent alone: its children get an empty
        # line for one that begins a line of the file, and open every other once more.
        self.once = False
        self.loops: list[loops.Loop] = []
        # The rest of a multi-line definition, and what it interrupted with its loop depth.
        self.rest: list[str] | None = None
        self.interrupted: list[tuple[list[str], int]] = []
        self.depth = 0
        self.defined = {
            "_PWD": _Value([self.sources.folder or "."]),
            "_INSTANCE": _Value([config_id]),
            "_RANDOM": _Value(["0"]),
            "_HASH": _Value(["#"]),
            "_BANG": _Value(["!"]),
        }

    @property
    def at(self) -> int:
        """The number of the line that is read."""
        return self.sources.here.at

    def lines(self) -> Iterator[tuple[str, int]]:
        """What is left for the parser: single statements and braces."""
        while True:
            text = self._next()
            if text is None:
                return
            self.count += 1
            if self.count - self.physical > MAX_LINES:
                raise self.error(f"this stands for {MAX_LINES} lines more than it has")
            text = self._prepared(text)
            if not text:
                continue
            number = self.at
            if match := lexer.INCLUDE.fullmatch(text):
                if self.sources.files is None or not self._include(match[1], match[2]):
                    yield text, number
                self._moved()
                continue
            brace = 0 if text[0] in "{}" else lexer.find_brace(text, 0, macros=False)
            if brace >= 0:
                stop = 1 if brace == 0 else brace
                self.residue = text[stop:].strip(" \t")
                text = text[:stop].rstrip(" \t")
                self.settled = self.looked_up and bool(self.residue)
            yield text, number
            if text.startswith("include_check") and self.builder.inside == "global_defs":
                self.sources.check(lexer.split_words(text)[1:])

    def _include(self, keyword: str, target: str) -> bool:
        """Find the included files, which are read next; False when something is not there."""
        node = Include(keyword, target, self.at)
        node.file = self.sources.here.path
        return self.sources.open(node, twice=not self.once)

    def _moved(self) -> None:
        """Another file is read from here on."""
        self.builder.file = self.sources.here.path
        self.defined["_PWD"] = _Value([self.sources.folder or "."])

    def _next(self) -> str | None:
        """The next text to look at, by the daemon's order of preference."""
        if self.residue:
            text, self.residue = self.residue, ""
            return text
        if len(self.loops) > self.depth:
            return self._round()
        if self.rest is not None:
            return self._continued()
        while True:
            if self.overlong:
                line: str | None = self.overlong.pop()
            else:
                before = self.sources.here
                line = self.sources.line()
                if line is None:
                    return None
                if self.sources.here is not before:
                    self._moved()
            self.physical += 1
            if text := self._physical(line or ""):
                return text

    def _physical(self, line: str) -> str:
        line = line.rstrip("\r").partition("\0")[0]
        if len(line) > MAX_TEXT // 4:
            raw = lexer.encoded(line)
            if len(raw) > MAX_TEXT:
                pieces = [raw[at : at + MAX_TEXT] for at in range(0, len(raw), MAX_TEXT)]
                texts = [piece.decode("utf-8", "surrogateescape") for piece in pieces]
                line = texts[0]
                self.overlong = texts[:0:-1]
        self.once = False
        if lexer.PLAIN.fullmatch(line):
            text = line.strip(" \t")
            self.once = text.startswith("include")
            return text
        cut = lexer.split_comment(line)
        if cut.quote:
            self.builder.problem(
                "unterminated quote: the '\"' here has no partner", self.at, cut.quote
            )
        self.once = lexer.INCLUDE.fullmatch(cut.text) is not None
        if "\\" in line:
            # The parent hands its children the text without comments, and they take comments
            # off it again: a '#' that a backslash saved the first time is lost the second.
            return lexer.split_comment(cut.text).text
        return cut.text

    def _round(self) -> str:
        loop = self.loops[-1]
        if loop.upcoming is None:
            loop.upcoming = next(loop.rounds, None)
        if loop.upcoming is None:
            self.loops.pop()
            return ""
        for name, value in loop.upcoming.items():
            self.defined[name] = _Value([value])
        loop.upcoming = next(loop.rounds, None)
        if loop.upcoming is None:
            self.loops.pop()  # before its last text is read, so that this may start another
        return loop.text

    def _continued(self) -> str:
        assert self.rest is not None
        text = self.rest.pop(0)
        self.once = True
        if not self.rest:
            if self.interrupted:
                self.rest, self.depth = self.interrupted.pop()
            else:
                self.rest, self.depth = None, 0
        return text

    def _prepared(self, text: str) -> str:
        """Decide the condition, take definitions and loops away, replace names."""
        self.looked_up, self.settled = self.settled, False
        for _ in range(MAX_REPLACEMENTS):
            if not text:
                return ""
            if text[0] == "@":
                match = lexer.CONDITION.match(text)
                assert match is not None
                wanted = match[1].removeprefix("^")
                if (wanted == self.config_id) == match[1].startswith("^"):
                    return ""
                text = text[match.end() :]
                if not text:
                    return ""
            if text[0] == "$" and (match := lexer.DEFINITION.match(text)):
                self._define(match[1], match[2])
                return ""
            if text.startswith(("~SEQ", "~LST")):
                self._loop(text)
                return ""
            if text[0] == "~" or "$" not in text or self.looked_up:
                return text
            replaced = self._replaced(text)
            if replaced is None:
                self.looked_up = True
                return text
            text = lexer.split_comment(replaced).text
            if not text.startswith("@") and "$" not in text:
                return text
        raise self.error("a definition here contains itself")

    def _define(self, name: str, value: str) -> None:
        if not value.endswith("\\"):
            self.defined[name] = _Value([value])
            return
        lines = [value[:-1].rstrip(" \t")]
        while (line := self.sources.peek()) is not None:
            text = lexer.split_comment(line.rstrip("\r")).text
            if not text:
                break  # to the children even a comment line is an empty one
            self.sources.line()
            self.physical += 1
            more = text.endswith("\\")
            text = text.removesuffix("\\").rstrip(" \t")
            if text:
                lines.append(text)
            if not more or lexer.INCLUDE.fullmatch(text):
                break  # the children have an empty line in place of an include
        below = not lines[0]
        lines = [line for line in lines if line]
        self.defined[name] = _Value(lines or [""], multiline=bool(lines), below=below)

    def _loop(self, text: str) -> None:
        loop = loops.read(text, lambda listed: self._replaced(listed) or listed)
        if loop is not None:
            self.loops.append(loop)
            return
        self.builder.problem(f"{text[:4]} cannot be read: {text[:60]}", self.at, 1)

    def _replaced(self, text: str) -> str | None:
        """The text with names replaced; None when there is nothing to replace."""
        at = found = 0
        rest = self.rest
        while (at := text.find("$", at)) >= 0 and at + 1 < len(text):
            name, end = self._name(text, at + 1)
            value = self.defined.get(name)
            if value is None or (value.multiline and end != len(text)):
                at += 1
                continue
            found += 1
            if found > MAX_REPLACEMENTS:
                raise self.error("a definition here contains itself")
            if value.multiline and len(value.lines) > 1:
                if rest is not None:
                    self.interrupted.append((rest, self.depth))
                rest = value.lines[1:]
                self.depth = len(self.loops)
            new = value.lines[0]
            self.once = self.once or value.below
            if len(text) + len(new) - (end - at) > MAX_TEXT:
                self.builder.problem(
                    f"replacing ${name} makes the line longer than {MAX_TEXT} bytes", self.at, 1
                )
                return None
            text = text[:at] + new + text[end:]
            if new.lstrip(" \t").startswith("~"):
                break
        if not found:
            return None
        self.rest = rest
        return text

    @staticmethod
    def _name(text: str, at: int) -> tuple[str, int]:
        """The name that begins here and where it ends; empty when none does."""
        braces = text[at] == "{"
        match = _NAME.match(text, at + braces)
        if match is None:
            return "", at
        end = match.end()
        if braces:
            end = _PARAMETERS.match(text, end).end()  # type: ignore[union-attr]
            if text[end : end + 1] != "}":
                return "", at
            return match[0], end + 1
        if end < len(text) and text[end] not in " \t,)":
            return "", at
        return match[0], end

    def error(self, reason: str) -> ConfError:
        """An error at the line that is read."""
        return ConfError(reason, self.at, 1, self.builder.file or self.builder.tree.path)
