"""How a change is told, and that its table is whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from change_text import block, instance, settings

from keepalived_core import conf
from keepalived_core.check import change_docs, change_rules
from keepalived_core.check.change import Change, Kind, Reason, classify
from keepalived_core.conf import grammar

PAGE = Path(__file__).resolve().parents[3] / "docs" / "changes.md"


def change(old: str, new: str, version=(2, 2, 7)) -> Change:
    return classify(conf.parse(old), conf.parse(new), version)


def test_a_first_configuration_is_not_disruptive():
    found = classify(None, conf.parse(instance()))
    assert (found.kind, found.disruptive) == (Kind.SAFE, False)
    assert found.sentences() == ["safe: first configuration"]


def test_nothing_says_nothing():
    found = change(instance(), instance())
    assert found == Change()
    assert found.to_data() == {
        "kind": "nothing",
        "disruptive": False,
        "instances": {},
        "reasons": [],
    }


def test_the_worst_comes_first_and_names_its_place():
    found = change(
        settings() + instance(), settings(nftables=True) + instance(virtual_router_id=52)
    )
    assert [reason.kind for reason in found.reasons] == [Kind.CLUSTER, Kind.RESTART]
    assert found.sentences()[0].startswith(
        "cluster: vrrp_instance VI virtual_router_id: 51 becomes 52"
    )
    assert found.sentences()[1].startswith("restart: global_defs nftables: added")
    assert (found.restart, found.cluster, found.disruptive) == (True, True, True)
    assert found.instances == {"VI": Kind.CLUSTER}


def test_a_value_from_global_defs_is_told_for_each_instance_by_the_word_that_changed():
    both = instance("VA") + instance("VB", virtual_router_id=52)
    found = change(settings() + both, settings(vrrp_version=3) + both)
    assert {(one.instance, one.keyword) for one in found.reasons} == {
        ("VA", "global_defs vrrp_version"),
        ("VB", "global_defs vrrp_version"),
    }


def test_plain_data_is_json():
    data = change(instance(), instance(priority=90)).to_data()
    assert json.loads(json.dumps(data)) == data
    assert data["instances"] == {"VI": "moves"}
    assert set(data["reasons"][0]) == {"kind", "instance", "keyword", "text"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {"auth_type": "PASS", "auth_pass": "hunter2"},
            {"auth_type": "PASS", "auth_pass": "s3same"},
        ),
        ({"auth_type": "PASS", "auth_pass": "hunter2"}, {"auth_type": "AH", "auth_pass": "s3same"}),
    ],
)
def test_no_secret_is_told(old, new):
    told = json.dumps(change(instance(authentication=old), instance(authentication=new)).to_data())
    assert "hunter2" not in told and "s3same" not in told


def test_no_other_secret_is_told():
    ssl = [block("SSL", {"password": word}) + instance() for word in ("hunter2", "s3same")]
    hmac = [instance(version=3, auth_hmac=[f"key 1 {word}"]) for word in ("hunter2", "s3same")]
    script = [instance(notify_master=f'"/usr/bin/alarm {word}"') for word in ("hunter2", "s3same")]
    for old, new in (ssl, hmac, script):
        told = json.dumps(change(old, new).to_data())
        assert "hunter2" not in told and "s3same" not in told


def test_an_unknown_release_gets_the_worst_of_all():
    for version in (None, ()):
        assert change(
            settings() + instance(), settings(enable_dbus=True) + instance(), version
        ).restart


def test_every_keyword_has_a_class():
    """A new keyword of the grammar needs a row, or a block whose default goes for it too."""
    assert change_rules.uncovered() == []
    for path, _keyword in grammar.walk():
        rule = change_rules.find(path)
        assert rule.text and rule.source, path


def test_the_table_names_only_keywords_of_the_grammar():
    known = {path for path, _keyword in grammar.walk()}
    named = {(*rule.block.split(), word) for rule in change_rules.rules() for word in rule.words}
    assert named - known == set()
    assert {tuple(block.split()) for block in change_rules.BLOCKS if block} - known == set()


def test_rows_are_not_given_twice():
    seen = [
        (rule.block, word, rule.case, rule.since, rule.until)
        for rule in change_rules.rules()
        for word in rule.words
    ]
    assert len(seen) == len(set(seen))


def test_the_page_has_the_table_as_it_is():
    """Mend it with: python -m keepalived_core.check.change_docs docs/changes.md"""
    page = PAGE.read_text(encoding="utf-8")
    assert change_docs.renew(page) == page


def test_a_reason_without_a_place():
    assert Reason(Kind.SAFE, "", "", "text").sentence() == "safe: text"
