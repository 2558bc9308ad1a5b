"""Carries out every change of change_cases on a running cluster, and writes down what it cost.

One observer and one client look on all the time, so that nothing falls between two changes.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from change_cases import CASES, OWNERS, THIRD, VIPS, Case, data
from observer import Observer
from support import CONFIG, holders, set_pillar, wait_until

from lab.host import LabError
from lab.lab import Lab
from lab.probing import probing

#: Three adverts and the skew, and a little more: a second master shows by then (RFC 5798 6.1).
MASTER_DOWN = 4.5


@dataclass
class Row:
    """What one change did; ``begin`` in epoch seconds, ``lost`` and ``away`` by address."""

    name: str
    begin: float = 0.0
    kinds: dict[str, str] = field(default_factory=dict)
    how: str = ""
    failed: dict[str, Any] = field(default_factory=dict)
    pids_kept: bool = True
    moves: list[dict] = field(default_factory=list)
    shared: dict[str, float] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    away: dict[str, float] = field(default_factory=dict)


class Matrix:
    """``rows``: (name of the case, "there" or "back") -> :class:`Row`."""

    def __init__(self, lab: Lab, cluster: str = "controllers") -> None:
        self.lab, self.cluster = lab, cluster
        self.rows: dict[tuple[str, str], Row] = {}

    def run(self, cases: list[Case] = CASES) -> None:
        """All cases, each there and back, and the sums at the end."""
        addresses = (*VIPS, THIRD)
        with contextlib.ExitStack() as stack:
            self.kernel = stack.enter_context(Observer(self.lab.controllers, *addresses))
            probes = {
                address: stack.enter_context(probing(self.lab, address, tcp=80)) for address in VIPS
            }
            time.sleep(1)
            for case in cases:
                for way, wanted in (("there", case), ("back", None)):
                    name = case.name if way == "there" else f"{case.name}, taken back"
                    row = self.rows[case.name, way] = Row(name)
                    self._change(row, data(wanted))
                    print(f"{time.time() - row.begin:5.1f} s  {name}: {row.how}", flush=True)
            time.sleep(MASTER_DOWN)
        self._add_losses(probes)

    def _change(self, row: Row, pillar: dict[str, Any]) -> None:
        set_pillar(self.lab, pillar)
        self.lab.salt("controller*", "saltutil.refresh_pillar", wait=True)
        before, pids = self._holders(), self._pids()
        row.begin = time.time()
        try:
            self._carry_out(row)
            if row.how == "state":
                row.pids_kept = self._pids() == pids
            else:
                time.sleep(MASTER_DOWN)
            wait_until(self._settled, 30, "one holder for each address, and the right one")
        except (LabError, AssertionError, KeyError, TypeError) as err:
            # The others shall have their turn all the same.
            row.failed = {**row.failed, "test": repr(err)}
        row.moves = self.kernel.changes(since=row.begin)
        row.shared = {
            address: self.kernel.shared_seconds(who, address, since=row.begin)
            for address, who in before.items()
        }

    def _carry_out(self, row: Row) -> None:
        """By the state where it does so by itself, by the rollout where it refuses."""
        row.how = "state"
        answers = self.lab.salt(
            "controller*", "state.single", "keepalived.managed", name=CONFIG, timeout=120
        )
        states = {node: next(iter(answer.values())) for node, answer in answers.items()}
        row.kinds = {
            node: state["changes"].get("change", {}).get("kind", "nothing")
            for node, state in states.items()
        }
        row.failed = {n: s["comment"] for n, s in states.items() if s["result"] is False}
        if row.failed:
            # Nothing was written on a node that refused: the rollout does what is left.
            row.how = "rollout"
            plans = self.lab.salt("controller*", "keepalived.plan")
            for node, plan in plans.items():
                if plan["change"]:
                    row.kinds[node] = plan["change"]["kind"]
            done = self.lab.salt_run("keepalived.rollout", self.cluster, timeout=300)
            row.failed = {} if done.get("retcode") == 0 else {"rollout": done}

    def _settled(self) -> bool:
        """One holder for each address that the pillar in force asks for, and its own owner."""
        return all(holders(self.lab, address) == [OWNERS[address]] for address in self._wanted())

    def _wanted(self) -> Iterator[str]:
        text = self.lab.controllers[0].read_file(CONFIG)
        return (address for address in VIPS if f"{address}" in text and self._home(address))

    def _home(self, address: str) -> bool:
        """Whether the owner is where BASE puts it, as far as its priority says."""
        return "priority 90" not in self.lab.node(OWNERS[address]).read_file(CONFIG)

    def _holders(self) -> dict[str, set[str]]:
        return {address: set(holders(self.lab, address)) for address in (*VIPS, THIRD)}

    def _pids(self) -> list[str]:
        return [node.read_file("/run/keepalived.pid").strip() for node in self.lab.controllers]

    def _add_losses(self, probes: dict[str, dict]) -> None:
        rows = list(self.rows.values())
        ends = [row.begin for row in rows[1:]] + [float("inf")]
        for row, end in zip(rows, ends, strict=True):
            for address, result in probes.items():
                gaps = [
                    gap
                    for kind in (result, result["tcp"])
                    for gap in kind["gaps"]
                    if row.begin <= gap["start"] + gap["seconds"] and gap["start"] < end
                ]
                row.lost[address] = sum(gap["lost"] for gap in gaps)
                row.away[address] = max((gap["seconds"] for gap in gaps), default=0.0)

    def table(self) -> str:
        """Every row, for people."""
        lines = ["change | class | carried out by | lost of 220, 230 | away s | two holders s"]
        for row in self.rows.values():
            lost = ", ".join(str(row.lost.get(address, "?")) for address in VIPS)
            away = max(row.away.values(), default=0.0)
            shared = max(row.shared.values(), default=0.0)
            kinds = "/".join(sorted(set(row.kinds.values())))
            lines.append(f"{row.name} | {kinds} | {row.how} | {lost} | {away:.2f} | {shared:.3f}")
        return "\n".join(lines)
