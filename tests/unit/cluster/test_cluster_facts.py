"""What is true about a cluster, from what its nodes say."""

from __future__ import annotations

import json

import pytest
from cluster_samples import PILLAR, WHEN, status

from keepalived_core.cluster.facts import Answer, Member, gather, members

NODES = ("controller1", "controller2", "controller3")
CLUSTER = {"controllers": [Member(node, ("VI_PUBLIC",)) for node in NODES]}


def ask(**said: object) -> dict:
    answers = {node: Answer(what, WHEN + 1) for node, what in said.items()}
    return gather(CLUSTER, answers, WHEN + 1.5)


def states(data: dict) -> dict[str, str]:
    (instance,) = data["clusters"][0]["instances"]
    return {node["node"]: node["claim"] for node in instance["nodes"]}


def test_the_answers_of_all_nodes_make_one_table() -> None:
    data = ask(
        controller1=status("BACKUP"),
        controller2=status("BACKUP"),
        controller3=status("MASTER", held=True),
    )

    assert (data["verdict"], data["retcode"]) == ("ok", 0)
    (cluster,) = data["clusters"]
    assert (cluster["cluster"], cluster["expected"], cluster["answered"]) == ("controllers", 3, 3)
    (instance,) = cluster["instances"]
    assert (instance["vrid"], instance["vips"]) == (52, ["192.168.1.220/24"])
    assert instance["nodes"][0] == {
        "node": "controller3",
        "claim": "MASTER",
        "holds_vip": True,
        "answers": None,
        "base_priority": 103,
        "effective_priority": 103,
        "interface": "eth1",
        "since": "2026-11-22T03:04:05.000000+00:00",
        "age": 0.5,
        "keepalived": True,
        "drained": None,
        "note": "",
    }
    assert json.loads(json.dumps(data)) == data


STOPPED = {"version": "2.2.7", "running": False, "pid": None, "problem": None}
FROZEN = {"version": "2.2.7", "running": True, "pid": 7, "problem": "no dump within 2 s"}


@pytest.mark.parametrize(
    ("said", "claim", "note"),
    [
        (None, "unknown", "no answer"),
        (
            "Traceback:\n  x\nOSError: boom\x1b",
            "unknown",
            "keepalived.status failed: OSError: boom?",
        ),
        (False, "unknown", "keepalived.status failed: False"),
        ("", "unknown", "keepalived.status failed: no answer"),
        (status("MASTER", keepalived=STOPPED), "STOP", "keepalived does not run"),
        (status(None, keepalived=FROZEN), "unknown", "no dump within 2 s"),
        (status(instances=[]), "missing", "its keepalived has no such instance"),
        (status("BACKUP", watch={"running": False}), "BACKUP", "no events from here"),
        ({}, "missing", "no such instance"),
        (
            status("FAULT", drain={"drained": True, "reason": "disk\x1b", "until": "18:00"}),
            "FAULT",
            "drained: disk? until 18:00",
        ),
        (
            status("FAULT", drain={"drained": True, "problem": "its time is over"}),
            "FAULT",
            "drained: no reason given; its time is over",
        ),
    ],
)
def test_a_node_is_shown_as_what_is_known_of_it(said: object, claim: str, note: str) -> None:
    others = {"controller2": status("BACKUP"), "controller3": status("MASTER", held=True)}
    data = ask(**others, **({} if said is None else {"controller1": said}))

    (instance,) = data["clusters"][0]["instances"]
    (found,) = [node for node in instance["nodes"] if node["node"] == "controller1"]
    assert found["claim"] == claim
    assert note in found["note"]
    assert data["verdict"] == ("ok" if claim == "BACKUP" else "degraded")


def test_the_worst_node_comes_first() -> None:
    data = ask(
        controller1=status("MASTER", held=True),
        controller2=status("BACKUP"),
        controller3=status("BACKUP", held=True),
    )

    assert list(states(data)) == ["controller3", "controller1", "controller2"]


def test_the_worst_cluster_comes_first_and_gives_the_exit_status() -> None:
    clusters = {name: [Member(f"{name}1", ("VI",))] for name in ("a", "b", "c")}
    good, bad = status("MASTER", held=True), status("FAULT")
    for one in (good, bad):
        one["instances"][0]["instance"] = "VI"
    answers = {"a1": Answer(good, 1.0), "b1": Answer(bad, 1.0)}

    data = gather(clusters, answers, 1.0)

    assert [(each["cluster"], each["verdict"]) for each in data["clusters"]] == [
        ("b", "no master"),
        ("c", "unknown"),
        ("a", "ok"),
    ]
    assert (data["verdict"], data["retcode"]) == ("no master", 2)


def test_what_is_said_of_all_clusters_is_counted() -> None:
    clusters = {name: [Member(name, ("VI_PUBLIC",))] for name in "abcd"}
    said = {"a": status("MASTER", held=True), "b": status("FAULT"), "c": status("FAULT")}
    data = gather(clusters, {node: Answer(what, WHEN) for node, what in said.items()}, WHEN + 2)

    counted = {"clusters": 4, "critical": 2, "unknown": 1, "warnings": 0, "ok": 1, "max_age": 2.0}
    assert data["summary"] == counted


def test_an_answer_that_is_too_old_is_no_answer() -> None:
    said = {"controller3": Answer(status("MASTER", held=True), WHEN)}

    data = gather(CLUSTER, said, WHEN + 31)

    assert data["verdict"] == "unknown"
    assert set(states(data).values()) == {"unknown"}
    assert data["clusters"][0]["answered"] == 0


NONSENSE = {
    "instances": [
        {
            "instance": "VI_PUBLIC",
            "state": "MASTER\x1b[2J",
            "vips": [{"address": "$(reboot)"}, 7, {"address": "10.0.0.1/8", "present": True}],
            "vip_present": "yes",
            "base_priority": "high",
            "advert_int": True,
            "adverts": [],
        }
    ],
    "interfaces": {"eth1": 7, "eth2": {"mac": "x"}},
    "keepalived": [],
    "watch": 7,
}


def test_what_makes_no_sense_is_not_shown_as_it_came() -> None:
    data = ask(controller1=NONSENSE)

    (instance,) = data["clusters"][0]["instances"]
    (found,) = [node for node in instance["nodes"] if node["node"] == "controller1"]
    assert found["claim"] == "MASTER?[2J"
    assert (found["holds_vip"], found["base_priority"]) == (None, None)
    assert instance["vips"] == ["10.0.0.1/8"]


def test_without_any_cluster_nothing_is_known() -> None:
    data = gather({}, {}, WHEN)

    assert (data["verdict"], data["retcode"], data["clusters"]) == ("unknown", 3, [])


def test_members_are_those_the_pillar_names_asked_or_not() -> None:
    clusters = members({"controller1": PILLAR, "web1": {}, "web2": {"keepalived": {}}}, NODES[:2])

    assert clusters == {
        "controllers": [
            Member("controller1", ("VI_PUBLIC",), True),
            Member("controller2", ("VI_PUBLIC",), True),
            Member("controller3", ("VI_PUBLIC",), False),
        ]
    }


def test_a_node_may_run_more_than_the_others() -> None:
    own = {
        "keepalived": {
            **PILLAR["keepalived"],
            "nodes": {
                "controller1": {"config": {"vrrp_instance": {"VI_EXTRA": {}}}},
                "controller2": None,
            },
        }
    }

    (found,) = members({"controller1": own, "controller2": own}, NODES).values()

    assert [each.instances for each in found] == [("VI_PUBLIC", "VI_EXTRA"), ("VI_PUBLIC",)]


def test_a_node_with_its_own_pillar_knows_best_what_it_runs() -> None:
    own = {"keepalived": {**PILLAR["keepalived"], "config": {"vrrp_instance": {"VI_MINE": {}}}}}

    (found,) = members({"controller1": PILLAR, "controller3": own}, NODES).values()

    assert found[2] == Member("controller3", ("VI_MINE",), True)


def test_a_pillar_without_cluster_and_nodes_is_a_cluster_of_its_own_kind() -> None:
    pillar = {"keepalived": {"config": {"vrrp_instance": {"VI": {}}}}}

    assert members({"a": pillar, "b": pillar}, ["a"]) == {
        "default": [Member("a", ("VI",), True), Member("b", ("VI",), False)]
    }
