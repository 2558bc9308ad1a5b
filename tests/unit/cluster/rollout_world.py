"""A cluster that exists in memory only, and a master that may die at any moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rollout_samples import NOW, row, status

from keepalived_core.cluster.facts import Answer, Member


class Died(BaseException):
    """The master is gone: nothing catches it."""


class Node:
    """One node: the file that stands there, the one that runs, and what is pending."""

    def __init__(self, name: str, master: bool, kind: str) -> None:
        self.name, self.kind = name, kind
        self.state = "MASTER" if master else "BACKUP"
        self.live = self.running = "old"
        self.want = "new"
        self.waiting: dict | None = None
        self.is_drained = False
        self.reloads = 0
        self.broken = ""
        #: What state.apply keepalived.ready returns.
        self.readiness: dict | list = {"a state": {"result": True, "comment": ""}}

    def call(self, fun: str, world: World, **kwarg: Any) -> Any:
        if self.broken and fun in self.broken.split():
            return f"ERROR: {fun} is broken"
        name = "state_apply" if fun == "state.apply" else fun.partition(".")[2]
        return getattr(self, name)(world, **kwarg)

    def state_apply(self, _world: World, mods: str, test: bool) -> dict | list:
        assert mods == "keepalived.ready"
        return self.readiness

    def status(self, _world: World) -> dict:
        drain = {"drained": self.is_drained, "missing": []}
        return status(row(self.state), time=None, drain=drain)

    def plan(self, _world: World) -> dict:
        if self.waiting is None and self.live == self.want:
            return {"action": "nothing", "change": None, "live": self.live, "new": self.want}
        action = "finish" if self.waiting else "change"
        reasons = [{"kind": self.kind, "instance": "VI", "text": "is changed"}]
        change = {"kind": self.kind, "reasons": reasons}
        return {"action": action, "change": change, "live": self.live, "new": self.want}

    def apply(
        self,
        _world: World,
        allow_disruptive: bool,
        expect: str,
        expect_new: str,
        reload: str = "now",
    ) -> dict | str:
        if expect != self.live:
            return "ERROR: was changed meanwhile"
        if expect_new != self.want:
            return "ERROR: the pillar was changed meanwhile"
        self.live = self.want
        if reload == "no":
            self.waiting = {"phase": "prepared", "new": self.live}
        else:
            self._reload()
        return {"backup": "old", "did": "did it"}

    def commit(self, _world: World, at: int) -> dict | str:
        if self.waiting is None:
            return "ERROR: nothing is prepared"
        self._reload()
        return {"did": "reloaded", "reload": True}

    def put_back(self, _world: World, sum: list[str]) -> dict:
        assert "old" in sum
        self.live = "old"
        if self.running != "old":
            self._reload()
        self.waiting = None
        return {"did": "back"}

    def pending(self, _world: World) -> dict | None:
        return self.waiting

    def _reload(self) -> None:
        self.running, self.waiting = self.live, None
        self.reloads += 1

    def refresh_pillar(self, _world: World, wait: bool) -> bool:
        assert wait
        return True

    def live_sum(self, _world: World) -> str:
        return self.live

    def waits_for(self, world: World) -> int | None:
        return world.at

    def call_off(self, world: World, at: int) -> bool:
        world.called_off = True
        return True

    def planned(self, _world: World, seconds: float, reason: str) -> None:
        return None

    def drain(self, world: World, reason: str, peers_healthy: dict) -> dict:
        assert peers_healthy == {"VI": True}
        self.is_drained = True
        world.elect()
        return {"drained": True}

    def undrain(self, world: World) -> dict:
        self.is_drained = False
        world.elect()
        return {"drained": False}


class World:
    """Three nodes, n3 the master; *dies_at*: before, or (half a step) after that many asks."""

    def __init__(self, kind: str = "safe", dies_at: float | None = None) -> None:
        self.nodes = {name: Node(name, name == "n3", kind) for name in ("n1", "n2", "n3")}
        self.members = [Member(name, ("VI",)) for name in self.nodes]
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.said: list[str] = []
        self.at: int | None = None
        self.called_off = False
        self.dies_at = dies_at
        self.time = NOW

    def ask(
        self, nodes: Iterable[str], fun: str, timeout: float, **kwarg: Any
    ) -> dict[str, Answer]:
        wanted = tuple(sorted(nodes))
        count = len(self.asked)
        if self.dies_at == count:
            raise Died(fun)
        self.asked.append((fun, wanted))
        answers = {}
        for name in wanted:
            said = self.nodes[name].call(fun, self, **kwarg)
            if said != "SILENT":
                answers[name] = Answer(said, self.time)
        if self.dies_at == count + 0.5:
            raise Died(fun)
        self.time += 0.1
        return answers

    def aside(self, nodes: Iterable[str], fun: str, timeout: float, **kwarg: Any) -> Any:
        if fun != "keepalived.commit":
            return Done(self.ask(nodes, fun, timeout, **kwarg))
        self.at = kwarg["at"]
        return Later(self, tuple(nodes), fun, timeout, kwarg)

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds
        told = self.at is not None and not self.called_off
        if told and self.dies_at is None and self.time >= self.at:
            # The master that named this second is gone; the nodes keep it all the same.
            self.at = None
            for node in self.nodes.values():
                if node.waiting:
                    node._reload()

    def say(self, text: str) -> None:
        self.said.append(text)

    def elect(self) -> None:
        ready = [node for node in self.nodes.values() if not node.is_drained]
        for node in self.nodes.values():
            node.state = "BACKUP"
        max(ready, key=lambda node: node.name).state = "MASTER"

    def files(self) -> str:
        """What stands on the nodes, and what they run: one word when all agree."""
        return " ".join(sorted({each for n in self.nodes.values() for each in (n.live, n.running)}))


class Done:
    """What ``World.aside`` returns for a job that takes no time."""

    def __init__(self, answers: dict[str, Answer]) -> None:
        self.answers = answers

    def done(self) -> bool:
        return True

    def result(self) -> dict[str, Answer]:
        return self.answers


class Later:
    """What ``World.aside`` returns: the job is done when its second has come."""

    def __init__(self, world: World, nodes: tuple, fun: str, timeout: float, kwarg: dict) -> None:
        self.world, self.call = world, (nodes, fun, timeout)
        self.kwarg = kwarg

    def done(self) -> bool:
        return False

    def result(self) -> dict[str, Answer]:
        self.world.at = None
        if self.world.called_off:
            said = "ERROR: the common reload was called off"
            return {name: Answer(said, self.world.time) for name in self.call[0]}
        return self.world.ask(*self.call, **self.kwarg)
