"""The hub: events of all nodes in, one true timeline out.  Pure: no I/O, no clock of its own.

Delivery to the master is at least once and in no order, and any minion can send what it likes.
Here a row counts when its node signed it, once, and after all rows before it; rows that do not
come are asked for.  What follows from the events is collected in a :class:`rows.Batch`, which
:mod:`hub_session` stores and tells.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .. import signing
from . import asking, clock, event, heartbeat, settle, settling
from .heartbeat import Facts
from .ordering import Ordering, tag_of
from .rows import Batch, Row, Stream
from .saved import known

MAX_STRANGERS = 100
#: Seconds between two times that the facts of nodes are stored: rows say the same, and sooner.
FACTS_APART = 1.0


@dataclass(frozen=True)
class Known:
    """A member of a cluster.

    adverts
        ``advert_int`` of each of its instances and groups, seconds.
    keys
        Those that its rows may be signed with.
    """

    cluster: str
    adverts: Mapping[str, float] = field(default_factory=dict)
    keys: tuple[str, ...] = ()


class Hub(Ordering):
    """All streams of all nodes.

    streams, settlers, facts
        What the store holds from before.
    """

    def __init__(
        self,
        streams: Iterable[Stream] = (),
        settlers: Mapping[tuple[str, str, str], Mapping[str, Any]] | None = None,
        facts: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__(streams)
        self.facts = {minion: Facts(**known(Facts, each)) for minion, each in (facts or {}).items()}
        #: Minions that are no members, but in whose name events came: they may be new ones.
        self.strangers: set[str] = set()
        self._members: Mapping[str, Known] = {}
        self._signed = True
        self._settling = settling.Settling(settlers or {}, self.advert)
        self._confirmed: dict[tuple[str, str], float] = {}
        self._looked: dict[str, float] = {}
        self._facts_saved = 0.0
        self._facts_changed: set[str] = set()

    # -- what the hub is told --

    def configure(self, members: Mapping[str, Known], signed: bool, now: float) -> None:
        """Take over which nodes there are.

        signed
            Whether the master has a secret, so that unsigned rows are not believed.

        A member that was none before, all of them at the start, is asked for its newest row.
        """
        for minion in set(members) - set(self._members):
            self._asking.want(minion, None, now, 0.0)
        for stream in self.streams.values():
            new = stream.minion in members and stream.minion not in self._members
            if new and asking.next_fetch(stream):
                self._asking.want(stream.minion, stream.stream_id, now, 0.0)
        for minion in set(self.facts) - set(members):
            del self.facts[minion]
            self._asking.satisfied(minion, None)
            self._batch.facts.pop(minion, None)
            self._batch.forgotten.add(minion)
        self._members, self._signed = dict(members), signed
        self.strangers.clear()
        self._settling.begin(now)

    def take(self, tag: str, data: Any, now: float) -> None:
        """An event from the bus, as it came.  now: epoch seconds."""
        culprit = None
        if isinstance(data, Mapping) and "cmd" in data and isinstance(data.get("data"), Mapping):
            # Salt wraps what a minion sends alone, and adds who sent it
            culprit = data.get("id") if isinstance(data.get("id"), str) else None
            data = data["data"]
            if culprit == data.get("id"):
                culprit = None
        if isinstance(data, Mapping):
            # the master's stamp, and what tracing may add
            data = {key: each for key, each in data.items() if not str(key).startswith("_")}
        if isinstance(data, Mapping) and not set(data) - {"id"}:
            self.reject("it has no data, as Salt's own event for a beacon that failed", tag, now)
            return
        if culprit is not None:
            self.reject("sent by one minion in the name of another", tag, now, culprit)
            return
        if isinstance(data, Mapping) and data.get("to") == "heartbeat":
            self._take_heartbeat(tag, data, now)
            return
        row = self._read(tag, data, now)
        if row is not None:
            self._offer(row, now, asked=False)

    def answer(self, fetch: asking.Fetch, said: object, now: float) -> None:
        """What a node said to a request; None when it said nothing, text when it failed."""
        if isinstance(said, Mapping):
            said = said.get("rows")
        known = self._members.get(fetch.minion)
        # without keys nothing can be believed, and what cannot be checked is not lost
        if not isinstance(said, (list, tuple)) or (self._signed and not (known and known.keys)):
            self._no_answer(fetch, now)
            return
        seqs: dict[int, bool] = {}
        proven = False
        for data in said:
            if not isinstance(data, Mapping):
                continue
            if data.get("id") != fetch.minion:
                self.reject("in an answer of another node", tag_of(data), now)
                continue
            if data.get("to") == "heartbeat":
                # signed, and of now: so what is not in this answer is not there
                proven |= self._take_heartbeat(tag_of(data), data, now)
                continue
            row = self._read(tag_of(data), data, now)
            if row is not None:
                self._offer(row, now, asked=True)
            seq = data.get("seq")
            if data.get("stream_id") == fetch.stream_id and isinstance(seq, int):
                seqs[seq] = row is not None
        if fetch.stream_id is None:
            self._looked[fetch.minion] = now
            self._asking.satisfied(fetch.minion, None)
            return
        self._judge_answer(fetch, seqs, proven, now)

    def tick(self, now: float) -> None:
        """What happens because time goes by."""
        self._settling.tick(now, self._complete, self._batch)
        for minion in self._members:
            facts = self.facts.get(minion)
            heard = max(facts.received_us / 1e6 if facts else 0.0, self._looked.get(minion, 0.0))
            if heard < now - asking.SILENCE and not self._asking.waits(minion, None):
                self._asking.want(minion, None, now, 0.0)

    def fetches(self, now: float) -> list[asking.Fetch]:
        """The requests to make now; each must come back through :meth:`answer`."""
        return self._asking.due(self.streams.values(), now)

    def drain(self, now: float) -> Batch:
        """What changed since the last call."""
        batch, self._batch = self._batch, Batch()
        if now - self._facts_saved < FACTS_APART:
            self._facts_changed |= set(batch.facts)
            batch.facts.clear()
        else:
            self._facts_saved = now
            changed = self._facts_changed | set(batch.facts)
            self._facts_changed = set()
            known = {minion: self.facts[minion] for minion in changed if minion in self.facts}
            batch.facts = {minion: each.save() for minion, each in known.items()}
        batch.settlers = self._settling.take_changed()
        return batch

    def replace_settler(
        self, key: tuple[str, str, str], settler: settle.Settler, now: float
    ) -> None:
        """An instance's rows were settled anew, all of them."""
        self._settling.replace(key, settler, now)

    def look_at(self, minion: str, now: float) -> None:
        """Ask a node for its newest row and a heartbeat, now."""
        if minion in self._members:
            self._asking.want(minion, None, now, 0.0)

    def busy(self, now: float) -> bool:
        """Whether something may happen within the next second, although no event comes."""
        return bool(self._settling.open) or self._asking.soon(now)

    @property
    def asking_open(self) -> int:
        """How many requests to nodes are to be made, or under way."""
        return self._asking.open

    # -- is it true? --

    def _read(self, tag: object, data: object, now: float) -> Row | None:
        found = event.validate_event(tag, data)
        if isinstance(found, event.Rejected):
            self.reject(found.reason, tag, now)
            return None
        assert isinstance(data, Mapping)
        known = self._believed(found.id, data, tag, now)
        if known is None:
            return None
        moment = clock.parse(found.time)
        monotonic = data.get("monotonic_us")
        return Row(
            minion=found.id,
            stream_id=found.stream_id,
            seq=found.seq,
            cluster=known.cluster,
            type=found.type,
            instance=found.instance,
            to=found.to,
            came_from=found.from_state,
            time_us=round((moment or 0.0) * 1e6),
            monotonic_us=monotonic if isinstance(monotonic, int) else None,
            received_us=round(now * 1e6),
            signed=self._signed,
            data=data,
        )

    def _believed(
        self, minion: str, data: Mapping[Any, Any], tag: object, now: float
    ) -> Known | None:
        known = self._members.get(minion)
        if known is None:
            # not kept: when it is a new member, it is asked for all it has
            if len(self.strangers) < MAX_STRANGERS:
                self.strangers.add(minion)
            self.reject("its minion is no member of a cluster that the master knows", tag, now)
            return None
        if self._signed and not signing.verify(data, known.keys):
            why = "its signature is not its node's" if data.get("signature") else "it is unsigned"
            self.reject(f"not believed: {why}", tag, now)
            return None
        return known

    # -- what it means --

    def _heard(self, row: Row) -> None:
        self._facts(row.minion, row.cluster).received_us = row.received_us
        self._batch.facts.setdefault(row.minion, {})

    def _let_through(self, stream: Stream, row: Row, now: float) -> None:
        if row.late:
            row.order_us = row.time_us
        else:
            # A clock that was set back on the node must not reorder what it wrote.
            row.order_us = stream.order_us = max(stream.order_us, row.time_us)
        dropped = row.data.get("dropped")
        if isinstance(dropped, int):
            stream.dropped = max(stream.dropped, dropped)
        self._batch.rows.append(row)
        self._count("stored")
        if not row.is_state:
            return
        if row.late:
            self._batch.unsettled.add((row.minion, row.type, row.instance))
            return
        self._facts(row.minion, row.cluster).take_row(row)
        self._settling.feed(row, now, self._batch)

    def _complete(self, minion: str, stream_id: str, since: float) -> bool | None:
        stream = self.streams.get((minion, stream_id))
        if stream is None or stream.tail > stream.high:
            return False if stream else None
        return True if self._confirmed.get((minion, stream_id), 0.0) > since else None

    def advert(self, key: tuple[str, str, str]) -> float:
        """``advert_int`` of an instance (minion, type, name), seconds."""
        known = self._members.get(key[0])
        return known.adverts.get(key[2], settle.ADVERT_INT) if known else settle.ADVERT_INT

    # -- heartbeats --

    def _take_heartbeat(self, tag: str, data: Mapping[Any, Any], now: float) -> bool:
        """Whether it is true, and not of long ago."""
        beat = heartbeat.read(tag, data)
        if isinstance(beat, event.Rejected):
            self.reject(beat.reason, tag, now)
            return False
        known = self._believed(beat.minion, data, tag, now)
        if known is None:
            return False
        facts = self._facts(beat.minion, known.cluster)
        old = facts.why_old(beat)
        if old is not None:
            self.reject(old, tag, now)
            return False
        if facts.is_overtaken(beat):
            return True
        now_us = round(now * 1e6)
        facts.received_us, facts.cluster = now_us, known.cluster
        jump = facts.take_heartbeat(beat, self._signed, now_us)
        self._batch.facts.setdefault(beat.minion, {})
        if jump is not None:
            self._note(logging.WARNING, f"the clock of {beat.minion} was set by {jump:+.3f} s")
        self._asking.satisfied(beat.minion, None)
        stream = self._stream(beat.minion, beat.stream_id, beat.seq, now, beat.first)
        if stream is None:
            return True
        stream.contact_us, stream.dropped = now_us, max(stream.dropped, beat.dropped)
        stream.tail = max(stream.tail, beat.seq)
        key = (beat.minion, beat.stream_id)
        if asking.next_fetch(stream) is not None:
            self._asking.want(*key, now)
            self._asking.heard(*key, now)
        else:
            self._confirmed[key] = now
            self._batch.beats.add(beat.minion)
        return True

    def _cluster(self, minion: str) -> str:
        known = self._members.get(minion)
        return known.cluster if known else "default"

    def _facts(self, minion: str, cluster: str) -> Facts:
        facts = self.facts.get(minion)
        if facts is None:
            facts = self.facts[minion] = Facts(cluster)
        return facts
