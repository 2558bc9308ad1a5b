"""Let the addresses of a cluster go to a peer and come home, and measure what that costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import facts, rollout
from .conductor import DONE, PUT_BACK, UNCLEAR, WORK_SECONDS, Refused, refuse
from .moving import EARLIER_SECONDS, Moving
from .picture import can_drain, is_drained, judge, masters_of, masters_on, peers_ready, picture

SCHEMA = 1
REASON = "failover test"
#: Between two moves, so that the gap of one is not counted with that of the next.
PAUSE_SECONDS = EARLIER_SECONDS + 0.2


class FailoverTest(Moving):
    """For each node that holds addresses: drain it, and undrain it again."""

    verb = "failover_test"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.steps: list[dict[str, Any]] = []
        #: Nodes that were drained for the test and are still.
        self.ours: list[str] = []

    def start(self, test: bool = False, back: bool = True) -> dict[str, Any]:
        """The whole test; with *test* only what it would do, without *back* the addresses stay
        with the peer.  Raises Refused."""
        found = self.facts()
        findings = rollout.preflight(found, plans=False)
        refuse(findings)
        statuses = {one.node: one.status for one in found}
        homes = self._homes(statuses, back)
        more = {"findings": [each.to_data() for each in findings]}
        if test:
            for home, instances in homes.items():
                self._plan(home, instances, back)
            text = f"would be drained{' and undrained' if back else ''}: {', '.join(homes)}"
            return self.report("would", DONE, text, steps=self.steps, **more)
        before = picture(statuses)
        try:
            for home, instances in homes.items():
                problem = self._there(home, instances)
                if not problem and back:
                    problem = self._back(home, instances)
                if problem:
                    return self._failed(before, problem, **more)
            return self._finish(before, back, **more)
        except BaseException:
            # Ctrl-C included: nothing of it stays.
            self._undrain_ours()
            raise

    # --- may it be done? ------------------------------------------------------------------------

    def _homes(self, statuses: Mapping[str, Any], back: bool) -> dict[str, list[str]]:
        """{node: the instances it holds}, of those that are drained.  Raises Refused."""
        masters = masters_of(statuses)
        if not masters:
            raise Refused("no node runs a VRRP instance")
        homes = {node: masters_on(status) for node, status in statuses.items()}
        homes = {node: held for node, held in sorted(homes.items()) if held}
        if not back and len(homes) > 1:
            raise Refused(
                f"{' and '.join(homes)} hold addresses: with back=False only one node can give "
                "its addresses away; leave it out, or use salt-run keepalived.switchover"
            )
        for node, held in homes.items():
            ready = peers_ready(node, statuses)
            alone = [name for name in held if not ready.get(name)]
            if alone:
                raise Refused(f"no healthy node would take {', '.join(alone)} from {node}")
            if is_drained(statuses[node]):
                raise Refused(f"{node} holds addresses and is drained: undrain it first")
            if not can_drain(statuses[node]):
                lacks = (statuses[node].get("drain") or {}).get("missing") or ()
                why = "; ".join(map(str, lacks)) or "it does not say that it can be"
                raise Refused(f"{node} cannot be drained: {why}")
        return homes

    # --- there and back -------------------------------------------------------------------------

    def _there(self, home: str, instances: list[str]) -> str:
        """Drain the node; what went wrong, or nothing."""
        if self.steps:
            self.world.sleep(PAUSE_SECONDS)
        self.ours.append(home)
        try:
            done = self.drain(home, reason=REASON)
        except Refused as why:
            return str(why)
        return self._note("there", instances, done)

    def _back(self, home: str, instances: list[str]) -> str:
        """Undrain it, and where nobody gives the addresses back, let it have them."""
        self.world.sleep(PAUSE_SECONDS)
        done = self.undrain(home)
        if done["result"] == "done":
            self.ours.remove(home)
        problem = self._note("back", instances, done)
        for name in instances:
            if not problem and name not in masters_on(self.statuses().get(home)):
                problem = self._fetch(home, name)
        return problem

    def _fetch(self, home: str, name: str) -> str:
        """With nopreempt, or equal priorities, a node keeps what it has until it gives it up."""
        self.world.sleep(PAUSE_SECONDS)
        self.ours = [
            node
            for node, status in self.statuses().items()
            if node != home and isinstance(status, Mapping) and not is_drained(status)
        ]
        try:
            done = self.switchover(home, name)
        except Refused as why:
            self.ours = []
            return f"{name} did not come home to {home}: {why}"
        self.ours = [one["nodes"][0] for one in done.get("steps") or () if one["do"] == "drain"]
        problem = self._note("fetch", [name], done)
        self._undrain_ours()
        return problem

    def _note(self, step: str, instances: list[str], done: Mapping[str, Any]) -> str:
        """Add the step's rows; what went wrong, or nothing."""
        self.verb = FailoverTest.verb
        verdicts = self._verdicts()
        rows = done.get("rows") or []
        gaps = {gap["address"]: gap["seconds"] for gap in done.get("gaps") or ()}
        for name in instances:
            mine = [row for row in rows if row["instance"] == name]
            was = [row["node"] for row in mine if row["before"] == "MASTER"]
            now = [row["node"] for row in mine if row["after"] == "MASTER"]
            addresses = [vip for row in mine for vip in row["holds_after"]]
            known = [gaps[vip] for vip in addresses if vip in gaps]
            moved = was != now
            self.steps.append(
                {
                    "step": step,
                    "instance": name,
                    "addresses": sorted(addresses),
                    "from": ", ".join(was) or None,
                    "to": ", ".join(now) or None,
                    "gap": max(known) if moved and known and None not in known else None,
                    "moved": moved,
                    "state": done["result"],
                    "verdict": verdicts.get(name, "unknown"),
                }
            )
        return "" if done["result"] == "done" else str(done["message"])

    def _plan(self, home: str, instances: list[str], back: bool) -> None:
        for step in ("there", "back") if back else ("there",):
            for name in instances:
                here, there = (home, None) if step == "there" else (None, home)
                self.steps.append(
                    {
                        "step": step,
                        "instance": name,
                        "addresses": [],
                        "from": here,
                        "to": there,
                        "gap": None,
                        "moved": False,
                        "state": "todo",
                        "verdict": None,
                    }
                )

    # --- the end --------------------------------------------------------------------------------

    def _finish(self, before: Mapping[str, Any], back: bool, **more: Any) -> dict[str, Any]:
        stayed = [
            one["instance"] for one in self.steps if one["step"] == "there" and not one["moved"]
        ]
        if stayed:
            return self._failed(before, f"{', '.join(stayed)} did not move", **more)
        if not back:
            where = {one["instance"]: one["to"] for one in self.steps}
            text = ", ".join(f"{name} is on {node}" for name, node in where.items())
            undo = [f"salt-run keepalived.undrain {node}" for node in self.ours]
            return self.report("done", DONE, text, steps=self.steps, back=undo, **more)
        now, problems = self.settle(before, final=True)
        away = [
            f"{name} is not on {node} any more"
            for node, was in before.items()
            for name, row in (was or {"instances": {}})["instances"].items()
            if row["state"] == "MASTER"
            and ((now.get(node) or {"instances": {}})["instances"].get(name) or {}).get("state")
            != "MASTER"
        ]
        if problems or away:
            return self._failed(before, "; ".join([*problems, *away]), **more)
        gaps = [one["gap"] for one in self.steps if one["moved"]]
        known = [gap for gap in gaps if gap is not None]
        longest = f"; the longest gap was {max(known):.3f} s" if known else ""
        text = f"there and back, every address is home{longest}"
        return self.report("done", DONE, text, steps=self.steps, back=[], **more)

    def _failed(self, before: Mapping[str, Any], problem: str, **more: Any) -> dict[str, Any]:
        """Undo what is ours, and say what is true then."""
        self._undrain_ours()
        now, problems = self.settle(before)
        verdicts = self._verdicts()
        state = "; ".join(f"{name} is {text}" for name, text in verdicts.items())
        left = "Nothing is drained for the test any more"
        if self.ours:
            left = f"{' and '.join(self.ours)} may still be drained"
        text = f"{problem}. {left}; now {state}"
        good = not problems and not self.ours and not judge(before, now)
        code = PUT_BACK if good else UNCLEAR
        undo = [f"salt-run keepalived.undrain {node}" for node in self.ours]
        return self.report("failed", code, text, steps=self.steps, back=undo, **more)

    def _undrain_ours(self) -> None:
        for node in list(self.ours):
            answers = self.world.ask([node], "keepalived.undrain", WORK_SECONDS)
            answer = answers.get(node)
            if answer is not None and isinstance(answer.said, Mapping):
                self.ours.remove(node)

    def _verdicts(self) -> dict[str, str]:
        answers = self.world.ask(self.nodes, "keepalived.status", WORK_SECONDS)
        told: Any = facts.gather({self.journal.cluster: self.members}, answers, self.world.now())
        return {
            str(one["instance"]): f"{one['verdict']}: {one['reason']}"
            for each in told["clusters"]
            for one in each["instances"]
        }

    def report(self, result: str, retcode: int, message: str, **more: Any) -> dict[str, Any]:
        """What the verb returns; docs/audit.md has the schema."""
        plain = super().report(result, retcode, message, **more)
        return {**plain, "kind": "failover_test", "schema": SCHEMA}
