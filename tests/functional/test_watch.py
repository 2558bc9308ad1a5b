"""The watch beside a real keepalived, compared with what the kernel itself said of the address."""

# ruff: noqa: F811  (the fixtures are imported)

import os
import shutil
import time

import pytest

if os.geteuid() != 0:
    pytest.skip("namespaces need root", allow_module_level=True)
if shutil.which("keepalived") is None:
    pytest.skip("keepalived is not installed", allow_module_level=True)

from vrrp_nodes import VIP, until
from watch_pair import compare, config, machines, pair, reasons, switch  # noqa: F401

pytestmark = pytest.mark.root


def test_a_stop_and_a_start(pair):
    one, two = pair
    one.stop_keepalived()
    two.wait_for("MASTER", instance="G")
    one.wait_for("STOP", instance="G")
    one.start_keepalived()
    one.wait_for("STOP", "BACKUP", "MASTER")
    one.wait_for("STOP", "BACKUP", "MASTER", instance="VJ")
    two.wait_for("MASTER", "BACKUP")
    assert reasons(one)[:2] == ["keepalived stopped", "keepalived started"]
    states = [event for event in one.events() if event["to"].isupper()]
    assert (states[0]["vip_present"], states[-1]["vip_present"]) == (False, True)
    compare(one, two)


def test_killed_outright_keepalived_leaves_a_ghost(pair):
    one, two = pair
    one.kill_keepalived()
    one.wait_for("ghost", timeout=1.5)
    (ghost,) = one.events()
    assert (ghost["from"], ghost["vip_present"]) == ("MASTER", True)
    assert ghost["reason"] == "keepalived died, 10.99.0.100, 10.99.0.101 stayed"
    two.wait_for("MASTER")
    assert until(lambda: one.status()["keepalived"] is None)
    assert one.status()["instances"]["VI"]["ghost"]
    # somebody takes the one instance's addresses away; the other's wait for the new keepalived
    one.run("ip", "addr", "del", f"{VIP}/24", "dev", "eth0")
    one.run("ip", "addr", "del", "10.99.0.101/24", "dev", "eth0")
    one.wait_for("ghost", "STOP", timeout=2)
    one.start_keepalived()
    one.wait_for("ghost", "STOP", "BACKUP", "MASTER")
    one.wait_for("ghost", "BACKUP", "MASTER", instance="VJ")
    two.wait_for("MASTER", "BACKUP")
    compare(one, two)


def test_a_backup_that_is_killed_has_stopped(pair):
    _, two = pair
    two.kill_keepalived()
    two.wait_for("STOP")
    assert two.events()[0]["reason"] == "keepalived died"
    two.wait_for("STOP", instance="G")
    two.start_keepalived()
    two.wait_for("STOP", "BACKUP")
    compare(two)


def test_a_vrrp_process_that_is_killed_and_comes_back(pair):
    one, two = pair
    one.signal("KILL", one.keepalived_pids()[1])
    one.wait_for("BACKUP", "MASTER")
    assert reasons(one)[0] == "keepalived's VRRP process died and was started anew"
    compare(one, two)


def test_a_parent_process_that_is_killed(pair):
    one, two = pair
    one.signal("KILL", one.keepalived_pids()[0])
    one.wait_for("STOP")
    assert reasons(one) == [
        "keepalived's parent process was killed, the VRRP process gave up in order"
    ]
    two.wait_for("MASTER")
    assert until(lambda: not (one.root / "run/vrrp.pid").exists())
    (one.root / "run/keepalived.pid").unlink(missing_ok=True)
    one.start_keepalived()
    one.wait_for("STOP", "BACKUP", "MASTER")
    assert reasons(one)[1] == "keepalived started"
    two.wait_for("MASTER", "BACKUP")
    compare(one, two)


def test_a_cable_pulled_and_put_back(pair):
    one, two = pair
    one.cable("down")
    one.wait_for("FAULT")
    two.wait_for("MASTER")
    one.cable("up")
    one.wait_for("FAULT", "BACKUP", "MASTER")
    two.wait_for("MASTER", "BACKUP")
    for name in ("VI", "VJ", "G"):
        assert reasons(one, name)[:2] == [
            "eth0 has no carrier",
            "no longer faulty (was: eth0 has no carrier)",
        ]
    assert reasons(two)[1] == "a peer with priority 150 took over"
    compare(one, two)


def test_a_check_that_fails_and_recovers(pair):
    one, two = pair
    (one.root / "run/ill").touch()
    one.wait_for("FAULT")
    two.wait_for("MASTER")
    (one.root / "run/ill").unlink()
    one.wait_for("FAULT", "BACKUP", "MASTER")
    two.wait_for("MASTER", "BACKUP")
    assert reasons(one)[:2] == [
        "check chk failed",
        "no longer faulty (was: check chk failed)",
    ]
    assert reasons(one, "VJ")[0] == "check chk failed (VI in sync group G)"
    assert reasons(one, "G")[0] == "check chk failed (VI in sync group G)"
    assert until(lambda: not (one.root / "run/tmp/keepalived.data").exists(), 3)
    compare(one, two)


def test_an_address_taken_away_by_hand(pair):
    one, two = pair
    one.run("ip", "addr", "del", f"{VIP}/24", "dev", "eth0")
    one.wait_for("BACKUP", "MASTER")
    compare(one, two)


def test_a_frozen_master_that_loses_its_address_is_hollow(pair):
    one, two = pair
    pids = one.keepalived_pids()
    one.signal("STOP", *pids)
    try:
        two.wait_for("MASTER")
        one.run("ip", "addr", "del", f"{VIP}/24", "dev", "eth0")
        one.wait_kinds("hollow")
        hollow = one.events()[-1]
        assert (hollow["from"], hollow["vip_present"]) == ("MASTER", False)
        assert hollow["reason"] == f"{VIP} is missing in state MASTER"
        assert until(lambda: one.status()["instances"]["VI"]["hollow"])
        one.run("ip", "addr", "add", f"{VIP}/24", "dev", "eth0")
        one.wait_kinds("hollow", "restored")
        assert until(lambda: not one.status()["instances"]["VI"]["hollow"])
    finally:
        one.signal("CONT", *pids[::-1])
    assert until(lambda: one.state() == "MASTER" and two.state() == "BACKUP")


def test_an_address_added_by_hand_to_a_backup_is_a_ghost(pair):
    _, two = pair
    two.run("ip", "addr", "add", f"{VIP}/24", "dev", "eth0")
    two.wait_kinds("ghost")
    ghost = two.events()[-1]
    assert (ghost["from"], ghost["reason"]) == ("BACKUP", f"{VIP} is there in state BACKUP")
    two.run("ip", "addr", "del", f"{VIP}/24", "dev", "eth0")
    two.wait_kinds("ghost", "restored")


def test_reloads(pair):
    one, two = pair
    parent = one.keepalived_pids()[0]
    one.configure(config(150) + "\n# only a comment\n")
    one.signal("HUP", parent)
    time.sleep(0.5)
    assert one.told() == []
    one.configure(config(50))
    time.sleep(1.2)
    one.signal("HUP", parent)
    one.wait_for("BACKUP")
    two.wait_for("MASTER")
    (reason,) = reasons(one)
    # which of its two instances was heard out first is a race
    assert reason.startswith("its configuration was changed: ")
    assert reason.endswith("a peer with priority 100 took over")
    one.configure(config(50).replace("VJ", "VK"))
    one.signal("HUP", parent)
    one.wait_for("DELETED", instance="VJ")
    one.wait_for("BACKUP", instance="VK")
    one.configure(config(150))
    one.signal("HUP", parent)
    one.wait_for("BACKUP", "MASTER")
    one.wait_for("MASTER", instance="VJ")
    one.wait_for("DELETED", instance="VK")
    assert one.events()[-1]["base_priority"] in (50, 150)
    compare(one, two)


def test_a_reload_that_leaves_no_instance(pair):
    one, two = pair
    parent = one.keepalived_pids()[0]
    one.configure("global_defs {\n router_id none\n}\n")
    one.signal("HUP", parent)
    one.wait_for("DELETED")
    two.wait_for("MASTER")
    one.configure(config(150))
    one.signal("HUP", parent)
    one.wait_for("DELETED", "BACKUP", "MASTER")
    compare(one, two)


def test_a_faulty_interface_is_noticed_on_a_backup_too_though_no_address_moves(pair):
    _, two = pair
    two.cable("down")
    two.wait_for("FAULT", timeout=3)
    two.cable("up")
    two.wait_for("FAULT", "BACKUP", timeout=3)
    compare(two)
