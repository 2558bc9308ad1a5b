"""What a node may expect of its peers, from the pillar that they share."""

from __future__ import annotations

from typing import Any


def preemption(data: Any, node: str) -> dict[str, dict[str, Any]]:
    """To be written."""
    return {}
