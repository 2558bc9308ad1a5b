"""The second at which all nodes reload: kept, confirmed, called off."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from keepalived_core.node import appointment
from keepalived_core.node.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths.under(tmp_path)


def test_who_waits_says_so_and_is_done_in_that_second(paths: Paths) -> None:
    at = int(time.time()) + 2
    waiting = threading.Thread(target=appointment.keep, args=(at, paths))
    waiting.start()
    deadline = time.monotonic() + 1
    while appointment.waits_for(paths) != at and time.monotonic() < deadline:
        time.sleep(0.01)

    assert appointment.waits_for(paths) == at
    waiting.join(10)
    assert time.time() >= at
    assert appointment.waits_for(paths) is None


def test_one_that_is_called_off_meanwhile_is_not_kept(paths: Paths) -> None:
    at = int(time.time()) + 60
    threading.Timer(0.2, appointment.call_off, args=(at, paths)).start()

    with pytest.raises(appointment.CalledOff, match="nothing was reloaded"):
        appointment.keep(at, paths)

    assert appointment.waits_for(paths) is None


def test_one_that_was_called_off_before_it_arrived_is_not_kept_but_another_is(paths: Paths) -> None:
    at = int(time.time()) + 60
    appointment.call_off(at, paths)

    with pytest.raises(appointment.CalledOff):
        appointment.keep(at, paths)
    appointment.keep(int(time.time()) + 1, paths)


def test_calling_off_takes_the_order_back_that_keepalived_has(paths: Paths) -> None:
    paths.run_dir.mkdir(parents=True)
    paths.reload_time.write_text("2026-11-22 03:04:05Z\n", encoding="ascii")

    appointment.call_off(1795339530, paths)

    assert not paths.reload_time.exists()


@pytest.mark.parametrize("text", ["", "[]", '{"at": "x"}', '{"at": 99999999999, "pid": 0}'])
def test_a_note_that_makes_no_sense_confirms_nothing(text: str, paths: Paths) -> None:
    paths.run_dir.mkdir(parents=True)
    (paths.run_dir / "appointment.json").write_text(text, encoding="utf-8")

    assert appointment.waits_for(paths) is None
