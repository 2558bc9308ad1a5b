"""The rows of ``change_rules``: (keywords, case, kind, what it does, where that is known from).

A sixth element (since, until) limits a row to some releases.  A row without a case goes for every
change that no other row of that keyword names; which case it is, ``change_instance`` and
``change_global`` find out.
"""

from __future__ import annotations

from typing import Any

from .change_kind import Kind
from .change_table_instance import ADDED, DEAF, INSTANCE, REMOVED, SYNC_GROUP

SAFE = Kind.SAFE
RESTART, CLUSTER, REMOVES = Kind.RESTART, Kind.CLUSTER, Kind.REMOVES

UNTIL_2_2_8 = ((), (2, 2, 8))
UNTIL_2_3_4 = ((), (2, 3, 4))
SINCE_2_3_4 = ((2, 3, 4), ())

_SNMP = (
    "enable_snmp_vrrp enable_snmp_keepalived enable_snmp_rfc enable_snmp_rfcv2 "
    "enable_snmp_rfcv3 enable_snmp_checker"
)
_REFUSED = "keepalived refuses the reload and goes on with the old configuration"
_START = "has no effect before the next start of keepalived"
GLOBAL: list[tuple[Any, ...]] = [
    (
        "nftables vrrp_iptables",
        "",
        RESTART,
        _REFUSED,
        "measured; main.c:814",
    ),
    (
        "nftables_ipvs disable_local_igmp",
        "",
        RESTART,
        _REFUSED,
        "measured; main.c:821",
    ),
    (
        "tmp_config_directory",
        "",
        RESTART,
        f"{_REFUSED}, and at the next reload, of whatever file, the VRRP process reads a torn "
        "copy and gives its addresses up",
        "measured; parser.c:364, main.c:829",
    ),
    (
        "vrrp_ipsets nftables_priority nftables_ifindex",
        "",
        SAFE,
        "firewall rules that stand are not made anew; all of it takes effect at the next start",
        "measured to be harmless; vrrp.c:4546",
    ),
    (
        _SNMP,
        ADDED,
        RESTART,
        "up to 2.2.7 the VRRP process dies of SIGSEGV at the reload",
        "measured; keepalived issue 2086, mended in 2.2.8",
        UNTIL_2_2_8,
    ),
    (
        _SNMP,
        "",
        SAFE,
        "once switched off by a reload, only a restart switches it on again",
        "measured; keepalived(8) of 2.3.3, HUP",
    ),
    (
        "enable_dbus",
        "",
        RESTART,
        "up to 2.3.3 the VRRP process dies of SIGSEGV when reloads switch D-Bus off and on again",
        "measured; keepalived issue 2604, mended in 2.3.4",
        UNTIL_2_3_4,
    ),
    ("enable_dbus", "", SAFE, "the bus name comes or goes", "2.3.4", SINCE_2_3_4),
    (
        "snmp_socket dbus_service_name dbus_no_interface_name",
        "",
        SAFE,
        _START,
        "vrrp_daemon.c: only the first agent_init and dbus_start read it",
    ),
    (
        "vrrp_startup_delay vrrp_delay_after_boot startup_script startup_script_timeout "
        "random_seed lvs_flush",
        "",
        SAFE,
        _START,
        "measured (vrrp_startup_delay); vrrp_daemon.c",
    ),
    (
        "vmac_prefix vmac_addr_prefix",
        "",
        RESTART,
        "devices of use_vmac get another name: keepalived removes them with their addresses and "
        "does not put these back",
        "measured for a name in use_vmac; vrrp.c:3396",
    ),
    (
        "default_interface",
        "",
        SAFE,
        "static addresses without dev go to another interface",
        "vrrp_if.c:136",
    ),
    (
        "notify_fifo vrrp_notify_fifo lvs_notify_fifo notify_fifo_script vrrp_notify_fifo_script "
        "lvs_notify_fifo_script",
        "",
        SAFE,
        "FIFOs are closed and opened anew at every reload; the readers keepalived started are, too",
        "measured",
    ),
    (
        "reload_check_config reload_time_file reload_file reload_repeat",
        "",
        SAFE,
        "counts from the reload after this one on",
        "main.c:762",
    ),
    (
        "vrrp_mcast_group4 vrrp_mcast_group6 vrrp_version vrrp_strict vrrp_skip_check_adv_addr "
        "vrrp_check_unicast_src v3_checksum_as_v2",
        "",
        SAFE,
        "no instance takes its value from here",
        "counted for each instance, by the value that it has in the end",
    ),
]

ROOT: list[tuple[Any, ...]] = [
    ("net_namespace net_namespace_ipvs instance", "", RESTART, _REFUSED, "measured; main.c:792"),
    (
        "use_pid_dir namespace_with_ipsets linkbeat_use_polling",
        "",
        SAFE,
        _START,
        "measured to be harmless; main.c:2596",
    ),
    ("child_wait_time", "", SAFE, "counts at the next stop", "measured; main.c:1131"),
    (
        "vrrp_instance",
        ADDED,
        SAFE,
        "starts as BACKUP and takes its addresses if nobody else claims them",
        "measured",
    ),
    (
        "vrrp_instance",
        REMOVED,
        REMOVES,
        "this node gives its addresses up; a peer that has the instance takes them (0.6 s)",
        "measured",
    ),
    (
        "vrrp_instance",
        "removed, its addresses in another instance",
        CLUSTER,
        "peers that still have it take its addresses, while this node has them in the other "
        "instance",
        "measured for a changed virtual_router_id, which is the same",
    ),
    (
        "vrrp_instance",
        "renamed",
        SAFE,
        "keepalived knows an instance by interface, family and virtual_router_id, not by name",
        "measured; vrrp.c:2554",
    ),
    (
        "vrrp_instance",
        "another order",
        SAFE,
        "counts when an address goes from one instance to another",
        "measured",
    ),
    (
        "vrrp_instance",
        "family",
        CLUSTER,
        "IPv4 and IPv6 are two virtual routers: the old one is given up, the new one elected",
        "measured; vrrp.c:2559",
    ),
    ("vrrp_sync_group", "", SAFE, "the members keep their state", "measured"),
    (
        "vrrp_script vrrp_track_process track_file vrrp_track_file bfd_instance",
        "",
        SAFE,
        "only what tracks it is concerned",
        "measured",
    ),
    (
        "static_ipaddress",
        REMOVED,
        REMOVES,
        "is taken off at once",
        "vrrp_ipaddress.c:811",
    ),
    ("static_ipaddress", "", SAFE, "is put on at once", "vrrp_ipaddress.c:811"),
    (
        "virtual_server",
        ADDED,
        SAFE,
        "a first one starts the checker process; without IPVS in the kernel that ends keepalived",
        "measured on a kernel without ip_vs",
    ),
    (
        "virtual_server",
        REMOVED,
        SAFE,
        "the service is taken out of IPVS; connections through it end",
        "check/ipwrapper.c, clear_diff_services",
    ),
]

#: (block, its rows); "" is the outermost level.
TABLE: tuple[tuple[str, list[tuple[Any, ...]]], ...] = (
    ("", ROOT),
    ("global_defs", GLOBAL),
    ("vrrp_instance", INSTANCE),
    ("vrrp_instance authentication", [("auth_type auth_pass", "", CLUSTER, DEAF, "measured")]),
    ("vrrp_sync_group", SYNC_GROUP),
    (
        "bfd_instance",
        [
            (
                "neighbor_ip neighbour_ip source_ip",
                "",
                SAFE,
                "the session begins anew: what tracks it may see it down for a moment",
                "bfd_parser.c",
            )
        ],
    ),
)

#: What goes for the keywords of a block that have no row: (kind, what it does, why).
BLOCKS: dict[str, tuple[Kind, str, str]] = {
    "": (
        SAFE,
        "is nothing that keepalived knows there; the configuration's test says what it makes of it",
        "unknown words are ignored",
    ),
    "global_defs": (
        SAFE,
        "is taken over by the reload",
        "set anew from the file at every reload (init_global_data); no address depends on it",
    ),
    "linkbeat_use_polling": (SAFE, _START, "of how links are watched"),
    "track_group": (SAFE, "is taken over by the reload", "names for static addresses"),
    "static_ipaddress": (SAFE, "is put on at once", "compared one by one"),
    "static_routes": (SAFE, "is changed at once", "compared one by one (clear_diff_routes)"),
    "static_rules": (SAFE, "is changed at once", "compared one by one (clear_diff_rules)"),
    "garp_group": (SAFE, "counts at the next announcement", "how fast announcements are sent"),
    "linkbeat_interfaces": (SAFE, "is taken over by the reload", "how a link is watched"),
    "interface_up_down_delays": (SAFE, "is taken over by the reload", "how a link is watched"),
    "vrrp_sync_group": (SAFE, "is taken over by the reload", "the members keep their state"),
    "vrrp_instance": (
        SAFE,
        "is taken over by the reload",
        "in no advert, and no part of what keepalived knows an instance by (vrrp_exist)",
    ),
    "vrrp_script": (
        SAFE,
        "keeps its last result until it has run again; a failure then counts as any other",
        "clear_diff_script; measured",
    ),
    "vrrp_track_process": (
        SAFE,
        "processes are looked for anew; one that is missing counts as any other failure",
        "reload_track_processes",
    ),
    "track_file": (
        SAFE,
        "the file is read anew; its value counts as it always does",
        "init_track_files; measured",
    ),
    "vrrp_track_file": (
        SAFE,
        "the file is read anew; its value counts as it always does",
        "init_track_files; measured",
    ),
    "bfd_instance": (SAFE, "the session takes it over", "a process of its own"),
    "virtual_server_group": (SAFE, "entries are compared one by one", "clear_diff_vsg"),
    "virtual_server": (
        SAFE,
        "services and real servers that stay go on; what is changed is edited in place",
        "clear_diff_services, clear_diff_rs; a process of its own",
    ),
    "SSL": (SAFE, "counts from the next check on", "read by the checkers at the reload"),
    "global_defs lvs_sync_daemon": (
        SAFE,
        "the daemon of IPVS is stopped and started",
        "reload_vrrp_thread",
    ),
}
