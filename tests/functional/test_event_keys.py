"""Event keys with a real master: each node has its own, nobody another's, nobody the secret."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import tempfile
from pathlib import Path

import pytest
import salt.exceptions

from keepalived_core import signing
from keepalived_core.cluster import secret
from keepalived_core.node import event_key

pytestmark = pytest.mark.root
REPO = Path(__file__).resolve().parents[2]


def keys(site, minion: str) -> list[str]:
    return secret.node_keys(secret.read(site.secret), minion)


def test_a_node_gets_its_key_with_the_watch_and_the_return_does_not_show_it(delivery):
    site = delivery
    site.paths.event_key.unlink(missing_ok=True)  # other tests may have had it installed
    changed = site.ask("n1", "keepalived.watch_install")
    (key,) = keys(site, "n1")
    assert event_key.read(site.paths) == key
    assert site.paths.event_key.stat().st_mode & 0o777 == 0o600
    assert "/var/lib/salt-keepalived/event.key" in changed
    assert key not in json.dumps(changed)
    assert "/var/lib/salt-keepalived/event.key" not in site.ask("n1", "keepalived.watch_install")
    state = site.ask("n1", "state.single", "keepalived.watch_installed", "name=x")
    assert key not in json.dumps(state)


def test_a_minion_sees_its_own_key_alone_even_when_the_master_hands_out_its_settings(delivery):
    site = delivery
    text = site.secret.read_text()
    values = [one["secret"] for one in json.loads(text)["secrets"]]
    for minion, other in (("n1", "n2"), ("n2", "n1")):
        caller = site.n1 if minion == "n1" else site.n2
        pillar = pillar_of(site, caller)
        assert pillar["keepalived_event_key"]["key"] == keys(site, minion)[0]
        shown = repr(pillar)
        # the master's settings are there, and in them only the way to the secret
        assert pillar["master"]["ext_pillar"] == [{"keepalived": {}}]
        assert keys(site, other)[0] not in shown
        assert [value for value in values if value in shown] == []


def test_asking_in_the_name_of_another_gets_nobody_anothers_key(delivery):
    site = delivery
    shown = repr(pillar_of(site, site.n2, claimed="n1"))
    assert keys(site, "n1")[0] not in shown


def pillar_of(site, minion, claimed: str | None = None):
    """What the master answers to this minion's key, whoever it says it is."""
    load = {
        "cmd": "_pillar", "id": claimed or minion.id, "grains": {"id": claimed or minion.id},
        "saltenv": "base", "pillarenv": None, "ver": "2", "extra_minion_data": {},
        "pillar_override": {"keepalived": {}}, "clean_cache": True,
    }  # fmt: skip
    with site.channel(minion) as channel:
        if claimed:
            # past the line that would put the right name back
            channel.obj.opts = {**channel.obj.opts, "id": claimed}
        try:
            return channel.crypted_transfer_decode_dictentry(
                load, dictkey="pillar", timeout=10, tries=1
            )
        except salt.exceptions.SaltException as err:
            assert claimed, err
            return str(err)


def test_a_minion_outside_the_cluster_gets_no_key(delivery):
    pillar = json.loads(delivery.run("pillar.show_pillar", "stranger").stdout)
    assert "keepalived_event_key" not in pillar
    assert "_errors" not in pillar


def test_a_secret_that_is_missing_is_an_error_of_the_pillar_and_never_a_default(delivery):
    site = delivery
    aside = site.secret.with_suffix(".aside")
    site.secret.rename(aside)
    try:
        pillar = json.loads(site.run("pillar.show_pillar", "n1").stdout)
        assert "keepalived_event_key" not in pillar
        (error,) = pillar["_errors"]
        assert "is missing: make it with salt-run keepalived.key_init" in error
        state = site.ask("n1", "state.sls", "keepalived.modules")
        assert "Pillar failed to render" in json.dumps(state)
        stranger = json.loads(site.run("pillar.show_pillar", "stranger").stdout)
        assert "_errors" not in stranger
    finally:
        aside.rename(site.secret)
        site.ask("n1", "saltutil.refresh_pillar", "wait=True")


def test_a_replaced_secret_reaches_the_node_and_both_keys_are_believed_meanwhile(delivery):
    site = delivery
    site.ask("n1", "keepalived.watch_install")
    (before,) = keys(site, "n1")
    done = json.loads(site.run("keepalived.key_rotate").stdout)
    assert len(done["secrets"]) == 2
    after, still = keys(site, "n1")
    assert still == before != after
    assert event_key.read(site.paths) == before
    site.ask("n1", "saltutil.refresh_pillar", "wait=True")
    for _ in range(20):
        # a minion takes its new pillar a moment after it said so
        if "/var/lib/salt-keepalived/event.key" in site.ask("n1", "keepalived.watch_install"):
            break
    assert event_key.read(site.paths) == after
    json.loads(site.run("keepalived.key_rotate", "drop_old=True").stdout)
    assert keys(site, "n1") == [after]
    assert len(json.loads(site.run("keepalived.key_status").stdout)["secrets"]) == 1


def test_no_key_and_no_secret_is_in_any_log(delivery):
    site = delivery
    logs = site.logs()
    for known in secret.read(site.secret):
        assert known.value.hex() not in logs
        for minion in ("n1", "n2"):
            assert signing.node_key(known.value, minion) not in logs


def test_a_master_that_is_not_run_as_root_makes_reads_and_replaces_its_own_secret(delivery):
    user = pwd.getpwnam("nobody")
    folder = Path(tempfile.mkdtemp(prefix="kauser-"))
    try:
        pillar = folder / "pillar"
        pillar.mkdir()
        (pillar / "top.sls").write_text("base: {n1: [node]}\n")
        (pillar / "node.sls").write_text("keepalived: {config: {}}\n")
        conf = {
            "user": "nobody", "root_dir": str(folder), "pki_dir": str(folder / "pki"),
            "module_dirs": [str(REPO / "salt")], "pillar_roots": {"base": [str(pillar)]},
            "ext_pillar": [{"keepalived": {}}],
        }  # fmt: skip
        (folder / "master").write_text(json.dumps(conf))
        (folder / "pki").mkdir(mode=0o700)
        (folder / "var/cache/salt/master/proc").mkdir(parents=True)
        for path in (folder, *folder.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
        run = [delivery.run(*words, config=str(folder)) for words in (
            ["keepalived.key_init"], ["keepalived.key_rotate"], ["pillar.show_pillar", "n1"],
        )]  # fmt: skip
        assert [one.returncode for one in run] == [0, 0, 0], run
        file = folder / "pki" / "keepalived-events.secret"
        assert (file.stat().st_uid, file.stat().st_mode & 0o777) == (user.pw_uid, 0o600)
        given = json.loads(run[2].stdout)["keepalived_event_key"]["key"]
        assert given == secret.node_keys(secret.read(file), "n1")[0]
    finally:
        shutil.rmtree(folder, ignore_errors=True)
