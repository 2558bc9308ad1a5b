"""What the members of a cluster must have alike, in their pillars and in what they run."""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .audit_codes import ERROR, WARNING
from .audit_finding import Cluster, Finding, Node, by_value, names

PILLAR, RUNNING = "pillar", "running"
#: value -> code.  The order is that of the findings.
ALIKE = {
    "vrid": "vrid-mismatch",
    "family": "family-mismatch",
    "version": "vrrp-version-mismatch",
    "way": "transport-mismatch",
    "vips": "vip-mismatch",
    "auth": "auth-mismatch",
    "advert_int": "advert-mismatch",
    "excluded": "vip-excluded-mismatch",
}
_WORDS = {
    "vrid": "virtual_router_id",
    "family": "the address family",
    "version": "the VRRP version",
    "way": "the way of sending",
    "vips": "the list of virtual addresses",
    "auth": "the authentication",
    "advert_int": "advert_int",
    "excluded": "virtual_ipaddress_excluded",
}
#: Reach's codes, as those of an audit; ties are found here, by what every node has.
REACH = {
    "KR001": "failover-impossible",
    "KR002": "failover-unreachable",
    "KR003": "failover-unreachable",
    "KR004": "failover-unreachable",
    "KR005": "priority-tie",
    "KR007": "failover-weak",
    "KR008": "failover-weak",
    "KR010": "failover-weak",
    "KR011": "failover-unreachable",
}

Described = Mapping[str, Any]


def in_pillar(node: Node) -> dict[str, Described]:
    """The instances that the pillar gives a node, by name."""
    return {str(one["instance"]): one for one in node.pillar or ()}


def in_force(node: Node) -> dict[str, Described]:
    """The instances that a node runs, by name: the file's, and what keepalived says is otherwise.

    Empty when neither is known.
    """
    file = node.facts_of("file").get("instances") or ()
    runs = node.facts_of("running")
    found: dict[str, Described] = {}
    for one in file:
        name = str(one["instance"])
        now = runs.get(name) or {}
        found[name] = {
            **one,
            "vrid": now.get("vrid") or one["vrid"],
            "family": now.get("family") or one["family"],
            "version": now.get("version") or one["version"],
            "priority": now.get("base_priority") or one["priority"],
            "advert_int": now.get("advert_interval") or one["advert_int"],
            "vips": _bare(now.get("vips")) or one["vips"],
            "excluded": _bare(now["excluded"]) if "excluded" in now else one["excluded"],
        }
    return found


def judge(cluster: Cluster) -> Iterator[Finding]:
    """Everything that the members do not have alike, or cannot fail over with."""
    wrong: dict[str, list[str]] = {}
    for node, mistakes in cluster.mistakes.items():
        for text in mistakes:
            wrong.setdefault(text, []).append(node)
    for text, nodes in wrong.items():
        yield Finding("pillar-invalid", text, tuple(nodes))
    sources = {
        PILLAR: {node.name: in_pillar(node) for node in cluster.nodes},
        RUNNING: {node.name: in_force(node) for node in cluster.nodes},
    }
    tied = set()
    for instance in _instances(sources):
        has = {
            source: {node: found[instance] for node, found in known.items() if instance in found}
            for source, known in sources.items()
        }
        for key, code in ALIKE.items():
            yield from _unlike(instance, key, code, has)
        for finding in _ties(instance, has):
            tied.add(instance)
            yield finding
        yield from _peers(instance, has[RUNNING], cluster.nodes)
    yield from _reach(cluster, tied)


def _instances(sources: Mapping[str, Mapping[str, Mapping[str, Described]]]) -> list[str]:
    found: dict[str, None] = {}
    for nodes in sources.values():
        for instances in nodes.values():
            found.update(dict.fromkeys(instances))
    return list(found)


def _unlike(
    instance: str, key: str, code: str, has: Mapping[str, Mapping[str, Described]]
) -> Iterator[Finding]:
    """One finding for a value that differs in the pillars, in what runs, or in both."""
    seen: dict[str, dict[str, Any]] = {}
    for source, nodes in has.items():
        values = _auth(source, has) if key == "auth" else {n: one[key] for n, one in nodes.items()}
        if len({repr(value) for value in values.values()}) > 1:
            seen[source] = values
    if not seen:
        return
    where = {PILLAR: "in the pillar", RUNNING: "as they run"}
    texts = {source: f"{where[source]} {by_value(values)}" for source, values in seen.items()}
    if len(seen) == 2 and len({repr(values) for values in seen.values()}) == 1:
        texts = {PILLAR: f"in the pillar and as they run {by_value(seen[PILLAR])}"}
    severity = ""
    if key == "advert_int":
        versions = {one["version"] for source in seen for one in has[source].values()}
        severity = ERROR if 2 in versions else WARNING
    yield Finding(
        code,
        f"{instance}: {_WORDS[key]} differs: {'; '.join(texts.values())}",
        tuple(sorted({node for values in seen.values() for node in values})),
        instance,
        seen,
        severity,
    )


def _auth(source: str, has: Mapping[str, Mapping[str, Described]]) -> dict[str, str]:
    """The authentication of each node in words that tell different secrets apart and no more.

    A node says of its file only whether the secret is that of its pillar; where two are not,
    whether they are the same is unknown, and they are left out.
    """
    words: dict[str, str] = {}
    marks: dict[str, str] = {}
    other = [
        node for node, one in has[RUNNING].items() if (one["auth"] or {}).get("as_pillar") is False
    ]
    for node, one in has[source].items():
        auth = one["auth"]
        if auth is None:
            words[node] = "none"
            continue
        if source == PILLAR:
            mark = auth["mark"]
        elif auth.get("as_pillar") is True:
            mark = ((has[PILLAR].get(node) or {}).get("auth") or {}).get("mark")
        elif auth.get("as_pillar") is False and len(other) == 1:
            mark = "not that of its pillar"
        else:
            continue
        if mark is not None:
            number = marks.setdefault(str(mark), chr(ord("A") + len(marks)))
            words[node] = f"{auth['type']} with secret {number}"
    return words


def _ties(instance: str, has: Mapping[str, Mapping[str, Described]]) -> Iterator[Finding]:
    seen = {}
    for source, nodes in has.items():
        groups: dict[int, list[str]] = {}
        for node, one in nodes.items():
            groups.setdefault(int(one["priority"]), []).append(node)
        tied = {value: found for value, found in groups.items() if len(found) > 1}
        if tied:
            seen[source] = {node: value for value, found in tied.items() for node in found}
    if seen:
        values = next(iter(seen.values()))
        where = " and ".join({PILLAR: "in the pillar", RUNNING: "as they run"}[one] for one in seen)
        yield Finding(
            "priority-tie",
            f"{instance}: {where} the same priority: {by_value(values)}",
            tuple(sorted({node for found in seen.values() for node in found})),
            instance,
            seen,
        )


def _peers(instance: str, has: Mapping[str, Described], nodes: Sequence[Node]) -> Iterator[Finding]:
    """Members that send unicast, and leave a member out."""
    own = {node.name: _addresses(node) for node in nodes}
    for name, one in has.items():
        peers = {str(peer).partition("/")[0] for peer in one["peers"]}
        if not peers:
            continue
        left = [other for other in has if other != name and own[other] and not own[other] & peers]
        if left:
            yield Finding(
                "unicast-peer-missing",
                f"{instance}: {name} does not list {names(left)} in unicast_peer",
                (name,),
                instance,
                {"peers": sorted(peers), "missing": left},
            )


def _reach(cluster: Cluster, tied: set[str]) -> Iterator[Finding]:
    for one in cluster.reach:
        code = REACH.get(str(one["code"]))
        if code is None:
            continue
        instance = str(one["message"]).partition(":")[0]
        if code == "priority-tie" and instance in tied:
            continue
        known = {name for node in cluster.nodes for name in node.instances}
        hint = f" ({one['hint']})" if one.get("hint") else ""
        yield Finding(
            code,
            f"{one['message']}{hint}",
            (),
            instance if instance in known else None,
            {"reach": one["code"]},
        )


# --- one number, two virtual routers ----------------------------------------------------------


def clashes(clusters: Iterable[Cluster]) -> Iterator[Finding]:
    """Virtual routers of one number and family on one network, across all clusters given.

    Two of one name in one cluster, or with the same addresses, are members of one virtual router.
    Who only speaks unicast disturbs nobody but its peers.  One finding for each pair and cluster.
    """
    places: dict[tuple[tuple[int, int], str], list[Router]] = {}
    for router in routers(clusters):
        for network in router.networks:
            places.setdefault((router.number, network), []).append(router)
    told: set[tuple[tuple[str, str], ...]] = set()
    for (_, network), known in places.items():
        for one, other in itertools.combinations(known, 2):
            pair = tuple(sorted((one.name, other.name)))
            if pair not in told and not one.same_as(other):
                told.add(pair)
                yield from _clash(one, other, network, known)


def _clash(one: Router, other: Router, network: str, known: Iterable[Router]) -> Iterator[Finding]:
    text = (
        f"{'/'.join(one.name)} (on {one.node}) and {'/'.join(other.name)} (on {other.node}) both "
        f"have virtual_router_id {one.number[0]} on {network}"
    )
    seen = {
        "vrid": one.number[0],
        "network": network,
        "vips": {"/".join(each.name): list(each.vips) for each in (one, other)},
    }
    for cluster in dict.fromkeys((one.name[0], other.name[0])):
        mine = [each.name for each in (one, other) if each.name[0] == cluster]
        nodes = {each.node for each in known if each.name in mine}
        yield Finding("vrid-clash", text, tuple(sorted(nodes)), mine[0][1], seen, cluster=cluster)


@dataclass(frozen=True)
class Router:
    """One instance on one node.  name: (cluster, instance); number: (VRID, family)."""

    name: tuple[str, str]
    node: str
    number: tuple[int, int]
    vips: tuple[str, ...]
    networks: tuple[str, ...]

    def same_as(self, other: Router) -> bool:
        """Whether both are meant to be one virtual router."""
        if self.name[0] != other.name[0]:
            return False
        return self.name[1] == other.name[1] or self.vips == other.vips


def routers(clusters: Iterable[Cluster]) -> Iterator[Router]:
    """All that speak multicast, by pillar and by what runs."""
    for cluster in clusters:
        for node in cluster.nodes:
            for name, one in {**in_pillar(node), **in_force(node)}.items():
                if one["vrid"] is not None and one["way"] != "unicast":
                    yield Router(
                        (cluster.name, name),
                        node.name,
                        (one["vrid"], one["family"]),
                        tuple(one["vips"]),
                        _networks(node, one["interface"]),
                    )


def _networks(node: Node, interface: Any) -> tuple[str, ...]:
    """The networks that the interface's own addresses are in."""
    own = node.facts_of("links").get(str(interface)) or ()
    return tuple(sorted({str(ipaddress.ip_interface(one).network) for one in own}))


def _addresses(node: Node) -> set[str]:
    links = node.facts_of("links")
    return {str(one).partition("/")[0] for own in links.values() for one in own}


def _bare(vips: Any) -> list[str]:
    return sorted(str(vip).partition("/")[0] for vip in vips or ())
