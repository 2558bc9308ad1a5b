"""A node as the reactor's tests want it: what it says is in a file that the test writes."""

import json
import pathlib


def __virtual__():
    return "keepalived"


def _world():
    return json.loads(pathlib.Path(__opts__["reactor_test_world"]).read_text(encoding="utf-8"))


def checks(instance=None):
    """What the tracked scripts of the instance say."""
    found = _world()["checks"]
    return {name: check for name, check in found.items() if instance in check["instances"]}


def status():
    """The node's claim."""
    world = _world()
    row = {
        "instance": "VI_PUBLIC",
        "state": world["state"],
        "base_priority": 103,
        "effective_priority": 103,
        "vrid": 52,
        "interface": "eth1",
        "sync_group": None,
        "since": "2026-11-22T03:04:05.000000+00:00",
        "vips": [{"address": "192.168.1.220/24", "interface": "eth1", "present": False}],
        "vip_present": False,
    }
    return {
        "node": __opts__["id"],
        "cluster": "controllers",
        "keepalived": {"version": "2.2.7", "running": True, "pid": 7, "problem": None},
        "watch": {"running": True},
        "instances": [row],
        "time": "2026-11-22T03:04:06.000000+00:00",
    }


def journal(last=20, since=None, instance=None):
    """The node's rows."""
    return _world()["journal"][-last:]
