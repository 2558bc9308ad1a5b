"""What a rollout may do, in which order, and whether it went well.  Pure, over plain data.

``preflight`` says why a cluster must not be touched now, ``make_plan`` in which steps its change
is carried out, ``picture`` and ``judge`` compare what was true before with what is true now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import clock
from .event import printable
from .facts import last_line

#: Two clocks further apart than this would reload at different seconds.
CLOCK_SECONDS = 1.0
#: When this long passes between question and answer, the clock is only known that well.
ROUND_TRIP_SECONDS = 2.0

#: What several kinds together mean for the way: the later wins.
KINDS = ("nothing", "safe", "moves", "restart", "cluster", "removes")
NOTHING, ROLLING, TOGETHER = "nothing", "rolling", "together"
_STEADY = frozenset({"MASTER", "BACKUP"})


@dataclass(frozen=True)
class Facts:
    """What is known of one node.

    status, plan, pending
        What these verbs returned; a text is the error one raised, None is no answer.  ``pending``
        is None as well when nothing is pending.
    asked, answered
        When ``status`` was asked for and came back, seconds since the epoch, master's clock.
    """

    node: str
    accepted: bool = True
    instances: tuple[str, ...] = ()
    status: Any = None
    plan: Any = None
    pending: Any = None
    asked: float = 0.0
    answered: float = 0.0


@dataclass(frozen=True)
class Finding:
    """One thing that stands in the way (``error``), or that a person wants to know."""

    level: str
    node: str
    text: str

    def to_data(self) -> dict[str, str]:
        return {"level": self.level, "node": self.node, "text": self.text}


@dataclass(frozen=True)
class Step:
    """``do``: drain, apply, undrain (one node), prepare or commit (several)."""

    do: str
    nodes: tuple[str, ...]
    why: str

    def to_data(self) -> dict[str, Any]:
        return {"do": self.do, "nodes": list(self.nodes), "why": self.why}


@dataclass
class Plan:
    """The way: nothing, rolling or together, and its steps."""

    mode: str
    steps: list[Step] = field(default_factory=list)


# --- may it be touched? -----------------------------------------------------------------------


def preflight(
    nodes: Iterable[Facts], *, plans: bool = True, resuming: bool = False
) -> list[Finding]:
    """What stands in the way of changing this cluster now; errors first.

    plans
        Whether the nodes' plans count; False before they were asked for.
    resuming
        A rollout broke off: that an address is on two nodes, or on none, is then no reason to
        wait but one to finish, and pending files are its own.
    """
    known = list(nodes)
    found = [finding for one in known for finding in _about_node(one, plans, resuming)]
    usable = [one for one in known if isinstance(one.status, Mapping)]
    if not resuming and len(usable) == len(known):
        found += _about_masters(usable)
    found += _about_clocks(usable)
    versions = sorted({str(_daemon(one.status).get("version")) for one in usable})
    if len(versions) > 1:
        text = f"the nodes run different keepalived: {', '.join(versions)}"
        found.append(Finding("warning", "", text))
    return sorted(found, key=lambda each: each.level != "error")


def _about_node(one: Facts, plans: bool, resuming: bool) -> list[Finding]:
    def error(text: str) -> list[Finding]:
        return [Finding("error", one.node, text)]

    if not one.accepted:
        return error("the master accepts no key of it")
    if one.status is None:
        return error("it does not answer")
    if not isinstance(one.status, Mapping):
        return error(f"keepalived.status failed: {last_line(one.status)}")
    found = []
    daemon = _daemon(one.status)
    if not daemon.get("running"):
        found += error("keepalived does not run; start it, or apply the formula first")
    elif daemon.get("problem"):
        found += error(f"keepalived does not say what it runs: {printable(str(daemon['problem']))}")
    else:
        found += _about_instances(one)
    if plans and one.plan is None:
        found += error("keepalived.plan gave no answer")
    elif plans and not isinstance(one.plan, Mapping):
        found += error(f"it would refuse the new configuration: {one_line(one.plan)}")
    if one.pending and not resuming:
        found += error(
            "a prepared configuration waits there for its reload: finish it with "
            "keepalived.commit or take it back with keepalived.put_back on that node"
        )
    return found


def _about_instances(one: Facts) -> list[Finding]:
    found = []
    drained = is_drained(one.status)
    for row in _rows(one.status):
        name, state = row.get("instance"), str(row.get("state") or "unknown")
        if state in _STEADY:
            continue
        level = "warning" if drained else "error"
        beside = " (the node is drained)" if drained else ""
        found.append(Finding(level, one.node, f"{name} is {state}{beside}"))
    if drained:
        found.append(Finding("warning", one.node, "it is drained and stays so"))
    return found


def _about_masters(nodes: Sequence[Facts]) -> list[Finding]:
    found = []
    statuses = {one.node: one.status for one in nodes}
    for name, masters in masters_of(statuses).items():
        if len(masters) != 1:
            who = " and ".join(masters) if masters else "no node"
            found.append(Finding("error", "", f"{name}: {who} claims MASTER, one must"))
    for address, holders in holders_of(statuses).items():
        if len(holders) != 1:
            who = " and ".join(holders) if holders else "no node"
            found.append(Finding("error", "", f"{address} is on {who}, it must be on one"))
    return found


def _about_clocks(nodes: Sequence[Facts]) -> list[Finding]:
    found = []
    for one in nodes:
        told = clock.parse(one.status.get("time"))
        if told is None or not one.answered:
            continue
        # The node read its clock at some moment between question and answer.
        ahead, behind = told - one.answered, one.asked - told
        off = max(ahead, behind)
        if off > CLOCK_SECONDS:
            way = "ahead of" if ahead > behind else "behind"
            text = f"its clock is at least {off:.1f} s {way} the master's"
            found.append(Finding("error", one.node, text))
        elif one.answered - one.asked > ROUND_TRIP_SECONDS:
            text = (
                f"it took {one.answered - one.asked:.1f} s to answer: its clock is not known well"
            )
            found.append(Finding("warning", one.node, text))
    return found


# --- which way, in which order? ---------------------------------------------------------------


def kinds_of(plan: object) -> set[str]:
    """The kinds of what a node's plan changes; ``{"nothing"}`` when nothing."""
    if not isinstance(plan, Mapping) or plan.get("action") == "nothing":
        return {"nothing"}
    change = plan.get("change")
    if not isinstance(change, Mapping):
        return {"safe"}
    reasons = change.get("reasons") or ()
    kinds = {str(each.get("kind")) for each in reasons if isinstance(each, Mapping)}
    kinds.add(str(change.get("kind") or "safe"))
    return kinds


def removed_instances(plans: Iterable[object]) -> set[str]:
    """Instances from which the plans take addresses away ("" when it is not said which)."""
    found: set[str] = set()
    for plan in plans:
        change = plan.get("change") if isinstance(plan, Mapping) else None
        for reason in (change.get("reasons") or ()) if isinstance(change, Mapping) else ():
            if reason.get("kind") == "removes":
                found.add(str(reason.get("instance") or ""))
    return found


def refuse_mixture(nodes: Iterable[Facts]) -> list[Finding]:
    """What no way does in one go: a restart, and a change that all must have at once."""
    kinds = {one.node: kinds_of(one.plan) for one in nodes}
    restarts = sorted(node for node, found in kinds.items() if "restart" in found)
    if not restarts or not any("cluster" in found for found in kinds.values()):
        return []
    text = (
        "one part of the change needs a restart, another a common reload of all nodes: put them "
        "into the pillar, and roll them out, one after the other"
    )
    return [Finding("error", node, text) for node in restarts]


def with_plan(one: Facts, plan: Any) -> Facts:
    """The same node with what its plan says."""
    return replace(one, plan=plan)


def make_plan(nodes: Iterable[Facts], together: bool = False) -> Plan:
    """The steps for what the nodes' plans say; backups before masters.

    together: whether all must have it at once, whatever the plans that are left say.

    A change that makes two masters until all have it (kind ``cluster``) is prepared on all and
    reloaded at one second; everything else goes node by node.
    """
    known = {one.node: one for one in nodes}
    kinds = {node: kinds_of(one.plan) for node, one in known.items()}
    changed = in_order({node: known[node].status for node in known if kinds[node] != {"nothing"}})
    if not changed:
        return Plan(NOTHING)
    if together or any("cluster" in found for found in kinds.values()):
        nodes_ = tuple(changed)
        return Plan(
            TOGETHER,
            [
                Step("prepare", nodes_, "the new file is laid ready, nothing is reloaded"),
                Step(
                    "commit", nodes_, "all reload at one second: until all have it, two are master"
                ),
            ],
        )
    steps = []
    for node in changed:
        status = known[node].status
        if "restart" not in kinds[node]:
            steps.append(Step("apply", (node,), "reload"))
        elif masters_on(status) and can_drain(status):
            steps.append(Step("drain", (node,), "it holds an address and keepalived must restart"))
            steps.append(Step("apply", (node,), "restart"))
            steps.append(Step("undrain", (node,), "it may take its addresses back"))
        else:
            steps.append(Step("apply", (node,), "restart"))
    return Plan(ROLLING, steps)


def in_order(statuses: Mapping[str, Any]) -> list[str]:
    """The nodes, those that hold nothing first, each master last."""
    return sorted(statuses, key=lambda node: (len(masters_on(statuses[node])), node))


def masters_on(status: object) -> list[str]:
    """The instances that a node is MASTER of."""
    return [str(row.get("instance")) for row in _rows(status) if row.get("state") == "MASTER"]


def is_drained(status: object) -> bool:
    """Whether the node's status says that it is drained."""
    return bool(_drain(status).get("drained"))


def peers_ready(node: str, statuses: Mapping[str, Any]) -> dict[str, bool]:
    """For each instance on *node*, whether another node stands ready to take it, asked now."""
    return {
        str(row.get("instance")): bool(candidates(str(row.get("instance")), statuses, {node}))
        for row in _rows(statuses.get(node))
    }


def candidates(
    instance: str, statuses: Mapping[str, Any], without: Iterable[str] = ()
) -> list[tuple[str, int]]:
    """Who can have an instance now: ``[(node, priority)]``, the one keepalived prefers first.

    Nodes that run it as MASTER or BACKUP and are not drained.
    """
    leave_out = set(without)
    found = []
    for node, status in statuses.items():
        if node in leave_out or is_drained(status) or not _daemon(status).get("running"):
            continue
        for row in _rows(status):
            if row.get("instance") == instance and row.get("state") in _STEADY:
                found.append((node, int(row.get("effective_priority") or 0)))
    return sorted(found, key=lambda each: (-each[1], each[0]))


def can_drain(status: object) -> bool:
    """Whether what runs there follows the drain file, and it is not drained already."""
    drain = _drain(status)
    return drain.get("drained") is False and not drain.get("missing")


# --- did it go well? --------------------------------------------------------------------------


def picture(statuses: Mapping[str, Any]) -> dict[str, Any]:
    """What is true now, small and plain, to compare later with what is true then.

    statuses: ``{node: what keepalived.status returned, or None}``.
    Returns ``{node: {"running", "drained", "instances": {name: {"state", "priority", "vips":
    {address: bool}}}}}``; None for a node that did not answer.
    """
    shown: dict[str, Any] = {}
    for node, status in sorted(statuses.items()):
        if not isinstance(status, Mapping):
            shown[node] = None
            continue
        instances = {
            str(row.get("instance")): {
                "state": row.get("state"),
                "priority": row.get("effective_priority"),
                "vips": {
                    str(vip["address"]): bool(vip["present"]) for vip in row.get("vips") or ()
                },
            }
            for row in _rows(status)
        }
        shown[node] = {
            "running": bool(_daemon(status).get("running")),
            "drained": is_drained(status),
            "instances": instances,
        }
    return shown


def judge(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    *,
    removed: Iterable[str] = (),
    final: bool = False,
) -> list[str]:
    """What is worse than before; empty when all is well.

    before, now
        As ``picture`` returns them.
    removed
        Instances that may lose addresses (``removed_instances``).
    final
        No step is left: each address there is, also a new one, must be on exactly one node.
    """
    found = []
    for node, was in before.items():
        found += _node_problems(node, was, now.get(node))
    where, where_before = _holders(now), _holders(before)
    lists = {address for address, _ in where.items()}
    gone = set(removed)
    for address, holders in sorted(where_before.items()):
        if len(holders) != 1 and not final:
            continue  # it was wrong before; what comes of it counts at the end
        if address in lists:
            if len(where[address]) != 1:
                found.append(f"{address} is on {_and(where[address])}")
        elif not (gone & ({""} | _instances_with(before, address))):
            found.append(f"no node has {address} in what it runs any more")
    if final:
        for address in sorted(lists - set(where_before)):
            if len(where[address]) != 1:
                found.append(f"the new {address} is on {_and(where[address])}")
    found += _master_problems(now, final)
    return found


def _node_problems(node: str, was: Any, now: Any) -> list[str]:
    if was is None:
        return []
    if now is None:
        return [f"{node} does not answer"]
    if was["running"] and not now["running"]:
        return [f"keepalived does not run any more on {node}"]
    found = []
    for name, row in now["instances"].items():
        old = was["instances"].get(name, {}).get("state")
        if row["state"] in _STEADY or row["state"] == old:
            continue
        if now.get("drained") and row["state"] == "FAULT":
            continue  # one way to drain
        found.append(f"{name} is {row['state'] or 'unknown'} on {node}")
    return found


def _master_problems(now: Mapping[str, Any], final: bool) -> list[str]:
    masters: dict[str, list[str]] = {}
    for node, shown in now.items():
        for name, row in (shown or {"instances": {}})["instances"].items():
            masters.setdefault(name, [])
            if row["state"] == "MASTER":
                masters[name].append(node)
    found = []
    for name, nodes in sorted(masters.items()):
        if len(nodes) > 1:
            found.append(f"{name}: {_and(nodes)} claim MASTER")
        elif not nodes and final:
            found.append(f"{name}: no node is MASTER")
    return found


def masters_of(statuses: Mapping[str, Any]) -> dict[str, list[str]]:
    """``{instance: the nodes that claim MASTER}``, of all instances somebody runs."""
    found: dict[str, list[str]] = {}
    for node, status in sorted(statuses.items()):
        for row in _rows(status):
            claims = found.setdefault(str(row.get("instance")), [])
            if row.get("state") == "MASTER":
                claims.append(node)
    return found


def holders_of(statuses: Mapping[str, Any]) -> dict[str, list[str]]:
    """``{address: the nodes whose kernel has it}``, of all addresses somebody runs."""
    return _holders(picture(statuses))


def _holders(shown: Mapping[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for node, one in shown.items():
        for row in (one or {"instances": {}})["instances"].values():
            for address, present in row["vips"].items():
                nodes = found.setdefault(address, [])
                if present and node not in nodes:
                    nodes.append(node)
    return found


def _instances_with(shown: Mapping[str, Any], address: str) -> set[str]:
    return {
        name
        for one in shown.values()
        for name, row in (one or {"instances": {}})["instances"].items()
        if address in row["vips"]
    }


# --- reading what nodes sent ------------------------------------------------------------------


def _rows(status: object) -> list[Mapping[str, Any]]:
    rows = status.get("instances") if isinstance(status, Mapping) else None
    return [row for row in rows or () if isinstance(row, Mapping)]


def _daemon(status: object) -> Mapping[str, Any]:
    daemon = status.get("keepalived") if isinstance(status, Mapping) else None
    return daemon if isinstance(daemon, Mapping) else {}


def _drain(status: object) -> Mapping[str, Any]:
    drain = status.get("drain") if isinstance(status, Mapping) else None
    return drain if isinstance(drain, Mapping) else {}


def one_line(said: object) -> str:
    """An error text of a node on one line, without a traceback's middle."""
    lines = [line.strip() for line in str(said).strip().splitlines() if line.strip()]
    if lines and lines[0].startswith("Traceback"):
        lines = lines[-1:]
    return printable("; ".join(lines))[:600] or "no reason was given"


def _and(nodes: Sequence[str]) -> str:
    if not nodes:
        return "no node"
    return nodes[0] if len(nodes) == 1 else f"{', '.join(nodes[:-1])} and {nodes[-1]}"
