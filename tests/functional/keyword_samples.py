"""A minimal valid configuration for every keyword of the table, as pillar data.

What a keyword's row says (kind, bounds, choices) makes its value; what a row cannot say (a word
with a grammar of its own, a file that must exist, a neighbour it needs) stands here as data.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from keepalived_core.conf import grammar
from keepalived_core.conf.keyword import (
    ADDRESS,
    BLOCK,
    CHOICE,
    DECIMAL,
    ENTRIES,
    FLAG,
    INTEGER,
    SCRIPT,
    SWITCH,
    TEXT,
    WORDLIST,
    WORDS,
    Keyword,
)

Config = dict[str, Any]
Where = tuple[str, ...]

# What `keepalived -v` must list for a keyword to be there; by path, or by the path's beginning.
BUILD: dict[str, str] = {
    "global_defs/enable_dbus": "DBUS",
    "global_defs/dbus_service_name": "DBUS",
    "global_defs/dbus_no_interface_name": "DBUS",
    "global_defs/json_version": "JSON",
    "global_defs/vrrp_ipsets": "LIBIPSET",
    "global_defs/vrrp_iptables": "IPTABLES",
    "global_defs/nftables": "NFTABLES",
    "global_defs/bfd_": "BFD",
    "global_defs/enable_snmp_rfc": "SNMP_RFCV2",
    "global_defs/enable_snmp": "SNMP_VRRP",
    "global_defs/snmp_socket": "SNMP_VRRP",
    "global_defs/enable_traps": "SNMP_VRRP",
    "bfd_instance": "BFD",
    "vrrp_instance/track_bfd": "BFD",
    "vrrp_sync_group/track_bfd": "BFD",
    "vrrp_instance/authentication": "VRRP_AUTH",
    "vrrp_instance/vrf": "VRF",
    "vrrp_instance/use_ipvlan": "VRRP_IPVLAN",
    "vrrp_instance/use_vmac": "VRRP_VMAC",
}

# Values the kind alone does not give; by path, else by the keyword's own name.
VALUES: dict[str, Any] = {
    # outside of blocks
    "instance": "one",
    "net_namespace": "NETNS",
    "net_namespace_ipvs": "NETNS",
    "interface_up_down_delays": ["eth1 1 2.5"],
    "linkbeat_interfaces": ["eth1 ETHTOOL"],
    "static_ipaddress": ["192.168.1.80/24 brd + dev eth1 scope global"],
    "static_routes": ["10.8.0.0/16 via 192.168.1.1 dev eth1"],
    "static_rules": ["from 192.168.1.0/24 table 100 priority 100"],
    # global_defs
    "advert_int": 2,
    "bfd_cpu_affinity": "0",
    "checker_cpu_affinity": "0",
    "config_save_dir": "/tmp",
    "default_interface": "eth1",
    "dynamic_interfaces": "allow_if_changes",
    "include_check": True,
    "iproute_etc_dir": "/etc/iproute2",
    "iproute_usr_dir": "/usr/share/iproute2",
    "lvs_notify_fifo": "/tmp/lvs.fifo",
    "lvs_flush_on_stop": "VS",
    "lvs_flush_onstop": "VS",
    "lvs_sync_daemon": "eth1 id 10 maxlen 1000 port 8848 ttl 2 group 224.0.0.81",
    "lvs_timeouts": "tcp 900 tcpfin 120 udp 300",
    "notification_email": ["root@localhost"],
    "notify_fifo": "/tmp/all.fifo",
    "reload_file": "/tmp/reload",
    "reload_time_file": "/tmp/reload-time",
    "script_user": "root root",
    "smtp_server": "127.0.0.1 25",
    "tmp_config_directory": "/tmp",
    "umask": "0177",
    "vmac_addr_prefix": "va",
    "vmac_prefix": "vm",
    "vrrp_cpu_affinity": "0",
    "vrrp_garp_extra_if": "all 10",
    "vrrp_mcast_group6": "ff02::12",
    "vrrp_mcast_group4": "224.0.0.18",
    "vrrp_notify_fifo": "/tmp/vrrp.fifo",
    "vrrp_rx_bufs_policy": "MTU",
    "vrrp_vmac_garp_intvl": "all 10",
    "vrrp_ipsets": "keepalived",
    "vrrp_iptables": "INPUT OUTPUT",
    # VRRP
    "auth_type": "PASS",
    "auth_pass": "secret",
    "garp_extra_if": "all 10",
    "vmac_garp_intvl": "all 10",
    "group": ["A{n}", "B{n}"],
    "interface": "eth1",
    "interfaces": ["eth1", "eth2"],
    "key": "1 file:/etc/keepalived/key",
    "mcast_dst_ip": "224.0.0.19",
    "old_unicast_checksum": "never",
    "track_bfd": ["B{n}"],
    "track_file": ["F{n} weight 2"],
    "track_interface": ["eth2 weight 10"],
    "track_process": ["P{n}"],
    "track_script": ["S{n}"],
    "vrrp_sync_group/track_interface": ["fareth1"],
    "unicast_peer": ["192.168.1.3 min_ttl 250 max_ttl 255"],
    "unicast_src_ip": "192.168.1.2",
    "mcast_src_ip": "192.168.1.2",
    "use_ipvlan": "private ipvlan{n} 192.168.1.2",
    "use_vmac": "vmac{n}",
    "virtual_ipaddress": ["192.168.1.{n}/24 brd - dev eth1 scope global label eth1:{n}"],
    "virtual_ipaddress_excluded": ["192.168.2.{n}/24 dev eth2 no_track"],
    "virtual_routes": ["10.{n}.0.0/16 via 192.168.1.1 dev eth1 metric 10"],
    "virtual_rules": ["from 10.{n}.0.0/16 table 100 priority 1{n}"],
    "vrf": "vrf1",
    "process": "haproxy",
    "file": "/tmp/value",
    "init_file": "1",
    "user": "root root",
    "bfd_instance/source_ip": "192.168.1.2",
    "track_group/group": ["I{n}"],
    # LVS
    "SSL/password": "secret",
    "virtual_server_group": {"G{n}": ["192.168.3.{n} 80", "192.168.4.1-20 80", "fwmark {n}"]},
    "bindto": "192.168.1.2",
    "bind_if": "eth1",
    "connect_ip": "192.168.4.{n}",
    "digest": "0123456789abcdef0123456789abcdef",
    "lb_kind": "DR",
    "lvs_method": "DR",
    "sorry_server_lvs_method": "DR",
    "sorry_server": "192.168.5.{n} 80",
    "payload": "ff 01",
    "require_reply": "ff 01",
    "persistence_engine": "sip",
    "persistence_granularity": "255.255.255.0",
    "regex": "ok",
    "regex_options": "caseless",
    "regex_stack": "1024 4096",
    "status_code": "200-299 404",
    "path": "/",
    "virtual_server/ip_family": "inet",
    "virtual_server/real_server/BFD_CHECK/name": "B{n}",
    "virtual_server/real_server/FILE_CHECK/track_file": "F{n}",
    "virtual_server/real_server/DNS_CHECK/type": "A",
    "virtual_server/real_server/DNS_CHECK/name": "example.org",
    "virtual_server/real_server/MISC_CHECK/misc_path": "/usr/bin/true",
}

# What a keyword's own block must have beside it.
BESIDE: dict[str, Config] = {
    "vrrp_instance/accept": {"version": 3},
    "vrrp_instance/native_ipv6": {"virtual_ipaddress": ["fe80::{n}"]},
    "vrrp_instance/no_virtual_ipaddress": {"virtual_ipaddress": None},
    "vrrp_instance/use_vmac_addr": {"virtual_ipaddress": ["192.168.1.{n} dev eth2"]},
    "vrrp_instance/vmac_xmit_base": {"use_vmac": "vmac{n}"},
    "vrrp_instance/unicast_ttl": {"unicast_peer": ["192.168.1.3"]},
    "vrrp_instance/unicast_fault_no_peer": {"unicast_peer": ["192.168.1.3"]},
    "vrrp_instance/check_unicast_src": {"unicast_peer": ["192.168.1.3"]},
    "vrrp_instance/old_unicast_checksum": {"unicast_peer": ["192.168.1.3"], "version": 3},
    "vrrp_instance/unicast_src_ip": {"unicast_peer": ["192.168.1.3"]},
    "vrrp_instance/track_src_ip": {"mcast_src_ip": "192.168.1.2"},
    "vrrp_instance/timer_expired_backup": {"nopreempt": True},
    "vrrp_instance/thread_timer_expired": {"nopreempt": True},
    "vrrp_instance/owner_ignore_adverts": {"priority": 255},
    "vrrp_instance/v3_checksum_as_v2": {"version": 3},
    "vrrp_instance/auth_hmac": {"version": 3},
    "vrrp_instance/authentication/auth_type": {"auth_pass": "secret"},
    "vrrp_instance/authentication/auth_pass": {"auth_type": "PASS"},
    "virtual_server/flag-1": {"lb_algo": "sh"},
    "virtual_server/sh-port": {"lb_algo": "sh"},
    "virtual_server/sh-fallback": {"lb_algo": "sh"},
    "virtual_server/flag-2": {"lb_algo": "sh"},
    "virtual_server/mh-port": {"lb_algo": "mh"},
    "virtual_server/mh-fallback": {"lb_algo": "mh"},
    "virtual_server/ops": {"protocol": "UDP"},
    "virtual_server/sorry_server_inhibit": {"sorry_server": "192.168.5.{n} 80"},
    "virtual_server/sorry_server_lvs_method": {"sorry_server": "192.168.5.{n} 80"},
    "virtual_server/persistence_granularity": {"persistence_timeout": 60},
    "virtual_server/persistence_engine": {"persistence_timeout": 60, "protocol": "UDP"},
    "virtual_server/hashed": {"lb_algo": "sh"},
    "virtual_server/hysteresis": {"quorum": 2, "real_server": {"192.168.4.{n} 80": {"weight": 5}}},
    "vrrp_track_process/quorum_max": {"quorum": 1},
    "vrrp_track_process/param_match": {"process": "haproxy -f"},
    "bfd_instance/hoplimit": {"neighbor_ip": "2001:db8::3", "source_ip": "2001:db8::2"},
    "bfd_instance/neighbour_ip": {"neighbor_ip": None},
    "virtual_server/real_server/HTTP_GET/url/regex_no_match": {"regex": "ok"},
    "virtual_server/real_server/SSL_GET/url/regex_no_match": {"regex": "ok"},
    "virtual_server/real_server/UDP_CHECK/min_reply_length": {"require_reply": "ff 01"},
}
for _kind in ("HTTP_GET", "SSL_GET"):
    for _word in ("options", "min_offset", "max_offset", "stack"):
        BESIDE[f"virtual_server/real_server/{_kind}/url/regex_{_word}"] = {"regex": "ok"}

# What must stand before the rest of its block.
AHEAD = {"vrrp_instance/vrf"}

# What a block must have to be kept, by its path.
REQUIRED: dict[str, Config] = {
    "vrrp_instance": {
        "interface": "eth1",
        "virtual_router_id": "{n}",
        "virtual_ipaddress": ["192.168.1.{n}"],
    },
    "vrrp_instance/authentication": {"auth_type": "PASS", "auth_pass": "secret"},
    "vrrp_instance/auth_hmac": {"key": "1 file:/etc/keepalived/key"},
    "vrrp_sync_group": {"group": ["A{n}", "B{n}"]},
    "vrrp_script": {"script": "/usr/bin/test -e /"},
    "vrrp_track_process": {"process": "haproxy"},
    "track_file": {"file": "/tmp/value-{n}"},
    "vrrp_track_file": {"file": "/tmp/value-{n}"},
    "track_group": {"group": ["I{n}"]},
    "bfd_instance": {"neighbor_ip": "192.168.1.{n}"},
    "garp_group": {"garp_interval": 1},
    "global_defs": {"router_id": "one"},
    "SSL": {"password": "secret"},
    "virtual_server": {
        "lb_algo": "rr",
        "lb_kind": "NAT",
        "protocol": "TCP",
        "real_server": {"192.168.4.{n} 80": {"weight": 1}},
    },
    "virtual_server/real_server": {"weight": 1},
    "virtual_server/real_server/MISC_CHECK": {"misc_path": "/usr/bin/test -e /"},
    "virtual_server/real_server/HTTP_GET": {"url": {"path": "/", "status_code": "200"}},
    "virtual_server/real_server/SSL_GET": {"url": {"path": "/", "status_code": "200"}},
    "virtual_server/real_server/HTTP_GET/url": {"path": "/"},
    "virtual_server/real_server/SSL_GET/url": {"path": "/"},
    "virtual_server/real_server/SMTP_CHECK/host": {"connect_ip": "192.168.4.{n}"},
    "virtual_server/real_server/FILE_CHECK": {"track_file": "F{n}"},
    "virtual_server/real_server/BFD_CHECK": {"name": "B{n}"},
    "virtual_server/real_server/DNS_CHECK": {"name": "example.org"},
}

# The names of named blocks.
NAMES = {
    "vrrp_instance": "I{n}",
    "vrrp_sync_group": "G{n}",
    "vrrp_script": "S{n}",
    "vrrp_track_process": "P{n}",
    "track_file": "F{n}",
    "vrrp_track_file": "F{n}",
    "track_group": "T{n}",
    "bfd_instance": "B{n}",
    "virtual_server": "192.168.3.{n} 80",
    "real_server": "192.168.4.{n} 80",
}

_INSTANCE = REQUIRED["vrrp_instance"]
# What must stand elsewhere in the file, by the path's beginning, or its end.
ELSEWHERE: dict[str, Config] = {
    "vrrp_sync_group": {
        "vrrp_instance": {
            "A{n}": _INSTANCE,
            "B{n}": {**_INSTANCE, "interface": "eth2", "virtual_ipaddress": ["192.168.2.{n}"]},
        }
    },
    "track_group": {"vrrp_instance": {"I{n}": _INSTANCE}},
    "vrrp_script": {"vrrp_instance": {"I{n}": {**_INSTANCE, "track_script": ["S{n}"]}}},
    "*/track_script": {"vrrp_script": {"S{n}": REQUIRED["vrrp_script"]}},
    "*/track_file": {"vrrp_track_file": {"F{n}": REQUIRED["vrrp_track_file"]}},
    "*/track_process": {"vrrp_track_process": {"P{n}": REQUIRED["vrrp_track_process"]}},
    "*/track_bfd": {"bfd_instance": {"B{n}": REQUIRED["bfd_instance"]}},
    "virtual_server/real_server/FILE_CHECK": {"track_file": {"F{n}": REQUIRED["track_file"]}},
    "virtual_server/real_server/BFD_CHECK": {"bfd_instance": {"B{n}": REQUIRED["bfd_instance"]}},
}


@dataclass(frozen=True)
class Sample:
    """One keyword in a configuration.  config: as pillar's keepalived:config; build: the option
    of `keepalived -v` it needs, may be empty."""

    path: Where
    keyword: Keyword
    config: Config
    build: str

    @property
    def name(self) -> str:
        return "/".join(self.path)


def samples(value: Callable[[Keyword], Any] | None = None) -> Iterator[Sample]:
    """One for each row of the table, in its order.

    value: what to write in place of the usual value, by keyword; rows it has None for are left out.
    """
    counts: dict[str, int] = {}
    for path, keyword in grammar.walk():
        given = value(keyword) if value else _value("/".join(path), keyword)
        if given is None:
            continue
        number = counts[path[0]] = counts.get(path[0], 9) + 1
        # VRIDs and host parts end at 255; what would clash above that is never in one file.
        config = _config(path, given, number % 240 + 10)
        yield Sample(path, keyword, config, _build(path))


def _build(path: Where) -> str:
    name = "/".join(path)
    return next((option for begin, option in BUILD.items() if name.startswith(begin)), "")


def _config(path: Where, inside: Any, number: int) -> Config:
    name = "/".join(path)
    for depth in range(len(path), 0, -1):
        block = grammar.lookup(path[:depth])
        assert block is not None
        here = "/".join(path[:depth])
        if block.kind == BLOCK or here in NAMES or block.name == "real_server":
            body = dict(REQUIRED.get(here, {}))
            if depth == len(path) - 1:
                body.update(BESIDE.get(name, {}))
            if depth < len(path):
                body[path[depth]] = inside
                if name in AHEAD:
                    body = {path[depth]: inside, **body}
            body = {word: value for word, value in body.items() if value is not None}
            inside = {NAMES[block.name]: body} if block.name in NAMES else body
    config: Config = {path[0]: inside}
    for key, more in ELSEWHERE.items():
        if name.startswith(key) or (key[0] == "*" and name.endswith(key[1:]) and len(path) == 2):
            config = {**more, **config}
    return dict(_numbered(config, number))


def _value(name: str, keyword: Keyword) -> Any:
    for key in (name, keyword.name):
        if key in VALUES:
            return VALUES[key]
    if keyword.kind in (FLAG, SWITCH):
        return True
    if keyword.kind in (INTEGER, DECIMAL):
        assert keyword.low is not None and keyword.high is not None
        # The middle of small ranges, the lower end of large ones; never 0 where 1 is possible.
        return int(min(max(keyword.low, 1), keyword.high)) or keyword.high
    if keyword.kind == CHOICE:
        return keyword.choices[0]
    if keyword.kind == ADDRESS:
        return "192.168.1.9"
    if keyword.kind == SCRIPT:
        return "/usr/bin/test -e /"
    if keyword.kind == TEXT:
        return "/tmp/x" if name.endswith(("_file", "ca", "key", "certificate")) else "x"
    assert keyword.kind not in (WORDS, WORDLIST, ENTRIES), f"{name} has no sample value"
    return {}


def _numbered(value: Any, number: int) -> Any:
    if isinstance(value, dict):
        return {str(_numbered(key, number)): _numbered(item, number) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbered(item, number) for item in value]
    if isinstance(value, str) and "{n}" in value:
        text = value.replace("{n}", str(number))
        return int(text) if value == "{n}" else text
    return value
