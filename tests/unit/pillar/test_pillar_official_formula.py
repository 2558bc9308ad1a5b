"""Pillars written for the official keepalived-formula are read as they are, traps apart."""

import pytest
import yaml

from keepalived_core import conf, pillar
from keepalived_core.pillar import sections

# The shapes its users have: nested mappings, lists where order matters or keys repeat, names with
# ports, quotes of the file inside the value.
SHAPES = """
config:
  global_defs:
    notification_email:
      - admin@example.com
      - other@example.com
    notification_email_from: keepalived@example.com
    smtp_server: 192.0.2.25
    smtp_connect_timeout: 30
    router_id: LVS_DEVEL
  vrrp_sync_group:
    GROUP:
      group:
        - VI_4
        - VI_6
  vrrp_script:
    check_apache:
      script: '"/usr/bin/killall -0 apache2"'
      interval: 2
  vrrp_instance:
    VI_4:
      state: MASTER
      interface: eth0
      virtual_router_id: 51
      priority: 100
      advert_int: 1
      authentication:
        auth_type: PASS
        auth_pass: '1111'
      virtual_ipaddress:
        - 192.0.2.16
        - 192.0.2.9/24 dev eth1
      track_script:
        - check_apache
    VI_6:
      state: BACKUP
      interface: eth0
      virtual_router_id: 51
      virtual_ipaddress:
        - 2001:db8::1
  virtual_server_group:
    dns_TCP:
      - 192.0.2.53 53
  virtual_server:
    192.0.2.100 443:
      delay_loop: 6
      lb_algo: rr
      lb_kind: NAT
      persistence_timeout: 50
      protocol: TCP
      sorry_server: 192.0.2.200 443
      real_server:
        192.0.2.101 443:
          weight: 1
          SSL_GET:
            - url:
                path: /
                digest: ff20ad2481f97b1754ef3e12ecd3a9cc
            - url:
                path: /mrtg/
                digest: 9b3a0c85a887a256d6939da88aabd8cd
            - connect_timeout: 3
            - retry: 3
            - delay_before_retry: 3
    group dns_TCP:
      protocol: TCP
scripts_dir: /etc/keepalived
"""


def test_its_shapes_are_read():
    tree = pillar.to_tree(yaml.safe_load(SHAPES), version="2.2.7")
    text = conf.render(tree)
    assert 'script "/usr/bin/killall -0 apache2"' in text
    server = next(conf.parse(text).blocks("virtual_server"))
    (real,) = server.blocks("real_server")
    (get,) = real.blocks("SSL_GET")
    assert [url.value("path") for url in get.blocks("url")] == ["/", "/mrtg/"]
    assert get.value("retry") == "3"
    assert server.get("sorry_server").args == ["192.0.2.200", "443"]


# A trap of the example, and what we say.
TRAPS = {
    "nat_mask": (
        "virtual_server:192.0.2.100 443:nat_mask",
        "255.255.255.0",
        "was the last to know",
    ),
    "number for a password": (
        "vrrp_instance:VI_4:authentication:auth_pass",
        1111,
        "the secret is not text; quote it",
    ),
    "flag as text": ("vrrp_instance:VI_4:nopreempt", "False", "is no boolean"),
    "a weight that cannot count": (
        "vrrp_instance:VI_4:track_script:0",
        "check_apache weight 10",
        "check_apache has weight 10, but vrrp_instance VI_4 is a member of a sync group",
    ),
    "members nobody defined": (
        "vrrp_sync_group:GROUP:group:0",
        "VI_IPV4",
        "there is no vrrp_instance VI_IPV4",
    ),
}


@pytest.mark.parametrize("path, value, reason", TRAPS.values(), ids=TRAPS.keys())
def test_its_traps_are_refused_with_a_reason(path, value, reason):
    data = yaml.safe_load(SHAPES)
    *way, last = path.split(":")
    place = data["config"]
    for key in way:
        place = place[key]
    place[int(last) if isinstance(place, list) else last] = value
    with pytest.raises(pillar.PillarError) as error:
        pillar.to_tree(data, version="2.2.7")
    ((where, said),) = error.value.mistakes
    assert where == f"keepalived:config:{path}"
    assert reason in said


def test_an_ordered_list_of_blocks_is_read():
    data = yaml.safe_load(
        """
        config:
          - vrrp_script: {chk: {script: /usr/bin/true}}
          - vrrp_instance:
              - A: {interface: eth0, virtual_router_id: 1, virtual_ipaddress: [10.0.0.1]}
              - B: {interface: eth0, virtual_router_id: 2, virtual_ipaddress: [10.0.0.2]}
        """
    )
    tree = pillar.to_tree(data)
    assert [block.name for block in tree.blocks("vrrp_instance")] == ["A", "B"]


def test_its_way_to_deploy_scripts_is_refused_key_by_key():
    """Its scripts are named by file, with a template and its context; ours by full path."""
    data = yaml.safe_load(
        """
        scripts:
          check.sh:
            ensure: present
            template_file: check.sh
            context: {port: 80}
            contents: 'exit 0'
            mode: '755'
        """
    )
    assert [(path, reason.split(";")[0]) for path, reason in sections.check(data)] == [
        ("keepalived:scripts:check.sh", "the full path of the script belongs here"),
        ("keepalived:scripts:check.sh:ensure", "no such key"),
        ("keepalived:scripts:check.sh:template_file", "no such key"),
        ("keepalived:scripts:check.sh:context", "no such key"),
    ]
