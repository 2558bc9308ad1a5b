"""Changes to a running cluster, as data: what each is called, and what it may cost.

A row is applied to BASE, and then taken back, which is a second change.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

from support import VIP, classic

OTHER = "192.168.1.230"
THIRD = "192.168.1.240"
VIPS = (VIP, OTHER)

NOTHING, SAFE, MOVES, RESTART, CLUSTER, REMOVES = (
    "nothing",
    "safe",
    "moves",
    "restart",
    "cluster",
    "removes",
)
#: What the state carries out by itself; the rest needs the rollout (or allow_disruptive).
HARMLESS = (NOTHING, SAFE)

I = "config/vrrp_instance/VI_PUBLIC"  # noqa: E741
O = "config/vrrp_instance/VI_OTHER"  # noqa: E741
G = "config/global_defs"
S = "config/vrrp_script/chk_haproxy"

_INSTANCE = {
    "interface": "eth1",
    "state": "BACKUP",
    "virtual_router_id": 53,
    "priority": 100,
    "virtual_ipaddress": [f"{OTHER} dev eth1"],
}
# Far apart: nodes that are close take over in the same milliseconds, and the client may believe the
# loser until the winner's second gratuitous ARP (garp_master_delay, 5 s).
_PRIORITIES = {"controller1": 50, "controller2": 150, "controller3": 200}
BASE: dict[str, Any] = {
    O: _INSTANCE,
    # a second one that is not tracked by anything and has another owner
    "priorities/VI_OTHER": {"controller1": 200, "controller2": 150, "controller3": 50},
    "priorities/VI_PUBLIC": _PRIORITIES,
    f"{I}/virtual_ipaddress": [f"{VIP} dev eth1"],
    "remediation": None,
    # for unicast
    "nodes": {f"controller{n}": {"address": f"192.168.1.1{n}"} for n in (1, 2, 3)},
}
OWNERS = {VIP: "controller3", OTHER: "controller1"}


@dataclass(frozen=True)
class Case:
    """change: path -> value, laid over BASE; kind, back: of the change and of taking it back;
    newer: the same two from 2.3.3 on, where they differ; touched: the addresses that may lose
    probes; outage: seconds that a touched one may be away at most."""

    name: str
    change: dict[str, Any]
    kind: str = SAFE
    back: str = SAFE
    newer: tuple[str, str] | None = None
    touched: tuple[str, ...] = ()
    outage: float = 0.0

    def kinds(self, version: tuple[int, ...]) -> tuple[str, str]:
        """(of the change, of taking it back) with this keepalived."""
        if self.newer is not None and version >= (2, 3, 3):
            return self.newer
        return self.kind, self.back


def data(case: Case | None = None) -> dict[str, Any]:
    """The pillar of a case, or the one that all cases start from."""
    changes = {**BASE, **(case.change if case else {})}
    return classic(**copy.deepcopy(changes))


def without(mapping: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in mapping.items() if key not in keys}


CASES = [
    # -- nobody notices: 0 probes lost, 0 transitions
    Case("a check's interval", {f"{S}/interval": 3}),
    Case("a check's fall, rise and timeout", {f"{S}/fall": 2, f"{S}/rise": 2, f"{S}/timeout": 3}),
    Case("another check that passes", {"config/vrrp_script/chk_true": {"script": "/usr/bin/true"},
                                       f"{I}/track_script": ["chk_haproxy", "chk_true"]}),
    Case("no check any more", {f"{I}/track_script": None, "config/vrrp_script": None}),
    Case("an interface is tracked", {f"{I}/track_interface": ["mgmt0"]}),
    Case("the owner's priority goes up", {"priorities/VI_PUBLIC/controller3": 250}),
    Case("a backup's priority goes down", {"priorities/VI_PUBLIC/controller1": 20}),
    # Without nopreempt the highest takes it; that it has it already, the file does not say.
    Case("nopreempt", {f"{I}/nopreempt": True}, back=MOVES),
    Case("preempt_delay", {f"{I}/preempt_delay": 5}),
    Case("an instance more", {"config/vrrp_instance/VI_THIRD": {
        **_INSTANCE, "virtual_router_id": 54, "virtual_ipaddress": [f"{THIRD} dev eth1"]},
        "priorities/VI_THIRD": _PRIORITIES}, back=REMOVES),
    Case("an excluded address", {f"{I}/virtual_ipaddress_excluded": [f"{THIRD} dev eth1"]},
         back=REMOVES),
    Case("gratuitous ARP", {f"{I}/garp_master_delay": 2, f"{I}/garp_master_refresh": 60}),
    Case("a notify script", {f"{I}/notify_master": "/usr/bin/true"}),
    Case("mail", {f"{G}/notification_email": ["ops@example.com"], f"{G}/smtp_server": "127.0.0.1",
                  f"{G}/notification_email_from": "vrrp@example.com"}),
    Case("router_id and the garp defaults", {f"{G}/router_id": "tested",
                                             f"{G}/vrrp_garp_master_repeat": 2}),
    Case("debugging off, dont_track_primary", {f"{I}/dont_track_primary": True}),
    Case("skip_check_adv_addr", {f"{G}/vrrp_skip_check_adv_addr": True}),
    Case("an instance is renamed", {
        O: None, "priorities/VI_OTHER": None,
        "config/vrrp_instance/VI_RENAMED": _INSTANCE,
        "priorities/VI_RENAMED": BASE["priorities/VI_OTHER"]}),
    # -- the address moves, gracefully
    Case("the owner's priority goes below a peer's", {"priorities/VI_PUBLIC/controller3": 90},
         kind=MOVES, back=MOVES, touched=(VIP,), outage=0.5),
    # -- a restart is needed
    Case("SNMP", {f"{G}/enable_snmp_vrrp": True}, kind=RESTART, newer=(SAFE, SAFE),
         touched=VIPS, outage=1.5),
    # -- every node must change together
    Case("an address more", {f"{I}/virtual_ipaddress": [f"{VIP} dev eth1", f"{THIRD} dev eth1"]},
         kind=CLUSTER, back=REMOVES, newer=(SAFE, REMOVES)),
    Case("another address instead", {f"{I}/virtual_ipaddress": [f"{THIRD} dev eth1"]},
         kind=REMOVES, back=REMOVES, touched=(VIP,), outage=60),
    Case("a password", {f"{I}/authentication": {"auth_type": "PASS", "auth_pass": "s3cret"}},
         kind=CLUSTER, back=CLUSTER),
    Case("advert_int", {f"{I}/advert_int": 2}, kind=CLUSTER, back=CLUSTER),
    Case("VRRPv3", {f"{I}/version": 3}, kind=CLUSTER, back=CLUSTER),
    Case("the VRID", {f"{I}/virtual_router_id": 62}, kind=CLUSTER, back=CLUSTER,
         touched=(VIP,), outage=6),
    Case("unicast", {f"{I}/unicast_peer": "auto"}, kind=CLUSTER, back=CLUSTER,
         touched=(VIP,), outage=6),
]  # fmt: skip
