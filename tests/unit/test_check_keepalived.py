"""The Nagios plugin, run as Nagios runs it, on what the library writes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from keepalived_core import exposition
from keepalived_core.cluster import metrics as cluster_metrics
from keepalived_core.cluster.incident_state import KINDS
from keepalived_core.node.spool_delivery import Backlog
from tests.unit import metrics_samples as samples

FOLDER = Path(__file__).resolve().parents[2] / "salt" / "keepalived" / "files" / "monitoring"
PLUGIN = FOLDER / "check_keepalived"

#: One line, text before the bar, after it 'name'=value[unit];warning;critical;minimum.
LINE = re.compile(r"KEEPALIVED (\w+) - ([^|]+)( \| ('[^'|=]+'=-?[0-9.]+s?;[^; ]*;[^; ]*;0 ?)+)?")


def plugin(path: Path, *words: str) -> tuple[int, str, str]:
    """(exit status, its word, the text before the perfdata)."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(PLUGIN), "-f", str(path), *words],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    first = done.stdout.splitlines()[0]
    match = LINE.fullmatch(first)
    assert match, first
    assert done.stderr == ""
    return done.returncode, match[1], match[2]


def node(**given: Any) -> str:
    return exposition.render(samples.node(**{"now": time.time(), **given}))


def vip(present: bool) -> list[dict[str, Any]]:
    return [{**samples.STATUS["instances"][0]["vips"][0], "present": present}]


DOWN = {"version": "2.2.7", "running": False, "pid": None, "problem": None}
STOPPED = {"state": "STOP", "vips": vip(False)}
WATCHLESS = {"running": False, "spool": {}, "problems": []}


def test_a_node_that_is_well_says_what_it_has(tmp_path) -> None:
    path = tmp_path / "keepalived.prom"
    path.write_text(node())
    assert plugin(path) == (0, "OK", "VI_1 MASTER with 192.0.2.10/24")


@pytest.mark.parametrize(
    ("given", "word", "part"),
    [
        ({"instance": {"state": "BACKUP", "vips": vip(False)}}, "OK", "VI_1 BACKUP"),
        ({"instance": STOPPED, "keepalived": DOWN}, "CRITICAL", "keepalived does not run"),
        ({"instance": {"vips": vip(False)}}, "CRITICAL", "VI_1 is MASTER without 192.0.2.10/24"),
        ({"instance": {"state": "BACKUP"}}, "CRITICAL", "VI_1 is BACKUP and has 192.0.2.10/24"),
        ({"instance": {"state": "FAULT", "vips": vip(False)}}, "WARNING", "VI_1 is in FAULT"),
        ({"instance": {"state": None}}, "WARNING", "the state of VI_1 is not known"),
        ({"watch": WATCHLESS}, "WARNING", "nobody records transitions"),
        (
            {"instance": STOPPED, "keepalived": DOWN, "drain": {"drained": True}},
            "OK",
            "drained; keepalived does not run",
        ),
        (
            {"instance": {"state": "FAULT", "vips": vip(False)}, "drain": {"drained": True}},
            "OK",
            "drained; VI_1 FAULT",
        ),
        (
            {"instance": {"state": "FAULT"}, "drain": {"drained": True}},
            "CRITICAL",
            "VI_1 is FAULT and has 192.0.2.10/24",
        ),
        (
            {"waiting": lambda: Backlog(2, round((time.time() - 500) * 1e6))},
            "WARNING",
            "an event is not delivered for 5",
        ),
    ],
)
def test_a_node_is_judged_by_what_it_wrote(tmp_path, given, word, part) -> None:
    path = tmp_path / "keepalived.prom"
    # what has an age is made now, not when the tests were collected
    now = {key: value() if callable(value) else value for key, value in given.items()}
    path.write_text(node(**now))
    status, told, text = plugin(path)
    assert (told, status) == (word, {"OK": 0, "WARNING": 1, "CRITICAL": 2}[word])
    assert part in text


def hub(kinds: tuple[str, ...] = (), silenced: bool = False, age: float = 1.0, **changes: Any):
    now = time.time()
    states = {"VI_1": {"state": "MASTER", "vip_present": True}}
    told: dict[str, Any] = {
        "running": True, "counters": {}, "rejected": [], "file": {"rows": 1, "bytes": 1},
        "nodes": [
            {
                "node": "n1", "cluster": "controllers", "age": age, "lag": 0, "missing": 0,
                "lost": 0, "clock_ahead": 0.0, "states": states,
            }
        ],
        **changes,
    }  # fmt: skip
    incidents = [
        {
            "cluster": "controllers", "instance": "VI_1", "kind": kind, "id": f"i{kind}",
            "opened": "2026-11-22T03:04:05Z", "seconds_without_owner": 0.0,
        }
        for kind in kinds
    ]  # fmt: skip
    figures = samples.figures("controllers" if silenced else None, now)
    return exposition.render(cluster_metrics.families(told, incidents, {}, figures, 30.0, now))


@pytest.mark.parametrize(
    ("given", "word", "part"),
    [
        ({}, "OK", "1 instances in 1 clusters"),
        ({"kinds": ("split_brain",)}, "CRITICAL", "split brain in controllers"),
        ({"kinds": ("degraded",)}, "WARNING", "degraded in controllers"),
        ({"kinds": ("degraded", "no_master")}, "CRITICAL", "no master in controllers; degraded"),
        ({"kinds": ("split_brain",), "silenced": True}, "OK", "controllers is in maintenance"),
        ({"running": False}, "CRITICAL", "the hub does not run"),
        ({"age": 90.0}, "WARNING", "n1 is silent for 90 s"),
    ],
)
def test_all_clusters_are_judged_by_what_the_hub_wrote(tmp_path, given, word, part) -> None:
    path = tmp_path / "hub.prom"
    path.write_text(hub(**given))
    _, told, text = plugin(path)
    assert told == word
    assert part in text


def test_every_kind_of_incident_is_told_and_the_alert_rules_call_the_same_critical(tmp_path):
    path = tmp_path / "hub.prom"
    rules = (FOLDER / "keepalived.rules.yml").read_text()
    (critical,) = set(re.findall(r'kind[=!]~"([a-z_|]+)"', rules))
    for kind in KINDS:
        path.write_text(hub(kinds=(kind,)))
        word = "CRITICAL" if kind in critical.split("|") else "WARNING"
        assert plugin(path)[1:] == (word, f"{kind.replace('_', ' ')} in controllers"), kind


@pytest.mark.parametrize(
    ("age", "words", "status"),
    [
        (30, (), 0),
        (90, (), 1),
        (400, (), 2),
        (90, ("-w", "120", "-c", "200"), 0),
        (90, ("-w", "10:80"), 1),
        (5, ("-w", "10:80"), 1),
        (90, ("-c", "@60:100"), 2),
        (90, ("-w", "~:100"), 0),
    ],
)
def test_a_file_that_is_old_is_judged_by_the_thresholds(tmp_path, age, words, status) -> None:
    path = tmp_path / "keepalived.prom"
    path.write_text(node(now=time.time() - age))
    assert plugin(path, *words)[0] == status


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (None, "No such file"),
        ("", "no time of keepalived's metrics"),
        ("node_load1 0.2\n", "no time of keepalived's metrics"),
        ("\x00\xff{{{\n", "no time of keepalived's metrics"),
        ("salt_keepalived_metrics_timestamp_seconds 99999999999\n", "in the future"),
        (
            "salt_keepalived_hub_metrics_timestamp_seconds 1\nsalt_keepalived_incidents_open NaN\n",
            "ValueError: cannot convert float NaN to integer",
        ),
    ],
)
def test_what_says_nothing_is_unknown(tmp_path, text, part) -> None:
    path = tmp_path / "keepalived.prom"
    if text is not None:
        path.write_text(text)
    status, word, told = plugin(path)
    assert (status, word) == (3, "UNKNOWN")
    assert part in told


@pytest.mark.parametrize("words", [("-w", "x"), ("-w", "9:1"), ("--no-such",), ("-c", "")])
def test_a_wrong_command_line_is_unknown(tmp_path, words) -> None:
    done = subprocess.run([str(PLUGIN), *words], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stdout.startswith("KEEPALIVED UNKNOWN - ")


def test_a_hostile_name_neither_ends_the_line_nor_begins_perfdata(tmp_path) -> None:
    path = tmp_path / "keepalived.prom"
    path.write_text(node(instance={"instance": 'a|b\n"}\\ c', "state": "FAULT"}))
    _, word, text = plugin(path)
    assert word == "CRITICAL"
    assert 'a b "}\\ c is in FAULT' in text


@pytest.mark.parametrize("end", ["\u2028", "\x85", "\r", "\f"])
def test_only_a_line_feed_ends_a_line(tmp_path, end) -> None:
    """What else Unicode counts as one may be in a name."""
    path = tmp_path / "keepalived.prom"
    path.write_text(node(instance={"instance": f"VI{end}1", "vips": vip(False)}), newline="")
    _, word, text = plugin(path)
    assert word == "CRITICAL"
    assert "VI 1 is MASTER without 192.0.2.10/24" in text


def test_a_name_that_the_terminal_cannot_show_is_written_out(tmp_path) -> None:
    path = tmp_path / "keepalived.prom"
    path.write_text(node(instance={"instance": "VI_Büro", "vips": vip(False)}), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(PLUGIN), "-f", str(path)],
        env={"PYTHONIOENCODING": "ascii"}, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (2, "")
    assert r"VI_B\xfcro is MASTER without" in done.stdout


def test_what_is_no_regular_file_is_unknown_and_not_waited_for(tmp_path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (tmp_path / "fifo", Path("/dev/null")):
        status, word, text = plugin(path)
        assert (status, word) == (3, "UNKNOWN")
        assert "it is no regular file" in text
    assert plugin(tmp_path)[:2] == (3, "UNKNOWN")


def test_it_tells_its_version(tmp_path) -> None:
    done = subprocess.run([str(PLUGIN), "-V"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "check_keepalived 1.0\n")
