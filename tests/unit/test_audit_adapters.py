"""The node's verb and the master's, loaded by path as Salt does, over nodes that only answer."""

from __future__ import annotations

import copy
import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

import pytest

exceptions = pytest.importorskip("salt.exceptions")

ROOT = Path(__file__).resolve().parents[2] / "salt"
SECRET = "SeCrEt1"
NODES = ("controller1", "controller2", "controller3")
PILLAR: dict[str, Any] = {
    "cluster": "controllers",
    "config": {
        "vrrp_instance": {
            "VI": {
                "interface": "eth1",
                "virtual_router_id": 52,
                "authentication": {"auth_type": "PASS", "auth_pass": SECRET},
                "virtual_ipaddress": ["192.168.1.220"],
            }
        }
    },
    "nodes": {name: {} for name in NODES},
    "priorities": {"VI": {"controller1": 101, "controller2": 102, "controller3": 103}},
}


@pytest.fixture
def load(monkeypatch):
    """load(file): the module, with a library of its own."""
    names = ("keepalived_core", "keepalived_node", "keepalived_master")
    for name in [name for name in sys.modules if name.partition(".")[0] in names]:
        monkeypatch.setitem(sys.modules, name, sys.modules[name])

    def make(name: str) -> Any:
        spec = importlib.util.spec_from_file_location("adapter_under_test", ROOT / name)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return make


# --- the node -----------------------------------------------------------------------------------


def refuses(*_args: Any, **_kwargs: Any) -> Any:
    raise exceptions.CommandExecutionError("it is not there")


def test_a_node_with_nothing_on_it_says_what_is_missing_and_why(load, monkeypatch, tmp_path):
    module = load("_modules/keepalived_audit.py")
    module.__opts__ = {"id": "n1"}
    module.__pillar__ = {"keepalived": PILLAR}
    verbs = ("keepalived.version", "keepalived.plan", "keepalived_firewall.check", "mine.get")
    module.__salt__ = dict.fromkeys(verbs, refuses)
    paths = module.PATHS.under(tmp_path)
    monkeypatch.setattr(module, "PATHS", paths)
    monkeypatch.setattr(module.gathering.process, "find", lambda _paths: None)

    said = module.audit_facts()

    assert (said["schema"], said["node"]) == (1, "n1")
    missing = said["missing"]
    assert {"version", "plan", "file", "running", "firewall"} <= set(missing)
    assert missing["plan"] == "it is not there"
    assert "No such file" in missing["file"]
    assert said["file"] is None and said["plan"] is None
    assert SECRET not in json.dumps(said)


# --- the master ---------------------------------------------------------------------------------


class Site:
    """Three nodes; silent: those that do not answer; old: those without the verb."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.pillars = {name: copy.deepcopy(PILLAR) for name in NODES}
        self.silent: set[str] = set()
        self.old: set[str] = set()
        self.asked: list[str] = []
        self.nodes: list[set[str]] = []

    def master(self, *_args: Any) -> Site:
        return self

    def clusters(self, only: Any = None) -> tuple[dict, Any]:
        pillars = {name: {"keepalived": own} for name, own in self.pillars.items()}
        found = self.module.facts.members(pillars, self.pillars)
        if only is not None and only not in found:
            return {}, f"There is no cluster {only}"
        return ({only: found[only]} if only else found), None

    def compiled_pillar(self, node: str) -> dict:
        return {"keepalived": self.pillars[node]}

    cached_pillar = compiled_pillar

    def ask(self, nodes: Any, fun: str, timeout: float, **kwarg: Any) -> dict:
        self.asked.append(fun)
        self.nodes.append(set(nodes))
        answers = {}
        for node in nodes:
            if node not in self.silent:
                said = getattr(self, fun.partition(".")[2])(node)
                answers[node] = self.module.facts.Answer(said, time.time())
        return answers

    def refresh_pillar(self, _node: str) -> bool:
        return True

    def status(self, node: str) -> dict:
        master = node == "controller3"
        return {
            "time": self.module.auditing.clock.render(time.time()),
            "keepalived": {"version": "2.2.7", "running": True, "pid": 7, "problem": None},
            "watch": {"running": True, "sources": ["netlink"], "delivery": "relay"},
            "drain": {"drained": False},
            "instances": [
                {
                    "instance": "VI",
                    "state": "MASTER" if master else "BACKUP",
                    "vips": [{"address": "192.168.1.220/32", "present": master}],
                    "vip_present": master,
                }
            ],
        }

    def audit_facts(self, node: str) -> Any:
        if node in self.old:
            return "'keepalived.audit_facts' is not available."
        return {
            "schema": 1,
            "node": node,
            "missing": {},
            "links": {"eth1": [f"192.168.1.{NODES.index(node) + 11}/24"]}
            if node in NODES
            else {"eth1": ["192.168.1.77/24"]},
        }


@pytest.fixture
def site(load, monkeypatch) -> Site:
    module = load("_runners/keepalived_audit.py")
    module.__opts__ = {}
    module.__salt__ = {"mine.get": lambda *_args: {}}
    found = Site(module)
    monkeypatch.setattr(module.keepalived_master, "Master", found.master)
    return found


def audit(site: Site, *args: Any) -> dict:
    said = site.module.audit(*args)
    assert said["outputter"] == "keepalived"
    assert SECRET not in json.dumps(said)
    return said["data"]


def found(data: dict) -> list[tuple[str, list[str]]]:
    return [(one["code"], one["nodes"]) for one in data["findings"]]


def test_a_cluster_that_is_well_has_no_finding(site):
    data = audit(site)

    assert (found(data), data["retcode"]) == ([], 0)
    assert (data["kind"], data["schema"]) == ("audit", 1)
    assert data["clusters"][0]["answered"] == 3


def test_the_nodes_read_their_pillar_before_they_compare(site):
    audit(site, "controllers")

    assert site.asked.index("saltutil.refresh_pillar") < site.asked.index("keepalived.audit_facts")


def test_a_silent_node_is_waited_for_once(site):
    site.silent = {"controller1"}

    audit(site)

    waited = [fun for fun, nodes in zip(site.asked, site.nodes, strict=True) if nodes & site.silent]
    assert waited == ["keepalived.status"]


def test_a_node_that_is_silent_or_old_is_a_finding(site):
    site.silent, site.old = {"controller1"}, {"controller2"}

    data = audit(site)

    assert found(data) == [("node-silent", ["controller1"]), ("facts-failed", ["controller2"])]
    assert data["retcode"] == 3


def test_another_secret_in_one_pillar_is_told_and_not_shown(site):
    own = site.pillars["controller1"]["config"]["vrrp_instance"]["VI"]
    own["authentication"]["auth_pass"] = "SeCrEt2"

    data = audit(site)

    assert found(data) == [("auth-mismatch", list(NODES))]
    assert "SeCrEt2" not in json.dumps(data)


def test_a_pillar_that_is_wrong_is_a_finding_of_its_node(site):
    site.pillars["controller1"]["config"]["vrrp_instance"]["VI"]["prioritty"] = 7

    (one,) = audit(site)["findings"]

    assert (one["code"], one["nodes"]) == ("pillar-invalid", ["controller1"])
    assert "prioritty: no such keyword here; did you mean priority?" in one["text"]


def test_a_number_that_another_cluster_has_on_that_network_is_found(site):
    other = copy.deepcopy(PILLAR)
    other["cluster"], other["nodes"] = "others", {"x1": {}}
    other["priorities"] = {"VI": {"x1": 100}}
    other["config"]["vrrp_instance"]["VI"]["virtual_ipaddress"] = ["192.168.1.230"]
    site.pillars["x1"] = other

    data = audit(site, "controllers")

    assert found(data) == [("vrid-clash", list(NODES))]
    assert "others/VI (on x1)" in data["findings"][0]["text"]


def test_a_neighbour_with_other_numbers_is_not_asked(site):
    other = copy.deepcopy(PILLAR)
    other["cluster"], other["nodes"], other["priorities"] = "others", {"x1": {}}, {}
    other["config"]["vrrp_instance"]["VI"]["virtual_router_id"] = 53
    site.pillars["x1"] = other
    asked: list[str] = []
    site.audit_facts = lambda node: asked.append(node) or {"schema": 1, "missing": {}}

    audit(site, "controllers")

    assert sorted(asked) == list(NODES)


def test_no_such_cluster_is_said_and_unknown(site):
    data = audit(site, "nobody")

    assert (data["message"], data["retcode"]) == ("There is no cluster nobody", 3)
