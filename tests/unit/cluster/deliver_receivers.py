"""Receivers of messages on this machine, standing in for the world: well, silent, slow, gone."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message as Letter
from typing import Any

from aiosmtpd.controller import Controller

from keepalived_core.cluster.alert_route import Apprise, Webhook

SECRET = "T0KEN-4711"


class Server(http.server.ThreadingHTTPServer):
    """Answers with the codes it was given, then with 204."""

    def __init__(self, answers: list[int]) -> None:
        self.answers, self.taken, self.times = answers, [], []
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.times.append(time.monotonic())
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


def as_apprise(route: Webhook) -> Apprise:
    return Apprise(route.url.replace("http://", "json://"), "json://…")


@contextlib.contextmanager
def silent() -> Iterator[int]:
    """A port that takes connections and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(16)
        yield listening.getsockname()[1]


@contextlib.contextmanager
def slow() -> Iterator[int]:
    """A port that says a byte now and then, and never comes to an end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=dribble, args=(connection,), daemon=True).start()

        def dribble(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                while True:
                    connection.sendall(b"H")
                    time.sleep(0.1)

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]


def closed() -> int:
    """A port where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Letters:
    """What a mail server was given; answer: what it says to a recipient."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.recipients: list[list[str]] = []
        self.answers: dict[str, str] = {}

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, *_: Any):
        answer = self.answers.get(address, "250 OK")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.letters.append(message_from_bytes(envelope.content))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 OK"


class Post(Controller):
    """A mail server on a port that is free: aiosmtpd."""

    def __init__(self, letters: Letters) -> None:
        super().__init__(letters, hostname="127.0.0.1", port=0)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextlib.contextmanager
def post() -> Iterator[tuple[Letters, int]]:
    letters = Letters()
    controller = Post(letters)
    controller.start()
    try:
        yield letters, controller.port
    finally:
        controller.stop()


@contextlib.contextmanager
def rude(farewell: bytes | None) -> Iterator[tuple[list[bytes], int]]:
    """A mail server that takes one mail, and answers QUIT with this; None: with nothing, ever."""
    letters: list[bytes] = []
    over = threading.Event()

    def talk(connection: socket.socket) -> None:
        with connection, connection.makefile("rwb", buffering=0) as lines:
            lines.write(b"220 hello\r\n")
            for line in lines:
                word = line[:4].strip().upper()
                if word == b"QUIT":
                    lines.write(farewell or b"")
                    if farewell is None:
                        over.wait(10)
                    return
                lines.write(b"354 go on\r\n" if word == b"DATA" else b"250 OK\r\n")
                if word == b"DATA":
                    letters.append(b"".join(iter(lines.readline, b".\r\n")))
                    lines.write(b"250 taken\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    threading.Thread(target=talk, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield letters, listening.getsockname()[1]
        over.set()


def text_of(letter: Letter) -> str:
    parts = [part for part in letter.walk() if part.get_content_type() == "text/plain"]
    return parts[0].get_payload(decode=True).decode()
