"""What takes long to start and is shared by several files."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def delivery(_salt_factories_config, event_listener):
    """A master with a secret, the minions n1 (relay and beacon) and n2."""
    pytest.importorskip("saltfactories.manager")
    from delivery_site import run_site

    yield from run_site(_salt_factories_config, event_listener)
