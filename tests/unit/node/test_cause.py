"""Causes read from real dumps of keepalived, made of state_dumps/keepalived.conf.

In each the one thing was broken that its name says; ``priority-lower`` has a peer.
``proc_sleep`` never had its process: VI_6 is in FAULT in all of them.
"""

from pathlib import Path

import pytest

from keepalived_core.node import cause, state_dump

DUMPS = Path(__file__).with_name("state_dumps")
VERSIONS = sorted(path.name for path in DUMPS.iterdir() if path.is_dir())

#: (dump, question, name, answer)
CASES = [
    ("check-failed", "fault", "VI_A", "check chk_good failed"),
    ("check-failed", "fault", "VI_B", "check chk_good failed (VI_A in sync group G)"),
    ("check-failed", "fault", "G", "check chk_good failed (VI_A in sync group G)"),
    (
        "check-failed",
        "fault",
        "VI_6",
        "check chk_good failed; track_process proc_sleep has too few processes",
    ),
    (
        "check-failed",
        "priority",
        "VI_C",
        "check chk_weighted failed, weight -30; "
        "track_process proc_sleep has too few processes, weight -10",
    ),
    ("group-check-failed", "fault", "VI_A", "check chk_group failed (sync group G)"),
    ("group-check-failed", "fault", "G", "check chk_group failed (sync group G)"),
    ("link-down", "fault", "VI_A", "eth2 has no carrier"),
    ("link-down", "fault", "VI_B", "eth2 has no carrier"),
    (
        "link-down",
        "fault",
        "G",
        "eth2 has no carrier (VI_A in sync group G); eth2 has no carrier (VI_B in sync group G)",
    ),
    ("file-set", "fault", "VI_A", "track_file hand is 7"),
    (
        "file-set",
        "priority",
        "VI_C",
        "track_file drain is 20, weight -2; "
        "track_process proc_sleep has too few processes, weight -10",
    ),
    ("good", "fault", "VI_A", cause.UNKNOWN),
    ("good", "fault", "VI_6", "track_process proc_sleep has too few processes"),
    ("good", "backup", "VI_A", cause.UNKNOWN),
    ("good", "backup", "no such instance", cause.UNKNOWN),
    ("good", "fault", "no such instance", cause.UNKNOWN),
    ("address-taken", "backup", "VI_C", cause.REMOVED),
    ("priority-lower", "backup", "VI_A", "a peer with priority 200 took over"),
    (
        "priority-lower",
        "backup",
        "VI_B",
        "VI_A in sync group G: a peer with priority 200 took over",
    ),
    (
        "priority-lower",
        "backup",
        "VI_C",
        "a peer with priority 100 took over, its own fell from 120 to 80 "
        "(check chk_weighted failed, weight -30; "
        "track_process proc_sleep has too few processes, weight -10)",
    ),
]


def account(version, name):
    return state_dump.parse((DUMPS / version / f"{name}.txt").read_text())


def test_there_are_dumps_of_both_releases():
    assert VERSIONS == ["2.2.7", "2.3.3"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("dump", "question", "name", "answer"), CASES)
def test_a_cause_is_what_the_dump_shows(version, dump, question, name, answer):
    ask = {"fault": cause.of_fault, "backup": cause.of_backup, "priority": cause.of_priority}
    assert ask[question](account(version, dump), name) == answer


@pytest.mark.parametrize("version", VERSIONS)
def test_no_password_is_kept(version):
    text = (DUMPS / version / "good.txt").read_text()
    assert "s3cret" in text
    assert "s3cret" not in repr(state_dump.parse(text))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_dump_that_is_cut_off_is_refused_or_whole_in_what_counts(version):
    text = (DUMPS / version / "check-failed.txt").read_text()
    whole = cause.of_fault(state_dump.parse(text), "VI_A")
    for length in range(0, len(text), 97):
        try:
            found = state_dump.parse(text[:length])
        except ValueError:
            continue
        assert cause.of_fault(found, "VI_A") == whole


@pytest.mark.parametrize(
    "text",
    ["", "garbage", "------< Interfaces >------", "\0" * 99, "------< VRRP Topology >------"],
)
def test_what_is_no_dump_is_refused(text):
    with pytest.raises(ValueError, match="no whole dump"):
        state_dump.parse(text)


def test_a_script_that_was_not_run_yet_neither_fails_nor_passes():
    text = (
        (DUMPS / "2.2.7" / "check-failed.txt").read_text().replace("Status = BAD", "Status = INIT")
    )
    assert cause.of_fault(state_dump.parse(text), "VI_A") == cause.UNKNOWN


def test_many_causes_stay_readable():
    account = state_dump.Account(
        instances={"A": state_dump.Told(scripts={f"s{n}": 0 for n in range(9)})},
        scripts={f"s{n}": True for n in range(9)},
    )
    assert cause.of_fault(account, "A") == (
        "check s0 failed; check s1 failed; check s2 failed; and 6 more"
    )
