"""keepalived.conf into a tree, line by line as the daemon reads it.

Structure is judged here (braces, quotes, the ``{`` a block needs); the meaning of keywords is
not: an unknown one is kept and left to lint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from . import lexer
from .collector import collector_held
from .errors import ConfError
from .grammar import ROOT
from .keyword import Keyword
from .tree import Block, Brace, Comment, Definition, Include, Node, Repeat, Statement, Tree

# Nothing in keepalived nests deeper than six blocks; far beyond that a file is an attack on
# whoever walks the tree.
MAX_DEPTH = 40

_INCLUDES = frozenset({"include", "includer", "includem", "includew", "includeb", "includea"})
_ODD = re.compile(r"[\"'\\#!${}]")
_NOTHING: Mapping[str, Keyword] = {}


@collector_held()
def parse(text: str, path: str | None = None, strict: bool = True) -> Tree:
    """Read a configuration.

    path: the file's name, for messages.  strict: raise ConfError for damaged structure;
    otherwise what is wrong is collected in ``Tree.problems`` and everything is kept.
    Definitions, conditions, repetitions and includes stay as they are written.
    """
    builder = Builder(path)
    builder.read(text)
    tree = builder.finish()
    tree.source = text
    if strict and tree.problems:
        raise tree.problems[0]
    return tree


class Builder:
    """Grows a tree from lines.

    macros: whether ``${NAME}`` is still to be replaced and therefore part of a word.
    """

    def __init__(self, path: str | None = None, macros: bool = True):
        self.tree = Tree(path=path)
        self.macros = macros
        # The included file that is read, None for the tree's own.
        self.file: str | None = None
        self._nodes = self.tree.children
        self._scope = ROOT
        self._stack: list[tuple[Block, list[Node], Mapping[str, Keyword]]] = []
        # The statement a '{' would belong to, and whether its keyword cannot do without.
        self._last: Statement | None = None
        self._needs_brace = False
        self._definition: Definition | None = None
        self._touched: Node | Block | None = None
        self._at_end = False
        # The first block that cannot stand where it does, and the one around it.
        self._misplaced: tuple[Block, Block] | None = None

    # -- reading ---------------------------------------------------------------------------

    def read(self, text: str) -> None:
        """All lines of a text."""
        plain = lexer.PLAIN.fullmatch
        for number, line in enumerate(text.split("\n"), 1):
            if self._definition is None:
                if plain(line):
                    if words := line.split():
                        if words[0] in _INCLUDES:
                            self.line(line, number)
                        else:
                            self._statement(words[0], words[1:], number)
                    continue
                bare = line.strip(" \t")
                if bare == "}":
                    self._close(number, "")
                    continue
                if bare[-1:] == "{" and plain(bare, 0, len(bare) - 1):
                    words = bare[:-1].split()
                    if not words or words[0] not in _INCLUDES:
                        if words:
                            self._statement(words[0], words[1:], number)
                        self._open(number, "")
                        continue
            self.line(line, number)

    def line(self, line: str, number: int) -> None:
        """One physical line with all its oddities."""
        line = line.rstrip("\r")
        if "\0" in line:
            at = line.index("\0")
            self.problem("there is a NUL byte; keepalived reads no further here", number, at + 1)
            line = line[:at]
        cut = lexer.split_comment(line)
        if cut.quote:
            self.problem("unterminated quote: the '\"' here has no partner", number, cut.quote)
        if self._definition is not None and self._continue_definition(cut):
            return
        self.text(cut, number)

    def text(self, cut: lexer.Cut, number: int) -> None:
        """One line without its comment: what stands behind a brace is a line of its own."""
        self._touched = None
        self._at_end = False
        condition = ""
        text, at = cut.text, 0
        while at < len(text):
            if text[at] == "@":
                at, condition = self._condition(text, at, condition, number)
                if at == len(text):
                    break
            if text[at] == "$" and (match := lexer.DEFINITION.match(text, at)):
                self._define(match[1], match[2], number, condition, cut.comment)
                return
            if text.startswith(("~SEQ", "~LST"), at):
                self._repeat(text[at:], number, condition)
                break
            if match := lexer.INCLUDE.fullmatch(text, at):
                self._add(Include(match[1], match[2], number, condition))
                break
            if text[at] == "{":
                self._open(number, condition)
                at += 1
            elif text[at] == "}":
                self._close(number, condition)
                at += 1
            else:
                brace = lexer.find_brace(text, at, self.macros)
                stop = len(text) if brace < 0 else brace
                piece = text[at:stop].rstrip(lexer.WHITE)
                if self.macros and text[stop : stop + 1] == "}" and lexer.MACRO.fullmatch(piece):
                    # A name before a '}' decides whether it counts: ${OFF} may be a comment.
                    self._close(number, f"{condition} {piece}")
                    stop += 1
                else:
                    self._piece(piece, number, condition)
                at = stop
            while at < len(text) and text[at] in " \t":
                at += 1
        if cut.comment:
            self._comment(cut.comment, number)

    @property
    def inside(self) -> str:
        """The keyword of the block that is open now; empty outside of any."""
        return self._stack[-1][0].keyword if self._stack else ""

    def evaluated(self, text: str, number: int) -> None:
        """One statement, brace or include of an evaluated text."""
        if text == "{":
            self._open(number, "")
        elif text == "}":
            self._close(number, "")
        elif match := lexer.INCLUDE.fullmatch(text):
            self._add(Include(match[1], match[2], number))
        else:
            self._piece(text, number, "")

    def finish(self) -> Tree:
        """The tree, after the last line."""
        if self._needs_brace:
            self._missing_brace(None)
        if self._definition is not None:
            self._end_definition(self._definition)
        for block, _, _ in self._stack:
            block.closed = False
        if self._stack:
            self._unclosed()
        return self.tree

    # -- what a line can be ----------------------------------------------------------------

    def _condition(self, text: str, at: int, outer: str, number: int) -> tuple[int, str]:
        match = lexer.CONDITION.match(text, at)
        assert match is not None
        if outer:
            self.problem(
                f"a second condition {match[0].strip()} on one line; keepalived takes one",
                number,
                at + 1,
            )
        if match.end() == len(text) or not match[1]:
            # keepalived drops a line that is nothing but a condition, and one for no id.
            dropped = text[at:].rstrip(lexer.WHITE + "\\")
            self._nodes.append(Comment(f"# {dropped}", number))
            return len(text), outer
        return match.end(), match[1]

    def _define(self, name: str, value: str, number: int, condition: str, comment: str) -> None:
        more = value.endswith("\\")
        node = Definition(name, [value.rstrip("\\").rstrip(" \t") if more else value], number)
        node.condition = condition
        node.comments = [comment]
        self._add(node)
        if more:
            self._definition = node

    def _continue_definition(self, cut: lexer.Cut) -> bool:
        """Whether the line belonged to the definition that the lines before began."""
        definition = self._definition
        assert definition is not None
        if not cut.text:
            # The parent reads on behind a comment line; its children, who get an empty line in
            # its place, do not.
            self._end_definition(definition)
            return False
        if not cut.text.endswith("\\"):
            self._definition = None
        text = cut.text.removesuffix("\\").rstrip(" \t")
        if text or cut.comment:
            definition.lines.append(text)
            definition.comments.append(cut.comment)
        return True

    def _end_definition(self, definition: Definition) -> None:
        """Comments behind the last line of its value are comments of their own."""
        self._definition = None
        last = max((index for index, text in enumerate(definition.lines) if text), default=0)
        self._nodes += [Comment(note, definition.line) for note in definition.comments[last + 1 :]]
        del definition.lines[last + 1 :], definition.comments[last + 1 :]

    def _repeat(self, text: str, number: int, condition: str) -> None:
        match = lexer.REPEAT.match(text)
        if match is None:
            self.problem(
                f"{text[:4]} wants a list in parentheses, such as ~SEQ(NUM, 1, 5)", number, 1
            )
            self._add(Repeat(text, "", number, condition))
            return
        self._add(Repeat(match[0].rstrip(" \t"), text[match.end() :], number, condition))

    def _piece(self, piece: str, number: int, condition: str) -> None:
        words = lexer.split_words(piece)
        if not words:
            return
        # A form feed before it would keep an '@' from being a condition; it is not written again.
        source = piece if _ODD.search(piece) and piece[0] not in lexer.WHITE else None
        self._statement(words[0], words[1:], number, condition, source)

    # -- growing the tree ------------------------------------------------------------------

    def _add(self, node: Node) -> None:
        self._last = None
        self._needs_brace = False
        node.file = self.file
        self._nodes.append(node)
        self._touched = node

    def _statement(
        self,
        keyword: str,
        args: list[str],
        number: int,
        condition: str = "",
        source: str | None = None,
    ) -> None:
        if self._needs_brace:
            self._missing_brace(number)
        node = Statement(keyword, args, number, condition, "", source)
        if self.file is not None:
            node.file = self.file
        self._nodes.append(node)
        self._last = self._touched = node
        known = self._scope.get(keyword)
        self._needs_brace = known is not None and known.is_block and not condition

    def _open(self, number: int, condition: str) -> None:
        self._needs_brace = False
        statement = self._last
        if statement is None or len(self._stack) >= MAX_DEPTH:
            reason = "'{' belongs to nothing: a keyword must come before it"
            if statement is not None:
                reason = f"blocks nested deeper than {MAX_DEPTH}"
            self.problem(reason, number, 1)
            self._add(Brace("{", number, condition))
            return
        self._begin(statement, condition)

    def _begin(self, statement: Statement, condition: str) -> Block:
        """Turn the last statement into a block and go inside."""
        self._needs_brace = False
        block = Block(
            statement.keyword,
            statement.args,
            None,
            statement.line,
            statement.condition,
            statement.comment,
            statement.source,
        )
        block.file = statement.file
        block.open_condition = condition
        nodes = self._nodes
        while nodes[-1] is not statement:
            block.children.append(nodes.pop())  # comments between the keyword and its '{'
        block.children.reverse()
        nodes[-1] = block
        foreign = self._scope and block.keyword in ROOT and block.keyword not in self._scope
        if foreign and self._misplaced is None:
            self._misplaced = (block, self._stack[-1][0])
        self._stack.append((block, nodes, self._scope))
        known = self._scope.get(block.keyword)
        self._scope = known.children if known is not None else _NOTHING
        self._nodes = block.children
        self._last = None
        self._touched = block
        self._at_end = False
        return block

    def _close(self, number: int, condition: str) -> None:
        if self._needs_brace:
            self._missing_brace(number)
        self._needs_brace = False
        self._last = None
        if not self._stack:
            self.problem(
                "'}' closes nothing: there is one too many, or a '{' is missing", number, 1
            )
            self._add(Brace("}", number, condition))
            return
        block, self._nodes, self._scope = self._stack.pop()
        block.end_condition = condition
        self._touched = block
        self._at_end = True

    def _comment(self, comment: str, number: int) -> None:
        node = self._touched
        if node is None or isinstance(node, Comment):
            self._nodes.append(Comment(comment, number))
        elif isinstance(node, Block) and self._at_end:
            node.end_comment = comment
        elif node.comment:
            self._nodes.append(Comment(comment, number))
        else:
            node.comment = comment

    # -- what is wrong ---------------------------------------------------------------------

    def problem(self, reason: str, number: int, column: int, node: Node | None = None) -> None:
        """Note damaged structure, in the file of node or, without one, in that which is read."""
        file = self.file if node is None else node.file
        self.tree.problems.append(ConfError(reason, number, column, file or self.tree.path))

    def _missing_brace(self, number: int | None) -> None:
        node = self._last
        assert node is not None
        words = " ".join(node.words)
        what = "the file ends" if number is None else f"line {number} goes on without it"
        self.problem(
            f"'{words}' begins a block, but its '{{' is missing ({what}); write '{words} {{'",
            node.line,
            len(words) + 1,
            node,
        )
        if number is not None and len(self._stack) < MAX_DEPTH:
            # As keepalived does: what follows is taken for the block.
            self._begin(node, "").opened = False

    def _unclosed(self) -> None:
        """The block left open; better, where another one begins that cannot be inside of it."""
        if self._misplaced is not None:
            inner, outer = self._misplaced
            self.problem(
                f"'{' '.join(inner.words)}' begins inside of '{' '.join(outer.words)}' (line "
                f"{outer.line}), which is not closed: a '}}' is missing before this line",
                inner.line,
                1,
                inner,
            )
            return
        block = self._stack[-1][0]
        self.problem(
            f"'{' '.join(block.words)} {{' is never closed: its '}}' is missing",
            block.line,
            1,
            block,
        )
