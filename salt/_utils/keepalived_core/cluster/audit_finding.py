"""What an audit is made from, and what it says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .audit_codes import CODES
from .event import printable

_LONGEST = 400


@dataclass(frozen=True)
class Node:
    """What is known of one member.

    status, facts
        What ``keepalived.status`` and ``keepalived.audit_facts`` returned; a text is the error
        one raised, None is no answer.
    asked, answered
        When ``status`` was asked for and came back, seconds since the epoch, master's clock.
    pillar
        Its instances as its pillar describes them (``check.describe``), None when that is wrong.
    """

    name: str
    accepted: bool = True
    instances: tuple[str, ...] = ()
    status: Any = None
    asked: float = 0.0
    answered: float = 0.0
    facts: Any = None
    pillar: tuple[Mapping[str, Any], ...] | None = None

    def fact(self, name: str) -> Any:
        """One fact, None when it is not there."""
        return self.facts.get(name) if isinstance(self.facts, Mapping) else None

    def facts_of(self, name: str) -> Mapping[str, Any]:
        """A fact that is a mapping; an empty one when it is not there."""
        found = self.fact(name)
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True)
class Cluster:
    """One cluster.

    verdicts: the instances of ``facts.gather``; reach: findings of
    ``check.reach`` (``{"severity", "code", "message", "hint"}``); mistakes: ``{node: [what is
    wrong with its pillar]}``.
    """

    name: str
    nodes: tuple[Node, ...]
    verdicts: tuple[Mapping[str, Any], ...] = ()
    reach: tuple[Mapping[str, Any], ...] = ()
    mistakes: Mapping[str, Iterable[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong, or worth knowing.

    code: of ``audit_codes.CODES``; text: what was seen, in one sentence; seen: the same as values.
    """

    code: str
    text: str
    nodes: tuple[str, ...] = ()
    instance: str | None = None
    seen: Mapping[str, Any] = field(default_factory=dict)
    severity: str = ""
    cluster: str = ""

    def to_data(self) -> dict[str, Any]:
        """Plain data, with why it matters and what to do; what nodes said is made printable."""
        known = CODES[self.code]
        return {
            "code": self.code,
            "severity": self.severity or known.severity,
            "cluster": self.cluster,
            "instance": self.instance,
            "nodes": list(self.nodes),
            "text": printable(self.text)[:_LONGEST],
            "seen": dict(self.seen),
            "why": known.why,
            "do": _do(known.do, self.cluster, self.nodes),
        }


def _do(text: str, cluster: str, nodes: tuple[str, ...]) -> str:
    """The words CLUSTER and NODE as this finding fills them."""
    if len(nodes) == 1:
        text = text.replace("NODE", nodes[0])
    return text.replace("CLUSTER", cluster)


def names(nodes: Iterable[str]) -> str:
    """``n1``, ``n1 and n2``, ``n1, n2 and n3``."""
    found = list(nodes)
    return found[0] if len(found) == 1 else f"{', '.join(found[:-1])} and {found[-1]}"


def by_value(values: Mapping[str, Any]) -> str:
    """``101 on n1 and n2; 102 on n3``: who has which value."""
    groups: dict[str, list[str]] = {}
    for node, value in values.items():
        groups.setdefault(shown(value), []).append(node)
    return "; ".join(f"{value} on {names(nodes)}" for value, nodes in groups.items())


def shown(value: Any) -> str:
    """A value as people write it."""
    if isinstance(value, (list, tuple)):
        return ", ".join(map(shown, value)) or "none"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "none" if value is None else str(value)
