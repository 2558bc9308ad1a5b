"""Is every member there, and well: silent, stopped and drained nodes, watches, clocks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import clock, rollout
from .audit_codes import ERROR, WARNING
from .audit_finding import Cluster, Finding, Node, names
from .facts import last_line
from .picture import daemon, drain_of
from .verdict import VERDICTS

#: Seconds after which a drain counts as forgotten.
DRAINED_LONG = 24 * 3600.0


def judge(cluster: Cluster, now: float) -> Iterator[Finding]:
    """What is wrong with the members as such; now: seconds since the epoch."""
    for node in cluster.nodes:
        yield from _presence(node)
        if isinstance(node.status, Mapping):
            yield from _daemon(node)
            yield from _drain(node, now)
            yield from _watch(node)
    for one in cluster.verdicts:
        yield from _verdict(one)
    yield from _clocks(cluster.nodes)


def _verdict(one: Mapping[str, Any]) -> Iterator[Finding]:
    """What status says; not what is unknown, stopped or drained, for that is told of the node."""
    lame = [
        str(row["node"])
        for row in one["nodes"]
        if row["claim"] not in _ELSEWHERE and not row.get("drained")
    ]
    status = VERDICTS[str(one["verdict"])]
    if status == 2 or (status == 1 and lame):
        yield Finding(
            "state-not-ok",
            f"{one['instance']} is {one['verdict']}: {one['reason']}",
            tuple(lame) if status == 1 else (),
            str(one["instance"]),
            {"verdict": one["verdict"]},
            ERROR if status == 2 else WARNING,
        )


_ELSEWHERE = frozenset({"MASTER", "BACKUP", "STOP", "unknown"})


def _presence(node: Node) -> Iterator[Finding]:
    if not node.accepted:
        text = f"the master accepts no key of {node.name}"
        yield Finding("node-not-accepted", text, (node.name,))
    elif node.status is None and node.facts is None:
        yield Finding("node-silent", f"{node.name} does not answer", (node.name,))
    else:
        for verb, said in (("status", node.status), ("audit_facts", node.facts)):
            if not isinstance(said, Mapping):
                text = f"{node.name}: keepalived.{verb}: {last_line(said)}"
                yield Finding("facts-failed", text, (node.name,), seen={"verb": verb})
        missing = node.facts_of("missing")
        # A missing plan is a finding of its own; so is a daemon that should say what it runs.
        told = {"plan"} if _is_silent_by_build(node) else {"plan", "running"}
        why = {str(fact): str(text) for fact, text in missing.items() if fact not in told}
        if why:
            text = "; ".join(f"{fact}: {last_line(text)}" for fact, text in sorted(why.items()))
            yield Finding("fact-missing", f"{node.name}: {text}", (node.name,), seen=why)


def _is_silent_by_build(node: Node) -> bool:
    """Whether its keepalived runs, and was built without the JSON dump."""
    return (
        bool(daemon(node.status).get("running")) and node.facts_of("version").get("json") is False
    )


def _daemon(node: Node) -> Iterator[Finding]:
    found = daemon(node.status)
    if not found.get("running"):
        yield Finding("keepalived-stopped", f"no keepalived runs on {node.name}", (node.name,))
    elif found.get("problem") and not _is_silent_by_build(node):
        text = f"{node.name}: {found['problem']}"
        yield Finding("keepalived-mute", text, (node.name,), seen={"pid": found.get("pid")})


def _drain(node: Node, now: float) -> Iterator[Finding]:
    drain = drain_of(node.status)
    if drain.get("drained"):
        since = clock.parse(drain.get("since"))
        seconds = None if since is None else max(0.0, now - since)
        # One that has an end is not forgotten.
        long = seconds is not None and seconds > DRAINED_LONG and not drain.get("until")
        for_ = "" if seconds is None else f" for {clock.span(seconds)}"
        text = f"{node.name} is drained{for_}: {drain.get('reason') or 'no reason given'}"
        seen = {key: drain.get(key) for key in ("since", "until", "reason", "who")}
        yield Finding("drained-long" if long else "drained", text, (node.name,), seen=seen)
    if drain.get("problem"):
        yield Finding("drain-problem", f"{node.name}: {drain['problem']}", (node.name,))


def _watch(node: Node) -> Iterator[Finding]:
    watch = node.status.get("watch")
    if not isinstance(watch, Mapping):
        return
    if not watch.get("running") or watch.get("sources") == ["poll"]:
        by = ", the beacon polls in its place" if watch.get("sources") == ["poll"] else ""
        text = f"no watch runs on {node.name}{by}"
        yield Finding("watch-stopped", text, (node.name,), seen={"delivery": watch.get("delivery")})
        return
    for problem in _texts(watch.get("problems")):
        yield Finding("watch-problem", f"{node.name}: {problem}", (node.name,))
    if watch.get("delivery") == "beacon":
        text = f"{node.name} sends its events by the beacon, no relay has its spool"
        yield Finding("relay-stopped", text, (node.name,), seen={"delivery": "beacon"})


def _clocks(nodes: tuple[Node, ...]) -> Iterator[Finding]:
    """The nodes whose clocks are off, as far as that is sure: an answer takes its time."""
    off: dict[str, float] = {}
    for node in nodes:
        told = clock.parse(node.status.get("time")) if isinstance(node.status, Mapping) else None
        if told is not None and node.answered:
            seconds = clock.offset(told, node.asked, node.answered)
            if abs(seconds) > rollout.CLOCK_SECONDS:
                off[node.name] = round(seconds, 1)
    if off:
        texts = [
            f"{name} is at least {abs(seconds)} s {'ahead' if seconds > 0 else 'behind'}"
            for name, seconds in off.items()
        ]
        text = f"beside the master's clock {names(texts)}"
        yield Finding("clock-skew", text, tuple(off), seen={"seconds": off})


def _texts(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else []
