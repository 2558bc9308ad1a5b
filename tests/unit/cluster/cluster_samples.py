"""Plain data that several tests start from."""

from __future__ import annotations

from keepalived_core.cluster.event import Event, validate_event

DATA = {
    "schema": 1,
    "type": "instance",
    "id": "controller3",
    "cluster": "controllers",
    "stream_id": "0123456789abcdef0123456789abcdef",
    "seq": 7,
    "instance": "VI_PUBLIC",
    "sync_group": None,
    "vrid": 52,
    "family": "ipv4",
    "interface": "eth1",
    "from": "MASTER",
    "to": "FAULT",
    "reason": "chk_haproxy failed",
    "base_priority": 103,
    "effective_priority": 103,
    "vips": ["192.168.1.220/24"],
    "vip_present": False,
    "source": "fifo",
    "time": "2026-11-22T03:04:05.123456Z",
    "monotonic_us": 12,
    "planned": False,
    "dropped": 0,
    "keepalived_version": "2.2.7",
    "_stamp": "2026-11-22T03:04:05.200000",
}
#: Seconds since the epoch of DATA's time.
WHEN = 1795316645.123456
TAG = "salt/beacon/controller3/keepalived/VI_PUBLIC/FAULT"

PILLAR = {
    "keepalived": {
        "cluster": "controllers",
        "config": {"vrrp_instance": {"VI_PUBLIC": {"interface": "eth1"}}},
        "nodes": {"controller1": {}, "controller2": {}, "controller3": {}},
        "remediation": {"chk_haproxy": {"restart_service": "haproxy", "cooldown": 60}},
    }
}


def event(**changes: object) -> Event:
    """A checked event: DATA with these changes."""
    data = {**DATA, **changes}
    found = validate_event(
        f"salt/beacon/{data['id']}/keepalived/{data['instance']}/{data['to']}", data
    )
    assert isinstance(found, Event), found
    return found


def status(state: str | None = "FAULT", *, held: bool | None = False, **more: object) -> dict:
    """What ``keepalived.status`` returns on a node with one instance."""
    return {
        "node": "controller3",
        "cluster": "controllers",
        "time": "2026-11-22T03:04:06.000000+00:00",
        "keepalived": {"version": "2.2.7", "running": True, "pid": 7, "problem": None},
        "watch": {"running": True, "sources": ["netlink", "fifo"], "spool": {}},
        "instances": [
            {
                "instance": "VI_PUBLIC",
                "sync_group": None,
                "state": state,
                "vrid": 52,
                "interface": "eth1",
                "base_priority": 103,
                "effective_priority": 103,
                "vips": [{"address": "192.168.1.220/24", "interface": "eth1", "present": held}],
                "vip_present": held,
                "since": "2026-11-22T03:04:05.000000+00:00",
            }
        ],
        **more,
    }
