"""Is each node as its pillar says, and does it hear its peers."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from .audit_finding import Cluster, Finding, Node, names
from .picture import daemon
from .rollout import one_line

#: So many sentences of a change are told; its plan has all.
_TOLD = 3
#: An advert interval was looked on in full only when it was at least so long.
_WHOLE = 1.1


def judge(cluster: Cluster, unlike: Collection[str]) -> Iterator[Finding]:
    """What is wrong between each node's pillar, file, process and wire.

    unlike: the instances that the members have not alike: why adverts are refused.
    """
    for node in cluster.nodes:
        if isinstance(node.facts, Mapping):
            yield from _drift(node)
            yield from _wire(node, unlike)
    yield from _masters(cluster)


def _drift(node: Node) -> Iterator[Finding]:
    plan, missing = node.fact("plan"), node.facts_of("missing")
    if plan is None and missing.get("plan"):
        why = one_line(missing["plan"])
        yield Finding("config-refused", f"{node.name}: {why}", (node.name,), seen={"reason": why})
    elif isinstance(plan, Mapping) and plan.get("action") != "nothing":
        yield _changed(node, plan)
    differs = node.fact("not_loaded")
    # Where nothing runs there is nothing to compare with.
    if differs and daemon(node.status).get("running"):
        more = f" and {len(differs) - _TOLD} more" if len(differs) > _TOLD else ""
        text = (
            f"{node.name} runs other values than its file has: {'; '.join(differs[:_TOLD])}{more}"
        )
        seen = {"differs": list(differs), "file_changed": node.facts_of("file").get("changed")}
        yield Finding("config-not-loaded", text, (node.name,), seen=seen)


def _changed(node: Node, plan: Mapping[str, Any]) -> Finding:
    action = str(plan.get("action"))
    reasons = [
        f"{one['keyword']}: {one['text']}" if one.get("keyword") else str(one["text"])
        for one in plan.get("reasons") or ()
    ]
    seen = {"action": action, "kind": plan.get("kind"), "reasons": reasons}
    if action == "finish":
        text = f"{node.name} has a new file that was never seen in force"
        return Finding("config-pending", text, (node.name,), seen=seen)
    if action == "form":
        text = f"the file of {node.name} means what its pillar says, in other words"
        return Finding("config-form", text, (node.name,), seen=seen)
    what = "has no keepalived.conf" if action == "create" else "has not what its pillar says"
    told = "; ".join(reasons[:_TOLD])
    more = f" and {len(reasons) - _TOLD} more" if len(reasons) > _TOLD else ""
    text = f"{node.name} {what}" + (f"; brought to it: {told}{more}" if told else "")
    return Finding("config-drift", text, (node.name,), seen=seen)


def _wire(node: Node, unlike: Collection[str]) -> Iterator[Finding]:
    for name, one in node.facts_of("running").items():
        seconds, state = one.get("seconds") or 0.0, one.get("state")
        whole = seconds >= _WHOLE * _interval(one)
        steady = state == one.get("was")
        seen = {"seconds": seconds, "heard": one.get("heard"), "rejected": one.get("rejected")}

        def found(code: str, text: str, seen: Any = seen, name: str = name) -> Finding:
            return Finding(code, f"{name} on {node.name} {text}", (node.name,), name, seen)

        rejected = one.get("rejected") or {}
        grown = {word: each["grew"] for word, each in rejected.items() if each.get("grew")}
        if grown:
            counted = ", ".join(f"{word} +{count}" for word, count in sorted(grown.items()))
            code = "adverts-refused" if name in unlike else "vrid-stranger"
            vrid = f"with virtual_router_id {one.get('vrid')}"
            yield found(code, f"refused adverts {vrid}: {counted} in {seconds} s")
        elif rejected:
            counted = ", ".join(
                f"{word} {each['total']}" for word, each in sorted(rejected.items())
            )
            yield found("adverts-refused-before", f"has refused adverts in the past: {counted}")
        if state == "BACKUP" and steady and whole and not one.get("heard"):
            yield found("adverts-not-heard", f"is BACKUP and heard no advert in {seconds} s")
        if state == "MASTER" and steady and (one.get("heard") or 0) > 1:
            text = f"is MASTER and heard {one['heard']} adverts of another one in {seconds} s"
            yield found("second-master", text)


def _masters(cluster: Cluster) -> Iterator[Finding]:
    """Masters beside each other: who of them hears another one, and who does not?"""
    masters: dict[str, dict[str, Mapping[str, Any]]] = {}
    for node in cluster.nodes:
        for name, one in node.facts_of("running").items():
            if one.get("state") == one.get("was") == "MASTER":
                masters.setdefault(name, {})[node.name] = one
    for name, found in masters.items():
        for node, one in found.items() if len(found) > 1 else ():
            heard, seconds = one.get("heard") or 0, one.get("seconds") or 0.0
            refused = any(each.get("grew") for each in (one.get("rejected") or {}).values())
            others = names(each for each in found if each != node)
            seen = {"seconds": seconds, "heard": heard}
            if heard == 1:
                text = f"{name} on {node} is MASTER and heard an advert of {others}"
                yield Finding("second-master", text, (node,), name, seen)
            elif not heard and not refused and seconds >= _WHOLE * _interval(one):
                text = f"{name} on {node} is MASTER and heard no advert of {others} in {seconds} s"
                yield Finding("adverts-not-heard", text, (node,), name, seen)


def _interval(one: Mapping[str, Any]) -> float:
    return float(one.get("advert_interval") or 1.0)
