"""What is seen becomes each transition once: scenarios as data, run through the tracker.

A step is one line of text:

    @0.5                      half a second later
    line INSTANCE "A" …       keepalived's FIFO said so
    late INSTANCE "A" …       the same, read after the watch had been away
    + eth0 10.0.0.1           the kernel says that an address came; ``-``: went
    dump A=MASTER B=FAULT     the JSON dump, asked and answered now; ``A=MASTER/90``: priority
    dump@-0.2 A=BACKUP        the same, but asked 0.2 s ago
    resync A=MASTER           a dump for another reason than a moved address
    empty                     keepalived runs without a vrrp_instance
    gone WHY | found          keepalived's processes; ``found started``: it was started now
    died                      the VRRP process alone
    orphan                    the parent process alone: the other still speaks
    link eth0 FAULT           the link has that fault; none: it is well
    change                    keepalived.conf gives A another priority
    overflow                  the FIFO was full
    frozen                    keepalived is stopped, so that no state changes
    blind                     neither FIFO nor dump are to be had
    tick

and an expected event is ``NAME FROM>TO SOURCE VIP``, where VIP is held, gone or -.
"""

import dataclasses

import pytest

from keepalived_core.node import fifo, netlink, why
from keepalived_core.node.dump import Dump
from keepalived_core.node.event import Moment
from keepalived_core.node.layout import Layout
from keepalived_core.node.spool import Latest
from keepalived_core.node.state import Instance, Vip
from keepalived_core.node.tracker import LATE, LOWER_INTERVAL_US, Tracker

START = Moment(5_000_000_000, 1_800_000_000_000_000)

A = Instance("A", vrid=1, family="ipv4", interface="eth0", base_priority=100,
             vips=(Vip("10.0.0.1", 24, "eth0"),))  # fmt: skip
B = Instance("B", vrid=2, family="ipv4", interface="eth1", base_priority=100,
             vips=(Vip("10.0.0.2", 24), Vip("fd00::2", 64, "eth2", excluded=True)))  # fmt: skip
GROUPED = Layout(True, {"A": A, "B": B}, {"G": ("A", "B")}, True)
SINGLE = Layout(True, {"A": A}, {}, True)


class Story:
    """Runs steps, collects what the tracker tells."""

    def __init__(self, layout=SINGLE, latest=None):
        self.tracker = Tracker(latest)
        self.tracker.configured(layout)
        self.now = START
        self.priorities = {}

    def step(self, text):
        word, _, rest = text.partition(" ")
        word, _, ago = word.partition("@")
        if not word:
            self.now = self.now.at_monotonic(self.now.monotonic_us + round(float(ago) * 1e6))
            return
        self.now = self.now.at_monotonic(self.now.monotonic_us + 1)
        getattr(self, {"+": "came", "-": "went"}.get(word, word))(rest, float(ago or 0))

    def line(self, text, _):
        self.tracker.line(fifo.parse_line(text.encode()), self.now)

    def late(self, text, _):
        self.tracker.line(fifo.parse_line(text.encode()), self.now, late=True)

    def came(self, text, _, kind="NEWADDR"):
        name, address = text.split()
        change = netlink.Change(kind, 7, name, address, 24, self.now.monotonic_us)
        self.tracker.address(change, self.now)

    def went(self, text, _):
        self.came(text, _, "DELADDR")

    def dump(self, text, ago, source="json"):
        found = []
        for name, state in (pair.split("=") for pair in text.split()):
            state, _, priority = state.partition("/")
            known = {"A": A, "B": B}[name]
            found.append(
                dataclasses.replace(known, state=state, effective_priority=int(priority or 100))
            )
        asked = self.now.monotonic_us + round(ago * 1e6)
        self.tracker.dump(Dump(tuple(found), 0.0, asked, 1), source, self.now)

    def resync(self, text, ago):
        self.dump(text, ago, "resync")

    def empty(self, _, __):
        self.tracker.no_instances("resync", self.now)

    def gone(self, why, _):
        self.tracker.daemon_gone(why or "keepalived died", "netlink", self.now)

    def found(self, text, __):
        self.tracker.daemon_found(self.now if text == "started" else None)

    def died(self, _, __):
        self.tracker.why.respawned(self.now)

    def orphan(self, _, __):
        self.tracker.why.orphaned = True

    def link(self, text, _):
        name, _, fault = text.partition(" ")
        change = netlink.Change("NEWLINK", 7, name, None, None, self.now.monotonic_us, fault)
        self.tracker.address(change, self.now)

    def change(self, _, __):
        changed = dataclasses.replace(A, base_priority=50)
        layout = dataclasses.replace(self.tracker.layout, instances={"A": changed})
        self.tracker.configured(layout, self.now)

    def overflow(self, _, __):
        self.tracker.overflow(self.now)

    def frozen(self, _, __):
        self.tracker.confirmed(self.now)

    def blind(self, _, __):
        self.tracker.blind = True

    def tick(self, _, __):
        self.tracker.tick(self.now)
        self.asked = self.tracker.look(self.now)

    def tell(self, steps):
        for step in steps:
            self.step(step)
        return self.tracker.take()


def short(event):
    vip = {True: "held", False: "gone", None: "-"}[event["vip_present"]]
    return f"{event['instance']} {event['from']}>{event['to']} {event['source']} {vip}"


TO_MASTER = ["line INSTANCE \"A\" BACKUP 100", "@3", "+ eth0 10.0.0.1",
             "line INSTANCE \"A\" MASTER 100"]  # fmt: skip
IS_MASTER = ["A None>BACKUP fifo gone", "A BACKUP>MASTER fifo held"]

SCENARIOS = {
    "start, promotion and stop, told by all three": (
        [*TO_MASTER, "dump A=MASTER", "@9", "resync A=MASTER",
         "- eth0 10.0.0.1", 'line INSTANCE "A" STOP 100', "gone"],
        [*IS_MASTER, "A MASTER>STOP fifo gone"],
    ),
    "without a FIFO the dump tells": (
        ["resync A=BACKUP", "@3", "+ eth0 10.0.0.1", "dump A=MASTER",
         "@3", "- eth0 10.0.0.1", "dump A=FAULT"],
        ["A None>BACKUP resync gone", "A BACKUP>MASTER json held", "A MASTER>FAULT json gone"],
    ),
    "without FIFO and dump the address tells": (
        ["blind", "+ eth0 10.0.0.1", "@1", "- eth0 10.0.0.1", "@1", "+ eth0 10.0.0.9"],
        ["A None>MASTER netlink held", "A MASTER>BACKUP netlink gone"],
    ),
    "with the address alone to go by, a faulty instance is not taken for a backup": (
        ['line INSTANCE "A" FAULT 100', "blind", "+ lo 10.0.0.1", "- lo 10.0.0.1"],
        ["A None>FAULT fifo gone"],
    ),
    "a flash on a third node is two transitions": (
        [*TO_MASTER, "- eth0 10.0.0.1", 'line INSTANCE "A" BACKUP 100'],
        [*IS_MASTER, "A MASTER>BACKUP fifo gone"],
    ),
    "a line repeated after a reload is no transition": (
        [*TO_MASTER, 'line INSTANCE "A" MASTER 100'],
        IS_MASTER,
    ),
    "a dump asked before a line came does not undo the line": (
        ["resync A=BACKUP", "@3", "+ eth0 10.0.0.1", 'line INSTANCE "A" MASTER 100', "@0.1",
         "dump@-0.2 A=BACKUP"],
        ["A None>BACKUP resync gone", "A BACKUP>MASTER fifo held"],
    ),
    "a line that was lost is made up for by the next dump": (
        ["resync A=BACKUP", "@3", "+ eth0 10.0.0.1", "@0.05", "dump A=MASTER"],
        ["A None>BACKUP resync gone", "A BACKUP>MASTER json held"],
    ),
    "INIT is no state to tell of": (["resync A=INIT", "resync A=BACKUP"],
                                    ["A None>BACKUP resync gone"]),
    "killed: the address stays, then somebody removes it": (
        [*TO_MASTER, "@5", "gone keepalived died", "@1", "gone keepalived died", "@60",
         "- eth0 10.0.0.1"],
        [*IS_MASTER, "A MASTER>ghost netlink held", "A MASTER>STOP netlink gone"],
    ),
    "killed and started again: the stale address is cleared by keepalived": (
        [*TO_MASTER, "@5", "gone", "@2", "found", "- eth0 10.0.0.1",
         'line INSTANCE "A" BACKUP 100'],
        [*IS_MASTER, "A MASTER>ghost netlink held", "A MASTER>BACKUP fifo gone"],
    ),
    "killed while it was a backup": (
        ["resync A=BACKUP", "gone"],
        ["A None>BACKUP resync gone", "A BACKUP>STOP netlink gone"],
    ),
    "stopped properly: its end is no second event": (
        ['line INSTANCE "A" STOP 100', "gone", "tick"],
        ["A None>STOP fifo gone"],
    ),
    "an instance removed by a reload": (
        [*TO_MASTER, "- eth0 10.0.0.1", 'line INSTANCE "A" FAULT 100', "@1", "empty"],
        [*IS_MASTER, "A MASTER>FAULT fifo gone", "A FAULT>DELETED resync gone"],
    ),
    "an instance removed by a reload, with notify_deleted": (
        ["resync A=BACKUP", 'line INSTANCE "A" DELETED 100', "@1", "empty"],
        ["A None>BACKUP resync gone", "A BACKUP>DELETED fifo gone"],
    ),
    "an instance removed and added again": (
        ["resync A=BACKUP", "@1", "empty", "@1", 'line INSTANCE "A" BACKUP 100'],
        ["A None>BACKUP resync gone", "A BACKUP>DELETED resync gone",
         "A DELETED>BACKUP fifo gone"],
    ),
    "a priority that changes is told, the same one is not": (
        ["resync A=BACKUP/100", 'line INSTANCE "A" BACKUP_PRIORITY 90', "@1", "resync A=BACKUP/90",
         "@1", "resync A=BACKUP/100"],
        ["A None>BACKUP resync gone", "A BACKUP>priority fifo gone",
         "A BACKUP>priority resync gone"],
    ),
    "a dump asked before a priority line does not undo it": (
        ["resync A=BACKUP/100", "@1", 'line INSTANCE "A" BACKUP_PRIORITY 90', "dump@-0.2 A=BACKUP"],
        ["A None>BACKUP resync gone", "A BACKUP>priority fifo gone"],
    ),
    "the address on another interface is not the instance's": (
        ["blind", "+ lo 10.0.0.1", "+ eth1 10.0.0.1"],
        ["A None>BACKUP netlink gone"],
    ),
    "what waited in the FIFO is told, without a word on addresses": (
        ["+ eth0 10.0.0.1", 'late INSTANCE "A" BACKUP 100', 'late INSTANCE "A" MASTER 100',
         "resync A=MASTER"],
        ["A None>BACKUP fifo -", "A BACKUP>MASTER fifo -"],
    ),
    "MASTER without its address is hollow, once, until it is back": (
        [*TO_MASTER, "- eth0 10.0.0.1", "tick", "@1.1", "tick", "resync A=MASTER", "tick", "@1",
         "resync A=MASTER", "tick", "+ eth0 10.0.0.1", "@3", "tick"],
        [*IS_MASTER, "A MASTER>hollow netlink gone", "A MASTER>restored netlink held"],
    ),
    "hollow ends with the state, too": (
        [*TO_MASTER, "- eth0 10.0.0.1", "@1.1", "resync A=MASTER", "tick",
         'line INSTANCE "A" BACKUP 100', "@3", "tick"],
        [*IS_MASTER, "A MASTER>hollow netlink gone", "A MASTER>BACKUP fifo gone"],
    ),
    "an address on a node that is not MASTER is a ghost, until it goes": (
        ["resync A=BACKUP", "@9", "+ eth0 10.0.0.1", "@1.1", "resync A=BACKUP", "tick", "@5",
         "tick", "- eth0 10.0.0.1", "@5", "tick"],
        ["A None>BACKUP resync gone", "A BACKUP>ghost netlink held",
         "A BACKUP>restored netlink gone"],
    ),
    "a ghost is told once, whatever becomes of an instance that is not MASTER": (
        ["resync A=FAULT", "@9", "+ eth0 10.0.0.1", "@1.1", "resync A=FAULT", "tick", "@5",
         'line INSTANCE "A" BACKUP 100', "@1.1", "resync A=BACKUP", "tick", "@5", "tick",
         "- eth0 10.0.0.1", "@5", "tick"],
        ["A None>FAULT resync gone", "A FAULT>ghost netlink held", "A FAULT>BACKUP fifo held",
         "A BACKUP>restored netlink gone"],
    ),
    "a keepalived that stops has no way back, though it closes its FIFO and answers no more": (
        [*TO_MASTER, 'line INSTANCE "A" STOP 100', "blind", "@1", "- eth0 10.0.0.1",
         "resync A=BACKUP", "@1", "gone"],
        [*IS_MASTER, "A MASTER>STOP fifo held"],
    ),
    "the next keepalived is believed again": (
        [*TO_MASTER, "- eth0 10.0.0.1", 'line INSTANCE "A" STOP 100', "@1", "gone", "@1",
         "found started", "@3", "resync A=BACKUP"],
        [*IS_MASTER, "A MASTER>STOP fifo gone", "A STOP>BACKUP resync gone"],
    ),
    "a line that was lost makes no ghost": (
        ["resync A=BACKUP", "@9", "+ eth0 10.0.0.1", "@1.1", "tick", "@5", "tick",
         "resync A=MASTER", "tick"],
        ["A None>BACKUP resync gone", "A BACKUP>MASTER resync held"],
    ),
    "a MASTER that is frozen when its address goes is hollow": (
        [*TO_MASTER, "- eth0 10.0.0.1", "@1.1", "frozen", "tick"],
        [*IS_MASTER, "A MASTER>hollow netlink gone"],
    ),
    "a contradiction of less than half a second is none": (
        [*TO_MASTER, "@9", "- eth0 10.0.0.1", "@0.3", "resync A=MASTER", "tick", "@0.1",
         'line INSTANCE "A" BACKUP 100', "@3", "tick"],
        [*IS_MASTER, "A MASTER>BACKUP fifo gone"],
    ),
    "a keepalived that has only begun is not faulty yet": (
        ["found started", "@0.1", "resync A=FAULT", "@0.1", 'line INSTANCE "A" BACKUP 100'],
        ["A None>BACKUP fifo gone"],
    ),
    "a keepalived that is still faulty after its start is": (
        ["found started", "@0.1", "resync A=FAULT", "@5", "resync A=FAULT"],
        ["A None>FAULT resync gone"],
    ),
    "a FIFO that was full": (
        ["resync A=BACKUP", "overflow"],
        ["A None>BACKUP resync gone", "node None>overflow fifo -"],
    ),
}  # fmt: skip

GROUP_SCENARIOS = {
    "keepalived's own lines": (
        ['line GROUP "G" BACKUP 0', 'line INSTANCE "A" BACKUP 100', 'line INSTANCE "B" BACKUP 100',
         "resync A=BACKUP B=BACKUP"],
        ["G None>BACKUP fifo -", "A None>BACKUP fifo gone", "B None>BACKUP fifo gone"],
    ),
    "without a FIFO the group has the state its members share": (
        ["resync A=BACKUP B=BACKUP", "+ eth0 10.0.0.1", "dump A=MASTER B=BACKUP", "+ eth1 10.0.0.2",
         "+ eth2 fd00::2", "dump A=MASTER B=MASTER"],
        ["A None>BACKUP resync gone", "B None>BACKUP resync gone", "G None>BACKUP resync -",
         "A BACKUP>MASTER json held", "B BACKUP>MASTER json held", "G BACKUP>MASTER json -"],
    ),
    "all members die with keepalived": (
        ["resync A=BACKUP B=BACKUP", "gone"],
        ["A None>BACKUP resync gone", "B None>BACKUP resync gone", "G None>BACKUP resync -",
         "A BACKUP>STOP netlink gone", "B BACKUP>STOP netlink gone", "G BACKUP>STOP netlink -"],
    ),
    "an address held only in part is not held": (
        ["resync A=BACKUP B=BACKUP", "+ eth1 10.0.0.2", 'line INSTANCE "B" MASTER 100'],
        ["A None>BACKUP resync gone", "B None>BACKUP resync gone", "G None>BACKUP resync -",
         "B BACKUP>MASTER fifo gone"],
    ),
}  # fmt: skip


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
