"""There and back: what is drained, what is refused, and what is left when it breaks off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from rollout_samples import row, status
from rollout_world import Died, Node, World

from keepalived_core.cluster import clock
from keepalived_core.cluster.audit_table import failover
from keepalived_core.cluster.conductor import DONE, PUT_BACK, UNCLEAR, Refused
from keepalived_core.cluster.failover_test import FailoverTest
from keepalived_core.cluster.journal import Journal
from keepalived_core.cluster.table import Painter

GAP = 0.25


class Member(Node):
    """A node that keeps a journal.

    sticky: nobody preempts; deaf_to: verbs that do nothing, though they say so.
    """

    sticky = False
    deaf_to = ""
    priority: int | None = None

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.rows: list[dict[str, Any]] = []
        self.missing: list[str] = []

    def status(self, _world: World) -> dict:
        drain = {"drained": self.is_drained, "missing": self.missing}
        number = self.priority or 100 + int(self.name[1])
        low = 1 if self.is_drained else number
        return status(
            row(self.state, base_priority=number, effective_priority=low), time=None, drain=drain
        )

    def drain(self, world: World, reason: str, peers_healthy: dict) -> dict:
        if "drain" in self.deaf_to.split():
            return {"drained": True}
        return super().drain(world, reason, peers_healthy)

    def note(self, at: float, before: str, present: bool) -> None:
        self.rows.append(
            {
                "seq": len(self.rows) + 1,
                "stream_id": "s",
                "time": clock.render(at),
                "from": before,
                "vips": ["10.0.0.1/24"],
                "vip_present": present,
            }
        )

    def journal(self, _world: World, last: int, since: str) -> list:
        return [each for each in self.rows if each["time"] >= since]


class Site(World):
    """Three such nodes; an address that moves is on no node for a quarter of a second."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.nodes = {name: Member(name, name == "n3", "safe") for name in ("n1", "n2", "n3")}

    def elect(self) -> None:
        holder = next(node for node in self.nodes.values() if node.state == "MASTER")
        ready = [node for node in self.nodes.values() if not node.is_drained]
        best = max(ready, key=lambda node: (node.priority or 0, node.name))
        if holder is best or (holder.sticky and not holder.is_drained):
            return
        holder.state, best.state = "BACKUP", "MASTER"
        holder.note(self.time, "MASTER", False)
        self.time += GAP
        best.note(self.time, "BACKUP", True)


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def run(site: Site, tmp_path: Path) -> FailoverTest:
    return FailoverTest(site.members, Journal(tmp_path, "controllers"), site)


def moves(done: dict) -> list[tuple]:
    return [(each["step"], each["from"], each["to"], each["gap"]) for each in done["steps"]]


def drained(site: Site) -> list[str]:
    return [name for name, node in site.nodes.items() if node.is_drained]


def master(site: Site) -> list[str]:
    return [name for name, node in site.nodes.items() if node.state == "MASTER"]


def test_there_and_back_with_the_gaps_that_the_journals_say(site: Site, run: FailoverTest) -> None:
    done = run.start()

    assert (done["result"], done["retcode"]) == ("done", DONE), done["message"]
    assert moves(done) == [("there", "n3", "n2", GAP), ("back", "n2", "n3", GAP)]
    assert done["steps"][0]["verdict"].startswith("degraded: n2 holds the address; n3 is drained")
    assert done["steps"][1]["verdict"] == "ok: n3 holds the address, 2 ready to take over"
    assert (drained(site), master(site)) == ([], ["n3"])


def test_the_screen_has_a_line_for_each_step(run: FailoverTest) -> None:
    lines = failover(run.start(), Painter(False))

    assert lines[0].startswith("controllers  failover test: DONE")
    assert lines[1] == "there and back, every address is home; the longest gap was 0.250 s"
    assert lines[3].split() == ["step", "instance", "from", "to", "gap", "verdict", "after"]
    assert lines[4].split()[:7] == ["there", "VI", "n3", "n2", "0.250", "s", "degraded:"]


def test_in_test_mode_nothing_is_drained(site: Site, run: FailoverTest) -> None:
    done = run.start(test=True)

    assert (done["result"], done["retcode"]) == ("would", DONE)
    assert [(each["step"], each["from"], each["to"]) for each in done["steps"]] == [
        ("there", "n3", None),
        ("back", None, "n3"),
    ]
    assert {fun for fun, _ in site.asked} == {"keepalived.status", "keepalived.pending"}
    assert "would be drained and undrained: n3" in "\n".join(failover(done, Painter(False)))


def test_without_back_it_stays_and_the_way_back_is_said(site: Site, run: FailoverTest) -> None:
    done = run.start(back=False)

    assert (done["retcode"], done["message"]) == (DONE, "VI is on n2")
    assert done["back"] == ["salt-run keepalived.undrain n3"]
    assert (drained(site), master(site)) == (["n3"], ["n2"])


def test_an_address_that_nobody_gives_back_is_fetched(site: Site, run: FailoverTest) -> None:
    for node in site.nodes.values():
        node.sticky = True

    done = run.start()

    assert done["retcode"] == DONE, done["message"]
    assert moves(done) == [
        ("there", "n3", "n2", GAP),
        ("back", "n2", "n2", None),
        ("fetch", "n2", "n3", GAP),
    ]
    assert (drained(site), master(site)) == ([], ["n3"])


def faulty(node: Node) -> None:
    node.state = "FAULT"


def second_master(node: Node) -> None:
    node.state = "MASTER"


def drained_already(node: Node) -> None:
    node.is_drained = True


def silent(node: Node) -> None:
    node.call = lambda *args, **kwargs: "SILENT"  # type: ignore[method-assign]


def untracked(node: Member) -> None:
    node.missing = ["there is no track_file"]


# what is wrong with which nodes -> what the refusal says
REFUSALS = {
    "a node is in FAULT": (faulty, ["n1"], "n1: VI is FAULT"),
    "two masters": (second_master, ["n1"], "n1 and n3 claims MASTER"),
    "no master": (faulty, ["n3"], "no node claims MASTER"),
    "a node is silent": (silent, ["n1"], "n1: it does not answer"),
    "all peers are drained": (drained_already, ["n1", "n2"], "no healthy node would take VI from"),
    "the holder is drained": (drained_already, ["n3"], "n3 holds addresses and is drained"),
    "the holder cannot be drained": (
        untracked,
        ["n3"],
        "cannot be drained: there is no track_file",
    ),
}


@pytest.mark.parametrize(("make", "nodes", "words"), REFUSALS.values(), ids=REFUSALS)
def test_what_is_unsafe_is_refused_and_nothing_touched(
    make: Any, nodes: list[str], words: str, site: Site, run: FailoverTest
) -> None:
    for name in nodes:
        make(site.nodes[name])

    with pytest.raises(Refused, match=words):
        run.start()

    assert not {"keepalived.drain", "keepalived.undrain"} & {fun for fun, _ in site.asked}


def test_a_drain_that_fails_is_undone_and_the_state_told(site: Site, run: FailoverTest) -> None:
    site.nodes["n3"].broken = "keepalived.drain"

    done = run.start()

    assert (done["result"], done["retcode"]) == ("failed", PUT_BACK)
    assert "keepalived.drain: ERROR: keepalived.drain is broken" in done["message"]
    assert "now VI is ok: n3 holds the address" in done["message"]
    assert (drained(site), master(site)) == ([], ["n3"])


def test_an_address_that_does_not_move_is_a_failure(site: Site, run: FailoverTest) -> None:
    site.nodes["n3"].deaf_to = "drain"

    done = run.start()

    assert (done["result"], done["retcode"]) == ("failed", PUT_BACK)
    assert done["message"].startswith("VI did not move")


def test_a_node_that_cannot_be_undrained_is_named(site: Site, run: FailoverTest) -> None:
    site.nodes["n3"].broken = "keepalived.undrain"

    done = run.start()

    assert (done["result"], done["retcode"]) == ("failed", UNCLEAR)
    assert "n3 may still be drained" in done["message"]
    assert done["back"] == ["salt-run keepalived.undrain n3"]


def test_who_breaks_it_off_leaves_nothing_drained(tmp_path: Path) -> None:
    whole = Site()
    FailoverTest(whole.members, Journal(tmp_path / "whole", "c"), whole).start()
    begin = [fun for fun, _ in whole.asked].index("keepalived.drain")
    left = {}
    for step in range(begin, len(whole.asked)):
        site = Interrupted(step)
        with pytest.raises(KeyboardInterrupt):
            FailoverTest(site.members, Journal(tmp_path / str(step), "c"), site).start()
        left[step] = drained(site)
    assert len(left) > 5
    assert {step: names for step, names in left.items() if names} == {}


class Interrupted(Site):
    """Somebody presses Ctrl-C when that question was answered; later ones are answered."""

    def __init__(self, step: int) -> None:
        super().__init__(dies_at=step + 0.5)

    def ask(self, nodes: Any, fun: str, timeout: float, **kwarg: Any) -> dict:
        try:
            return super().ask(nodes, fun, timeout, **kwarg)
        except Died:
            raise KeyboardInterrupt from None


def test_two_nodes_that_hold_addresses_cannot_both_give_them_away_for_good(
    tmp_path: Path,
) -> None:
    site = Site()
    for node, mine in {"n1": "", "n2": "A", "n3": "B"}.items():
        found = status(
            *(
                row("MASTER" if name == mine else "BACKUP", name=name, addresses=[address])
                for name, address in {"A": "10.0.0.1/24", "B": "10.0.0.2/24"}.items()
            ),
            time=None,
        )
        site.nodes[node].status = lambda _world, found=found: found  # type: ignore[assignment]
    run = FailoverTest(site.members, Journal(tmp_path, "c"), site)

    with pytest.raises(Refused, match="n2 and n3 hold addresses: with back=False only one"):
        run.start(back=False)
