"""Carries out every change of change_cases on a running cluster, and writes down what it cost.

One observer and one client look on all the time, so that nothing falls between two changes.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from change_cases import CASES, OWNERS, THIRD, VIPS, Case, data
from observer import Observer
from support import CONFIG, VIP, holders, set_pillar, wait_one_holder, wait_until

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
    refused: dict[str, str] = field(default_factory=dict)
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
        """All cases, each there and back, then the same by hand; the sums at the end."""
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
                    self._change(row, data(wanted), back=way == "back")
                    print(f"{time.time() - row.begin:5.1f} s  {name}: {row.how}", flush=True)
            self._by_hand()
            time.sleep(MASTER_DOWN)
        self._add_losses(probes)

    def _change(self, row: Row, pillar: dict[str, Any], back: bool) -> None:
        set_pillar(self.lab, pillar)
        self.lab.salt("controller*", "saltutil.refresh_pillar", wait=True)
        before, pids = self._holders(), self._pids()
        row.begin = time.time()
        try:
            self._carry_out(row, back)
            if row.how == "state":
                row.pids_kept = self._pids() == pids
            elif row.how == "allowed":
                time.sleep(MASTER_DOWN)  # the rollout itself looks on for so long
            wait_until(self._settled, 30, "one holder for each address, and the right one")
        except (LabError, AssertionError, KeyError, TypeError) as err:
            # The others shall have their turn all the same.
            row.failed = {**row.failed, "test": repr(err)}
        row.moves = self.kernel.changes(since=row.begin)
        row.shared = {
            address: self.kernel.shared_seconds(who, address, since=row.begin)
            for address, who in before.items()
        }

    def _carry_out(self, row: Row, back: bool) -> None:
        """By the state where it does so by itself.  What it refuses: there by the rollout, and back
        by the state that is allowed to, on all nodes at once."""
        row.how = "state"
        states = self._state()
        row.kinds = {
            node: state["changes"].get("change", {}).get("kind", "nothing")
            for node, state in states.items()
        }
        row.failed = {n: s["comment"] for n, s in states.items() if s["result"] is False}
        if not row.failed:
            return
        row.refused = row.failed
        # Nothing was written on a node that refused.
        for node, plan in self.lab.salt("controller*", "keepalived.plan").items():
            if plan["change"]:
                row.kinds[node] = plan["change"]["kind"]
        if back:
            row.how = "allowed"
            states = self._state(allow_disruptive=True)
            row.failed = {n: s["comment"] for n, s in states.items() if s["result"] is False}
            return
        row.how = "rollout"
        done = self.lab.salt_run("keepalived.rollout", self.cluster, timeout=300)
        row.failed = {} if done.get("retcode") == 0 else {"rollout": done}

    def _state(self, **more: Any) -> dict[str, dict[str, Any]]:
        answers = self.lab.salt(
            "controller*", "state.single", "keepalived.managed", name=CONFIG, timeout=120, **more
        )
        return {node: next(iter(answer.values())) for node, answer in answers.items()}

    # -- what ours is measured against ------------------------------------------------------------

    def _by_hand(self) -> None:
        """A new VRID by an editor and SIGHUP on all nodes at once; keepalived's own stop."""
        kept = {node: node.read_file(CONFIG) for node in self.lab.controllers}
        for name, old, new in (("there", "52", "62"), ("back", "62", "52")):
            row = self._hand_row("the VRID, by hand", name)
            for node, text in kept.items():
                mine = text.replace("virtual_router_id 52", f"virtual_router_id {new}")
                node.write_file(CONFIG, mine, mode=0o640)
            with concurrent.futures.ThreadPoolExecutor() as pool:
                list(pool.map(lambda node: node.run(["pkill", "-HUP", "-o", "keepalived"]), kept))
            row.how = f"{old} -> {new}"
            time.sleep(MASTER_DOWN + 1)
            wait_one_holder(self.lab, OWNERS[VIP])
        self._hand_row("keepalived's own stop", "there").how = "systemctl stop"
        self.lab.node(OWNERS[VIP]).run(["systemctl", "stop", "keepalived"])
        time.sleep(MASTER_DOWN)
        self._hand_row("keepalived's own stop", "back").how = "systemctl start"
        self.lab.node(OWNERS[VIP]).run(["systemctl", "start", "keepalived"])
        wait_one_holder(self.lab, OWNERS[VIP])

    def _hand_row(self, name: str, way: str) -> Row:
        row = self.rows[name, way] = Row(f"{name}, {way}", begin=time.time())
        return row

    # -- what is seen -----------------------------------------------------------------------------

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
