"""An incident's event is believed only with the hub's signature; and who is told of which."""

from __future__ import annotations

import json
from typing import Any

import pytest

from keepalived_core import signing
from keepalived_core.cluster import alert_incident
from keepalived_core.cluster.alert import why_silent
from keepalived_core.cluster.event import Rejected, validate_event
from keepalived_core.cluster.incident_event import HUB_ID, is_incident_tag, validate_incident

KEY = signing.node_key(b"s" * 32, HUB_ID)
NODE_KEY = signing.node_key(b"s" * 32, "n1")
NOW = 1_800_000_060.0
INCIDENT: dict[str, Any] = {
    "schema": 1,
    "id": "i0123456789",
    "cluster": "my cluster",
    "kind": "split_brain",
    "state": "open",
    "opened": "2027-01-15T08:00:00.000000Z",
    "resolved": None,
    "instance": "VI",
    "instances": ["VI"],
    "nodes": ["n1", "n2"],
    "planned": False,
    "was": [],
    "cause": {"class": "no_adverts", "text": "no owner\x1b[2J hears another"},
    "seconds": 75.0,
    "seconds_without_owner": 0.0,
    "seconds_several_owners": 74.5,
}
TAG = "keepalived/my%20cluster/split_brain/opened"


def signed(key: str = KEY, **changes: Any) -> dict[str, Any]:
    data = {**INCIDENT, **changes}
    return {**data, "signature": signing.sign(data, key), "_stamp": "2027-01-15T08:00:01"}


def test_what_the_hub_signed_is_believed_as_data_and_as_json() -> None:
    assert validate_incident(TAG, signed(), [KEY])["id"] == "i0123456789"  # type: ignore[index]
    assert validate_incident(TAG, json.dumps(signed()), [KEY]) == validate_incident(
        TAG, signed(), [KEY]
    )


def test_after_a_new_secret_what_the_old_one_signed_is_believed_too() -> None:
    new = signing.node_key(b"t" * 32, HUB_ID)

    assert not isinstance(validate_incident(TAG, signed(), [new, KEY]), Rejected)


FORGED: dict[str, tuple[Any, str, list[str]]] = {
    "no signature": (INCIDENT, TAG, [KEY]),
    "a node's signature": (signed(NODE_KEY), TAG, [KEY]),
    "changed after it was signed": ({**signed(), "nodes": ["n3"]}, TAG, [KEY]),
    "under another kind": (signed(), TAG.replace("split_brain", "flapping"), [KEY]),
    "under another cluster": (signed(), TAG.replace("my%20", "your"), [KEY]),
    "as resolved": (signed(), TAG.replace("opened", "resolved"), [KEY]),
    "a resolved one as opened": (signed(state="resolved"), TAG, [KEY]),
    "no secret on the master": (signed(), TAG, []),
    "a list": ([signed()], TAG, [KEY]),
    "no JSON": ("{", TAG, [KEY]),
    "JSON that is too deep": ("[" * 50_000, TAG, [KEY]),
    "too long": (" " * 70_000, TAG, [KEY]),
    "nothing": (None, TAG, [KEY]),
    "another schema": (signed(schema=2), TAG, [KEY]),
    "nodes that are patterns": (signed(nodes=["*"]), TAG, [KEY]),
    "instances that are none": (signed(instances="VI"), TAG, [KEY]),
    "no time": (signed(opened="yesterday"), TAG, [KEY]),
}


@pytest.mark.parametrize(("data", "tag", "keys"), FORGED.values(), ids=FORGED)
def test_everything_else_is_rejected(data: Any, tag: str, keys: list[str]) -> None:
    assert isinstance(validate_incident(tag, data, keys), Rejected)


TAGS = {
    TAG: True,
    "keepalived/c/no_master/resolved": True,
    "keepalived/c/alert/sent": False,
    "keepalived/c/remediation/opened": False,
    "keepalived/c/split_brain/opened/x": False,
    "salt/beacon/n1/keepalived/VI/FAULT": False,
    "keepalived/c/split_brain/closed": False,
}


@pytest.mark.parametrize(("tag", "is_one"), TAGS.items())
def test_only_the_hubs_tags_are_incidents(tag: str, is_one: bool) -> None:
    assert is_incident_tag(tag) is is_one
    assert not is_incident_tag(None)


# --- who is told ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "severity"),
    [
        ("split_brain", "critical"),
        ("ghost_vip", "critical"),
        ("no_master", "critical"),
        ("hollow_master", "critical"),
        ("flapping", "warning"),
    ],
)
def test_what_no_single_node_can_know_is_told(kind: str, severity: str) -> None:
    incident = {**INCIDENT, "kind": kind}

    assert alert_incident.why_silent(incident, "opened") is None
    alert = alert_incident.compose(incident, "opened", NOW)
    assert (alert.severity, alert.incident, alert.late_seconds) == (severity, "i0123456789", 60.0)
    assert alert.text.isprintable()
    assert "salt-run keepalived.explain i0123456789" in alert.text
    assert alert.payload()["details"]["kind"] == kind


@pytest.mark.parametrize("kind", ["failover", "degraded"])
def test_what_the_nodes_told_is_not_told_twice(kind: str) -> None:
    reason = alert_incident.why_silent({**INCIDENT, "kind": kind}, "opened")

    assert reason is not None and "the nodes' own events" in reason


def test_the_end_is_told_with_what_it_cost() -> None:
    over = {**INCIDENT, "state": "resolved", "resolved": "2027-01-15T08:01:00.000000Z"}

    alert = alert_incident.compose(over, "resolved", NOW)

    assert alert.severity == "info"
    assert "split brain is over" in alert.text and "with several for 74.500 s" in alert.text


@pytest.mark.parametrize("to", ["ghost", "hollow"])
def test_a_nodes_word_of_a_ghost_is_left_to_the_hub_where_one_runs(to: str) -> None:
    data = {
        "schema": 1,
        "type": "instance",
        "id": "n1",
        "stream_id": "abcd",
        "seq": 1,
        "instance": "VI",
        "to": to,
        "time": "2027-01-15T08:00:00Z",
        "planned": False,
    }
    event = validate_event(f"salt/beacon/n1/keepalived/VI/{to}", data)

    assert why_silent(event) is None
    assert why_silent(event, hub=True) == "the hub tells it as an incident, when it lasts"


def test_who_must_act_is_told_what_was_done_and_why_it_did_not_help() -> None:
    alert = alert_incident.escalation(INCIDENT, "drain on n1", "n1 and n2 are MASTER of VI")

    assert alert.severity == "critical"
    assert "needs you: drain on n1: n1 and n2 are MASTER of VI" in alert.text
