"""The beacon: what it refuses, what it returns, and that it costs no other beacon its events."""

import importlib.util
import logging
import re
from pathlib import Path

import pytest
import salt.beacons
import salt.config

from keepalived_core.node import beacon as beacons
from keepalived_core.node import process, spool
from keepalived_core.node.paths import Paths

SALT = Path(__file__).parents[2] / "salt"
ROW = {"schema": 1, "id": "n1", "instance": "VI_1", "from": "BACKUP", "to": "MASTER", "seq": 1}


@pytest.fixture
def beacon():
    """The module as the loader makes it: with Salt's names in it."""
    spec = importlib.util.spec_from_file_location("beacon", SALT / "_beacons" / "keepalived.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.__salt__, module.__context__, module.__opts__ = {}, {}, {"id": "minion"}
    # apart from Salt's handlers, which keep what comes before logging is set up
    module.log = logging.Logger("beacon")
    module.log.addHandler(Lines())
    return module


class Lines(logging.Handler):
    """Keeps what was logged."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(f"{record.levelname} {record.getMessage()}")


def logged(beacon):
    return beacon.log.handlers[0].lines


def reads(beacon, result):
    """Let ``keepalived.beacon_read`` return, or raise, ``result``; note what it was asked."""
    asked = []

    def beacon_read(limit):
        asked.append(limit)
        if isinstance(result, Exception):
            raise result
        return result

    beacon.__salt__["keepalived.beacon_read"] = beacon_read
    return asked


@pytest.mark.parametrize(
    "config",
    [
        [],
        [{"limit": 1}],
        [{"limit": 10000}, {"interval": 2}],
        [{"limit": 500}, {"interval": 0.5}, {"enabled": True}, {"run_once": False}],
        [{"beacon_module": "keepalived"}, {"disable_during_state_run": False}],
        [{"limit": 500}, {"_beacon_name": "keepalived"}],
    ],
)
def test_a_sensible_configuration_is_accepted(beacon, config):
    assert beacon.validate(config)[0] is True


@pytest.mark.parametrize(
    ("config", "key", "value"),
    [
        ({"limit": 5}, "list", "{'limit': 5}"),
        (None, "list", "None"),
        (["limit"], "KEY: VALUE", "'limit'"),
        ([{"limit": 0}], "limit", "0"),
        ([{"limit": 10001}], "limit", "10001"),
        ([{"limit": "500"}], "limit", "'500'"),
        ([{"limit": True}], "limit", "True"),
        ([{"limit": 1.5}], "limit", "1.5"),
        ([{"limit": None}], "limit", "None"),
        ([{"interval": 0}], "interval", "0"),
        ([{"interval": "1s"}], "interval", "'1s'"),
        ([{"fifo": "/run/x"}], "'fifo'", "'/run/x'"),
    ],
)
def test_nonsense_is_refused_by_key_and_value(beacon, config, key, value):
    valid, message = beacon.validate(config)
    assert valid is False
    assert key in message
    assert f"{value}" in message


def test_events_are_returned_in_order_with_a_tag_each(beacon):
    rows = [ROW, {**ROW, "seq": 2, "to": "rx_lower"}]
    asked = reads(beacon, rows)
    assert beacon.beacon([{"limit": 7}, {"_beacon_name": "keepalived"}]) == [
        {**ROW, "tag": "VI_1/MASTER"},
        {**rows[1], "tag": "VI_1/rx_lower"},
    ]
    assert asked == [7]


def test_without_a_limit_the_default_holds(beacon):
    asked = reads(beacon, [])
    assert beacon.beacon([]) == []
    assert asked == [500]


@pytest.mark.parametrize("name", ["a/b", "ä ö", "../x", "%41", "a*", "{{ x }}", "a\nb", "", "."])
def test_a_name_cannot_break_out_of_its_place_in_the_tag(beacon, name):
    reads(beacon, [{**ROW, "instance": name}])
    (event,) = beacon.beacon([])
    assert re.fullmatch(r"(?:[A-Za-z0-9._~-]|%[0-9A-F]{2})*/MASTER", event["tag"])
    assert event["instance"] == name


def test_an_event_without_an_id_gets_the_minion_s(beacon):
    reads(beacon, [{**ROW, "id": None}])
    assert beacon.beacon([])[0]["id"] == "minion"


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (None, "run saltutil.sync_all"),
        (RuntimeError("spool.db: disk I/O error"), "spool.db: disk I/O error"),
        (KeyError("other"), "other"),
    ],
)
def test_whatever_goes_wrong_it_returns_a_list_and_says_so_once(beacon, problem, said):
    if problem is not None:
        reads(beacon, problem)
    assert [beacon.beacon([]) for _ in range(5)] == [[]] * 5
    (line,) = logged(beacon)
    assert line.startswith("ERROR")
    assert said in line
    reads(beacon, [ROW])
    assert len(beacon.beacon([])) == 1
    beacon.beacon([])
    assert [line.split()[0] for line in logged(beacon)] == ["ERROR", "INFO"]


def test_a_row_that_is_no_event_of_ours_does_not_raise(beacon):
    for row in ({}, {"instance": 5}, None, "x"):
        reads(beacon, [row])
        assert isinstance(beacon.beacon([]), list)


def test_salt_loads_it_and_puts_its_events_on_the_bus(tmp_path):
    """Through Salt's own beacon machinery, from a spool as the watch writes it."""
    opts = {
        **salt.config.DEFAULT_MINION_OPTS,
        "id": "n1",
        "__role": "minion",
        "cachedir": str(tmp_path / "cache"),
        "extension_modules": str(tmp_path / "extmods"),
        "sock_dir": str(tmp_path / "sock"),
        "module_dirs": [str(SALT)],
        "grains": {},
    }
    paths = Paths.under(tmp_path)
    with spool.Spool.create(paths.spool) as writer:
        writer.extend([{**ROW, "type": "instance", "time_us": 1, "instance": "VI 1"}] * 3)
    functions = {
        "keepalived.beacon_read": lambda limit: beacons.beacon_rows(paths, limit, process.self_id())
    }
    config = {"keepalived": [{"limit": 2}]}
    machine = salt.beacons.Beacon(opts, functions)
    calls = [machine.process(config, {}) for _ in range(4)]
    heartbeat = calls[1].pop()
    assert heartbeat["tag"] == "salt/beacon/n1/keepalived/node/heartbeat"
    assert (heartbeat["data"]["seq"], heartbeat["data"]["id"]) == (3, "n1")
    assert [[event["data"]["seq"] for event in call] for call in calls] == [[1, 2], [3], [], []]
    assert calls[0][0]["tag"] == "salt/beacon/n1/keepalived/VI%201/MASTER"
    # a refresh makes a new machine: nothing is sent twice
    again = salt.beacons.Beacon(opts, functions)
    assert again.process(config, {}) == []
