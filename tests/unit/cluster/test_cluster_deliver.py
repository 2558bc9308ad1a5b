"""Alerts on their way: real sockets on this machine, standing in for the world."""

from __future__ import annotations

import contextlib
import http.server
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator

import pytest
from cluster_samples import WHEN, event

from keepalived_core.cluster import deliver
from keepalived_core.cluster.alert import Log, Mail, Webhook, compose

ALERT = compose(event(), "controllers", WHEN)
SECRET = "T0KEN-4711"


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(deliver, "PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(deliver, "TIMEOUT_SECONDS", 0.5)
    monkeypatch.setattr(deliver, "DOUBTED_TIMEOUT_SECONDS", 0.2)
    deliver._failed_at.clear()


class Server(http.server.ThreadingHTTPServer):
    def __init__(self, answers: list[int]) -> None:
        self.answers, self.taken = answers, []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.taken.append((self.path, self.headers["Content-Type"], json.loads(body)))
        status = self.server.answers.pop(0) if self.server.answers else 204
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    do_GET = do_POST

    def log_message(self, *args: object) -> None:
        pass


@contextlib.contextmanager
def web(*answers: int) -> Iterator[tuple[Server, Webhook]]:
    server = Server(list(answers))
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    shown = f"http://127.0.0.1:{server.server_port}"
    try:
        yield server, Webhook(f"{shown}/{SECRET}?key={SECRET}", shown)
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield listening.getsockname()[1]


def test_the_webhook_gets_the_whole_event_as_json() -> None:
    with web() as (server, route):
        assert deliver.send(ALERT, [route]) == {"webhook": "sent"}

    ((path, kind, body),) = server.taken
    assert (path, kind) == (f"/{SECRET}?key={SECRET}", "application/json")
    assert body["event"] == event().public()
    assert body["text"] == ALERT.text


def test_a_second_try_is_made_and_is_enough() -> None:
    with web(503) as (server, route):
        assert deliver.send(ALERT, [route]) == {"webhook": "sent"}

    assert len(server.taken) == 2


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_refusal_is_reported_without_the_secret(status: int) -> None:
    with web(status, status) as (server, route):
        results = deliver.send(ALERT, [route])

    assert results == {"webhook": f"failed: HTTP {status} from {route.shown}"}
    assert len(server.taken) == 2


@pytest.mark.parametrize(
    "url",
    [
        f"http://127.0.0.1:1/{SECRET}",
        f"http://no.such.host.invalid/{SECRET}",
        f"http://127.0.0.1:99999/{SECRET}",
        f"http://127.0.0.1/{SECRET} and a space",
        f"http://[::1/{SECRET}",
    ],
)
def test_no_error_tells_the_secret(url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        results = deliver.send(ALERT, [Webhook(url, "http://shown")])

    assert results["webhook"].startswith("failed: ")
    assert results["webhook"].endswith(" from http://shown")
    assert SECRET not in results["webhook"] + caplog.text


def test_a_dead_route_delays_and_breaks_no_other() -> None:
    with silent() as port, web() as (server, webhook):
        dead = Mail(("ops@example.com",), "salt@example.com", "127.0.0.1", port)
        arrived: list[float] = []
        begin = time.monotonic()
        server.taken = Arrivals(arrived)
        results = deliver.send(ALERT, [dead, webhook, Log()])

    assert results["webhook"] == results["log"] == "sent"
    assert results["mail"].startswith("failed: ")
    assert arrived[0] - begin < deliver.TIMEOUT_SECONDS


class Arrivals(list):
    def __init__(self, times: list[float]) -> None:
        super().__init__()
        self._times = times

    def append(self, item: object) -> None:
        self._times.append(time.monotonic())
        super().append(item)


def test_a_route_that_has_just_failed_gets_one_short_try() -> None:
    with silent() as port:
        dead = Mail(("ops@example.com",), "salt@example.com", "127.0.0.1", port)
        deliver.send(ALERT, [dead])
        begin = time.monotonic()
        deliver.send(ALERT, [dead])
        took = time.monotonic() - begin

    assert deliver.DOUBTED_TIMEOUT_SECONDS <= took < 2 * deliver.DOUBTED_TIMEOUT_SECONDS


def test_a_route_that_works_again_is_trusted_again() -> None:
    with web(500, 500, 204, 500, 204) as (server, route):
        results = [deliver.send(ALERT, [route])["webhook"] for _ in range(3)]

    assert [text.split()[0] for text in results] == ["failed:", "sent", "sent"]
    assert len(server.taken) == 5


def test_the_log_line_is_as_urgent_as_the_alert(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        deliver.send(ALERT, [Log()])

    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.WARNING, f"keepalived: {ALERT.text}")


class Postmaster(threading.Thread):
    """As much SMTP as one message needs."""

    def __init__(self, refuse: str = "") -> None:
        super().__init__(daemon=True)
        self.refuse = refuse
        self.message = ""
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.start()

    def run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listening.accept()
                with connection, connection.makefile("rw", newline="\r\n") as talk:
                    self._serve(talk)

    def _serve(self, talk) -> None:
        def say(text: str) -> None:
            talk.write(text + "\n")
            talk.flush()

        say("220 here")
        for line in talk:
            word = line.split()[0].upper().partition(":")[0]
            if word == self.refuse:
                say("451 try later")
            elif word == "DATA":
                say("354 go on")
                lines = []
                for body in talk:
                    if body.strip() == ".":
                        break
                    lines.append(body)
                self.message = "".join(lines)
                say("250 taken")
            elif word == "QUIT":
                say("221 bye")
                return
            else:
                say("250 yes")


def test_the_mail_says_in_its_subject_what_happened() -> None:
    post = Postmaster()
    route = Mail(
        ("ops@example.com", "boss@example.com"), "salt@example.com", "127.0.0.1", post.port
    )

    assert deliver.send(ALERT, [route]) == {"mail": "sent"}
    assert "Subject: [keepalived] VI_PUBLIC FAULT on controller3" in post.message
    assert "To: ops@example.com, boss@example.com" in post.message
    assert "chk_haproxy failed" in post.message
    post.listening.close()


def test_a_mail_server_that_refuses_is_reported() -> None:
    post = Postmaster(refuse="MAIL")
    route = Mail(("ops@example.com",), "salt@example.com", "127.0.0.1", post.port)

    assert deliver.send(ALERT, [route]) == {"mail": f"failed: SMTP 451 from 127.0.0.1:{post.port}"}
    post.listening.close()
