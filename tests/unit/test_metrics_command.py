"""The commands that a timer runs, as it runs them: Python without site packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

LIBRARY = Path(__file__).resolve().parents[2] / "salt" / "_utils"


def command(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-s", "-S", "-m", "keepalived_core", *words],
        env={"PYTHONPATH": str(LIBRARY), "PATH": "/usr/sbin:/usr/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_node_writes_its_file(tmp_path) -> None:
    path = tmp_path / "keepalived.prom"
    done = command("metrics", "--out", str(path))
    assert (done.returncode, done.stdout) == (0, "")
    assert "\nkeepalived_up " in path.read_text()


def test_the_master_writes_its_file_though_no_hub_ever_ran(tmp_path) -> None:
    path = tmp_path / "hub.prom"
    done = command("hub-metrics", "--timeline", str(tmp_path / "timeline.db"), "--out", str(path))
    assert done.returncode == 0, done.stderr
    assert "\nsalt_keepalived_hub_up 0\n" in path.read_text()


@pytest.mark.parametrize(
    ("environment", "begins"),
    [({}, "no metrics: "), ({"JOURNAL_STREAM": "8:1"}, "<3>no metrics: ")],
)
def test_what_cannot_be_written_is_an_error_in_the_journal(tmp_path, environment, begins) -> None:
    out = str(tmp_path / "none" / "keepalived.prom")
    done = command("metrics", "--out", out, **environment)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(begins)


def test_a_damaged_timeline_leaves_the_old_file(tmp_path) -> None:
    """Its age then says that something is wrong."""
    timeline, path = tmp_path / "timeline.db", tmp_path / "hub.prom"
    timeline.write_bytes(b"this is no database" * 100)
    path.write_text("old 1\n")
    done = command("hub-metrics", "--timeline", str(timeline), "--out", str(path))
    assert done.returncode == 1
    assert path.read_text() == "old 1\n"
    assert str(timeline) in done.stderr


@pytest.mark.parametrize(
    "words", [("metrics", "--out", "keepalived.prom"), ("hub-metrics",), ("metrics", "--x")]
)
def test_a_wrong_command_line_has_a_status_of_its_own(words) -> None:
    assert command(*words).returncode == 3
