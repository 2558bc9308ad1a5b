"""What several files of tests begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from keepalived_core.cluster.journal import Journal


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A cluster's, with nothing in it."""
    found = Journal(tmp_path / "rollout", "controllers")
    with found.locked("root", "a test", "now"):
        pass
    return found
