"""Drain a node: its peers get the addresses, and it takes none until it is undrained.

The lever is a file that keepalived tracks (see :mod:`..managed_drain`): its number is added to
the priority of each instance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .paths import DEFAULT, Paths


class DrainError(Exception):
    """The node is not drained; ``reason`` says why, and what was done about it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def drain(
    reason: str | None = None,
    expires: str | int | None = None,
    mode: str = "auto",
    force: bool = False,
    peers_healthy: Mapping[str, bool] | None = None,
    peers: Mapping[str, Any] | None = None,
    who: str | None = None,
    paths: Paths = DEFAULT,
) -> dict[str, Any]:
    """To be written."""
    raise DrainError("drain is not built yet")


def undrain(who: str | None = None, paths: Paths = DEFAULT) -> dict[str, Any]:
    """To be written."""
    raise DrainError("undrain is not built yet")


def status(paths: Paths = DEFAULT) -> dict[str, Any]:
    """To be written."""
    return {
        "drained": False,
        "mode": None,
        "since": None,
        "until": None,
        "reason": None,
        "who": None,
        "missing": [],
        "problem": None,
    }


def prepare(paths: Paths = DEFAULT) -> bool:
    """To be written."""
    return False
