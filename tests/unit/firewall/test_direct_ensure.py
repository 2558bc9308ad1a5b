"""Direct entries are set where they are missing, each configuration by itself."""

import pytest

from keepalived_core.node import direct
from keepalived_core.node.firewalld import FirewallError

RULE = direct.build(
    "rule",
    ipv="ipv4",
    table="filter",
    chain="INPUT",
    priority=0,
    args="-i eth1 -d 224.0.0.0/8 -j ACCEPT",
)
CHAIN = direct.build("chain", ipv="ipv6", table="mangle", chain="cluster")
PASS = direct.build("passthrough", ipv="ipv4", args=["-A", "INPUT", "-j", "DROP"])
FOREIGN = ("rule", ("ipv4", "filter", "INPUT", "0", "-p", "tcp", "-j", "DROP"))

ENTRIES = pytest.mark.parametrize("entry", [RULE, CHAIN, PASS], ids=lambda entry: entry.kind)
BOTH = ["runtime", "permanent"]


def hold(fake, entry, *places):
    for place in places:
        fake.direct[place].append((entry.kind, entry.words))


def holds(fake, entry):
    return [place for place in BOTH if (entry.kind, entry.words) in fake.direct[place]]


@ENTRIES
@pytest.mark.parametrize("had", [[], ["runtime"], ["permanent"], BOTH], ids=str)
def test_present_adds_what_is_missing_and_only_that(fake, connect, entry, had):
    hold(fake, entry, *had)
    outcome = direct.ensure(connect(fake), entry, True)
    assert outcome.result is True
    assert holds(fake, entry) == BOTH
    missing = [place for place in BOTH if place not in had]
    assert outcome.changes == {place: {"old": None, "new": str(entry)} for place in missing}
    assert len(fake.changing) == len(missing)


@ENTRIES
@pytest.mark.parametrize("had", [[], ["runtime"], ["permanent"], BOTH], ids=str)
def test_absent_removes_what_is_there_and_only_that(fake, connect, entry, had):
    hold(fake, entry, *had)
    outcome = direct.ensure(connect(fake), entry, False)
    assert outcome.result is True
    assert holds(fake, entry) == []
    assert outcome.changes == {place: {"old": str(entry), "new": None} for place in had}
    assert len(fake.changing) == len(had)


@ENTRIES
@pytest.mark.parametrize("present", [True, False], ids=["present", "absent"])
def test_a_second_time_changes_nothing(fake, connect, entry, present):
    direct.ensure(connect(fake), entry, present)
    fake.calls.clear()
    outcome = direct.ensure(connect(fake), entry, present)
    assert (outcome.result, outcome.changes, fake.changing) == (True, {}, [])


@ENTRIES
@pytest.mark.parametrize("present", [True, False], ids=["present", "absent"])
@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
@pytest.mark.parametrize("had", [[], ["runtime"], ["permanent"], BOTH], ids=str)
def test_test_mode_predicts_exactly_and_touches_nothing(
    fake, connect, entry, present, running, had
):
    hold(fake, entry, *had)
    if not running:
        fake.stop()
    predicted = direct.ensure(connect(fake), entry, present, test=True)
    assert fake.changing == []
    real = direct.ensure(connect(fake), entry, present)
    assert predicted.changes == real.changes
    assert predicted.result is (None if real.changes else True)


ONE_PLACE = {"permanent": True, "runtime": False}


@pytest.mark.parametrize("place, permanent", ONE_PLACE.items(), ids=ONE_PLACE)
def test_one_configuration_alone_can_be_asked_for(fake, connect, place, permanent):
    outcome = direct.ensure(connect(fake), RULE, True, permanent=permanent)
    assert list(outcome.changes) == [place]
    assert holds(fake, RULE) == [place]


def test_what_others_put_there_stays(fake, connect):
    for place in BOTH:
        fake.direct[place].append(FOREIGN)
    direct.ensure(connect(fake), RULE, True)
    direct.ensure(connect(fake), RULE, False)
    assert fake.direct == {place: [FOREIGN] for place in BOTH}


def test_nothing_is_ever_reloaded(fake, connect):
    direct.ensure(connect(fake), RULE, True)
    direct.ensure(connect(fake), RULE, False)
    assert not any("reload" in word for call in fake.calls for word in call)


@ENTRIES
def test_while_firewalld_is_stopped_the_permanent_part_is_done(fake, connect, entry):
    fake.stop()
    outcome = direct.ensure(connect(fake), entry, True)
    assert outcome.result is True
    assert list(outcome.changes) == ["permanent"]
    assert holds(fake, entry) == ["permanent"]
    assert "the runtime part follows when it starts" in outcome.comment
    again = direct.ensure(connect(fake), entry, True)
    assert (again.result, again.changes) == (True, {})


def test_no_system_bus_counts_as_stopped(fake, connect):
    fake.stop()

    def run(argv):
        if argv[0] == "firewall-cmd":
            said = "Error: DBUS_ERROR: Failed to connect to socket /run/dbus/system_bus_socket"
            return {"retcode": 36, "stdout": "", "stderr": said}
        return fake(argv)

    assert list(direct.ensure(connect(run), RULE, True).changes) == ["permanent"]


def test_runtime_alone_cannot_be_set_while_firewalld_is_stopped(fake, connect):
    fake.stop()
    outcome = direct.ensure(connect(fake), RULE, True, permanent=False)
    assert outcome.result is False
    assert "does not run" in outcome.comment
    assert direct.ensure(connect(fake), RULE, False, permanent=False).result is True


def test_a_rule_that_the_kernel_refuses_is_not_made_permanent(fake, connect):
    fake.refuse = [("runtime", "eth1")]
    outcome = direct.ensure(connect(fake), RULE, True)
    assert (outcome.result, outcome.changes) == (False, {})
    assert "COMMAND_FAILED" in outcome.comment
    assert "--add-rule ipv4 filter INPUT 0 -i eth1" in outcome.comment
    assert holds(fake, RULE) == []


def test_a_late_refusal_tells_what_was_changed_before(fake, connect):
    fake.refuse = [("permanent", "eth1")]
    outcome = direct.ensure(connect(fake), RULE, True)
    assert outcome.result is False
    assert list(outcome.changes) == ["runtime"]
    assert "runtime configuration was changed" in outcome.comment


def test_success_that_did_nothing_is_an_error(fake, connect):
    fake.deaf = True
    outcome = direct.ensure(connect(fake), RULE, True)
    assert (outcome.result, outcome.changes) == (False, {})
    assert "does not hold" in outcome.comment


def test_a_crash_is_no_no(connect):
    """ "no" has exit code 1, and so has a traceback."""

    def run(argv):
        return {"retcode": 1, "stdout": "", "stderr": "Traceback: ImportError: gi"}

    outcome = direct.ensure(connect(run), RULE, True)
    assert outcome.result is False
    assert "ImportError" in outcome.comment


def test_without_firewalld_the_error_says_so(fake, connect):
    outcome = direct.ensure(connect(fake, tools=()), RULE, True)
    assert outcome.result is False
    assert "firewalld is not installed (no firewall-cmd)" in outcome.comment
    assert fake.calls == []


def test_stopped_without_the_offline_tool_says_what_is_missing(fake, connect):
    fake.stop()
    outcome = direct.ensure(connect(fake, tools=("firewall-cmd",)), RULE, True)
    assert outcome.result is False
    assert "firewall-offline-cmd" in outcome.comment


BACKENDS = {
    "an ACCEPT on nftables": ("nftables", RULE, True),
    "an ACCEPT on iptables": ("iptables", RULE, False),
    "a DROP on nftables": ("nftables", PASS, False),
}


@pytest.mark.parametrize("backend, entry, warned", BACKENDS.values(), ids=BACKENDS)
def test_the_comment_says_when_an_accept_is_not_enough(fake, connect, backend, entry, warned):
    comment = direct.ensure(connect(fake, backend=backend), entry, True).comment
    assert ("the zones of firewalld must accept such a packet too" in comment) is warned


def test_change_and_query_speak_of_both_configurations(fake, connect):
    hold(fake, RULE, "permanent")
    assert direct.query(connect(fake), RULE) == {"runtime": False, "permanent": True}
    assert direct.change(connect(fake), RULE, True) == {
        "runtime": {"old": False, "new": True},
        "permanent": {"old": True, "new": True},
    }
    fake.stop()
    assert direct.query(connect(fake), RULE) == {"runtime": None, "permanent": True}


def test_change_raises_what_firewalld_refused(fake, connect):
    fake.refuse = [("runtime", "eth1")]
    with pytest.raises(FirewallError, match="COMMAND_FAILED"):
        direct.change(connect(fake), RULE, True)


@ENTRIES
def test_a_listed_entry_builds_itself(fake, connect, entry):
    direct.change(connect(fake), entry, True)
    listed = direct.listed(connect(fake), entry.kind)
    assert {place: len(rows) for place, rows in listed.items()} == {"runtime": 1, "permanent": 1}
    assert direct.build(entry.kind, **listed["permanent"][0]) == entry
    assert direct.listed(connect(fake), entry.kind, permanent=True).keys() == {"permanent"}


def test_permanent_must_be_a_flag(fake, connect):
    with pytest.raises(direct.DirectError, match="permanent 'yes'"):
        direct.query(connect(fake), RULE, permanent="yes")
