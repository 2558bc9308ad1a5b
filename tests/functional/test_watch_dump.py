"""Asking a real keepalived for its dump: it is never killed by it, and no password stays behind."""

# ruff: noqa: F811  (the fixtures are imported)

import json
import os
import shutil
import subprocess
import threading
import time

import pytest

if os.geteuid() != 0:
    pytest.skip("namespaces need root", allow_module_level=True)
if shutil.which("keepalived") is None:
    pytest.skip("keepalived is not installed", allow_module_level=True)

from vrrp_nodes import PYTHON, until
from watch_pair import config, node, switch  # noqa: F401

pytestmark = pytest.mark.root

ASK = """
import json, time
from keepalived_core.node import dump
try:
    found = dump.read_json(timeout={timeout})
    print(json.dumps({{"states": {{i.name: i.state for i in found.instances}}}}))
except dump.DumpUnavailable as err:
    print(json.dumps({{"reason": err.reason}}))
"""


def ask(node, timeout=2.0):
    return json.loads(node.python(ASK.format(timeout=timeout)))


def test_a_keepalived_that_is_starting_is_never_killed_by_a_question(node):
    node.configure(config(150))
    code = """
import time
from keepalived_core.node import dump
end = time.monotonic() + 4
answers = set()
while time.monotonic() < end:
    try:
        dump.read_json(timeout=0.3)
        answers.add("answered")
    except dump.DumpUnavailable as err:
        answers.add(err.reason.split("(")[0])
print(answers)
"""
    asker = subprocess.Popen(
        node.enter("env", "PYTHONPATH=/var/lib/library", PYTHON, "-c", code),
        stdout=subprocess.PIPE,
        text=True,
    )
    for _ in range(3):
        node.start_keepalived()
        time.sleep(0.2)
        node.keepalived_pids()
        assert "died" not in node.log("keepalived")
        node.stop_keepalived()
    assert "answered" in asker.communicate()[0]


def test_a_frozen_keepalived_is_not_asked_and_not_flooded(node):
    node.configure(config(150))
    node.start_keepalived()
    assert until(lambda: "states" in ask(node))
    parent, child = node.keepalived_pids()
    for pid in (child, parent):
        node.signal("STOP", pid)
        before = time.monotonic()
        assert "is stopped" in ask(node)["reason"]
        assert time.monotonic() - before < 1
        node.signal("CONT", pid)
    asked = node.log("keepalived").count("Printing VRRP as json")
    time.sleep(0.3)
    assert node.log("keepalived").count("Printing VRRP as json") == asked


@pytest.mark.parametrize(
    ("spoil", "restore", "reason"),
    [
        ("mount -t tmpfs -o ro tmpfs /run/tmp", "umount /run/tmp", "/run/tmp is read-only"),
        ("mount -t tmpfs -o size=4k tmpfs /run/tmp; echo x > /run/tmp/x", "umount /run/tmp",
         "/run/tmp is full"),
        ("mv /run/tmp /run/tmp2", "mv /run/tmp2 /run/tmp", "/run/tmp does not exist"),
    ],
)  # fmt: skip
def test_a_dump_that_cannot_be_written_is_explained(node, spoil, restore, reason):
    node.configure(config(150))
    node.start_keepalived()
    assert until(lambda: "states" in ask(node))
    node.run("sh", "-c", spoil)
    assert reason in ask(node, timeout=0.3)["reason"]
    node.run("sh", "-c", restore)
    assert "states" in ask(node)


def test_a_keepalived_without_instances_is_told_from_one_that_does_not_run(node):
    assert ask(node)["reason"] == "keepalived is not running"
    node.configure("global_defs {\n router_id none\n}\nvrrp_script x {\n script /bin/true\n}\n")
    node.start("keepalived", "-n", "-l", log="keepalived.log")
    assert until(lambda: "writes none when it has no vrrp_instance" in ask(node, 0.2)["reason"])


def test_the_dump_of_a_keepalived_with_a_private_tmp_is_found(node):
    node.configure(config(150))
    node.start(
        "unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /tmp; exec keepalived -n -l",
        log="keepalived.log",
    )  # fmt: skip
    assert until(lambda: "states" in ask(node))


def test_many_who_ask_at_once_all_get_a_whole_and_fresh_answer(node):
    instances = "".join(
        f"vrrp_instance V{n} {{\n interface eth0\n virtual_router_id {n}\n priority 100\n"
        f" virtual_ipaddress {{\n 10.98.0.{n}/32\n }}\n}}\n"
        for n in range(1, 201)
    )
    node.configure("global_defs {\n router_id many\n}\n" + instances)
    node.start_keepalived()
    assert until(lambda: "states" in ask(node))
    code = """
import time
from keepalived_core.node import dump
for _ in range(15):
    asked = time.time()
    found = dump.read_json(timeout=10)
    # the file system's clock is that of the last tick, up to 10 ms behind
    assert found.taken > asked - 0.02, "stale"
    assert len(found.instances) == 200, "torn"
print("well")
"""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(node.python(code))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["well\n"] * 3


def test_no_dump_with_passwords_is_left_behind_but_somebody_else_s_is(node):
    node.configure(config(150))
    node.start_keepalived()
    dumped = node.root / "run/tmp/keepalived.json"
    assert until(lambda: "states" in ask(node))
    assert not dumped.exists()
    number = node.run("keepalived", "--signum=JSON").strip()
    node.signal(number, node.keepalived_pids()[0])
    assert until(dumped.exists)
    assert "states" in ask(node)
    assert dumped.exists()
