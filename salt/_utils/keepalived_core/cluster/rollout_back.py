"""The way back of a rollout: each node its old file, and no node left drained by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import rollout
from .conductor import MARK_SECONDS, WORK_SECONDS, Conductor, Failed, mapping, said
from .journal import JournalError
from .picture import can_drain, masters_on, picture

#: The phases of a node.  Until ``prepared`` no daemon was told anything.
UNTOUCHED, BEGUN, PREPARED, RELOADING, CHANGED, BACK = (
    "untouched",
    "begun",
    "prepared",
    "reloading",
    "changed",
    "put back",
)
REASON = "a rollout changes the configuration"
_UNDONE = "a rollout is undone"
#: A node in these phases is not asked when all is put back.
_CLEAN = frozenset({UNTOUCHED, BACK})


class WayBack(Conductor):
    """What of a rollout is needed to undo it; ``state`` is what its journal holds."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.state: dict[str, Any] = {}
        self.after: dict[str, Any] = {}
        #: Things are put back: from here on the journal is kept where that can be done.
        self.goes_back = False
        #: What this run has undrained when it put things back.
        self.undrained: set[str] = set()

    def _put_back(self) -> list[str]:
        """Restore the file of every node that may have been touched; what could not be done."""
        self.goes_back = True
        self.mark(MARK_SECONDS, _UNDONE)
        problems = []
        touched = [node for node, it in self.state["nodes"].items() if it["phase"] not in _CLEAN]
        sums = self.world.ask(touched, "keepalived.live_sum", WORK_SECONDS)
        pending = self.world.ask(touched, "keepalived.pending", WORK_SECONDS)
        back = []
        for node in touched:
            entry = self.state["nodes"][node]
            answer = sums.get(node)
            if answer is None:
                problems.append(f"{node} does not answer: whether it was changed is not known")
                continue
            waiting = pending[node].said if node in pending else None
            if answer.said == entry["live"] and not isinstance(waiting, Mapping):
                self._phase(node, BACK, "was as before")
            elif answer.said in (entry["live"], entry["new"], *entry.get("sums", ())):
                back.append(node)
            else:
                problems.append(f"{node} has a file that is neither the old nor the new one")
        if self.state["mode"] == rollout.TOGETHER:
            problems += self._put_back_together(back)
        else:
            self._undrain_again([each for each in self._drained_by_us() if each not in back])
            for node in self._backwards(back):
                problems += self._put_back_one(node)
        # Those that could not be undrained before are asked once more.
        problems += self._undrain_again(self._drained_by_us())
        self.after, worse = self.settle(self.state["before"])
        return problems + worse

    def _put_back_together(self, nodes: Sequence[str]) -> list[str]:
        """One job for all: they reload in the same moment, as a cluster change needs it."""
        if not nodes:
            return []
        self.world.say(f"putting back {', '.join(nodes)}")
        # Each finds its own by the sum, whatever else was changed there since.
        sums = [self.state["nodes"][node]["live"] for node in nodes]
        given = {"sum": sums} if all(sums) else {}
        answers = self.world.ask(nodes, "keepalived.put_back", WORK_SECONDS, **given)
        problems = []
        for node in nodes:
            try:
                did = mapping(node, "keepalived.put_back", said(answers, node))
                self._phase(node, BACK, str(did.get("did") or ""))
            except Failed as failed:
                problems.append(f"{node} was not put back: {failed}")
        return problems

    def _put_back_one(self, node: str) -> list[str]:
        """One node, as it was changed: drained where keepalived restarts under an address, and
        waited for until the cluster is not worse than before it."""
        self.mark(MARK_SECONDS, _UNDONE)
        statuses = self.statuses()
        status = statuses.get(node)
        if self.state["nodes"][node].get("restarts") and masters_on(status) and can_drain(status):
            # Noted first: whatever dies now, the next run undrains it.
            self.state.setdefault("drained_back", []).append(node)
            self._note()
            self.undrained.discard(node)
            self.world.say(f"drain {node}: it holds an address and keepalived must restart")
            try:
                self.drain_away(node, REASON, picture(statuses))
            except Failed as failed:
                # The old file has to come back all the same.
                self.world.say(f"{node} could not be drained: {failed}")
        problems = self._put_back_together([node])
        # An address that only the new file has is gone now.
        self.settle(picture(statuses), removed=[""])
        self._undrain_again([each for each in self._drained_by_us() if each == node])
        return problems

    def _backwards(self, nodes: Sequence[str]) -> list[str]:
        """Those that were changed last first."""
        steps = [step for step in self.state["steps"] if step["do"] == "apply"]
        order = [node for step in steps for node in step["nodes"]]
        return sorted(nodes, key=lambda node: -order.index(node) if node in order else 1)

    def _undrain_again(self, nodes: Sequence[str]) -> list[str]:
        """Undrain those that this run has not undrained yet; what could not be done."""
        problems = []
        for node in nodes:
            if node in self.undrained:
                continue
            try:
                self._undrain([node])
                self.undrained.add(node)
            except Failed as failed:
                problems.append(str(failed))
        return problems

    def _drained_by_us(self) -> list[str]:
        """Nodes that a step drained, or may have, and none undrained."""
        drained: dict[str, None] = {}
        left = self.state.get("left_drained", ())
        for step in self.state["steps"]:
            if step["do"] == "drain" and step["state"] != "todo":
                drained.update(dict.fromkeys(node for node in step["nodes"] if node not in left))
            if step["do"] == "undrain" and step["state"] == "done":
                for node in step["nodes"]:
                    drained.pop(node, None)
        drained.update(dict.fromkeys(self.state.get("drained_back", ())))
        return list(drained)

    def _undrain(self, nodes: Sequence[str]) -> None:
        (node,) = nodes
        if node in self.state.get("left_drained", ()) and node not in self._drained_by_us():
            return
        self.do(node, "keepalived.undrain")

    def _phase(self, node: str, phase: str, did: str | None = None) -> dict[str, Any]:
        entry: dict[str, Any] = self.state["nodes"][node]
        entry["phase"] = phase
        if did is not None:
            entry["did"] = did
        self._note()
        return entry

    def _note(self) -> None:
        try:
            self.journal.write(self.state)
        except JournalError:
            # What stands on the nodes tells the next run what is left to put back.
            if not self.goes_back:
                raise
