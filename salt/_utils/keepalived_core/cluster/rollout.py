"""What a rollout may do, and in which order.  Pure, over plain data.

``preflight`` says why a cluster must not be touched now, ``make_plan`` in which steps its change
is carried out; whether a step went well is judged in ``picture``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from . import clock
from .event import printable
from .facts import last_line
from .picture import (
    STEADY,
    can_drain,
    daemon,
    holders_of,
    in_order,
    is_drained,
    masters_of,
    masters_on,
    rows,
)

#: Two clocks further apart than this would reload at different seconds.
CLOCK_SECONDS = 1.0
#: When this long passes between question and answer, the clock is only known that well.
ROUND_TRIP_SECONDS = 2.0

#: What several kinds together mean for the way: the later wins.
KINDS = ("nothing", "safe", "moves", "restart", "cluster", "removes")
NOTHING, ROLLING, TOGETHER = "nothing", "rolling", "together"


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
    versions = sorted({str(daemon(one.status).get("version")) for one in usable})
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
    running = daemon(one.status)
    if not running.get("running"):
        found += error("keepalived does not run; start it, or apply the formula first")
    elif running.get("problem"):
        found += error(
            f"keepalived does not say what it runs: {printable(str(running['problem']))}"
        )
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
    for row in rows(one.status):
        name, state = row.get("instance"), str(row.get("state") or "unknown")
        if state in STEADY:
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
        off = clock.offset(told, one.asked, one.answered)
        if abs(off) > CLOCK_SECONDS:
            way = "ahead of" if off > 0 else "behind"
            text = f"its clock is at least {abs(off):.1f} s {way} the master's"
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


# --- beneath ----------------------------------------------------------------------------------


def phase_of(pending: object) -> str | None:
    """The phase of what ``keepalived.pending`` returned."""
    return str(pending.get("phase")) if isinstance(pending, Mapping) else None


def one_line(said: object) -> str:
    """An error text of a node on one line, without a traceback's middle."""
    lines = [line.strip() for line in str(said).strip().splitlines() if line.strip()]
    if lines and lines[0].startswith("Traceback"):
        lines = lines[-1:]
    return printable("; ".join(lines))[:600] or "no reason was given"
