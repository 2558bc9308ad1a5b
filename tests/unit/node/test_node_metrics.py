"""A node's status as metrics."""

from __future__ import annotations

import pytest

from keepalived_core import exposition
from keepalived_core.node import metrics

NOW = 1795661604.5
INSTANCE = {
    "instance": "VI_1", "sync_group": None, "state": "MASTER", "vrid": 52, "interface": "eth1",
    "base_priority": 103, "effective_priority": 53, "vip_present": True,
    "vips": [{"address": "192.0.2.10/24", "interface": "eth1", "present": True, "excluded": False}],
    "since": "2026-11-22T03:04:05.000000+00:00",
    "adverts": {"received": 7, "sent": 9, "rejected": {"authtype_mismatch": 3}},
}  # fmt: skip
STATUS = {
    "cluster": "controllers",
    "keepalived": {"version": "2.2.7", "running": True, "pid": 1, "problem": None},
    "watch": {"running": True, "spool": {"last_seq": 4, "pending": 0, "dropped": 1}, "problems": []},
    "drain": {"drained": False},
    "instances": [INSTANCE],
}  # fmt: skip
LABELS = 'instance="VI_1",vrid="52",interface="eth1"'


def lines(**changes: object) -> list[str]:
    return exposition.render(metrics.families({**STATUS, **changes}, NOW)).splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "keepalived_up 1",
        'keepalived_info{version="2.2.7",cluster="controllers"} 1',
        f'keepalived_vrrp_state{{{LABELS},state="MASTER"}} 1',
        f'keepalived_vrrp_state{{{LABELS},state="FAULT"}} 0',
        f'keepalived_vrrp_vip_present{{{LABELS},vip="192.0.2.10/24"}} 1',
        f"keepalived_vrrp_effective_priority{{{LABELS}}} 53",
        f"keepalived_vrrp_adverts_received_total{{{LABELS}}} 7",
        f'keepalived_vrrp_adverts_refused_total{{{LABELS},reason="authtype_mismatch"}} 3',
        "salt_keepalived_spool_dropped_total 1",
        "salt_keepalived_drained 0",
    ],
)
def test_each_thing_that_is_known_has_its_line(line: str) -> None:
    assert line in lines()


def test_of_an_instance_whose_state_is_unknown_no_state_is_told() -> None:
    unknown = {**INSTANCE, "state": None, "effective_priority": None, "since": None, "adverts": {}}
    told = "\n".join(lines(instances=[unknown]))

    assert "keepalived_vrrp_state{" not in told
    assert "effective_priority" not in told
    assert "vip_present" in told
