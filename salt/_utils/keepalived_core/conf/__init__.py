"""The language of keepalived.conf: text to tree and back, and the table of its keywords."""

from . import grammar
from .effective import effective, own_id
from .errors import ConfError
from .evaluator import evaluate
from .parser import parse
from .redactor import redact, redact_data
from .renderer import render
from .sameness import equal
from .tree import Block, Brace, Comment, Definition, Include, Node, Repeat, Statement, Tree

__all__ = [
    "Block",
    "Brace",
    "Comment",
    "ConfError",
    "Definition",
    "Include",
    "Node",
    "Repeat",
    "Statement",
    "Tree",
    "effective",
    "equal",
    "evaluate",
    "grammar",
    "own_id",
    "parse",
    "redact",
    "redact_data",
    "render",
]
