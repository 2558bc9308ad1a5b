"""A runner or outputter of this tree, loaded from its file as Salt does it."""

from __future__ import annotations

import importlib.util
import pathlib
import sys
import types
from typing import Any

import pytest

salt_logging = pytest.importorskip("salt._logging")

_OURS = ("keepalived_core", "keepalived_master", "keepalived_trail")
REPO = pathlib.Path(__file__).resolve().parents[2]


def load(
    monkeypatch: pytest.MonkeyPatch, path: str, opts: dict[str, Any], **functions: Any
) -> types.ModuleType:
    """The module at *path* below ``salt/``; *functions* are its ``__salt__``, a dot in a name is
    written as two underscores."""
    salt_logging.shutdown_temp_handler()
    # The library that the other tests hold stays theirs.
    for name in list(sys.modules):
        if name.partition(".")[0] in _OURS:
            monkeypatch.setitem(sys.modules, name, sys.modules[name])
    spec = importlib.util.spec_from_file_location("module_under_test", REPO / "salt" / path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    module.__opts__ = opts  # type: ignore[attr-defined]
    salt = {name.replace("__", "."): each for name, each in functions.items()}
    module.__salt__ = salt  # type: ignore[attr-defined]
    spec.loader.exec_module(module)
    return module
