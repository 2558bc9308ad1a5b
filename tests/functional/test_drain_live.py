"""Drain and undrain beside real keepalived daemons; the kernels' own records say who had what."""

import json
import os
import shutil
import time

import pytest

if os.geteuid() != 0:
    pytest.skip("namespaces need root", allow_module_level=True)
if shutil.which("keepalived") is None:
    pytest.skip("keepalived is not installed", allow_module_level=True)

from vrrp_nodes import Node, Switch, until

from keepalived_core import conf
from keepalived_core.node import drain_track, process

pytestmark = pytest.mark.root

FILE = "/var/lib/salt-keepalived/drain"
VIP, OTHER = "10.99.0.100", "10.99.0.110"
# keepalived's own time to let go when it stops is one skew; a busy machine adds its own.
STOP_SECONDS = 0.1 * 1.2 + 0.5

INSTANCE = """
vrrp_instance {name} {{
 interface eth0
 virtual_router_id {vrid}
 version 3
 advert_int 0.1
 priority {priority}
 {more}
 virtual_ipaddress {{
  {vip}/24
 }}
}}
"""
GROUP = "vrrp_sync_group G {\n group {\n  VI\n  VJ\n }\n}\n"


def config(priority, more="", group=False, tracked=True):
    """A keepalived.conf as the bundle makes it."""
    text = (
        "global_defs {\n vrrp_priority -20\n vrrp_notify_fifo /run/salt-keepalived/notify.fifo\n}"
    )
    text += GROUP if group else ""
    text += INSTANCE.format(name="VI", vrid=51, priority=priority, more=more, vip=VIP)
    if group:
        text += INSTANCE.format(name="VJ", vrid=52, priority=priority, more=more, vip=OTHER)
    tree = conf.parse(text)
    if tracked:
        assert drain_track.add(tree, process.version().tuple, FILE) == []
    return conf.render(tree)


def call(node, code):
    """A verb of the library inside the node: what it returns, or the text of its DrainError."""
    said = node.python(f"""
import json
from keepalived_core.node import drain, drain_file, drain_status
try:
    said = {code}
except drain.DrainError as err:
    said = err.reason
print(json.dumps(said))
""")
    return json.loads(said)


def has(node, address=VIP):
    return f" {address}/" in node.run("ip", "-o", "addr")


def moves(*nodes):
    """What the kernels have said of the VIP since the last time: (node, NEWADDR or DELADDR, s)."""
    time.sleep(0.2)
    found = [
        (node.name, what, at / 1e6)
        for node in nodes
        for what, address, at in node.observed()
        if address == VIP
    ]
    for node in nodes:
        node.truth.clear()
    return sorted(found, key=lambda row: row[2])


@pytest.fixture(scope="module")
def machines(tmp_path_factory):
    switch, root = Switch(), tmp_path_factory.mktemp("drain")
    nodes = [Node(switch, root, number) for number in (1, 2)]
    yield nodes
    for node in nodes:
        node.close()
    switch.close()


@pytest.fixture
def start(machines):
    """start(config of n1, config of n2): both run, n1 is MASTER, nothing has been observed."""
    one, two = machines

    def begin(first, second=None):
        for node, text in ((one, first), (two, second)):
            if text is not None:
                call(node, "drain_file.prepare()")
                node.configure(text)
                node.start_keepalived()
            if node is one:
                assert until(lambda: has(one)), one.log("keepalived")
        time.sleep(0.5)
        moves(one, two)
        return one, two

    yield begin
    running = [node for node in machines if (node.root / "run/keepalived.pid").exists()]
    for node in running:
        node.signal("TERM", node.keepalived_pids()[0])
    for node in machines:
        for name in ("drain.json", "drain"):
            (node.root / "var/lib/salt-keepalived" / name).unlink(missing_ok=True)
    for node in running:
        assert until(lambda node=node: not (node.root / "run/keepalived.pid").exists())


def test_tracking_the_file_begins_with_a_reload_that_moves_nothing(start):
    one, two = start(config(150, tracked=False), config(100))
    said = call(one, "drain.drain()")
    assert "does not track the drain file" in said
    assert "state.apply keepalived" in said
    one.configure(config(150))
    one.signal("HUP", one.keepalived_pids()[0])
    time.sleep(1)
    assert moves(one, two) == []
    assert call(one, "drain_status.status()")["missing"] == []
    assert call(one, "drain.drain()")["instances"]["VI"]["after"] == "BACKUP"


def test_a_master_keeps_its_address_until_its_peer_has_it_and_undrain_brings_it_home(start):
    one, two = start(config(150), config(100))
    said = call(one, "drain.drain(reason='new disk', who='anna')")
    assert (said["mode"], said["instances"]) == (
        "weight",
        {"VI": {"before": "MASTER", "after": "BACKUP"}},
    )
    assert VIP in said["did"]
    told = moves(one, two)
    assert sorted(row[:2] for row in told) == [("n1", "DELADDR"), ("n2", "NEWADDR")]
    print(f"drain by weight: {abs(told[1][2] - told[0][2]) * 1000:.1f} ms, {told[0][0]} first")
    assert abs(told[1][2] - told[0][2]) < STOP_SECONDS
    status = call(one, "drain_status.status()")
    assert (status["drained"], status["reason"], status["who"]) == (True, "new disk", "anna")
    assert status["problem"] is None
    assert (one.root / FILE[1:]).stat().st_mode & 0o777 == 0o600

    assert call(one, "drain.undrain()")["did"]
    assert until(lambda: has(one) and not has(two))
    assert call(one, "drain_status.status()")["drained"] is False
    assert call(one, "drain.undrain()")["did"] == ""


def test_a_drained_node_stays_without_the_address_when_keepalived_restarts(start):
    one, two = start(config(150), config(100))
    call(one, "drain.drain()")
    one.stop_keepalived()
    one.start_keepalived()
    time.sleep(1)
    assert not has(one)
    assert has(two)
    # one that was a backup, or did not run, is drained as well
    call(one, "drain.undrain()")
    assert until(lambda: has(one))
    assert call(two, "drain.drain()")["instances"]["VI"] == {"before": "BACKUP", "after": "BACKUP"}
    one.stop_keepalived()
    said = call(one, "drain.drain()")
    assert "does not run" in said["did"]
    one.start_keepalived()
    time.sleep(1)
    assert not has(one)


def test_the_last_healthy_node_is_not_drained_and_never_lets_go(start):
    one, two = start(config(150))
    said = call(one, "drain.drain()")
    assert "no healthy peer took over VI" in said
    assert "not drained" in said
    assert call(one, "drain_status.status()")["drained"] is False
    assert moves(one, two) == []
    assert has(one)
    forced = call(one, "drain.drain(force=True)")
    assert "stays here until a peer does" in forced["did"]
    assert forced["instances"]["VI"]["after"] == "MASTER"
    assert moves(one, two) == []
    # as soon as there is one, it has it
    call(two, "drain_file.prepare()")
    two.configure(config(100))
    two.start_keepalived()
    assert until(lambda: has(two) and not has(one))


def test_where_nopreempt_forbids_it_the_node_lets_go_first_and_only_for_a_healthy_peer(start):
    one, two = start(config(150, "nopreempt"), config(100, "nopreempt"))
    said = call(one, "drain.drain()")
    assert "salt-run keepalived.drain" in said
    assert f"{VIP}/24 is then on no node" in said
    assert "no healthy peer would take over" in call(
        one, "drain.drain(mode='fault', peers_healthy={'VI': False})"
    )
    assert moves(one, two) == []
    said = call(one, "drain.drain(peers_healthy={'VI': True})")
    assert (said["mode"], said["instances"]["VI"]["after"]) == ("fault", "FAULT")
    told = moves(one, two)
    assert sorted(row[:2] for row in told) == [("n1", "DELADDR"), ("n2", "NEWADDR")]
    print(f"drain by fault: {abs(told[1][2] - told[0][2]) * 1000:.1f} ms, {told[0][0]} first")
    assert abs(told[1][2] - told[0][2]) < STOP_SECONDS
    assert call(one, "drain.undrain()")["instances"]["VI"]["after"] == "BACKUP"


def test_the_address_owner_is_drained_by_fault_alone(start):
    one, two = start(config(255), config(100))
    assert "priority 255" in call(one, "drain.drain()")
    said = call(one, "drain.drain(peers_healthy={'VI': True})")
    assert said["instances"]["VI"] == {"before": "MASTER", "after": "FAULT"}
    assert until(lambda: has(two) and not has(one))


def test_a_sync_group_is_drained_as_a_whole(start):
    one, two = start(config(150, group=True), config(100, group=True))
    said = call(one, "drain.drain()")
    assert {each["after"] for each in said["instances"].values()} == {"BACKUP"}
    assert until(lambda: has(two) and has(two, OTHER) and not has(one) and not has(one, OTHER))
    call(one, "drain.undrain()")
    assert until(lambda: has(one) and has(one, OTHER) and not has(two) and not has(two, OTHER))


def test_the_watch_ends_a_drain_in_time_and_marks_what_happens_as_planned(start):
    one, _two = start(config(150), config(100))
    record = one.root / "var/lib/salt-keepalived/drain.json"
    one.start_watch()
    try:
        one.begin_chapter()
        call(one, "drain.drain(expires='5s')")
        assert not has(one)
        assert until(lambda: not record.exists() and has(one), 20), one.log("watch")
        one.wait_for("BACKUP", "MASTER")
        rows = [row for row in one.events() if row["to"] in ("BACKUP", "MASTER")]
        assert [row["planned"] for row in rows] == [True] * len(rows)
        assert "its time has come" in one.log("watch")
        # somebody's slip does not end one
        call(one, "drain.drain()")
        (one.root / FILE[1:]).write_text("garbage\n")
        assert until(lambda: (one.root / FILE[1:]).read_text() == "-253\n", 15)
        assert until(lambda: not has(one))
    finally:
        one.signal("TERM", one.watch_pid())


def test_what_somebody_wrote_by_hand_is_seen_and_can_be_ended(start):
    one, two = start(config(150), config(100))
    file = one.root / FILE[1:]
    file.write_text("no number\n")
    assert "takes it for 0" in call(one, "drain_status.status()")["problem"]
    file.write_text("-254\n")
    assert until(lambda: has(two) and not has(one))
    status = call(one, "drain_status.status()")
    assert (status["drained"], status["mode"]) == (True, "fault")
    assert "by hand" in status["problem"]
    call(one, "drain.undrain()")
    assert until(lambda: has(one))
    assert file.read_text() == "0\n"
