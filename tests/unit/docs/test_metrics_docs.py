"""docs/metrics.md lists what the code writes, and nothing else; so do rules and dashboard."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path

import yaml

from keepalived_core.cluster import metrics as cluster_metrics
from keepalived_core.exposition import Family
from tests.unit import metrics_samples as samples

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
MONITORING = ROOT / "salt" / "keepalived" / "files" / "monitoring"
ROW = re.compile(r"^\| `(\w+)` \| (gauge|counter) \| [^|]* \| (.+) \|$", re.MULTILINE)
NAME = re.compile(r"\b(?:salt_)?keepalived_\w+")


def families() -> list[Family]:
    """All of a node and of the hub; without samples they are there all the same."""
    return samples.node() + cluster_metrics.families(None, (), {}, None, 30.0, samples.NOW)


def rules() -> list[dict]:
    groups = yaml.safe_load((MONITORING / "keepalived.rules.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict:
    return json.loads((MONITORING / "grafana-dashboard.json").read_text())


def test_the_page_lists_every_metric_with_kind_and_help() -> None:
    assert ROW.findall(PAGE) == [(each.name, each.kind, each.help) for each in families()]


def test_no_two_metrics_share_a_name() -> None:
    """A node's file and the hub's may lie in one directory."""
    names = [each.name for each in families()]
    assert sorted(names) == sorted(set(names))


def test_the_page_lists_every_alert_with_its_severity() -> None:
    listed = re.findall(r"^\| `(Keepalived\w+)` \| (\w+) \|", PAGE, re.MULTILINE)
    assert listed == [(rule["alert"], rule["labels"]["severity"]) for rule in rules()]


def test_rules_and_dashboard_ask_for_metrics_that_there_are() -> None:
    queries = [rule["expr"] for rule in rules()]
    queries += [
        each["expr"] for panel in dashboard()["panels"] for each in panel.get("targets", ())
    ]
    queries += [each["query"]["query"] for each in dashboard()["templating"]["list"][1:]]
    asked = {name for query in queries for name in NAME.findall(query)}
    assert asked - {each.name for each in families()} == set()


def test_every_metric_is_on_the_dashboard() -> None:
    shown = set(NAME.findall(json.dumps(dashboard())))
    left_out = {each.name for each in families()} - shown
    assert left_out == {
        "salt_keepalived_silence_end_timestamp_seconds",
        "salt_keepalived_alert_route_timestamp_seconds",
    }


def test_the_dashboard_goes_to_the_chosen_prometheus_with_panels_of_grafana_itself() -> None:
    board = dashboard()
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    core = {"row", "stat", "table", "timeseries", "state-timeline"}
    for panel in board["panels"]:
        assert panel["type"] in core
        if panel["type"] != "row":
            assert {json.dumps(each["datasource"]) for each in [panel, *panel["targets"]]} == {
                json.dumps(chosen)
            }
    assert board["templating"]["list"][0]["type"] == "datasource"
    ids = [panel["id"] for panel in board["panels"]]
    assert sorted(ids) == sorted(set(ids))


def test_no_panel_covers_another() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert at["x"] + at["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells


def test_the_plugin_is_one_that_an_old_python_reads() -> None:
    ast.parse((MONITORING / "check_keepalived").read_text(), feature_version=(3, 6))
