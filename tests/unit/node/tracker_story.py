"""A story for tests of the tracker: what is seen step by step, and what is told of it.

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

from keepalived_core.node import fifo, netlink
from keepalived_core.node.dump import Dump
from keepalived_core.node.event import Moment
from keepalived_core.node.layout import Layout
from keepalived_core.node.state import Instance, Vip
from keepalived_core.node.tracker import Tracker

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
