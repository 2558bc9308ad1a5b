"""What a harmless change costs: ``interval: 2`` -> ``3`` on three live controllers.

Ours is a state run on all nodes at once; beside it, in the same lab, the restart that a plain
file.managed + service.running formula does.
"""

from __future__ import annotations

import json
import os
import sys
import time

from bench.classic import classic_lab
from lab.demo import VIP, summarise
from lab.lab import Lab
from lab.probing import probing


def main() -> None:
    if os.geteuid() != 0:
        print("left out: it boots a lab, which needs root", file=sys.stderr)
        return
    with classic_lab() as lab:
        print("| change on three nodes | probes | lost | longest gap s |")
        print("| --- | --- | --- | --- |")
        with probing(lab, VIP) as probe:
            pillar = json.dumps({"keepalived": _slower(lab)})
            summarise(lab.salt("controller*", "state.apply", "keepalived", pillar=pillar))
            time.sleep(5)
        print(
            f"| state.apply keepalived | {probe['sent']} | {probe['lost']} | {probe['longest']} |"
        )
        with probing(lab, VIP) as probe:
            lab.salt("controller*", "service.restart", "keepalived")
            time.sleep(10)
        _row("service.restart", probe)


def _row(what: str, probe: dict) -> None:
    print(f"| {what} | {probe['sent']} | {probe['lost']} | {probe['longest']} |")


def _slower(lab: Lab) -> dict:
    data = lab.salt_call("controller1", "pillar.get", "keepalived", unmask=True)
    data["config"]["vrrp_script"]["chk_haproxy"]["interval"] = 3
    return dict(data)
