"""The ledger: once, not too often, and kept."""

from __future__ import annotations

import multiprocessing
import sqlite3
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalived_core.cluster.ledger import KEEP_SECONDS, Ledger, LedgerError, Run

NOW = 1_000_000.0


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "keepalived" / "react.db")


EVENTS = st.tuples(
    st.sampled_from(["n1", "n2"]),
    st.sampled_from(["stream-a", "stream-b"]),
    st.integers(1, 4),
    st.sampled_from(["alert", "remediate"]),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(EVENTS, min_size=1, max_size=40))
def test_i10_of_all_who_claim_an_event_exactly_one_gets_it(events: list) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "react.db")
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda one: (one, ledger.claim(*one, NOW)), events))

    assert sorted(one for one, got in won if got) == sorted(set(events))


def _claim(path: str) -> bool:
    return Ledger(path).claim("n1", "stream-a", 1, "alert", NOW)


BEGIN = "import sqlite3, sys; sqlite3.connect(sys.argv[1], timeout=0).execute('BEGIN IMMEDIATE')"


def test_another_thread_that_opens_the_ledger_does_not_end_a_transactions_lock(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keepalived_core.cluster.ledger.BUSY_SECONDS", 0.1)
    # what a process closes it unlocks, whichever thread it was (fcntl_locking(2))
    with ledger.transaction(), ThreadPoolExecutor(1) as pool:
        with pytest.raises(LedgerError, match="locked"):
            pool.submit(ledger.claim, "n1", "stream-a", 1, "alert", NOW).result()
        other = subprocess.run(
            [sys.executable, "-c", BEGIN, str(ledger.path)],
            capture_output=True,
            text=True,
            check=False,
        )

    assert "database is locked" in other.stderr


def test_claims_of_several_processes_exclude_each_other(ledger: Ledger) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert sum(pool.map(_claim, [str(ledger.path)] * 9)) == 1


def test_two_who_decide_at_once_see_each_other(ledger: Ledger) -> None:
    def decide(_: int) -> bool:
        with ledger.deciding("n1") as runs:
            if runs.all():
                return False
            runs.start("chk", "haproxy", NOW, NOW + 300)
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(decide, range(16))) == 1


def test_a_repair_is_remembered_by_the_next_process(ledger: Ledger) -> None:
    with ledger.deciding("n1") as runs:
        number = runs.start("chk", "haproxy", NOW, NOW + 300)
    ledger.finish(number, NOW + 2)

    with Ledger(ledger.path).deciding("n1") as runs:
        assert runs.all() == [Run("chk", "haproxy", NOW, NOW + 300, NOW + 2)]
    with Ledger(ledger.path).deciding("n2") as runs:
        assert runs.all() == []


def test_a_decision_that_breaks_off_leaves_nothing(ledger: Ledger) -> None:
    with pytest.raises(ZeroDivisionError), ledger.deciding("n1") as runs:
        runs.start("chk", "haproxy", NOW, NOW + 300)
        raise ZeroDivisionError

    with ledger.deciding("n1") as runs:
        assert runs.all() == []


def test_the_trail_shows_the_newest_the_oldest_first(ledger: Ledger) -> None:
    for number in range(5):
        ledger.record("alert", "sent", "controllers", {"minion": f"n{number}"}, NOW + number)

    assert ledger.trail(2) == [
        {
            "at": NOW + n,
            "kind": "alert",
            "what": "sent",
            "cluster": "controllers",
            "minion": f"n{n}",
        }
        for n in (3, 4)
    ]


def test_without_a_ledger_the_trail_is_empty_and_none_is_made(ledger: Ledger) -> None:
    assert ledger.trail(10) == []
    assert not ledger.path.parent.exists()


def test_what_is_older_than_a_month_goes(ledger: Ledger) -> None:
    ledger.claim("n1", "stream-a", 1, "alert", NOW)
    ledger.record("alert", "sent", "controllers", {}, NOW)
    with ledger.deciding("n1") as runs:
        runs.start("chk", "haproxy", NOW, NOW + 300)

    ledger.claim("n1", "stream-a", 2, "alert", NOW + KEEP_SECONDS - 1)
    assert len(ledger.trail(10)) == 1
    ledger.claim("n1", "stream-a", 3, "alert", NOW + KEEP_SECONDS + 1)

    assert ledger.trail(10) == []
    with ledger.deciding("n1") as runs:
        assert runs.all() == []
    assert ledger.claim("n1", "stream-a", 1, "alert", NOW + KEEP_SECONDS + 2)
    assert not ledger.claim("n1", "stream-a", 2, "alert", NOW + KEEP_SECONDS + 2)


def test_only_the_master_may_read_it(ledger: Ledger) -> None:
    ledger.record("alert", "sent", "controllers", {}, NOW)

    assert stat.S_IMODE(ledger.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ledger.path.parent.stat().st_mode) == 0o700


def damaged(path: Path) -> None:
    path.write_bytes(b"no database" * 100)


def newer(path: Path) -> None:
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version = 99")
    database.close()


def a_directory(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [(damaged, "move it away"), (newer, "a newer release"), (a_directory, "Is a directory")],
)
def test_a_ledger_that_cannot_be_used_says_why_and_what_to_do(
    ledger: Ledger, spoil, says: str
) -> None:
    ledger.path.parent.mkdir(mode=0o700)
    spoil(ledger.path)

    with pytest.raises(LedgerError, match=says) as caught:
        ledger.claim("n1", "stream-a", 1, "alert", NOW)
    assert str(ledger.path) in str(caught.value)
