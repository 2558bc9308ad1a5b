"""A fresh look at clusters: what the nodes say, who answers on the wire, and a second look at
what is critical.

One job asks all nodes for their status, a second one those that can say who answers.  In the moment
of a failover two nodes can seem to hold an address, or none: what is critical is looked at once
more, an advert later, and what was true only for that moment is not shown.  The second look also
tells which node has received adverts in the meantime.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from . import answerer, facts, verdict
from .answers import Answer
from .facts import Evidence, Member

#: Seconds for one verb on a node that is up; a dead one costs them all.
WORK_SECONDS = 5
#: The second look comes so many advert intervals after the first, in seconds at least and at most:
#: one must have come in meanwhile.
ADVERTS, SHORTEST, LONGEST = 1.3, 1.0, 4.0

Macs = Callable[[Iterable[str]], Mapping[str, Iterable[str]]]


class World(Protocol):
    """What a look needs of the master."""

    def ask(
        self, nodes: Iterable[str], fun: str, timeout: int, **kwarg: Any
    ) -> Mapping[str, Answer]: ...

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...

    def hub(self) -> Mapping[str, Any] | None:
        """What ``status_hub.read`` returns now; None without a hub."""
        ...

    def last_macs(self, nodes: Iterable[str]) -> Mapping[str, Iterable[str]]:
        """The hardware addresses that nodes had when they last told."""
        ...


def look(world: World, clusters: Mapping[str, Sequence[Member]]) -> dict[str, Any]:
    """What is true now; docs/status.md describes what is returned.

    clusters
        As ``members`` returns them.
    """
    nodes = {each.node for found in clusters.values() for each in found if each.accepted}
    answers = dict(world.ask(nodes, "keepalived.status", WORK_SECONDS))
    macs = world.last_macs(nodes - answers.keys())
    evidence = Evidence(_replies(world, clusters, answers), macs, None, world.hub())
    data = facts.gather(clusters, answers, world.now(), evidence)
    critical = [each["cluster"] for each in data["clusters"] if is_critical(each["verdict"])]
    if not critical:
        return data
    again = {name: clusters[name] for name in critical}
    members = {each.node for found in again.values() for each in found} & answers.keys()
    if not members:
        return data
    first = {node: answers[node] for node in members}
    since = max(answer.at for answer in first.values())
    world.sleep(max(0.0, since + _advert(again, first, world.now()) - world.now()))
    answers.update(world.ask(members, "keepalived.status", WORK_SECONDS))
    replies = {**(evidence.replies or {}), **_replies(world, again, answers)}
    evidence = Evidence(replies, macs, first, world.hub())
    return facts.gather(clusters, answers, world.now(), evidence)


def is_critical(word: str) -> bool:
    """Whether that verdict is worth a second look."""
    return verdict.VERDICTS[word] == 2


def _replies(
    world: World, clusters: Mapping[str, Sequence[Member]], answers: Mapping[str, Answer]
) -> dict[str, Answer]:
    now = world.now()
    asked = answerer.plan(facts.by_instance(found, answers, now) for found in clusters.values())
    if not asked:
        return {}
    return dict(world.ask(asked, "keepalived.answers", WORK_SECONDS, addresses=asked))


def _advert(
    clusters: Mapping[str, Sequence[Member]], answers: Mapping[str, Answer], now: float
) -> float:
    """Seconds after which each node has heard an advert of each other one."""
    found = [
        row.get("advert_int") or 1.0
        for members in clusters.values()
        for rows in facts.by_instance(members, answers, now).values()
        for row in rows
    ]
    return min(LONGEST, max(SHORTEST, ADVERTS * max(found, default=1.0)))
