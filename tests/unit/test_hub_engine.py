"""The hub's engine: of all that is on the master's bus, what it looks at."""

from __future__ import annotations

import importlib.util
import pathlib
import sys

import pytest

salt_logging = pytest.importorskip("salt._logging")

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "salt/_engines/keepalived_hub.py"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch):
    salt_logging.shutdown_temp_handler()
    # The library that the other tests hold stays theirs.
    for name in list(sys.modules):
        if name.partition(".")[0] in ("keepalived_core", "keepalived_master", "keepalived_trail"):
            monkeypatch.setitem(sys.modules, name, sys.modules[name])
    spec = importlib.util.spec_from_file_location("engine_under_test", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TAGS = {
    "salt/beacon/n1/keepalived/VI/MASTER": True,
    "keepalived/controllers/event/settled": True,
    "keepalived/controllers/split_brain/opened": True,
    "keepalived/two%20words/failover/resolved": True,
    "keepalived/controllers/remediation/started": False,
    "keepalived/controllers/alert/sent": False,
    "keepalived/controllers/split_brain/opened_again": False,
    "salt/beacon/n1/load/": False,
    "salt/job/20261101120000000000/ret/n1": False,
}


@pytest.mark.parametrize("tag", TAGS)
def test_it_decodes_what_concerns_it_and_nothing_else(engine, tag: str) -> None:
    assert bool(engine.TAGS.match(f"{tag}\n\nwhatever it says".encode())) is TAGS[tag]
