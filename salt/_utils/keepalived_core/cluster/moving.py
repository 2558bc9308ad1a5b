"""Move the addresses of a cluster to another node on purpose: drain, undrain, switchover."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from . import clock, timeline
from .conductor import DONE, MARK_SECONDS, PUT_BACK, WORK_SECONDS, Conductor, Failed, Refused, table
from .picture import (
    can_drain,
    candidates,
    holders_moved,
    is_drained,
    judge,
    masters_of,
    masters_on,
    peers_ready,
    picture,
)

#: Rows of a node's journal that are looked through for the gap.
JOURNAL_ROWS = 500
#: How long the nodes may take to have in their journals what has happened.
JOURNAL_SECONDS = 10
#: A node's clock may be behind the master's: rows since so many seconds before a move count.
EARLIER_SECONDS = 1.0
#: How long a node that is undrained may take to have its addresses back: three adverts and the
#: skew, and what asking costs.
TAKE_BACK_SECONDS = 10


@dataclass(frozen=True)
class Move:
    """What a switchover does: to whom, which nodes are undrained and drained, in this order."""

    to: str
    instances: tuple[str, ...]
    undrain: tuple[str, ...] = ()
    drain: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())


def plan_switchover(
    statuses: Mapping[str, Any], to: str | None = None, instance: str | None = None
) -> Move:
    """How *to* (default: the best backup) gets *instance* (default: all of them).

    Whoever keepalived would prefer to *to* is drained, the present holder last.  Raises Refused.
    """
    masters = masters_of(statuses)
    if instance is not None and instance not in masters:
        raise Refused(f"no node runs {instance}; there are: {', '.join(masters) or 'none'}")
    wanted = [instance] if instance is not None else list(masters)
    if not wanted:
        raise Refused("no node runs a VRRP instance")
    silent = sorted(node for node, status in statuses.items() if not isinstance(status, Mapping))
    if silent:
        raise Refused(f"{', '.join(silent)} does not answer: whether it would interfere is unknown")
    for name in wanted:
        if len(masters[name]) != 1:
            who = " and ".join(masters[name]) or "no node"
            raise Refused(f"{name}: {who} claims MASTER, one must: mend that first")
    holders = {name: masters[name][0] for name in wanted}
    target = to if to is not None else _best(statuses, wanted, set(holders.values()))
    if target not in statuses:
        raise Refused(f"there is no node {target} in this cluster: {', '.join(sorted(statuses))}")
    status = statuses[target]
    if all(holder == target for holder in holders.values()):
        raise Refused(f"{target} has {', '.join(wanted)} already")
    undrain = (target,) if is_drained(status) else ()
    if not undrain:
        for name in wanted:
            if target not in dict(candidates(name, statuses)):
                state = _state(status, name)
                raise Refused(f"{target} cannot have {name}: it is {state} there")
    drain: dict[str, int] = {}
    for name in wanted:
        mine = _priority(status, name, base=bool(undrain))
        for node, priority in candidates(name, statuses, {target}):
            # Of equals the one with the higher address wins: that is not known here.
            if priority >= mine or (node == holders[name] and not undrain):
                drain[node] = max(drain.get(node, 0), int(node in holders.values()))
    order = tuple(sorted(drain, key=lambda node: (drain[node], node)))
    stuck = [node for node in order if not can_drain(statuses[node])]
    if stuck:
        lacks = _lacks(statuses[stuck[0]])
        raise Refused(f"{stuck[0]} cannot be drained: {lacks}")
    return Move(target, tuple(wanted), undrain, order, _notes(statuses, wanted, order))


def _best(statuses: Mapping[str, Any], wanted: list[str], holders: set[str]) -> str:
    """The backup that stands ready for all of *wanted*, the highest priority first."""
    first = [node for node, _ in candidates(wanted[0], statuses, holders)]
    for node in first:
        if all(node in dict(candidates(name, statuses)) for name in wanted):
            return node
    raise Refused(f"no healthy backup could have {', '.join(wanted)}")


def _notes(
    statuses: Mapping[str, Any], wanted: Iterable[str], drain: Iterable[str]
) -> tuple[str, ...]:
    wanted = set(wanted)
    found = []
    for node in drain:
        others = [name for name in masters_on(statuses[node]) if name not in wanted]
        if others:
            found.append(f"{node} gives away {', '.join(others)} as well: a drain is of a node")
    return tuple(found)


def _row(status: Any, instance: str) -> Mapping[str, Any]:
    for row in status.get("instances") or () if isinstance(status, Mapping) else ():
        if row.get("instance") == instance:
            found: Mapping[str, Any] = row
            return found
    return {}


def _state(status: Any, instance: str) -> str:
    return str(_row(status, instance).get("state") or "not configured")


def _priority(status: Any, instance: str, base: bool) -> int:
    row = _row(status, instance)
    return int(row.get("base_priority" if base else "effective_priority") or 0)


def _lacks(status: Any) -> str:
    drain = status.get("drain") if isinstance(status, Mapping) else None
    missing = drain.get("missing") if isinstance(drain, Mapping) else None
    return "; ".join(map(str, missing)) if missing else "it does not say that it can be"


class Moving(Conductor):
    """Drains, undrains, switches over, and measures what that cost."""

    verb = "switchover"

    def switchover(self, to: str | None = None, instance: str | None = None) -> dict[str, Any]:
        """Let *to* have *instance*.  Raises Refused."""
        statuses = self.statuses()
        move = plan_switchover(statuses, to, instance)
        reason = f"switchover to {move.to}"
        steps: list[tuple[str, str]] = [("undrain", node) for node in move.undrain]
        steps += [("drain", node) for node in move.drain]

        def there(now: Mapping[str, Any]) -> list[str]:
            return [
                f"{name} is not on {move.to}"
                for name in move.instances
                if _claim(now, move.to, name) != "MASTER"
            ]

        back = [f"salt-run keepalived.undrain {node}" for node in move.drain]
        return self._move(statuses, steps, reason, there, f"{move.to} has it", back, move.notes)

    def drain(self, node: str, **how: Any) -> dict[str, Any]:
        """Drain one node; *how* are the arguments of its verb.  Raises Refused."""
        self.verb = "drain"
        statuses = self._known(node)
        ready = peers_ready(node, statuses)
        alone = [name for name in masters_on(statuses[node]) if not ready.get(name)]
        if alone and not how.get("force"):
            raise Refused(
                f"no healthy node would take {', '.join(alone)} from {node} (asked now); nothing "
                "was changed. force=True drains all the same, and the address may be lost"
            )
        text = f"{node} is drained"
        back = [f"salt-run keepalived.undrain {node}"]
        reason = str(how.pop("reason", None) or "drained")
        return self._move(statuses, [("drain", node)], reason, _nothing, text, back, (), **how)

    def undrain(self, node: str) -> dict[str, Any]:
        """End the drain of one node.  Raises Refused."""
        self.verb = "undrain"
        statuses = self._known(node)
        text = f"{node} is not drained" if not is_drained(statuses[node]) else f"{node} is back"
        wanted = _would_take(node, statuses)

        def back(now: Mapping[str, Any]) -> list[str]:
            kept = [name for name in wanted if _claim(now, node, name) != "MASTER"]
            return [f"{node} has not taken {', '.join(kept)} back"] if kept else []

        return self._move(
            statuses, [("undrain", node)], "undrain", _nothing, text, [], (), hoped=back
        )

    def _known(self, node: str) -> dict[str, Any]:
        statuses = self.statuses()
        if node not in statuses:
            raise Refused(f"there is no node {node} in this cluster: {', '.join(sorted(statuses))}")
        if not isinstance(statuses[node], Mapping):
            raise Refused(f"{node} does not answer")
        return statuses

    def _move(
        self,
        statuses: Mapping[str, Any],
        steps: Iterable[tuple[str, str]],
        reason: str,
        missing: Any,
        text: str,
        back: list[str],
        notes: Iterable[str],
        hoped: Any = None,
        **how: Any,
    ) -> dict[str, Any]:
        before = picture(statuses)
        self.mark(MARK_SECONDS, reason)
        begin = self.world.now()
        done: list[tuple[str, str]] = []
        theirs: list[str] = []  # drained before: that is not ours to end
        problem = ""
        now = before
        try:
            for verb, node in steps:
                self.world.say(f"{verb} {node}")
                kwargs = dict(how)
                if verb == "drain":
                    asked = self.statuses()
                    if any(is_drained(each.get(node)) for each in (statuses, asked)):
                        theirs.append(node)
                    kwargs.setdefault("reason", reason)
                    kwargs["peers_healthy"] = peers_ready(node, asked)
                done.append((verb, node))
                self.do(node, f"keepalived.{verb}", **kwargs)
            now = self._wait(before, missing, bool(how.get("force")))
            deadline = self.world.now() + TAKE_BACK_SECONDS
            while hoped and hoped(now) and self.world.now() < deadline:
                self.world.sleep(0.3)
                now = picture(self.statuses())
        except Failed as failed:
            problem = str(failed)
            self.world.say(f"failed: {problem}")
            for verb, node in reversed(done):
                if verb == "drain" and node not in theirs:
                    self.world.ask([node], "keepalived.undrain", WORK_SECONDS)
            now, _ = self.settle(before)
        gaps = self._gaps(begin, before, now)
        self.mark(0, reason)
        rows = table(before, now)
        if problem:
            message = f"{problem}. What was drained for it was undrained"
            if theirs:
                message += f"; {', '.join(theirs)} was drained before and was left so"
            return self.report("failed", PUT_BACK, message, rows=rows, gaps=gaps, back=[])
        return self.report(
            "done",
            DONE,
            text,
            rows=rows,
            gaps=gaps,
            back=back,
            notes=[*notes, *_unfulfilled(hoped, now)],
            steps=[
                {"do": verb, "nodes": [node], "why": reason, "state": "done"} for verb, node in done
            ],
        )

    def _wait(self, before: Mapping[str, Any], missing: Any, forced: bool) -> dict[str, Any]:
        """Until nothing is worse than before, and nothing is missing.  Raises Failed."""
        deadline = self.world.now() + WORK_SECONDS / 2
        while True:
            now = picture(self.statuses())
            problems = ([] if forced else judge(before, now)) + missing(now)
            if not problems:
                return now
            if self.world.now() >= deadline:
                raise Failed("; ".join(problems))
            self.world.sleep(0.3)

    def _gaps(
        self, since: float, before: Mapping[str, Any], now: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """For each address that moved: seconds on no node, by the nodes' own journals.

        None where the journal of the node that has it now does not say when it came.
        """
        moved = holders_moved(before, now)
        deadline = self.world.now() + JOURNAL_SECONDS
        while moved:
            answers = self.world.ask(
                self.nodes,
                "keepalived.journal",
                WORK_SECONDS,
                last=JOURNAL_ROWS,
                since=clock.render(since - EARLIER_SECONDS),
            )
            journals = {
                node: answer.said
                for node, answer in answers.items()
                if isinstance(answer.said, (list, tuple))
            }
            rows = timeline.merge(journals)
            came = {
                (str(row["node"]), vip)
                for row in rows
                if row.get("vip_present") is True
                for vip in _vips(row)
            }
            if all((node, vip) in came for vip, node in moved.items()):
                break
            if self.world.now() >= deadline:
                break
            self.world.sleep(0.5)  # a watch writes when it has a moment
        else:
            return []
        found = timeline.without_owner(rows, self.world.now(), since - EARLIER_SECONDS)
        known = {str(one["vip"]): one["seconds"] for one in found if not one["open"]}
        return [
            {"address": vip, "seconds": known.get(vip) if (node, vip) in came else None}
            for vip, node in sorted(moved.items())
        ]


def _vips(row: Mapping[str, Any]) -> list[str]:
    vips = row.get("vips")
    return [str(vip) for vip in vips] if isinstance(vips, (list, tuple)) else []


def _would_take(node: str, statuses: Mapping[str, Any]) -> list[str]:
    """The instances that keepalived would give back to *node* once it is not drained."""
    found = []
    for name, masters in masters_of(statuses).items():
        mine = _priority(statuses[node], name, base=True)
        theirs = [_priority(statuses[one], name, base=False) for one in masters]
        if theirs and node not in masters and mine > max(theirs):
            found.append(name)
    return found


def _claim(shown: Mapping[str, Any], node: str, instance: str) -> Any:
    row = (shown.get(node) or {"instances": {}})["instances"].get(instance)
    return row and row["state"]


def _unfulfilled(hoped: Any, now: Mapping[str, Any]) -> list[str]:
    if hoped is None:
        return []
    return [f"{text} (nopreempt, or a preempt_delay?)" for text in hoped(now)]


def _nothing(_now: Mapping[str, Any]) -> list[str]:
    return []
