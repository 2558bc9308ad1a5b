"""Sends alerts: JSON over HTTP, and mail.  Standard library only.

A sender returns None when the message was taken, else one line that says why not.  That
line never has more of a webhook's address than scheme and host: the rest may be a
credential, and several of the library's own error texts quote it.
"""

from __future__ import annotations

import http.client
import json
import logging
import smtplib
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from .alert import Alert, Log, Mail, Route, Webhook

log = logging.getLogger(__name__)

# A person waits for the alert, a reactor thread for the route: two tries of five seconds.
TIMEOUT_SECONDS = 5.0
TRIES = 2
PAUSE_SECONDS = 0.5
# Repairs wait in the same pool of threads as alerts.  When a network is down that carries both
# the addresses and the alerts, a hundred of these must not stand before the first repair: a
# route that has just failed gets one short try.
DOUBT_SECONDS = 60.0
DOUBTED_TIMEOUT_SECONDS = 1.0

_failed_at: dict[Route, float] = {}

_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "critical": logging.CRITICAL}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirected POST becomes a GET without a body: better a visible failure."""

    def redirect_request(self, *args: object, **kwargs: object) -> None:
        return None


def send(alert: Alert, routes: Iterable[Route]) -> dict[str, str]:
    """Send to all routes at once, so that a dead one delays no other.

    Returns ``{route name: "sent" or "failed: why"}``.
    """
    routes = list(routes)
    results: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=max(1, len(routes))) as pool:
        pending = [(route, pool.submit(_send_one, alert, route)) for route in routes]
        for route, future in pending:
            failure = future.result()
            results[route.name] = "sent" if failure is None else f"failed: {failure}"
    return results


def _send_one(alert: Alert, route: Route) -> str | None:
    if isinstance(route, Log):
        log.log(_LEVELS[alert.severity], "keepalived: %s", alert.text)
        return None
    doubted = time.monotonic() - _failed_at.get(route, float("-inf")) < DOUBT_SECONDS
    timeout = DOUBTED_TIMEOUT_SECONDS if doubted else TIMEOUT_SECONDS
    failure = None
    for turn in range(1 if doubted else TRIES):
        if turn:
            time.sleep(PAUSE_SECONDS)
        if isinstance(route, Webhook):
            failure = _post(route, alert, timeout)
        else:
            failure = _mail(route, alert, timeout)
        if failure is None:
            _failed_at.pop(route, None)
            return None
    _failed_at[route] = time.monotonic()
    where = route.shown if isinstance(route, Webhook) else f"{route.host}:{route.port}"
    return f"{failure} from {where}"


def _post(route: Webhook, alert: Alert, timeout: float) -> str | None:
    opener = urllib.request.build_opener(_NoRedirect())
    try:
        request = urllib.request.Request(
            route.url,
            data=json.dumps(alert.payload()).encode(),
            headers={"Content-Type": "application/json", "User-Agent": "salt-keepalived"},
            method="POST",
        )
        with opener.open(request, timeout=timeout):
            return None
    except urllib.error.HTTPError as error:
        error.close()
        return f"HTTP {error.code}"
    except (OSError, http.client.HTTPException, ValueError) as error:
        return _reason(error)


def _mail(route: Mail, alert: Alert, timeout: float) -> str | None:
    message = EmailMessage()
    message["Subject"] = f"[keepalived] {alert.subject}"
    message["From"] = route.sender
    message["To"] = ", ".join(route.to)
    message["Date"] = formatdate()
    # Both defaults ask DNS for this host's full name, which may take longer than the mail.
    message["Message-ID"] = make_msgid(domain=route.sender.rpartition("@")[2])
    message.set_content(
        f"{alert.text}\n\n{json.dumps(alert.payload(), indent=2, sort_keys=True)}\n"
    )
    try:
        with smtplib.SMTP(
            route.host, route.port, local_hostname=socket.gethostname(), timeout=timeout
        ) as server:
            refused = server.send_message(message)
    except smtplib.SMTPResponseException as error:
        return f"SMTP {error.smtp_code}"
    except (OSError, smtplib.SMTPException, ValueError) as error:
        return _reason(error)
    return f"{len(refused)} of {len(route.to)} recipients refused" if refused else None


def _reason(error: Exception) -> str:
    cause = error.reason if isinstance(error, urllib.error.URLError) else error
    # Only the system's own words for a number are known to quote no address.
    if isinstance(cause, OSError) and cause.strerror and cause.errno is not None:
        return f"{type(cause).__name__}: {cause.strerror}"
    return type(cause).__name__
