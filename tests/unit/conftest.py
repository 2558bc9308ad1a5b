"""Tests of the code alone: they take what the tests on real machines leave."""

from __future__ import annotations

import os

import pytest


@pytest.fixture(autouse=True, scope="session")
def _give_way(worker_id: str) -> None:
    """A process beside this one runs real keepalived and Salt, and measures."""
    if worker_id != "master":
        os.setpriority(os.PRIO_PROCESS, 0, 19)
