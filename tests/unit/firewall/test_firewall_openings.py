"""VRRP is let in now and after a restart, and what was opened can be closed again, no more."""

import json

import pytest
from fake_firewalld import FakeFirewalld

from keepalived_core.node import openings
from keepalived_core.node.firewalld import FirewallError

V6 = [{"instance": "VI_6", "interface": "eth1", "family": 6}]
RULE = 'rule family="ipv6" destination address="ff02::12" protocol value="vrrp" accept'
V4 = [{"instance": "VI_4", "interface": "eth1", "family": 4}]
PEERS = [{"instance": "VI_4", "interface": "eth1", "unicast_peers": ["10.0.0.2", "10.0.0.3"]}]
LEFT = 'rule family="ipv4" source address="10.0.0.3" protocol value="vrrp" accept'
BOTH = ["runtime", "permanent"]


def yes():
    return True


def no():
    return False


@pytest.fixture
def record(tmp_path):
    return tmp_path / "state" / "firewall.json"


@pytest.fixture
def host(fake, connect, record):
    """allow, disallow, close_stale and check, tied to the fake and the record."""

    class Host:
        firewalld = connect(fake)

        def fresh(self):
            return connect(fake)

        def allow(self, described=V6, enabled=yes, **kwargs):
            return openings.allow(self.fresh(), described, enabled, record=record, **kwargs)

        def disallow(self, running=no, **kwargs):
            return openings.disallow(self.fresh(), running, record=record, **kwargs)

        def close_stale(self, described, **kwargs):
            return openings.close_stale(self.fresh(), described, record=record, **kwargs)

        def check(self, described=V6, enabled=yes):
            return openings.check(self.fresh(), described, enabled, record=record)

    return Host()


def held(fake, zone="public"):
    return {place: fake.zones[place][zone]["rich"] for place in BOTH}


def test_vrrp_is_let_in_now_and_after_a_restart(fake, host):
    outcome = host.allow()
    assert outcome.result is True
    assert held(fake) == {"runtime": [RULE], "permanent": [RULE]}
    assert outcome.changes == {place: {"old": None, "new": {"public": [RULE]}} for place in BOTH}
    assert "FirewallBackend=nftables" in outcome.comment


def test_a_second_time_changes_nothing(fake, host):
    host.allow(V4)
    fake.calls.clear()
    outcome = host.allow(V4)
    assert (outcome.result, outcome.changes, fake.changing) == (True, {}, [])


@pytest.mark.parametrize("had", BOTH)
def test_each_configuration_gets_what_it_lacks(fake, host, had):
    fake.zones[had]["public"]["rich"].append(RULE)
    outcome = host.allow()
    assert list(outcome.changes) == [place for place in BOTH if place != had]
    assert held(fake) == {"runtime": [RULE], "permanent": [RULE]}


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
@pytest.mark.parametrize("described", [V6, V4, PEERS], ids=["v6", "v4", "unicast"])
def test_test_mode_predicts_exactly_and_touches_nothing(fake, host, record, running, described):
    if not running:
        fake.stop()
    predicted = host.allow(described, test=True)
    assert predicted.result is None
    assert (fake.changing, record.exists()) == ([], False)
    real = host.allow(described)
    assert (real.result, real.changes) == (True, predicted.changes)


def test_nothing_is_ever_reloaded(fake, host):
    host.allow()
    host.disallow()
    assert not any("reload" in word for call in fake.calls for word in call)


def test_stopped_but_starting_at_boot_gets_the_permanent_part(fake, host):
    fake.stop()
    outcome = host.allow(enabled=yes)
    assert list(outcome.changes) == ["permanent"]
    assert held(fake) == {"runtime": [], "permanent": [RULE]}
    assert "the runtime part follows" in outcome.comment


def test_a_firewalld_that_is_off_is_left_alone(fake, host, record):
    fake.stop()
    outcome = host.allow(enabled=no)
    assert (outcome.result, outcome.changes, fake.changing) == (True, {}, [])
    assert "nothing done" in outcome.comment
    assert not record.exists()


def test_no_firewalld_is_no_error(fake, connect, record):
    outcome = openings.allow(connect(fake, tools=()), V6, yes, record=record)
    assert (outcome.result, outcome.changes, fake.calls) == (True, {}, [])
    assert "not installed" in outcome.comment


def test_no_instance_needs_nothing(fake, host):
    assert host.allow([]).result is True
    assert fake.calls == []


def test_a_refusal_tells_what_was_opened_before(fake, host):
    fake.refuse = [("permanent", "ff02::12")]
    outcome = host.allow()
    assert outcome.result is False
    assert list(outcome.changes) == ["runtime"]
    assert "COMMAND_FAILED" in outcome.comment


def test_success_that_did_nothing_is_an_error(fake, host):
    fake.deaf = True
    outcome = host.allow()
    assert outcome.result is False
    assert "lacks rule family" in outcome.comment


# --- closing ---------------------------------------------------------------------------------


def test_closing_removes_what_was_opened(fake, host, record):
    host.allow(V4)
    outcome = host.disallow()
    assert outcome.result is True
    assert held(fake) == {"runtime": [], "permanent": []}
    assert set(outcome.changes) == set(BOTH)
    assert not record.exists()
    assert host.disallow().changes == {}


@pytest.mark.parametrize("had", [BOTH, ["permanent"], ["runtime"]], ids=str)
def test_closing_leaves_what_was_there_before(fake, host, had):
    for place in had:
        fake.zones[place]["public"]["rich"].append(RULE)
    host.allow()
    host.disallow()
    # Who made it permanent wants it in the runtime too, whoever put it there.
    expected = {place: [RULE] if place in had or "permanent" in had else [] for place in BOTH}
    assert held(fake) == expected


def test_closing_leaves_other_rules(fake, host):
    other = 'rule family="ipv4" source address="10.9.9.9" reject'
    for place in BOTH:
        fake.zones[place]["public"]["rich"].append(other)
    host.allow()
    host.disallow()
    assert held(fake) == {place: [other] for place in BOTH}


def test_closing_is_refused_while_keepalived_runs(fake, host):
    host.allow()
    fake.calls.clear()
    outcome = host.disallow(running=yes)
    assert (outcome.result, outcome.changes, fake.changing) == (False, {}, [])
    assert "Stop keepalived first" in outcome.comment


def test_closing_in_test_mode_predicts_and_touches_nothing(fake, host, record):
    host.allow()
    fake.calls.clear()
    predicted = host.disallow(running=yes, test=True)  # the state before may stop keepalived
    assert predicted.result is None
    assert (fake.changing, record.exists()) == ([], True)
    assert host.disallow().changes == predicted.changes


def test_closing_works_while_firewalld_is_stopped(fake, host):
    host.allow()
    fake.stop()
    assert list(host.disallow().changes) == ["permanent"]
    assert held(fake)["permanent"] == []


def test_what_was_opened_while_stopped_is_closed_in_the_runtime_too(fake, host):
    fake.stop()
    host.allow()
    fake.running = True
    fake.zones["runtime"]["public"]["rich"].append(RULE)  # firewalld read it when it started
    assert set(host.disallow().changes) == set(BOTH)
    assert held(fake) == {"runtime": [], "permanent": []}


def test_a_rule_that_somebody_else_removed_is_no_error(fake, host, record):
    host.allow()
    fake.zones["permanent"]["public"]["rich"].clear()
    outcome = host.disallow()
    assert (outcome.result, list(outcome.changes)) == (True, ["runtime"])
    assert not record.exists()


def test_a_zone_that_somebody_else_removed_is_no_error(fake, host):
    host.allow()
    for place in BOTH:
        del fake.zones[place]["public"]
    assert host.disallow().result is True


def test_a_firewalld_that_is_gone_takes_its_rules_along(fake, host, connect, record):
    host.allow()
    outcome = openings.disallow(connect(fake, tools=()), no, record=record)
    assert (outcome.result, outcome.changes, record.exists()) == (True, {}, False)


def test_a_refused_removal_is_remembered(fake, host, record):
    host.allow()
    fake.refuse = [("permanent", "ff02::12")]
    assert host.disallow().result is False
    assert record.exists()
    fake.refuse = []
    assert list(host.disallow().changes) == ["permanent"]


def test_a_peer_that_left_stays_open_until_asked(fake, host):
    host.allow(PEERS)
    now = [{**PEERS[0], "unicast_peers": ["10.0.0.2"]}]
    assert host.allow(now).changes == {}
    assert host.check(now)["stale"] == {"public": [LEFT]}
    assert host.close_stale(now, test=True).result is None
    assert host.close_stale(now).changes == {
        place: {"old": {"public": [LEFT]}, "new": None} for place in BOTH
    }
    assert all(LEFT not in rules and len(rules) == 1 for rules in held(fake).values())
    assert host.check(now)["stale"] == {}
    assert set(host.disallow().changes) == set(BOTH)


# --- the record ------------------------------------------------------------------------------


def test_the_record_is_private(host, record):
    host.allow()
    assert record.stat().st_mode & 0o777 == 0o600
    assert record.parent.stat().st_mode & 0o777 == 0o700
    assert json.loads(record.read_text())[0]["places"] == ["permanent", "runtime"]


@pytest.mark.parametrize("text", ["", "{", "[1]", '[{"zone": "x"}]', "{}x"])
def test_a_spoiled_record_is_named_and_nothing_is_done(fake, host, record, text):
    record.parent.mkdir()
    record.write_text(text)
    for act in (host.allow, host.disallow):
        with pytest.raises(FirewallError, match=r"firewall\.json: cannot be read"):
            act()
    assert fake.changing == []


def test_a_record_that_cannot_be_written_opens_nothing(fake, host, record):
    record.parent.write_text("a file where the directory should be")
    with pytest.raises(FirewallError, match=r"firewall\.json: cannot"):
        host.allow()
    assert fake.changing == []


# --- the report ------------------------------------------------------------------------------


def test_check_says_what_is_missing_and_changes_nothing(fake, host):
    report = host.check()
    assert report["ok"] is False
    assert report["missing"] == {place: {"public": [RULE]} for place in BOTH}
    assert (report["firewalld"], report["backend"]) == ("running", "nftables")
    assert fake.changing == []
    host.allow()
    report = host.check()
    assert (report["ok"], report["missing"], report["openings"]) == (True, {}, [RULE])


OFF = {
    "stopped, starts at boot": (yes, False),
    "stopped, does not start": (no, True),
}


@pytest.mark.parametrize("enabled, ok", OFF.values(), ids=OFF)
def test_a_stopped_firewalld_matters_only_when_it_will_start(fake, host, enabled, ok):
    fake.stop()
    report = host.check(enabled=enabled)
    assert (report["firewalld"], report["ok"]) == ("stopped", ok)


def test_an_absent_firewalld_is_fine(connect, record):
    firewalld = connect(FakeFirewalld(), tools=())
    report = openings.check(firewalld, V6, yes, record=record)
    assert (report["firewalld"], report["ok"]) == ("absent", True)


CONFIGURED = {
    "the last line counts": ("FirewallBackend=nftables\nFirewallBackend=iptables\n", "iptables"),
    "a comment does not": ("#FirewallBackend=iptables\n", "nftables"),
    "blanks and case": (" FirewallBackend = IPTables \n", "iptables"),
    "nothing said": ("DefaultZone=public\n", "nftables"),
}


@pytest.mark.parametrize("text, backend", CONFIGURED.values(), ids=CONFIGURED)
def test_the_backend_is_read_from_firewalld_conf(connect, tmp_path, text, backend):
    firewalld = connect(FakeFirewalld())
    (tmp_path / "firewalld.conf").write_text(text)
    assert firewalld.backend() == backend
    (tmp_path / "firewalld.conf").unlink()
    assert firewalld.backend() == "nftables"
