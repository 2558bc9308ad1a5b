"""The engine's reading of the minion's settings: which masters there are."""

import importlib.util
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[2] / "salt" / "_engines" / "keepalived_relay.py"


@pytest.fixture(scope="module")
def engine():
    spec = importlib.util.spec_from_file_location("relay_engine", ENGINE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("opts", "masters"),
    [
        ({"master": "m1"}, {"m1": ["m1"]}),
        ({"master": ["m1", "m2:4507"]}, {"m1": ["m1"], "m2:4507": ["m2:4507"]}),
        ({"master": ["m1", "m2"], "master_type": "failover"}, {"m1,m2": ["m1", "m2"]}),
        ({"master": ["m1"], "master_type": "failover"}, {"m1": ["m1"]}),
        ({"master": "mod.fun", "master_type": "func"}, {}),
        ({"master": "m1", "master_type": "disable"}, {}),
        ({"master": ""}, {}),
        ({"master": []}, {}),
        ({}, {}),
        ({"master": "m1", "file_client": "local"}, {}),
        ({"master": "m1", "file_client": "local", "use_master_when_local": True}, {"m1": ["m1"]}),
    ],
)
def test_which_masters_get_the_events(engine, opts, masters):
    assert engine._masters(opts) == masters


class Channel:
    """Stands in for the channel to a master."""

    def __init__(self, said):
        self.said, self.closed = said, False

    async def send(self, load, tries, timeout):
        if isinstance(self.said, BaseException):
            raise self.said
        return self.said

    async def close_async(self):
        self.closed = True


def way(engine, said):
    import asyncio

    made = engine._Way({"id": "n1", "pki_dir": "/nonexistent"}, ["m1", "m2"])
    made._loop, made._channel = asyncio.new_event_loop(), Channel(said)
    return made


@pytest.mark.parametrize("said", [None, True])
def test_what_the_master_took_is_acknowledged(engine, said):
    made = way(engine, said)
    assert made([{"tag": "x", "data": {}}]) is None
    made._close()


@pytest.mark.parametrize("said", [{}, "", False, "bad load"])
def test_what_it_did_not_take_is_not(engine, said):
    made = way(engine, said)
    with pytest.raises(engine.relay.Unreached, match="it answered"):
        made([{"tag": "x", "data": {}}])
    made._close()


@pytest.mark.parametrize("said", [RuntimeError("x"), TimeoutError(), SystemExit(1)])
def test_after_a_failure_the_channel_is_made_anew_and_the_patience_grows(engine, said):
    made = way(engine, said)
    channel = made._channel
    with pytest.raises(engine.relay.Unreached, match=type(said).__name__):
        made([{"tag": "x", "data": {}}])
    # a loop that saw a SystemExit runs nothing more, not even that
    assert channel.closed or isinstance(said, SystemExit)
    assert made._channel is None
    assert made._patience == 2 * engine.ANSWER
    assert made._hosts == ["m2", "m1"]


def test_it_waits_for_the_minion_to_have_its_key(engine):
    made = engine._Way({"id": "n1", "pki_dir": "/nonexistent"}, ["m1"])
    with pytest.raises(engine.relay.Unreached, match="has not been accepted by a master yet"):
        made([{"tag": "x", "data": {}}])
