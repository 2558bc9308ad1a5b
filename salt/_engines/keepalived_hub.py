"""
The hub: on the master, make one true timeline of what all nodes send
=====================================================================

.. code-block:: yaml

    # /etc/salt/master.d/keepalived.conf; the state keepalived.master writes it
    engines:
      - keepalived_hub: {}

The hub listens to the master's bus for the events of the nodes' relays and beacons, believes those
that their node signed, puts them into the order in which each node wrote them, asks the nodes for
what did not arrive, and stores all of it in ``<cachedir>/keepalived/timeline.db``.  It fires
``keepalived/<cluster>/event/…`` (docs/events.md), and for incidents
``keepalived/<cluster>/<kind>/<opened|updated|resolved>`` (docs/incidents.md).  Alerts that wait
(docs/alerts.md) are sent by a thread of it.
``salt-run keepalived.timeline``, ``hub_status``, ``incidents`` and ``explain`` read the file.

Engines take new code at a restart of the master only.
"""

from __future__ import annotations

import concurrent.futures
import fcntl
import logging
import os
import pathlib
import queue
import re
import sys
import threading
import time

import salt.exceptions
import salt.key
import salt.loader
import salt.utils.event

# A running master still holds the library it imported before sync_all: import the new.
_STALE = ("keepalived_core", "keepalived_master", "keepalived_trail")
[sys.modules.pop(n) for n in list(sys.modules) if n.partition(".")[0] in _STALE]

import keepalived_master
import keepalived_trail

from keepalived_core import signing
from keepalived_core.cluster import hub_session, ledger, membership, settle
from keepalived_core.cluster import secret as secrets
from keepalived_core.cluster.hub import Known
from keepalived_core.cluster.store_file import StoreError

log = logging.getLogger(__name__)

__virtualname__ = "keepalived_hub"

#: What concerns the hub, of all that is on the bus.
TAGS = re.compile(
    rb"salt/beacon/[^/\n]*/keepalived/"
    rb"|keepalived/[^/\n]*/(?:event/|[a-z_]+/(?:opened|updated|resolved)\b)"
)
#: Events taken together: one transaction stores them.
BATCH, BATCH_SECONDS = 500, 0.05
#: How long the listening waits for an event: when nothing is to be done, and when something is.
IDLE, BUSY, MORE = 1.0, 0.1, 0.005
#: Seconds: to look for new members and at the secret; to compile the pillars of all anew; for one
#: minion that is no member not to be looked at again.
LOOK, COMPILE, STRANGER = 5.0, 900.0, 60.0
#: A node answers within one; a busy one in a few.
ANSWER = 15
#: Jobs at a time.
JOBS = 4
#: Seconds between two looks whether a maintenance has ended, for alerts that wait, and whether
#: somebody must be reminded.
SILENCES, ALERTS, REMINDERS = 10.0, 1.0, 10.0
#: After an error nobody foresaw the hub begins anew from what it has stored.
PAUSE, PAUSE_MAX = 1.0, 60.0


def __virtual__():
    return __virtualname__


def start():
    """
    Run until the master ends.  No error ends it: the hub then begins anew from its file, and asks
    the nodes for what it has not.
    """
    parent = os.getppid()
    path = pathlib.Path(__opts__["cachedir"]) / "keepalived" / "timeline.db"
    pause = PAUSE
    while os.getppid() == parent:
        began = time.monotonic()
        try:
            with _Alone(path, parent):
                _Hub(dict(__opts__), path).run(parent)
        except (StoreError, hub_session.Overflow, OSError) as error:
            log.error("keepalived hub: %s", error)
        except Exception:
            log.exception("keepalived hub: begins anew")
        if time.monotonic() - began > PAUSE_MAX:
            pause = PAUSE
        time.sleep(pause)
        pause = min(2 * pause, PAUSE_MAX)


class _Alone:
    """No two hubs on one file: that of a master that was killed may still end its work."""

    def __init__(self, path, parent):
        self._path = path.with_suffix(".lock")
        self._parent = parent
        self._file = None

    def __enter__(self):
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = open(self._path, "w", encoding="utf-8")
        waits = False
        while os.getppid() == self._parent:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return self
            except BlockingIOError:
                if not waits:
                    log.warning("keepalived hub: another one still runs here; waiting for its end")
                waits = True
                time.sleep(0.5)
        return self

    def __exit__(self, *_):
        self._file.close()


class _Hub:
    """One life of the hub: this thread listens and decides, others ask."""

    def __init__(self, opts, path):
        self._opts = opts
        self._session = hub_session.Session(path)
        self._results = queue.SimpleQueue()
        self._members = _Members(opts, self._results)
        self._alerts = _Alerts(opts)
        # a node that does not answer keeps one of them for as long as it is waited for
        self._jobs = concurrent.futures.ThreadPoolExecutor(JOBS, thread_name_prefix="jobs")
        self._ledger = ledger.Ledger(path.with_name("react.db"))
        self._silences_seen = 0.0

    def run(self, parent):
        looking = threading.Thread(target=self._members.run, name="members", daemon=True)
        sending = threading.Thread(target=self._alerts.run, name="alerts", daemon=True)
        try:
            looking.start()
            sending.start()
            while os.getppid() == parent:
                with salt.utils.event.get_master_event(
                    self._opts, self._opts["sock_dir"], listen=True, raise_errors=True
                ) as bus:
                    self._listen(bus, parent)
        finally:
            self._members.stop()
            self._alerts.stop()
            self._jobs.shutdown(wait=False, cancel_futures=True)
            self._session.close()

    def _listen(self, bus, parent):
        while os.getppid() == parent:
            self._take(bus)
            now = time.time()
            self._take_results(now)
            step = self._session.step(now)
            for level, text in step.notes:
                log.log(level, "keepalived hub: %s", text)
            looks = [fetch for fetch in step.fetches if fetch.stream_id is None]
            if looks:
                self._jobs.submit(self._ask, looks)
            for fetch in step.fetches:
                if fetch.stream_id is not None:
                    self._jobs.submit(self._ask, [fetch])
            for tag, data in step.events:
                bus.fire_event(data, tag)
            if self._silence_ended(now):
                # a hint: the reaction asks the ledger itself
                bus.fire_event({}, "keepalived/hub/silence/ended")
            if self._session.hub.strangers:
                self._members.want(set(self._session.hub.strangers))
                self._session.hub.strangers.clear()

    def _silence_ended(self, now):
        """Whether somebody must say what is wrong after a maintenance."""
        if abs(now - self._silences_seen) < SILENCES:
            return False
        self._silences_seen = now
        try:
            return self._ledger.has_ended_silences(now)
        except ledger.LedgerError as error:
            log.error("keepalived hub: %s", error)
            return False

    def _take(self, bus):
        """Take what is on the bus, at most a batch of it."""
        if not bus.cpub and not bus.connect_pub(timeout=IDLE):
            time.sleep(BUSY)
            return
        # get_event would start a thread for each event: a millisecond of CPU
        bus.subscriber.asyncio_loop.run_until_complete(self._take_all(bus.subscriber.obj))

    async def _take_all(self, subscriber):
        busy = self._session.busy(time.time()) or not self._results.empty()
        wait = BUSY if busy else IDLE
        until = None
        for _ in range(BATCH):
            raw = await subscriber.recv(timeout=wait)
            if raw is None:
                return
            now = time.time()
            until = until or now + BATCH_SECONDS
            # of all that is on the bus only this is decoded
            if TAGS.match(raw):
                try:
                    tag, data = salt.utils.event.SaltEvent.unpack(raw)
                except salt.exceptions.SaltDeserializationError:
                    continue
                self._session.take(tag, data, now)
            if now >= until:
                return
            wait = MORE

    def _take_results(self, now):
        while True:
            try:
                what, *rest = self._results.get_nowait()
            except queue.Empty:
                return
            if what == "members":
                self._session.configure(*rest[:2], now, rest[2])
            else:
                self._session.answer(*rest, now)

    # -- in other threads --

    def _ask(self, fetches):
        """One job for requests that differ in nothing but the minion."""
        said = {}
        try:
            answers = keepalived_master.Master(self._opts, {}).ask(
                {each.minion for each in fetches},
                "keepalived.journal_rows",
                ANSWER,
                stream_id=fetches[0].stream_id,
                after=fetches[0].after,
                limit=fetches[0].limit,
            )
            said = {minion: answer.said for minion, answer in answers.items()}
        except salt.exceptions.SaltException as error:
            log.warning("keepalived hub: nodes could not be asked: %s", error)
        except Exception:
            log.exception("keepalived hub: nodes could not be asked")
        for each in fetches:
            self._results.put(("answer", each, said.get(each.minion)))


class _Alerts:
    """Sends alerts that wait: retries, groups, reminders; in a thread, for a receiver may take its
    time.  All of it is on disk: the next hub goes on where this one was ended."""

    def __init__(self, opts):
        self._opts = opts
        self._stopping = threading.Event()

    def stop(self):
        self._stopping.set()

    def run(self):
        trail = keepalived_trail.Trail(self._opts)
        problem = mark = None
        again = 0.0
        while not self._stopping.wait(ALERTS):
            try:
                found = self._mark(trail.ledger.path)
                # most seconds nothing was written and nothing is due: then the file is not opened
                if found is None or (found == mark and time.monotonic() < again):
                    continue
                mark = found
                due = trail.work()
                wait = REMINDERS if due is None else due - time.time()
                again = time.monotonic() + min(REMINDERS, wait)
                problem = None
            except (ledger.LedgerError, OSError) as error:
                if str(error) != problem:
                    log.error("keepalived hub: alerts that wait are not sent: %s", error)
                problem = str(error)
            except Exception as error:
                # never its words: they may quote an address
                log.error("keepalived hub: alerts that wait: %s", type(error).__name__)

    def _mark(self, path):
        """What changes whenever something is written into the file; None without it."""
        try:
            found = path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_size


class _Members:
    """Which nodes there are, with which keys; in a thread, for compiling pillars is slow."""

    def __init__(self, opts, results):
        self._opts = opts
        self._results = results
        self._master = None
        self._wanted = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._pillars = {}
        self._looked = {}
        self._compiled = float("-inf")
        self._last = None
        self._problem = None

    def want(self, minions):
        """Look whether these are members."""
        self._wanted.put(minions)

    def stop(self):
        self._stopping.set()
        self._wanted.put(set())

    def run(self):
        # here, for what an engine is given of Salt's functions works in its main thread only
        self._master = keepalived_master.Master(self._opts, salt.loader.runner(self._opts))
        strangers = set()
        while not self._stopping.is_set():
            try:
                self._look(strangers)
            except Exception:
                log.exception("keepalived hub: the members could not be found out")
            strangers = set()
            try:
                strangers |= self._wanted.get(timeout=LOOK)
                # a burst of events in unknown names is one question
                self._stopping.wait(0.5)
                while True:
                    strangers |= self._wanted.get_nowait()
            except queue.Empty:
                pass

    def _look(self, strangers):
        now = time.monotonic()
        accepted = set(salt.key.get_key(self._opts).list_keys()["minions"])
        fresh = now - self._compiled < COMPILE
        if not fresh:
            self._compiled = now
        known = {node: pillar for node, pillar in self._pillars.items() if node in accepted}
        for node in sorted(accepted):
            again = node in strangers and now - self._looked.get(node, float("-inf")) > STRANGER
            if fresh and node in known and not again:
                continue
            if again:
                # The master's copy may be older than the node's configuration.
                self._looked[node] = now
                pillar = self._master.compiled_pillar(node)
            else:
                pillar = self._master.cached_pillar(node)
            # one that cannot be made (a missing secret, say) is no reason to forget the node
            if isinstance(pillar, dict) and ("keepalived" in pillar or not pillar.get("_errors")):
                known[node] = pillar
        self._pillars = known
        found = self._configured(known, accepted)
        if found != self._last:
            self._last = found
            self._results.put(("members", *found))

    def _configured(self, pillars, accepted):
        known, signed = self._secrets()
        members = {}
        for cluster, nodes in membership.members(pillars, accepted).items():
            for each in nodes:
                if each.accepted:
                    adverts = settle.advert_ints(pillars.get(each.node, {}), each.node)
                    keys = tuple(secrets.node_keys(known, each.node))
                    members[each.node] = Known(cluster, adverts, keys)
        hub = signing.node_key(known[0].value, hub_session.HUB_ID) if known else None
        return members, signed, hub

    def _secrets(self):
        path = secrets.location(self._opts)
        problem = None
        try:
            if not path.exists():
                return [], False
            return secrets.read(path), True
        except (secrets.SecretError, OSError) as error:
            problem = str(error)
            return [], True
        finally:
            if problem and problem != self._problem:
                log.error("keepalived hub: no event can be believed: %s", problem)
            self._problem = problem
