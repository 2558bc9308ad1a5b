"""Tests of the code alone: they take what the tests on real machines leave."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _give_way(worker_id: str) -> None:
    """Does another process run tests beside this one, then that one measures."""
    if worker_id != "master":
        os.setpriority(os.PRIO_PROCESS, 0, 19)
