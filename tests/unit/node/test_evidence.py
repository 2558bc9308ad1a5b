"""Events wait for keepalived's word no longer than they may, and keep their order."""

import time

import pytest

from keepalived_core.node import dump, evidence, paths, process, state_dump

DAEMON = process.Daemon(1, 1, (2,), 2)
FAILED = state_dump.Account(
    instances={"A": state_dump.Told(scripts={"chk": 0})}, scripts={"chk": True}
)


class FakeRequest:
    """Asked at once; answers what the test has put into ``answer``."""

    answer = None
    made = 0
    refusal = None
    unread = False

    def __init__(self, daemon):
        type(self).made += 1
        self.asked_us = time.monotonic_ns() // 1000
        if self.refusal:
            raise self.refusal

    def poll(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def request_class(monkeypatch):
    made = type("Request", (FakeRequest,), {})
    monkeypatch.setattr(evidence, "_Request", made)
    return made


@pytest.fixture
def held(tmp_path):
    return evidence.Evidence(paths.Paths.under(tmp_path))


def draft(to, ask=None, reason="unknown"):
    found = {"type": "instance", "instance": "A", "to": to, "reason": reason}
    return {**found, "ask": ask} if ask else found


def told(drafts):
    assert all("ask" not in each for each in drafts)
    return [(each["to"], each["reason"]) for each in drafts]


def test_what_needs_no_cause_does_not_wait(held, request_class):
    assert told(held.take([draft("MASTER")], DAEMON)) == [("MASTER", "unknown")]
    assert held.due is None
    assert request_class.made == 0


def test_a_cause_is_waited_for_and_what_comes_after_waits_too(held, request_class):
    assert held.take([draft("FAULT", "fault"), draft("BACKUP")], DAEMON) == []
    assert held.take([draft("MASTER")], DAEMON) == []
    assert held.due is not None
    request_class.answer = FAILED
    assert told(held.take([], DAEMON)) == [
        ("FAULT", "check chk failed"),
        ("BACKUP", "unknown"),
        ("MASTER", "unknown"),
    ]
    assert request_class.made == 1


def test_an_answer_does_not_explain_what_happened_after_the_question(held, request_class):
    assert held.take([draft("FAULT", "fault")], DAEMON) == []
    time.sleep(0.002)
    assert held.take([draft("FAULT", "fault")], DAEMON) == []
    request_class.answer = FAILED
    assert len(held.take([], DAEMON)) == 1
    time.sleep(evidence.APART)
    assert len(held.take([], DAEMON)) == 1
    assert request_class.made == 2


def test_an_event_goes_without_a_cause_when_keepalived_is_too_slow(held, request_class):
    assert held.take([draft("FAULT", "fault")], DAEMON) == []
    time.sleep(evidence.HOLD)
    assert told(held.take([], DAEMON)) == [("FAULT", "unknown")]


def test_where_no_dump_comes_the_next_events_do_not_wait(held, request_class):
    assert held.take([draft("FAULT", "fault")], DAEMON) == []
    request_class.answer = dump.NoAnswer("none")
    assert told(held.take([], DAEMON)) == [("FAULT", "unknown")]
    assert told(held.take([draft("FAULT", "fault")], DAEMON)) == [("FAULT", "unknown")]
    assert request_class.made == 1


def test_a_keepalived_that_cannot_be_asked_now_is_asked_next_time(held, request_class):
    request_class.refusal = dump.NotReady("starting")
    assert told(held.take([draft("FAULT", "fault")], DAEMON)) == [("FAULT", "unknown")]
    request_class.refusal = None
    time.sleep(evidence.APART)
    assert held.take([draft("FAULT", "fault")], DAEMON) == []


def test_nothing_waits_for_a_keepalived_that_is_gone(held, request_class):
    assert held.take([draft("FAULT", "fault")], DAEMON) == []
    assert told(held.take([draft("STOP")], None)) == [("FAULT", "unknown"), ("STOP", "unknown")]


def test_while_somebody_else_asks_it_waits_its_turn(held, request_class, tmp_path):
    lock = dump.try_lock(paths.Paths.under(tmp_path))
    assert held.take([draft("FAULT", "fault")], DAEMON) == []
    assert request_class.made == 0
    dump.os.close(lock)
    request_class.answer = FAILED
    held.take([], DAEMON)
    assert request_class.made == 1


def test_a_reason_that_is_known_is_added_to(held, request_class):
    known = state_dump.Account(
        instances={"A": state_dump.Told(scripts={"chk": -10})}, scripts={"chk": True}
    )
    assert held.take([draft("priority", "priority", "was 100")], DAEMON) == []
    request_class.answer = known
    assert told(held.take([], DAEMON)) == [("priority", "was 100: check chk failed, weight -10")]


def test_what_was_learned_is_passed_on(tmp_path, request_class):
    learned = []
    held = evidence.Evidence(paths.Paths.under(tmp_path), learned.append)
    request_class.answer = FAILED
    ready = held.take([draft("FAULT", "fault")], DAEMON) or held.take([], DAEMON)
    assert learned == ready
