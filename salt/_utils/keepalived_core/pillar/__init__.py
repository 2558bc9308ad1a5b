"""The ``keepalived`` pillar to a configuration tree, and back."""

from .adopt import from_tree
from .errors import Mistakes, PillarError
from .merge import TOP_KEYS
from .tree import to_tree

__all__ = ["TOP_KEYS", "Mistakes", "PillarError", "from_tree", "to_tree"]
