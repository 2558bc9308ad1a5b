"""Carry a rollout out, step by step; finish or undo one that broke off.

Before a step the journal says that it begins, after it that it is done: whatever dies, the next
run knows which nodes may have been touched, and compares their files with what it noted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import clock, rollout
from .common_second import commit_together, let_it_pass
from .conductor import (
    DONE,
    MARK_SECONDS,
    PUT_BACK,
    UNCLEAR,
    WORK_SECONDS,
    Failed,
    Refused,
    mapping,
    refuse,
    said,
    table,
)
from .journal import JournalError
from .picture import drain_of, is_drained, picture
from .rollout_back import BEGUN, CHANGED, PREPARED, REASON, RELOADING, UNTOUCHED, WayBack

#: Applied on all nodes before anything is planned.
_READY = "keepalived.ready"


class Rollout(WayBack):
    """Brings every node of a cluster to what its pillar says."""

    verb = "rollout"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.plans: dict[str, Any] = {}

    # --- the three ways in ----------------------------------------------------------------------

    def start(self, test: bool = False) -> dict[str, Any]:
        """A new rollout; with *test* only what it would do.  Raises Refused, JournalError."""
        old = self.journal.read()
        if old is not None:
            raise Refused(self._broke_off(old))
        self.world.say(f"asking {len(self.nodes)} nodes")
        found = self.facts()
        refuse(rollout.preflight(found, plans=False))
        waits = self._make_ready(test)
        facts = self._planned(found)
        findings = rollout.preflight(facts) + rollout.refuse_mixture(facts)
        if waits and any(each.level == "error" for each in findings):
            text = f"{waits}; the new configuration may be refused only because that is missing"
            findings.append(rollout.Finding("warning", "", text))
        refuse(findings)
        plan = rollout.make_plan(facts)
        self.state = {
            "cluster": self.journal.cluster,
            "verb": self.verb,
            "started": clock.render(self.began),
            "who": self.who,
            "mode": plan.mode,
            "steps": [{**step.to_data(), "state": "todo"} for step in plan.steps],
            "nodes": {
                one.node: {
                    "live": one.plan.get("live"),
                    "new": one.plan.get("new"),
                    "backup": None,
                    "phase": UNTOUCHED,
                    "restarts": _restarts(one),
                }
                for one in facts
                if rollout.kinds_of(one.plan) != {"nothing"}
            },
            "removed": sorted(rollout.removed_instances(self.plans.values())),
            "before": picture({one.node: one.status for one in facts}),
        }
        self.after = self.state["before"]
        more = {"findings": [each.to_data() for each in findings]}
        if plan.mode == rollout.NOTHING:
            return self._end("nothing", DONE, "every node is as its pillar says", **more)
        if test:
            return self._end("would", DONE, f"would be changed: {self._way()}", **more)
        self.world.say(f"{self._way()}: {', '.join(self.state['nodes'])}")
        self._note()
        return self._carry_out(**more)

    def resume(self) -> dict[str, Any]:
        """Finish the rollout that broke off.  Raises Refused, JournalError."""
        self.verb = "rollout resume"
        self.state = self._unfinished()
        let_it_pass(self.world, self.nodes)
        facts = self._planned(self.facts())
        findings = rollout.preflight(facts, resuming=True) + rollout.refuse_mixture(facts)
        refuse(findings)
        plan = rollout.make_plan(facts, together=self.state["mode"] == rollout.TOGETHER)
        if plan.mode == rollout.TOGETHER:
            self.state["mode"] = plan.mode  # the pillar was changed since; so it goes back, too
        removed = rollout.removed_instances(self.plans.values())
        self.state["removed"] = sorted({*self.state["removed"], *removed})
        # What waits with another text, for the pillar was changed since, is prepared anew.
        waiting = {
            one.node
            for one in facts
            if rollout.phase_of(one.pending) == "prepared"
            and one.pending.get("new") == one.plan.get("new")
        }
        steps = [step.to_data() for step in plan.steps]
        for step in steps:
            if step["do"] == "prepare":
                step["nodes"] = [node for node in step["nodes"] if node not in waiting]
        for one in facts:
            entry = {"live": None, "new": None, "backup": None, "phase": UNTOUCHED}
            self.state["nodes"].setdefault(one.node, {**entry, "live": one.plan.get("live")})
            noted = self.state["nodes"][one.node]
            # Of every file that may stand there by now; an undo knows it by that.
            noted.setdefault("sums", []).extend([noted["new"]] if noted["new"] else [])
            noted["new"] = one.plan.get("new")
            noted["expect"] = one.plan.get("live")
            if _restarts(one):
                noted["restarts"] = True
        done = [step for step in self.state["steps"] if step["state"] == "done"]
        steps += [
            {"do": "undrain", "nodes": [node], "why": "the rollout had drained it"}
            for node in self._drained_by_us()
            if not any(step["do"] == "undrain" and step["nodes"] == [node] for step in steps)
        ]
        self.state["steps"] = done + [{**step, "state": "todo"} for step in steps if step["nodes"]]
        self.after = self.state["before"]
        self._note()
        return self._carry_out(findings=[each.to_data() for each in findings])

    def undo(self) -> dict[str, Any]:
        """Put back what the rollout that broke off has changed.  Raises Refused, JournalError."""
        self.verb = "rollout undo"
        self.state = self._unfinished()
        let_it_pass(self.world, self.nodes)
        problems = self._put_back()
        return self._finish_undo("undone", DONE, "the rollout was undone", problems)

    # --- the steps ------------------------------------------------------------------------------

    def _carry_out(self, **more: Any) -> dict[str, Any]:
        try:
            for number, step in enumerate(self.state["steps"]):
                if step["state"] == "done":
                    continue
                if step["do"] != "prepare":
                    self.mark(MARK_SECONDS, REASON)
                step["state"] = "doing"
                self._note()
                begin = self.world.now()
                self.world.say(f"{step['do']} {', '.join(step['nodes'])}: {step['why']}")
                getattr(self, f"_{step['do']}")(step["nodes"])
                self._verify(step, final=number == len(self.state["steps"]) - 1)
                step.update(state="done", seconds=round(self.world.now() - begin, 1))
                self._note()
            if not self.state["steps"] or self.state["steps"][-1]["do"] == "prepare":
                self._verify({"do": "check"}, final=True)
        except (Failed, JournalError) as failed:
            self.goes_back = True
            self.world.say(f"failed: {failed}")
            for step in self.state["steps"]:
                if step["state"] == "doing":
                    step["state"] = "failed"
            self._note()
            problems = self._put_back()
            text = f"{failed}. All nodes that were changed were put back"
            return self._finish_undo("failed", PUT_BACK, text, problems, **more)
        self.mark(0, REASON)
        text = f"{len(self.state['nodes'])} nodes changed, {self._way()}"
        return self._end("done", DONE, text + self._forget("resume"), **more)

    def _apply(self, nodes: Sequence[str]) -> None:
        (node,) = nodes
        entry = self._phase(node, BEGUN)
        did = self.do(
            node,
            "keepalived.apply",
            allow_disruptive=True,
            expect=entry.get("expect", entry["live"]),
            expect_new=entry["new"],
        )
        entry["backup"] = entry["backup"] or did.get("backup")
        self._phase(node, CHANGED, str(did.get("did") or ""))

    def _prepare(self, nodes: Sequence[str]) -> None:
        asked = {}
        for node in nodes:
            entry = self._phase(node, BEGUN)
            # Each is told which file was planned, and for which, so each has a job of its own.
            asked[node] = self.world.aside(
                [node],
                "keepalived.apply",
                WORK_SECONDS,
                allow_disruptive=True,
                expect=entry.get("expect", entry["live"]),
                expect_new=entry["new"],
                reload="no",
            )
        problems = []
        for node, answer in asked.items():
            try:
                did = mapping(node, "keepalived.apply", said(answer.result(), node))
            except Failed as failed:
                problems.append(str(failed))
                continue
            entry = self.state["nodes"][node]
            entry["backup"] = entry["backup"] or did.get("backup")
            self._phase(node, PREPARED, str(did.get("did") or ""))
        if problems:
            raise Failed(_all(problems))

    def _commit(self, nodes: Sequence[str]) -> None:
        for node in nodes:
            self.state["nodes"][node]["phase"] = RELOADING
        self._note()
        for node, did in commit_together(self.world, nodes, self.slowest).items():
            self._phase(node, CHANGED, str(did.get("did") or ""))

    def _drain(self, nodes: Sequence[str]) -> None:
        (node,) = nodes
        status = self.statuses().get(node)
        theirs = is_drained(status) and drain_of(status).get("reason") != REASON
        left = [each for each in self.state.get("left_drained", ()) if each != node]
        self.state["left_drained"] = [*left, node] if theirs else left
        if not theirs:
            self.drain_away(node, REASON, self.state["before"])
            return
        why = "somebody else has drained it meanwhile: it stays so"
        self.world.say(f"{node}: {why}")
        for step in self.state["steps"]:
            if step["do"] in ("drain", "undrain") and node in step["nodes"]:
                step["why"] = why
        self._note()
        self.given_away(node, self.state["before"])

    def _verify(self, step: Mapping[str, Any], final: bool) -> None:
        if step["do"] == "prepare":
            return  # no daemon knows of it
        self.after, problems = self.settle(
            self.state["before"], removed=self.state["removed"], final=final
        )
        if problems:
            raise Failed(f"after {step['do']} {', '.join(step.get('nodes', []))}: {_all(problems)}")

    # --- undoing --------------------------------------------------------------------------------

    def _finish_undo(
        self, result: str, code: int, text: str, problems: list[str], **more: Any
    ) -> dict[str, Any]:
        self.mark(0, REASON)
        if not problems:
            return self._end(result, code, text + self._forget("undo"), **more)
        text = (
            f"{text.removesuffix('. All nodes that were changed were put back')}. Not all is as it "
            f"was: {_all(problems)}. Mend that, then `salt-run keepalived.rollout "
            f"{self.journal.cluster} undo=True` (or resume=True)"
        )
        return self._end("failed", UNCLEAR, text, problems=problems, **more)

    # --- beneath --------------------------------------------------------------------------------

    def _make_ready(self, test: bool) -> str | None:
        """What the configuration counts on, and what only adds: scripts, a firewall that lets the
        new adverts in, the addresses of the peers.  In test mode, say what of it would be done."""
        self.world.say("making ready what the configuration counts on")
        answers = self.world.ask(self.nodes, "state.apply", WORK_SECONDS, mods=_READY, test=test)
        wrong, waits = [], []
        for node in self.nodes:
            states = answers[node].said if node in answers else "no answer"
            if not isinstance(states, Mapping):
                why = "; ".join(map(str, states)) if isinstance(states, list) else states
                wrong.append(f"{node}: state.apply {_READY}: {rollout.one_line(why)}")
                continue
            bad = [str(one.get("comment")) for one in states.values() if one.get("result") is False]
            if bad:
                wrong.append(f"{node}: {_all(bad)}")
            elif any(one.get("result") is None for one in states.values()):
                waits.append(node)
        if wrong:
            raise Refused("no configuration was changed:\n" + "\n".join(wrong))
        return f"{_READY} would change {', '.join(waits)} first" if waits else None

    def _planned(self, found: Sequence[rollout.Facts]) -> list[rollout.Facts]:
        self.world.say("planning on every node")
        # A minion plans with the pillar it holds, which is as old as its last state run.
        fresh = self.world.ask(self.nodes, "saltutil.refresh_pillar", WORK_SECONDS, wait=True)
        stale = [node for node in self.nodes if node not in fresh or fresh[node].said is not True]
        if stale:
            raise Refused(f"nothing was changed: {', '.join(stale)} did not get its pillar anew")
        answers = self.world.ask(self.nodes, "keepalived.plan", WORK_SECONDS)
        facts = [
            rollout.with_plan(one, answers[one.node].said if one.node in answers else None)
            for one in found
        ]
        self.plans = {one.node: one.plan for one in facts if isinstance(one.plan, Mapping)}
        return facts

    def _unfinished(self) -> dict[str, Any]:
        state = self.journal.read()
        if state is None:
            raise Refused(f"no rollout of {self.journal.cluster} has broken off")
        return state

    def _broke_off(self, old: Mapping[str, Any]) -> str:
        name = self.journal.cluster
        return (
            f"a rollout of {name} that {old.get('who')} started at {old.get('started')} has not "
            f"ended. Finish it: salt-run keepalived.rollout {name} resume=True; or put everything "
            f"back: salt-run keepalived.rollout {name} undo=True"
        )

    def _way(self) -> str:
        if self.state["mode"] == rollout.TOGETHER:
            return "all at one second"
        return "one after the other"

    def _forget(self, way: str) -> str:
        """The journal has done its work; what to say where it stays."""
        try:
            self.journal.forget()
        except JournalError as why:
            name = self.journal.cluster
            return f". {why}. Mend that, then `salt-run keepalived.rollout {name} {way}=True`"
        return ""

    def _end(self, result: str, retcode: int, message: str, **more: Any) -> dict[str, Any]:
        changes = []
        for node, entry in self.state["nodes"].items():
            plan = self.plans.get(node) or {}
            change = plan.get("change") or {}
            changes.append(
                {
                    "node": node,
                    "kind": change.get("kind") or plan.get("action") or "-",
                    "reasons": [str(each.get("text")) for each in change.get("reasons") or ()],
                    "diff": plan.get("diff") or "",
                    "phase": entry["phase"],
                    "did": entry.get("did", ""),
                }
            )
        return self.report(
            result,
            retcode,
            message,
            mode=self.state["mode"],
            steps=self.state["steps"],
            changes=changes,
            rows=table(self.state["before"], self.after),
            **{"findings": [], "problems": [], **more},
        )


def _restarts(one: rollout.Facts) -> bool:
    """Whether a node's plan restarts keepalived."""
    return "restart" in rollout.kinds_of(one.plan)


def _all(texts: Sequence[str]) -> str:
    return "; ".join(text.rstrip(".") for text in texts)
