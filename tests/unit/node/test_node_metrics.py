"""A node's status as metrics."""

from __future__ import annotations

import time

import pytest

from keepalived_core import exposition
from keepalived_core.node import metrics
from keepalived_core.node.event import Moment
from keepalived_core.node.paths import Paths
from keepalived_core.node.spool import Spool
from keepalived_core.node.spool_delivery import Backlog
from tests.unit import metrics_samples as samples

LABELS = 'vrrp_instance="VI_1",vrid="52",interface="eth1"'


def lines(**changes: object) -> list[str]:
    return exposition.render(samples.node(**changes)).splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "keepalived_up 1",
        'keepalived_info{version="2.2.7",cluster="controllers"} 1',
        f'keepalived_vrrp_state{{{LABELS},state="MASTER"}} 1',
        f'keepalived_vrrp_state{{{LABELS},state="FAULT"}} 0',
        f'keepalived_vrrp_vip_present{{{LABELS},vip="192.0.2.10/24"}} 1',
        f"keepalived_vrrp_effective_priority{{{LABELS}}} 53",
        f"keepalived_vrrp_became_master_total{{{LABELS}}} 2",
        f"keepalived_vrrp_released_master_total{{{LABELS}}} 1",
        f"keepalived_vrrp_adverts_received_total{{{LABELS}}} 7",
        f'keepalived_vrrp_adverts_refused_total{{{LABELS},reason="authtype_mismatch"}} 3',
        f'keepalived_vrrp_adverts_refused_total{{{LABELS},reason="auth_failure"}} 0',
        "salt_keepalived_metrics_timestamp_seconds 1795661604.5",
        "salt_keepalived_spool_events_total 4",
        "salt_keepalived_spool_dropped_total 0",
        "salt_keepalived_spool_undelivered 0",
        "salt_keepalived_drained 0",
    ],
)
def test_each_thing_that_is_known_has_its_line(line: str) -> None:
    assert line in lines()


def test_no_label_is_called_as_prometheus_calls_the_target() -> None:
    assert not [line for line in lines() if "{instance=" in line or ",instance=" in line]


def test_of_an_instance_whose_state_is_unknown_no_state_is_told() -> None:
    unknown = {"state": None, "effective_priority": None, "since": None, "adverts": {}}
    told = "\n".join(lines(instance=unknown))

    assert "keepalived_vrrp_state{" not in told
    assert "effective_priority" not in told
    assert "adverts_refused_total{" not in told
    assert "vip_present" in told


def test_where_nobody_delivers_events_no_depth_is_told() -> None:
    assert not [line for line in lines(waiting=None) if "undelivered" in line]


def test_the_oldest_event_that_waits_has_its_time() -> None:
    told = lines(waiting=Backlog(3, 1795661600500000))
    assert "salt_keepalived_spool_undelivered 3" in told
    assert "salt_keepalived_spool_oldest_undelivered_timestamp_seconds 1795661600.5" in told


EVENT = {"type": "instance", "instance": "VI_1", "to": "MASTER"}


def test_what_waits_in_a_spool_is_what_no_master_acknowledged(tmp_path) -> None:
    paths = Paths.under(tmp_path)
    paths.state_dir.mkdir(parents=True)
    assert metrics.backlog(paths) is None

    first = Moment.now().wall_us
    with Spool.create(paths.spool) as spool:
        spool.extend({**EVENT, "time_us": first + count} for count in range(3))
        assert spool.backlog() is None, "nobody ever delivered"
        spool.acknowledged("master", 1, "me")

    assert metrics.backlog(paths) == Backlog(2, first + 1)


def test_a_node_without_anything_has_metrics_too(tmp_path) -> None:
    """keepalived may be missing, the watch too: the file says so."""
    told = exposition.render(metrics.gather(Paths.under(tmp_path))).splitlines()
    assert "salt_keepalived_watch_up 0" in told
    (stamp,) = (line for line in told if line.startswith("salt_keepalived_metrics_timestamp"))
    assert abs(float(stamp.split()[1]) - time.time()) < 60
