"""A lab for the cluster tests: three controllers and a Salt master, made once a session.

`SALT_KEEPALIVED_LAB=NAME` uses a lab that is up already (`python3 -m lab up`) and leaves it up.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures import cluster, healthy  # noqa: F401  (fixtures for every test here)

from lab import Lab, LabError
from lab.host import missing_prerequisites
from lab.images import ensure
from lab.state import State, known_labs

_REUSE = "SALT_KEEPALIVED_LAB"
_SUITE = "bookworm"


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the image before the first test: a cold build may outlast one test's time-out."""
    needed = any("lab_prerequisites" in getattr(item, "fixturenames", ()) for item in session.items)
    if not needed or session.config.option.collectonly or missing_prerequisites():
        return
    with session.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        try:
            ensure(_SUITE)
        except LabError as error:
            pytest.exit(str(error), returncode=1)


@pytest.fixture(scope="session")
def lab_prerequisites() -> None:
    """Skip where no lab can run; in CI (`CI=true`) that is a failure."""
    missing = missing_prerequisites()
    if missing:
        reason = "no lab here: " + "; ".join(missing)
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def lab(lab_prerequisites: None) -> Iterator[Lab]:
    """The session's lab, with this tree's salt/ and pillar/ on the master and synced."""
    name = os.environ.get(_REUSE)
    if name:
        lab = Lab.attach(name, quiet=True)
        _load(lab)
        yield lab
        return
    _remove_orphans()
    lab = Lab(f"t{os.getpid()}", nodes=3, suite=_SUITE, quiet=True).up()
    try:
        _load(lab)
        yield lab
    finally:
        lab.down()


@pytest.fixture
def healed_lab(lab: Lab) -> Iterator[Lab]:
    """The session's lab without any fault, before and after the test."""
    lab.heal()
    yield lab
    lab.heal()


def _load(lab: Lab) -> None:
    lab.heal()
    lab.push()
    lab.wait_minions()
    lab.salt("*", "saltutil.sync_all")
    lab.salt_run("saltutil.sync_all")


def _remove_orphans() -> None:
    """Remove labs of earlier test runs that were killed."""
    for name in known_labs():
        owner = re.fullmatch(r"t(\d+)(-[a-z]+)?", name)
        if owner and not Path(f"/proc/{owner.group(1)}").exists() and State(name).path.exists():
            Lab(name, quiet=True).down()
