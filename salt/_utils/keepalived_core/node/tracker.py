"""From what keepalived and the kernel say to transitions: each once, in order.

Pure: it is told what was seen and when, and gives back events.  Three witnesses speak of the same
transition: the kernel (an address came or went), the FIFO (a line) and the dump (a state).  The
first one that names a new state makes the event, the others only confirm it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import oddity
from .addresses import Held
from .cause import UNKNOWN
from .dump import Dump
from .event import Moment, ghost_outlasts
from .fifo import Line
from .layout import Layout
from .netlink import Change
from .record import Record
from .spool import Latest
from .state import Instance
from .why import LATE, Reason, Why

STATES = frozenset({"MASTER", "BACKUP", "FAULT", "STOP", "DELETED"})
#: A peer with lower priority that keeps sending gives a line a second, for as long as it lasts.
LOWER_INTERVAL_US = 60_000_000
#: After so long without one it is another story, worth a word at once.
LOWER_QUIET_US = 10_000_000
#: States in which an instance rightly has no address.
_WITHOUT = ("BACKUP", "FAULT", "DELETED")

Draft = dict[str, Any]


class Tracker:
    """All instances and groups of this node.

    ``alive`` is whether a keepalived is there to hold addresses; ``blind`` whether the addresses
    are all there is to go by (no FIFO of ours, no JSON).
    """

    def __init__(self, latest: Mapping[tuple[str, str], Latest] | None = None) -> None:
        """:param latest: the states recorded last, as :meth:`spool.Spool.latest` returns them."""
        self._records: dict[tuple[str, str], Record] = {}
        self._drafts: list[Draft] = []
        self._owners: dict[str, list[Record]] | None = None
        self._odd: dict[str, Record] = {}
        self.held = Held()
        self.why = Why()
        self.layout = Layout()
        self.alive = True
        self.blind = False
        for (kind, name), (state, wall_us, ghost) in (latest or {}).items():
            self._records[kind, name] = Record(
                kind, name, state, since_wall_us=wall_us, ghost=ghost
            )

    def take(self) -> list[Draft]:
        """Return the events since the last call."""
        drafts, self._drafts = self._drafts, []
        return drafts

    # -- what is seen --

    def configured(self, layout: Layout, at: Moment | None = None) -> None:
        """Take what keepalived.conf says.

        :param at: when it was changed; None when this is the first look at it.
        """
        before, self.layout = self.layout, layout
        self._owners = None
        for name, instance in layout.instances.items():
            record = self._record("instance", name)
            if at is not None and before.known and before.instances.get(name) != instance:
                record.changed_us = at.monotonic_us

    def overflow(self, at: Moment) -> None:
        """The FIFO was full: keepalived may have dropped lines, the next dump makes up for them."""
        reason = "the notify FIFO was full: lines may be lost, keepalived is asked instead"
        self._tell(Record("node", "node"), "overflow", reason, "fifo", at)

    def line(self, line: Line, at: Moment, late: bool = False) -> None:
        """Take a line of the FIFO.

        :param late: it waited in the FIFO while nobody read; what the kernel says now is no
            evidence for it.
        """
        record = self._record(line.type.lower(), line.name)
        if line.state in STATES:
            record.stopped_us = at.monotonic_us if line.state == "STOP" and not late else None
            record.heard_us = at.monotonic_us
            priority = line.priority if record.type == "instance" else None
            self._enter(record, line.state, "fifo", at, LATE if late else UNKNOWN, priority, late)
        elif line.state == "MASTER_RX_LOWER_PRI":
            if record.lower_heard_us is not None:
                quiet = at.monotonic_us - record.lower_heard_us >= LOWER_QUIET_US
                record.lower_told_us = None if quiet else record.lower_told_us
            record.lower_heard_us = at.monotonic_us
            record.lower += 1
            self._tell_lower(record, at)
        elif line.state in ("MASTER_PRIORITY", "BACKUP_PRIORITY"):
            record.heard_us = at.monotonic_us
            self._priority(record, line.priority, "fifo", at)

    def dump(self, dump: Dump, source: str, at: Moment) -> bool:
        """Take keepalived's own account of all its instances.

        Returns whether it has to be asked again: a line that came after it was asked is newer than
        what the dump says of that instance.
        """
        again = False
        self._owners = None
        for instance in dump.instances:
            record = self._record("instance", instance.name)
            record.details = instance
            if record.odd is not None:
                record.odd.confirmed_us = dump.asked_us
            starting = self.why.starting(dump.asked_us) and instance.state == "FAULT"
            if record.stopping(at):
                continue
            if record.heard_us >= dump.asked_us or starting:
                again = True
                continue
            if instance.state in STATES:
                when = record.entered(instance.since, at)
                self._enter(record, instance.state, source, when)
            self._priority(record, instance.effective_priority, source, at)
            self._look(record, at)
        self._forget_others({instance.name for instance in dump.instances}, dump, source, at)
        self._groups_follow(source, at, dump.asked_us)
        return again

    def no_instances(self, source: str, at: Moment) -> None:
        """keepalived runs with no vrrp_instance at all: then it writes no dump."""
        self.dump(Dump((), at.wall_us / 1e6, at.monotonic_us, 1), source, at)

    def address(self, change: Change, at: Moment) -> bool:
        """Take an address message; return whether it was about a virtual address."""
        self.why.link(change)
        if not self.held.apply(change):
            return False
        when = at.at_monotonic(change.monotonic_us)
        concerned = self._instances()
        if change.address is not None:
            concerned = self._owners_of(change.address)
        for record in concerned:
            record.moved = (when, change.kind == "NEWADDR")
            self._follow_address(record, "netlink", when)
            self._look(record, when)
        return bool(concerned)

    def snapshot(self, found: dict[str, list[tuple[str, int]]], source: str, at: Moment) -> None:
        """Take all addresses at once, at the start and after the kernel dropped messages."""
        self.held.replace(found)
        for record in self._instances():
            self._follow_address(record, source, at)

    def daemon_found(self, started: Moment | None = None) -> None:
        """A keepalived runs.

        :param started: about when it was started; None when it ran before the watch did.
        """
        self.alive = True
        self.why.orphaned = False
        for record in self._records.values():
            record.stopped_us = None
        if started is not None:
            self.why.started(started)

    def learned(self, draft: Draft) -> None:
        """A cause was found for an event that was told before."""
        if draft["to"] == "FAULT":
            self._record(draft["type"], draft["instance"]).fault = draft["reason"]

    def confirmed(self, at: Moment) -> None:
        """keepalived is stopped (SIGSTOP): no state of it can change."""
        for record in self._instances():
            if record.odd is not None:
                record.odd.confirmed_us = at.monotonic_us

    def daemon_gone(self, why: str, source: str, at: Moment) -> None:
        """No keepalived runs any more, or only its parent process: ``why`` says how it ended."""
        self.alive = False
        for record in self._instances():
            self._left_behind(record, why, source, at)
        self._groups_follow(source, at, reason=why)

    @property
    def due_us(self) -> int | None:
        """When to :meth:`look` at the latest, on the monotonic clock; None: whenever."""
        odd = [record.odd.due_us for record in self._odd.values() if record.odd]
        return min((at for at in odd if at is not None), default=None)

    def look(self, at: Moment) -> bool:
        """Tell what contradicts for long enough; return whether keepalived must be asked."""
        for record in list(self._odd.values()):
            self._look(record, at)
        return any(record.odd and record.odd.doubted(at) for record in self._odd.values())

    def tick(self, at: Moment) -> None:
        """Tell what was held back."""
        for record in self._instances():
            self._tell_lower(record, at)
            if record.odd is None:
                self._look(record, at)

    # -- what follows --

    def unexplained(self) -> bool:
        """Return whether some address and the state of its instance contradict each other."""
        for record in self._instances():
            presence = self.held.presence(self._details(record))
            if presence is None or not self.alive:
                continue
            whole, some = presence
            if (record.state == "MASTER") != whole or (record.state != "MASTER" and some):
                return True
        return False

    def summary(self) -> dict[str, dict[str, Any]]:
        """Return what is known of each instance, as plain data for the status file."""
        found = {}
        for record in self._instances():
            if record.state == "DELETED" or (record.state is None and record.details is None):
                continue
            presence = self.held.presence(self._details(record))
            found[record.name] = record.summary(presence, self.layout.group_of(record.name))
        return found

    def _record(self, kind: str, name: str) -> Record:
        return self._records.setdefault((kind, name), Record(kind, name))

    def _owners_of(self, address: str) -> list[Record]:
        if self._owners is None:
            self._owners = {}
            for record in self._instances():
                for vip in self._details(record).vips:
                    self._owners.setdefault(vip.address, []).append(record)
        return self._owners.get(address, [])

    def _instances(self) -> list[Record]:
        return [record for record in self._records.values() if record.type == "instance"]

    def _details(self, record: Record) -> Instance:
        return record.details or self.layout.instances.get(record.name) or Instance(record.name)

    def _enter(
        self,
        record: Record,
        to: str,
        source: str,
        at: Moment,
        reason: str = UNKNOWN,
        priority: int | None = None,
        late: bool = False,
    ) -> None:
        if priority is not None:
            record.priority = priority
        if record.state == to:
            return
        when = at if late else record.seen(to, at)
        why = Reason(reason) if reason != UNKNOWN else self._why(record, to, at)
        before, record.state = record.state, to
        record.since, record.since_wall_us = when, when.wall_us
        record.moved = None
        if not ghost_outlasts(before, to):
            record.ghost = False
            record.odd = None
        if to == "FAULT":
            record.fault = why.text
        draft = self._draft(record, before, to, why.text, source, when)
        if late:
            draft["vip_present"] = None
        if why.ask and self.alive:
            draft["ask"] = why.ask
        self._drafts.append(draft)
        self._look(record, at)

    def _why(self, record: Record, to: str, at: Moment) -> Reason:
        members = [record]
        if record.type == "group":
            names = self.layout.groups.get(record.name, ())
            members = [self._record("instance", name) for name in names]
        changed = [member.changed_us for member in members if member.changed_us is not None]
        links = {name for member in members for name in self._details(member).links()}
        # what a killed keepalived left is the state of nobody
        before = "STOP" if record.ghost and record.state == "MASTER" else record.state
        changed_us = max(changed) if changed else None
        return self.why.of(before, to, at, links, record.fault, changed_us)

    def _look(self, record: Record, at: Moment) -> None:
        """Tell of a state and an address that contradict each other, and when they no longer do."""
        kind = None
        if self.alive and not self.blind and record.type == "instance":
            kind = oddity.kind(record.state, self.held.presence(self._details(record)))
        was = record.odd
        if was is None or kind != was.kind:
            record.odd = oddity.Oddity(kind, at, told=record.ghost and kind == "ghost")
            if was is not None and was.told and self.alive:
                record.ghost = False
                self._tell(record, "restored", f"the {was.kind} is over", "netlink", at)
        elif was.due(at):
            was.told = True
            record.ghost = kind == "ghost"
            reason = oddity.sentence(was.kind, self._details(record), self.held, record.state)
            self._tell(record, was.kind or "", reason, "netlink", was.since)
        if record.odd is not None and record.odd.due_us is not None:
            self._odd[record.name] = record
        else:
            self._odd.pop(record.name, None)

    def _priority(self, record: Record, now: int | None, source: str, at: Moment) -> None:
        before = record.priority
        if now is None or now == before:
            return
        record.priority = now
        if before is not None and not record.settled:
            self._tell(record, "priority", f"was {before}", source, at)
            if self.alive:
                self._drafts[-1]["ask"] = "priority"

    def _tell_lower(self, record: Record, at: Moment) -> None:
        told = record.lower_told_us
        if not record.lower or (told is not None and at.monotonic_us - told < LOWER_INTERVAL_US):
            return
        count, record.lower, record.lower_told_us = record.lower, 0, at.monotonic_us
        reason = "a peer with lower priority sends adverts"
        self._tell(record, "rx_lower", reason, "fifo", at, count=count)

    def _forget_others(self, names: set[str], dump: Dump, source: str, at: Moment) -> None:
        for record in self._instances():
            if record.name in names or record.heard_us >= dump.asked_us:
                continue
            if record.state not in (None, "DELETED"):
                reason = "no longer in keepalived's configuration"
                self._enter(record, "DELETED", source, at, reason)
            record.details = None

    def _groups_follow(
        self, source: str, at: Moment, asked_us: int | None = None, reason: str = UNKNOWN
    ) -> None:
        """Give a sync group the state that all its members have.

        keepalived writes lines for groups, but the dump does not know them, and 2.2.7 writes none
        when a MASTER loses its address to somebody else.
        """
        for name, members in self.layout.groups.items():
            states = {self._record("instance", member).state for member in members}
            group = self._record("group", name)
            newer = asked_us is not None and group.heard_us >= asked_us
            if len(states) == 1 and not newer:
                (state,) = states
                if state is not None:
                    self._enter(group, state, source, at, reason)

    def _follow_address(self, record: Record, source: str, at: Moment) -> None:
        if not self.alive:
            if record.ghost:
                self._left_behind(record, "keepalived does not run", source, at)
                self._groups_follow(source, at)
        elif self.blind and not record.stopping(at):
            presence = self.held.presence(self._details(record))
            if presence is not None and presence[0]:
                self._enter(record, "MASTER", source, at, "told by its address alone")
            elif presence is not None and not presence[1] and record.state not in _WITHOUT:
                self._enter(record, "BACKUP", source, at, "told by its address alone")
            self._groups_follow(source, at)

    def _left_behind(self, record: Record, why: str, source: str, at: Moment) -> None:
        if record.settled:
            return
        details = self._details(record)
        left = [vip for vip in details.vips if self.held.holds(details, vip)]
        if not left:
            self._enter(record, "STOP", source, at, why)
        elif not record.ghost:
            record.ghost = True
            reason = f"{why}, {', '.join(vip.address for vip in left)} stayed"
            self._tell(record, "ghost", reason, source, at)

    def _tell(
        self, record: Record, kind: str, reason: str, source: str, at: Moment, **more: Any
    ) -> None:
        draft = self._draft(record, record.state, kind, reason, source, at)
        self._drafts.append({**draft, **more})

    def _draft(
        self, record: Record, before: str | None, to: str, reason: str, source: str, at: Moment
    ) -> Draft:
        details = self._details(record)
        presence = self.held.presence(details)
        return {
            **record.draft(details, self.layout.group_of(record.name)),
            "from": before,
            "to": to,
            "reason": reason,
            "vip_present": presence[0] if presence else None,
            "source": source,
            "at": at,
        }
