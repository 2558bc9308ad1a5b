"""What is believed of an event, and what is not."""

from __future__ import annotations

import json

import pytest
from cluster_samples import DATA, TAG
from hypothesis import given
from hypothesis import strategies as st

from keepalived_core.cluster.event import Event, Rejected, quote_for_log, validate_event

EVIL = "n1\nevil:\n  local.cmd.run:\n    - tgt: '*'\n    - args: [{cmd: reboot}]"


def tag(minion: str = "controller3", instance: str = "VI_PUBLIC", to: str = "FAULT") -> str:
    return f"salt/beacon/{minion}/keepalived/{instance}/{to}"


@pytest.mark.parametrize(
    ("tag", "changes"),
    [
        (TAG, {}),
        (tag(to="MASTER"), {"to": "MASTER"}),
        (tag(to="ghost"), {"to": "ghost"}),
        (tag(instance="VI%201"), {"instance": "VI 1"}),
        (tag(instance="VI%2Feth0"), {"instance": "VI/eth0"}),
        (tag(instance="VI_%C3%A4"), {"instance": "VI_ä"}),
        (tag(instance="VG1"), {"instance": "VG1", "type": "group"}),
        (TAG, {"from": None, "vip_present": None, "cluster": None, "reason": None}),
        (TAG, {"vips": ["fe80::1/64", "2001:db8::1", "10.0.0.1/32"]}),
        (TAG, {"some_later_field": {"of": "schema 1"}}),
    ],
)
def test_an_event_of_the_watch_is_believed(tag: str, changes: dict) -> None:
    data = {**DATA, **changes}

    found = validate_event(tag, data)

    assert isinstance(found, Event), found
    assert found.public() == {key: data.get(key) for key in found.public()}
    assert validate_event(tag, json.dumps(data)) == found


HOSTILE = {
    # Names that a target expression, YAML, Jinja, a path or a shell would read as more.
    "id is YAML": (tag(EVIL), {"id": EVIL}),
    "id is YAML, tag is not": (TAG, {"id": EVIL}),
    "id is a glob": (tag("*"), {"id": "*"}),
    "id has a glob": (tag("controller?"), {"id": "controller?"}),
    "id is a range": (tag("controller[1-3]"), {"id": "controller[1-3]"}),
    "id is a list": (tag("a,b"), {"id": "a,b"}),
    "id is a compound expression": (tag("G@os:Debian"), {"id": "G@os:Debian"}),
    "id has an operator": (tag("a or b"), {"id": "a or b"}),
    "id is Jinja": (tag("{{ 7*7 }}"), {"id": "{{ 7*7 }}"}),
    "id is a Jinja block": (tag("{% raw %}"), {"id": "{% raw %}"}),
    "id is an option": (tag("-rf"), {"id": "-rf"}),
    "id is a path": (tag(".."), {"id": ".."}),
    "id is a longer path": (tag("../../etc"), {"id": "../../etc"}),
    "id is a command": (tag("$(reboot)"), {"id": "$(reboot)"}),
    "id ends a line": (tag("controller3\n"), {"id": "controller3\n"}),
    "id has a null byte": (tag("controller3\0"), {"id": "controller3\0"}),
    "id is in another script": (tag("сontroller3"), {"id": "сontroller3"}),  # Cyrillic first letter
    "id is endless": (tag("c" * 300), {"id": "c" * 300}),
    "id is empty": (tag(""), {"id": ""}),
    "id is a number": (tag("7"), {"id": 7}),
    "instance is a glob": (tag(instance="%2A"), {"instance": "*"}),
    "instance is Jinja": (tag(instance="%7B%7B7%7D%7D"), {"instance": "{{7}}"}),
    "instance is a path": (tag(instance="..%2F.."), {"instance": "../.."}),
    "instance ends a line": (tag(instance="VI%0A"), {"instance": "VI\n"}),
    "instance colours a terminal": (tag(instance="VI%1B%5B31m"), {"instance": "VI\x1b[31m"}),
    "instance is endless": (tag(instance="V" * 200), {"instance": "V" * 200}),
    "instance is quoted": (tag(instance="%22VI%22"), {"instance": '"VI"'}),
    # A tag that says something else than the data, or is none of ours.
    "tag of another minion": (tag("controller1"), {}),
    "tag of another instance": (tag(instance="VI_OTHER"), {}),
    "tag of another state": (tag(to="MASTER"), {}),
    "tag with one part more": (TAG + "/x", {}),
    "tag with one part less": ("salt/beacon/controller3/keepalived/FAULT", {}),
    "tag of a failed beacon": ("salt/beacon/controller3/keepalived/", {}),
    "tag of another beacon": ("salt/beacon/controller3/load/VI_PUBLIC/FAULT", {}),
    "tag of a job": ("salt/job/controller3/keepalived/VI_PUBLIC/FAULT", {}),
    "tag not encoded": (tag(instance="VI 1"), {"instance": "VI 1"}),
    "tag with half an encoding": (tag(instance="VI%2"), {"instance": "VI%2"}),
    "tag with no UTF-8": (tag(instance="VI%ff"), {"instance": "VI\ufffd"}),
    "tag is endless": (tag(instance="V" * 5000), {"instance": "V" * 5000}),
    "tag is no text": (7, {}),
    # Fields of the wrong type or size.
    "another schema": (TAG, {"schema": 2}),
    "schema is true": (TAG, {"schema": True}),
    "schema is a text": (TAG, {"schema": "1"}),
    "type is unknown": (TAG, {"type": "cluster"}),
    "type is a list": (TAG, {"type": ["instance"]}),
    "to is unknown": (tag(to="BOOM"), {"to": "BOOM"}),
    "to is lower case": (tag(to="fault"), {"to": "fault"}),
    "seq is zero": (TAG, {"seq": 0}),
    "seq is negative": (TAG, {"seq": -1}),
    "seq is true": (TAG, {"seq": True}),
    "seq is a fraction": (TAG, {"seq": 1.5}),
    "seq is infinite": (TAG, {"seq": float("inf")}),
    "seq is too large for SQLite": (TAG, {"seq": 1 << 63}),
    "stream_id is SQL": (TAG, {"stream_id": "'; DROP TABLE claim; --"}),
    "stream_id is missing": (TAG, {"stream_id": None}),
    "planned is a text": (TAG, {"planned": "false"}),
    "planned is missing": (TAG, {"planned": None}),
    "time is local": (TAG, {"time": "2026-11-22T03:04:05"}),
    "time is elsewhere": (TAG, {"time": "2026-11-22T03:04:05+01:00"}),
    "time has a 13th month": (TAG, {"time": "2026-13-22T03:04:05Z"}),
    "time is a number": (TAG, {"time": 1795316645}),
    "from is a phrase": (TAG, {"from": "MASTER\nX-Header: 1"}),
    "vrid is 256": (TAG, {"vrid": 256}),
    "priority is a text": (TAG, {"base_priority": "103"}),
    "vip_present is a number": (TAG, {"vip_present": 1}),
    "vips is a text": (TAG, {"vips": "192.168.1.220"}),
    "vips has a name": (TAG, {"vips": ["evil.example.com"]}),
    "vips has a mapping": (TAG, {"vips": [{"address": "10.0.0.1"}]}),
    "vips is endless": (TAG, {"vips": ["10.0.0.1"] * 5000}),
    "reason is endless": (TAG, {"reason": "x" * 5000}),
    "reason is a mapping": (TAG, {"reason": {"a": 1}}),
    "interface is a path": (TAG, {"interface": "../eth0"}),
    "source is unknown": (TAG, {"source": "rumour"}),
    "family is unknown": (TAG, {"family": "ipx"}),
    "cluster is Jinja": (TAG, {"cluster": "{{ 7 }}"}),
}


@pytest.mark.parametrize(("tag", "changes"), HOSTILE.values(), ids=HOSTILE)
def test_a_crafted_event_is_rejected_without_quoting_it(tag: object, changes: dict) -> None:
    found = validate_event(tag, {**DATA, **changes})

    assert isinstance(found, Rejected)
    assert found.reason.isascii()
    assert found.reason.isprintable()
    assert not any(
        isinstance(value, str) and repr(value) in found.reason for value in changes.values()
    )
    assert "evil" not in found.reason.lower()


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"_stamp": "2026-11-22T03:04:05.200000"},
        [],
        [DATA],
        7,
        "",
        "{",
        "[" * 50000,
        '"text"',
        json.dumps({**DATA, "pad": "x" * 70000}),
        {"id": "controller3", "cmd": "_minion_event", "tag": TAG, "data": DATA},
    ],
    ids=lambda data: str(data)[:30],
)
def test_data_of_another_shape_is_rejected(data: object) -> None:
    assert isinstance(validate_event(TAG, data), Rejected)


def test_what_a_reason_could_do_to_a_terminal_is_taken_out() -> None:
    found = validate_event(TAG, {**DATA, "reason": "\x1b[2Jgone\r\nFAKE LINE"})

    assert isinstance(found, Event)
    assert found.reason == "?[2Jgone??FAKE LINE"


@given(
    st.dictionaries(
        st.sampled_from(sorted(DATA)),
        st.recursive(
            st.none()
            | st.booleans()
            | st.integers()
            | st.floats()
            | st.text(max_size=30)
            | st.binary(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
            max_leaves=5,
        ),
        max_size=4,
    ),
    st.text(max_size=80) | st.just(TAG),
)
def test_no_event_at_all_breaks_the_validation(changes: dict, tag: str) -> None:
    found = validate_event(tag, {**DATA, **changes})

    assert isinstance(found, (Event, Rejected))
    if isinstance(found, Event):
        assert found.key.startswith("controller3/VI_PUBLIC/")


@pytest.mark.parametrize("text", [EVIL, "ä\x1b[31m", "x" * 10000, None, b"\xff", {"a": 1}])
def test_untrusted_text_in_the_log_stays_on_one_short_line_of_ascii(text: object) -> None:
    shown = quote_for_log(text)

    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= 120
