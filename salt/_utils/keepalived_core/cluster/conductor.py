"""What every verb that changes a whole cluster needs: ask all, wait until all is well, tell.

Nothing here knows Salt: whoever uses it hands over a :class:`World`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from . import clock, rollout
from .facts import Answer, Member
from .journal import Journal
from .picture import judge, masters_on, peers_ready, picture

SCHEMA = 1

#: Exit statuses.
DONE, REFUSED, PUT_BACK, UNCLEAR = 0, 1, 2, 3

# Seconds.  A node that works on something is waited for as long as it says so; these only say
# when it is asked whether it still does.
STATUS_SECONDS = 8
WORK_SECONDS = 60
#: How long an address may take to be on one node again: three adverts of 1 s, the skew, and a
#: preempt_delay that is not longer than this.
SETTLE_SECONDS = 20
POLL_SECONDS = 0.5
#: Events within this time of a step are marked planned; the mark is renewed at each step.
MARK_SECONDS = 120


class World(Protocol):
    """How a conductor reaches the nodes, and the person."""

    def ask(
        self, nodes: Iterable[str], fun: str, timeout: float, **kwarg: Any
    ) -> Mapping[str, Answer]:
        """Run a function on nodes; ``{node: Answer}`` of those that answered.

        A keyword ``arg`` is the list of its positional arguments.
        """

    def aside(self, nodes: Iterable[str], fun: str, timeout: float, **kwarg: Any) -> Any:
        """The same in a thread: an object with ``done()`` and ``result()``."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def say(self, text: str) -> None:
        """One line for the person who waits."""


class Failed(Exception):
    """A step did not do what it should; the text says what was seen."""


class Refused(Exception):
    """Nothing was changed; the text says why."""

    def __init__(self, text: str, findings: Sequence[rollout.Finding] = ()) -> None:
        super().__init__(text)
        self.findings = list(findings)


class Conductor:
    """Works on one cluster.

    members: its nodes (``facts.members``); journal: its journal and lock; who: the person.
    """

    verb = "change"

    def __init__(
        self, members: Sequence[Member], journal: Journal, world: World, who: str = "somebody"
    ) -> None:
        self.members = list(members)
        self.nodes = [member.node for member in members if member.accepted]
        self.journal = journal
        self.world = world
        self.who = who
        self.began = world.now()
        #: Seconds the last question for the state of all nodes took.
        self.slowest = 0.0

    # --- asking ---------------------------------------------------------------------------------

    def statuses(self) -> dict[str, Any]:
        """``{node: what its status says now}``, None of one that does not answer."""
        asked = self.world.now()
        answers = self.world.ask(self.nodes, "keepalived.status", STATUS_SECONDS)
        self.slowest = self.world.now() - asked
        return {member.node: said(answers, member.node) for member in self.members}

    def facts(self) -> list[rollout.Facts]:
        """Status and pending change of every member; the plans are not asked for here."""
        waiting = self.world.aside(self.nodes, "keepalived.pending", STATUS_SECONDS)
        asked = self.world.now()
        answers = self.world.ask(self.nodes, "keepalived.status", STATUS_SECONDS)
        self.slowest = self.world.now() - asked
        pending = waiting.result()
        found = []
        for member in self.members:
            answer = answers.get(member.node)
            found.append(
                rollout.Facts(
                    member.node,
                    member.accepted,
                    member.instances,
                    status=answer.said if answer else None,
                    pending=said(pending, member.node),
                    asked=asked,
                    answered=answer.at if answer else 0.0,
                )
            )
        return found

    def do(self, node: str, fun: str, timeout: float = WORK_SECONDS, **kwarg: Any) -> Any:
        """What one node's verb returned.  Raises Failed when it is not what such a verb returns."""
        return mapping(node, fun, said(self.world.ask([node], fun, timeout, **kwarg), node))

    def mark(self, seconds: float, reason: str) -> None:
        """Mark what happens on all nodes in the next *seconds* as planned; 0 ends that."""
        self.world.ask(
            self.nodes, "keepalived.planned", STATUS_SECONDS, seconds=seconds, reason=reason
        )

    def drain_away(self, node: str, reason: str, before: Mapping[str, Any]) -> None:
        """Drain a node and wait until others have all it had.  Raises Failed."""
        ready = peers_ready(node, self.statuses())
        self.do(node, "keepalived.drain", reason=reason, peers_healthy=ready)
        self.given_away(node, before)

    def given_away(self, node: str, before: Mapping[str, Any]) -> None:
        """Wait until others have all that a drained node had.  Raises Failed."""
        deadline = self.world.now() + SETTLE_SECONDS
        while True:
            statuses = self.statuses()
            problems = judge(before, picture(statuses))
            still = masters_on(statuses.get(node))
            if not problems and not still:
                return
            if self.world.now() >= deadline:
                kept = [f"{node} still is MASTER of {', '.join(still)}"] if still else []
                raise Failed(f"after {node} was drained: {'; '.join(kept + problems)}")
            self.world.sleep(POLL_SECONDS)

    # --- judging --------------------------------------------------------------------------------

    def settle(
        self,
        before: Mapping[str, Any],
        *,
        removed: Iterable[str] = (),
        final: bool = False,
        seconds: float = SETTLE_SECONDS,
    ) -> tuple[dict[str, Any], list[str]]:
        """Wait until nothing is worse than *before*: what is true then, and what still is worse."""
        deadline = self.world.now() + seconds
        while True:
            now = picture(self.statuses())
            problems = judge(before, now, removed=removed, final=final)
            if not problems or self.world.now() >= deadline:
                return now, problems
            self.world.sleep(POLL_SECONDS)

    # --- telling --------------------------------------------------------------------------------

    def report(self, result: str, retcode: int, message: str, **more: Any) -> dict[str, Any]:
        """What the verb returns; more keys may come, these stay."""
        return {
            "kind": "rollout",
            "schema": SCHEMA,
            "verb": self.verb,
            "cluster": self.journal.cluster,
            "time": clock.render(self.began),
            "seconds": round(self.world.now() - self.began, 1),
            "result": result,
            "message": message,
            "retcode": retcode,
            **more,
        }

    def refused(self, why: Refused) -> dict[str, Any]:
        """The return of a verb that touched nothing."""
        findings = [finding.to_data() for finding in why.findings]
        return self.report("refused", REFUSED, str(why), findings=findings)


def table(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One row for each node and instance: what it was and what it is."""
    rows = []
    for node in sorted({*before, *after}):
        was = (before.get(node) or {"instances": {}})["instances"]
        now = (after.get(node) or {"instances": {}})["instances"]
        for name in sorted({*was, *now}):
            rows.append(
                {
                    "instance": name,
                    "node": node,
                    "before": _state(was.get(name)),
                    "after": _state(now.get(name)),
                    "holds_before": _held(was.get(name)),
                    "holds_after": _held(now.get(name)),
                }
            )
    return sorted(rows, key=lambda row: (row["instance"], row["node"]))


def _state(row: Mapping[str, Any] | None) -> str | None:
    return None if row is None else row["state"]


def _held(row: Mapping[str, Any] | None) -> list[str]:
    return sorted(vip for vip, present in (row or {"vips": {}})["vips"].items() if present)


def refuse(findings: Sequence[rollout.Finding]) -> None:
    """Raise Refused when one of the findings is an error."""
    errors = [each for each in findings if each.level == "error"]
    if errors:
        places = [f"{each.node}: {each.text}" if each.node else each.text for each in errors]
        raise Refused(f"nothing was changed: {'; '.join(places)}", findings)


def mapping(node: str, fun: str, answer: Any) -> Mapping[str, Any]:
    """What a node's verb returned.  Raises Failed when it is not what such a verb returns."""
    if isinstance(answer, Mapping):
        return answer
    raise Failed(f"{node}: {fun}: {rollout.one_line(answer) if answer else 'no answer'}")


def said(answers: Mapping[str, Answer], node: str) -> Any:
    """What that node returned, None when it did not answer."""
    answer = answers.get(node)
    return answer.said if answer else None
