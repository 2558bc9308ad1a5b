"""Maintenance windows: typed, kept, ended, told."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keepalived_core.cluster import ledger as ledgers
from keepalived_core.cluster import silence as silencing
from keepalived_core.cluster.deeds import Silence
from keepalived_core.cluster.ledger import CLOSING_SECONDS, Ledger
from keepalived_core.cluster.policy import Action, silenced
from keepalived_core.cluster.table import Painter
from keepalived_core.policy_pillar import Rule

NOW = 1_800_000_000.0


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "react.db")


def window(seconds: float = 600, cluster: str = "c", since: float = NOW) -> Silence:
    return Silence(cluster, since, since + seconds, "new switch", "root")


SPANS = {"90s": 90, "30m": 1800, "2h": 7200, "7d": 604800, "600": 600, 600: 600, " 2h ": 7200}


@pytest.mark.parametrize(("span", "seconds"), SPANS.items())
def test_a_span_is_read(span: object, seconds: int) -> None:
    assert silencing.begin("c", span, "why", "root", NOW).until == NOW + seconds


@pytest.mark.parametrize("span", [None, "", "0", "59s", "8d", "2 weeks", "-5m", True, 1.5, "٣h"])
def test_what_is_no_span_is_refused_with_what_would_be_right(span: object) -> None:
    with pytest.raises(ValueError, match="give 1m to 7d"):
        silencing.begin("c", span, "why", "root", NOW)


@pytest.mark.parametrize("reason", [None, "", "  "])
def test_a_window_without_a_reason_is_refused(reason: object) -> None:
    with pytest.raises(ValueError, match="a reason is missing"):
        silencing.begin("c", "2h", reason, "root", NOW)


def test_i12_a_window_silences_until_its_end_and_no_longer(ledger: Ledger) -> None:
    ledger.silence(window())

    during = silenced(ledger.silence_of("c", NOW + 599), NOW + 599)
    assert during == "silenced until 2027-01-15T08:10:00.000000Z by root: new switch"
    assert silenced(ledger.silence_of("c", NOW + 600), NOW + 600) is None
    assert ledger.silence_of("other", NOW + 1) is None


def test_a_second_window_takes_the_place_of_the_first(ledger: Ledger) -> None:
    ledger.silence(window(600))
    ledger.silence(window(60, since=NOW + 10))

    assert [each.until for each in ledger.silences(NOW + 11)] == [NOW + 70]
    # what was wrong at the end is told once
    assert len(ledger.take_ended_silences(NOW + 700)) == 1


def test_i12_the_end_of_a_window_is_told_until_somebody_has_told_it(ledger: Ledger) -> None:
    ledger.silence(window())
    assert not ledger.has_ended_silences(NOW + 599)
    assert ledger.has_ended_silences(NOW + 600)

    ((number, found),) = ledger.take_ended_silences(NOW + 600)
    assert found == window()
    assert not ledger.has_ended_silences(NOW + 601)
    assert ledger.take_ended_silences(NOW + 601) == []  # somebody is at it

    # who took it was killed
    later = NOW + 601 + CLOSING_SECONDS
    assert ledger.has_ended_silences(later)
    assert [again for again, _ in ledger.take_ended_silences(later)] == [number]

    ledger.close_silence(number)
    assert not ledger.has_ended_silences(later + CLOSING_SECONDS + 1)


def test_a_window_can_be_ended_before_its_time(ledger: Ledger) -> None:
    assert not ledger.unsilence("c", NOW)
    ledger.silence(window())

    assert ledger.unsilence("c", NOW + 5)

    assert ledger.silences(NOW + 5) == []
    assert len(ledger.take_ended_silences(NOW + 5)) == 1


def test_without_a_file_there_is_no_window_and_none_is_made(ledger: Ledger) -> None:
    assert ledger.silences(NOW) == []
    assert not ledger.has_ended_silences(NOW)
    assert not ledger.path.exists()


STEPS = st.lists(
    st.tuples(st.sampled_from(["silence", "unsilence", "end"]), st.integers(1, 400)), max_size=25
)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_i12_no_window_is_forgotten(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:
    """Whatever is begun, replaced and ended: after the last end, one telling is due or was made."""
    ledger = Ledger(tmp_path_factory.mktemp("silence") / "react.db")
    now, until, told = NOW, None, True
    for what, seconds in steps:
        now += seconds
        if until is not None and now >= until:
            until = None
        if what == "silence":
            # one that ended before is told of besides
            ledger.silence(window(200, since=now))
            until, told = now + 200, False
        elif what == "unsilence":
            assert ledger.unsilence("c", now) is (until is not None)
            until = None
        else:
            taken = ledger.take_ended_silences(now)
            for number, _ in taken:
                ledger.close_silence(number)
            assert bool(taken) or told or until is not None
            told = told or until is None
        assert (ledger.silence_of("c", now) is not None) is (until is not None)


def test_what_is_wrong_after_it_is_said_with_what_was_kept_back() -> None:
    verdicts = [
        {"instance": "VI", "verdict": "no master", "reason": "no node holds the address"},
        {"instance": "VI_2", "verdict": "ok", "reason": "n1 holds the address"},
    ]
    incident = {"id": "i1", "kind": "no_master", "instance": "VI", "opened": "2027-01-15T08:01:00Z"}

    wrong, text = silencing.after(window(), verdicts, [incident], 3)

    assert wrong == [
        "VI is NO MASTER: no node holds the address",
        "incident i1 (no master of VI) is open since 2027-01-15T08:01:00Z",
    ]
    assert text.startswith("The maintenance of c (new switch, by root) is over: VI is NO MASTER")
    assert text.endswith("[3 alerts kept back meanwhile]")


def test_when_all_is_well_nothing_is_wrong() -> None:
    wrong, text = silencing.after(window(), [{"instance": "VI", "verdict": "ok"}], [], 1)

    assert wrong == []
    assert "all is well [1 alert kept back meanwhile]" in text


def test_the_table_says_who_why_and_how_long(ledger: Ledger) -> None:
    data = silencing.show([window()], NOW + 60)

    head, row = silencing.screen({**data, "message": None}, Painter(False))

    assert head.split() == ["cluster", "since", "until", "left", "who", "reason"]
    assert row.split()[0] == "c"
    assert "9 m" in row and row.endswith("new switch")
    assert silencing.screen(silencing.show([], NOW), Painter(False)) == ["No cluster is silenced."]


# --- the file ---------------------------------------------------------------------------------


def action(key: str = "i1/split_brain/drain") -> Action:
    return Action(key, "i1", "split_brain", "drain", "n1", ("VI",), Rule("drain"), "why")


def test_a_deed_is_kept_with_its_cluster_and_cannot_be_begun_twice(ledger: Ledger) -> None:
    with ledger.deciding_about("c") as deeds:
        deeds.start(action(), NOW)
    with pytest.raises(ledgers.LedgerError), ledger.deciding_about("c") as deeds:
        deeds.start(action(), NOW + 1)
    with ledger.deciding_about("other") as deeds:
        assert deeds.all() == []
    ledger.finish_deed("i1/split_brain/drain", NOW + 5)
    with ledger.deciding_about("c") as deeds:
        (deed,) = deeds.all()

    assert (deed.minion, deed.action, deed.started, deed.ended) == ("n1", "drain", NOW, NOW + 5)


def test_a_file_of_the_first_schema_keeps_what_it_has(tmp_path: Path) -> None:
    path = tmp_path / "react.db"
    old = sqlite3.connect(path)
    old.executescript(ledgers._SCHEMAS[0])
    old.execute("INSERT INTO run VALUES (7, 'n1', 'chk', 'haproxy', ?, ?, NULL)", (NOW, NOW + 300))
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    ledger = Ledger(path)

    ledger.silence(window())

    with ledger.deciding("n1") as runs:
        assert [run.service for run in runs.all()] == ["haproxy"]
    assert len(ledger.silences(NOW)) == 1
