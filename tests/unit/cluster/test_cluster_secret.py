"""The master's secret: born once, for its owner alone, replaced without losing a signature."""

import json
import os

import pytest

from keepalived_core import signing
from keepalived_core.cluster import secret
from keepalived_core.cluster.secret import SecretError


@pytest.fixture
def path(tmp_path):
    return tmp_path / "keepalived-events.secret"


def test_it_is_made_once_and_is_for_its_owner_alone(path):
    first = secret.create(path)
    assert secret.create(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(path.parent) == [path.name]
    assert len(first.value) == 32


def test_two_that_make_it_at_once_end_with_the_same(path, monkeypatch):
    winner = secret.create(path)
    monkeypatch.setattr(type(path), "exists", lambda self: False)
    assert secret.create(path) == winner


def test_what_is_printed_of_it_is_no_secret(path):
    made = secret.create(path)
    assert made.value.hex() not in repr(made)
    assert repr(made.value) not in repr(made)


def test_a_replaced_secret_still_checks_what_was_signed_before(path):
    secret.create(path)
    before = secret.node_keys(secret.read(path), "n1")[0]
    known = secret.rotate(path)
    after, still = secret.node_keys(known, "n1")
    assert after != before == still
    row = {"id": "n1", "seq": 1}
    row["signature"] = signing.sign(row, before)
    assert signing.verify(row, secret.node_keys(known, "n1"))
    dropped = secret.rotate(path, drop_old=True)
    assert dropped == known[:1]
    assert not signing.verify(row, secret.node_keys(dropped, "n1"))
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_file_stays_its_owners_when_root_replaces_the_secret(path):
    if os.geteuid():
        pytest.skip("only root can give a file away")
    secret.create(path, (65534, 65534))
    secret.rotate(path)
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65534)


TEXT = '{"schema": 1, "secrets": [{"id": "a", "secret": "%s", "made": "x"}]}'


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (None, 0, "is missing: make it with salt-run keepalived.key_init"),
        ("", 0o600, "is damaged"),
        ("[]", 0o600, "is damaged"),
        ('{"schema": 1, "secrets": []}', 0o600, "is damaged"),
        (TEXT % "short0", 0o600, "is damaged"),
        (TEXT % ("zz" * 32), 0o600, "is damaged"),
        (TEXT.replace("1", "7", 1) % ("ab" * 32), 0o600, "has schema 7, this program knows 1"),
        (TEXT % ("ab" * 32), 0o640, "has mode 0640, so others may have read it: chmod 0600"),
        (TEXT % ("ab" * 32), 0o604, "has mode 0604"),
    ],
)
def test_one_that_is_of_no_use_is_refused_with_a_remedy_and_without_its_content(
    path, text, mode, said
):
    if text is not None:
        path.write_text(text)
        path.chmod(mode)
    for use in (secret.read, secret.rotate):
        with pytest.raises(SecretError) as refused:
            use(path)
        assert said in str(refused.value)
        assert str(path) in str(refused.value)
        for leaked in ("ab" * 32, "zz" * 32, "short0"):
            assert leaked not in str(refused.value)
            assert refused.value.__suppress_context__ or leaked not in repr(
                refused.value.__context__
            )
    if text is not None:
        assert path.read_text() == text


def test_where_it_cannot_be_written_the_user_is_named(tmp_path):
    with pytest.raises(SecretError, match=r"cannot be written by uid \d+: No such file"):
        secret.create(tmp_path / "nowhere" / "x")


def test_it_lies_beside_the_masters_own_key_unless_said_otherwise():
    opts = {"pki_dir": "/etc/salt/pki/master"}
    assert str(secret.location(opts)) == "/etc/salt/pki/master/keepalived-events.secret"
    for settings in (None, {}, {"secret_file": None}, []):
        assert secret.location({**opts, "keepalived": settings}) == secret.location(opts)
    given = {**opts, "keepalived": {"secret_file": "/a/b"}}
    assert str(secret.location(given)) == "/a/b"


def test_its_file_is_json_of_schema_1_newest_first(path):
    secret.create(path)
    secret.rotate(path)
    data = json.loads(path.read_text())
    assert data["schema"] == 1
    assert [one["id"] for one in data["secrets"]] == [one.id for one in secret.read(path)]
    assert data["secrets"][0]["made"] >= data["secrets"][1]["made"]
