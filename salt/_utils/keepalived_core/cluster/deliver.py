"""Sends a message to one target: JSON over HTTP, mail, the log, a service that apprise knows.

A sender returns None when the message was taken, else a ``Failure``.  Its line never has
more of an address than scheme and host: the rest may be a credential, and several of the
library's own error texts quote it.
"""

from __future__ import annotations

import http.client
import json
import logging
import smtplib
import socket
import threading
import time
import urllib.error
import urllib.request
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from . import deliver_apprise
from .alert_message import Failure, Message
from .alert_route import Apprise, Log, Mail, Target, Webhook

log = logging.getLogger(__name__)

# A person waits for the alert, a reactor's thread for the route: two tries of five seconds, and
# for one that says a byte now and then ten each.
TIMEOUT_SECONDS = 5.0
TRIES = 2
PAUSE_SECONDS = 0.5
QUIT_SECONDS = 1.0

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}
#: Codes of HTTP that look like a refusal and mean: later.
_LATER = frozenset({408, 425, 429})


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST becomes a GET without a body: better a visible failure."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def attempt(target: Target, message: Message) -> Failure | None:
    """Send a message, twice when the first try fails; takes no longer than a few times
    TIMEOUT_SECONDS."""
    if isinstance(target, Log):
        log.log(_LEVELS[message.severity], "keepalived: %s", message.text)
        return None
    failure: Failure | None = None
    for turn in range(TRIES):
        if turn:
            time.sleep(PAUSE_SECONDS)
        if isinstance(target, Apprise):
            failure = _apprise(target, message)
        else:
            failure = _bounded(target, message)
        if failure is None:
            return None
    assert failure is not None
    return Failure(f"{failure.reason} from {target.shown}", failure.refused)


def _bounded(target: Webhook | Mail, message: Message) -> Failure | None:
    """A timeout of a socket begins anew with each byte: the thread is left behind then, and ends
    with its connection."""
    found: list[Failure | None] = []

    def send() -> None:
        try:
            sent = _post if isinstance(target, Webhook) else _mail
            found.append(sent(target, message))  # type: ignore[arg-type]
        except Exception as error:
            # its own words may quote the address, and a thread's last ones go to the log
            found.append(Failure(type(error).__name__))

    thread = threading.Thread(target=send, name="keepalived alert", daemon=True)
    thread.start()
    thread.join(2 * TIMEOUT_SECONDS)
    return found[0] if found else Failure("no answer in time")


def _apprise(target: Apprise, message: Message) -> Failure | None:
    said = deliver_apprise.send(target.url, message, TIMEOUT_SECONDS)
    if said is None:
        return None
    code = said.code or 0
    return Failure(said.reason, refused=300 <= code < 500 and code not in _LATER)


def _post(route: Webhook, message: Message) -> Failure | None:
    opener = urllib.request.build_opener(_NoRedirect())
    try:
        request = urllib.request.Request(
            route.url,
            data=json.dumps(message.payload).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "salt-keepalived"},
            method="POST",
        )
        with opener.open(request, timeout=TIMEOUT_SECONDS):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return Failure(f"HTTP {error.code}", error.code < 500 and error.code not in _LATER)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return Failure(_reason(error))


def _mail(route: Mail, message: Message) -> Failure | None:
    mail = EmailMessage()
    mail["Subject"] = f"[keepalived] {message.subject}"
    mail["From"] = route.sender
    mail["To"] = ", ".join(route.to)
    mail["Date"] = formatdate()
    # Both defaults ask DNS for this host's full name, which may take longer than the mail.
    mail["Message-ID"] = make_msgid(domain=route.sender.rpartition("@")[2])
    mail.set_content(f"{message.text}\n\n{json.dumps(message.payload, indent=2, sort_keys=True)}\n")
    try:
        server = smtplib.SMTP(
            route.host, route.port, local_hostname=socket.gethostname(), timeout=TIMEOUT_SECONDS
        )
        try:
            refused = server.send_message(mail)
        finally:
            _leave(server)
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        return Failure(f"SMTP {codes[0]} for all recipients", min(codes) >= 500)
    except smtplib.SMTPResponseException as error:
        return Failure(f"SMTP {error.smtp_code}", error.smtp_code >= 500)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return Failure(_reason(error))
    if refused:
        # not sent again: the others have it
        log.error("keepalived: %d of %d recipients refused", len(refused), len(route.to))
    return None


def _leave(server: smtplib.SMTP) -> None:
    """Whatever the server says to that, or nothing: what it has taken it has."""
    try:
        if server.sock is not None:
            server.sock.settimeout(QUIT_SECONDS)
        server.quit()
    except (OSError, ValueError):
        pass
    finally:
        server.close()


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    # Only the system's own words for a number are known to quote no address.
    if isinstance(cause, OSError) and cause.strerror and cause.errno is not None:
        return f"{type(cause).__name__}: {cause.strerror}"
    return type(cause).__name__
