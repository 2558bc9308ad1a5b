"""Who is told what."""

from __future__ import annotations

import pytest
from cluster_samples import WHEN, event

from keepalived_core.cluster.alert import compose, why_silent


@pytest.mark.parametrize("to", ["FAULT", "STOP", "DELETED", "MASTER", "ghost"])
def test_people_are_told_what_they_must_know(to: str) -> None:
    change = event(to=to, **{"from": "BACKUP"})

    assert why_silent(change) is None


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
    assert (why_silent(event(**changes)) or "").startswith(why)


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
    assert why_silent(event(**changes, **{"from": None})) is None


def test_planned_changes_are_told_on_request() -> None:
    assert why_silent(event(planned=True), planned=True) is None


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
