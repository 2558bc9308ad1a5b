"""The ``keepalived`` pillar to a configuration tree, and back."""

from .adopt import from_tree
from .errors import Mistakes, PillarError
from .importing import Imported, import_text
from .merge import TOP_KEYS
from .tree import to_tree

__all__ = ["TOP_KEYS", "Imported", "Mistakes", "PillarError", "from_tree", "import_text", "to_tree"]
