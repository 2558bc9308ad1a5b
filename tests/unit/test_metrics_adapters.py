"""``keepalived.metrics`` of a node and of the master, as Salt loads them."""

from __future__ import annotations

import sys
from pathlib import Path

import jinja2
import pytest

sys.path.insert(0, str(Path(__file__).parent / "cluster"))
from hub_nodes import EPOCH, Node, World
from runner_loading import load

salt_exceptions = pytest.importorskip("salt.exceptions")

FILES = Path(__file__).resolve().parents[2] / "salt" / "keepalived" / "files"


@pytest.fixture
def node(monkeypatch):
    module = load(monkeypatch, "_modules/keepalived_metrics.py", {"id": "controller1"})
    module.__pillar__ = {"keepalived": {"cluster": "controllers"}}
    return module


def test_a_node_returns_its_text(node) -> None:
    assert "\nkeepalived_up 0\n" in node.metrics() or "\nkeepalived_up 1\n" in node.metrics()


def test_a_node_writes_the_same_to_a_file(node, tmp_path) -> None:
    path = tmp_path / "keepalived.prom"
    assert node.metrics(out=str(path)) == str(path)
    assert "\nkeepalived_up " in path.read_text()


def test_a_file_that_the_collector_would_not_read_is_refused(node, tmp_path) -> None:
    with pytest.raises(salt_exceptions.SaltInvocationError, match=r"out='.*txt' is no absolute"):
        node.metrics(out=str(tmp_path / "keepalived.txt"))
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_missing_is_an_error_with_its_name(node, tmp_path) -> None:
    out = str(tmp_path / "none" / "keepalived.prom")
    with pytest.raises(salt_exceptions.CommandExecutionError, match=f"{out}: No such file"):
        node.metrics(out=out)


CONTEXT = {
    "python": "/usr/bin/python3",
    "library": "/lib",
    "textfile": "/srv/metrics/keepalived.prom",
    "directory": "/srv/metrics",
    "timeline": "/var/cache/salt/master/keepalived/timeline.db",
}


@pytest.mark.parametrize("name", ["salt-keepalived-metrics", "salt-keepalived-hub-metrics"])
def test_a_unit_says_which_file_goes_with_it(node, tmp_path, name: str) -> None:
    unit = tmp_path / "x.service"
    template = jinja2.Template((FILES / f"{name}.service").read_text())
    unit.write_text(template.render(CONTEXT))
    assert node.metrics_textfile(str(unit)) == CONTEXT["textfile"]


@pytest.mark.parametrize(
    "text",
    [None, "", "[Service]\nExecStart=/x\n", "[X-Metrics]\nTextfile=/etc/shadow\n", "nonsense"],
)
def test_no_other_unit_names_a_file_to_be_removed(node, tmp_path, text) -> None:
    unit = tmp_path / "x.service"
    if text is not None:
        unit.write_text(text)
    assert node.metrics_textfile(str(unit)) is None


def test_the_library_is_installed_whole_and_once(node, tmp_path) -> None:
    directory = str(tmp_path / "lib")
    would = node.install_library(directory, test=True)
    assert "metrics_command.py" in would
    assert not Path(directory).exists()
    assert node.install_library(directory) == would
    assert node.install_library(directory) == []


# -- the master --


@pytest.fixture
def master(monkeypatch, tmp_path):
    (tmp_path / "keepalived").mkdir()
    return load(monkeypatch, "_runners/keepalived_metrics.py", {"cachedir": str(tmp_path)})


def test_the_master_prints_what_its_hub_knows(master, tmp_path, monkeypatch) -> None:
    world = World(tmp_path / "keepalived" / "timeline.db", Node("n1"))
    (n1,) = world.nodes.values()
    world.now = 1.2
    world.send(n1.row("MASTER", 1), n1.heartbeat(1))
    world.settle(3)
    monkeypatch.setattr(master.time, "time", lambda: EPOCH + world.now)

    said = master.metrics()

    assert said["outputter"] == "keepalived"
    data = said["data"]
    assert {key: data[key] for key in data if key != "text"} == {
        "kind": "metrics", "schema": 1, "out": None, "retcode": 0
    }  # fmt: skip
    assert 'vrrp_masters{cluster="controllers",vrrp_instance="VI_1"} 1\n' in data["text"]


def test_the_master_writes_a_file_and_says_so_when_no_hub_ever_ran(master, tmp_path) -> None:
    path = tmp_path / "hub.prom"
    data = master.metrics(out=str(path))["data"]
    assert (data["out"], data["retcode"]) == (str(path), 3)
    assert "\nsalt_keepalived_hub_up 0\n" in path.read_text()


@pytest.mark.parametrize(
    ("out", "part"),
    [
        ("hub.prom", "out='hub.prom' is no absolute path"),
        ("/none/hub.prom", "cannot be written: No"),
    ],
)
def test_a_wrong_file_is_a_message_and_an_exit_status(master, out: str, part: str) -> None:
    data = master.metrics(out=out)["data"]
    assert (data["kind"], data["retcode"]) == ("message", 1)
    assert part in data["message"]


def test_a_timeline_that_cannot_be_read_is_no_good_news(master, tmp_path) -> None:
    (tmp_path / "keepalived" / "timeline.db").write_bytes(b"this is no database" * 100)
    data = master.metrics()["data"]
    assert (data["kind"], data["retcode"]) == ("message", 3)


def test_the_table_is_the_text_or_the_name_of_the_file(monkeypatch) -> None:
    outputter = load(monkeypatch, "_output/keepalived.py", {"color": False})
    data = {"kind": "metrics", "schema": 1, "text": "a 1\n", "out": None, "retcode": 0}
    assert outputter.output(data) == "a 1"
    assert outputter.output({**data, "out": "/x/k.prom"}) == "/x/k.prom"
