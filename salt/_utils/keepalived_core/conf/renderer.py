"""A tree into keepalived.conf: one canonical, readable style, the same bytes every time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from . import lexer
from .errors import ConfError
from .tree import Block, Brace, Comment, Definition, Include, Node, Repeat, Statement, Tree

INDENT = "    "
# keepalived reads a line into 1024 bytes; what is longer it takes for two lines.
MAX_LINE = 1023
# Definitions the daemon always has.
STANDARD = frozenset({"_PWD", "_INSTANCE", "_RANDOM", "_HASH", "_BANG", "_ENV"})

_BARE = re.compile(r"[^\x00-\x20\x7f\"#!{}$\\\ud800-\udc7f\udd00-\udfff]+")
# A whole line of such words; whether blanks are where they should be is asked separately.
_BARE_LINE = re.compile(r"(?!include|[@~])[^\x00-\x1f\x7f\"#!{}$\\]+")
# The last ranges are half characters that stand for no byte.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f\ud800-\udc7f\udd00-\udfff]")
_EXPANDS = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?: [ \w]*)?\}|([A-Za-z_]\w*)(?=[ \t,)]))", re.ASCII)
_INCLUDE = re.compile(r"include[rmwba]?")


def render(tree: Tree, header: Iterable[str] = ()) -> str:
    """The text of a tree; rendering what was read from it gives the same bytes again.

    header: lines for the top, without a comment mark.  Raises ConfError for a value that
    keepalived could not read back as it is.
    """
    writer = _Writer(tree)
    for text in header:
        writer.lines.append(f"# {text}".rstrip())
    writer.top(tree.children)
    return "\n".join(writer.lines) + "\n" if writer.lines else ""


def quote(word: str, defined: frozenset[str] | None = None, first: bool = False) -> str:
    """A word as it must stand in the file.

    defined: the names that ``$NAME`` would replace, None for all names; first: the word
    begins a line.
    """
    if _BARE.fullmatch(word) and not (first and (word[0] in "@~" or _INCLUDE.fullmatch(word))):
        return word
    if '"' in word:
        raise ConfError(f"{word!r} contains a '\"', which keepalived.conf cannot express")
    if _CONTROL.search(word):
        raise ConfError(f"{word!r} contains a line break or another control character")
    if word.endswith("\\"):
        raise ConfError(f"{word!r} ends in a backslash, which would swallow the closing quote")
    for match in _EXPANDS.finditer(word):
        name = match[1] or match[2]
        if defined is None or name in defined or name in STANDARD:
            raise ConfError(
                f"{word!r} contains {match[0]}, which keepalived would replace; there is no "
                f"way to write a '$' it leaves alone before a name it knows"
            )
    return f'"{word}"'


class _Writer:
    def __init__(self, tree: Tree):
        self.lines: list[str] = []
        self.tree = tree

    @cached_property
    def defined(self) -> frozenset[str] | None:
        """Asked for only where there is a word that is not bare."""
        return _defined(self.tree)

    def top(self, nodes: list[Node]) -> None:
        """The outermost nodes; blocks, and the comments above them, stand apart."""
        start = True  # still in the comments at the top of the file
        gap = False
        held: list[Comment] = []
        for node in nodes:
            if isinstance(node, Comment):
                held.append(node)
                continue
            if start and (held or self.lines):
                for comment in held:
                    self.node(comment, "")
                held = []
                gap = True
            start = False
            if self.lines and (gap or isinstance(node, Block)):
                self.lines.append("")
            for comment in held:
                self.node(comment, "")
            held = []
            self.node(node, "")
            gap = isinstance(node, Block)
        if held and gap:
            self.lines.append("")
        for comment in held:
            self.node(comment, "")

    def node(self, node: Node, indent: str) -> None:
        if isinstance(node, Block):
            self.block(node, indent)
        elif isinstance(node, Statement):
            self.put(indent, node.condition, self.statement(node), node.comment)
        elif isinstance(node, Comment):
            self.comment(indent, node.text)
        elif isinstance(node, Definition):
            self.definition(node, indent)
        elif isinstance(node, Repeat):
            text = f"{node.head} {lexer.escape(node.text)}" if node.text else node.head
            self.put(indent, node.condition, text, node.comment)
        elif isinstance(node, Include):
            text = f"{node.keyword} {lexer.escape(node.target)}"
            self.put(indent, node.condition, text, node.comment)
        elif isinstance(node, Brace):
            self.put(indent, node.condition, node.mark, node.comment)

    def block(self, block: Block, indent: str) -> None:
        head = self.statement(block)
        if not block.opened:
            self.put(indent, block.condition, head, block.comment)
        elif block.open_condition == block.condition and head.count('"') % 2 == 0:
            self.put(indent, block.condition, head + " {", block.comment)
        else:
            self.put(indent, block.condition, head, "")
            self.put(indent, block.open_condition, "{", block.comment)
        for child in block.children:
            self.node(child, indent + INDENT)
        if block.closed:
            self.put(indent, block.end_condition, "}", block.end_comment)

    def statement(self, node: Statement) -> str:
        source = node.source
        if source is None:
            words = [node.keyword, *node.args]
            text = " ".join(words)
            if _BARE_LINE.fullmatch(text) and text.split() == words:
                return text
        elif f"{'@ ' * bool(node.condition)}{source}".endswith((" \\", "\t\\")):
            raise ConfError("a backslash at the end of a line joins the word before", node.line, 1)
        elif lexer.split_words(source) == [node.keyword, *node.args]:
            return lexer.escape(source)
        try:
            words = [quote(node.keyword, self.defined, first=True)]
            words += [quote(word, self.defined) for word in node.args]
        except ConfError as error:
            raise ConfError(f"{node.keyword}: {error.reason}", node.line, 1) from None
        return " ".join(words)

    def definition(self, node: Definition, indent: str) -> None:
        last = len(node.lines) - 1
        for index, (text, comment) in enumerate(zip(node.lines, node.comments, strict=True)):
            if index == 0:
                text = f"${node.name}={lexer.escape(text)}"
                prefix, condition = indent, node.condition
            else:
                text = lexer.escape(text)
                prefix, condition = indent + INDENT, ""
            if index < last and text:
                text = f"{text} \\"
            if not text:
                # Without its backslash the comment would end the definition.
                self.put(prefix, "", comment.rstrip(lexer.WHITE + "\\") + " \\", "")
                continue
            self.put(prefix, condition, text, comment)

    def comment(self, indent: str, text: str) -> None:
        """A comment of any length: what is too long for one line goes on in the next."""
        mark = text[:1]
        while len(lexer.encoded(indent + text)) > MAX_LINE:
            room = (MAX_LINE - len(indent)) // 4  # a character has four bytes at most
            room = text.rfind(" ", len(mark) + 1, room) if " " in text[2:room] else room
            self.lines.append((indent + text[:room]).rstrip(lexer.WHITE + "\\"))
            text = mark + " " + text[room:].lstrip(" \t")
        self.lines.append((indent + text).rstrip(lexer.WHITE + "\\"))

    def put(self, indent: str, condition: str, text: str, comment: str) -> None:
        if condition:
            text = f"{_prefix(condition)} {text}"
        line = indent + text
        if len(line) > MAX_LINE // 4 and len(lexer.encoded(line)) > MAX_LINE:
            raise ConfError(
                f"the line {text[:40]!r}... is longer than the {MAX_LINE} bytes keepalived reads"
            )
        if comment:
            if len(lexer.encoded(line + comment)) + 2 > MAX_LINE:
                self.comment(indent, comment)
            else:
                line = f"{line}  {comment}".rstrip(lexer.WHITE + "\\")
        self.lines.append(line)


def _prefix(condition: str) -> str:
    """``@id``, or the name that stands before a ``}``."""
    return condition.strip() if condition[0] == " " else "@" + lexer.escape(condition)


def _defined(tree: Tree) -> frozenset[str] | None:
    """The names the file defines; None when an include may define any."""
    names = set()
    stack: list[Node] = list(tree.children)
    while stack:
        node = stack.pop()
        if isinstance(node, Include):
            return None
        if isinstance(node, Definition):
            names.add(node.name)
        elif isinstance(node, Repeat):
            names.update(re.findall(r"[A-Za-z_]\w*", node.head[4:]))
        elif isinstance(node, Block):
            stack.extend(node.children)
    return frozenset(names)
