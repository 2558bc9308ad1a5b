"""Each finding of an audit, in a cluster that has it and in none that has not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from audit_cases import CASES, RULE, SECRET, UNICAST
from audit_samples import NAMES, Site
from rollout_samples import NOW

from keepalived_core.cluster import audit as auditing
from keepalived_core.cluster.audit_codes import CODES
from keepalived_core.cluster.audit_table import screen
from keepalived_core.cluster.table import Painter

PAGE = Path(__file__).resolve().parents[3] / "docs" / "audit.md"


def audit(site: Site, *neighbours: Site) -> dict[str, Any]:
    return auditing.audit([site.cluster()], NOW, [one.cluster() for one in neighbours])


def found(said: dict[str, Any]) -> set[tuple[str, str, tuple[str, ...]]]:
    return {(one["code"], one["severity"], tuple(one["nodes"])) for one in said["findings"]}


@pytest.mark.parametrize(("make", "wanted"), CASES.values(), ids=CASES)
def test_what_is_wrong_is_found_and_nothing_else(make: Callable, wanted: set) -> None:
    site = Site()
    make(site)

    said = audit(site)

    assert found(said) == wanted
    assert len(said["findings"]) == len(wanted)
    json.dumps(said)


def test_a_secret_and_its_mark_are_never_shown() -> None:
    site = Site()
    site.in_pillar("n1", auth=SECRET)

    (one,) = audit(site)["findings"]

    assert "mark" not in json.dumps(one)
    assert one["seen"]["pillar"] == {
        "n1": "PASS with secret A",
        "n2": "PASS with secret B",
        "n3": "PASS with secret B",
    }


def test_of_two_files_with_secrets_of_their_own_nobody_knows_whether_they_differ() -> None:
    site = Site()
    for node in ("n1", "n2", "n3"):
        site.in_file(node, auth={"type": "PASS", "as_pillar": False})

    assert found(audit(site)) == set()


# --- clashes ----------------------------------------------------------------------------------


def other(vrid: int = 52, network: str = "10.0.0.", **changes: Any) -> Site:
    """Another cluster with an address of its own."""
    site = Site("d").every(vrid=vrid, vips=["10.0.0.200"], **changes)
    for number, node in enumerate(NAMES):
        site.running(node, vips=["10.0.0.200/32"])
        site.facts[node]["links"] = {"eth1": [f"{network}{number + 11}/24"]}
    return site


CLASHES = {
    "one number on one network": (other(), True),
    "another number": (other(53), False),
    "another network": (other(network="10.9.0."), False),
    "the other speaks unicast": (other(**UNICAST, auth=None), False),
    "the other family": (other(family=6), False),
}


@pytest.mark.parametrize(("neighbour", "clashes"), CLASHES.values(), ids=CLASHES)
def test_two_clusters_with_one_number_clash_on_one_network(neighbour: Site, clashes: bool) -> None:
    said = audit(Site(), neighbour)

    assert found(said) == ({("vrid-clash", "error", NAMES)} if clashes else set())
    assert {one["cluster"] for one in said["findings"]} <= {"c"}


def test_when_both_are_audited_both_are_told() -> None:
    said = auditing.audit([Site().cluster(), other().cluster()], NOW)

    assert [(one["code"], one["cluster"]) for one in said["findings"]] == [
        ("vrid-clash", "c"),
        ("vrid-clash", "d"),
    ]


def test_two_instances_of_one_cluster_clash_as_well() -> None:
    site = Site()
    second = {**site.pillar["n2"][0], "instance": "VJ", "vips": ["10.0.0.200"], "priority": 9}
    site.pillar["n2"].append(second)

    assert found(audit(site)) == {("vrid-clash", "error", NAMES)}


def test_one_router_that_has_two_names_is_no_clash() -> None:
    site = Site()
    site.pillar["n2"][0]["instance"] = "VJ"

    assert "vrid-clash" not in {one["code"] for one in audit(site)["findings"]}


# --- the whole --------------------------------------------------------------------------------


def test_the_worst_is_first_and_decides_the_exit_status() -> None:
    site = Site()
    site.facts["n1"]["firewall"]["stale"] = {"public": [RULE]}
    assert audit(site)["retcode"] == 0
    site.status["n1"]["watch"]["running"] = False
    assert audit(site)["retcode"] == 1
    site.status["n2"] = site.facts["n2"] = None
    assert audit(site)["retcode"] == 3
    site.running("n1", heard=0)
    said = audit(site)
    assert said["retcode"] == 2
    assert [one["severity"] for one in said["findings"]] == ["error", "error", "warning", "info"]
    assert said["counts"] == {"error": 2, "warning": 1, "info": 1}
    assert said["clusters"][0]["answered"] == 2


def test_no_cluster_is_unknown_and_not_well() -> None:
    assert auditing.audit([], NOW)["retcode"] == 3


UNUSABLE = {
    "an error": "Traceback",
    "another schema": {"schema": 2},
    "a list in the place of a mapping": {"running": ["x"]},
    "a text in the place of a number": {"running": {"VI": {"heard": "many"}}},
    "an instance that lacks a value": {"file": {"instances": [{"instance": "VI"}]}},
    "an address that is none": {"links": {"eth1": ["here"]}},
    "a reason that says nothing": {"plan": {"action": "change", "reasons": [{}]}},
    "rules in the place of zones": {"firewall": {"ok": False, "missing": {"runtime": [RULE]}}},
}


@pytest.mark.parametrize("said", UNUSABLE.values(), ids=UNUSABLE)
def test_what_is_not_what_a_node_returns_is_told_and_not_believed(said: Any) -> None:
    site = Site()
    if isinstance(said, dict):
        said = {**site.facts["n1"], **said}
    site.facts["n1"] = auditing.usable(said)

    assert found(audit(site)) == {("facts-failed", "warning", ("n1",))}


def test_what_a_node_returns_is_believed() -> None:
    facts = Site().facts["n1"]

    assert auditing.usable(facts) is facts


def test_what_a_node_says_cannot_draw_on_the_terminal() -> None:
    site = Site()
    site.status["n1"]["drain"] = {"drained": False, "problem": "\x1b[2J"}

    said = audit(site)

    assert "\x1b" not in "\n".join(screen(said, Painter(False)))
    assert "\x1b" not in said["findings"][0]["text"]


def test_the_screen_says_what_why_and_what_to_do() -> None:
    site = Site()
    site.running("n1", heard=0)

    lines = screen(audit(site), Painter(False))

    assert lines[0] == "c  3 of 3 nodes answered  1 error"
    assert lines[2] == "  error  adverts-not-heard  VI on n1 is BACKUP and heard no advert in 1.3 s"
    assert lines[3].startswith("      why: a node that hears no adverts makes itself master")
    assert "salt n1 keepalived" not in lines[3]
    assert lines[4].startswith("      do:  let VRRP through: salt n1 keepalived_firewall.plan")


def test_the_screen_of_a_cluster_that_is_well_says_so() -> None:
    assert screen(audit(Site()), Painter(False)) == ["c  3 of 3 nodes answered  nothing found"]


def test_every_code_has_a_case_and_a_row_in_the_docs_and_no_other() -> None:
    cases = {code for _, wanted in CASES.values() for code, _, _ in wanted} | {"vrid-clash"}
    assert sorted(cases) == sorted(CODES)
    rows = re.findall(r"^\| `([a-z-]+)` \| (\w+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [code for code, _ in rows] == list(CODES)
    assert dict(rows) == {code: known.severity for code, known in CODES.items()}
