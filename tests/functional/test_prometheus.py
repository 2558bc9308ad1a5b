"""The real node_exporter and Prometheus read what the library writes for a simulated cluster.

One site goes through everything that can be wrong, a phase each; what is asked then are the alert
rules' own expressions and the dashboard's queries.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_site import RULES, SCRAPE, Site, dashboard_queries, promtool

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
from keepalived_core import exposition  # noqa: E402
from keepalived_core.cluster import hub_view, incident_view  # noqa: E402
from keepalived_core.cluster import metrics as cluster_metrics  # noqa: E402
from keepalived_core.cluster.store_read import Reader  # noqa: E402
from keepalived_core.node.spool_delivery import Backlog  # noqa: E402
from tests.unit import metrics_samples as samples  # noqa: E402
from tests.unit.cluster import hub_nodes  # noqa: E402

VIP = samples.STATUS["instances"][0]["vips"][0]
AWAY = [{**VIP, "present": False}]
SPOOL = samples.STATUS["watch"]


@dataclass
class Phase:
    """What is otherwise than in a sound cluster, and which alerts' expressions then hold.

    node
        For :func:`samples.node`; None: its file is gone.
    hub
        What is otherwise of the hub's facts, by the parameters of :func:`hub_text`.
    lasting
        The alert looks at an increase, so it holds in all phases that follow.
    """

    alerts: set[str]
    node: dict[str, Any] | None = field(default_factory=dict)
    hub: dict[str, Any] | None = field(default_factory=dict)
    lasting: bool = False


def other(node: str, **changes: Any) -> Callable[[dict[str, Any]], None]:
    """Changes of one row in what the hub says of its nodes."""

    def change(told: dict[str, Any]) -> None:
        (row,) = (each for each in told["nodes"] if each["node"] == node)
        row.update(changes)

    return change


def nobody(told: dict[str, Any]) -> None:
    for row in told["nodes"]:
        row["states"]["VI_1"] = {"state": "BACKUP", "vip_present": False}


#: The first three show what is said of two clusters: one that is well, one that is split.
PHASES: dict[str, Phase] = {
    "all is well": Phase(set()),
    "all is well, and adverts went on": Phase(
        set(),
        {
            "instance": {
                "adverts": {"received": 9, "sent": 12, "rejected": {"authtype_mismatch": 3}}
            }
        },
    ),
    "split brain": Phase(
        {"KeepalivedIncidentCritical", "KeepalivedSeveralMasters"}, hub={"world": "split"}
    ),
    "split brain in a maintenance": Phase(set(), hub={"world": "split", "silenced": True}),
    "degraded": Phase({"KeepalivedIncident"}, hub={"world": "degraded"}),
    "nobody has the address": Phase({"KeepalivedNoHolder"}, hub={"change": nobody}),
    "a node is silent": Phase({"KeepalivedNodeSilent"}, hub={"change": other("n2", age=61.0)}),
    "events are asked for": Phase(
        {"KeepalivedEventsMissing"}, hub={"change": other("n2", missing=3)}
    ),
    "a clock is wrong": Phase(
        {"KeepalivedClockWrong"}, hub={"change": other("n2", clock_ahead=-5)}
    ),
    "the hub does not run": Phase({"KeepalivedHubDown"}, hub={"running": False}),
    "the hub's file is old": Phase({"KeepalivedHubMetricsOld"}, hub={"age": 200.0}),
    "an alert was not taken, a repair did not help": Phase(
        {"KeepalivedAlertRouteFails", "KeepalivedReactionFailed"}, hub={"broken": True}
    ),
    "keepalived is down": Phase(
        {"KeepalivedDown"},
        {
            "keepalived": {**samples.STATUS["keepalived"], "running": False},
            "instance": {"state": "STOP", "vips": AWAY},
        },
    ),
    "drained and down": Phase(
        set(),
        {
            "keepalived": {**samples.STATUS["keepalived"], "running": False},
            "instance": {"state": "STOP", "vips": AWAY},
            "drain": {"drained": True},
        },
    ),
    "a ghost": Phase({"KeepalivedGhostVip"}, {"instance": {"state": "BACKUP"}}),
    "a ghost of a keepalived whose state is unknown": Phase(
        {"KeepalivedGhostVip"}, {"instance": {"state": None}}
    ),
    "a hollow master": Phase({"KeepalivedHollowMaster"}, {"instance": {"vips": AWAY}}),
    "in fault": Phase({"KeepalivedFault"}, {"instance": {"state": "FAULT", "vips": AWAY}}),
    "no watch": Phase({"KeepalivedWatchDown"}, {"watch": {**SPOOL, "running": False}}),
    "a watch that complains": Phase(
        {"KeepalivedWatchComplains"}, {"watch": {**SPOOL, "problems": ["no FIFO"]}}
    ),
    "nobody takes the events": Phase(
        {"KeepalivedEventsNotDelivered"},
        {"waiting": Backlog(2, round((time.time() - 500) * 1e6))},
    ),
    "the node's file is old": Phase({"KeepalivedMetricsOld"}, {"age": 200.0}),
    "the node's file is gone": Phase({"KeepalivedMetricsGone"}, None),
    "the hub's file is gone": Phase({"KeepalivedHubMetricsGone"}, hub=None),
    "events are dropped": Phase(
        {"KeepalivedEventsDropped"},
        {"watch": {**SPOOL, "spool": {**SPOOL["spool"], "dropped": 4}}},
        lasting=True,
    ),
    "master again and again": Phase(
        {"KeepalivedMasterChangesOften"},
        {"instance": {"transitions": {"became_master": 20, "released_master": 19}}},
        lasting=True,
    ),
    "adverts are refused": Phase(
        {"KeepalivedAdvertsRefused"},
        {
            "instance": {
                "adverts": {"received": 9, "sent": 12, "rejected": {"authtype_mismatch": 90}}
            }
        },
        lasting=True,
    ),
    "events are lost": Phase({"KeepalivedEventsLost"}, hub={"change": other("n2", lost=2)}),
    "events are not believed": Phase(
        {"KeepalivedEventsRefused"}, hub={"counters": {"stored": 9, "rejected": 3}}, lasting=True
    ),
}

#: These tell of what is not there while all is well.
ONLY_IN_TROUBLE = {
    "Open incidents A",
    "Open incidents B",
    "Adverts C",
    "The oldest of them waits since A",
}


class Worlds:
    """What three hubs know: of a cluster that is well, one that is split, one without a node."""

    def __init__(self, base: Path) -> None:
        self._facts = {
            name: self._told(base / f"{name}.db", name) for name in ("well", "split", "degraded")
        }

    def text(
        self,
        world: str = "well",
        change: Callable[[dict[str, Any]], None] = lambda told: None,
        silenced: bool = False,
        broken: bool = False,
        age: float = 0.0,
        **changes: Any,
    ) -> str:
        """The master's metrics file of now."""
        hub, incidents, deliveries = self._facts[world]
        told = {**hub, "nodes": [{**row, "states": {**row["states"]}} for row in hub["nodes"]]}
        change(told)
        told.update(changes)
        now = time.time() - age
        figures = samples.figures(hub_nodes.CLUSTER if silenced else None, now, broken)
        return exposition.render(
            cluster_metrics.families(told, incidents, deliveries, figures, hub_view.SILENT, now)
        )

    def _told(self, path: Path, what: str) -> tuple[Any, ...]:
        world = hub_nodes.World(path, *(hub_nodes.Node(name) for name in ("n1", "n2", "n3")))
        n1, n2, n3 = world.nodes.values()
        world.now = 1.2
        world.send(n1.row("MASTER", 1), n2.row("BACKUP", 1), n3.row("BACKUP", 1))
        for second in range(5, 60, 5):
            world.now = float(second)
            if second == 20 and what == "split":
                world.send(n2.row("MASTER", second))
            if second == 20 and what == "degraded":
                world.send(n3.row("FAULT", second))
            world.send(*(node.heartbeat(second) for node in world.nodes.values()))
            world.settle(4)
        now = hub_nodes.EPOCH + world.now
        with Reader.open(path) as reader:
            incidents = incident_view.show_incidents(reader, None, 10, True, now)["incidents"]
            delivered = dict.fromkeys(world.nodes, 0.2)
            return hub_view.show_status(reader, (), now), incidents, delivered


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> Worlds:
    return Worlds(tmp_path_factory.mktemp("worlds"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Site(tmp_path_factory.mktemp("prometheus"), ("n1", "master")) as found:
        yield found


def rules() -> dict[str, str]:
    """``{alert: expression}``; an hour is two seconds here, for nobody waits that long."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return {
        rule["alert"]: rule["expr"].replace("offset 1h", "offset 2s")
        for group in groups
        for rule in group["rules"]
    }


def node_text(age: float = 0.0, **given: Any) -> str:
    return exposition.render(samples.node(now=time.time() - age, **given))


def begin(site: Site, worlds: Worlds, phase: Phase) -> None:
    """Have both files scraped."""
    files = {
        "n1": (None if phase.node is None else node_text(**phase.node), ""),
        "master": (None if phase.hub is None else worlds.text(**phase.hub), "hub_"),
    }
    for machine, (text, part) in files.items():
        site.write(machine, text)
        stamp = f"salt_keepalived_{part}metrics_timestamp_seconds"
        if text is None:
            site.wait(stamp, wanted=False)
        else:
            (line,) = (line for line in text.splitlines() if line.startswith(stamp))
            site.wait(f"{stamp} == {line.split()[1]}")


def expected(name: str) -> set[str]:
    """The alerts whose expressions hold in that phase."""
    names = list(PHASES)
    before = [PHASES[each] for each in names[: names.index(name)]]
    lasting = {alert for phase in before if phase.lasting for alert in phase.alerts}
    return PHASES[name].alerts | lasting


def held(site: Site, wanted: set[str]) -> set[str]:
    """Those whose expressions hold.  On a busy machine a scrape comes too late, and everything is
    gone until the next: asked anew for a while."""
    deadline = time.monotonic() + 5
    while True:
        found = {each for each, text in rules().items() if site.query(text)}
        scraped = site.query("count(up == 1) == 2")
        if (scraped and found == wanted) or time.monotonic() > deadline:
            return found
        time.sleep(SCRAPE)


@pytest.fixture(scope="module")
def played(site: Site, worlds: Worlds) -> dict[str, dict[str, set[str]]]:
    """``{phase: {"alerts": whose expressions hold, "queries": that return nothing}}``"""
    found = {}
    for name, phase in PHASES.items():
        begin(site, worlds, phase)
        found[name] = {"alerts": held(site, expected(name))}
        if name == "all is well, and adverts went on":
            empty = {each for each, text in dashboard_queries().items() if not site.query(text)}
            found[name]["queries"] = empty
    return found


@pytest.mark.parametrize("name", PHASES)
def test_an_alert_holds_when_that_is_so_and_no_other_does(played, name: str) -> None:
    assert played[name]["alerts"] == expected(name)


def test_every_alert_has_a_phase() -> None:
    assert {alert for phase in PHASES.values() for alert in phase.alerts} == set(rules())


def test_every_query_of_the_dashboard_has_data_while_all_is_well(played) -> None:
    (empty,) = [found["queries"] for found in played.values() if "queries" in found]
    assert empty == ONLY_IN_TROUBLE


@pytest.mark.parametrize("name", dashboard_queries())
def test_every_query_of_the_dashboard_had_data(site: Site, played, name: str) -> None:
    series = site.query_range(dashboard_queries()[name])
    assert any(each["values"] for each in series), dashboard_queries()[name]


def test_the_exporter_reads_our_files_without_complaint(site: Site, played) -> None:
    assert [each["value"][1] for each in site.query("node_textfile_scrape_error")] == ["0", "0"]
    assert site.query("node_textfile_mtime_seconds")


def test_prometheus_took_no_label_for_one_of_its_own(site: Site, played) -> None:
    assert site.query_range('{__name__=~".*keepalived.*", exported_instance!=""}') == []


@pytest.mark.parametrize("machine", ["node", "master"])
def test_names_and_helps_are_as_prometheus_wants_them(worlds: Worlds, machine: str) -> None:
    text = node_text() if machine == "node" else worlds.text(world="split", silenced=True)
    done = promtool("check", "metrics", text=text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_rules_are_sound_and_fire_as_their_tests_say() -> None:
    done = promtool("check", "rules", str(RULES))
    assert done.returncode == 0, done.stdout + done.stderr
    done = promtool("test", "rules", str(Path(__file__).with_name("keepalived.rules.test.yml")))
    assert done.returncode == 0, done.stdout + done.stderr
