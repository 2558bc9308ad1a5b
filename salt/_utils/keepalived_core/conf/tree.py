"""The nodes a keepalived.conf is made of.

A tree keeps what was written: order, comments, conditions, definitions, line numbers.
``Statement.args`` are the words as keepalived sees them (quotes taken off); ``source`` is how
they stood in the file, and is written again as long as it still says the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import ConfError
    from .fault import Fault


# Blocks that an address and a port are the name of.
_TWO_WORDS = ("virtual_server", "real_server")


class Node:
    """One thing in the file.

    file: the included file that line counts in, None for the tree's own; condition: the ``@id``
    or ``@^id`` before it, without the ``@`` (that of a ``}`` can end in a blank and a ``$NAME``,
    which may be a comment); comment: what stands behind it, with its mark.
    """

    __slots__ = ("comment", "condition", "file", "line")

    def __init__(self, line: int = 0, condition: str = "", comment: str = ""):
        self.line = line
        self.file: str | None = None
        self.condition = condition
        self.comment = comment

    def _key(self) -> tuple:
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        """The same content; line numbers do not count."""
        return type(self) is type(other) and self._key() == other._key()

    __hash__ = None  # type: ignore[assignment]  # nodes change


class Comment(Node):
    """A line that says nothing to keepalived; text starts with its mark, ``#`` or ``!``."""

    __slots__ = ("text",)

    def __init__(self, text: str, line: int = 0):
        super().__init__(line)
        self.text = text

    def _key(self) -> tuple:
        return (self.text,)

    def __repr__(self) -> str:
        return f"Comment({self.text!r})"


class Definition(Node):
    """``$NAME=value``.

    lines: the value; more than one when lines end in a backslash; comments: what stood behind
    each line.
    """

    __slots__ = ("comments", "lines", "name")

    def __init__(
        self,
        name: str,
        lines: list[str],
        line: int = 0,
        condition: str = "",
        comments: list[str] | None = None,
    ):
        super().__init__(line, condition)
        self.name = name
        self.lines = lines
        self.comments = [""] * len(lines) if comments is None else comments

    def _key(self) -> tuple:
        return (self.name, self.lines, self.condition, self.comments)

    def __repr__(self) -> str:
        return f"Definition({self.name!r}, {self.lines!r})"


class Repeat(Node):
    """``~SEQ(...) text`` or ``~LST(...) text``: text is read once for each value.

    head: up to the closing parenthesis, as written.
    """

    __slots__ = ("head", "text")

    def __init__(self, head: str, text: str, line: int = 0, condition: str = ""):
        super().__init__(line, condition)
        self.head = head
        self.text = text

    def _key(self) -> tuple:
        return (self.head, self.text, self.condition, self.comment)

    def __repr__(self) -> str:
        return f"Repeat({self.head!r}, {self.text!r})"


class Include(Node):
    """``include PATH`` and its kin; keyword: include, includer, -m, -w, -b or -a."""

    __slots__ = ("keyword", "target")

    def __init__(self, keyword: str, target: str, line: int = 0, condition: str = ""):
        super().__init__(line, condition)
        self.keyword = keyword
        self.target = target

    def _key(self) -> tuple:
        return (self.keyword, self.target, self.condition, self.comment)

    def __repr__(self) -> str:
        return f"Include({self.keyword!r}, {self.target!r})"


class Statement(Node):
    """A keyword and its words, or one line of a value block (``10.0.0.1/24 dev eth1``)."""

    __slots__ = ("args", "keyword", "source")

    def __init__(
        self,
        keyword: str,
        args: list[str] | None = None,
        line: int = 0,
        condition: str = "",
        comment: str = "",
        source: str | None = None,
    ):
        self.line = line
        self.file = None
        self.condition = condition
        self.keyword = keyword
        self.args = [] if args is None else args
        self.comment = comment
        self.source = source

    @property
    def words(self) -> list[str]:
        """The whole line as words: what a value block's entry is."""
        return [self.keyword, *self.args]

    def _key(self) -> tuple:
        return (self.keyword, self.args, self.condition, self.comment)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.keyword!r}, {self.args!r})"


class Container:
    """Anything with children, and the questions asked of it."""

    __slots__ = ()
    children: list[Node]

    def statements(self, keyword: str | None = None) -> Iterator[Statement]:
        """The statements and blocks in here (not deeper), all of them or one keyword's."""
        for node in self.children:
            if isinstance(node, Statement) and (keyword is None or node.keyword == keyword):
                yield node

    def blocks(self, keyword: str | None = None) -> Iterator[Block]:
        """The blocks in here (not deeper), all of them or one keyword's."""
        for node in self.children:
            if isinstance(node, Block) and (keyword is None or node.keyword == keyword):
                yield node

    def get(self, keyword: str) -> Statement | None:
        """The statement that counts: keepalived lets the last one win."""
        found = None
        for node in self.statements(keyword):
            found = node
        return found

    def value(self, keyword: str, default: str = "") -> str:
        """The first word of the statement that counts, or default."""
        node = self.get(keyword)
        return node.args[0] if node is not None and node.args else default


class Block(Statement, Container):
    """A statement with ``{ ... }``.

    open_condition, end_condition: the ``@id`` before the braces; end_comment: what stood
    behind the ``}``.  Only a lenient reading gives opened False (the ``{`` is missing) and
    closed False (the file ended first).
    """

    __slots__ = (
        "children",
        "closed",
        "end_comment",
        "end_condition",
        "open_condition",
        "opened",
    )

    def __init__(
        self,
        keyword: str,
        args: list[str] | None = None,
        children: list[Node] | None = None,
        line: int = 0,
        condition: str = "",
        comment: str = "",
        source: str | None = None,
    ):
        super().__init__(keyword, args, line, condition, comment, source)
        self.children = [] if children is None else children
        self.end_comment = ""
        self.open_condition = condition
        self.end_condition = condition
        self.opened = True
        self.closed = True

    @property
    def name(self) -> str:
        """The block's own name: ``VI_1`` of ``vrrp_instance VI_1``; empty when it has none.

        keepalived takes no more words for it than these.
        """
        return " ".join(self.args[: 2 if self.keyword in _TWO_WORDS else 1])

    def _key(self) -> tuple:
        return (
            *super()._key(),
            self.children,
            self.end_comment,
            self.open_condition,
            self.end_condition,
            self.opened,
            self.closed,
        )


class Brace(Node):
    """A brace that belongs to nothing: only a lenient reading of a broken file has one."""

    __slots__ = ("mark",)

    def __init__(self, mark: str, line: int = 0, condition: str = ""):
        super().__init__(line, condition)
        self.mark = mark

    def _key(self) -> tuple:
        return (self.mark, self.condition, self.comment)

    def __repr__(self) -> str:
        return f"Brace({self.mark!r})"


class Tree(Container):
    """A whole file.

    source: the text it was read from, empty for a tree that was built; problems: what a lenient
    reading found wrong with its structure; opened: included files that were read, path -> text;
    faults: what is to be said about includes.
    """

    __slots__ = ("children", "faults", "opened", "path", "problems", "source")

    def __init__(self, children: list[Node] | None = None, path: str | None = None):
        self.children = [] if children is None else children
        self.path = path
        self.source = ""
        self.problems: list[ConfError] = []
        self.opened: dict[str, str] = {}
        self.faults: list[Fault] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Tree) and self.children == other.children

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Tree({len(self.children)} nodes, path={self.path!r})"
