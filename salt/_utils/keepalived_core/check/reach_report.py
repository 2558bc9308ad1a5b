"""What reach reports: each virtual router, what failures do to it, and what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

SCHEMA = 1
# Kinds of failure and verdicts, as they stand in rows.
CHECK, DIES, ALL = "check", "dies", "all"
MOVES, STAYS, NOBODY, TIE, LATE = "moves", "stays", "nobody", "tie", "late"


@dataclass(frozen=True)
class Finding:
    """severity: error or warning; code: KR001 and on; message: with the
    numbers; hint: may be empty."""

    severity: str
    code: str
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Row:
    """One failure and what comes of it.

    kind: check (one tracked thing of the holder), dies (the holder), all (the thing on all
    nodes); track, name, value: what fails (value: of a track_file); holder: who had the address;
    priorities: the effective ones then, None in FAULT or when gone; owner: who has it then, None
    for nobody or undecided; tied: between whom; late: seconds of preempt_delay.
    """

    kind: str
    track: str
    name: str
    value: int | None
    holder: str | None
    priorities: Mapping[str, int | None]
    owner: str | None
    tied: tuple[str, ...]
    late: float
    verdict: str
    reason: str


@dataclass
class Instance:
    """One virtual router.  owner: who has it when all is well; tied: between whom that is not
    decided; holders: who would keep it, once they have it, when all is well."""

    name: str
    vrid: int | None
    family: int
    vips: tuple[str, ...]
    group: str
    priorities: Mapping[str, int | None]
    owner: str | None
    tied: tuple[str, ...]
    holders: tuple[str, ...]
    rows: list[Row] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


@dataclass
class Report:
    """nodes: in the order given; findings: those that concern no single instance."""

    nodes: tuple[str, ...]
    instances: list[Instance]
    findings: list[Finding] = field(default_factory=list)

    @property
    def all_findings(self) -> list[Finding]:
        """Those of the instances too."""
        return [*self.findings, *(one for each in self.instances for one in each.findings)]


def to_plain(report: Report) -> dict[str, Any]:
    """The report as data of JSON's types; docs/reach.md has the schema."""
    return {
        "schema": SCHEMA,
        "nodes": list(report.nodes),
        "findings": [vars(finding) for finding in report.findings],
        "instances": [
            {
                "instance": each.name,
                "vrid": each.vrid,
                "family": each.family,
                "vips": list(each.vips),
                "sync_group": each.group or None,
                "owner": each.owner,
                "tied": list(each.tied),
                "holders": list(each.holders),
                "priorities": dict(each.priorities),
                "rows": [
                    {**vars(row), "priorities": dict(row.priorities), "tied": list(row.tied)}
                    for row in each.rows
                ],
                "findings": [vars(finding) for finding in each.findings],
            }
            for each in report.instances
        ],
    }
