"""What a node tells an audit: its file beside its pillar, what runs, what it hears; no secret."""

from __future__ import annotations

import json
import types
from pathlib import Path
from typing import Any

import pytest

from keepalived_core import audit_facts as gathering
from keepalived_core import conf
from keepalived_core.check.describe import marker
from keepalived_core.node import dump, process
from keepalived_core.node.paths import Paths
from keepalived_core.node.state import Instance, Vip

FILE = """
vrrp_sync_group VG1 {
    group {
        VI
    }
}
vrrp_instance VI {
    interface eth1
    virtual_router_id 52
    priority 101
    authentication {
        auth_type PASS
        auth_pass SeCrEt1
    }
    virtual_ipaddress {
        192.168.1.220 dev eth1
    }
}
virtual_server 10.0.0.1 80 {
    real_server 10.0.0.2 80 {
        SMTP_CHECK {
            connect_timeout 3
        }
    }
}
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    found = Paths.under(tmp_path)
    found.config.parent.mkdir(parents=True)
    found.config.write_text(FILE)
    return found


PILLARS = {
    "the same secret": (FILE, True),
    "another secret": (FILE.replace("SeCrEt1", "other"), False),
    "no secret": (FILE.replace("auth_pass SeCrEt1", "").replace("auth_type PASS", ""), False),
    "no such instance": ("", False),
    "no pillar": (None, None),
}


@pytest.mark.parametrize(("text", "same"), PILLARS.values(), ids=PILLARS)
def test_of_a_secret_it_tells_only_whether_it_is_that_of_the_pillar(paths, text, same):
    pillar = None if text is None else conf.parse(text)

    told = gathering.written(paths, pillar, marker())

    assert told["instances"][0]["auth"] == {"type": "PASS", "as_pillar": same}
    assert "SeCrEt1" not in json.dumps(told)
    assert told["words"] == ["SMTP_CHECK", "vrrp_sync_group with one member"]


def instance(**changes: Any) -> Instance:
    plain = {
        "name": "VI",
        "state": "BACKUP",
        "vrid": 52,
        "family": "ipv4",
        "interface": "eth1",
        "base_priority": 101,
        "effective_priority": 101,
        "vips": (Vip("192.168.1.220", 32),),
        "advert_interval": 1.0,
        "version": 2,
    }
    return Instance(**{**plain, **changes})


def dumps(monkeypatch: pytest.MonkeyPatch, *found: Instance) -> None:
    """keepalived's dumps, one after the other."""
    queue = list(found)
    made = lambda _paths: types.SimpleNamespace(instances=(queue.pop(0),))  # noqa: E731
    monkeypatch.setattr(dump, "read_json", made)
    monkeypatch.setattr(process, "version", lambda: None)


def test_what_is_heard_and_refused_is_what_grew_while_it_looked_on(monkeypatch, paths):
    dumps(
        monkeypatch,
        instance(stats={"advert_rcvd": 5, "addr_list_err": 1, "auth_failure": 3}),
        instance(stats={"advert_rcvd": 6, "addr_list_err": 4, "auth_failure": 3}),
    )
    slept: list[float] = []

    told = gathering.running(paths, slept.append)

    assert slept == [pytest.approx(1.3)]
    assert told["VI"]["heard"] == 1
    assert told["VI"]["rejected"] == {
        "addr_list_err": {"total": 4, "grew": 3},
        "auth_failure": {"total": 3, "grew": 0},
    }
    assert (told["VI"]["was"], told["VI"]["state"], told["VI"]["family"]) == (
        "BACKUP",
        "BACKUP",
        4,
    )


def test_it_does_not_look_on_for_minutes(monkeypatch, paths):
    dumps(monkeypatch, *[instance(advert_interval=40.0)] * 2)
    slept: list[float] = []

    gathering.running(paths, slept.append)

    assert slept == [gathering.LONGEST]


LOADED = {
    "what the file says": ({}, []),
    "another priority": ({"base_priority": 99}, ["VI base_priority is 99, not 101"]),
    "another address": (
        {"vips": (Vip("192.168.1.221", 32),)},
        ["VI vips is ['192.168.1.221/32'], not ['192.168.1.220/32']"],
    ),
}


@pytest.mark.parametrize(("changes", "differs"), LOADED.values(), ids=LOADED)
def test_what_runs_is_compared_with_the_file(monkeypatch, paths, changes, differs):
    dumps(monkeypatch, *[instance(**changes)] * 2)
    runs = gathering.running(paths, lambda _seconds: None)

    assert gathering.not_loaded(paths, runs) == differs


def test_a_fact_that_cannot_be_had_is_named_with_its_reason_and_without_a_secret():
    found = gathering.Gathered()

    def fails():
        raise OSError("line 3: auth_pass SeCrEt1 is too long")

    assert found.add("good", lambda: 1) == 1
    assert found.add("bad", fails) is None
    assert found.facts == {"good": 1, "bad": None}
    assert found.missing == {"bad": "line 3: auth_pass <redacted>"}
