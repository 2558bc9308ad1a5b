"""A node that is not as it should be: said clearly, and the address stays where it is."""

import pytest
from observer import Observer
from support import (
    CONFIG,
    NODES,
    VIP,
    apply,
    classic,
    failures,
    holders,
    set_pillar,
    wait_one_holder,
    wait_until,
)

pytestmark = [pytest.mark.lab, pytest.mark.root]

SLOWER = classic(**{"config/vrrp_script/chk_haproxy/interval": 4})


def state(result, node, name):
    return next(s for s in result[node].values() if s["__id__"] == name)


def test_without_keepalived_every_verb_says_that_it_is_not_installed(healthy):
    node = healthy.add_node("bare", salt=True, minion=False, keepalived=False)
    try:
        healthy.push(node="bare")
        healthy.salt_call("bare", "saltutil.sync_all", local=True)
        for verb in ("version", "config_test", "plan"):
            done = node.run(["salt-call", "--local", f"keepalived.{verb}"], check=False)
            assert done.returncode != 0, verb
            if verb != "plan":
                assert "keepalived is not installed" in done.stderr + done.stdout
                assert "keepalived.package" in done.stderr + done.stdout
        status = healthy.salt_call("bare", "keepalived.status", local=True)
        assert status["keepalived"]["running"] is False
        assert status["instances"] == []
    finally:
        healthy.remove_node("bare")


def test_a_tmp_that_cannot_be_written_is_named_and_a_change_still_goes_through(healthy):
    node = healthy.node("controller1")
    node.run(["mount", "-t", "tmpfs", "-o", "ro", "none", "/tmp"])
    try:
        status = healthy.salt("controller1", "keepalived.status")["controller1"]
        assert "/tmp is read-only" in status["keepalived"]["problem"]
        set_pillar(healthy, SLOWER)
        with Observer(healthy.controllers, VIP) as kernel:
            result = apply(healthy, target="controller1")
        assert failures(result) == {}
        comment = state(result, "controller1", "keepalived-config")["comment"]
        assert "unknown" in comment and "/tmp is read-only" in comment
        assert kernel.changes() == []
        assert "interval 4" in node.read_file(CONFIG)
    finally:
        node.run(["umount", "/tmp"])


def test_firewalld_stopped_is_no_obstacle_and_vrrp_passes_when_it_starts_again(healthy):
    for node in healthy.controllers:
        node.run(["systemctl", "stop", "firewalld"])
    try:
        result = apply(healthy)
        assert failures(result) == {}
        assert holders(healthy) == ["controller3"]
    finally:
        for node in healthy.controllers:
            node.run(["systemctl", "start", "firewalld"])
            node.run(["firewall-cmd", "--state"])
    wait_one_holder(healthy, "controller3")
    before = received(healthy)
    wait_until(
        lambda: all(received(healthy)[name] > before[name] + 2 for name in NODES[:2]),
        15,
        "both backups receive adverts behind the firewall that started again",
    )


def received(lab):
    answers = lab.salt("controller*", "keepalived.adverts")
    return {name: one["VI_PUBLIC"]["advert_rcvd"] for name, one in answers.items()}


def test_a_keepalived_that_is_killed_leaves_a_ghost_that_status_and_events_name(healthy):
    healthy.kill("controller3", what="both")
    wait_until(lambda: set(holders(healthy)) == {"controller2", "controller3"}, 15, "a ghost VIP")
    shown = healthy.salt_run("keepalived.status")
    assert shown["verdict"] == "ghost vip"
    kinds = [row["to"] for row in healthy.salt("controller3", "keepalived.journal")["controller3"]]
    assert "ghost" in kinds
    healthy.heal()
    wait_one_holder(healthy, "controller3", timeout=30)
    assert healthy.salt_run("keepalived.status")["verdict"] == "ok"
