"""The verbs incidents and explain, as Salt loads them, on a file that a hub wrote."""

from __future__ import annotations

import json
import pathlib
import re
import sys

import pytest

from keepalived_core.cluster import ledger

sys.path.insert(0, str(pathlib.Path(__file__).parent / "cluster"))
from hub_nodes import EPOCH, Node, World
from runner_loading import load

REPO = pathlib.Path(__file__).resolve().parents[2]


class Master:
    """A hub on three nodes, of which n3 fails at second 30; and the runner."""

    def __init__(self, cache: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
        nodes = {name: Node(name) for name in ("n1", "n2", "n3")}
        world = self.world = World(cache / "keepalived" / "timeline.db", *nodes.values())
        self.nodes = nodes
        for name in nodes:
            world.send(nodes[name].row("BACKUP", 0.0))
        world.send(nodes["n3"].row("MASTER", 4.0))
        self.live(30)
        world.send(nodes["n3"].row("FAULT", 30.0, reason="chk_haproxy \x1b[31mfailed"))
        self.live(1)
        world.send(nodes["n2"].row("MASTER", 30.603))
        self.live(9)
        nothing = {"time": "2027-01-15T08:01:00Z", "findings": []}
        self.runner = load(
            monkeypatch, "_runners/keepalived_incidents.py", {"cachedir": cache},
            keepalived__audit=lambda cluster: {"data": nothing},
        )  # fmt: skip
        self.output = load(monkeypatch, "_output/keepalived.py", {"color": False})
        self.after(20)
        monkeypatch.setattr(self.runner.time, "time", lambda: self.now)

    def live(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.world.send(*(node.heartbeat(self.world.now) for node in self.nodes.values()))
            self.world.step(1.0)

    def after(self, seconds: float) -> None:
        self.now = EPOCH + self.world.now + seconds

    def screen(self, returned: dict) -> list[str]:
        assert returned["outputter"] == "keepalived"
        # what --out=json prints is plain data
        return self.output.output(json.loads(json.dumps(returned["data"]))).splitlines()


@pytest.fixture
def master(tmp_path, monkeypatch):
    master = Master(tmp_path, monkeypatch)
    yield master
    master.world.session.close()


def test_a_cluster_that_is_mistyped_is_no_good_news(master) -> None:
    (known,) = {each["cluster"] for each in master.runner.incidents()["data"]["incidents"]}
    assert master.runner.incidents(known)["data"]["retcode"] == 1
    returned = master.runner.incidents(f"{known}s")
    assert returned["data"]["retcode"] == 1
    assert returned["data"]["message"] == f"The hub knows no cluster {known}s; it knows: {known}."


def test_incidents_is_a_table(master) -> None:
    returned = master.runner.incidents()
    (incident,) = returned["data"]["incidents"]

    head, row, more = master.screen(returned)

    assert " ".join(head.split()) == "id opened cluster instance kind state no owner several cause"
    assert re.split(r"\s{2,}", row.strip()) == [
        incident["id"],
        "2027-01-15T08:00:30.000000Z",
        "controllers",
        "VI_1",
        "failover",
        "open for 30 s",
        "0.603 s",
        "-",
        "n3 is FAULT: chk_haproxy ?[31mfailed",
    ]
    assert more == f"More of one: salt-run keepalived.explain {incident['id']}"
    assert returned["data"]["retcode"] == 1


def test_explain_shows_evidence_reasoning_and_the_next_step(master) -> None:
    name = master.runner.incidents()["data"]["incidents"][0]["id"]

    lines = master.screen(master.runner.explain(name[:5]))

    assert lines[0].startswith(f"{name}  controllers  VI_1  FAILOVER  open for")
    assert "  VI_1 is on n2" in lines
    evidence = lines.index("Evidence, by the nodes' clocks:")
    rows = [line.split()[1:5] for line in lines[evidence + 2 : lines.index("Why:")]]
    assert rows == [
        ["n1", "VI_1", "-", "->"],
        ["n2", "VI_1", "-", "->"],
        ["n3", "VI_1", "BACKUP", "->"],
        ["n3", "VI_1", "MASTER", "->"],
        ["n2", "VI_1", "BACKUP", "->"],
    ]
    assert lines[-1].startswith("Next: ")
    assert any("Without an owner for 0.603 s" in line for line in lines)


def test_an_open_incident_is_held_against_what_the_nodes_say_now(master) -> None:
    name = master.runner.incidents()["data"]["incidents"][0]["id"]
    asked = []
    found = {
        "code": "firewall-closed", "severity": "error", "cluster": "controllers",
        "instance": None, "nodes": ["n3"], "text": "n3 drops VRRP", "do": "let it through",
    }  # fmt: skip

    def audit(cluster):
        asked.append(cluster)
        return {"data": {"time": "2027-01-15T08:01:00Z", "findings": [found]}}

    master.runner.__salt__ = {"keepalived.audit": audit}
    lines = master.screen(master.runner.explain(name))
    without = master.screen(master.runner.explain(name, check=False))

    assert asked == ["controllers"]
    at = lines.index("The nodes say now:")
    assert lines[at + 1 : at + 3] == ["  firewall-closed: n3 drops VRRP", "    do: let it through"]
    assert "The nodes say now:" not in without
    assert master.runner.explain(name, check="no")["data"]["retcode"] == 1


def test_the_keys_of_the_json_are_those_of_the_docs(master) -> None:
    docs = (REPO / "docs" / "incidents.md").read_text(encoding="utf-8")
    data = master.runner.incidents()["data"]
    shown = master.runner.explain(data["incidents"][0]["id"])["data"]

    for key in (
        *data, *data["incidents"][0], *shown, *shown["rows"][0], *shown["checked"]
    ):  # fmt: skip
        assert f"`{key}`" in docs


def test_what_was_done_about_it_is_shown_with_it(master, tmp_path) -> None:
    row = master.nodes["n3"].spool[-1]
    trail = ledger.Ledger(tmp_path / "keepalived" / "react.db")
    about = {"minion": "n3", "instance": "VI_1", "action": "restart haproxy"}
    for seq, what in ((row["seq"], "succeeded"), (row["seq"] + 1, "failed")):
        key = f"n3/VI_1/{row['stream_id']}/{seq}"
        trail.record("remediation", what, "c", {"incident": key, **about}, EPOCH + 32)

    (incident,) = master.runner.incidents()["data"]["incidents"]
    (action,) = incident["actions"]

    assert action == {
        "time": "2027-01-15T08:00:32.000000Z",
        "kind": "remediation",
        "what": "succeeded",
        "reason": None,
        "seconds": None,
        **about,
    }
    lines = master.screen(master.runner.explain(incident["id"]))
    assert "n3      restart haproxy" in lines[lines.index("Done about it:") + 2]


def test_seconds_of_an_open_incident_go_on(master) -> None:
    (before,) = master.runner.incidents()["data"]["incidents"]
    master.after(25)
    (after,) = master.runner.incidents()["data"]["incidents"]

    assert after["seconds"] - before["seconds"] == pytest.approx(5)
    assert after["seconds_without_owner"] == before["seconds_without_owner"] == 0.603


def test_where_the_hub_is_dead_nobody_knows(master) -> None:
    master.after(3600)
    data = master.runner.incidents()["data"]

    assert data["retcode"] == 3
    assert "has not run for" in data["message"]
    assert data["incidents"][0]["seconds"] < 60


def test_what_is_over_is_no_trouble(master) -> None:
    master.world.send(master.nodes["n3"].row("BACKUP", 40.0))
    master.live(30)
    master.after(1)

    assert master.runner.incidents()["data"]["retcode"] == 0
    assert master.runner.incidents(open_only=True)["data"]["incidents"] == []
    assert master.screen(master.runner.incidents(open_only=True)) == ["No incident."]


MISTAKES = {
    "last": ({"last": "many"}, "last='many' is no number of incidents"),
    "open_only": ({"open_only": "yes"}, "open_only='yes' is neither True nor False"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_said(master, name) -> None:
    arguments, text = MISTAKES[name]
    returned = master.runner.incidents(**arguments)

    assert master.screen(returned) == [text]
    assert returned["data"]["retcode"] == 1


def test_an_unknown_id_is_told_which_there_are(master) -> None:
    known = master.runner.incidents()["data"]["incidents"][0]["id"]
    returned = master.runner.explain("i00")

    (line,) = master.screen(returned)
    assert line == f"There is no incident i00: the newest are {known} (failover, open)."
    assert returned["data"]["retcode"] == 1


def test_without_a_hub_that_is_said(tmp_path, monkeypatch) -> None:
    runner = load(monkeypatch, "_runners/keepalived_incidents.py", {"cachedir": tmp_path / "no"})

    data = runner.incidents()["data"]

    assert data["retcode"] == 3
    assert data["message"].startswith("There is no hub: ")
