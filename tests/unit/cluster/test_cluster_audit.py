"""Each finding of an audit, in a cluster that has it and in none that has not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from audit_samples import NAMES, Site
from rollout_samples import NOW

from keepalived_core.cluster import audit as auditing
from keepalived_core.cluster.audit_codes import CODES
from keepalived_core.cluster.audit_table import screen
from keepalived_core.cluster.table import Painter

PAGE = Path(__file__).resolve().parents[3] / "docs" / "audit.md"
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


def audit(site: Site, *neighbours: Site) -> dict[str, Any]:
    return auditing.audit([site.cluster()], NOW, [one.cluster() for one in neighbours])


def found(said: dict[str, Any]) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(one["code"], one["severity"], tuple(one["nodes"])) for one in said["findings"]}


@pytest.mark.parametrize(("make", "wanted"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_found_and_nothing_else(make: Callable, wanted: set) -> None:
    site = Site()
    make(site)

    said = audit(site)

    assert found(said) == wanted
    assert len(said["findings"]) == len(wanted)
    json.dumps(said)


def test_a_secret_and_its_mark_are_never_shown() -> None:
    site = Site()
    site.in_pillar("n1", auth=SECRET)

    (one,) = audit(site)["findings"]

    assert "mark" not in json.dumps(one)
    assert one["seen"]["pillar"] == {
        "n1": "PASS with secret A",
        "n2": "PASS with secret B",
        "n3": "PASS with secret B",
    }


def test_of_two_files_with_secrets_of_their_own_nobody_knows_whether_they_differ() -> None:
    site = Site()
    for node in ("n1", "n2", "n3"):
        site.in_file(node, auth={"type": "PASS", "as_pillar": False})

    assert found(audit(site)) == set()


# --- clashes ----------------------------------------------------------------------------------


def other(vrid: int = 52, network: str = "10.0.0.", **changes: Any) -> Site:
    """Another cluster with an address of its own."""
    site = Site("d").every(vrid=vrid, vips=["10.0.0.200"], **changes)
    for number, node in enumerate(NAMES):
        site.running(node, vips=["10.0.0.200/32"])
        site.facts[node]["links"] = {"eth1": [f"{network}{number + 11}/24"]}
    return site


CLASHES = {
    "one number on one network": (other(), True),
    "another number": (other(53), False),
    "another network": (other(network="10.9.0."), False),
    "the other speaks unicast": (other(**UNICAST, auth=None), False),
    "the other family": (other(family=6), False),
}


@pytest.mark.parametrize(("neighbour", "clashes"), CLASHES.values(), ids=CLASHES)
def test_two_clusters_with_one_number_clash_on_one_network(neighbour: Site, clashes: bool) -> None:
    said = audit(Site(), neighbour)

    assert found(said) == ({("vrid-clash", "error", NAMES)} if clashes else set())
    assert {one["cluster"] for one in said["findings"]} <= {"c"}


def test_when_both_are_audited_both_are_told() -> None:
    said = auditing.audit([Site().cluster(), other().cluster()], NOW)

    assert [(one["code"], one["cluster"]) for one in said["findings"]] == [
        ("vrid-clash", "c"),
        ("vrid-clash", "d"),
    ]


def test_two_instances_of_one_cluster_clash_as_well() -> None:
    site = Site()
    second = {**site.pillar["n2"][0], "instance": "VJ", "vips": ["10.0.0.200"], "priority": 9}
    site.pillar["n2"].append(second)

    assert found(audit(site)) == {("vrid-clash", "error", NAMES)}


def test_one_router_that_has_two_names_is_no_clash() -> None:
    site = Site()
    site.pillar["n2"][0]["instance"] = "VJ"

    assert "vrid-clash" not in {one["code"] for one in audit(site)["findings"]}


# --- the whole --------------------------------------------------------------------------------


def test_the_worst_is_first_and_decides_the_exit_status() -> None:
    site = Site()
    site.facts["n1"]["firewall"]["stale"] = {"public": [RULE]}
    assert audit(site)["retcode"] == 0
    site.status["n1"]["watch"]["running"] = False
    assert audit(site)["retcode"] == 1
    site.status["n2"] = site.facts["n2"] = None
    assert audit(site)["retcode"] == 3
    site.running("n1", heard=0)
    said = audit(site)
    assert said["retcode"] == 2
    assert [one["severity"] for one in said["findings"]] == ["error", "error", "warning", "info"]
    assert said["counts"] == {"error": 2, "warning": 1, "info": 1}
    assert said["clusters"][0]["answered"] == 2


def test_no_cluster_is_unknown_and_not_well() -> None:
    assert auditing.audit([], NOW)["retcode"] == 3


UNUSABLE = {
    "an error": "Traceback",
    "another schema": {"schema": 2},
    "a list in the place of a mapping": {"schema": 1, "running": ["x"]},
}


@pytest.mark.parametrize("said", UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_not_what_a_node_returns_is_told_and_not_believed(said: Any) -> None:
    site = Site()
    site.facts["n1"] = auditing.usable(said)

    assert found(audit(site)) == {("facts-failed", "warning", ("n1",))}


def test_what_a_node_says_cannot_draw_on_the_terminal() -> None:
    site = Site()
    site.status["n1"]["drain"] = {"drained": False, "problem": "\x1b[2J"}

    said = audit(site)

    assert "\x1b" not in "\n".join(screen(said, Painter(False)))
    assert "\x1b" not in said["findings"][0]["text"]


def test_the_screen_says_what_why_and_what_to_do() -> None:
    site = Site()
    site.running("n1", heard=0)

    lines = screen(audit(site), Painter(False))

    assert lines[0] == "c  3 of 3 nodes answered  1 error"
    assert lines[2] == "  error  adverts-not-heard  VI on n1 is BACKUP and heard no advert in 1.3 s"
    assert lines[3].startswith("      why: a node that hears no adverts makes itself master")
    assert "salt n1 keepalived" not in lines[3]
    assert lines[4].startswith("      do:  let VRRP through: salt n1 keepalived_firewall.plan")


def test_the_screen_of_a_cluster_that_is_well_says_so() -> None:
    assert screen(audit(Site()), Painter(False)) == ["c  3 of 3 nodes answered  nothing found"]


def test_every_code_has_a_case_and_a_row_in_the_docs_and_no_other() -> None:
    cases = {code for _, wanted in CASES.values() for code, _, _ in wanted} | {"vrid-clash"}
    assert sorted(cases) == sorted(CODES)
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [code for code, _ in rows] == list(CODES)
    assert dict(rows) == {code: known.severity for code, known in CODES.items()}
