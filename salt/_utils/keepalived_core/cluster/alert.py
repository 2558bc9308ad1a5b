"""Who is told about an event, and in which words.  Pure; ``deliver`` does the sending."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from . import clock
from .event import Event

#: What someone is told about, how urgent it is, and what it means.
WORTH_TELLING = {
    "FAULT": ("warning", "can no longer hold the address"),
    "STOP": ("warning", "keepalived no longer runs this instance"),
    "DELETED": ("warning", "the instance is gone from the configuration"),
    "ghost": ("critical", "the address is on the interface, but keepalived does not own it"),
    "hollow": ("critical", "it is MASTER, but an address of it is not there"),
    "MASTER": ("info", "took the address over"),
}

#: What the hub tells as an incident: the node's own event would tell it a second time.
OF_INCIDENTS = frozenset({"ghost", "hollow"})

_MAIL_ADDRESS = re.compile(r"[^\s@<>,;:\"]{1,64}@[A-Za-z0-9.-]{1,255}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,255}", re.ASCII)


@dataclass(frozen=True)
class Webhook:
    """An HTTP endpoint that takes a JSON POST.  Its path and query may be a credential, so
    only ``shown`` may be printed."""

    url: str
    shown: str
    name: str = "webhook"

    def __repr__(self) -> str:
        return f"Webhook({self.shown})"


@dataclass(frozen=True)
class Mail:
    """A mail server that relays for the master without a login."""

    to: tuple[str, ...]
    sender: str
    host: str = "localhost"
    port: int = 25
    name: str = "mail"


@dataclass(frozen=True)
class Log:
    """The master's own log."""

    name: str = "log"


Route = Webhook | Mail | Log


@dataclass(frozen=True)
class Routes:
    """The alert settings of the master, understood.

    mistakes holds one sentence for each part that could not be understood; the other parts
    work all the same, for an alert that is sent is worth more than a setting that is right.
    """

    routes: tuple[Route, ...] = ()
    planned: bool = False
    mistakes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Alert:
    """One message, ready for every route."""

    severity: str
    text: str
    #: A few words, for a mail's subject.
    subject: str
    cluster: str
    #: What the reactions to one thing are filed under.
    incident: str
    late_seconds: float = 0.0
    #: Under which key of the body its details stand, and the details.
    details: Mapping[str, Any] = field(default_factory=dict)

    def payload(self) -> dict[str, object]:
        """The JSON body of the webhook (schema 1)."""
        return {
            "schema": 1,
            "severity": self.severity,
            "text": self.text,
            "cluster": self.cluster,
            "incident": self.incident,
            "late_seconds": self.late_seconds,
            **self.details,
        }


def read_routes(master: object) -> Routes:
    """Understand where alerts go.

    master
        The master's setting ``keepalived``; its key ``alerts`` is ``{webhook: {url}, mail: {to:
        [...], from, host, port}, log: bool, planned: bool}``, all of it optional.  Without any
        route nobody is told.
    """
    settings = master.get("alerts") if isinstance(master, Mapping) else master
    if settings is None:
        return Routes()
    if not isinstance(settings, Mapping):
        return Routes(mistakes=("keepalived:alerts is no mapping",))
    mistakes = [
        f"keepalived:alerts has an unknown key {str(key)[:40]!r}; "
        "known are log, mail, planned, webhook"
        for key in settings
        if key not in ("webhook", "mail", "log", "planned")
    ]
    flags = {}
    for name in ("log", "planned"):
        flags[name] = settings.get(name) is True
        if not isinstance(settings.get(name, False), bool):
            mistakes.append(f"keepalived:alerts:{name} is neither true nor false")
    routes: list[Route] = [Log()] if flags["log"] else []
    for name, read in (("webhook", _webhook), ("mail", _mail)):
        if settings.get(name) is None:
            continue
        try:
            routes.append(read(settings[name]))
        except ValueError as mistake:
            mistakes.append(f"keepalived:alerts:{name}{mistake}")
    return Routes(tuple(routes), flags["planned"], tuple(mistakes))


def _known(settings: object, keys: frozenset[str]) -> Mapping[str, object]:
    if not isinstance(settings, Mapping):
        raise ValueError(" is no mapping")
    for key in settings:
        if key not in keys:
            raise ValueError(
                f" has an unknown key {str(key)[:40]!r}; known are {', '.join(sorted(keys))}"
            )
    return settings


def _webhook(settings: object) -> Webhook:
    url = _known(settings, frozenset({"url"})).get("url")
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
        port = parts.port
    except ValueError:
        # The parser's own words quote the URL.
        raise ValueError(":url is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(":url must be http://host/... or https://host/...")
    if parts.username or parts.password:
        raise ValueError(":url has a user or password before the host, which is not supported")
    if not str(url).isascii() or not str(url).isprintable() or " " in str(url):
        raise ValueError(":url has characters that must be percent-encoded")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Webhook(str(url), f"{parts.scheme}://{host}" + (f":{port}" if port else ""))


def _mail(settings: object) -> Mail:
    known = _known(settings, frozenset({"to", "from", "host", "port"}))
    to = known.get("to")
    recipients = [to] if isinstance(to, str) else to
    if not isinstance(recipients, (list, tuple)) or not recipients:
        raise ValueError(":to must be a list of mail addresses")
    for address in [*recipients, known.get("from")]:
        if not isinstance(address, str) or not _MAIL_ADDRESS.fullmatch(address):
            where = ":from" if address is known.get("from") else ":to"
            raise ValueError(f"{where} has {str(address)[:80]!r}, which is no mail address")
    host = known.get("host", "localhost")
    if not isinstance(host, str) or not _HOST.fullmatch(host):
        raise ValueError(":host is no host name")
    port = known.get("port", 25)
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise ValueError(":port is no port")
    return Mail(tuple(recipients), str(known["from"]), host, port)


def why_silent(event: Event, routes: Routes, hub: bool = False) -> str | None:
    """Why nobody is told about an event; None when someone is.

    hub
        Whether a hub runs, which tells of incidents.
    """
    if event.type != "instance":
        return f"a {event.type} event; its instances speak for themselves"
    if event.to not in WORTH_TELLING:
        return f"{event.to} needs nobody"
    if event.from_state == event.to:
        return "no change of state"
    # A node's very first look: after that the spool knows what was before, whoever restarts.
    first_look = event.from_state is None and event.source == "resync"
    if first_look and event.to in ("MASTER", "STOP"):
        return f"found as {event.to} when the watch began, no change of state"
    if event.planned and not routes.planned:
        return "planned"
    if hub and event.to in OF_INCIDENTS:
        return "the hub tells it as an incident, when it lasts"
    if not routes.routes:
        return "keepalived:alerts names no route"
    return None


def compose(event: Event, cluster: str, now: float) -> Alert:
    """The alert for an event.

    cluster
        The cluster's name in the pillar (the event's own is only a claim).
    now
        Seconds since the epoch, to say how late the news is.
    """
    severity, meaning = WORTH_TELLING[event.to]
    late = max(0.0, now - (clock.parse(event.time) or now))
    change = f"{event.from_state} -> {event.to}" if event.from_state else event.to
    held = {True: "address held", False: "address not held", None: ""}[event.vip_present]
    details = [text for text in (event.reason, ", ".join(event.vips[:4]), held) if text]
    text = f"{event.instance} on {event.id} ({cluster}): {change}, {meaning}"
    if details:
        text += f" [{'; '.join(details)}]"
    text += f" at {event.time}"
    if event.planned:
        text += " (planned)"
    # A minute is long after any beacon's second: the event waited in a spool.
    if late >= 60:
        text += f", told {clock.span(late)} late"
    return Alert(
        severity,
        text,
        f"{event.instance} {event.to} on {event.id}",
        cluster,
        event.key,
        round(late, 3),
        {"event": event.public()},
    )


def needs_you(event: Event, cluster: str, what: str, reason: str) -> Alert:
    """The alert for a repair that did not help.

    what
        What was done.
    reason
        What is wrong all the same.
    """
    return Alert(
        "critical",
        f"{event.instance} on {event.id} ({cluster}) needs you: {what}: {reason}",
        f"{event.instance} on {event.id} needs you",
        cluster,
        event.key,
        details={"event": event.public()},
    )
