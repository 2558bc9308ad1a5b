"""The classic cluster in a lab of its own, for what is measured on a live one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from lab.demo import OWNER, configure_master, one_holder, summarise, wait_for_beacons
from lab.lab import Lab


@contextmanager
def classic_lab() -> Iterator[Lab]:
    """Three controllers after a highstate, their events on the way; gone at the end."""
    lab = Lab("bench", nodes=3)
    lab.down()
    lab.up()
    try:
        lab.push()
        configure_master(lab)
        summarise(lab.salt("controller*", "state.highstate", timeout=240))
        one_holder(lab, OWNER, timeout=30)
        wait_for_beacons(lab, timeout=60)
        yield lab
    finally:
        lab.down()
