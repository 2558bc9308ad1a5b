"""What the hub wrote of its objects, read again: perhaps by another version than wrote it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any


def known(cls: type, saved: Mapping[str, Any]) -> dict[str, Any]:
    """Of what was saved the fields that a dataclass has: a newer version may have written more."""
    names = {field.name for field in dataclasses.fields(cls)}
    return {name: value for name, value in saved.items() if name in names}
