"""Who is told what."""

from __future__ import annotations

import pytest
from cluster_samples import WHEN, event

from keepalived_core.cluster.alert import Log, Mail, Webhook, compose, read_routes, why_silent

WEBHOOK = {"url": "https://hooks.example.com/T0KEN-4711?key=T0KEN-4711"}
MAIL = {"to": ["ops@example.com"], "from": "salt@example.com"}


def test_every_route_is_read() -> None:
    routes = read_routes({"alerts": {"webhook": WEBHOOK, "mail": MAIL, "log": True}})

    assert routes.mistakes == ()
    assert routes.routes == (
        Log(),
        Webhook(WEBHOOK["url"], "https://hooks.example.com"),
        Mail(("ops@example.com",), "salt@example.com", "localhost", 25),
    )


@pytest.mark.parametrize("master", [None, {}, {"alerts": None}, {"alerts": {}}, {"other": 1}])
def test_without_settings_there_is_no_route_and_no_mistake(master: object) -> None:
    routes = read_routes(master)

    assert (routes.routes, routes.mistakes) == ((), ())


MISTAKES = {
    "keepalived is a text": ("x", "keepalived:alerts is no mapping"),
    "alerts is a list": ({"alerts": []}, "keepalived:alerts is no mapping"),
    "an unknown key": ({"alerts": {"slack": 1}}, "unknown key 'slack'; known are log, mail"),
    "log is a text": ({"alerts": {"log": "yes"}}, "keepalived:alerts:log is neither true nor"),
    "planned is a text": ({"alerts": {"planned": "yes"}}, "keepalived:alerts:planned is neither"),
    "webhook is a text": ({"alerts": {"webhook": WEBHOOK["url"]}}, "webhook is no mapping"),
    "webhook has no url": ({"alerts": {"webhook": {}}}, "webhook:url must be http"),
    "webhook has an unknown key": (
        {"alerts": {"webhook": {**WEBHOOK, "method": "PUT"}}},
        "webhook has an unknown key 'method'; known are url",
    ),
    "webhook is a file": ({"alerts": {"webhook": {"url": "file:///etc/shadow"}}}, "must be http"),
    "webhook has no host": ({"alerts": {"webhook": {"url": "http:///T0KEN-4711"}}}, "must be http"),
    "webhook has a password": (
        {"alerts": {"webhook": {"url": "https://me:T0KEN-4711@example.com/"}}},
        "which is not supported",
    ),
    "webhook has no port": (
        {"alerts": {"webhook": {"url": "https://example.com:T0KEN-4711/"}}},
        "webhook:url is no URL",
    ),
    "webhook has a line end": (
        {"alerts": {"webhook": {"url": "https://example.com/\r\nHost: evil"}}},
        "must be percent-encoded",
    ),
    "mail without recipients": ({"alerts": {"mail": {"from": "a@b"}}}, "mail:to must be a list"),
    "mail to a phrase": ({"alerts": {"mail": {**MAIL, "to": ["ops"]}}}, "mail:to has 'ops'"),
    "mail to two in one": (
        {"alerts": {"mail": {**MAIL, "to": "a@example.com\nBcc: b@example.com"}}},
        "mail:to has",
    ),
    "mail from nobody": ({"alerts": {"mail": {"to": ["a@b.c"]}}}, "mail:from has 'None'"),
    "mail through a path": ({"alerts": {"mail": {**MAIL, "host": "/tmp/x"}}}, "mail:host is no"),
    "mail through port 0": ({"alerts": {"mail": {**MAIL, "port": 0}}}, "mail:port is no port"),
}


@pytest.mark.parametrize(("master", "says"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_the_settings_is_named_without_the_secret(master: object, says: str) -> None:
    routes = read_routes(master)

    (mistake,) = routes.mistakes
    assert says in mistake
    assert mistake.startswith("keepalived:alerts")
    assert "T0KEN" not in mistake


def test_one_wrong_route_does_not_take_the_others_along() -> None:
    routes = read_routes({"alerts": {"webhook": {"url": "ftp://x"}, "mail": MAIL, "log": True}})

    assert [route.name for route in routes.routes] == ["log", "mail"]
    assert len(routes.mistakes) == 1


def test_a_webhook_never_shows_more_than_its_host() -> None:
    (route,) = read_routes({"alerts": {"webhook": WEBHOOK}}).routes

    assert "T0KEN" not in f"{route} {route!r} {route.shown}"


ROUTES = read_routes({"alerts": {"log": True}})
ALSO_PLANNED = read_routes({"alerts": {"log": True, "planned": True}})


@pytest.mark.parametrize("to", ["FAULT", "STOP", "DELETED", "MASTER", "ghost"])
def test_people_are_told_what_they_must_know(to: str) -> None:
    change = event(to=to, **{"from": "BACKUP"})

    assert why_silent(change, ROUTES) is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"to": "BACKUP"}, "BACKUP needs nobody"),
        ({"to": "INIT"}, "INIT needs nobody"),
        ({"to": "rx_lower"}, "rx_lower needs nobody"),
        ({"to": "priority"}, "priority needs nobody"),
        ({"type": "group", "instance": "VG1"}, "a group event; its instances speak"),
        ({"from": "FAULT"}, "no change of state"),
        ({"to": "MASTER", "from": None, "source": "resync"}, "found as MASTER"),
        ({"to": "STOP", "from": None, "source": "resync"}, "found as STOP"),
        ({"planned": True}, "planned"),
    ],
)
def test_nobody_is_told_what_needs_nobody(changes: dict, why: str) -> None:
    assert (why_silent(event(**changes), ROUTES) or "").startswith(why)


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "FAULT", "source": "resync"},
        {"to": "ghost", "source": "resync"},
        {"to": "MASTER", "source": "netlink"},
        {"to": "STOP", "source": "fifo"},
    ],
)
def test_trouble_found_at_the_first_look_is_told(changes: dict) -> None:
    assert why_silent(event(**changes, **{"from": None}), ROUTES) is None


def test_planned_changes_are_told_on_request() -> None:
    assert why_silent(event(planned=True), ALSO_PLANNED) is None


def test_without_a_route_the_reason_names_the_setting() -> None:
    assert why_silent(event(), read_routes(None)) == "keepalived:alerts names no route"


def test_the_text_says_what_happened_where_why_and_when() -> None:
    alert = compose(event(), "controllers", WHEN + 0.6)

    assert alert.text == (
        "VI_PUBLIC on controller3 (controllers): MASTER -> FAULT, can no longer hold the address "
        "[chk_haproxy failed; 192.168.1.220/24; address not held] at 2026-11-22T03:04:05.123456Z"
    )
    assert alert.severity == "warning"
    assert alert.payload()["incident"] == event().key
    assert alert.payload()["late_seconds"] == 0.6


def test_an_alert_that_comes_late_says_so() -> None:
    assert compose(event(), "controllers", WHEN + 3700).text.endswith(", told 1 h 1 m late")
