"""Where alerts go: the master's setting ``keepalived:alerts``, understood.  Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from . import clock
from .alert_template import BUILT_IN, Template, TemplateMistake, read_template
from .event import printable

SEVERITIES = ("info", "warning", "critical")
#: Seconds that an alert may wait for others of its cluster, and between two reminders.
GROUP, REMIND = (1, 900), (60, 7 * 86_400)

_MAIL_ADDRESS = re.compile(r"[^\s@<>,;:\"]{1,64}@[A-Za-z0-9.-]{1,255}", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.:_-]{1,255}", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]{0,31})://.", re.ASCII)
_SDB = re.compile(r"sdb://([A-Za-z0-9_.-]{1,64})/", re.ASCII)


@dataclass(frozen=True)
class Webhook:
    """An HTTP endpoint that takes a JSON POST.  Its path and query may be a credential, so
    only ``shown`` may be printed."""

    url: str
    shown: str

    def __repr__(self) -> str:
        return f"Webhook({self.shown})"


@dataclass(frozen=True)
class Apprise:
    """A service that the library apprise knows, by its URL: all of it but the scheme may be a
    credential, so only ``shown`` may be printed."""

    url: str
    shown: str

    def __repr__(self) -> str:
        return f"Apprise({self.shown})"


@dataclass(frozen=True)
class Mail:
    """A mail server that relays for the master without a login."""

    to: tuple[str, ...]
    sender: str
    host: str = "localhost"
    port: int = 25

    @property
    def shown(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Log:
    """The master's own log."""

    shown: str = "the master's log"


Target = Webhook | Apprise | Mail | Log


@dataclass(frozen=True)
class Route:
    """One place that is told, and what of.

    severity, clusters
        It is told of these alone; clusters are globs (fnmatch(3)).
    group
        Seconds that an alert waits for others of its cluster, to be one message with them; 0: none.
    remind
        Seconds between two reminders of an incident that is open; 0: never.
    """

    name: str
    target: Target
    severity: frozenset[str] = frozenset(SEVERITIES)
    clusters: tuple[str, ...] = ("*",)
    group: float = 0.0
    remind: float = 0.0
    template: Template = BUILT_IN

    def takes(self, severity: str, cluster: str) -> bool:
        """Whether it is told of an alert this urgent of that cluster."""
        return severity in self.severity and any(
            fnmatchcase(cluster, pattern) for pattern in self.clusters
        )


@dataclass(frozen=True)
class Routes:
    """The alert settings of the master, understood.

    mistakes holds one sentence for each part that could not be understood; the other parts
    work all the same, for an alert that is sent is worth more than a setting that is right.
    """

    routes: tuple[Route, ...] = ()
    planned: bool = False
    mistakes: tuple[str, ...] = ()


class _Mistake(ValueError):
    """The text continues the path of the setting: ``:url is no URL``."""


def read_routes(master: object) -> Routes:
    """Understand where alerts go.

    master
        The master's setting ``keepalived``; docs/alerts.md has what its key ``alerts`` may be.
        Without any route nobody is told.
    """
    settings = master.get("alerts") if isinstance(master, Mapping) else master
    if settings is None:
        return Routes()
    if not isinstance(settings, Mapping):
        return Routes(mistakes=("keepalived:alerts is no mapping",))
    mistakes = [
        _unknown("keepalived:alerts", key, _ALERTS) for key in settings if key not in _ALERTS
    ]
    flags = {}
    for name in ("log", "planned"):
        flags[name] = settings.get(name) is True
        if not isinstance(settings.get(name, False), bool):
            mistakes.append(f"keepalived:alerts:{name} is neither true nor false")
    common: dict[str, Any] = {}
    for name, read in _COMMON.items():
        try:
            common[name] = read(settings.get(name), f":{name}")
        except (_Mistake, TemplateMistake) as mistake:
            mistakes.append(f"keepalived:alerts{mistake}")
    routes = [Route("log", Log(), **common)] if flags["log"] else []
    for name in ("webhook", "mail"):
        if settings.get(name) is not None:
            try:
                routes.append(Route(name, _TARGETS[name](settings[name]), **common))
            except _Mistake as mistake:
                mistakes.append(f"keepalived:alerts:{name}{mistake}")
    named = settings.get("routes") or {}
    if not isinstance(named, Mapping):
        mistakes.append(
            "keepalived:alerts:routes is no mapping; it would be {oncall: {apprise: …}}"
        )
        named = {}
    for name, each in named.items():
        try:
            if not isinstance(name, str) or not _NAME.fullmatch(name):
                raise _Mistake(" is no name: letters, digits and . _ - make one")
            if any(route.name == name for route in routes):
                raise _Mistake(f" has the name of the route keepalived:alerts:{name}")
            routes += _named(name, each, common, mistakes)
        except _Mistake as mistake:
            mistakes.append(f"keepalived:alerts:routes:{_cut(name)}{mistake}")
    return Routes(tuple(routes), flags["planned"], tuple(mistakes))


def _named(
    name: str, settings: object, common: Mapping[str, Any], mistakes: list[str]
) -> list[Route]:
    known = _known(settings, _ROUTE)
    kinds = [kind for kind in _TARGETS if known.get(kind) is not None]
    if len(kinds) != 1:
        have = " and ".join(kinds) or "none"
        raise _Mistake(f" must have one of {', '.join(sorted(_TARGETS))}, and has {have}")
    (kind,) = kinds
    given = {
        **common,
        "severity": _severity(known.get("severity")),
        "clusters": _clusters(known.get("clusters")),
    }
    for key, read in _COMMON.items():
        try:
            if known.get(key) is not None:
                given[key] = read(known[key], f":{key}")
        except TemplateMistake as mistake:
            # better told in the built-in words than not told
            mistakes.append(
                f"keepalived:alerts:routes:{name}{mistake}; the built-in words are used"
            )
    values = known[kind]
    if kind != "apprise" or not isinstance(values, (list, tuple)):
        return [Route(name, _TARGETS[kind](values, f":{kind}"), **given)]
    if not values:
        raise _Mistake(":apprise is an empty list")
    # Each of its own: what one has taken is not sent again because another was down.
    found = []
    for number, each in enumerate(values, 1):
        try:
            target = _apprise(each, f":apprise:{number}")
            found.append(Route(f"{name}/{number}" if len(values) > 1 else name, target, **given))
        except _Mistake as mistake:
            mistakes.append(f"keepalived:alerts:routes:{name}{mistake}")
    return found


def _cut(text: object) -> str:
    """A word for a message; where a URL stands instead, no more than its scheme."""
    return printable(str(text)).partition(":")[0][:40]


def _unknown(where: str, key: object, known: frozenset[str]) -> str:
    return f"{where} has an unknown key {_cut(key)!r}; known are {', '.join(sorted(known))}"


def _known(settings: object, keys: frozenset[str], where: str = "") -> Mapping[str, Any]:
    if not isinstance(settings, Mapping):
        raise _Mistake(f"{where} is no mapping")
    for key in settings:
        if key not in keys:
            raise _Mistake(_unknown(where, key, keys))
    return settings


def _severity(given: object) -> frozenset[str]:
    if given is None:
        return frozenset(SEVERITIES)
    words = [given] if isinstance(given, str) else given
    if not isinstance(words, (list, tuple)) or not words:
        words = [None]
    if not all(word in SEVERITIES for word in words):
        raise _Mistake(f":severity must be a list of {', '.join(SEVERITIES)}")
    return frozenset(words)


def _clusters(given: object) -> tuple[str, ...]:
    if given is None:
        return ("*",)
    patterns = [given] if isinstance(given, str) else given
    if not isinstance(patterns, (list, tuple)) or not patterns:
        raise _Mistake(":clusters must be a list of names or globs, as ['prod*']")
    if not all(isinstance(each, str) and each for each in patterns):
        raise _Mistake(":clusters has what is no text; names or globs are, as ['prod*']")
    return tuple(patterns)


def _span(bounds: tuple[int, int]) -> Callable[[object, str], float]:
    def read(given: object, where: str) -> float:
        if given is None or given is False or given == 0:
            return 0.0
        try:
            seconds = clock.seconds(given)
        except ValueError:
            seconds = -1.0
        if not bounds[0] <= seconds <= bounds[1]:
            low, high = (clock.span(each).replace(" ", "") for each in bounds)
            raise _Mistake(f"{where} is no time from {low} to {high} (as 30, 90s, 30m, 2h)")
        return seconds

    return read


def _url(given: object, where: str) -> str:
    """A URL that may be sent to; no message quotes more of it than a profile of sdb."""
    unresolved = _SDB.match(given) if isinstance(given, str) else None
    if unresolved:
        raise _Mistake(
            f"{where} stands in sdb, which gave nothing: has the master's configuration a profile "
            f"{unresolved[1]!r}, and it the key?"
        )
    if not isinstance(given, str) or not given:
        raise _Mistake(f"{where} is no text; it would be a URL")
    if not given.isprintable() or " " in given:
        raise _Mistake(f"{where} has characters that must be percent-encoded")
    return given


def _webhook(settings: object, where: str = "") -> Webhook:
    if isinstance(settings, Mapping):
        settings = _known(settings, frozenset({"url"}), where).get("url")
        where = f"{where}:url"
    elif not where or not isinstance(settings, str):
        raise _Mistake(f"{where} is no mapping; it would be {{url: 'https://…'}}")
    url = "" if settings is None else _url(settings, where)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # The parser's own words quote the URL.
        raise _Mistake(f"{where} is no URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _Mistake(f"{where} must be http://host/... or https://host/...")
    if parts.username or parts.password:
        raise _Mistake(f"{where} has a user or password before the host, which is not supported")
    if not url.isascii():
        raise _Mistake(f"{where} has characters that must be percent-encoded")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Webhook(url, f"{parts.scheme}://{host}" + (f":{port}" if port else ""))


def _apprise(settings: object, where: str = "") -> Apprise:
    url = _url(settings, where)
    match = _SCHEME.match(url)
    if match is None:
        raise _Mistake(f"{where} is no URL of apprise, as slack://… or mailto://…")
    return Apprise(url, f"{match[1]}://…")


def _mail(settings: object, where: str = "") -> Mail:
    known = _known(settings, frozenset({"to", "from", "host", "port"}), where)
    to = known.get("to")
    recipients = [to] if isinstance(to, str) else to
    if not isinstance(recipients, (list, tuple)) or not recipients:
        raise _Mistake(f"{where}:to must be a list of mail addresses")
    places = [f"to:{number}" for number in range(1, len(recipients) + 1)]
    for key, address in [*zip(places, recipients, strict=True), ("from", known.get("from"))]:
        if not isinstance(address, str) or not _MAIL_ADDRESS.fullmatch(address):
            # not quoted: it may be a URL with its password
            raise _Mistake(f"{where}:{key} is no mail address")
    host = known.get("host", "localhost")
    if not isinstance(host, str) or not _HOST.fullmatch(host):
        raise _Mistake(f"{where}:host is no host name")
    port = known.get("port", 25)
    if isinstance(port, bool) or not isinstance(port, int) or not 1 <= port <= 65535:
        raise _Mistake(f"{where}:port is no port")
    return Mail(tuple(recipients), str(known["from"]), host, port)


def _log(settings: object, where: str = "") -> Log:
    if settings is not True:
        raise _Mistake(f"{where} must be true")
    return Log()


_TARGETS: dict[str, Callable[..., Target]] = {
    "apprise": _apprise,
    "log": _log,
    "mail": _mail,
    "webhook": _webhook,
}
_COMMON: dict[str, Callable[[object, str], Any]] = {
    "group": _span(GROUP),
    "remind": _span(REMIND),
    "template": read_template,
}
_ALERTS = frozenset({"log", "mail", "planned", "routes", "webhook", *_COMMON})
_ROUTE = frozenset({"clusters", "severity", *_TARGETS, *_COMMON})
