"""The option words that the lines of value blocks may carry, and what follows each.

    word   takes        since
    label  word 15      1.1.0

takes: flag (nothing follows); word [most letters]; A..B [words] (a whole number, or one of the
words); hex A..B (0x too);
address; network (with a mask, or default|any|all|default6); A|B (one of these); lock TAKES (the
word lock may stand before it); via (an address, perhaps after inet or inet6); range (two numbers
with a dash); encap; broadcast.  since: the first release that reads the word; none: older than
2.0.0.  What keepalived looks up in /etc/iproute2 (tables, scopes, protocols) is a word here.
Order: as keepalived 2.4.3 compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .keyword import Version, version


@dataclass(frozen=True, slots=True)
class Option:
    """One option word of a line.  takes: what follows it; since: its first release, () if old."""

    takes: str
    since: Version


def _options(table: str) -> dict[str, Option]:
    found = {}
    for line in table.strip().splitlines():
        name, takes, *since = [part.strip() for part in line.split("  ") if part.strip()]
        found[name] = Option(takes, version(since[0]) if since else ())
    return found


# static_ipaddress, virtual_ipaddress, virtual_ipaddress_excluded (vrrp_ipaddress.c:453)
ADDRESS = _options(
    """
    dev            word
    scope          word
    broadcast      broadcast
    brd            broadcast
    label          word 15
    peer           address        2.0.0
    home           flag
    -nodad         flag
    mngtmpaddr     flag
    noprefixroute  flag
    autojoin       flag
    no_track       flag           2.0.3
    preferred_lft  0..4294967295 forever  2.0.20
    track_group    word           2.0.3
    use_vmac       flag           2.2.0
    """
)

# static_routes, virtual_routes (vrrp_iproute.c:1350)
ROUTE = _options(
    """
    src                 address
    as                  word
    via                 via
    gw                  via
    from                network
    tos                 word
    dsfield             word
    table               word
    protocol            word
    scope               word
    metric              0..4294967295
    priority            0..4294967295
    preference          0..4294967295
    dev                 word
    oif                 word
    onlink              flag
    encap               encap
    expires             0..4294967295
    mtu                 lock 0..4294967295
    hoplimit            0..255
    advmss              lock 0..4294967295
    rtt                 lock word
    rttvar              lock word
    reordering          lock 0..4294967295
    window              0..4294967295
    cwnd                lock 0..4294967295
    ssthresh            lock 0..4294967295
    realms              word
    rto_min             lock word
    initcwnd            0..4294967295
    initrwnd            0..4294967295
    features            ecn
    quickack            0..1
    congctl             lock word
    pref                0..255 low medium high
    ttl-propagate       enabled|disabled   2.0.8
    fastopen_no_cookie  0..1
    add                 flag               2.2.5
    prepend             flag               2.2.5
    append              flag               2.2.5
    or                  address
    no_track            flag               2.0.3
    track_group         word               2.0.3
    vrf                 word               2.2.5
    """
)

# What may stand after nexthop (vrrp_iproute.c:1240).
NEXTHOP = _options(
    """
    via     via
    dev     word
    weight  1..256
    onlink  flag
    encap   encap
    realms  word
    """
)

# What may stand after encap TYPE (vrrp_iproute.c:1020).
ENCAP = {
    "ip": ("id", "dst", "src", "tos", "ttl", "flags"),
    "ip6": ("id", "dst", "src", "tc", "hoplimit", "flags"),
    "mpls": (),
    "ila": (),
}

# static_rules, virtual_rules (vrrp_iprule.c:457)
RULE = _options(
    """
    from                   network
    to                     network
    table                  word
    lookup                 word
    not                    flag
    preference             hex 0..4294967295
    order                  hex 0..4294967295
    priority               hex 0..4294967295
    tos                    word
    dsfield                word
    fwmark                 word
    realms                 word
    suppress_prefixlength  0..2147483647
    sup_pl                 0..2147483647
    suppress_ifgroup       word
    sup_group              word
    dev                    word
    iif                    word
    oif                    word
    tunnel-id              0..18446744073709551615
    uidrange               range
    l3mdev                 flag
    protocol               0..255         2.0.1
    ipproto                word           2.0.1
    sport                  range          2.0.1
    dport                  range          2.0.1
    no_track               flag           2.0.3
    track_group            word           2.0.3
    goto                   0..4294967295
    nop                    flag
    """
)

# The types of routes, and those that are actions of rules (rttables.c).
ROUTE_TYPES = {
    *("unspec", "unicast", "local", "broadcast", "anycast", "multicast"),
    *("blackhole", "unreachable", "prohibit", "throw", "nat", "xresolve"),
}
RULE_ACTIONS = ("blackhole", "unreachable", "prohibit", "goto", "nop")

# Networks by name.
NETWORKS = ("default", "any", "all", "default6")

# unicast_peer (vrrp_data.c:1055)
PEER = _options(
    """
    min_ttl  0..255  2.1.0
    max_ttl  0..255  2.1.0
    """
)

# track_interface (vrrp_track.c:88), track_script and its kin: the weight, and whether a block
# without the word can take a reverse of the tracked thing back.
TRACKED: Mapping[str, tuple[int, int]] = {
    "track_interface": (-253, 253),
    "track_script": (-253, 253),
    "track_file": (-254, 254),
    "track_process": (-254, 254),
    "track_bfd": (-253, 253),
}
REVERSE_SINCE: Version = (2, 0, 18)

# use_vmac and use_ipvlan (vrrp_parser.c:505, 624): their words, and the releases they came with.
DEVICE = {
    "use_vmac": _options(
        """
        name                word 15  2.3.0
        group               word     2.3.0
        netlink_notify_msg  flag     2.3.0
        """
    ),
    "use_ipvlan": _options(
        """
        name     word 15  2.3.0
        group    word     2.3.0
        bridge   flag
        private  flag
        vepa     flag
        """
    ),
}

# linkbeat_interfaces (vrrp_parser.c:178)
LINKBEAT = ("MII", "ETHTOOL", "IOCTL")

# virtual_server_group (check_data.c): the family behind a firewall mark.
MARK_FAMILY_SINCE: Version = (2, 1, 0)


def _words(*tables: object, more: str = "") -> tuple[str, ...]:
    found: list[str] = []
    for table in tables:
        found += [word for word in table if word not in found]  # type: ignore[attr-defined]
    return (*found, *(word for word in more.split() if word not in found))


# Every word keepalived compares with in the lines of a block, those that follow an option too.
ENTRY_WORDS: dict[str, tuple[str, ...]] = {
    "address": _words(ADDRESS, more="- + forever"),
    "route": _words(
        ROUTE,
        NEXTHOP,
        *ENCAP.values(),
        ENCAP,
        NETWORKS,
        more="nexthop inet inet6 to lock ecn low medium high enabled disabled s sec secs",
    ),
    "rule": _words(RULE, NETWORKS, more="inet inet6 type"),
    "track_interface": ("weight", "reverse"),
    "track": ("weight", "reverse", "noreverse"),
    "linkbeat": LINKBEAT,
    "peer": _words(PEER),
    "server_group": ("fwmark", "inet", "inet6"),
    # IFNAME DOWN [UP], no words of its own
    "delays": (),
}
