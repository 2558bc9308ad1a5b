"""The outputter: tables for people, loaded by path as Salt does."""

from __future__ import annotations

import importlib.util
import io
import pathlib
import sys

import pytest

from keepalived_core.cluster.facts import Answer, Evidence, Member, gather
from keepalived_core.cluster.timeline import collect

sys.path.insert(0, str(pathlib.Path(__file__).parent / "cluster"))
from cluster_samples import WHEN, answers, node_status, status

salt_logging = pytest.importorskip("salt._logging")

SOURCE = pathlib.Path(__file__).resolve().parents[2] / "salt/_output/keepalived.py"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def outputter(monkeypatch: pytest.MonkeyPatch):
    # Salt keeps log lines for a console that this process never gives it, and complains at exit.
    salt_logging.shutdown_temp_handler()
    # The library that the other tests hold stays theirs.
    for name in [name for name in sys.modules if name.partition(".")[0] == "keepalived_core"]:
        monkeypatch.setitem(sys.modules, name, sys.modules[name])
    monkeypatch.delenv("NO_COLOR", raising=False)
    spec = importlib.util.spec_from_file_location("output_under_test", SOURCE)
    module = importlib.util.module_from_spec(spec)
    module.__opts__ = {"color": True}
    spec.loader.exec_module(module)
    return module


NODES = ("controller1", "controller2", "controller3")


def cluster(**said: object) -> dict:
    answers = {node: Answer(what, WHEN) for node, what in said.items()}
    return gather({"controllers": [Member(node, ("VI_PUBLIC",)) for node in NODES]}, answers, WHEN)


DEGRADED = {
    "controller1": status("FAULT"),
    "controller3": status("MASTER", held=True),
}


def test_the_status_of_a_cluster_is_a_verdict_and_a_table(outputter) -> None:
    text = outputter.output(cluster(**DEGRADED))

    assert text.splitlines() == [
        "controllers  2 of 3 nodes answered",
        "VI_PUBLIC  vrid 52  192.168.1.220/24  DEGRADED: controller3 holds the address; "
        "controller1 is FAULT, controller2 is unknown",
        "  node         claim    vip  arp  prio  since  age      note",
        "  controller1  FAULT    -    ?    103   0 s    0.0 s",
        "  controller2  unknown  ?    ?    -     -      unknown  no answer",
        "  controller3  MASTER   yes  ?    103   0 s    0.0 s",
        "  arp:   not asked: nobody was asked",
        "  cause: controller1 is FAULT; controller2 is unknown (no answer)",
        "  next:  salt controller1 keepalived.checks; repair what keeps it in FAULT",
        "",
        "1 cluster, 0 critical, 0 unknown, 1 warning; the oldest answer is 0.0 s old; no hub",
    ]


STRANGER = "52:54:00:aa:bb:cc"


def test_a_stranger_that_answers_has_a_line_of_its_own(outputter) -> None:
    members = {"controllers": [Member(f"controller{n}", ("VI_PUBLIC",)) for n in (1, 2, 3)]}
    nodes = {f"controller{n}": node_status(n, "MASTER" if n == 3 else "BACKUP") for n in (1, 2, 3)}
    replies = {"controller1": Answer(answers(3, also=(STRANGER,)), WHEN)}
    said = {node: Answer(what, WHEN) for node, what in nodes.items()}

    lines = outputter.output(gather(members, said, WHEN, Evidence(replies))).splitlines()

    assert lines[1].partition("  SPLIT BRAIN: ")[1]
    assert [line.split()[:4] for line in lines[3:7]] == [
        ["controller3", "MASTER", "yes", "yes"],
        ["controller1", "BACKUP", "-", "-"],
        ["controller2", "BACKUP", "-", "-"],
        ["?", "-", "?", "yes"],
    ]
    assert lines[6].endswith(f"{STRANGER} answers for 192.168.1.220")


def test_a_lowered_priority_shows_both_numbers(outputter) -> None:
    lowered = status("BACKUP")
    lowered["instances"][0]["effective_priority"] = 53

    assert "103 -> 53" in outputter.output(cluster(controller1=lowered))


def test_the_timeline_ends_with_the_seconds_without_an_owner(outputter) -> None:
    rows = [
        {
            "stream_id": "s",
            "seq": seq,
            "time": f"2026-11-22T03:04:0{seq}.000000Z",
            "instance": "VI_PUBLIC",
            "from": None,
            "to": to,
            "reason": reason,
            "vips": ["192.168.1.220/24"],
            "vip_present": to == "MASTER",
            "planned": seq == 3,
        }
        for seq, to, reason in ((1, "MASTER", None), (2, "FAULT", "chk"), (3, "MASTER", "\x1b[2J"))
    ]

    text = outputter.output(collect(["a", "b"], {"a": Answer(rows, 0.0)}, 20, WHEN))

    assert text.splitlines() == [
        "  time                         node  instance   transition   vip  reason",
        "  2026-11-22T03:04:01.000000Z  a     VI_PUBLIC  - -> MASTER  yes  -",
        "  2026-11-22T03:04:02.000000Z  a     VI_PUBLIC  - -> FAULT   no   chk",
        "  2026-11-22T03:04:03.000000Z  a     VI_PUBLIC  - -> MASTER  yes  ?[2J (planned)",
        "192.168.1.220/24: no owner for 1.000 s in 1 gap",
        "b: its journal is missing (no answer)",
    ]


def test_reactions_are_a_table_too(outputter) -> None:
    row = {
        "time": "2026-11-22T03:04:05.000000Z",
        "kind": "remediation",
        "what": "succeeded",
        "minion": "controller3",
        "instance": "VI_PUBLIC",
        "action": "restart haproxy",
        "reason": "chk_haproxy passes again",
        "seconds": 0.4,
    }

    text = outputter.output({"kind": "reactions", "rows": [row]})

    assert text.splitlines()[1].split("  ")[1:] == [
        *(str(row[key]) for key in ("time", "kind", "what", "minion", "instance", "action")),
        "chk_haproxy passes again",
        "0.4 s",
    ]
    assert outputter.output({"kind": "reactions", "rows": []}) == "No reaction yet."


def test_reach_is_a_table_too(outputter) -> None:
    data = {"kind": "reach", "clusters": [], "message": "There is no cluster x; known: none."}

    assert outputter.output(data) == "There is no cluster x; known: none."


def test_an_imported_file_is_its_yaml_alone(outputter) -> None:
    made = {"yaml": "keepalived: {}\n", "complete": True, "notes": [], "pillar": {}}
    assert outputter.output({"local": made}) == "keepalived: {}"


def test_what_nodes_say_of_themselves_is_a_table_each(outputter) -> None:
    stopped = {"version": "2.2.7", "running": False, "pid": None, "problem": None}
    data = {
        "controller3": status("MASTER", held=True),
        "controller1": status("STOP", keepalived=stopped, watch={"running": False}),
    }

    lines = outputter.output(data).splitlines()

    assert lines[0] == "controller1  controllers  keepalived 2.2.7  NOT RUNNING  watch NOT RUNNING"
    row = ["VI_PUBLIC", "STOP", "no", "103", "52", "eth1", "1", "s", "192.168.1.220/24"]
    assert lines[2].split() == [*row, "(absent)"]
    assert lines[3] == "controller3  controllers  keepalived 2.2.7  running  watch running"
    assert lines[5].split() == [row[0], "MASTER", "yes", *row[3:]]


DRAINS = [
    (
        {
            "drained": True,
            "mode": "weight",
            "since": "9:00",
            "until": "18:00",
            "reason": "disk\x1b",
        },
        "  DRAINED (weight) since 9:00 until 18:00: disk?",
    ),
    (
        {"drained": True, "mode": "fault", "since": "9:00", "problem": "its time is over"},
        "  DRAINED (fault) since 9:00: -; its time is over",
    ),
    ({"drained": False, "problem": "no number in it"}, "  no number in it"),
]


@pytest.mark.parametrize(("drain", "line"), DRAINS)
def test_a_drained_node_says_so_first(outputter, drain: dict, line: str) -> None:
    lines = outputter.output({"controller3": status("BACKUP", drain=drain)}).splitlines()

    assert lines[1] == line


def test_a_node_that_is_not_drained_says_nothing_of_it(outputter) -> None:
    drain = {"drained": False, "problem": None}

    text = outputter.output({"controller3": status("BACKUP", drain=drain)})

    assert "drain" not in text.lower()


@pytest.mark.parametrize(
    ("opts", "stream", "environ", "coloured"),
    [
        ({"color": True}, Terminal(), {}, True),
        ({"color": True}, io.StringIO(), {}, False),
        ({"color": False}, Terminal(), {}, False),
        ({}, Terminal(), {}, False),
        ({"color": True}, Terminal(), {"NO_COLOR": ""}, False),
        ({"color": True, "output_file": "/tmp/x"}, Terminal(), {}, False),
        ({"color": True, "force_color": True}, io.StringIO(), {}, True),
        ({"color": True, "force_color": True}, io.StringIO(), {"NO_COLOR": "1"}, False),
    ],
)
def test_colours_are_for_terminals_and_those_who_want_them(
    outputter, monkeypatch: pytest.MonkeyPatch, opts, stream, environ, coloured
) -> None:
    outputter.__opts__ = opts
    monkeypatch.setattr(sys, "stdout", stream)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert ("\x1b[" in outputter.output(cluster(**DEGRADED))) is coloured


@pytest.mark.parametrize(
    "data",
    [
        {"controller1": "The minion function caused an exception: Traceback"},
        {"controller1": "Minion did not return. [No response]"},
        "Exception occurred in runner keepalived.status",
        {},
        ["a"],
    ],
    ids=str,
)
def test_what_is_no_table_is_shown_as_salt_shows_it(outputter, data: object) -> None:
    text = outputter.output(data)

    assert isinstance(text, str)
    assert all(word in text for word in str(data).strip("{}[]'").replace("': '", " ").split())


def test_the_path_of_the_library_does_not_stay_behind(outputter) -> None:
    assert str(SOURCE.parents[1] / "utils") not in sys.path
