"""The classic three controllers: pillar in, one VIP, and nothing that costs it.

Order matters here: the cluster is built once and each test leaves it healthy.
"""

import pytest
from observer import Observer
from support import (
    CLASSIC,
    CONFIG,
    NODES,
    VIP,
    apply,
    changed,
    classic,
    failures,
    holders,
    instance,
    set_pillar,
    wait_one_holder,
    wait_until,
)

from lab.bus import EventTap
from lab.probing import probing

pytestmark = [pytest.mark.lab, pytest.mark.root]


def test_highstate_on_three_nodes_ends_with_exactly_one_holder(cluster):
    assert wait_one_holder(cluster) == "controller3"
    for node in cluster.controllers:
        shown = node.run(["stat", "-c", "%a %U:%G", CONFIG]).stdout.strip()
        assert shown == "640 root:root"


def test_a_second_highstate_changes_nothing_and_causes_no_transition(healthy):
    with Observer(healthy.controllers, VIP) as kernel:
        result = healthy.salt("controller*", "state.highstate", timeout=240)
        assert failures(result) == {}
        assert changed(result) == {}
    assert kernel.changes() == []


def test_test_mode_shows_the_change_and_touches_nothing(healthy):
    set_pillar(healthy, classic(**{"config/vrrp_script/chk_haproxy/interval": 7}))
    before = {node.name: node.read_file(CONFIG) for node in healthy.controllers}
    result = apply(healthy, test=True)
    for node in healthy.controllers:
        state = next(s for s in result[node.name].values() if s["__id__"] == "keepalived-config")
        assert state["result"] is None
        assert "+    interval 7" in state["changes"]["diff"]
        assert node.read_file(CONFIG) == before[node.name]


def test_a_changed_check_interval_costs_the_client_not_one_probe(healthy):
    set_pillar(healthy, classic(**{"config/vrrp_script/chk_haproxy/interval": 3}))
    with Observer(healthy.controllers, VIP) as kernel, probing(healthy, VIP) as probe:
        result = apply(healthy)
        assert failures(result) == {}
        ids = changed(result)
        assert [name for name in NODES if "keepalived-config" not in ids[name]] == []
        assert all("interval 3" in node.read_file(CONFIG) for node in healthy.controllers)
    assert kernel.changes() == []
    assert probe["sent"] > 100
    assert probe["lost"] == 0
    set_pillar(healthy, CLASSIC)
    assert failures(apply(healthy)) == {}


def test_every_node_receives_adverts_behind_its_firewall(healthy):
    answers = healthy.salt("controller*", "keepalived.adverts")
    seen = {name: answer["VI_PUBLIC"] for name, answer in answers.items()}
    backups = {name for name in NODES if name != "controller3"}
    assert {name for name in backups if seen[name]["receiving"]} == backups
    assert seen["controller3"]["advert_sent"] > 0


def test_haproxy_down_moves_the_vip_and_the_reaction_brings_it_back(healthy):
    with Observer(healthy.controllers, VIP) as kernel, EventTap(healthy) as bus:
        healthy.node("controller3").run(["systemctl", "stop", "haproxy"])
        fault = bus.wait(
            "controller3 in FAULT",
            lambda tag, data: tag == "salt/beacon/controller3/keepalived/VI_PUBLIC/FAULT",
            timeout=15,
        )
        assert (fault["from"], fault["type"], fault["planned"]) == ("MASTER", "instance", False)
        bus.wait(
            "controller2 takes over",
            lambda tag, data: tag == "salt/beacon/controller2/keepalived/VI_PUBLIC/MASTER",
            timeout=15,
        )
        done = bus.wait(
            "the reaction",
            lambda tag, data: tag == "keepalived/controllers/remediation/succeeded",
            timeout=40,
        )
        assert done["minion"] == "controller3"
        bus.wait(
            "the VIP comes home",
            lambda tag, data: tag == "salt/beacon/controller3/keepalived/VI_PUBLIC/MASTER",
            timeout=30,
        )
        assert wait_one_holder(healthy) == "controller3"
        active = healthy.node("controller3").run(["systemctl", "is-active", "haproxy"])
        assert active.stdout.strip() == "active"
    moves = [(row["node"], row["present"]) for row in kernel.changes()]
    assert sorted(moves[:2], key=str) == [("controller2", True), ("controller3", False)]
    assert sorted(moves[2:], key=str) == [("controller2", False), ("controller3", True)]
    assert kernel.shared_seconds({"controller3"}) < 1, "never longer than one advert"


def matches_kernel(bus, kernel, node):
    """Each change of the address on *node* has its event, within 1.5 s, and the other way round.

    The beacon is polled once a second; the event's own time is when it happened.
    """
    import datetime

    changes = [(row["present"], row["time"]) for row in kernel.changes(node)]
    events = []
    for data in bus.transitions(id=node, type="instance", instance="VI_PUBLIC"):
        if data["to"] in ("MASTER", "BACKUP", "FAULT", "STOP") and data["vip_present"] is not None:
            when = datetime.datetime.fromisoformat(data["time"]).timestamp()
            events.append((data["to"] == "MASTER", when, data["to"]))
    flips, last = [], None
    for present, when, _to in events:
        if present != last and not (last is None and not changes):
            flips.append((present, when))
        last = present
    return changes, flips


#: (what, how it is broken, what the events on the bus must show; node -> states in order)
FAULTS = [
    (
        "keepalived stopped",
        lambda lab: lab.stop("controller3"),
        {"controller3": ["STOP"], "controller2": ["MASTER"]},
    ),
    (
        "cable of the VRRP link pulled",
        lambda lab: lab.cut("controller3", link="vip"),
        {"controller3": ["FAULT"], "controller2": ["MASTER"]},
    ),
    (
        "every keepalived process killed with -9",
        lambda lab: lab.kill("controller3", what="both"),
        {"controller2": ["MASTER"]},
    ),
]


@pytest.mark.parametrize(("what", "fault", "states"), FAULTS, ids=[row[0] for row in FAULTS])
def test_a_fault_shows_up_as_events_that_match_the_kernels_record(healthy, what, fault, states):
    with Observer(healthy.controllers, VIP) as kernel, EventTap(healthy) as bus:
        fault(healthy)
        for node, wanted in states.items():
            for state in wanted:
                bus.wait(
                    f"{node} {state}",
                    lambda tag, data, node=node, state=state: (
                        tag == f"salt/beacon/{node}/keepalived/VI_PUBLIC/{state}"
                    ),
                    timeout=20,
                )
        healthy.heal()
        wait_one_holder(healthy, "controller3", timeout=40)
        bus.wait(
            "controller3 is MASTER again",
            lambda tag, data: tag == "salt/beacon/controller3/keepalived/VI_PUBLIC/MASTER",
            timeout=20,
        )
        wait_until(
            lambda: agree(bus, kernel, "controller2"), 10, "events and kernel agree on controller2"
        )
        assert agree(bus, kernel, "controller2"), (bus.seen, kernel.changes())


def agree(bus, kernel, node):
    """Both say the same about *node*: how often the address came and went, and when."""
    changes, flips = matches_kernel(bus, kernel, node)
    return len(changes) == len(flips) and all(
        present == told and abs(when - event_time) < 1.0
        for (present, when), (told, event_time) in zip(changes, flips, strict=True)
    )


def test_no_event_is_sent_twice(healthy):
    with EventTap(healthy) as bus:
        healthy.stop("controller3")
        wait_one_holder(healthy, "controller2")
        healthy.salt("controller*", "saltutil.refresh_beacons")
        healthy.heal()
        wait_one_holder(healthy, "controller3", timeout=30)
        bus.wait(
            "the way home",
            lambda tag, data: tag == "salt/beacon/controller3/keepalived/VI_PUBLIC/MASTER",
            timeout=20,
        )
        keys = [(data["id"], data["stream_id"], data["seq"]) for data in bus.transitions()]
    assert len(keys) == len(set(keys))


def test_a_file_written_by_hand_is_adopted_without_a_transition(healthy):
    by_hand = """
! written by hand
global_defs { enable_script_security
script_user root
}
vrrp_script chk_haproxy {
  script "/usr/bin/killall -0 haproxy"   # process exists
  interval 2
}
vrrp_instance VI_PUBLIC {
  interface eth1
  state BACKUP
  virtual_router_id 52
  priority PRIORITY
  virtual_ipaddress { 192.168.1.220/32 dev eth1 }
  track_script { chk_haproxy }
}
"""
    for number, node in enumerate(healthy.controllers, 101):
        node.write_file(CONFIG, by_hand.replace("PRIORITY", str(number)), mode=0o640)
        node.run(["systemctl", "reload", "keepalived"])
    wait_one_holder(healthy, "controller3")
    with Observer(healthy.controllers, VIP) as kernel, probing(healthy, VIP) as probe:
        assert failures(apply(healthy)) == {}
        wait_one_holder(healthy, "controller3")
    assert kernel.changes() == []
    assert probe["lost"] == 0
    assert changed(apply(healthy)) == {}


#: (what is wrong, the pillar, words the comment must have)
WRONG = [
    ("no pillar", None, ["keepalived"]),
    ("empty pillar", {}, ["keepalived", "vrrp_instance"]),
    ("interface that does not exist", instance(interface="eth9"), ["eth9"]),
    (
        "VIP of the wrong family",
        instance(virtual_ipaddress=["192.168.1.220 dev eth1", "fd00::1 dev eth1"]),
        ["virtual_ipaddress", "fd00::1"],
    ),
    ("priority 0", classic(**{"priorities/VI_PUBLIC/controller1": 0}), ["priority", "0", "255"]),
    ("priority 256", instance(priority=256), ["priority", "256", "255"]),
    ("priority high", instance(priority="high"), ["priority", "high"]),
    (
        "the same priority twice",
        classic(priorities={"VI_PUBLIC": {"controller1": 101, "controller2": 101}}),
        ["priorities:VI_PUBLIC", "101"],
    ),
    ("a keyword misspelt", instance(prioritty=5), ["prioritty", "priority"]),
]


@pytest.mark.parametrize(("what", "pillar", "words"), WRONG, ids=[row[0] for row in WRONG])
def test_a_wrong_pillar_is_refused_and_the_cluster_does_not_notice(healthy, what, pillar, words):
    before = {node.name: node.read_file(CONFIG) for node in healthy.controllers}
    set_pillar(healthy, pillar)
    with Observer(healthy.controllers, VIP) as kernel:
        failed = failures(apply(healthy, "keepalived.config"))
        assert set(failed) == set(NODES) or "priority 0" in what or "twice" in what
        assert failed, "somebody must refuse it"
        text = "\n".join(line for lines in failed.values() for line in lines)
        assert [word for word in words if word not in text] == []
        assert {node.name: node.read_file(CONFIG) for node in healthy.controllers} == before
    assert kernel.changes() == []
    assert holders(healthy) == ["controller3"]


def test_a_full_disk_leaves_the_old_file_and_the_daemon_alone(healthy):
    node = healthy.node("controller1")
    before = node.read_file(CONFIG)
    pid = node.run(["cat", "/run/keepalived.pid"]).stdout
    set_pillar(healthy, classic(**{"config/vrrp_script/chk_haproxy/interval": 5}))
    node.run(["cp", "-a", "/etc/keepalived", "/root/kept"])
    node.run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=10", "none", "/etc/keepalived"])
    try:
        node.run(["cp", "-a", "/root/kept/keepalived.conf", "/etc/keepalived/"])
        failed = failures(apply(healthy, "keepalived.config", target="controller1"))
        assert "the disk is full" in failed["controller1"][0]
        assert node.read_file(CONFIG) == before
    finally:
        node.run(["umount", "/etc/keepalived"])
        node.run(["rm", "-r", "/root/kept"])
    assert node.run(["cat", "/run/keepalived.pid"]).stdout == pid
