"""Rows of ``change_rules`` for instances and sync groups; see ``change_table`` for their form."""

from __future__ import annotations

from typing import Any

from .change_kind import Kind

SAFE, MOVES = Kind.SAFE, Kind.MOVES
RESTART, CLUSTER, REMOVES = Kind.RESTART, Kind.CLUSTER, Kind.REMOVES

ADDED, REMOVED = "added", "removed"
UNTIL_2_3_3 = ((), (2, 3, 3))
SINCE_2_3_3 = ((2, 3, 3), ())

DEAF = "nodes with the other value do not hear this one: two hold the addresses until all have it"
_REBUILT = (
    "keepalived takes the instance for another one: where it is MASTER, its addresses go for "
    "about one advert (0.6 s with advert_int 1) to a peer, then it elects anew"
)
_NOTIFY = "is used from the next event on; a reload itself runs no script"

INSTANCE: list[tuple[Any, ...]] = [
    # -- what the packets say, and whether the others take them --
    ("virtual_router_id", "", CLUSTER, DEAF, "measured; vrrp.c:2554"),
    ("version", "", CLUSTER, DEAF, "measured; vrrp.c:860"),
    (
        "authentication",
        "of no account",
        SAFE,
        "is not in use: VRRP version 3 and strict mode have no authentication",
        "vrrp.c:3010",
    ),
    (
        "authentication",
        "behind the eighth byte",
        SAFE,
        "keepalived cuts auth_pass to 8 bytes, which are the same",
        "measured",
    ),
    ("authentication", "", CLUSTER, DEAF, "measured; vrrp.c:880"),
    ("auth_hmac", "", CLUSTER, DEAF, "keepalived.conf(5) of 2.4.0, auth_hmac"),
    ("advert_int", "version 2", CLUSTER, DEAF, "measured; vrrp.c:937"),
    (
        "advert_int",
        "version 3, to less than a third",
        MOVES,
        "a backup that is reloaded before the master waits no longer than its own three "
        "intervals, claims the addresses for a moment, and gives way",
        "measured; vrrp.c:3300",
    ),
    (
        "advert_int",
        "",
        SAFE,
        "in VRRP version 3 the others take the master's interval over",
        "measured; vrrp.c:1944",
    ),
    ("mcast_dst_ip", "of no account", SAFE, "is not in use with unicast", "vrrp.c:2571"),
    (
        "v3_checksum_as_v2 old_unicast_checksum",
        "of no account",
        SAFE,
        "is in use in VRRP version 3 over IPv4 only",
        "vrrp.c:975",
    ),
    ("mcast_dst_ip", "", CLUSTER, DEAF, "measured; vrrp.c:2591"),
    (
        "v3_checksum_as_v2 old_unicast_checksum",
        "",
        CLUSTER,
        "the others take its packets for damaged: two hold the addresses until all have it",
        "measured (old_unicast_checksum, on the backup); vrrp.c:990",
    ),
    # -- addresses --
    (
        "virtual_ipaddress",
        ADDED,
        CLUSTER,
        "up to 2.3.2 a node drops adverts with another list than its own: two hold all "
        "addresses of the instance until every node has the new list",
        "measured; vrrp.c:964",
        UNTIL_2_3_3,
    ),
    (
        "virtual_ipaddress",
        ADDED,
        SAFE,
        "is there as soon as the master is reloaded; 2.3.3 only logs that lists differ",
        "measured on 2.3.3",
        SINCE_2_3_3,
    ),
    (
        "virtual_ipaddress",
        "the list on the wire",
        CLUSTER,
        "up to 2.3.2 a node drops adverts with another list than its own: two hold all "
        "addresses of the instance until every node has the new list",
        "measured; vrrp.c:964",
        UNTIL_2_3_3,
    ),
    (
        "virtual_ipaddress",
        "the list on the wire",
        SAFE,
        "2.3.3 only logs that lists differ",
        "measured on 2.3.3",
        SINCE_2_3_3,
    ),
    (
        "virtual_ipaddress virtual_ipaddress_excluded",
        REMOVED,
        REMOVES,
        "is taken off where the instance is MASTER",
        "measured; vrrp.c:4815",
    ),
    (
        "virtual_ipaddress virtual_ipaddress_excluded",
        "mask, device, label or scope",
        MOVES,
        "is taken off and put back within milliseconds; connections stand that, routes that "
        "hang on it may not",
        "measured; vrrp_ipaddress.c:710",
    ),
    (
        "virtual_ipaddress virtual_ipaddress_excluded",
        "goes up to an instance that stands above",
        REMOVES,
        "is put on before the other instance takes it off, and then is nowhere: remove it in one "
        "reload, add it in a second",
        "measured; keepalived(8), HUP",
    ),
    (
        "virtual_ipaddress virtual_ipaddress_excluded",
        "goes to another instance",
        MOVES,
        "goes where the other instance is MASTER, which may be another node",
        "measured; keepalived(8), HUP",
    ),
    (
        "virtual_ipaddress virtual_ipaddress_excluded",
        "another order or other options",
        SAFE,
        "the lists agree in what counts",
        "measured; vrrp_ipaddress.c:710",
    ),
    (
        "virtual_ipaddress_excluded",
        "",
        SAFE,
        "is not in the adverts, so the others need not have it",
        "measured",
    ),
    (
        "no_virtual_ipaddress promote_secondaries",
        "",
        SAFE,
        "moves no address",
        "vrrp_parser.c:2371",
    ),
    (
        "virtual_routes virtual_rules",
        "",
        SAFE,
        "routes and rules are compared one by one and changed where the instance is MASTER",
        "vrrp.c:4846",
    ),
    (
        "accept no_accept",
        "no longer accepts",
        REMOVES,
        "a firewall rule drops what is sent to the addresses: nobody reaches them",
        "measured; vrrp.c:4815",
    ),
    ("accept no_accept", "", SAFE, "the addresses answer as before, or again", "measured"),
    # -- how the others are reached --
    (
        "interface",
        "",
        CLUSTER,
        f"{_REBUILT}; on another network than the peers' two hold the addresses until all have it",
        "measured; vrrp.c:2554",
    ),
    (
        "unicast_peer",
        "multicast or unicast",
        CLUSTER,
        "a node that sends one way does not hear those that send the other way: two hold the "
        "addresses until all have it",
        "measured; vrrp.c:1022, 2568",
    ),
    (
        "unicast_peer",
        REMOVED,
        CLUSTER,
        "a node that gets no adverts any more takes the addresses too, until it is changed as well",
        "measured",
    ),
    (
        "unicast_peer",
        "min_ttl or max_ttl",
        CLUSTER,
        "adverts that came another way than that are dropped: two may hold the addresses",
        "vrrp.c:1130",
    ),
    ("unicast_peer", "", SAFE, "one more node gets the adverts", "measured"),
    (
        "unicast_src_ip",
        "",
        CLUSTER,
        f"{_REBUILT}; peers send to the old address until their lists are changed",
        "measured; vrrp.c:2571",
    ),
    ("mcast_src_ip", "", SAFE, "the others take the adverts from either address", "measured"),
    (
        "check_unicast_src",
        ADDED,
        CLUSTER,
        "adverts from addresses that are not in unicast_peer are dropped: two may hold the "
        "addresses",
        "vrrp.c:1098",
    ),
    ("check_unicast_src", "", SAFE, "more adverts are taken", "vrrp.c:1098"),
    (
        "unicast_ttl",
        "",
        CLUSTER,
        "a peer whose min_ttl is above it drops the adverts: two may hold the addresses",
        "vrrp.c:1130",
    ),
    (
        "unicast_fault_no_peer",
        "",
        SAFE,
        "without peers the instance goes to FAULT",
        "keepalived.conf(5)",
    ),
    (
        "use_vmac use_ipvlan",
        "name or address of the device",
        RESTART,
        "keepalived removes the device with its addresses, makes the new one, stays MASTER and "
        "does not put the addresses back",
        "measured; vrrp.c:3396",
    ),
    ("use_vmac use_vmac_addr use_ipvlan", "", MOVES, _REBUILT, "measured; vrrp.c:2577"),
    (
        "vmac_xmit_base",
        "",
        CLUSTER,
        "a backup listens elsewhere and does not hear the master: two hold the addresses until "
        "all have it",
        "measured, on the backup",
    ),
    ("vrf", "", MOVES, _REBUILT, "vrrp_vmac.c: the VMAC is made anew"),
    ("native_ipv6", "", CLUSTER, DEAF, "vrrp_parser.c:2344"),
    # -- election --
    (
        "priority",
        "",
        MOVES,
        "whether another node then takes the addresses depends on the peers",
        "measured; vrrp.c:1940",
    ),
    (
        "preempt nopreempt",
        "preempts again",
        MOVES,
        "a node with a higher priority than the holder's takes the addresses",
        "vrrp.c:1937",
    ),
    ("preempt nopreempt", "", SAFE, "keeps who holds the addresses", "measured"),
    ("preempt_delay", "", SAFE, "counts at the next failover", "measured"),
    ("state", "", SAFE, "counts at a start; a reload keeps the state", "measured; vrrp.c:4733"),
    (
        "track_interface track_script track_file track_process track_bfd track_src_ip "
        "dont_track_primary linkbeat_use_polling",
        "",
        SAFE,
        "what is tracked and fails already sends the instance to FAULT, and its addresses to a "
        "peer",
        "measured",
    ),
    (
        "strict_mode",
        "",
        SAFE,
        "by itself moves no address; what strict mode switches off is listed by its own word",
        "measured",
    ),
    (
        "skip_check_adv_addr",
        "",
        SAFE,
        "counts when address lists differ: with it a backup takes the adverts of the master it "
        "knows, so the master may be reloaded first",
        "measured; vrrp.c:1914",
    ),
    (
        "down_timer_adverts",
        "",
        SAFE,
        "counts from the next advert on",
        "measured; vrrp.h, VRRP_MS_DOWN_TIMER",
    ),
    (
        "notify notify_backup notify_master notify_fault notify_stop notify_deleted "
        "notify_master_rx_lower_pri notify_priority_changes smtp_alert",
        "",
        SAFE,
        _NOTIFY,
        "measured",
    ),
]

SYNC_GROUP: list[tuple[Any, ...]] = [
    (
        "group",
        "joined",
        MOVES,
        "members that are not all MASTER go to BACKUP together, and elect anew",
        "measured; vrrp.c:4737",
    ),
    ("group", "", SAFE, "those that stay keep their state", "measured"),
    (
        "track_interface track_script track_file track_process track_bfd",
        "",
        SAFE,
        "what is tracked and fails already sends all members to FAULT, and their addresses to a "
        "peer",
        "vrrp_track.c:655",
    ),
    (
        "sync_group_tracking_weight global_tracking",
        "",
        SAFE,
        "the members' own weights count, or no longer do; a changed priority is listed by itself",
        "vrrp.c:3830",
    ),
    (
        "notify notify_backup notify_master notify_fault notify_stop notify_priority_changes "
        "smtp_alert",
        "",
        SAFE,
        _NOTIFY,
        "measured",
    ),
]
