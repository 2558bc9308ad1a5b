"""A node's status as metrics."""

from __future__ import annotations

import argparse
import time

import pytest

from keepalived_core import exposition, metrics_command
from keepalived_core.node import metrics, state, status
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
        f'keepalived_vrrp_vip_present{{{LABELS},vip="192.0.2.10/24",device="eth1"}} 1',
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


def test_an_address_on_two_devices_has_a_line_for_each() -> None:
    vips = [f"fe80::1/64 dev {device} scope link set" for device in ("eth1", "eth2")]
    dumped = {"iname": "VI_1", "state": 2, "vrid": 52, "ifp_ifname": "eth1", "vips": vips}
    kernel = {"eth1": [("fe80::1", 64)], "eth2": []}
    row = status.from_dump(state.from_dump(dumped, {}), kernel, None)
    told = [line for line in lines(instance=row) if line.startswith("keepalived_vrrp_vip_present")]

    assert told == [
        f'keepalived_vrrp_vip_present{{{LABELS},vip="fe80::1/64",device="eth1"}} 1',
        f'keepalived_vrrp_vip_present{{{LABELS},vip="fe80::1/64",device="eth2"}} 0',
    ]


@pytest.mark.parametrize("out", [True, False], ids=["file", "standard output"])
def test_a_file_of_keepalived_that_is_no_utf_8_leaves_the_metrics_whole(
    tmp_path, monkeypatch, capfdbinary, out
) -> None:
    paths = Paths.under(tmp_path / "root")
    paths.config.parent.mkdir(parents=True)
    paths.config.write_bytes(
        b"vrrp_instance VI_B\xfcro {\n interface eth0\n virtual_router_id 51\n"
        b" virtual_ipaddress {\n 192.0.2.10/24\n }\n}\n"
    )
    found = metrics.gather(paths)
    monkeypatch.setattr(metrics, "gather", lambda: found)
    folder = tmp_path / "collector"
    folder.mkdir()
    path = folder / "keepalived.prom" if out else None

    assert metrics_command.run(argparse.Namespace(verb="metrics", out=path)) == 0
    told = path.read_bytes() if path else capfdbinary.readouterr().out
    assert rb'vip_present{vrrp_instance="VI_B\\udcfcro"' in told
    assert list(folder.iterdir()) == ([path] if path else [])


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
