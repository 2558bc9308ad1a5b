"""The gate: what keepalived -t says is weighed message by message, never by exit status alone."""

import os

import pytest

from keepalived_core.check import gate

ONE_MEMBER = "Sync group VG1 has only 1 virtual router(s) - this probably isn't what you want"
NO_SECURITY = "SECURITY VIOLATION - scripts are being executed but script_security not enabled."

#: (what, exit status, what keepalived prints, may go live, errors, tolerated)
VERDICTS = [
    ("silence", 0, "", True, 0, 0),
    ("one-member sync group alone", 5, ONE_MEMBER, True, 0, 1),
    ("no script security alone", 6, NO_SECURITY, True, 0, 1),
    ("both tolerated messages", 6, f"{NO_SECURITY}\n{ONE_MEMBER}", True, 0, 2),
    (
        "tolerated beside a real error",
        5,
        f"{ONE_MEMBER}\n(Line 3) Unknown keyword 'x'",
        False,
        1,
        1,
    ),
    ("exit 0 but a message", 0, "(Line 11) Invalid smtp server mailrelay 25", False, 1, 0),
    (
        "exit 0 and the file skipped",
        0,
        "x is not a regular non-executable file - skipping",
        False,
        1,
        0,
    ),
    ("failure without a word", 5, "", False, 1, 0),
    ("killed by a signal", -6, "", False, 1, 0),
    ("a shell's way of saying so", 134, "", False, 1, 0),
]


@pytest.mark.parametrize(("what", "rc", "output", "ok", "errors", "tolerated"), VERDICTS)
def test_b12_exit_status_alone_decides_nothing(what, rc, output, ok, errors, tolerated):
    result = gate.interpret(rc, output)
    assert (result.ok, len(result.errors), len(result.tolerated)) == (ok, errors, tolerated), what


#: (exit status, version, what it means)
STATUS = [
    (5, (2, 2, 7), "errors"),
    (4, (2, 2, 4), "errors"),
    (4, (2, 2, 5), "cannot run"),
    (6, (2, 2, 4), "no configuration"),
    (5, (2, 1, 5), "script security"),
    (2, None, "lacks its value"),
]


@pytest.mark.parametrize(("rc", "version", "words"), STATUS)
def test_a_status_without_a_word_is_told_by_its_meaning_in_that_version(rc, version, words):
    assert words in gate.interpret(rc, "", version=version).report()


def test_each_message_counts_once_although_every_process_repeats_it():
    twice = "(a.conf: Line 3) Unknown keyword 'x'\n(Line 3) Unknown keyword 'x'"
    assert [(m.line, m.text) for m in gate.interpret(5, twice).errors] == [
        (3, "Unknown keyword 'x'")
    ]


def test_only_exit_status_zero_is_clean_enough_for_reload_check_config():
    assert gate.interpret(0, "").clean
    assert not gate.interpret(5, ONE_MEMBER).clean


def program(tmp_path, body):
    """A stand-in for keepalived, for exits that the real one shows only in other versions."""
    path = tmp_path / "keepalived"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


#: Files that keepalived -t answers with 0 and a reload answers by dropping every address.
UNSEEN = [
    ("missing", lambda path: None, "cannot be read"),
    ("directory", lambda path: path.mkdir(), "not a regular file"),
    ("executable", lambda path: (path.write_text("x\n"), path.chmod(0o750)), "executable"),
    ("empty", lambda path: path.write_text("\n"), "empty"),
    (
        "names a network namespace that is not there",
        lambda path: path.write_text("net_namespace nowhere-to-be-found\n"),
        "there is no network namespace nowhere-to-be-found",
    ),
]


@pytest.mark.parametrize(("what", "make", "reason"), UNSEEN)
def test_what_keepalived_does_not_see_is_refused_before_it_runs(tmp_path, what, make, reason):
    path = tmp_path / "keepalived.conf"
    make(path)
    witness = tmp_path / "ran"
    result = gate.run(str(path), binary=program(tmp_path, f"touch {witness}"))
    assert not result.ok
    assert reason in result.report()
    assert not witness.exists()


def test_a_version_without_config_test_is_said_to_be_untested(tmp_path):
    path = tmp_path / "keepalived.conf"
    path.write_text("vrrp_instance A {\n}\n")
    result = gate.run(str(path), binary="/nonexistent", version=(1, 3, 5))
    assert result.ok
    assert not result.tested


def test_a_test_that_never_ends_is_an_error_and_is_killed(tmp_path):
    path = tmp_path / "keepalived.conf"
    path.write_text("x\n")
    result = gate.run(str(path), binary=program(tmp_path, "exec sleep 60"), timeout=0.3)
    assert not result.ok
    assert "0.3 seconds" in result.report()


def test_b12_the_self_kill_of_2_2_7_is_judged_on_a_copy_in_which_root_runs_the_scripts(tmp_path):
    path = tmp_path / "keepalived.conf"
    path.write_text("global_defs {\n    script_user nobody\n}\n")
    binary = program(tmp_path, "if grep -q 'script_user nobody' $3; then kill -TERM $$; fi; exit 0")
    result = gate.run(str(path), binary=binary)
    assert result.ok
    assert not result.clean, "reload_check_config would meet the same end"
    assert sorted(os.listdir(tmp_path)) == ["keepalived", "keepalived.conf"], "no copy is left"


def test_a_script_user_that_does_not_exist_is_still_an_error(tmp_path):
    path = tmp_path / "keepalived.conf"
    path.write_text("global_defs {\n    script_user no-such-user\n}\n")
    binary = program(tmp_path, "if grep -q no-such-user $3; then kill -TERM $$; fi; exit 0")
    result = gate.run(str(path), binary=binary)
    assert not result.ok
    assert "no-such-user" in result.report()
