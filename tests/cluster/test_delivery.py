"""How the bundle reaches a node: synced to a running minion, or masterless on a fourth machine."""

import concurrent.futures
import json
import re
import shutil
import threading
import time
from pathlib import Path

import pytest
from observer import Observer
from support import CONFIG, NODES, VIP, apply, changed, classic, failures, set_pillar, wait_until

from bench.chaos import play

pytestmark = [pytest.mark.lab, pytest.mark.root]

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = "/usr/local/lib/salt-keepalived/keepalived_core/__init__.py"
WATCH = "salt-keepalived-watch.service"


@pytest.fixture
def newer_tree(tmp_path):
    """This repository's salt/ and pillar/ with a version of the library that nobody has yet."""
    for part in ("salt", "pillar"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    path = tmp_path / "salt" / "_utils" / "keepalived_core" / "__init__.py"
    text, count = re.subn(r'__version__ = "[^"]+"', '__version__ = "9.9.9"', path.read_text())
    assert count == 1
    path.write_text(text)
    return tmp_path


def main_pid(node, unit):
    return node.run(["systemctl", "show", "-P", "MainPID", unit]).stdout.strip()


def bundles(lab):
    """The version of the library that each node's minion has loaded."""
    answers = lab.salt("controller*", "keepalived.version")
    return [answer["bundle"] for answer in answers.values() if isinstance(answer, dict)]


def test_a_synced_library_is_in_force_in_a_running_minion_and_its_watch(healthy, newer_tree):
    node = healthy.node("controller1")
    before = healthy.salt("controller1", "keepalived.version")["controller1"]["bundle"]
    assert before != "9.9.9"
    minion, watch = main_pid(node, "salt-minion"), main_pid(node, WATCH)
    try:
        with Observer(healthy.controllers, VIP) as kernel:
            healthy.push(newer_tree)
            set_pillar(healthy, classic())
            healthy.salt("controller*", "saltutil.sync_all")
            after = healthy.salt("controller1", "keepalived.version")["controller1"]["bundle"]
            assert after == "9.9.9"
            assert main_pid(node, "salt-minion") == minion, "without a restart of the minion"
            assert failures(apply(healthy, "keepalived.watch")) == {}
            assert '"9.9.9"' in node.read_file(LIBRARY)
            assert main_pid(node, WATCH) not in ("0", watch), "the watch runs the new library"
        assert kernel.changes() == []
    finally:
        healthy.push()
        set_pillar(healthy, classic())
        healthy.salt("controller*", "saltutil.sync_all")
        assert failures(apply(healthy, "keepalived.watch")) == {}


def test_an_upgrade_while_the_address_moves_to_and_fro_loses_no_transition(healthy, newer_tree):
    """Watch and library on all nodes are exchanged; what happens while a watch is away it tells as
    its result when it is back."""
    owner, done = healthy.node("controller3"), threading.Event()

    def to_and_fro(truth):
        while not done.is_set():
            for verb, there in (("stop", False), ("start", True)):
                owner.run(["systemctl", verb, "keepalived"])
                wait_until(lambda there=there: truth.holds(owner.name) == there, 20, verb)
                done.wait(0.5)

    def upgrade(truth):
        with concurrent.futures.ThreadPoolExecutor(1) as aside:
            moving = aside.submit(to_and_fro, truth)
            try:
                healthy.push(newer_tree)
                healthy.salt("controller*", "saltutil.sync_all", timeout=60)
                wait_until(lambda: bundles(healthy) == ["9.9.9"] * 3, 60, "synced")
                done_by = apply(healthy, "keepalived.watch")
                assert failures(done_by) == {}
                assert set(changed(done_by)) == set(NODES)
                time.sleep(5)
            finally:
                done.set()
            moving.result()
        return []

    try:
        outcome = play.watched(healthy, upgrade)
        for node in healthy.controllers:
            assert '"9.9.9"' in node.read_file(LIBRARY)
    finally:
        healthy.push()
        healthy.salt("controller*", "saltutil.sync_all")
        assert failures(apply(healthy, "keepalived.watch")) == {}
    seen = outcome.result
    print(f"compared {seen.compared}, while no watch ran {seen.blind}: {outcome.bad}")
    assert outcome.bad == []
    assert seen.compared + seen.blind >= 6


def test_masterless_on_a_fourth_machine(healthy):
    name = "controller4"
    lab = healthy
    node = lab.add_node(name, salt=True, minion=False)
    lab.push(node=name)
    pillar = classic(
        nodes={name: {}},
        priorities={"VI_MASTERLESS": {name: 150}},
        **{
            "config/vrrp_instance": {
                "VI_MASTERLESS": {
                    "interface": "eth1",
                    "virtual_router_id": 77,
                    "virtual_ipaddress": ["192.168.1.221 dev eth1"],
                }
            }
        },
    )
    node.write_file("/srv/pillar/top.sls", '{"base": {"*": ["under_test"]}}')
    node.write_file("/srv/pillar/under_test.sls", "#!json\n" + json_pillar(pillar))
    lab.salt_call(name, "saltutil.sync_all", local=True)
    states = lab.salt_call(name, "state.apply", "keepalived", local=True)
    assert failures({name: states}) == {}
    wait_until(lambda: node.holds("192.168.1.221"), 20, "the fourth machine holds its address")
    again = lab.salt_call(name, "state.apply", "keepalived", local=True)
    assert [state["__id__"] for state in again.values() if state["changes"]] == []
    assert "VI_MASTERLESS" in node.read_file(CONFIG)
    status = lab.salt_call(name, "keepalived.status", local=True)
    assert [(one["state"], one["vip_present"]) for one in status["instances"]] == [("MASTER", True)]
    node.run(["systemctl", "stop", "keepalived"])


def json_pillar(data):

    return json.dumps({"keepalived": data})
