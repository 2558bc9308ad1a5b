"""Rendering is shared: a minion's loaders take a second to start."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.formula.rendering import Rendered, Renderer


@pytest.fixture(scope="session")
def render(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Rendered]:
    return Renderer(tmp_path_factory.mktemp("minion")).render
