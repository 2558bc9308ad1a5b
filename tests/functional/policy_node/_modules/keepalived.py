"""A node as the policy's tests want it: what it is stands in a file of its own."""

import json
import os
import pathlib
import time


def __virtual__():
    return "keepalived"


def _path():
    return pathlib.Path(__opts__["policy_test_world"]) / f"{__opts__['id']}.json"


def _read():
    return json.loads(_path().read_text(encoding="utf-8"))


def _write(node):
    fresh = _path().with_suffix(".fresh")
    fresh.write_text(json.dumps(node), encoding="utf-8")
    os.replace(fresh, _path())


def status():
    """What the node says of itself, which need not be true."""
    node = _read()
    drained = node["drained"]
    return {
        "node": __opts__["id"],
        "keepalived": {"version": "2.2.7", "running": True, "pid": 7, "problem": None},
        "watch": {"running": True},
        "drain": {"drained": drained, "missing": [], "reason": node["reason"]},
        "instances": [
            {
                "instance": "VI_PUBLIC",
                "state": node["state"],
                "base_priority": node["priority"],
                "effective_priority": node["priority"],
                "vrid": 52,
                "interface": "eth1",
                "sync_group": None,
                "since": "2026-11-22T03:04:05.000000+00:00",
                "vips": [
                    {
                        "address": "192.168.1.220/24",
                        "interface": "eth1",
                        "present": node["state"] == "MASTER",
                    }
                ],
                "vip_present": node["state"] == "MASTER",
            }
        ],
        "time": "2026-11-22T03:04:06.000000+00:00",
    }


def planned(seconds=None, reason="planned by hand"):
    """Note the mark."""
    node = _read()
    node["planned"] = float(seconds)
    _write(node)
    return {"until": seconds, "reason": reason}


def drain(reason=None, expires=None, mode="auto", force=False, peers_healthy=None):
    """Note that it was done, take as long as the test says, and give the address away."""
    node = _read()
    assert node["planned"], "what we cause is marked first"
    node["effects"].append(f"drain {mode}")
    _write(node)
    time.sleep(node["slow"])
    _write({**_read(), "drained": True, "state": "FAULT", "reason": reason})
    return {"drained": True, "mode": mode, "instances": {}, "did": ["drained"]}


def undrain():
    """Note that it was done."""
    node = _read()
    node["effects"].append("undrain")
    _write({**node, "drained": False, "state": "BACKUP"})
    return {"drained": False, "instances": {}, "did": ["undrained"]}
