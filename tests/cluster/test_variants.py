"""The classic guide's three historical variants, and its own file, on real controllers."""

import os

import pytest
from observer import Observer
from support import (
    CONFIG,
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

GROUP = {"config/vrrp_sync_group": {"VG1": {"group": ["VI_PUBLIC"]}}}
EQUAL = {"priorities": None, "config/vrrp_instance/VI_PUBLIC/priority": 101}

#: (what, pillar, who must hold the VIP; None: whoever wins the tie)
VARIANTS = [
    ("101, 102, 103", classic(), "controller3"),
    ("101, 102, 103 and the one-member sync group", classic(**GROUP), "controller3"),
    ("three times 101", classic(**EQUAL), None),
    (
        "three times 101 with nopreempt",
        classic(**EQUAL, **{"config/vrrp_instance/VI_PUBLIC/nopreempt": True}),
        None,
    ),
    (
        "scripts without script security",
        classic(**{"config/global_defs": {}}),
        "controller3",
    ),
    (
        "an ordered list of nodes",
        classic(priorities={"VI_PUBLIC": ["controller2", "controller3", "controller1"]}),
        "controller2",
    ),
    (
        "unicast, the peers from the mine",
        classic(**{"config/vrrp_instance/VI_PUBLIC/unicast_peer": "auto"}),
        "controller3",
    ),
]
#: What differs least from another one is left to SALT_KEEPALIVED_LONG=1.
LONG = (
    "101, 102, 103",
    "three times 101",
    "scripts without script security",
    "an ordered list of nodes",
)
if not os.environ.get("SALT_KEEPALIVED_LONG"):
    VARIANTS = [row for row in VARIANTS if row[0] not in LONG]


@pytest.mark.parametrize(("what", "pillar", "owner"), VARIANTS, ids=[row[0] for row in VARIANTS])
def test_a_variant_starts_reloads_and_converges_to_one_master(cluster, what, pillar, owner):
    for node in cluster.controllers:
        node.run(["systemctl", "stop", "keepalived"])
    set_pillar(cluster, pillar)
    cluster.salt("controller*", "mine.update")
    assert failures(apply(cluster)) == {}
    first = wait_one_holder(cluster, owner, timeout=30)
    # a change that needs a reload and moves nothing
    set_pillar(cluster, {**pillar, "config": {**pillar["config"], **slower_check(pillar)}})
    with Observer(cluster.controllers, VIP) as kernel:
        assert failures(apply(cluster)) == {}
        wait_one_holder(cluster, first)
    assert kernel.changes() == []


def slower_check(pillar):
    script = {**pillar["config"]["vrrp_script"]["chk_haproxy"], "interval": 3}
    return {"vrrp_script": {"chk_haproxy": script}}


GUIDE = """vrrp_script chk_haproxy {
    script "killall -0 haproxy"
    interval 2
}
vrrp_sync_group VG1
    group {
        VI_PUBLIC
    }
}
vrrp_instance VI_PUBLIC {
    interface eth1
    virtual_router_id 52
    priority 101
    virtual_ipaddress {
        192.168.1.220 dev eth1
    }
}
"""


def test_the_guides_own_file_is_refused_with_the_line_and_the_missing_brace(cluster):
    node = cluster.node("controller1")
    before = node.read_file(CONFIG)
    node.write_file("/root/guide.conf", GUIDE)
    answer = cluster.salt("controller1", "keepalived.lint", path="/root/guide.conf")["controller1"]
    text = answer if isinstance(answer, str) else "\n".join(one["message"] for one in answer)
    assert "/root/guide.conf:5" in text or any(
        one["line"] == 5 for one in answer if isinstance(one, dict)
    )
    assert "{" in text and "vrrp_sync_group" in text
    tested = cluster.salt("controller1", "keepalived.config_test", "/root/guide.conf")
    assert tested["controller1"]["ok"] is False
    assert node.read_file(CONFIG) == before


def test_a_pillar_list_of_a_node_that_is_missing_is_an_error_on_that_node_alone(cluster):
    set_pillar(cluster, classic(priorities={"VI_PUBLIC": {"controller1": 101, "controller3": 103}}))
    failed = failures(apply(cluster, "keepalived.config", allowed=True))
    assert set(failed) == {"controller2"}
    assert "priorities:VI_PUBLIC" in failed["controller2"][0]


def test_several_masters_with_the_direct_rule_alone_one_with_the_formula(cluster):
    for node in cluster.controllers:
        node.run(["systemctl", "stop", "keepalived"])
    set_pillar(cluster, classic())
    assert failures(apply(cluster, "keepalived.firewall_clean")) == {}
    set_pillar(cluster, classic(**{"firewall/vrrp": False}))
    assert failures(apply(cluster)) == {}
    rule = ["firewall-cmd", "--direct", "--query-rule", "ipv4", "filter", "INPUT", "0"]
    for node in cluster.controllers:
        node.run([*rule, "-i", "eth1", "-d", "224.0.0.0/8", "-j", "ACCEPT"])  # the guide's rule
    wait_until(lambda: len(holders(cluster)) > 1, 20, "more than one holder: a split brain")
    set_pillar(cluster, classic())
    assert failures(apply(cluster)) == {}
    wait_one_holder(cluster, "controller3", timeout=20)
