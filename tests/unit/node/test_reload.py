"""A reload is seen by what the daemon holds open, and asked for only when it can be heard."""

import time

import pytest

from keepalived_core.node import dump, process, reload
from keepalived_core.node.apply import ApplyError
from keepalived_core.node.reload import Mark

DAEMON = process.Daemon(pid=2**22 + 1, starttime=1)


def mark(sockets="", files=()):
    return Mark(frozenset(sockets.split()), frozenset(files))


#: (what, before, after, was there a reload between them)
MARKS = [
    ("nothing changed", mark("a b", [1]), mark("a b", [1]), False),
    ("other sockets", mark("a b", [1]), mark("a c", [2]), True),
    ("read, and not yet opened", mark("a b", [1]), mark("a b", [2]), False),
    ("all closed: every instance is gone or in FAULT", mark("a b", [1]), mark("", [2]), True),
    ("none were open, and the file is another", mark("", [1]), mark("", [2]), True),
    ("none were open, and some are", mark("", []), mark("a", []), True),
    ("none were open, and nothing changed", mark("", [1]), mark("", [1]), False),
]


@pytest.mark.parametrize(("what", "before", "after", "passed"), MARKS, ids=[r[0] for r in MARKS])
def test_what_proves_a_reload(what, before, after, passed):
    assert before.passed(after) is passed


def test_a_second_that_is_over_or_too_far_reloads_nothing():
    now = int(time.time())
    for second, words in ((now - 3, "is over"), (now, "over|too near"), (now + 4000, "name one")):
        with pytest.raises(reload.NotYet, match=words):
            reload.at_second(DAEMON, second, mark(), None)


def test_a_daemon_that_is_gone_is_an_error_that_says_so():
    with pytest.raises(ApplyError, match="died before the reload"):
        reload.hup(DAEMON)
    with pytest.raises(ApplyError, match="died during the reload"):
        reload.wait(DAEMON, mark("a"))


class Busy(process.Daemon):
    def frozen(self):
        return False


def test_a_reload_by_somebody_else_is_waited_for(monkeypatch):
    answers = iter([True, True, False])
    monkeypatch.setattr(reload, "_testing", lambda _daemon: next(answers))
    monkeypatch.setattr(reload.dump, "read_json", lambda _paths: None)
    reload.settle(Busy(1, 1))
    assert next(answers, None) is None


def test_one_that_does_not_end_is_an_error_before_anything_is_changed(monkeypatch):
    monkeypatch.setattr(reload, "_testing", lambda _daemon: True)
    with pytest.raises(ApplyError, match=r"busy with another reload.*nothing was changed"):
        reload.settle(Busy(1, 1), timeout=0.1)


def test_a_daemon_that_reads_a_large_file_is_given_time(monkeypatch):
    answers = iter([dump.NoAnswer("no"), dump.NoAnswer("no"), None])

    def read(_paths):
        answer = next(answers)
        if answer:
            raise answer

    monkeypatch.setattr(reload, "_testing", lambda _daemon: False)
    monkeypatch.setattr(reload, "mark", lambda _daemon: mark("a"))
    monkeypatch.setattr(reload.dump, "read_json", read)
    reload.settle(Busy(1, 1))
    assert next(answers, "used up") == "used up"
