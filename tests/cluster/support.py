"""What the cluster tests share: the classic pillar as data, and plain questions to the lab."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

from lab.lab import Lab

VIP = "192.168.1.220"
NODES = ("controller1", "controller2", "controller3")
CONFIG = "/etc/keepalived/keepalived.conf"

#: For so long after a planned row the hub takes what happens for planned (docs/incidents.md).
PLANNED_SECONDS = 30.0

CLASSIC: dict[str, Any] = {
    "cluster": "controllers",
    "config": {
        "global_defs": {"enable_script_security": True, "script_user": "root"},
        "vrrp_script": {"chk_haproxy": {"script": "/usr/bin/killall -0 haproxy", "interval": 2}},
        "vrrp_instance": {
            "VI_PUBLIC": {
                "interface": "eth1",
                "state": "BACKUP",
                "virtual_router_id": 52,
                "priority": 101,
                "virtual_ipaddress": [f"{VIP} dev eth1"],
                "track_script": ["chk_haproxy"],
            }
        },
    },
    "nodes": {name: {} for name in NODES},
    "priorities": {"VI_PUBLIC": {"controller1": 101, "controller2": 102, "controller3": 103}},
    "firewall": {
        "direct_rules": [
            {
                "ipv": "ipv4",
                "table": "filter",
                "chain": "INPUT",
                "priority": 0,
                "args": "-i eth1 -d 224.0.0.0/8 -j ACCEPT",
            }
        ]
    },
    "remediation": {"chk_haproxy": {"restart_service": "haproxy", "cooldown": 5}},
}


def classic(**changes: Any) -> dict[str, Any]:
    """The classic pillar; a key of *changes* is a path (``config/vrrp_script``), None deletes."""
    data = copy.deepcopy(CLASSIC)
    for path, value in changes.items():
        *parents, last = path.split("/")
        place = data
        for key in parents:
            place = place.setdefault(key, {})
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    return data


def instance(**settings: Any) -> dict[str, Any]:
    """The classic pillar with settings of its one instance changed; None deletes."""
    return classic(**{f"config/vrrp_instance/VI_PUBLIC/{k}": v for k, v in settings.items()})


def set_pillar(lab: Lab, data: Any, target: str = "controller*") -> None:
    """Give the nodes the pillar key ``keepalived`` with *data*; no key at all for None."""
    pillar = {} if data is None else {"keepalived": data}
    lab.master.write_file("/srv/pillar/under_test.sls", "#!json\n" + json.dumps(pillar))
    lab.master.write_file("/srv/pillar/top.sls", json.dumps({"base": {target: ["under_test"]}}))


def apply(
    lab: Lab,
    sls: str = "keepalived",
    target: str = "controller*",
    allowed: bool = False,
    **kwargs: Any,
) -> dict:
    """``state.apply``; {node: {state id: its return}}.  Asserts that every node answered.

    allowed: also what moves an address, or makes two masters for a while.
    """
    if allowed:
        kwargs["pillar"] = {"keepalived": {"allow_disruptive": True}}
    answers = lab.salt(target, "state.apply", sls, timeout=180, **kwargs)
    assert answers, f"no minion matched {target}"
    for node, states in answers.items():
        assert isinstance(states, dict), f"{node}: {states}"
    return answers


def failures(answers: dict) -> dict[str, list[str]]:
    """{node: [state: comment]} of the states that failed."""
    found = {}
    for node, states in answers.items():
        if not isinstance(states, dict):
            # what Salt says when it could not even begin
            found[node] = [str(states)]
            continue
        bad = [
            f"{state.get('__id__', key)}: {state['comment']}"
            for key, state in states.items()
            if state["result"] is False
        ]
        if bad:
            found[node] = bad
    return found


def changed(answers: dict) -> dict[str, list[str]]:
    """{node: [state ids]} of the states with changes."""
    found = {}
    for node, states in answers.items():
        ids = [state.get("__id__", key) for key, state in states.items() if state["changes"]]
        if ids:
            found[node] = ids
    return found


def holders(lab: Lab, address: str = VIP) -> list[str]:
    """The nodes whose kernel has the address now."""
    return [node.name for node in lab.controllers if node.running and node.holds(address)]


def wait_until(question: Callable[[], Any], timeout: float, what: str) -> Any:
    """The first true answer to *question*; fails naming the last one otherwise."""
    deadline = time.monotonic() + timeout
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < deadline, f"within {timeout:g} s not: {what}; last: {answer!r}"
        time.sleep(0.1)


def wait_one_holder(lab: Lab, expected: str | None = None, timeout: float = 20) -> str:
    """Wait until exactly one node has the VIP (*expected*, if given) for half a second."""

    def settled() -> str | None:
        first = holders(lab)
        if len(first) != 1 or expected not in (None, first[0]):
            return None
        time.sleep(0.5)
        return first[0] if holders(lab) == first else None

    return wait_until(settled, timeout, f"one holder of the VIP ({expected or 'any'})")


def wait_unplanned(lab: Lab) -> None:
    """Nothing is planned any more, and what was has come to its end: the hub allows 30 s for it."""
    lab.salt("controller*", "keepalived.planned", seconds=0, reason="a test begins")
    rows = lab.salt_run("keepalived.timeline", "controllers", last=300)["rows"]
    times = [
        datetime.fromisoformat(row["time"].replace("Z", "+00:00")) for row in rows if row["planned"]
    ]
    if times:
        time.sleep(max(0.0, max(times).timestamp() + PLANNED_SECONDS + 1 - time.time()))
