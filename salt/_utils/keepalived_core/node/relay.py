"""The relay: from the spool to every master, at once, acknowledged, in order, whatever happens.

One thread for each master, so that one that is away delays no other; each keeps its own place in
the stream, on disk.  An event is sent until the master has acknowledged it, so it may come twice,
and after an outage everything comes in its order.  This module knows nothing of Salt: it is given a
function that sends.
"""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from . import heartbeat, process, wake
from . import paths as node_paths
from .spool import Spool, SpoolError
from .spool_delivery import LEASE_RENEWED

log = logging.getLogger(__name__)

#: One request: that many events, and about that many bytes of them.
BATCH = 500
BATCH_BYTES = 256 << 10
#: Pauses between two tries, in seconds, doubled from the first to the second.
PAUSE, LONGEST_PAUSE = 0.2, 1.0
#: A relay that was not woken looks by itself.
LOOK = 1.0
#: A place is written down at most so often: what is lost of it is only sent again.
PERSIST = 0.25

#: Sends events to one master, returns when it has them.  Raises :class:`Unreached`.
Send = Callable[[list[dict[str, Any]]], None]


class Unreached(Exception):
    """The master did not acknowledge; the text says why."""


class Relay:
    """Brings the events of one spool to all masters; :meth:`run` returns after :meth:`stop`."""

    def __init__(
        self,
        minion_id: str,
        masters: Mapping[str, Callable[[], Send]],
        paths: node_paths.Paths = node_paths.DEFAULT,
    ) -> None:
        """:param masters: for each master, what makes its way there, in the thread that goes it."""
        self._paths = paths
        self._owner = process.self_id()
        self._condition = threading.Condition()
        self._word = 0
        self._leased = False
        self._stopping = False
        self._couriers = [
            _Courier(self, minion_id, name, make, paths) for name, make in masters.items()
        ]

    def run(self) -> None:
        """Deliver until stopped.  Raises :class:`OSError` when it could not be woken."""
        bell = wake.Listener(self._paths)
        threads = [
            threading.Thread(target=courier.run, name=f"relay {courier.master}", daemon=True)
            for courier in self._couriers
        ]
        for thread in threads:
            thread.start()
        renewed = 0.0
        try:
            while not self._stopping:
                now = time.monotonic()
                if now - renewed >= LEASE_RENEWED:
                    renewed = now if self._renew() else now - LEASE_RENEWED + LOOK
                if bell.wait(renewed + LEASE_RENEWED - time.monotonic()):
                    self._tell(word=True)
        finally:
            bell.close()
            self._stopping = True
            self._tell()
            for thread in threads:
                thread.join(1.0)
            self._give_up()

    def stop(self) -> None:
        """End :meth:`run`, within two seconds."""
        self._stopping = True
        wake.wake(self._paths)

    # -- for the couriers --

    @property
    def owner(self) -> str:
        return self._owner

    @property
    def stopping(self) -> bool:
        return self._stopping

    def wait(self, word: int, seconds: float) -> int:
        """Wait for a word after ``word``, at most so long; return the number of the last one."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopping or self._word != word, max(0, seconds))
            return self._word

    def wait_for_lease(self) -> bool:
        """Wait until this relay may deliver, at most a second; return whether it may."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopping or self._leased, LOOK)
            return self._leased and not self._stopping

    # -- beneath --

    def _tell(self, word: bool = False) -> None:
        with self._condition:
            self._word += word
            self._condition.notify_all()

    def _renew(self) -> bool:
        leased = False
        try:
            with Spool.open(self._paths.spool) as spool:
                leased = spool.lease(self._owner, "relay")
        except FileNotFoundError:
            pass
        except (SpoolError, sqlite3.Error) as err:
            # busy for long, full, or of another version: the lease runs out, the beacon takes over
            log.warning("keepalived relay: no lease: %s", err)
        if leased != self._leased:
            log.info("keepalived relay: %s", "delivers" if leased else "does not deliver")
        self._leased = leased
        self._tell()
        return leased

    def _give_up(self) -> None:
        try:
            with Spool.open(self._paths.spool) as spool:
                spool.end_lease(self._owner)
        except (FileNotFoundError, SpoolError, sqlite3.Error):
            # it ends with this process anyway
            return


class _Courier:
    """The way to one master."""

    def __init__(
        self,
        relay: Relay,
        minion_id: str,
        master: str,
        make: Callable[[], Send],
        paths: node_paths.Paths,
    ) -> None:
        self.master = master
        self._relay = relay
        self._minion = minion_id
        self._make = make
        self._paths = paths
        self._spool: Spool | None = None
        self._inode = 0
        self._stream = ""
        self._at = 0
        self._noted = 0
        self._noted_at = 0.0
        self._beat_due = 0.0
        self._away_since: float | None = None
        self._problem: str | None = None

    def run(self) -> None:
        send = self._make()
        word, pause = 0, PAUSE
        while not self._relay.stopping:
            if not self._relay.wait_for_lease():
                # meanwhile somebody else may bring the place forward
                self._forget_place()
                continue
            try:
                busy = self._round(send)
                pause = PAUSE
                self._there()
                if not busy:
                    word = self._relay.wait(word, self._patience())
            except FileNotFoundError:
                self._forget_place()
                word = self._relay.wait(word, LOOK)
            except Unreached as err:
                self._away(str(err))
                time.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
            except (SpoolError, sqlite3.Error) as err:
                self._say(f"the spool cannot be read: {err}")
                self._forget_place()
                word = self._relay.wait(word, LOOK)
        self._note()
        self._forget_place()

    def _round(self, send: Send) -> bool:
        """Send what there is now; return whether there was anything."""
        spool = self._open()
        rows = _batch(spool.read(self._at, BATCH))
        last = rows[-1]["seq"] if rows else self._at
        beat = None
        if last == spool.last_seq and time.monotonic() >= self._beat_due:
            beat = heartbeat.make(spool, self._paths)
            # what came just now has not been sent yet, and would be missed there
            beat = beat if beat["seq"] == last else None
        if beat is None and not rows:
            self._note()
            return False
        send([event(self._minion, row) for row in [*rows, *([beat] if beat else [])]])
        if beat is not None:
            self._beat_due = time.monotonic() + heartbeat.INTERVAL
        self._at = last
        if time.monotonic() - self._noted_at >= PERSIST:
            self._note()
        return True

    def _patience(self) -> float:
        until = min(LOOK, self._beat_due - time.monotonic())
        return min(until, PERSIST) if self._at != self._noted else until

    def _open(self) -> Spool:
        inode = os.stat(self._paths.spool).st_ino
        if self._spool is None or inode != self._inode:
            self._forget_place()
            self._spool = Spool.open(self._paths.spool)
            self._inode = inode
        stream = self._spool.stream_id
        if stream != self._stream:
            self._stream = stream
            self._at = self._noted = self._spool.reached(self.master)
            self._beat_due = 0.0
        return self._spool

    def _forget_place(self) -> None:
        if self._spool is not None:
            self._spool.close()
        self._spool, self._stream = None, ""

    def _note(self) -> None:
        if self._spool is None or self._at == self._noted:
            return
        self._noted_at = time.monotonic()
        try:
            self._spool.acknowledged(self.master, self._at, self._relay.owner)
        except SpoolError:
            # busy or full: next time, or it is sent again
            return
        self._noted = self._at

    # -- what a person should know, once --

    def _there(self) -> None:
        if self._away_since is not None:
            log.info(
                "keepalived relay: %s is there again after %.0f s",
                self.master,
                time.monotonic() - self._away_since,
            )
        self._away_since = self._problem = None

    def _away(self, why: str) -> None:
        if self._away_since is None:
            self._away_since = time.monotonic()
            self._say(f"{self.master} does not take events, they are kept: {why}")

    def _say(self, text: str) -> None:
        if text != self._problem:
            log.warning("keepalived relay: %s", text)
        self._problem = text


def _batch(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return as many of the first rows as one request should carry, one at least."""
    size = 0
    for number, row in enumerate(rows, 1):
        size += len(json.dumps(row))
        if size >= BATCH_BYTES:
            return rows[:number]
    return rows


def event(minion_id: str, row: dict[str, Any]) -> dict[str, Any]:
    """Return tag and data of a row, as Salt's beacon makes them of it."""
    name = quote(str(row.get("instance")), safe="")
    data = row if row.get("id") else {**row, "id": minion_id}
    return {"tag": f"salt/beacon/{minion_id}/keepalived/{name}/{row.get('to')}", "data": data}
