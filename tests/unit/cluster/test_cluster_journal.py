"""The journal of a cluster and its lock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from rollout_journals import rollout
from rollout_world import World

from keepalived_core.cluster.journal import Journal, JournalError, Locked


def test_two_never_work_on_one_cluster_and_the_second_is_told_who(tmp_path: Path) -> None:
    first = Journal(tmp_path, "controllers")
    with (
        first.locked("root", "a rollout", "2026-11-22T03:04:05Z"),
        pytest.raises(Locked, match=f"a rollout, started by root at 2026.*process {os.getpid()}"),
        Journal(tmp_path, "controllers").locked("else", "a drain", "later"),
    ):
        pass
    with Journal(tmp_path, "others").locked("else", "a drain", "later"):
        pass


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    code = (
        "import sys, time; from keepalived_core.cluster.journal import Journal\n"
        f"with Journal({str(tmp_path)!r}, 'c').locked('root', 'a rollout', 'now'):\n"
        "    print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Locked), Journal(tmp_path, "c").locked("else", "a drain", "later"):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    with Journal(tmp_path, "c").locked("else", "a drain", "later"):
        pass


@pytest.mark.parametrize("name", ["../../etc/x", "..", ".", "a b", "ü/../y"])
def test_a_cluster_s_name_leads_nowhere_else(name: str, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "rollout", name)
    with journal.locked("root", "a rollout", "now"):
        journal.write({"cluster": name})

    assert journal.path.parent == tmp_path / "rollout"
    assert journal.read() == {"schema": 1, "cluster": name}
    assert [path.name for path in tmp_path.iterdir()] == ["rollout"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99}'])
def test_a_journal_that_makes_no_sense_stops_everything(text: str, journal: Journal) -> None:
    journal.path.write_text(text, encoding="utf-8")

    with pytest.raises(JournalError, match=str(journal.path)):
        rollout(World(), journal).start()
