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


VIP = "192.168.1.220"


def mac(number: int) -> str:
    """The hardware address of controller<number>'s eth1."""
    return f"02:00:00:00:00:0{number}"


def node_status(
    number: int, state: str | None = "BACKUP", held: bool | None = None, **instance: object
) -> dict:
    """What ``keepalived.status`` returns on controller<number>; a MASTER holds the address."""
    held = state == "MASTER" if held is None else held
    keepalived = {"version": "2.2.7", "running": state != "STOP", "pid": 7, "problem": None}
    said = status(state, held=held, keepalived=keepalived)
    said["node"] = f"controller{number}"
    said["interfaces"] = {"eth1": {"mac": mac(number), "addresses": [f"192.168.1.1{number}/24"]}}
    (row,) = said["instances"]
    row.update(base_priority=100 + number, effective_priority=100 + number)
    row.update(version=2, advert_int=1.0, auth_type="none", use_vmac=False)
    row["adverts"] = {"received": 10, "sent": 10, "rejected": {}}
    row.update(instance)
    return said


def answers(*numbers: int, of: str = VIP, also: tuple[str, ...] = (), reached: int = 3) -> dict:
    """What ``keepalived.answers`` returns: these nodes, and other hardware addresses, answer.

    reached: the node whose own address answers; 0: none.
    """
    macs = [mac(number) for number in numbers] + list(also)
    said = {of: {"interface": "eth1", "macs": macs, "problem": None}}
    for number in (1, 2, 3):
        own = [mac(number)] if number == reached else []
        said[f"192.168.1.1{number}"] = {"interface": "eth1", "macs": own, "problem": None}
    return said
