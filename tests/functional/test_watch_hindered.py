"""What hinders the watch: a FIFO full, gone or taken, messages missed, a full disk, itself away."""

# ruff: noqa: F811  (the fixtures are imported)

import json
import os
import shutil
import time

import pytest

if os.geteuid() != 0:
    pytest.skip("namespaces need root", allow_module_level=True)
if shutil.which("keepalived") is None:
    pytest.skip("keepalived is not installed", allow_module_level=True)

from vrrp_nodes import until
from watch_pair import (  # noqa: F401
    THEIR_FIFOS,
    assert_no_repetition,
    compare,
    config,
    machines,
    node,
    pair,
    switch,
)

pytestmark = pytest.mark.root


def test_a_fifo_that_was_full_is_said_and_made_up_for(pair):
    one, two = pair
    one.signal("STOP", one.watch_pid())
    one.python(
        "import os\n"
        "fd = os.open('/run/salt-keepalived/notify.fifo', os.O_WRONLY | os.O_NONBLOCK)\n"
        "try:\n"
        "    while True: os.write(fd, b'VS filler UP\\n')\n"
        "except BlockingIOError: pass\n"
    )
    one.cable("down")
    two.wait_for("MASTER")
    one.signal("CONT", one.watch_pid())
    one.wait_for("FAULT")
    assert "overflow" in [event["to"] for event in one.events("node")]
    assert one.status()["fifo_overflows"] > 0
    one.cable("up")
    one.wait_for("FAULT", "BACKUP", "MASTER")
    two.wait_for("MASTER", "BACKUP")
    compare(one, late=(0,))


def test_a_fifo_that_somebody_removes_and_makes_anew(pair):
    one, two = pair
    one.paths.fifo.unlink()
    os.mkfifo(one.paths.fifo)
    time.sleep(1.2)
    # keepalived still writes to the one that was removed, and is still heard
    one.cable("down")
    one.wait_for("FAULT")
    one.cable("up")
    one.wait_for("FAULT", "BACKUP", "MASTER")
    # from its next reload on it writes to the one that is there
    one.paths.fifo.unlink()
    assert until(one.paths.fifo.exists, 2)
    one.signal("HUP", one.keepalived_pids()[0])
    time.sleep(0.5)
    one.cable("down")
    one.wait_for("MASTER", "FAULT")
    one.cable("up")
    one.wait_for("FAULT", "BACKUP", "MASTER")
    assert {event["source"] for event in one.events()} == {"fifo"}
    compare(one, two)


def test_a_watch_that_starts_after_the_fifo_was_removed_hears_keepalived_all_the_same(pair):
    one, two = pair
    one.signal("KILL", one.watch_pid())
    one.paths.fifo.unlink()
    one.start_watch()
    assert "fifo" in one.status()["sources"]
    one.cable("down")
    one.wait_for("FAULT")
    one.cable("up")
    one.wait_for("FAULT", "BACKUP", "MASTER")
    assert {event["source"] for event in one.events()} == {"fifo"}
    compare(one, two)
    one.signal("HUP", one.keepalived_pids()[0])


def test_keepalived_restarted_while_the_watch_is_away(pair):
    one, _ = pair
    one.signal("KILL", one.watch_pid())
    one.stop_keepalived()
    one.start_keepalived()
    time.sleep(1)
    one.start_watch()
    assert until(lambda: one.state() == "MASTER" and "json" in one.status()["sources"])
    # the lines of the first keepalived ended with it, for then nobody held the FIFO open
    assert one.states() in (["BACKUP", "MASTER"], ["STOP", "BACKUP", "MASTER"], [])
    assert_no_repetition(one)


def test_what_happens_while_the_watch_is_away_is_told_in_order_when_it_is_back(pair):
    one, two = pair
    one.signal("KILL", one.watch_pid())
    one.cable("down")
    two.wait_for("MASTER")
    one.cable("up")
    two.wait_for("MASTER", "BACKUP")
    one.start_watch()
    one.wait_for("FAULT", "BACKUP", "MASTER")
    assert {event["reason"] for event in one.events()} == {"happened while the watch was away"}
    compare(one, late=(0, 1))
    compare(two)


def test_the_kernel_s_messages_may_overrun(pair):
    one, _ = pair
    one.stop_observer()
    one.signal("STOP", one.watch_pid())
    batch = "".join(
        f"addr {verb} 10.{50 + n // 250}.{n % 250}.1/32 dev lo\n"
        for verb in ("add", "del")
        for n in range(6000)
    )
    (one.root / "run/batch").write_text(batch)
    one.run("ip", "-batch", "/run/batch")
    one.cable("down")
    time.sleep(0.2)
    one.cable("up")
    time.sleep(0.6)
    one.signal("CONT", one.watch_pid())
    one.wait_for("FAULT", "BACKUP", "MASTER")
    assert "the kernel dropped address messages" in one.log("watch")
    assert until(lambda: one.status()["instances"]["VI"]["vip_present"])
    assert_no_repetition(one)
    one.start_observer()


def test_where_both_fifo_keywords_are_taken_addresses_and_dump_do(pair):
    one, two = pair
    one.configure(config(150, fifo=THEIR_FIFOS))
    one.stop_keepalived()
    one.start_keepalived()
    one.wait_for("MASTER")
    assert until(lambda: one.status()["sources"] == ["netlink", "json"], 6)
    assert one.status()["fifo_configured"] is False
    two.wait_for("MASTER", "BACKUP")
    one.begin_chapter()
    one.stop_keepalived()
    one.wait_for("STOP")
    two.wait_for("MASTER")
    one.start_keepalived()
    one.wait_for("MASTER")
    one.cable("down")
    one.wait_for("FAULT")
    one.cable("up")
    one.wait_for("MASTER")
    two.wait_for("MASTER", "BACKUP")
    assert {event["source"] for event in one.events()} <= {"resync", "json", "netlink"}
    compare(one)
    # a fault without an address to lose
    one.configure(config(50, fifo=THEIR_FIFOS))
    one.signal("HUP", one.keepalived_pids()[0])
    one.wait_for("BACKUP")
    one.cable("down")
    one.wait_for("FAULT", timeout=3)
    one.cable("up")
    one.wait_for("BACKUP", timeout=3)
    compare(one)


def test_a_watch_without_keepalived_is_idle(node):
    node.configure(config(150))
    node.start_watch()
    time.sleep(1)
    node.paths.fifo.unlink()
    node.configure(config(151))
    node.run("ip", "link", "set", "eth0", "down")
    time.sleep(1.2)

    def used():
        fields = node.run("cat", f"/proc/{node.watch_pid()}/stat").rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before = used()
    time.sleep(3)
    assert used() - before < 0.3


def test_a_disk_that_is_full_costs_no_event(node):
    node.paths.state_dir.mkdir()
    options = ["-t", "tmpfs", "-o", "size=400k,mode=0700"]
    node.run("mount", *options, "tmpfs", "/var/lib/salt-keepalived")
    node.configure(config(150).replace("10.99.0.1", "10.97.0.1"))
    node.start_watch()
    node.run("sh", "-c", "cat /dev/zero > /var/lib/salt-keepalived/filler || true")
    node.start_keepalived()
    assert until(lambda: node.status()["problems"])
    assert "full" in node.status()["problems"][0]
    assert node.status()["spool"]["pending"] > 0
    until(lambda: node.status()["instances"].get("VI", {}).get("state") == "MASTER")
    node.run("rm", "/var/lib/salt-keepalived/filler")
    assert until(lambda: node.status()["spool"]["pending"] == 0)
    assert node.status()["problems"] == []
    rows = json.loads(
        node.python(
            "import json; from keepalived_core.node.journal import journal;"
            "print(json.dumps([[r['seq'], r['instance'], r['to']] for r in journal(last=99)]))"
        )
    )
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert [to for _, name, to in rows if name == "VI"] == ["BACKUP", "MASTER"]
