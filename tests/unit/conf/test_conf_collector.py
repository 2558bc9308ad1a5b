"""Reading holds the garbage collector and gives it back, whatever happens."""

import gc

import pytest

from keepalived_core import conf
from keepalived_core.conf.collector import collector_held


@pytest.mark.parametrize("text", ["priority 5\n", "vrrp_instance A {\n"])
def test_the_collector_runs_again_after_reading_even_damaged_text(text):
    try:
        conf.parse(text)
    except conf.ConfError:
        pass
    assert gc.isenabled()


def test_who_had_switched_it_off_finds_it_off():
    gc.disable()
    try:
        with collector_held():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_is_off_inside():
    with collector_held():
        assert not gc.isenabled()
