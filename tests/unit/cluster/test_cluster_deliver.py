"""Messages on their way: real sockets on this machine, standing in for the world."""

from __future__ import annotations

import http.server
import logging
import os
import pathlib
import subprocess
import sys
import threading
import time
import types
from typing import Any

import pytest
from cluster_samples import WHEN, event
from deliver_receivers import (
    SECRET,
    Handler,
    as_apprise,
    closed,
    post,
    rude,
    silent,
    slow,
    text_of,
    web,
)

from keepalived_core.cluster import alert_message, apprise_child, deliver, deliver_apprise
from keepalived_core.cluster.alert import compose
from keepalived_core.cluster.alert_message import Failure, Kept
from keepalived_core.cluster.alert_route import Apprise, Log, Mail, Routes, Webhook, read_routes
from keepalived_core.cluster.alert_template import BUILT_IN
from keepalived_core.cluster.ledger import Ledger
from keepalived_core.cluster.outbox import Outbox
from keepalived_core.cluster.postman import Postman

ALERT = compose(event(), "controllers", WHEN)
MESSAGE = alert_message.compose([Kept(1, ALERT, {}, WHEN)], BUILT_IN, WHEN)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(deliver, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(deliver, "TIMEOUT_SECONDS", 2.0)


# --- the built-in ones ------------------------------------------------------------------------


def test_the_webhook_gets_the_whole_event_as_json() -> None:
    with web() as (server, route):
        assert deliver.attempt(route, MESSAGE) is None

    ((path, kind, body),) = server.taken
    assert (path, kind) == (f"/{SECRET}?key={SECRET}", "application/json")
    assert body["event"] == event().public()
    assert body["text"] == ALERT.text


def test_a_second_try_is_made_and_is_enough() -> None:
    with web(503) as (server, route):
        assert deliver.attempt(route, MESSAGE) is None

    assert len(server.taken) == 2


CODES = {302: True, 400: True, 404: True, 429: False, 408: False, 500: False, 503: False}


@pytest.mark.parametrize(("status", "refused"), CODES.items())
def test_a_failure_says_whether_the_message_or_the_receiver_is_to_blame(
    status: int, refused: bool
) -> None:
    with web(status, status) as (server, route):
        failure = deliver.attempt(route, MESSAGE)

    assert failure == Failure(f"HTTP {status} from {route.shown}", refused)
    assert len(server.taken) == 2


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:1/{SECRET}",
        f"http://no.such.host.invalid/{SECRET}",
        f"http://127.0.0.1:99999/{SECRET}",
        f"http://127.0.0.1/{SECRET} and a space",
        f"http://[::1/{SECRET}",
        f"http://127.0.0.1/{SECRET}\udcff",
    ],
)
def test_no_error_tells_the_secret(
    url: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        failure = deliver.attempt(Webhook(url, "http://shown"), MESSAGE)

    assert failure is not None and failure.reason.endswith(" from http://shown")
    assert SECRET not in failure.reason + caplog.text + "".join(capfd.readouterr())


def test_the_log_line_is_as_urgent_as_the_alert(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert deliver.attempt(Log(), MESSAGE) is None

    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, f"keepalived: {ALERT.text}")


def test_the_mail_says_in_its_subject_what_happened() -> None:
    with post() as (letters, port):
        to = ("ops@example.com", "boss@example.com")
        assert deliver.attempt(Mail(to, "salt@example.com", "127.0.0.1", port), MESSAGE) is None

    (letter,) = letters.letters
    assert letter["Subject"] == "[keepalived] VI_PUBLIC FAULT on controller3"
    assert letter["To"] == "ops@example.com, boss@example.com"
    assert "chk_haproxy failed" in text_of(letter)


REFUSALS = {"451 4.7.1 try later": False, "550 5.1.1 no such user": True}


@pytest.mark.parametrize(("answer", "refused"), REFUSALS.items())
def test_a_mail_server_that_refuses_is_reported(answer: str, refused: bool) -> None:
    with post() as (letters, port):
        letters.answers["ops@example.com"] = answer
        route = Mail(("ops@example.com",), "salt@example.com", "127.0.0.1", port)
        failure = deliver.attempt(route, MESSAGE)

    code = answer.split()[0]
    assert failure == Failure(f"SMTP {code} for all recipients from 127.0.0.1:{port}", refused)
    assert letters.letters == []


def test_who_has_the_mail_does_not_get_it_again_because_another_was_refused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with post() as (letters, port):
        letters.answers["gone@example.com"] = "550 5.1.1 no such user"
        to = ("ops@example.com", "gone@example.com")
        assert deliver.attempt(Mail(to, "salt@example.com", "127.0.0.1", port), MESSAGE) is None

    assert letters.recipients == [["ops@example.com"]]
    assert "1 of 2 recipients refused" in caplog.text


@pytest.mark.parametrize("farewell", [b"250 bye\r\n", b"421 too late\r\n", b"", None])
def test_a_mail_that_was_taken_is_sent_whatever_the_server_says_to_quit(
    farewell: bytes | None,
) -> None:
    with rude(farewell) as (letters, port):
        route = Mail(("ops@example.com",), "salt@example.com", "127.0.0.1", port)
        assert deliver.attempt(route, MESSAGE) is None

    assert len(letters) == 1


# --- apprise ----------------------------------------------------------------------------------


def test_apprise_posts_json() -> None:
    with web() as (server, route):
        assert deliver.attempt(as_apprise(route), MESSAGE) is None

    ((_, _, body),) = server.taken
    assert (body["title"], body["message"]) == (MESSAGE.subject, MESSAGE.text)
    assert body["type"] == "warning"


def test_apprise_sends_mail() -> None:
    with post() as (letters, port):
        url = f"mailto://127.0.0.1:{port}/?mode=insecure&from=salt@example.com&to=ops@example.com"
        assert deliver.attempt(Apprise(url, "mailto://…"), MESSAGE) is None

    (letter,) = letters.letters
    assert letter["Subject"] == MESSAGE.subject
    assert letters.recipients == [["ops@example.com"]]
    assert ALERT.text.split(",")[0] in text_of(letter)


#: What is added to the URL, whether all of it is sent, and whether in one message.
OVERFLOWS = {
    "": (False, True),
    "&overflow=split": (True, False),
    "&overflow=upstream": (True, True),
}


@pytest.mark.parametrize("more", OVERFLOWS)
def test_apprise_cuts_what_is_too_long_for_a_service(
    more: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushover = pytest.importorskip("apprise.plugins.pushover")
    sent = []

    def post(_url: str, data: dict[str, str], **_: Any) -> Any:
        sent.append(data["message"])
        return types.SimpleNamespace(status_code=200, content=b"{}", headers={})

    monkeypatch.setattr(pushover.requests, "post", post)
    heard = logging.getLogger("apprise")
    for name in ("handlers", "propagate", "level"):
        monkeypatch.setattr(heard, name, getattr(heard, name))
    asked = {
        "url": f"pover://{'u' * 30}@{'t' * 30}/?priority=normal{more}",
        "title": "s",
        "body": "words " * 500,
        "severity": "critical",
        "resolved": False,
        "timeout": 5.0,
        "path": sys.path,
    }

    assert apprise_child.work(asked) == {"ok": True}
    assert sent[0].startswith("words words")
    assert (sum(map(len, sent)) > 2000, len(sent) == 1) == OVERFLOWS[more]


@pytest.mark.parametrize(("status", "refused"), [(404, True), (503, False)])
def test_apprise_says_which_code_a_receiver_answered(status: int, refused: bool) -> None:
    with web(status, status) as (_, route):
        failure = deliver.attempt(as_apprise(route), MESSAGE)

    assert failure == Failure(f"HTTP {status} from json://…", refused)


URLS = {
    "nobody listens": (f"json://me:{SECRET}@127.0.0.1:1/{SECRET}", "no connection from x://…"),
    "a service that there is not": (
        f"nosuch://{SECRET}",
        "apprise does not understand this URL from x://…",
    ),
    "a URL of another shape": (
        f"slack://{SECRET}",
        "apprise does not understand this URL from x://…",
    ),
}


@pytest.mark.parametrize(("url", "says"), URLS.values(), ids=URLS)
def test_apprise_tells_no_secret_whatever_goes_wrong(
    url: str, says: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        failure = deliver.attempt(Apprise(url, "x://…"), MESSAGE)

    assert failure is not None and failure.reason == says
    assert SECRET not in caplog.text + "".join(capfd.readouterr())


def test_no_argument_of_a_process_has_the_url(monkeypatch: pytest.MonkeyPatch) -> None:
    run, seen = subprocess.run, []

    def watched(command: list[str], **more: Any) -> Any:
        seen.append(command)
        return run(command, **more)

    monkeypatch.setattr(subprocess, "run", watched)
    deliver.attempt(Apprise(f"json://127.0.0.1:1/{SECRET}", "json://…"), MESSAGE)

    assert len(seen) == deliver.TRIES
    assert SECRET not in str(seen)


def test_where_apprise_is_missing_that_is_what_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])

    assert deliver_apprise.check("json://127.0.0.1") == deliver_apprise.MISSING


def test_a_process_that_breaks_off_is_a_failure_and_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    child = tmp_path / "child.py"
    child.write_text("import os; os.kill(os.getpid(), 9)", encoding="utf-8")
    monkeypatch.setattr(deliver_apprise, "_CHILD", child)

    failure = deliver.attempt(Apprise("json://127.0.0.1", "json://…"), MESSAGE)

    assert failure == Failure("apprise broke off from json://…")


# --- one that is dead or says nothing ---------------------------------------------------------


def test_one_that_says_a_byte_now_and_then_is_given_up_in_time(monkeypatch) -> None:
    monkeypatch.setattr(deliver, "TIMEOUT_SECONDS", 0.5)
    with slow() as port:
        begin = time.monotonic()
        failure = deliver.attempt(Webhook(f"http://127.0.0.1:{port}/", "http://shown"), MESSAGE)
        took = time.monotonic() - begin

    assert failure == Failure("no answer in time from http://shown")
    assert took < 4 * deliver.TIMEOUT_SECONDS + 10


def test_an_apprise_process_that_hangs_is_ended(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    child, pid = tmp_path / "child.py", tmp_path / "pid"
    source = f"import os, time; open({str(pid)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    child.write_text(source, encoding="utf-8")
    monkeypatch.setattr(deliver_apprise, "_CHILD", child)
    monkeypatch.setattr(deliver_apprise, "START_SECONDS", 0.5)
    monkeypatch.setattr(deliver, "TIMEOUT_SECONDS", 1.0)
    monkeypatch.setattr(deliver, "TRIES", 1)

    failure = deliver.attempt(Apprise("json://127.0.0.1", "json://…"), MESSAGE)

    assert failure == Failure("no answer in time from json://…")
    assert not pathlib.Path(f"/proc/{pid.read_text(encoding='utf-8')}").exists()


def routes_to(**named: dict[str, str]) -> Routes:
    return read_routes({"alerts": {"routes": named}})


def test_dead_and_silent_receivers_delay_no_other_and_get_it_when_they_are_back(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "TRIES", 1)
    monkeypatch.setattr(deliver, "TIMEOUT_SECONDS", 1.5)
    port = closed()
    with silent() as mute, slow() as dribbling, web() as (server, well):
        found = routes_to(
            dead={"apprise": f"json://127.0.0.1:{port}/{SECRET}"},
            mute={"apprise": f"json://127.0.0.1:{mute}/{SECRET}"},
            slow={"webhook": f"http://127.0.0.1:{dribbling}/{SECRET}"},
            well={"webhook": well.url},
        )
        assert not found.mistakes
        outbox = Outbox(Ledger(tmp_path / "react.db"))
        ahead = [0.0]
        man = Postman(outbox, found, lambda *_: None, lambda: time.time() + ahead[0])
        begin = time.monotonic()
        results = man.post(ALERT, {}, None, clock_runs=True)
        took = time.monotonic() - begin

        assert results is not None
        assert results.pop("well") == "sent"
        assert [text.split(":")[0] for text in results.values()] == ["failed"] * 3
        # the slowest costs its own thread all of its three seconds, and the well one none of them
        assert server.times[0] - begin < took - 1
        assert {each.waiting for each in outbox.health().values()} == {0, 1}

    revived = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
    revived.answers, revived.taken, revived.times = [], [], []
    threading.Thread(target=revived.serve_forever, args=(0.01,), daemon=True).start()
    ahead[0] = 15
    man.work()
    revived.shutdown()
    revived.server_close()

    assert [body["title"] for _, _, body in revived.taken] == [ALERT.subject]


def test_the_file_of_what_waits_has_no_secret_and_is_readable_by_its_owner_alone(
    tmp_path: pathlib.Path,
) -> None:
    found = routes_to(dead={"apprise": f"json://127.0.0.1:1/{SECRET}"})
    path = tmp_path / "keepalived" / "react.db"
    outbox = Outbox(Ledger(path))
    Postman(outbox, found, lambda *_: None).post(ALERT, {}, None, clock_runs=True)

    assert outbox.health()["dead"].waiting == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    for file in path.parent.iterdir():
        assert SECRET.encode() not in file.read_bytes()


def test_apprise_leaves_no_file_behind(tmp_path: pathlib.Path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with web() as (_, route):
        assert deliver.attempt(as_apprise(route), MESSAGE) is None

    assert os.listdir(tmp_path) == []
