"""The option words that the lines of value blocks may carry.

These are the words keepalived 2.4.3 compares with, in the order it does; what follows each
one is read where a line is judged (``entries.py``).
"""

from __future__ import annotations


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ENTRY_WORDS: dict[str, tuple[str, ...]] = {
    # static_ipaddress, virtual_ipaddress, virtual_ipaddress_excluded (vrrp_ipaddress.c)
    "address": _words(
        """
        dev scope broadcast brd - + label peer home -nodad mngtmpaddr noprefixroute autojoin
        no_track preferred_lft forever track_group use_vmac
        """
    ),
    # static_routes, virtual_routes (vrrp_iproute.c)
    "route": _words(
        """
        id dst src tos ttl flags tc hoplimit ip ip6 mpls ila nexthop via inet inet6 dev weight
        onlink encap realms as to gw from dsfield table protocol scope metric priority
        preference oif expires mtu lock advmss rtt rttvar reordering window cwnd ssthresh
        rto_min initcwnd initrwnd features ecn quickack congctl pref low medium high
        ttl-propagate enabled disabled fastopen_no_cookie add prepend append or no_track
        track_group vrf default any all default6 s sec secs
        """
    ),
    # static_rules, virtual_rules (vrrp_iprule.c)
    "rule": _words(
        """
        inet6 inet from to table lookup not preference order priority tos dsfield fwmark realms
        suppress_prefixlength sup_pl suppress_ifgroup sup_group dev iif oif tunnel-id uidrange
        l3mdev protocol ipproto sport dport no_track track_group type goto nop default any all
        default6
        """
    ),
    # track_interface (vrrp_track.c)
    "track_interface": ("weight", "reverse"),
    # track_script, track_file, track_process, track_bfd (vrrp_track.c)
    "track": ("weight", "reverse", "noreverse"),
    # linkbeat_interfaces (vrrp_if.c)
    "linkbeat": ("MII", "ETHTOOL", "IOCTL"),
    # unicast_peer (vrrp_data.c)
    "peer": ("min_ttl", "max_ttl"),
    # virtual_server_group (check_data.c)
    "server_group": ("fwmark", "inet", "inet6"),
    # interface_up_down_delays (vrrp_data.c): IFNAME DOWN [UP], no words of its own
    "delays": (),
}
