"""The words of a message: the built-in ones, a template's, and those of several alerts."""

from __future__ import annotations

import pytest
from cluster_samples import WHEN, event

from keepalived_core.cluster import alert_message
from keepalived_core.cluster.alert import Alert, compose
from keepalived_core.cluster.alert_message import Kept, bundles
from keepalived_core.cluster.alert_template import BUILT_IN, FIELDS, LONGEST, Template, fields

ALERT = compose(event(), "controllers", WHEN)
INCIDENT = Alert(
    "critical",
    "text",
    "subject",
    "controllers",
    "i42",
    details={
        "details": {
            "instance": "VI_PUBLIC",
            "kind": "split_brain",
            "nodes": ["n1", "n2"],
            "opened": "2026-11-22T03:04:05Z",
            "resolved": None,
            "seconds": 3.5,
            "cause": {"class": "partition", "text": "no adverts"},
        }
    },
    word="opened",
)


def kept(alert: Alert, number: int = 1, entered: float = WHEN) -> Kept:
    return Kept(number, alert, {}, entered)


TEMPLATES = {
    "of an event": (
        ALERT,
        "{{ severity }} {{ word }}: {{ instance }} {{ kind }} on {{ node }} of {{ cluster }}: "
        "{{ cause }} at {{ time }}",
        "warning event: VI_PUBLIC FAULT on controller3 of controllers: chk_haproxy failed at "
        "2026-11-22T03:04:05.123456Z",
    ),
    "of an incident": (
        INCIDENT,
        "{{ word }} {{ kind }} of {{ instance }} on {{ node }}: {{ cause }}, {{ seconds }} s "
        "({{ incident }}) since {{ time }}",
        "opened split_brain of VI_PUBLIC on n1, n2: no adverts, 3.5 s (i42) since "
        "2026-11-22T03:04:05Z",
    ),
    "with a condition": (
        INCIDENT,
        "{% if seconds > 1 %}!{% endif %}{{ text }}",
        "!text",
    ),
    "that makes nothing": (INCIDENT, "{% if severity == 'info' %}x{% endif %}", "text"),
}


@pytest.mark.parametrize(("alert", "source", "text"), TEMPLATES.values(), ids=TEMPLATES)
def test_a_template_makes_the_text(alert: Alert, source: str, text: str) -> None:
    message = alert_message.compose([kept(alert)], Template(source), WHEN)

    assert message.text == text
    assert message.payload["text"] == text


def test_every_documented_field_is_there_whatever_the_alert() -> None:
    for alert in (ALERT, INCIDENT, Alert("info", "t", "s", "c", "i")):
        assert sorted(fields(alert)) == sorted(FIELDS)


def test_a_template_that_fails_leaves_the_built_in_words_and_says_so() -> None:
    broken = Template("{{ seconds + 1 }}", "{{ 1 / 0 }}")
    message = alert_message.compose([kept(ALERT)], broken, WHEN)

    assert message.subject == ALERT.subject
    assert message.text.startswith(ALERT.text)
    assert "[the template of the text failed (TypeError:" in message.text


def test_what_a_node_sent_is_text_and_no_template() -> None:
    hostile = compose(event(reason="{{ 7 * 7 }}{% for x in y %}"), "controllers", WHEN)
    message = alert_message.compose([kept(hostile)], Template("{{ cause }}|{{ text }}"), WHEN)

    assert message.text.startswith("{{ 7 * 7 }}{% for x in y %}|")


def test_a_subject_is_one_line() -> None:
    lines = Template("", "a\nBcc: b@example.com\n{{ cluster }}")
    message = alert_message.compose([kept(ALERT)], lines, WHEN)

    assert message.subject == "a Bcc: b@example.com controllers"


def test_a_message_that_waited_says_how_late_it_is() -> None:
    message = alert_message.compose([kept(ALERT)], BUILT_IN, WHEN + 150)

    assert message.text.endswith("[sent 2 m 30 s late]")
    assert message.payload["late_seconds"] == 150


def test_several_alerts_are_one_message_as_urgent_as_the_worst() -> None:
    parts = [kept(ALERT, 1), kept(INCIDENT, 2)]
    message = alert_message.compose(parts, BUILT_IN, WHEN)

    assert (message.severity, message.subject) == ("critical", "2 alerts of controllers")
    assert message.text.splitlines() == ["2 alerts of controllers:", "text", ALERT.text]
    assert [each["incident"] for each in message.payload["alerts"]] == [ALERT.incident, "i42"]


def test_a_flood_is_cut_and_counted_in_the_text_and_whole_in_the_payload() -> None:
    message = alert_message.compose([kept(ALERT, n) for n in range(100)], BUILT_IN, WHEN)

    shown = message.text.count("can no longer hold")
    assert len(message.text) < LONGEST + 100
    assert message.text.endswith(f"… and {100 - shown} more")
    assert len(message.payload["alerts"]) == 100


def test_of_a_flood_the_most_urgent_is_shown_first_and_the_others_in_their_order() -> None:
    flood = [Alert("info", f"{n} took over {'.' * 200}", "s", "c", str(n)) for n in range(40)]
    parts = [kept(each, n) for n, each in enumerate([*flood, INCIDENT, ALERT])]
    message = alert_message.compose(parts, BUILT_IN, WHEN)

    shown = [line.split()[0] for line in message.text.splitlines()[1:]]
    assert shown[:5] == ["text", ALERT.text.split()[0], "0", "1", "2"]
    assert message.text.endswith(" more")
    assert message.payload["alerts"][0]["incident"] == "0"


def test_only_alerts_of_one_cluster_are_together() -> None:
    other = Alert("info", "t", "s", "edge", "i")
    waiting = [kept(ALERT, 1), kept(other, 2), kept(INCIDENT, 3)]

    assert [[each.number for each in one] for one in bundles(waiting, True)] == [[1, 3], [2]]
    assert [[each.number for each in one] for one in bundles(waiting, False)] == [[1], [2], [3]]


def test_an_alert_comes_out_of_the_file_as_it_went_in() -> None:
    for alert in (ALERT, INCIDENT):
        assert alert_message.load(alert_message.dump(alert)) == alert
