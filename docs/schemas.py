"""Build docs/schemas.md: every shape of data that others may rely on, its version, and where it
is described.

The versions are read from the code, and a unit test finds a constant that no row names.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "schemas.md"
CORE = ROOT / "salt" / "_utils" / "keepalived_core"

_INTRO = """# Data that others may rely on

Every verb prints its data with `--out=json`; `schema` in them is the version of their shape. Within
a version keys are added, and never taken away, renamed or given another meaning; a reader that
skips what it does not know goes on working. What would break it gets the next number. Times are
RFC 3339 in UTC, spans are seconds, `retcode` is the exit status of the command.

Made from the code by `./run docs`; do not edit it here.
"""
_STATIC = """## The pillar

[pillar.schema.json](pillar.schema.json) is a JSON Schema (draft 2020-12) of the pillar, made from
the keyword table: an editor completes and checks with it ([keywords](keywords.md)). It knows what a
value may look like; whether a reference leads somewhere and a keyword is not newer than the
installed keepalived says only the bundle itself.
"""


@dataclass(frozen=True)
class Row:
    """One shape: what it is, ``kind`` in its data, where its version stands, where it is told."""

    what: str
    kind: str
    constant: str
    told: str


#: (heading, what is said below it, rows)
TABLES = (
    (
        "What verbs return",
        "`kind` in the data says which it is.",
        (
            Row("`salt-run keepalived.status`", "status", "cluster/facts.py", "status.md#json"),
            Row(
                "`salt-run keepalived.timeline`",
                "timeline",
                "cluster/timeline.py",
                "reactions.md#the-screens",
            ),
            Row(
                "`salt-run keepalived.hub_status`",
                "hub_status",
                "cluster/hub_view.py",
                "events.md#the-hub",
            ),
            Row(
                "`salt-run keepalived.incidents`, `explain`",
                "incidents, explain",
                "cluster/incident_view.py",
                "incidents.md#json",
            ),
            Row(
                "`salt-run keepalived.rollout`, `switchover`, `drain`, `undrain`, `upgrade`",
                "rollout",
                "cluster/conductor.py",
                "rollout.md#the-data",
            ),
            Row("`salt-run keepalived.audit`", "audit", "cluster/audit.py", "audit.md#as-data"),
            Row(
                "`salt-run keepalived.failover_test`",
                "failover_test",
                "cluster/failover_test.py",
                "audit.md#failover-test",
            ),
            Row(
                "`salt-run keepalived.reach`", "reach", "check/reach_report.py", "reach.md#as-data"
            ),
            Row(
                "`salt-run keepalived.topology`",
                "topology",
                "cluster/topology.py",
                "topology.md#json",
            ),
            Row(
                "`salt-run keepalived.live`, a line each",
                "transition, incident",
                "cluster/live.py",
                "topology.md#json-lines",
            ),
            Row(
                "`salt-run keepalived.silence`, `unsilence`, `silences`",
                "silences",
                "cluster/silence.py",
                "remediation.md#maintenance",
            ),
            Row(
                "`salt-run keepalived.alerts`, `alert_test`",
                "alerts, alert_test",
                "cluster/alert_view.py",
                "alerts.md#see-and-try-it",
            ),
            Row(
                "`salt-run keepalived.report`",
                "report",
                "cluster/report/sheet.py",
                "report.md#json",
            ),
            Row("`salt '*' keepalived.audit_facts`", "", "audit_facts.py", "audit.md#as-data"),
        ),
    ),
    (
        "Events",
        "What is on Salt's bus, and what a webhook gets.",
        (
            Row(
                "`salt/beacon/<minion>/keepalived/<instance>/<TO>`",
                "",
                "node/event.py",
                "events.md#what-a-node-sends",
            ),
            Row(
                "`keepalived/<cluster>/event/…`",
                "",
                "cluster/hub_session.py",
                "events.md#what-the-hub-fires",
            ),
            Row(
                "`keepalived/<cluster>/<kind>/<opened, updated or resolved>`",
                "",
                "cluster/incident_case.py",
                "incidents.md#on-the-bus",
            ),
        ),
    ),
    (
        "Files",
        "Only the bundle itself reads and writes these.",
        (
            Row("a node's spool", "", "node/spool_file.py", "events.md"),
            Row(
                "the trail, silences and actions, `react.db`",
                "",
                "cluster/ledger.py",
                "remediation.md#maintenance",
            ),
            Row(
                "the journal of a rollout",
                "",
                "cluster/journal.py",
                "rollout.md#when-it-stops-midway",
            ),
            Row("the events' secret", "", "cluster/secret.py", "keys.md#the-secrets-file"),
        ),
    ),
)
#: The reader's side of a shape above: which version it takes.
READERS = frozenset({"cluster/event.py", "cluster/audit_shape.py"})


def page() -> str:
    """The whole page."""
    parts = [_INTRO]
    for heading, text, rows in TABLES:
        parts += [f"## {heading}", "", text, ""]
        kinds = any(row.kind for row in rows)
        head = ["what", *["`kind`"] * kinds, "version", "described in"]
        parts += [_line(head), _line(["---"] * len(head))]
        for row in rows:
            kind = ", ".join(f"`{word}`" for word in row.kind.split(", ") if word)
            told = row.told.partition("#")[0]
            cells = [row.what, *[kind] * kinds, str(version(row.constant)), f"[{told}]({row.told})"]
            parts.append(_line(cells))
        parts.append("")
    return "\n".join([*parts, _STATIC])


def constants() -> set[str]:
    """The files of the library that have a version of a shape."""
    return {path.relative_to(CORE).as_posix() for path in CORE.rglob("*.py") if _versions(path)}


def version(file: str) -> int:
    """The version that stands in a file of the library."""
    (found,) = _versions(CORE / file)
    return found


def _versions(path: Path) -> list[int]:
    return [
        node.value.value
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in ("SCHEMA", "SCHEMA_VERSION")
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, int)
    ]


def _line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
