"""Every finding an audit can have: how bad it is, why it matters, and what to do."""

from __future__ import annotations

from dataclasses import dataclass

ERROR, WARNING, INFO = "error", "warning", "info"
#: The worst first.
SEVERITIES = (ERROR, WARNING, INFO)


@dataclass(frozen=True)
class Code:
    """severity: as a rule; a single finding may have another."""

    severity: str
    why: str
    do: str


_SAME = "write the same on all nodes, then salt-run keepalived.rollout CLUSTER"

CODES: dict[str, Code] = {
    # --- is everybody there, and well? ---
    "node-silent": Code(
        ERROR,
        "nothing is known of it: it may well hold an address too",
        "see whether it is up, and its salt-minion: salt NODE test.ping",
    ),
    "node-not-accepted": Code(
        ERROR,
        "the pillar counts it among the cluster, but it cannot be asked or changed",
        "accept its key (salt-key -a NODE), or take it out of keepalived:nodes",
    ),
    "facts-failed": Code(
        WARNING,
        "of this node only its status is known; what else is wrong there is not said here",
        "salt NODE saltutil.sync_all, then again; the minion's log says why a module does not load",
    ),
    "fact-missing": Code(
        INFO, "this part of the node was not looked at", "the reason says what to mend"
    ),
    "keepalived-stopped": Code(
        ERROR,
        "the node can neither hold an address nor take one over",
        "systemctl start keepalived there; journalctl -u keepalived says why it ended",
    ),
    "keepalived-mute": Code(
        ERROR,
        "keepalived does not say what it runs: it may be frozen, and hold an address all the same",
        "look at its process (ps, journalctl -u keepalived); a restart moves the address",
    ),
    "state-not-ok": Code(
        ERROR, "the address is not on exactly one healthy node", "salt-run keepalived.status"
    ),
    "drained": Code(
        INFO,
        "it takes no address over, so the cluster has one node less",
        "salt-run keepalived.undrain NODE when the work there is done",
    ),
    "drained-long": Code(
        WARNING,
        "a drain that nobody ends is a node less, and mostly forgotten",
        "salt-run keepalived.undrain NODE; next time give it an end: expires=2h",
    ),
    "drain-problem": Code(
        WARNING, "the drain is not what it seems", "salt-run keepalived.undrain NODE, or drain anew"
    ),
    "watch-stopped": Code(
        WARNING,
        "no transition of this node reaches the master in milliseconds, or none at all",
        "systemctl start salt-keepalived-watch there, or state.apply keepalived.watch",
    ),
    "watch-problem": Code(
        WARNING,
        "the watch misses a part of what it should see, or cannot deliver it",
        "journalctl -u salt-keepalived-watch on the node says more",
    ),
    "relay-stopped": Code(
        INFO,
        "events come by the beacon, within a second and not within milliseconds",
        "state.apply keepalived.events; the relay starts when the minion does",
    ),
    "clock-skew": Code(
        WARNING,
        "the order of events and the seconds without an owner come from the nodes' clocks, and a "
        "rollout that reloads all at one second is refused",
        "let chrony or ntpd run there: chronyc tracking",
    ),
    # --- what members must have alike ---
    "vrid-clash": Code(
        ERROR,
        "two virtual routers with one number on one network disturb each other: adverts are "
        "refused, logs flood, and with the same VMAC switches send the traffic to the wrong node",
        "give one of them a virtual_router_id that nobody uses there",
    ),
    "vrid-stranger": Code(
        ERROR,
        "somebody on this network, who is no member, sends adverts with this number",
        "tcpdump -ni INTERFACE 'ip proto 112 or ip6 proto 112' shows from where; take another "
        "virtual_router_id",
    ),
    "adverts-refused": Code(
        ERROR,
        "a node refuses the adverts of its peers: each makes itself master, and two have the "
        "address",
        "mend what the members have not alike (above)",
    ),
    "adverts-refused-before": Code(
        INFO,
        "since keepalived started here it refused adverts, though not while one looked on: a "
        "change of the past, or somebody who comes and goes",
        "look again later: salt NODE keepalived.adverts",
    ),
    "adverts-not-heard": Code(
        ERROR,
        "a node that hears no adverts makes itself master beside the present one",
        "let VRRP through: salt NODE keepalived_firewall.plan; then the switch (IGMP snooping)",
    ),
    "second-master": Code(
        ERROR,
        "a MASTER that goes on hearing another one's adverts: two have the address",
        "salt-run keepalived.status; mostly adverts pass in one direction only",
    ),
    "vrid-mismatch": Code(
        ERROR, "these do not hear each other, and each has an owner of its own", _SAME
    ),
    "vip-mismatch": Code(
        ERROR,
        "adverts with another list of addresses are refused (before 2.3.3): two nodes have the "
        "address, and after a failover the addresses that the new owner lacks are gone",
        _SAME,
    ),
    "vip-excluded-mismatch": Code(
        WARNING, "after a failover the addresses that the new owner lacks are gone", _SAME
    ),
    "auth-mismatch": Code(
        ERROR,
        "adverts with another password or type are refused: two nodes have the address",
        _SAME,
    ),
    "advert-mismatch": Code(
        ERROR,
        "with VRRP version 2 adverts with another interval are refused: two nodes have the address",
        _SAME,
    ),
    "vrrp-version-mismatch": Code(
        ERROR, "adverts of the other version are refused: two nodes have the address", _SAME
    ),
    "family-mismatch": Code(
        ERROR, "IPv4 and IPv6 are two virtual routers: each has an owner of its own", _SAME
    ),
    "transport-mismatch": Code(
        ERROR,
        "who sends to a group is not heard by who listens for unicast, and the other way round",
        _SAME,
    ),
    "unicast-peer-missing": Code(
        ERROR,
        "it sends its adverts to the peers it lists and to nobody else: who is left out hears "
        "nothing and makes itself master",
        "list every other node's address, or write unicast_peer: auto",
    ),
    "priority-tie": Code(
        WARNING,
        "of equals the one with the higher address wins, mostly: after each failover a second "
        "node may flash MASTER for a moment",
        "give each node its own priority: keepalived:priorities",
    ),
    "pillar-invalid": Code(
        ERROR,
        "what stands in the pillar cannot be applied: the next state run fails",
        "correct what is named; salt NODE keepalived.render shows the rest",
    ),
    "failover-impossible": Code(
        ERROR, "when the owner dies, the address is on no node", "salt-run keepalived.reach CLUSTER"
    ),
    "failover-unreachable": Code(
        WARNING,
        "something fails on the owner, and the address stays there",
        "salt-run keepalived.reach CLUSTER",
    ),
    "failover-weak": Code(
        WARNING,
        "a failover goes another way than the configuration seems to say",
        "salt-run keepalived.reach CLUSTER",
    ),
    # --- pillar, file, process ---
    "config-drift": Code(
        WARNING,
        "the file is not what the pillar says: the next state run changes it, or is refused",
        "salt NODE keepalived.plan shows the change; salt-run keepalived.rollout CLUSTER makes it, "
        "or salt NODE keepalived.import_config brings it into the pillar",
    ),
    "config-form": Code(
        INFO,
        "the file means what the pillar says, in other words: the next state run rewrites it "
        "without a reload",
        "state.apply keepalived.config",
    ),
    "config-refused": Code(
        ERROR,
        "this node would refuse what its pillar says",
        "correct what is named, or upgrade keepalived there",
    ),
    "config-not-loaded": Code(
        WARNING,
        "keepalived runs something else than the file says: a restart or a reboot changes what "
        "the cluster does",
        "salt NODE keepalived.reload, or put the file back: salt-run keepalived.rollout CLUSTER",
    ),
    "config-pending": Code(
        WARNING,
        "a change was begun and not finished: the next reload puts it in force",
        "salt NODE keepalived.commit, or salt NODE keepalived.put_back",
    ),
    # --- the machine ---
    "firewall-closed": Code(
        ERROR,
        "adverts do not come in: this node makes itself master beside the present one, now or "
        "when firewalld starts again",
        "salt NODE state.apply keepalived.firewall",
    ),
    "firewall-stale": Code(
        INFO,
        "it is open for peers or groups that the pillar no longer names",
        "salt NODE keepalived_firewall.close_stale",
    ),
    "sysctl-nonlocal-bind": Code(
        ERROR,
        "HAProxy binds the virtual address, which is not on a standby: it does not start there",
        "keepalived:sysctl:ip_nonlocal_bind: true in the pillar, or bind *:PORT",
    ),
    "sysctl-rp-filter": Code(
        WARNING,
        "strict reverse path filtering drops packets that come in by one of two interfaces on a "
        "network (a VMAC is one)",
        "sysctl net.ipv4.conf.all.rp_filter=0 (or 2), and the same of the interface",
    ),
    "sysctl-arp": Code(
        WARNING,
        "two interfaces on one network both answer for any address of the node: clients may learn "
        "the wrong MAC for the virtual address",
        "sysctl net.ipv4.conf.all.arp_ignore=1 and net.ipv4.conf.all.arp_announce=2",
    ),
    "networkd-removes-addresses": Code(
        WARNING,
        "when systemd-networkd starts again it takes off addresses that are not its own: the "
        "virtual address is on no node, and keepalived goes on as MASTER (or finds out late)",
        "KeepConfiguration=static in the [Network] section of that file",
    ),
    "networkmanager-removes-addresses": Code(
        INFO,
        "when its connection is activated again NetworkManager takes off addresses that are not "
        "its own",
        "put the virtual address on an interface it leaves alone (nmcli device set INTERFACE "
        "managed no), or drain the node before its network is changed",
    ),
    "version-differs": Code(
        WARNING,
        "releases differ in what they accept and in how they elect; meant for the time of an "
        "upgrade only",
        "salt-run keepalived.upgrade CLUSTER",
    ),
    "version-unprotected": Code(
        INFO, "this release cannot do what protects a change", "a newer keepalived"
    ),
    "version-known-bad": Code(
        WARNING,
        "this release has a defect that this configuration meets (docs/keepalived-findings.md)",
        "another release, or do without the keyword",
    ),
}
