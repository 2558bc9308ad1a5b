"""What around keepalived stands in the way: firewall, kernel, network managers, releases."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .audit_finding import Cluster, Finding, Node, by_value, names
from .picture import daemon

#: (first release, last, a word that the configuration must have, what happens).  From
#: docs/keepalived-findings.md; what this bundle already keeps from happening is not here.
KNOWN_BAD = (
    ((2, 1, 0), (2, 2, 2), "vrrp_sync_group with one member", "it dissolves such a group"),
    (
        (2, 3, 0),
        (2, 4, 3),
        "SMTP_CHECK",
        "a host in it makes keepalived run for ever: write the connection's own words",
    ),
)
STRICT = 1


def judge(cluster: Cluster) -> Iterator[Finding]:
    """What is wrong around keepalived on each node, and between their releases."""
    for node in cluster.nodes:
        if isinstance(node.facts, Mapping):
            yield from _firewall(node)
            yield from _sysctl(node)
            yield from _managers(node)
            yield from _release(node)
    releases = {node.name: release(node) for node in cluster.nodes if release(node)}
    if len(set(releases.values())) > 1:
        text = f"the nodes run different keepalived: {by_value(releases)}"
        yield Finding("version-differs", text, tuple(releases), seen={"versions": releases})


def release(node: Node) -> str | None:
    """The installed keepalived of a node, as far as it says."""
    told = node.facts_of("version").get("version") or daemon(node.status).get("version")
    return None if told is None else str(told)


def _firewall(node: Node) -> Iterator[Finding]:
    report = node.facts_of("firewall")
    missing = report.get("missing") or {}
    if report.get("ok") is False:
        rules = [
            f"{place} configuration, zone {zone}: {rule}"
            for place, zones in missing.items()
            for zone, found in zones.items()
            for rule in found
        ]
        text = f"firewalld on {node.name} does not let VRRP in; missing: {'; '.join(rules)}"
        yield Finding("firewall-closed", text, (node.name,), seen={"missing": missing})
    stale = report.get("stale") or {}
    if stale:
        rules = [rule for found in stale.values() for rule in found]
        text = f"firewalld on {node.name} is open for what nobody needs: {'; '.join(rules)}"
        yield Finding("firewall-stale", text, (node.name,), seen={"stale": stale})


def _sysctl(node: Node) -> Iterator[Finding]:
    known = node.facts_of("sysctl")
    binds = node.fact("binds") or ()
    allowed = known.get("ip_nonlocal_bind") or {}
    lost = [str(one) for one in binds if allowed.get("ipv6" if ":" in str(one) else "ipv4") == 0]
    if lost:
        text = f"HAProxy on {node.name} binds {names(lost)}, and ip_nonlocal_bind is 0 there"
        seen = {"binds": list(binds), "ip_nonlocal_bind": dict(allowed)}
        yield Finding("sysctl-nonlocal-bind", text, (node.name,), seen=seen)
    interfaces = known.get("interfaces") or {}
    vmac = {
        str(one["interface"])
        for one in node.facts_of("file").get("instances") or ()
        if one.get("vmac") and one.get("family") == 4
    }
    shared = _shared(node)
    for name, values in interfaces.items():
        others = shared.get(name, ())
        strict = [names(others)] if others and values.get("rp_filter") == STRICT else []
        if name in vmac and (interfaces.get("all") or {}).get("rp_filter") == STRICT:
            strict.append("its VMAC")
        if strict:
            text = f"rp_filter is strict (1) for {name} on {node.name}, beside {names(strict)}"
            yield Finding(
                "sysctl-rp-filter", text, (node.name,), seen={"interface": name, **values}
            )
        if others and not (values.get("arp_ignore") and values.get("arp_announce")):
            text = (
                f"{name} on {node.name} shares its network with {names(others)}: arp_ignore is "
                f"{values.get('arp_ignore')}, arp_announce {values.get('arp_announce')}"
            )
            yield Finding("sysctl-arp", text, (node.name,), seen={"interface": name, **values})


def _shared(node: Node) -> dict[str, list[str]]:
    """{interface: the others that have an IPv4 address in one of its networks}."""
    networks: dict[str, set[Any]] = {}
    for name, own in node.facts_of("links").items():
        found = {ipaddress.ip_interface(one).network for one in own if ":" not in str(one)}
        networks[str(name)] = {one for one in found if one.prefixlen < 32}
    return {
        name: sorted(other for other in networks if other != name and networks[other] & found)
        for name, found in networks.items()
        if any(other != name and networks[other] & found for other in networks)
    }


def _managers(node: Node) -> Iterator[Finding]:
    codes = {
        "systemd-networkd": "networkd-removes-addresses",
        "NetworkManager": "networkmanager-removes-addresses",
    }
    for interface, one in node.facts_of("managers").items():
        code = codes.get(str(one.get("manager")))
        if code is None or one.get("keeps"):
            continue
        by = f" by {one['file']}" if one.get("file") else ""
        text = f"{interface} on {node.name} is managed by {one['manager']}{by}"
        seen = {"interface": interface, "file": one.get("file")}
        yield Finding(code, text, (node.name,), seen=seen)


def _release(node: Node) -> Iterator[Finding]:
    lost = node.facts_of("version").get("lost_protection") or ()
    if lost:
        text = f"keepalived {release(node)} on {node.name}: {'; '.join(map(str, lost))}"
        yield Finding("version-unprotected", text, (node.name,), seen={"lost": list(lost)})
    numbers = tuple(map(int, re.findall(r"\d+", release(node) or "")[:3]))
    words = node.facts_of("file").get("words") or ()
    for first, last, word, harm in KNOWN_BAD:
        if numbers and first <= numbers <= last and word in words:
            text = f"keepalived {release(node)} on {node.name} and {word}: {harm}"
            seen = {"version": release(node), "word": word}
            yield Finding("version-known-bad", text, (node.name,), seen=seen)
