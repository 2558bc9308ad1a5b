"""A cluster that exists in memory only, with a policy at work on it, for random histories.

What is true is in :class:`Host`; what a node says may differ from it (``lies``), or be nothing.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from keepalived_core.cluster import clock
from keepalived_core.cluster.answers import Answer
from keepalived_core.cluster.deeds import Deed, Silence
from keepalived_core.cluster.policy import Action, Facts
from keepalived_core.cluster.policy_run import Remedy, Result
from keepalived_core.policy_pillar import ACTIONS, Policy, Rule

VIP = "VI"
EPOCH = 1_800_000_000.0
#: Verbs that change something.
EFFECTS = frozenset(
    {
        "service.restart",
        "keepalived.drain",
        "keepalived.undrain",
        "keepalived.announce",
        "state.apply",
    }
)


class Killed(BaseException):
    """The master is gone: nothing catches it."""


@dataclass
class Host:
    """One node, as it is."""

    name: str
    priority: int
    keepalived: bool = True
    haproxy: bool = True
    #: Whether a restart mends its haproxy.
    mendable: bool = True
    #: Its keepalived was killed and left the address.
    ghost: bool = False
    #: Somebody took the address from it.
    robbed: bool = False
    drained: str = ""
    #: Whether it hears the others and they hear it.
    alone: bool = False
    silent: bool = False
    lies: Mapping[str, Any] | None = None
    master: bool = False

    @property
    def able(self) -> bool:
        return self.keepalived and self.haproxy and self.drained != "fault"

    @property
    def rank(self) -> int:
        return 1 if self.drained == "weight" else self.priority

    @property
    def holds(self) -> bool:
        return self.ghost or (self.master and not self.robbed)

    @property
    def serves(self) -> bool:
        """A healthy owner: who sends it a packet gets an answer."""
        return self.master and self.haproxy and not self.robbed

    def status(self) -> Any:
        if self.lies is not None and "answer" in self.lies:
            return self.lies["answer"]
        state = "MASTER" if self.master else "BACKUP" if self.able else "FAULT"
        true = {
            "state": state if self.keepalived else "STOP",
            "vip_present": self.holds,
            "effective_priority": self.rank,
            "running": self.keepalived,
            "drained": bool(self.drained),
        }
        said = {**true, **(self.lies or {})}
        return {
            "keepalived": {"running": said["running"]},
            "drain": {"drained": said["drained"], "missing": [], "reason": "policy i1: x"},
            "instances": [
                {
                    "instance": VIP,
                    "state": said["state"],
                    "base_priority": self.priority,
                    "effective_priority": said["effective_priority"],
                    "vips": [{"address": "10.0.0.1/24", "present": said["vip_present"]}],
                    "vip_present": said["vip_present"],
                }
            ],
        }


@dataclass
class Book:
    """A ledger in memory, which a killed master cannot write to any more."""

    world: Cluster
    deeds: dict[str, Deed] = field(default_factory=dict)

    def all(self) -> list[Deed]:
        return list(self.deeds.values())

    def start(self, action: Action, now: float) -> None:
        assert action.key not in self.deeds
        deed = Deed(action.key, "c", action.minion, action.told, now, now + 600)
        self.deeds[action.key] = deed

    @contextmanager
    def deciding_about(self, cluster: str) -> Iterator[Book]:
        assert cluster == "c"
        yield self

    def finish_deed(self, key: str, now: float) -> None:
        if not self.world.killed:
            self.deeds[key] = Deed(**{**vars(self.deeds[key]), "ended": now})


class Cluster:
    """Some hosts, one address, one master of Salt, and the time."""

    def __init__(self, dice: random.Random, policy: Policy, nodes: int = 3) -> None:
        self.dice = dice
        self.policy = policy
        self.hosts = {f"n{i}": Host(f"n{i}", 100 + i) for i in range(1, nodes + 1)}
        self.at = EPOCH
        self.book = Book(self)
        self.silence: Silence | None = None
        self.killed = False
        #: Salt calls until the master is killed; None: it lives.
        self.fuse: int | None = None
        self.effects: list[tuple[str, str, float]] = []
        self.escalations: list[str] = []
        self.trail: list[tuple[str, str]] = []
        self.marked = False
        self.incident: dict[str, Any] = {}
        self.settle()

    # -- what is true --

    def settle(self) -> None:
        """Let keepalived elect, which takes seconds."""
        able = [host for host in self.hosts.values() if host.able]
        together = [host for host in able if not host.alone]
        best = max(together, key=lambda host: host.rank, default=None)
        for host in self.hosts.values():
            was = host.master
            host.master = host in able and (host is best or host.alone)
            if not host.master or not was:
                host.robbed = False
            if host.keepalived:
                host.ghost = False

    @property
    def served(self) -> bool:
        return any(host.serves for host in self.hosts.values())

    def break_something(self) -> None:
        """One fault, or one repair, of whatever kind."""
        host = self.dice.choice(list(self.hosts.values()))
        what = self.dice.choice(
            [
                "haproxy",
                "all haproxies",
                "kill",
                "cut",
                "heal",
                "rob",
                "silent",
                "drain",
                "heal all",
            ]
        )
        if what == "haproxy":
            host.haproxy, host.mendable = False, self.dice.random() < 0.7
        elif what == "all haproxies":
            for each in self.hosts.values():
                each.haproxy, each.mendable = False, self.dice.random() < 0.5
        elif what == "kill":
            host.ghost, host.keepalived = host.holds, False
        elif what == "cut":
            host.alone = True
        elif what == "rob":
            host.robbed = host.master
        elif what == "silent":
            host.silent = not host.silent
        elif what == "drain":
            host.drained = "fault" if not host.drained else ""
        for each in self.hosts.values() if what == "heal all" else [host] if what == "heal" else []:
            each.keepalived = each.haproxy = True
            each.alone = each.silent = False
            each.drained = ""
        self.settle()

    # -- the policy's world --

    def ask(
        self, nodes: Iterable[str], fun: str, timeout: float, **kwarg: Any
    ) -> dict[str, Answer]:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                self.killed = True
                raise Killed
        found = {}
        for node in nodes:
            host = self.hosts[node]
            if fun in EFFECTS:
                self.effects.append((self.key, fun, self.at))
            if host.silent and self.dice.random() < 0.5:
                continue  # the job was carried out or not: nobody knows
            said = getattr(self, f"_{fun.replace('.', '_')}")(host, **kwarg)
            if not host.silent:
                found[node] = Answer(said, self.at)
        self.at += 0.2
        self.settle()
        return found

    @property
    def key(self) -> str:
        return f"{self.incident['id']}/{self.incident['kind']}"

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += seconds

    def record(self, what: str, data: Mapping[str, object]) -> None:
        self.trail.append((what, str(data["reason"])))

    def escalate(self, what: str, reason: str) -> None:
        self.escalations.append(f"{what}: {reason}")

    def _keepalived_status(self, host: Host) -> Any:
        return host.status()

    def _keepalived_planned(self, host: Host, seconds: float, reason: str) -> Any:
        self.marked = bool(seconds)
        return {"until": self.at + seconds, "reason": reason}

    def _keepalived_drain(self, host: Host, mode: str, **_: Any) -> Any:
        assert self.marked
        host.drained = "fault" if mode == "fault" else "weight"
        return {"drained": True}

    def _keepalived_undrain(self, host: Host) -> Any:
        assert self.marked
        host.drained = ""
        return {"drained": False}

    def _keepalived_announce(self, host: Host) -> Any:
        return {"sent": [{"address": "10.0.0.1"}] if host.serves else []}

    def _service_restart(self, host: Host, name: str) -> Any:
        if name == "keepalived":
            assert self.marked
            # it lets go, and may have to wait for its turn
            host.keepalived, host.ghost, host.robbed = False, False, False
            self.settle()
            host.keepalived = True
            return True
        if not host.mendable:
            return f"Job for {name}.service failed"
        host.haproxy = True
        return True

    def _state_apply(self, host: Host, mods: str) -> Any:
        assert self.marked
        if self.dice.random() < 0.5:
            host.keepalived = host.haproxy = True
        return {"a_state": {"result": self.dice.random() < 0.8, "comment": mods}}

    # -- what happens --

    def open_incident(self, number: int) -> dict[str, Any]:
        """The hub tells of something, which may be true or not: a node's rows may lie."""
        kind = self.dice.choice(list(ACTIONS))
        nodes = self.dice.sample(list(self.hosts), self.dice.randint(0, len(self.hosts)))
        return {
            "id": f"i{number}",
            "cluster": "c",
            "kind": kind,
            "instance": VIP,
            "instances": [VIP],
            "nodes": nodes,
            "planned": self.marked or self.dice.random() < 0.1,
            "opened": clock.render(self.at),
        }

    def react(
        self, incident: dict[str, Any], state: str | None = "open", failing: int | None = 0
    ) -> Result | None:
        """The reactor gets an incident's event; None when the master was killed meanwhile."""
        self.incident = incident
        self.killed = False
        remedy = Remedy(incident, self.policy, list(self.hosts), self.book, self)
        try:
            return remedy.run(lambda said: Facts(said, state, failing, self.silence))
        except Killed:
            # the marks on the nodes run out by themselves
            self.marked = False
            return None
        finally:
            self.fuse = None


def any_policy(dice: random.Random, **limits: Any) -> Policy:
    """A policy that allows as much as one can write."""
    rules = {}
    for kind, actions in ACTIONS.items():
        action = dice.choice(actions[1:])
        service = "keepalived" if kind in ("ghost_vip", "hollow_master") else "haproxy"
        rules[kind] = Rule(action, service=service, sls="repair")
    return Policy(rules=rules, **limits)


def with_rule(policy: Policy, kind: str, rule: Rule) -> Policy:
    """The policy with another rule for one kind."""
    return replace(policy, rules={**policy.rules, kind: rule})


#: What a node may say that is not true.
LIES: list[dict[str, Any] | None] = [
    None,
    {"state": "MASTER", "vip_present": True},
    {"state": "MASTER", "vip_present": True, "effective_priority": 255},
    {"state": "MASTER", "vip_present": False},
    {"state": "BACKUP", "vip_present": False, "running": True},
    {"state": "BACKUP", "vip_present": True},
    {"state": "FAULT", "vip_present": False},
    {"drained": True},
    {"answer": "Traceback (most recent call last):\nOSError"},
    {"answer": {"instances": "x", "keepalived": None}},
    {"answer": {"keepalived": {"running": "yes"}, "instances": [None, 5]}},
    {"answer": ["MASTER"]},
]
