"""Signatures: who can make them, what breaks them, and that nothing makes the check raise."""

import json

import msgpack
import pytest

from keepalived_core import signing

SECRET = b"s" * 32
KEY = signing.node_key(SECRET, "n1")
ROW = {
    "schema": 1, "id": "n1", "instance": "VI_1", "seq": 7, "from": None, "to": "MASTER",
    "vips": ["192.168.1.220/24", "2001:db8::1/64"], "vip_present": True, "reason": "ü\u2028\n",
    "monotonic_us": 1 << 60,
}  # fmt: skip


def signed(**changes):
    row = {**ROW, **changes}
    return {**row, "signature": signing.sign(row, KEY)}


def test_a_key_belongs_to_one_node_and_one_secret_and_does_not_show_it():
    keys = {
        signing.node_key(secret, node) for secret in (SECRET, b"t" * 32) for node in ("n1", "n2")
    }
    assert len(keys) == 4
    assert all(signing.is_key(key) for key in keys)
    assert SECRET.hex() not in KEY
    assert signing.key_id(KEY) not in KEY


def test_a_signed_row_is_believed_with_the_right_key_alone():
    assert signing.verify(signed(), [KEY])
    assert not signing.verify(signed(), [signing.node_key(SECRET, "n2")])
    assert not signing.verify(signed(), [])


def test_while_a_secret_is_replaced_both_keys_are_good():
    new = signing.node_key(b"t" * 32, "n1")
    assert signing.verify(signed(), [new, KEY])
    assert not signing.verify(signed(), [new])


@pytest.mark.parametrize("key", sorted(ROW))
def test_no_field_can_be_changed_or_left_out(key):
    assert not signing.verify({**signed(), key: "other"}, [KEY])
    row = signed()
    del row[key]
    assert not signing.verify(row, [KEY])


def test_no_field_can_be_added_but_what_the_master_stamps():
    assert not signing.verify({**signed(), "planned": True}, [KEY])
    assert signing.verify({**signed(), "_stamp": "2026-11-25T00:00:00"}, [KEY])


@pytest.mark.parametrize(
    "carry",
    [
        pytest.param(lambda row: json.loads(json.dumps(row)), id="JSON, as in the spool"),
        pytest.param(lambda row: msgpack.loads(msgpack.dumps(row)), id="msgpack, as on the bus"),
        pytest.param(lambda row: dict(reversed(row.items())), id="another order of the fields"),
        pytest.param(lambda row: {**row, "vips": tuple(row["vips"])}, id="a tuple for a list"),
    ],
)
def test_a_signature_outlives_the_way(carry):
    assert signing.verify(carry(signed()), [KEY])


@pytest.mark.parametrize(
    "row",
    [
        {}, None, [], "x", {"signature": None}, {"signature": 5}, {"signature": ""},
        {**ROW, "signature": signing.sign(ROW, KEY).replace("1:", "2:", 1)},
        {**ROW, "signature": signing.sign(ROW, KEY).upper()},
        {**ROW, "signature": signing.sign(ROW, KEY) + "\n"},
        {**ROW, "signature": "1:" + "é" * 12 + ":" + "0" * 64},
        {**signed(), "x": float("nan")}, {**signed(), "x": b"bytes"}, {**signed(), "x": {1, 2}},
        {**signed(), ("a", "b"): 1}, {**signed(), 5: 1},
    ],
)  # fmt: skip
def test_rubbish_is_not_believed_and_does_not_raise(row):
    assert signing.verify(row, [KEY]) is False


def test_depth_without_end_does_not_raise():
    row = deep = {**signed()}
    for _ in range(100_000):
        deep["x"] = deep = {}
    assert signing.verify(row, [KEY]) is False
