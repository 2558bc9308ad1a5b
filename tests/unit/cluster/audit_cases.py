"""What can be wrong with a cluster, and what an audit says to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from audit_samples import NAMES, Site

SECRET = {"type": "PASS", "mark": "the mark of another secret"}
DRAIN = {"drained": True, "missing": [], "reason": "new disk", "until": None}
LATER = "2026-11-22T03:04:08.000000+00:00"
AT_ONCE, LONG_AGO = "2026-11-22T03:04:00+00:00", "2026-11-20T03:04:00+00:00"
REFUSED = {"addr_list_err": {"total": 9, "grew": 2}}
IN_THE_PAST = {"addr_list_err": {"total": 9, "grew": 0}}
RULE = 'rule protocol value="vrrp" accept'


def change(of: str, node: str, **values: Any) -> Callable[[Site], None]:
    """A cluster in which *node* has other values: in its ``status``, its ``facts``, or in the
    instance as its pillar, its file, or what runs has it (``one``: in all three)."""

    def make(site: Site) -> None:
        if of in ("status", "facts"):
            getattr(site, of)[node].update(values)
        else:
            getattr(site, of)(node, **values)

    return make


def both(*changes: Callable[[Site], Any]) -> Callable[[Site], None]:
    def make(site: Site) -> None:
        for each in changes:
            each(site)

    return make


def everywhere(**values: Any) -> Callable[[Site], Any]:
    return lambda site: site.every(**values)


def set_(what: str, node: str, value: Any) -> Callable[[Site], None]:
    """The whole of a node's ``status``, ``facts`` or ``pillar``."""
    return lambda site: getattr(site, what).update({node: value})


def verdict(word: str, claim: str = "BACKUP", drained: bool = False) -> Callable[[Site], None]:
    """What status says of the instance, and what n1 claims."""

    def make(site: Site) -> None:
        site.verdicts[0].update(verdict=word, reason="of its reason")
        site.verdicts[0]["nodes"][0].update(claim=claim, drained=drained)

    return make


def reach(code: str, text: str = "VI: it dies") -> Callable[[Site], None]:
    severity = "error" if code == "KR001" else "warning"
    one = {"severity": severity, "code": code, "message": text, "hint": "do something"}
    return lambda site: site.reach.append(one)


def wrong_pillar(node: str) -> Callable[[Site], None]:
    def make(site: Site) -> None:
        site.pillar[node] = None
        site.mistakes[node] = ["keepalived:config:x: no such keyword here"]

    return make


def watch(**values: Any) -> Callable[[Site], None]:
    return lambda site: site.status["n1"]["watch"].update(values)


def sysctl(**values: Any) -> dict[str, Any]:
    strict = {"rp_filter": 1, "arp_ignore": 0, "arp_announce": 0}
    return {
        "ip_nonlocal_bind": {"ipv4": values.pop("bind", 0), "ipv6": 0},
        "interfaces": {
            "all": {"rp_filter": values.pop("of_all", 0)},
            "eth1": {**strict, **values},
        },
    }


DAEMON = {"version": "2.2.7", "running": True, "pid": 7, "problem": None}
TWO_ON_A_NETWORK = {"eth1": ["10.0.0.1/24"], "eth2": ["10.0.0.9/24"]}
UNICAST = {"way": "unicast", "peers": ["10.0.0.1", "10.0.0.2", "10.0.0.3"]}
SYNCED = [{"keyword": "vrrp_script x interval", "text": "7 becomes 2"}]

# what is wrong -> {(code, severity, nodes)} that an audit says, and nothing more
CASES: dict[str, tuple[Callable[[Site], Any], set[tuple[str, str, tuple[str, ...]]]]] = {
    "all is well": (lambda site: None, set()),
    # --- nodes ---
    "one says nothing": (
        both(set_("status", "n1", None), set_("facts", "n1", None)),
        {("node-silent", "error", ("n1",))},
    ),
    "its key is not accepted": (
        both(
            set_("accepted", "n1", False),
            set_("status", "n1", None),
            set_("facts", "n1", None),
        ),
        {("node-not-accepted", "error", ("n1",))},
    ),
    "its modules are old": (
        set_("facts", "n1", "'keepalived.audit_facts' is not available."),
        {("facts-failed", "warning", ("n1",))},
    ),
    "it answers the one and not the other": (
        set_("facts", "n1", None),
        {("facts-failed", "warning", ("n1",))},
    ),
    "one fact is missing": (
        change("facts", "n1", firewall=None, missing={"firewall": "D-Bus is not there"}),
        {("fact-missing", "info", ("n1",))},
    ),
    "keepalived does not run": (
        both(
            change("status", "n1", keepalived={**DAEMON, "running": False}),
            change("facts", "n1", running=None, missing={"running": "it does not run"}),
        ),
        {("keepalived-stopped", "error", ("n1",))},
    ),
    "keepalived is frozen": (
        change("status", "n1", keepalived={**DAEMON, "problem": "pid 7 is stopped"}),
        {("keepalived-mute", "error", ("n1",))},
    ),
    "keepalived was built without its dump": (
        both(
            change("status", "n1", keepalived={**DAEMON, "problem": "no JSON in this build"}),
            change(
                "facts",
                "n1",
                version={"version": "2.2.7", "json": False, "lost_protection": []},
                running=None,
                missing={"running": "no JSON in this build"},
            ),
        ),
        {("fact-missing", "info", ("n1",))},
    ),
    "two are master": (verdict("split brain"), {("state-not-ok", "error", ())}),
    "one is in FAULT": (
        verdict("degraded", "FAULT"),
        {("state-not-ok", "warning", ("n1",))},
    ),
    "one lacks the instance": (
        verdict("degraded", "missing"),
        {("state-not-ok", "warning", ("n1",))},
    ),
    "a drained node in FAULT is told as drained": (
        verdict("degraded", "FAULT", drained=True),
        set(),
    ),
    "a silent one is told as silent": (verdict("degraded", "unknown"), set()),
    "nobody knows": (verdict("unknown", "unknown"), set()),
    "drained a moment ago": (
        change("status", "n1", drain={**DRAIN, "since": AT_ONCE}),
        {("drained", "info", ("n1",))},
    ),
    "drained for days": (
        change("status", "n1", drain={**DRAIN, "since": LONG_AGO}),
        {("drained-long", "warning", ("n1",))},
    ),
    "drained for days, with an end": (
        change("status", "n1", drain={**DRAIN, "since": LONG_AGO, "until": LATER}),
        {("drained", "info", ("n1",))},
    ),
    "a drain by hand": (
        change("status", "n1", drain={"drained": False, "problem": "it holds -1, by hand"}),
        {("drain-problem", "warning", ("n1",))},
    ),
    "no watch": (watch(running=False), {("watch-stopped", "warning", ("n1",))}),
    "the beacon polls": (watch(sources=["poll"]), {("watch-stopped", "warning", ("n1",))}),
    "the watch is blind": (
        watch(problems=["no JSON dump"]),
        {("watch-problem", "warning", ("n1",))},
    ),
    "no relay": (watch(delivery="beacon"), {("relay-stopped", "info", ("n1",))}),
    "a clock is ahead": (
        change("status", "n1", time=LATER),
        {("clock-skew", "warning", ("n1",))},
    ),
    "a clock is behind": (
        change("status", "n1", time=AT_ONCE),
        {("clock-skew", "warning", ("n1",))},
    ),
    # --- what must be alike ---
    "another virtual_router_id": (
        change("one", "n1", vrid=53),
        {("vrid-mismatch", "error", NAMES)},
    ),
    "another family": (change("one", "n1", family=6), {("family-mismatch", "error", NAMES)}),
    "another VRRP version": (
        change("one", "n1", version=3),
        {("vrrp-version-mismatch", "error", NAMES)},
    ),
    "one sends unicast": (
        change("one", "n1", **UNICAST),
        {("transport-mismatch", "error", NAMES)},
    ),
    "another group address": (
        change("one", "n1", way="224.0.0.19"),
        {("transport-mismatch", "error", NAMES)},
    ),
    "all send unicast to all": (everywhere(**UNICAST), set()),
    "one peer is left out": (
        both(everywhere(**UNICAST), change("one", "n1", peers=["10.0.0.2"])),
        {("unicast-peer-missing", "error", ("n1",))},
    ),
    "one more address in the pillar of one": (
        change("in_pillar", "n1", vips=["10.0.0.100", "10.0.0.101"]),
        {("vip-mismatch", "error", NAMES)},
    ),
    "one more address where one runs": (
        change("running", "n1", vips=["10.0.0.100/32", "10.0.0.101/32"]),
        {("vip-mismatch", "error", NAMES)},
    ),
    "another prefix length is not on the wire": (
        change("running", "n1", vips=["10.0.0.100/24"]),
        set(),
    ),
    "one more excluded address": (
        change("one", "n1", excluded=["10.0.0.102"]),
        {("vip-excluded-mismatch", "warning", NAMES)},
    ),
    "another secret in the pillar of one": (
        change("in_pillar", "n1", auth=SECRET),
        {("auth-mismatch", "error", NAMES)},
    ),
    "another secret in the file of one": (
        change("in_file", "n1", auth={"type": "PASS", "as_pillar": False}),
        {("auth-mismatch", "error", NAMES)},
    ),
    "no authentication on one": (
        both(change("in_file", "n1", auth=None), change("in_pillar", "n1", auth=None)),
        {("auth-mismatch", "error", NAMES)},
    ),
    "another type on one": (
        change("in_pillar", "n1", auth={"type": "AH", "mark": "the mark of a secret"}),
        {("auth-mismatch", "error", NAMES)},
    ),
    "another interval": (
        change("one", "n1", advert_int=2.0),
        {("advert-mismatch", "error", NAMES)},
    ),
    "another interval of VRRPv3": (
        both(everywhere(version=3), change("one", "n1", advert_int=2.0)),
        {("advert-mismatch", "warning", NAMES)},
    ),
    "two of one priority": (
        change("one", "n1", priority=102),
        {("priority-tie", "warning", ("n1", "n2"))},
    ),
    "three of one priority": (
        everywhere(priority=101),
        {("priority-tie", "warning", NAMES)},
    ),
    "a tie that reach finds too is told once": (
        both(change("one", "n1", priority=102), reach("KR005", "VI: n1 and n2")),
        {("priority-tie", "warning", ("n1", "n2"))},
    ),
    "a tie only after a check failed": (
        reach("KR005", "VI: chk fails on n3: n1 and n3 have 101"),
        {("priority-tie", "warning", ())},
    ),
    "nobody could take over": (reach("KR001"), {("failover-impossible", "error", ())}),
    "a weight is too small": (reach("KR002"), {("failover-unreachable", "warning", ())}),
    "groups differ": (reach("KR008"), {("failover-weak", "warning", ())}),
    "the pillar of one is wrong": (
        wrong_pillar("n1"),
        {("pillar-invalid", "error", ("n1",))},
    ),
    "the pillar of all is wrong, said once": (
        both(*map(wrong_pillar, NAMES)),
        {("pillar-invalid", "error", NAMES)},
    ),
    # --- pillar, file, process, wire ---
    "edited by hand": (
        change("facts", "n1", plan={"action": "change", "kind": "safe", "reasons": SYNCED}),
        {("config-drift", "warning", ("n1",))},
    ),
    "no file yet": (
        change("facts", "n1", plan={"action": "create", "kind": None, "reasons": []}),
        {("config-drift", "warning", ("n1",))},
    ),
    "other words for the same": (
        change("facts", "n1", plan={"action": "form", "kind": None, "reasons": []}),
        {("config-form", "info", ("n1",))},
    ),
    "never seen in force": (
        change("facts", "n1", plan={"action": "finish", "kind": "safe", "reasons": []}),
        {("config-pending", "warning", ("n1",))},
    ),
    "the node would refuse it": (
        change("facts", "n1", plan=None, missing={"plan": "2.0.0 has no such keyword"}),
        {("config-refused", "error", ("n1",))},
    ),
    "not reloaded": (
        change("facts", "n1", not_loaded=["VI base_priority is 101, not 99"]),
        {("config-not-loaded", "warning", ("n1",))},
    ),
    "a stranger with the same number": (
        change("running", "n1", rejected=REFUSED),
        {("vrid-stranger", "error", ("n1",))},
    ),
    "peers that are refused are no strangers": (
        both(change("one", "n1", advert_int=2.0), change("running", "n1", rejected=REFUSED)),
        {("advert-mismatch", "error", NAMES), ("adverts-refused", "error", ("n1",))},
    ),
    "refused in the past": (
        change("running", "n1", rejected=IN_THE_PAST),
        {("adverts-refused-before", "info", ("n1",))},
    ),
    "a backup hears nothing": (
        change("running", "n1", heard=0),
        {("adverts-not-heard", "error", ("n1",))},
    ),
    "not looked on for long enough": (
        change("running", "n1", heard=0, seconds=0.4),
        set(),
    ),
    "it was master a moment ago": (change("running", "n1", heard=0, was="MASTER"), set()),
    "a master hears another": (
        change("running", "n3", heard=2),
        {("second-master", "error", ("n3",))},
    ),
    "two masters, and neither hears the other": (
        both(
            change("running", "n1", state="MASTER", was="MASTER", heard=0),
            change("running", "n3", heard=0),
        ),
        {("adverts-not-heard", "error", ("n1",)), ("adverts-not-heard", "error", ("n3",))},
    ),
    "two masters, and one hears the other": (
        both(
            change("running", "n1", state="MASTER", was="MASTER", heard=0),
            change("running", "n3", heard=1),
        ),
        {("adverts-not-heard", "error", ("n1",)), ("second-master", "error", ("n3",))},
    ),
    "a master hears the last advert of another": (change("running", "n3", heard=1), set()),
    # --- the machine ---
    "the firewall is closed": (
        change(
            "facts",
            "n1",
            firewall={"ok": False, "missing": {"runtime": {"public": [RULE]}}, "stale": {}},
        ),
        {("firewall-closed", "error", ("n1",))},
    ),
    "the firewall is too open": (
        change("facts", "n1", firewall={"ok": True, "missing": {}, "stale": {"public": [RULE]}}),
        {("firewall-stale", "info", ("n1",))},
    ),
    "HAProxy binds the address": (
        change("facts", "n1", binds=["10.0.0.100"]),
        {("sysctl-nonlocal-bind", "error", ("n1",))},
    ),
    "HAProxy may bind the address": (
        change("facts", "n1", binds=["10.0.0.100"], sysctl=sysctl(bind=1)),
        set(),
    ),
    "strict filtering of all with a VMAC": (
        both(change("in_file", "n1", vmac=True), change("facts", "n1", sysctl=sysctl(of_all=1))),
        {("sysctl-rp-filter", "warning", ("n1",))},
    ),
    "a VMAC has settings of its own": (change("in_file", "n1", vmac=True), set()),
    "strict filtering of all without a VMAC": (
        change("facts", "n1", sysctl=sysctl(of_all=1)),
        set(),
    ),
    "two interfaces on one network": (
        change("facts", "n1", links=TWO_ON_A_NETWORK),
        {("sysctl-rp-filter", "warning", ("n1",)), ("sysctl-arp", "warning", ("n1",))},
    ),
    "two interfaces on one network, as it should be": (
        change(
            "facts",
            "n1",
            links=TWO_ON_A_NETWORK,
            sysctl=sysctl(rp_filter=0, arp_ignore=1, arp_announce=2),
        ),
        set(),
    ),
    "networkd has the interface": (
        change("facts", "n1", managers={"eth1": {"manager": "systemd-networkd", "file": "/a"}}),
        {("networkd-removes-addresses", "warning", ("n1",))},
    ),
    "networkd is told to keep addresses": (
        change("facts", "n1", managers={"eth1": {"manager": "systemd-networkd", "keeps": True}}),
        set(),
    ),
    "NetworkManager has the interface": (
        change("facts", "n1", managers={"eth1": {"manager": "NetworkManager", "keeps": False}}),
        {("networkmanager-removes-addresses", "info", ("n1",))},
    ),
    "another release": (
        change("facts", "n1", version={"version": "2.3.3", "lost_protection": []}),
        {("version-differs", "warning", NAMES)},
    ),
    "releases without protection": (
        both(
            *(
                change("facts", node, version={"version": "1.2.13", "lost_protection": ["-t"]})
                for node in NAMES
            )
        ),
        {("version-unprotected", "info", (node,)) for node in NAMES},
    ),
    "a defect that the file meets": (
        both(
            *(change("facts", n, version={"version": "2.3.3"}) for n in NAMES),
            lambda site: site.facts["n1"]["file"].update(words=["SMTP_CHECK"]),
        ),
        {("version-known-bad", "warning", ("n1",))},
    ),
}
