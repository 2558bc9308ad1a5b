"""What each way to write a thing in pillar becomes in the file."""

import pytest
import yaml

from keepalived_core import conf, pillar

CLASSIC_3 = """\
global_defs {
    enable_script_security
    script_user root
}

vrrp_script chk_haproxy {
    script "/usr/bin/killall -0 haproxy"
    interval 2
}

vrrp_instance VI_PUBLIC {
    interface ens3
    state BACKUP
    virtual_router_id 52
    virtual_ipaddress {
        192.168.1.220 dev eth1
    }
    track_script {
        chk_haproxy
    }
    priority 103
}
"""


def test_the_classic_cluster_for_one_node(classic):
    assert conf.render(pillar.to_tree(classic, "controller3", "2.2.7")) == CLASSIC_3


def test_pillar_data_is_not_changed(classic):
    before = yaml.safe_dump(classic)
    pillar.to_tree(classic, "controller3")
    assert yaml.safe_dump(classic) == before


# A body of vrrp_instance in YAML, and the lines it becomes (below interface, VRID and address).
LINES = {
    "flag on": ("nopreempt: true", ["nopreempt"]),
    "flag off": ("nopreempt: false", []),
    "switch on": ("smtp_alert: true", ["smtp_alert true"]),
    "switch off": ("smtp_alert: false", ["smtp_alert false"]),
    "switch as a word": ("smtp_alert: 'off'", ["smtp_alert off"]),
    "number": ("priority: 120", ["priority 120"]),
    "number in quotes": ("priority: '120'", ["priority 120"]),
    "fraction": ("advert_int: 0.25", ["advert_int 0.25"]),
    "small fraction": ("preempt_delay: 1.0e-05", ["preempt_delay 0.00001"]),
    "whole fraction": ("advert_int: 2.0", ["advert_int 2"]),
    "text": ("authentication: {auth_pass: '0123', auth_type: PASS}", None),
    "words as text": (
        "use_vmac: vrrp.51 02:00:00:00:00:33",
        ["use_vmac vrrp.51 02:00:00:00:00:33"],
    ),
    "words as a list": ("use_vmac: [name, vrrp.51]", ["use_vmac name vrrp.51"]),
    "words left out": ("use_vmac: true", ["use_vmac"]),
    "value left out": ("notify_deleted: true", ["notify_deleted"]),
    "command": ("notify: /x.sh a b", ['notify "/x.sh a b"']),
    "command in the file's quotes": ("notify: '\"/x.sh a\"'", ['notify "/x.sh a"']),
    "command with user and group": (
        "notify: [/x.sh a, joe, staff]",
        ['notify "/x.sh a" joe staff'],
    ),
    "lines as a list": (
        "unicast_peer: [10.0.0.8, 10.0.0.9 min_ttl 3]",
        ["unicast_peer {", "    10.0.0.8", "    10.0.0.9 min_ttl 3", "}"],
    ),
    "lines as one text": ("unicast_peer: 10.0.0.8", ["unicast_peer {", "    10.0.0.8", "}"]),
    "lines as a mapping": (
        "track_interface: {eth0: null, eth2: {weight: 10, reverse: true}, eth3: weight -5}",
        [
            "track_interface {",
            "    eth0",
            "    eth2 weight 10 reverse",
            "    eth3 weight -5",
            "}",
        ],
    ),
    "empty list": ("unicast_peer: []", []),
    "special characters": ("authentication: {auth_type: PASS, auth_pass: 'a#b{c}'}", None),
}


@pytest.mark.parametrize("body, lines", LINES.values(), ids=LINES.keys())
def test_values(classic, instance, body, lines):
    instance.pop("track_script")
    instance.update(yaml.safe_load(body))
    del classic["priorities"]
    text = conf.render(pillar.to_tree(classic, "controller1"))
    (written,) = conf.parse(text).blocks("vrrp_instance")
    extra = conf.Tree(written.children[4:])
    if lines is None:
        (block,) = extra.blocks("authentication")
        assert block.value("auth_pass") == instance["authentication"]["auth_pass"]
    else:
        assert conf.render(extra).splitlines() == lines


SERVERS = """
config:
  SSL: {password: x, ca: /ca.pem}
  virtual_server_group:
    dns: [10.0.0.1 53, fwmark 7]
  virtual_server:
    192.0.2.1 443:
      delay_loop: 6
      lb_algo: rr
      lb_kind: NAT
      protocol: TCP
      real_server:
        10.0.0.2 443:
          weight: 1
          HTTP_GET:
            url:
              - {path: /, status_code: [200, 201]}
              - {path: /b, digest: ff20ad2481f97b1754ef3e12ecd3a9cc}
            connect_timeout: 3
          TCP_CHECK:
            - {connect_port: 80}
            - {connect_port: 443}
    group dns:
      protocol: UDP
"""


def test_servers_with_repeated_blocks():
    text = conf.render(pillar.to_tree(yaml.safe_load(SERVERS)))
    assert "virtual_server_group dns {\n    10.0.0.1 53\n    fwmark 7\n}" in text
    assert "virtual_server 192.0.2.1 443 {" in text
    assert "virtual_server group dns {" in text
    (server, _) = conf.parse(text).blocks("virtual_server")
    (real,) = server.blocks("real_server")
    (get,) = real.blocks("HTTP_GET")
    assert [url.value("path") for url in get.blocks("url")] == ["/", "/b"]
    assert next(get.blocks("url")).get("status_code").args == ["200", "201"]
    assert [check.value("connect_port") for check in real.blocks("TCP_CHECK")] == ["80", "443"]


def test_what_is_used_comes_after_what_it_needs():
    config = {
        "virtual_server": {"192.0.2.1 80": {"protocol": "TCP"}},
        "vrrp_instance": {
            "A": {
                "interface": "eth0",
                "virtual_router_id": 1,
                "virtual_ipaddress": ["10.0.0.1"],
                "track_script": ["s"],
                "track_file": ["f"],
            }
        },
        "vrrp_sync_group": {"G": {"group": ["A"]}},
        "track_file": {"f": {"file": "/f", "weight": 0}},
        "vrrp_script": {"s": {"script": "/usr/bin/true"}},
        "global_defs": {"enable_script_security": True},
        "net_namespace": "blue",
    }
    tree = pillar.to_tree({"config": config})
    assert [node.keyword for node in tree.statements()] == [
        "net_namespace",
        "global_defs",
        "vrrp_script",
        "track_file",
        "vrrp_sync_group",
        "vrrp_instance",
        "virtual_server",
    ]


def test_order_inside_a_block_is_the_pillars(classic, instance):
    instance["virtual_ipaddress"] = ["10.0.0.100", "10.0.0.16", "10.0.0.2"]
    tree = pillar.to_tree(classic, "controller1")
    (block,) = next(tree.blocks("vrrp_instance")).blocks("virtual_ipaddress")
    assert [line.keyword for line in block.statements()] == ["10.0.0.100", "10.0.0.16", "10.0.0.2"]


def test_what_keepalived_reads_in_a_certain_order_is_written_in_it():
    """It refuses sh-port above the scheduler, and the sorry server's words above it."""
    server = {
        "sorry_server_inhibit": True,
        "sorry_server": "10.0.0.9 80",
        "sh-port": True,
        "lb_algo": "sh",
        "lb_kind": "DR",
        "protocol": "TCP",
        "real_server": {"10.0.0.2 80": {"weight": 1}},
    }
    instance = {
        "virtual_ipaddress": ["10.0.0.1"],
        "interface": "eth0",
        "vrf": "red",
        "virtual_router_id": 1,
    }
    tree = pillar.to_tree(
        {"config": {"virtual_server": {"10.0.0.1 80": server}, "vrrp_instance": {"A": instance}}}
    )
    (written,) = tree.blocks("virtual_server")
    words = [node.keyword for node in written.statements()]
    assert words.index("lb_algo") < words.index("sh-port")
    assert words.index("sorry_server") < words.index("sorry_server_inhibit")
    (written,) = tree.blocks("vrrp_instance")
    words = [node.keyword for node in written.statements()]
    assert words == ["vrf", "virtual_ipaddress", "interface", "virtual_router_id"]


def test_rendering_is_the_same_every_time(classic):
    texts = {conf.render(pillar.to_tree(classic, "controller1")) for _ in range(3)}
    assert len(texts) == 1


def test_a_keyword_newer_than_the_daemon_is_refused_with_the_release(classic, instance):
    instance["timer_expired_backup"] = True
    assert pillar.to_tree(classic, "controller1", "2.2.8")
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(classic, "controller1", (2, 2, 7))
    assert error.value.mistakes == [
        (
            "keepalived:config:vrrp_instance:VI_PUBLIC:timer_expired_backup",
            "needs keepalived 2.2.8; this node has 2.2.7",
        )
    ]


def test_a_nonsense_version_is_the_callers_mistake(classic):
    with pytest.raises(ValueError, match=r"2\.2\.7"):
        pillar.to_tree(classic, "controller1", "newest")
