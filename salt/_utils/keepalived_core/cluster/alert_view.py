"""The routes as people see them: ``alerts``, ``alert_test``, and a line below the status.  Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from . import clock
from .alert import Alert
from .alert_message import Failure
from .alert_route import SEVERITIES, Route, Routes
from .event import printable
from .outbox import Health
from .paint import Painter, ago

SCHEMA = 1


def show(
    routes: Routes, health: Mapping[str, Health], clock_runs: bool, now: float
) -> dict[str, Any]:
    """What ``salt-run keepalived.alerts`` returns; docs/alerts.md has the schema."""
    rows = [_public(route, health.get(route.name, Health())) for route in routes.routes]
    named = {route.name for route in routes.routes}
    gone = [
        {"route": name, "waiting": each.waiting}
        for name, each in health.items()
        if name not in named and each.waiting
    ]
    wrong = bool(routes.mistakes) or any(row["failures"] for row in rows)
    return {
        "kind": "alerts",
        "schema": SCHEMA,
        "time": clock.render(now),
        "clock": clock_runs,
        "planned": routes.planned,
        "routes": rows,
        "gone": gone,
        "mistakes": list(routes.mistakes),
        "retcode": int(wrong),
    }


def _public(route: Route, health: Health) -> dict[str, Any]:
    return {
        "route": route.name,
        "type": type(route.target).__name__.lower(),
        "to": route.target.shown,
        "severity": [each for each in SEVERITIES if each in route.severity],
        "clusters": list(route.clusters),
        "group": route.group,
        "remind": route.remind,
        "template": bool(route.template.text or route.template.subject),
        "sent": health.sent,
        "last_sent": _time(health.last_sent),
        "failures": health.failures,
        "failing_since": _time(health.failing_since),
        "last_failed": _time(health.last_failed),
        "why": health.why,
        "waiting": health.waiting,
        "oldest_waiting": _time(health.oldest),
        "next_try": _time(health.next_try),
        "given_up": health.given_up,
        "last_given_up": _time(health.last_given_up),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else clock.render(seconds)


def screen(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """The table of ``alerts``."""
    lines = []
    if data["routes"]:
        head = ("route", "to", "takes", "of", "group", "remind", "last sent", "state")
        lines = painter.rows(
            head,
            [
                [
                    (str(each["route"]), ""),
                    (str(each["to"]), ""),
                    (_all(each["severity"], SEVERITIES), ""),
                    (_all(each["clusters"], ("*",)), ""),
                    (clock.span(each["group"]) if each["group"] else "-", ""),
                    (clock.span(each["remind"]) if each["remind"] else "-", ""),
                    (_ago(each["last_sent"], data["time"]), ""),
                    (_state(each, data["time"]), "bad" if each["failures"] else "good"),
                ]
                for each in data["routes"]
            ],
        )
    elif not data["mistakes"]:
        lines = ["keepalived:alerts names no route: nobody is told."]
    lines += [
        printable(f"{each['waiting']} wait for {each['route']}, which is no route any more")
        for each in data["gone"]
    ]
    lines += [painter.paint(printable(f"mistake: {each}"), "bad") for each in data["mistakes"]]
    wants_clock = any(each["group"] or each["remind"] or each["waiting"] for each in data["routes"])
    if wants_clock and not data["clock"]:
        lines.append(
            painter.paint(
                "No hub runs: nothing is grouped, nobody is reminded, and what failed is tried "
                "again with the next alert only.",
                "warn",
            )
        )
    return lines


def _all(given: Sequence[Any], everything: Sequence[str]) -> str:
    return "all" if list(given) == list(everything) else ", ".join(map(str, given))


def _ago(moment: str | None, now: str) -> str:
    return "never" if moment is None else f"{ago(moment, now)} ago"


def _state(each: Mapping[str, Any], now: str) -> str:
    parts = ["ok" if each["last_sent"] else "not used yet"]
    if each["failures"]:
        parts = [f"has failed for {ago(each['failing_since'], now)}: {each['why']}"]
    if each["waiting"]:
        parts.append(f"{each['waiting']} waiting")
    if each["given_up"]:
        parts.append(f"{each['given_up']} given up")
    return "; ".join(parts)


def trouble(routes: Routes, health: Mapping[str, Health]) -> dict[str, Any]:
    """What the status says of the routes: those that fail, and how many mistakes there are."""
    failing = [_public(route, health.get(route.name, Health())) for route in routes.routes]
    shown = ("route", "to", "failing_since", "why", "waiting", "given_up")
    return {
        "routes": len(routes.routes),
        "mistakes": len(routes.mistakes),
        "failing": [{key: each[key] for key in shown} for each in failing if each["failures"]],
    }


def trouble_lines(data: Mapping[str, Any] | None, now: str) -> list[str]:
    """The lines of it; none when all is well."""
    if data is None:
        return []
    lines = [
        f"alerts: {each['route']} ({each['to']}) has failed for {ago(each['failing_since'], now)}: "
        f"{each['why']}; {each['waiting']} waiting, {each['given_up']} given up"
        for each in data["failing"]
    ]
    if data["mistakes"]:
        count = data["mistakes"]
        lines.append(
            f"alerts: {count} mistake{'' if count == 1 else 's'} in keepalived:alerts; "
            "salt-run keepalived.alerts says which"
        )
    return [printable(line) for line in lines]


# --- the test ---------------------------------------------------------------------------------


def test_alert(who: str, now: float) -> Alert:
    """The message that tries a route."""
    return Alert(
        severity="info",
        text=printable(
            f"This is a test of this route, sent by {who} with salt-run keepalived.alert_test at "
            f"{clock.render(now)}. Nothing is wrong."
        ),
        subject="test",
        cluster="test",
        incident=f"test/{clock.render(now)}",
        word="test",
    )


def tested(
    routes: Iterable[Route],
    done: Mapping[str, tuple[Failure | None, float]],
    mistakes: Sequence[str],
    now: float,
) -> dict[str, Any]:
    """What ``salt-run keepalived.alert_test`` returns.

    done
        ``{route: (why it was not taken or None, seconds)}``
    """
    rows = []
    for route in routes:
        failure, seconds = done[route.name]
        rows.append(
            {
                "route": route.name,
                "to": route.target.shown,
                "result": "failed" if failure else "sent",
                "why": failure.reason if failure else None,
                "seconds": round(seconds, 3),
            }
        )
    failed = bool(mistakes) or any(row["result"] == "failed" for row in rows)
    return {
        "kind": "alert_test",
        "schema": SCHEMA,
        "time": clock.render(now),
        "routes": rows,
        "mistakes": list(mistakes),
        "retcode": int(failed),
    }


def tested_screen(data: Mapping[str, Any], painter: Painter) -> list[str]:
    """The table of ``alert_test``."""
    lines = ["keepalived:alerts names no route: nobody is told."]
    if data["routes"]:
        lines = painter.rows(
            ("route", "to", "result", "took", "why"),
            [
                [
                    (str(each["route"]), ""),
                    (str(each["to"]), ""),
                    (str(each["result"]), "good" if each["result"] == "sent" else "bad"),
                    (f"{each['seconds']} s", ""),
                    (str(each["why"] or "-"), ""),
                ]
                for each in data["routes"]
            ],
        )
    return lines + [
        painter.paint(printable(f"mistake: {each}"), "bad") for each in data["mistakes"]
    ]
