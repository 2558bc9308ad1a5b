"""Carries out what the policy decided, sees whether it helped, and leaves a trail of both.

Nothing here knows Salt: whoever uses it hands over a :class:`World`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from ..policy_pillar import Policy, Rule
from .answers import Answer, last_line
from .deeds import Deed
from .picture import peers_ready
from .policy import Action, Facts, Skip, decide, not_allowed
from .policy_seen import MARK, Seen, trouble

# Seconds.
STATUS_SECONDS = 5
#: A service takes systemd's time to stop and to start, a state longer.
WORK_SECONDS = 60
#: So long an action may take to help: an election is over in four, a drain waits for it.
VERIFY_SECONDS = 20
POLL_SECONDS = 0.5
#: What an action causes is marked as planned for so long at most; the mark is taken off earlier.
MARK_SECONDS = 120


class World(Protocol):
    """How the nodes are reached, and people."""

    def ask(
        self, nodes: Iterable[str], fun: str, timeout: float, **kwarg: Any
    ) -> Mapping[str, Answer]:
        """Run a function on nodes; ``{node: Answer}`` of those that answered."""

    def now(self) -> float:
        """Seconds since the epoch."""

    def sleep(self, seconds: float) -> None:
        """Wait."""

    def record(self, what: str, data: Mapping[str, object]) -> None:
        """A row for the trail; ``what`` is started, succeeded, failed or skipped."""

    def escalate(self, what: str, reason: str) -> None:
        """A person must know: what was to be done, and why it was not or did not help."""


class Deeds(Protocol):
    """What was begun, inside one transaction."""

    def all(self) -> Sequence[Deed]: ...

    def start(self, action: Action, now: float) -> None: ...


class Ledger(Protocol):
    """What outlives the master."""

    def deciding_about(self, cluster: str) -> AbstractContextManager[Deeds]: ...

    def finish_deed(self, key: str, now: float) -> None: ...


@dataclass(frozen=True)
class Result:
    """What came of an incident's event: ``skipped``, ``succeeded`` or ``failed``, and why."""

    result: str
    reason: str


class Remedy:
    """Reacts to one incident.

    incident
        As the hub told it.
    policy
        Of the cluster's pillar, compiled just now.
    nodes
        The members whose key is accepted; others are not asked.
    agrees
        Whether a node's own pillar, compiled now, has this very policy.
    """

    def __init__(
        self,
        incident: Mapping[str, Any],
        policy: Policy,
        nodes: Sequence[str],
        ledger: Ledger,
        world: World,
        agrees: Callable[[str], bool] = lambda _: True,
    ) -> None:
        self._incident = incident
        self._policy = policy
        self._nodes = sorted(nodes)
        self._ledger = ledger
        self._world = world
        self._agrees = agrees
        self._before: Mapping[str, Any] = {}

    def run(self, facts: Callable[[Mapping[str, Any]], Facts]) -> Result:
        """Decide, enter what is to be done, do it, verify it, and tell.

        facts
            Adds to the nodes' answers what else is known.
        """
        incident = self._incident
        if self._policy.rules.get(str(incident["kind"]), Rule()).action == "none":
            # then nobody need be asked
            return self._skip(not_allowed(str(incident["kind"])))
        known = facts(self._statuses())
        self._before = known.statuses
        with self._ledger.deciding_about(str(incident["cluster"])) as deeds:
            now = self._world.now()
            decision = decide(incident, self._policy, known, deeds.all(), now)
            if isinstance(decision, Action) and not self._agrees(decision.minion):
                decision = Skip(
                    f"the pillar of {decision.minion} has another keepalived:policy", tell=True
                )
            if isinstance(decision, Action):
                deeds.start(decision, now)
        if isinstance(decision, Skip):
            return self._skip(decision)
        try:
            return self._carry_out(decision)
        finally:
            # one who is killed here leaves it open: it is not done a second time either
            self._ledger.finish_deed(decision.key, self._world.now())

    def _skip(self, skip: Skip) -> Result:
        self._tell("skipped", skip.reason)
        if skip.tell:
            self._world.escalate("nothing was done", skip.reason)
        return Result("skipped", skip.reason)

    def _carry_out(self, action: Action) -> Result:
        begin = self._world.now()
        self._tell("started", action.reason, action)
        if action.moves:
            self._mark(MARK_SECONDS, action)
        failure = self._do(action) or self._verify(action)
        if failure and action.action == "drain":
            failure = self._take_back(action, failure)
        if action.moves:
            self._mark(0, action)
        seconds = round(self._world.now() - begin, 3)
        if failure:
            self._tell("failed", failure, action, seconds)
            self._world.escalate(f"{action.told} on {action.minion}", failure)
            return Result("failed", failure)
        reason = f"it helped; before it {action.reason}"
        if action.action == "reannounce":
            reason = action.reason
        self._tell("succeeded", reason, action, seconds)
        return Result("succeeded", reason)

    def _do(self, action: Action) -> str | None:
        """None when the node says that it was done, else what it says."""
        fun, kwarg, done = _JOBS[action.action](action, self._before)
        said = self._said(action.minion, fun, WORK_SECONDS, **kwarg)
        return None if done(said) else f"{fun} on {action.minion}: {_line(said)}"

    def _verify(self, action: Action) -> str | None:
        deadline = self._world.now() + VERIFY_SECONDS
        while True:
            seen = Seen(self._statuses())
            wrong = trouble(action.kind, action.action, action.minion, action.instances, seen)
            if wrong is None or self._world.now() >= deadline:
                return wrong and f"{wrong}, {VERIFY_SECONDS} s after it"
            self._world.sleep(POLL_SECONDS)

    def _take_back(self, action: Action, failure: str) -> str:
        """A drain that did not help is undone: the node may be the only one that can serve."""
        said = self._said(action.minion, "keepalived.undrain", WORK_SECONDS)
        taken = "was undrained" if _is_done(said) else f"could not be undrained: {_line(said)}"
        return f"{failure}; {action.minion} {taken}"

    def _statuses(self) -> dict[str, Any]:
        answers = self._world.ask(self._nodes, "keepalived.status", STATUS_SECONDS)
        return {node: answers[node].said if node in answers else None for node in self._nodes}

    def _said(self, node: str, fun: str, timeout: float, **kwarg: Any) -> Any:
        answer = self._world.ask([node], fun, timeout, **kwarg).get(node)
        return answer.said if answer else None

    def _mark(self, seconds: float, action: Action) -> None:
        """What we cause is planned: no reaction answers it, and the hub opens no incident."""
        self._world.ask(
            self._nodes,
            "keepalived.planned",
            STATUS_SECONDS,
            seconds=seconds,
            reason=f"{MARK}{action.incident}",
        )

    def _tell(
        self, what: str, reason: str, action: Action | None = None, seconds: float | None = None
    ) -> None:
        incident = self._incident
        self._world.record(
            what,
            {
                "incident": incident["id"],
                "incident_kind": incident["kind"],
                "minion": action.minion if action else None,
                "instance": incident["instance"],
                "service": action.rule.service or None if action else None,
                "action": action.told if action else None,
                "reason": reason,
                "seconds": seconds,
            },
        )


_Job = tuple[str, dict[str, Any], Callable[[Any], bool]]


def _restart(action: Action, _statuses: Mapping[str, Any]) -> _Job:
    return "service.restart", {"name": action.rule.service}, lambda said: said is True


def _drain(action: Action, statuses: Mapping[str, Any]) -> _Job:
    kwarg = {
        "reason": f"{MARK}{action.incident}: {action.kind}",
        "expires": action.rule.expires,
        # who does not hear its peers yields to none of them, whatever its priority
        "mode": "fault" if action.kind == "split_brain" else "auto",
        "peers_healthy": peers_ready(action.minion, statuses),
    }
    return "keepalived.drain", kwarg, lambda said: _is_done(said) and said.get("drained") is True


def _undrain(_action: Action, _statuses: Mapping[str, Any]) -> _Job:
    return "keepalived.undrain", {}, _is_done


def _announce(_action: Action, _statuses: Mapping[str, Any]) -> _Job:
    return "keepalived.announce", {}, lambda said: _is_done(said) and bool(said.get("sent"))


def _state(action: Action, _statuses: Mapping[str, Any]) -> _Job:
    return "state.apply", {"mods": action.rule.sls}, _all_true


_JOBS: dict[str, Callable[[Action, Mapping[str, Any]], _Job]] = {
    "restart": _restart,
    "drain": _drain,
    "undrain": _undrain,
    "reannounce": _announce,
    "state": _state,
}


def _is_done(said: Any) -> bool:
    return isinstance(said, Mapping)


def _all_true(said: Any) -> bool:
    """Whether every state of a run succeeded."""
    if not isinstance(said, Mapping) or not said:
        return False
    return all(isinstance(each, Mapping) and each.get("result") for each in said.values())


def _line(said: Any) -> str:
    """What a node said that was not what it should be, in one line."""
    if isinstance(said, Mapping):
        failed = [
            str(each.get("comment"))
            for each in said.values()
            if isinstance(each, Mapping) and not each.get("result")
        ]
        return last_line("; ".join(failed) or "not done")
    return last_line(said)
