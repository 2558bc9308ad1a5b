"""A configuration as the daemon sees it: conditions decided, definitions replaced, lists repeated.

This follows read_line() and replace_param() of keepalived's lib/parser.c step by step, odd ones
included, because real files rely on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from . import lexer
from .errors import ConfError
from .parser import Builder
from .tree import Block, Definition, Node, Repeat, Statement, Tree

# A few lines of ~SEQ can stand for millions; nobody runs such a file.
MAX_LINES = 50_000
# keepalived's line buffer: a replacement that does not fit is not made.
MAX_TEXT = 1023
# Replacements in one line; more is a definition that contains itself.
MAX_REPLACEMENTS = 500

_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_PARAMETERS = re.compile(r"[ 0-9]*")
_SEQ = re.compile(r"~SEQ(x?)[ \t]*\([ \t]*([^ \t,)]+)[ \t]*,[ \t]*([^)]*)\)[ \t]*(.*)", re.DOTALL)
_LST = re.compile(
    r"~LST[ \t]*\([ \t]*(\{[^}]*\}|[^,{]*?)[ \t]*,[ \t]*([^)]*)\)[ \t]*(.*)", re.DOTALL
)
_SET = re.compile(r"\{([^}]*)\}|([^,{}]+)")


def is_plain(tree: Tree) -> bool:
    """Whether a tree has nothing to evaluate: it already is what the daemon sees."""
    stack: list[Node] = list(tree.children)
    while stack:
        node = stack.pop()
        if node.condition or isinstance(node, (Definition, Repeat)):
            return False
        source = node.source if isinstance(node, Statement) else None
        if source is not None and ("$" in source or "\\" in source):
            return False
        if isinstance(node, Block):
            if node.open_condition or node.end_condition:
                return False
            stack.extend(node.children)
    return True


def evaluate(text: str, config_id: str = "", path: str | None = None, strict: bool = True) -> Tree:
    """Read a configuration for one config-id (``-i``, else the first part of the host's name).

    Includes are kept, not opened.  Line numbers are those of the file, for repeated lines of
    the line that repeats them.  Raises ConfError for damaged structure (if strict) and, always,
    for a text that stands for more than 50,000 lines.
    """
    reader = _Reader(text, config_id, path)
    builder = reader.builder
    for line, number in reader.lines():
        builder.evaluated(line, number)
    tree = builder.finish()
    if strict and tree.problems:
        raise tree.problems[0]
    return tree


@dataclass
class _Value:
    """A definition's value: its lines, and whether it may only end a line."""

    lines: list[str]
    multiline: bool = False


@dataclass
class _Loop:
    """A ~SEQ or ~LST on its way: the definitions of each round, and the text to read."""

    rounds: Iterator[dict[str, str]]
    text: str
    upcoming: dict[str, str] | None = None


class _Reader:
    def __init__(self, text: str, config_id: str, path: str | None):
        self.builder = Builder(path, macros=False)
        self.config_id = config_id
        self.source = text.split("\n")
        self.at = 0
        self.residue = ""
        self.loops: list[_Loop] = []
        # The rest of a multi-line definition, and what it interrupted with its loop depth.
        self.rest: list[str] | None = None
        self.interrupted: list[tuple[list[str], int]] = []
        self.depth = 0
        folder = str(PurePath(path).parent) if path else "."
        self.defined = {
            "_PWD": _Value([folder]),
            "_INSTANCE": _Value([config_id]),
            "_RANDOM": _Value(["0"]),
            "_HASH": _Value(["#"]),
            "_BANG": _Value(["!"]),
        }

    def lines(self) -> Iterator[tuple[str, int]]:
        """What is left for the parser: single statements and braces."""
        count = 0
        while True:
            text = self._next()
            if text is None:
                return
            count += 1
            if count > MAX_LINES:
                raise self._error(f"this stands for more than {MAX_LINES} lines")
            text = self._prepared(text)
            if not text:
                continue
            brace = 0 if text[0] in "{}" else lexer.find_brace(text, 0, macros=False)
            if brace >= 0 and not lexer.INCLUDE.fullmatch(text):
                stop = 1 if brace == 0 else brace
                self.residue = text[stop:].strip(" \t")
                text = text[:stop].rstrip(" \t")
            yield text, self.at

    def _next(self) -> str | None:
        """The next text to look at, by the daemon's order of preference."""
        if self.residue:
            text, self.residue = self.residue, ""
            return text
        if len(self.loops) > self.depth:
            return self._round()
        if self.rest is not None:
            return self._continued()
        while self.at < len(self.source):
            self.at += 1
            text = self._physical()
            if text:
                return text
        return None

    def _physical(self) -> str:
        line = self.source[self.at - 1].rstrip("\r").partition("\0")[0]
        if lexer.PLAIN.fullmatch(line):
            return line.strip(" \t")
        cut = lexer.split_comment(line)
        if cut.quote:
            self.builder.problem(
                "unterminated quote: the '\"' here has no partner", self.at, cut.quote
            )
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
        if not self.rest:
            if self.interrupted:
                self.rest, self.depth = self.interrupted.pop()
            else:
                self.rest, self.depth = None, 0
        return text

    def _prepared(self, text: str) -> str:
        """Decide the condition, take definitions and loops away, replace names."""
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
            if text[0] == "~" or "$" not in text:
                return text
            replaced = self._replaced(text)
            if replaced is None:
                return text
            text = lexer.split_comment(replaced).text
            if not text.startswith("@") and "$" not in text:
                return text
        raise self._error("a definition here contains itself")

    def _define(self, name: str, value: str) -> None:
        if not value.endswith("\\"):
            self.defined[name] = _Value([value])
            return
        lines = [value[:-1].rstrip(" \t")]
        while self.at < len(self.source):
            text = lexer.split_comment(self.source[self.at].rstrip("\r")).text
            if not text:
                break  # to the children even a comment line is an empty one
            self.at += 1
            more = text.endswith("\\")
            text = text.removesuffix("\\").rstrip(" \t")
            if text:
                lines.append(text)
            if not more:
                break
        lines = [line for line in lines if line]
        self.defined[name] = _Value(lines or [""], multiline=bool(lines))

    def _loop(self, text: str) -> None:
        if text.startswith("~SEQ"):
            match = _SEQ.match(text)
            rounds = self._numbers(match) if match is not None else None
            if match is not None and rounds is not None:
                self.loops.append(_Loop(rounds, match[4]))
                return
        elif (match := _LST.match(text)) is not None:
            self.loops.append(_Loop(_sets(match[1], match[2]), match[3]))
            return
        self.builder.problem(f"{text[:4]} cannot be read: {text[:60]}", self.at, 1)

    def _numbers(self, match: re.Match[str]) -> Iterator[dict[str, str]] | None:
        listed = self._replaced(match[3]) or match[3]
        try:
            numbers = [int(part.strip(), 0) for part in listed.split(",")]
        except ValueError:
            return None
        if len(numbers) == 1:
            end = numbers[0]
            start, step = (-1 if end < 0 else 1), (-1 if end < 1 else 1)
        elif len(numbers) == 2:
            start, end = numbers
            step = 1 if start <= end else -1
        elif len(numbers) == 3:
            start, step, end = numbers
        else:
            return None
        if not step or (end - start) * step < 0:
            return None
        form = "x" if match[1] else "d"
        values = range(start, end + (1 if step > 0 else -1), step)
        return ({match[2]: format(value, form)} for value in values)

    def _replaced(self, text: str) -> str | None:
        """The text with names replaced; None when there is nothing to replace."""
        at = 0
        found = False
        rest = self.rest
        for _ in range(MAX_REPLACEMENTS):
            at = text.find("$", at)
            if at < 0 or at + 1 >= len(text):
                break
            name, end = self._name(text, at + 1)
            value = self.defined.get(name)
            if value is None or (value.multiline and end != len(text)):
                at += 1
                continue
            found = True
            if value.multiline and len(value.lines) > 1:
                if rest is not None:
                    self.interrupted.append((rest, self.depth))
                rest = value.lines[1:]
                self.depth = len(self.loops)
            new = value.lines[0]
            if len(text) + len(new) - (end - at) > MAX_TEXT:
                self.builder.problem(
                    f"replacing ${name} makes the line longer than {MAX_TEXT} bytes", self.at, 1
                )
                return None
            text = text[:at] + new + text[end:]
            if new.lstrip(" \t").startswith("~"):
                break
        else:
            raise self._error("a definition here contains itself")
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

    def _error(self, reason: str) -> ConfError:
        return ConfError(reason, self.at, 1, self.builder.tree.path)


def _sets(names: str, listed: str) -> Iterator[dict[str, str]]:
    """The rounds of ~LST({a, b}, {1, 2}, {3, 4}); missing values are empty."""
    keys = [name.strip(" \t") for name in names.strip("{} \t").split(",")]
    for match in _SET.finditer(listed):
        text = match[1] if match[1] is not None else match[2]
        if match[1] is None and not text.strip(" \t"):
            continue
        values = [value.strip(" \t") for value in text.split(",")]
        values += [""] * (len(keys) - len(values))
        yield dict(zip(keys, values, strict=False))
