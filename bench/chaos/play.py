"""Play a schedule on a lab and judge what was told of it."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bench.chaos import compare
from bench.chaos.faults import KINDS, VIP, Mend
from bench.chaos.schedule import Fault, Round
from bench.chaos.truth import Truth, now_us
from lab.host import LabError
from lab.lab import Lab

INSTANCE = "VI_PUBLIC"
#: After a round: until one node holds the address, and has for as long as an advert and a half.
SETTLE, CALM = 40.0, 1.5
HURRY = 3.0
#: After the last fault: the watch asks every 30 s where it hears no FIFO.
LAST = 90.0
#: The hub has so long to fetch what it missed.
DELIVER = 60.0


@dataclass
class Played:
    """One round that was played, from when until when."""

    round: Round
    begin: int
    end: int


@dataclass
class Outcome:
    """What a schedule came to.  ``i5``: sentences about statuses that differ from the kernel."""

    result: compare.Result
    played: list[Played]
    i5: list[str] = field(default_factory=list)
    ghosts: tuple[int, int] = (0, 0)
    nobody: tuple[float, float] = (0.0, 0.0)
    several: tuple[float, float] = (0.0, 0.0)
    bounds: dict[str, str] = field(default_factory=dict)
    unbounded: list[str] = field(default_factory=list)
    seconds: float = 0.0
    adverts: tuple[int, int] = (0, 0)
    hub: compare.Result | None = None

    @property
    def findings(self) -> list[compare.Finding]:
        """What is wrong in the journals and in the hub's timeline."""
        return self.result.findings + (self.hub.findings if self.hub else [])

    @property
    def bad(self) -> list[str]:
        """All that is wrong, one sentence each."""
        found = [f"{one.kind}: {one.node}: {one.text}" for one in self.findings]
        return found + self.i5 + self.unbounded


def play(
    lab: Lab, rounds: Iterable[Round], say: Callable[[str], None] = lambda text: None
) -> Outcome:
    """Play the rounds on a healthy lab, mend everything, compare.

    Raises LabError when the lab itself fails.
    """

    def work(truth: Truth) -> list[Played]:
        played = []
        for number, each in enumerate(rounds, 1):
            begin = now_us()
            say(f"{number}: " + "; ".join(map(str, each.faults)))
            _round(lab, truth, each)
            played.append(Played(each, begin, now_us()))
        return played

    return watched(lab, work)


def watched(lab: Lab, work: Callable[[Truth], Sequence[Played]]) -> Outcome:
    """Let *work* do to a healthy lab whatever it does, mend everything, compare.

    Raises LabError when the lab itself fails.
    """
    begun = time.monotonic()
    mark = _last_seqs(lab)
    with Truth(lab, VIP) as truth:
        played = work(truth)
        lab.heal()
        _units(lab)
        converged = _settled(truth, LAST)
        rows = _journals(lab, mark)
        outcome = judge(truth, rows, played)
        if not converged:
            outcome.i5.append(f"after all was mended the address is on {truth.holders()}")
        outcome.i5 += _statuses(lab, truth)
        outcome.hub = _hub(lab, rows)
        _look_at_bounds(lab, rows, outcome, time.monotonic() - begun)
    outcome.seconds = time.monotonic() - begun
    return outcome


def _round(lab: Lab, truth: Truth, each: Round) -> None:
    """Break, hold and mend; each fault in a thread of its own, for they overlap."""

    def one(fault: Fault, delay: float) -> None:
        time.sleep(delay)
        mend: Mend = lambda: None  # noqa: E731
        try:
            mend = KINDS[fault.kind].inject(lab, fault.node, random.Random(fault.seed))
            time.sleep(fault.hold)
        except LabError:
            # another fault of this round was there first: a machine that is off, say
            pass
        _try(mend)

    delays = [sum(fault.wait for fault in each.faults[: n + 1]) for n in range(len(each.faults))]
    with ThreadPoolExecutor(max_workers=len(each.faults)) as pool:
        for future in [
            pool.submit(one, fault, delay) for fault, delay in zip(each.faults, delays, strict=True)
        ]:
            future.result()
    _try(lab.heal)
    if each.hurry:
        time.sleep(HURRY)
    elif not _settled(truth, SETTLE):
        # a unit that systemd gave up, and the like
        _units(lab)
        _settled(truth, SETTLE)


def _try(mend: Mend) -> None:
    try:
        mend()
    except LabError:
        time.sleep(1)
        mend()


def _units(lab: Lab) -> None:
    for node in lab.controllers:
        units = ["keepalived", "haproxy", "salt-keepalived-watch", "salt-minion"]
        node.run(["systemctl", "reset-failed"], check=False)
        node.run(["systemctl", "start", *units], check=False)
    lab.master.run(["systemctl", "start", "salt-master"], check=False)


def _settled(truth: Truth, timeout: float) -> bool:
    """Wait for one holder that stays."""
    deadline = time.monotonic() + timeout
    since, last = time.monotonic(), truth.holders()
    while time.monotonic() < deadline:
        holders = truth.holders()
        if holders != last or len(holders) != 1:
            since, last = time.monotonic(), holders
        elif time.monotonic() - since >= CALM:
            return True
        time.sleep(0.1)
    return False


# -- what was told --


def _journals(lab: Lab, mark: dict[str, Any] | None) -> dict[str, list[dict[str, Any]]]:
    """{node: its rows since the mark, all types, in the order of its journal}."""
    deadline = time.monotonic() + 60
    names = {node.name for node in lab.controllers}
    while True:
        try:
            answers = lab.salt("controller*", "keepalived.journal", last=1_000_000, timeout=30)
        except LabError:
            answers = {}
        if set(answers) == names and all(isinstance(rows, list) for rows in answers.values()):
            break
        if time.monotonic() > deadline:
            raise LabError(f"no journal from every node: {sorted(answers)}")
        time.sleep(1)
    if mark is None:
        return answers
    return {
        name: [row for row in rows if (row["stream_id"], row["seq"]) not in mark[name]]
        for name, rows in answers.items()
    }


def _last_seqs(lab: Lab) -> dict[str, Any]:
    return {
        name: {(row["stream_id"], row["seq"]) for row in rows}
        for name, rows in _journals(lab, None).items()
    }


def _hub(lab: Lab, rows: dict[str, list[dict[str, Any]]]) -> compare.Result | None:
    """The hub's timeline beside the journals; None where no hub runs.

    It is given :data:`DELIVER` seconds to fetch what it missed.
    """
    deadline = time.monotonic() + DELIVER
    while True:
        answer = lab.salt_run("keepalived.timeline", last=1_000_000, source="hub")
        if not isinstance(answer, dict) or answer.get("source") != "hub":
            return None
        timeline = [{**row, "seconds": _delay(row)} for row in answer["rows"]]
        result = compare.delivered(rows, timeline)
        if not result.findings or time.monotonic() > deadline:
            return result
        time.sleep(2)


def _delay(row: dict[str, Any]) -> float:
    told, received = (
        datetime.fromisoformat(row[key].replace("Z", "+00:00")) for key in ("time", "received")
    )
    return (received - told).total_seconds()


def judge(truth: Truth, rows: dict[str, list[dict[str, Any]]], played: Sequence[Played]) -> Outcome:
    """Compare every node's timeline with its kernel, and the cluster's seconds."""
    total = compare.Result()
    told: dict[str, list[compare.Flip]] = {}
    true: dict[str, list[compare.Flip]] = {}
    for name in truth.nodes:
        mine = [row for row in rows[name] if row["instance"] == INSTANCE]
        true[name] = truth.flips(name)
        first = truth.held_at_first[name]
        total.add(compare.compare(name, true[name], mine, truth.blind(name), first))
        total.findings += compare.gaps(name, rows[name])
        told[name] = compare.told_flips(mine, first)
    outcome = Outcome(total, list(played))
    outcome.ghosts = _ghosts(truth, rows, total)
    end = now_us()
    blind = [window for name in truth.nodes for window in truth.blind(name)]
    of_truth = compare.unowned(true, truth.held_at_first, truth.begin, end, blind)
    of_told = compare.unowned(told, truth.held_at_first, truth.begin, end, blind)
    outcome.nobody, outcome.several = (of_truth[0], of_told[0]), (of_truth[1], of_told[1])
    if abs(of_truth[0] - of_told[0]) > max(0.2, of_truth[0] / 20):
        outcome.unbounded.append(
            f"I8: {of_truth[0]:.2f} s without an owner by the kernels, {of_told[0]:.2f} s as told"
        )
    outcome.adverts = _adverts(truth, rows, total)
    return outcome


def _ghosts(
    truth: Truth, rows: dict[str, list[dict[str, Any]]], result: compare.Result
) -> tuple[int, int]:
    """(ghosts that a dead keepalived left for long enough, how many of them were told)."""
    owed = told = 0
    for name in truth.nodes:
        ghosts = [row["monotonic_us"] for row in rows[name] if row["to"] == "ghost"]
        for begin, end in truth.dead(name):
            last = end or now_us()
            held = _held_within(truth, name, begin, last)
            blind = any(window.covers(begin) or window.covers(last) for window in truth.blind(name))
            if not held or last - begin < 2_000_000 or blind:
                continue
            owed += 1
            if any(begin - 1_000_000 <= at <= last + 1_000_000 for at in ghosts):
                told += 1
            else:
                text = (
                    f"keepalived was dead from {begin / 1e6:.1f} on, the address stayed: no ghost"
                )
                result.findings.append(compare.Finding("lost", name, begin, text))
    return owed, told


def _held_within(truth: Truth, name: str, begin: int, end: int) -> bool:
    """Whether the node had the address all that time."""
    held = truth.held_at_first[name]
    for flip in truth.flips(name):
        if flip.at <= begin + 200_000:
            held = flip.held
        elif flip.at < end:
            return False
    return held


def _adverts(
    truth: Truth, rows: dict[str, list[dict[str, Any]]], result: compare.Result
) -> tuple[int, int]:
    """(adverts on the wire, those of a node whose timeline then says that it is MASTER).

    A second witness: who sends adverts is MASTER, whatever its kernel's addresses are.
    """
    sources = {node.vip_address: name for name, node in truth.nodes.items()}
    seen = agreed = 0
    for at, source, _vrid, priority in truth.adverts:
        name = sources.get(source)
        if name is None or not priority:
            continue
        windows = truth.blind(name)
        if any(window.covers(at) for window in windows):
            continue
        seen += 1
        mine = (row for row in rows[name] if row["instance"] == INSTANCE)
        if compare.master_near(mine, at):
            agreed += 1
        else:
            text = f"it sends adverts at {at / 1e6:.3f}, its timeline has it not as MASTER"
            result.findings.append(compare.Finding("lost", name, at, text))
    return seen, agreed


# -- the rest --


def _statuses(lab: Lab, truth: Truth) -> list[str]:
    """I5: what ``keepalived.status`` says differs from the kernel, now that all is mended."""
    found: list[str] = []
    for _ in range(5):
        found = []
        answers = lab.salt("controller*", "keepalived.status", timeout=30)
        for name in truth.nodes:
            status = answers.get(name)
            if not isinstance(status, dict):
                found.append(f"status: {name} does not answer: {status!r}")
                continue
            (one,) = status["instances"] or [{}]
            told = (one.get("state") == "MASTER", one.get("vip_present"))
            if told != (truth.holds(name), truth.holds(name)):
                found.append(
                    f"status: {name} says {one.get('state')}, address {one.get('vip_present')}; "
                    f"its kernel: {truth.holds(name)}"
                )
        if not found:
            return []
        time.sleep(2)
    return found


def _look_at_bounds(
    lab: Lab, rows: dict[str, list[dict[str, Any]]], outcome: Outcome, seconds: float
) -> None:
    """I16: what the watch costs, and that storms are folded."""
    for name, mine in rows.items():
        lower = sum(row["to"] == "rx_lower" for row in mine)
        if lower > seconds / 60 + 20:
            outcome.unbounded.append(f"bounds: {name} told {lower} rx_lower in {seconds:.0f} s")
        node = lab.node(name)
        pid = node.run(["systemctl", "show", "-P", "MainPID", "salt-keepalived-watch"]).stdout
        text = node.run(["cat", f"/proc/{pid.strip()}/smaps_rollup"], check=False).stdout
        pss = next((line.split()[1] for line in text.splitlines() if line.startswith("Pss:")), "0")
        outcome.bounds[name] = f"{int(pss) / 1024:.0f} MB, {len(mine)} rows"
        if int(pss) > 100_000:
            outcome.unbounded.append(f"bounds: the watch of {name} takes {pss} kB")
