"""What is seen becomes each transition once: scenarios as data, run through the tracker."""

import dataclasses

import pytest
from tracker_scenarios import GROUP_SCENARIOS, SCENARIOS, TO_MASTER
from tracker_story import GROUPED, START, A, Story, short

from keepalived_core.node import why
from keepalived_core.node.dump import Dump
from keepalived_core.node.spool import Latest
from keepalived_core.node.tracker import LATE, LOWER_INTERVAL_US


@pytest.mark.parametrize(("steps", "expected"), SCENARIOS.values(), ids=SCENARIOS)
def test_one_instance(steps, expected):
    assert [short(event) for event in Story().tell(steps)] == expected


@pytest.mark.parametrize(("steps", "expected"), GROUP_SCENARIOS.values(), ids=GROUP_SCENARIOS)
def test_a_sync_group(steps, expected):
    assert [short(event) for event in Story(GROUPED).tell(steps)] == expected


def test_after_a_restart_of_the_watch_only_what_changed_meanwhile_is_told():
    latest = {
        ("instance", "A"): Latest("MASTER", 5, False),
        ("instance", "B"): Latest("BACKUP", 6, False),
    }
    story = Story(GROUPED, latest)
    story.tracker.snapshot({"eth0": [("10.0.0.1", 24)], "eth1": [], "eth2": []}, "resync", START)
    told = story.tell(["resync A=MASTER B=FAULT"])
    assert [short(event) for event in told] == ["B BACKUP>FAULT resync gone"]


def test_a_watch_that_starts_beside_a_dead_keepalived_tells_what_became_of_it():
    latest = {
        ("instance", "A"): Latest("MASTER", 5, False),
        ("instance", "B"): Latest("BACKUP", 6, False),
    }
    story = Story(GROUPED, latest)
    story.tracker.snapshot({"eth0": [("10.0.0.1", 24)]}, "resync", START)
    story.tracker.daemon_gone("keepalived does not run", "resync", START)
    assert [short(event) for event in story.tell([])] == [
        "A MASTER>ghost resync held",
        "B BACKUP>STOP resync gone",
    ]


def test_a_ghost_that_was_told_before_a_restart_of_the_watch_is_not_told_again():
    story = Story(latest={("instance", "A"): Latest("MASTER", 5, True)})
    story.tracker.snapshot({"eth0": [("10.0.0.1", 24)]}, "resync", START)
    story.tracker.daemon_gone("keepalived does not run", "resync", START)
    assert story.tell([]) == []
    assert [short(event) for event in story.tell(["- eth0 10.0.0.1"])] == [
        "A MASTER>STOP netlink gone"
    ]


def test_an_event_has_the_time_of_the_kernel_not_of_the_line():
    told = Story().tell(['line INSTANCE "A" BACKUP 100', "@3", "+ eth0 10.0.0.1", "@0.011",
                         'line INSTANCE "A" MASTER 100'])  # fmt: skip
    assert told[1]["at"].monotonic_us == START.monotonic_us + 3_000_002


def test_an_old_address_change_is_no_evidence_for_a_new_state():
    told = Story().tell(['line INSTANCE "A" BACKUP 100', "+ eth0 10.0.0.1", "@10",
                         'line INSTANCE "A" MASTER 100'])  # fmt: skip
    assert told[1]["at"].monotonic_us == START.monotonic_us + 10_000_003


def test_a_transition_seen_late_has_the_time_that_keepalived_gives():
    story = Story()
    story.step("@30")
    moved = dataclasses.replace(A, state="MASTER", since=START.wall_us / 1e6 + 12.5)
    story.tracker.dump(Dump((moved,), 0.0, story.now.monotonic_us, 1), "resync", story.now)
    (told,) = story.tracker.take()
    assert told["at"].monotonic_us - START.monotonic_us == 12_500_000
    assert told["at"].wall_us - START.wall_us == 12_500_000


def test_a_time_that_cannot_be_is_not_believed():
    just_now = {("instance", "A"): Latest("BACKUP", START.wall_us, False)}
    story = Story(latest=just_now)
    story.step("@30")
    for since in (START.wall_us / 1e6 - 5, START.wall_us / 1e6 + 500, 0.0):
        moved = dataclasses.replace(A, state="MASTER", since=since)
        dump = Dump((moved,), 0.0, story.now.monotonic_us, 1)
        story.tracker.dump(dump, "resync", story.now)
        (told,) = story.tracker.take()
        assert told["at"] == story.now
        story = Story(latest=just_now)
        story.step("@30")


def test_a_day_of_lower_priority_adverts_is_one_event_a_minute_and_none_is_uncounted():
    day = 24 * 60 * 60
    steps = ["@1", 'line INSTANCE "A" MASTER_RX_LOWER_PRI 100', "tick"] * day
    told = Story().tell([*steps, f"@{LOWER_INTERVAL_US / 1e6}", "tick"])
    assert {event["to"] for event in told} == {"rx_lower"}
    assert [event["count"] for event in told] == [1, *[60] * (day // 60 - 1), 59]


@pytest.mark.parametrize(("pause", "told"), [(5, 1), (11, 2), (61, 2)])
def test_a_lower_priority_advert_after_a_pause_is_told_at_once(pause, told):
    line = 'line INSTANCE "A" MASTER_RX_LOWER_PRI 100'
    events = Story().tell(["@1", line, "tick", f"@{pause}", line, "tick"])
    assert [event["to"] for event in events] == ["rx_lower"] * told


def test_what_is_told_of_an_instance():
    (_, event) = Story(GROUPED).tell(
        ["resync B=BACKUP", "+ eth1 10.0.0.2", "+ eth2 fd00::2", 'line INSTANCE "B" MASTER 120']
    )
    assert event == {
        "type": "instance",
        "instance": "B",
        "sync_group": "G",
        "vrid": 2,
        "family": "ipv4",
        "interface": "eth1",
        "from": "BACKUP",
        "to": "MASTER",
        "reason": "unknown",
        "base_priority": 100,
        "effective_priority": 120,
        "vips": ["10.0.0.2/24", "fd00::2/64"],
        "vip_present": True,
        "source": "fifo",
        "at": event["at"],
    }


@pytest.mark.parametrize(
    ("steps", "reason"),
    [
        (['late INSTANCE "A" MASTER 100'], LATE),
        (['line INSTANCE "A" STOP 100'], "keepalived stopped"),
        (["orphan", 'line INSTANCE "A" STOP 100'], why.ORPHANED),
        (['line INSTANCE "A" STOP 100', "@60", 'line INSTANCE "A" BACKUP 100'], why.STARTED),
        (["found started", "@1", 'line INSTANCE "A" BACKUP 100'], why.STARTED),
        (["found", 'line INSTANCE "A" BACKUP 100'], "unknown"),
        ([*TO_MASTER, "died", "- eth0 10.0.0.1", 'line INSTANCE "A" BACKUP 100'], why.RESPAWNED),
        ([*TO_MASTER, "died", "@60", 'line INSTANCE "A" BACKUP 100'], "unknown"),
        ([*TO_MASTER, "change", "@3", 'line INSTANCE "A" BACKUP 50'], why.RECONFIGURED),
        ([*TO_MASTER, "change", "@60", 'line INSTANCE "A" BACKUP 50'], "unknown"),
        ([*TO_MASTER, "link eth0 is down", 'line INSTANCE "A" FAULT 100'], "eth0 is down"),
        (["link eth0 is down", "link eth0", 'line INSTANCE "A" FAULT 100'], "unknown"),
        (["link eth7 is down", 'line INSTANCE "A" FAULT 100'], "unknown"),
        (
            [
                "link eth0 has no carrier",
                'line INSTANCE "A" FAULT 100',
                "link eth0",
                "@9",
                'line INSTANCE "A" BACKUP 100',
            ],
            "no longer faulty (was: eth0 has no carrier)",
        ),
        (['line INSTANCE "A" FAULT 100', 'line INSTANCE "A" BACKUP 100'], "no longer faulty"),
        (
            [*TO_MASTER, "- eth0 10.0.0.1", "@1.1", "resync A=MASTER", "tick"],
            "10.0.0.1 is missing in state MASTER",
        ),
        (["resync A=BACKUP", "gone keepalived died"], "keepalived died"),
        (["resync A=BACKUP", "empty"], "no longer in keepalived's configuration"),
        ([*TO_MASTER, "gone keepalived died"], "keepalived died, 10.0.0.1 stayed"),
        (["resync A=BACKUP/90", "resync A=BACKUP/80"], "was 90"),
        (TO_MASTER, "unknown"),
    ],
)
def test_a_reason_is_given_where_there_is_evidence(steps, reason):
    assert Story().tell(steps)[-1]["reason"] == reason


@pytest.mark.parametrize(
    ("steps", "asked"),
    [
        (['line INSTANCE "A" FAULT 100'], "fault"),
        (["link eth0 is down", 'line INSTANCE "A" FAULT 100'], None),
        ([*TO_MASTER, 'line INSTANCE "A" BACKUP 100'], "backup"),
        (["resync A=BACKUP/90", "resync A=BACKUP/80"], "priority"),
        (TO_MASTER, None),
        (['late INSTANCE "A" FAULT 100'], None),
        (["resync A=BACKUP", "gone"], None),
    ],
)
def test_what_only_keepalived_can_explain_it_is_asked(steps, asked):
    assert Story().tell(steps)[-1].get("ask") == asked


def test_a_group_s_fault_is_the_link_of_any_member():
    told = Story(GROUPED).tell(["link eth1 is down", 'line GROUP "G" FAULT 0'])
    assert (told[0]["instance"], told[0]["reason"]) == ("G", "eth1 is down")


def test_a_cause_that_was_found_is_remembered_until_it_is_over():
    story = Story()
    (draft,) = story.tell(['line INSTANCE "A" FAULT 100'])
    draft["reason"] = "check chk failed"
    story.tracker.learned(draft)
    (told,) = story.tell(["@9", 'line INSTANCE "A" BACKUP 100'])
    assert told["reason"] == "no longer faulty (was: check chk failed)"


def test_an_address_that_contradicts_a_state_is_unexplained_until_the_line_comes():
    story = Story()
    story.tell(["resync A=BACKUP"])
    assert not story.tracker.unexplained()
    story.tell(["+ eth0 10.0.0.1"])
    assert story.tracker.unexplained()
    story.tell(['line INSTANCE "A" MASTER 100'])
    assert not story.tracker.unexplained()
    story.tell(["- eth0 10.0.0.1"])
    assert story.tracker.unexplained()


def test_the_summary_has_the_living_instances():
    story = Story(GROUPED)
    story.tell([*TO_MASTER, "resync A=MASTER"])
    summary = story.tracker.summary()
    assert list(summary) == ["A"]
    assert summary["A"] == {
        "state": "MASTER",
        "since": "2027-01-15T08:00:03.000002Z",
        "effective_priority": 100,
        "vip_present": True,
        "ghost": False,
        "hollow": False,
        "sync_group": "G",
    }
