"""The watch: every VRRP transition of this node, onto disk, as it happens.

One loop.  It hears the kernel (addresses), keepalived's notify FIFO and the end of its processes at
once, and asks keepalived for a JSON dump when it starts, when something does not fit, and now and
then.  What follows from that is :mod:`tracker`'s business; :mod:`recorder` brings it to the spool.

Run it as ``python3 -m keepalived_core.node.watch``.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import time
from typing import Any

from . import (
    addresses,
    dump,
    fifo,
    layout,
    life,
    netlink,
    process,
    sdnotify,
    watch_lock,
    watch_report,
    watch_status,
)
from . import paths as node_paths
from .asker import Asker
from .drain_keeper import DrainKeeper
from .event import Moment
from .evidence import Evidence
from .recorder import Recorder
from .sd_priority import Priority
from .spool import SpoolError
from .timers import Timers
from .tracker import Tracker

log = logging.getLogger("keepalived.watch")

#: What cannot wake the loop is looked at this often: a FIFO removed, a keepalived started …
TICK = 1.0
#: … and what costs more: every process, keepalived's descriptors.
SLOW_TICK = 5.0
#: The status file is written at least this often …
STATUS = 5.0
#: … and after each event, but in a burst of them not for each.
STATUS_APART = 0.2
RESYNC = 30.0
#: With its lines at hand there is less to find out, and keepalived logs each question.
CALM_RESYNC = 120.0
#: keepalived's line comes 0.05 to 11 ms after the address; then there is nothing to ask.
EXPLAIN = 0.05
#: A state and an address that contradict each other are looked at so often.
DOUBT = 0.1
#: After a line: what the line does not say (priorities, a sync group) is looked up when it is calm.
CONFIRM = 1.0
#: Who stands in for a watch looks for milliseconds, once a second.
STAND_IN = 2.0
#: A configuration that is swapped in is reloaded soon after.
RELOAD = 2.0


class Watch:
    """The loop and what it holds; :meth:`run` returns when :meth:`stop` was called."""

    def __init__(self, paths: node_paths.Paths = node_paths.DEFAULT) -> None:
        """Open everything.  Raises :class:`SpoolError`, :class:`OSError`."""
        self.paths = paths
        # held until the end: nobody stands in for a watch that lives
        self._lock = watch_lock.wait(paths, STAND_IN)
        if self._lock is None:
            log.warning("another process holds %s: two may record the same", paths.watch_lock)
        self.recorder = Recorder(paths)
        self.tracker = Tracker(self.recorder.latest)
        # before the first snapshot, so that nothing falls between the two
        self.kernel = netlink.Netlink(subscribe=True)
        self.reader = fifo.Reader(paths.fifo)
        self.life = life.Life(paths)
        self.asker = Asker(paths)
        self.drain = DrainKeeper(paths)
        self.evidence = Evidence(paths, self.tracker.learned)
        self.started = time.time()
        self._stopping = False
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self.connected = False
        self._overflows = 0
        self.json_problem: str | None = None
        self.fifo_problem: str | None = None
        self._config_mark: tuple[int, int] | None = None
        self._status_written = self._status_due = 0.0
        self._timers = Timers()
        self._doubted = 0.0

    def stop(self, *_: Any) -> None:
        """End the loop; safe to call from a signal handler."""
        self._stopping = True
        os.write(self._wake_write, b".")

    def run(self) -> None:
        """Watch until :meth:`stop`."""
        self._begin()
        sdnotify.notify("READY=1")
        while not self._stopping:
            if not self.recorder.running:
                raise RuntimeError("the thread that stores events has ended")
            self._wait()
            self._see()
            if self.life.daemon is not None:
                self._step_dump(self.life.daemon)
            self._timers.run()
            self._doubt()
            self.recorder.add(self.evidence.take(self.tracker.take(), self.life.daemon))
            if self.recorder.news():
                self._status_due = min(self._status_due, self._status_written + STATUS_APART)
            if time.monotonic() >= self._status_due:
                self._write_status()
        sdnotify.notify("STOPPING=1")
        self._close()

    # -- the start --

    def _begin(self) -> None:
        self._timers.every(TICK, self._tick)
        self._timers.every(SLOW_TICK, self._slow_tick)
        self._timers.every(RESYNC, self._resync)
        keep_alive = sdnotify.watchdog_interval()
        if keep_alive:
            self._timers.every(keep_alive, lambda: sdnotify.notify("WATCHDOG=1"), at_once=True)
        self._read_config()
        self.tracker.snapshot(addresses.snapshot(), "resync", Moment.now())
        self._ensure_fifo()
        late = self._read_lines()
        if not self.recorder.stood_in:
            self._take_late_lines(late)
        if self.life.check(search=True) == life.FOUND:
            self._daemon_found(started=False)
        else:
            self.tracker.daemon_gone(self.life.why, "resync", Moment.now())
        self.recorder.add(self.evidence.take(self.tracker.take(), self.life.daemon))
        self._write_status()

    def _read_lines(self) -> list[fifo.Line]:
        lines = self.reader.read()
        if self.reader.overflows > self._overflows:
            self._overflows = self.reader.overflows
            log.warning("the notify FIFO was full: asking keepalived what it could not write")
            self.tracker.overflow(Moment.now())
            self._want("resync")
        return lines

    def _take_late_lines(self, lines: list[fifo.Line]) -> None:
        # what waited there happened while nobody watched: true, in order, but of unknown time
        for line in lines:
            self.tracker.line(line, Moment.now(), late=True)

    # -- one round --

    def _wait(self) -> None:
        due = [self._status_due, *self._timers.due]
        due += [at for at in (self.asker.due, self.life.due, self.evidence.due) if at is not None]
        if self.tracker.due_us is not None:
            # once asked, the answer is awaited, not the time
            due.append(max(self.tracker.due_us / 1e6, self._doubted + DOUBT))
        poller = select.poll()
        descriptors = [self._wake_read, self.kernel.fileno(), self.recorder.fileno()]
        descriptors += [pipe.fd for pipe in self.reader.pipes]
        for descriptor in (*descriptors, *self.life.descriptors()):
            poller.register(descriptor, select.POLLIN)
        # rounded up: a wait cut short would spin through the last millisecond
        poller.poll(max(0, int((min(due) - time.monotonic()) * 1000) + 1))

    def _see(self) -> None:
        """Take everything that has come, in the order in which it can be true."""
        if self.life.daemon is None and self.life.check() == life.FOUND:
            # a new keepalived clears what a killed one left: that is not the old one's end
            self._daemon_found()
        self._hear()
        died, found = self.life.vrrp_died, self.life.check()
        if died != self.life.vrrp_died:
            self.tracker.why.respawned(Moment.now())
        if found == life.FOUND:
            self._daemon_found(started=False)
        elif found == life.GONE:
            # its last words
            self._hear()
            self._daemon_gone()
        elif found == life.CHANGED:
            self._check_connection()
            self._want("resync", CONFIRM)

    def _hear(self) -> None:
        # The lines first, though the kernel is told first: an address always changes before the
        # line about it is written, so what the kernel says now includes all that the lines mean.
        lines = self._read_lines()
        try:
            changes = self.kernel.changes()
        except netlink.Overrun:
            log.warning("the kernel dropped address messages: looking at everything anew")
            self.tracker.snapshot(addresses.snapshot(), "resync", Moment.now())
            self._want("resync")
            changes = []
        now = Moment.now()
        if lines and self.life.daemon is not None:
            # what the lines mean depends on who still lives
            self.tracker.why.orphaned = not self.life.daemon.alive()
            if self.life.vrrp_ended():
                self.tracker.why.respawned(now)
        moved = [change for change in changes if self.tracker.address(change, now)]
        for line in lines:
            self.tracker.line(line, now)
        if lines:
            self.connected = True
            if self.life.daemon is None and self.life.check(search=True) == life.FOUND:
                self._daemon_found()
            self._want("resync", CONFIRM)
        if not self.connected and any(change.address is None for change in changes):
            # a link: nothing else tells that an instance without its address became faulty
            self._want("json", EXPLAIN)
        if moved:
            if not self.connected:
                self._want("json")
            elif self.tracker.unexplained():
                self._want("json", EXPLAIN)

    def _step_dump(self, daemon: process.Daemon) -> None:
        if self.asker.explaining and self.connected and not self.tracker.unexplained():
            self.asker.explained(CONFIRM)
        try:
            found = self.asker.step(daemon)
        except dump.DumpUnavailable as err:
            self._no_dump(err)
            return
        if found is None:
            return
        if self.json_problem is not None:
            log.info("keepalived's JSON dump is there again")
        self.json_problem = None
        self._set_blind()
        # keepalived wrote its lines before the dump that shows the same
        self._hear()
        if self.tracker.dump(found, self.asker.source, Moment.now()):
            self._want(self.asker.source, CONFIRM)

    def _no_dump(self, err: dump.DumpUnavailable) -> None:
        if isinstance(err, dump.Ended):
            # its end is seen by itself, and says more
            return
        self._read_config()
        if isinstance(err, dump.NoAnswer) and self.tracker.layout.empty:
            self._hear()
            self.tracker.no_instances(self.asker.source, Moment.now())
            return
        if isinstance(err, dump.Stopped):
            self.tracker.confirmed(Moment.now())
        if self.json_problem != err.reason:
            log.warning("no JSON dump: %s", err.reason)
        self.json_problem = err.reason
        self._set_blind()

    def _set_blind(self) -> None:
        blind = self.json_problem is not None and not self.connected
        if blind and not self.tracker.blind:
            self.tracker.blind = True
            self.tracker.snapshot(addresses.snapshot(), "netlink", Moment.now())
        self.tracker.blind = blind

    def _doubt(self) -> None:
        due = self.tracker.due_us
        if due is None or time.monotonic() < max(due / 1e6, self._doubted + DOUBT):
            return
        self._doubted = time.monotonic()
        if self.tracker.look(Moment.now()):
            self._want("json")

    def _want(self, source: str, delay: float = 0.0) -> None:
        if self.life.daemon is not None:
            self.asker.want(source, delay)

    # -- keepalived comes and goes --

    def _daemon_found(self, started: bool = True) -> None:
        assert self.life.daemon is not None
        found = process.version()
        self.recorder.keepalived_version = found.text if found else None
        log.info("keepalived %s runs, pid %s", found and found.text, self.life.daemon.pid)
        if not self.life.daemon.same_netns:
            log.warning("keepalived runs in another network namespace: its addresses are not seen")
        self.json_problem = None
        self.tracker.daemon_found(Moment.now() if started else None)
        self._check_connection()
        self._want("resync")

    def _daemon_gone(self) -> None:
        log.info("no keepalived runs any more")
        self.asker.cancel()
        self.connected = False
        self.tracker.daemon_gone(self.life.why, "netlink", Moment.now())

    def _check_connection(self) -> None:
        """Find out whether keepalived really writes to a FIFO that is read here."""
        daemon = self.life.daemon
        before, self.connected = self.connected, False
        descriptor = daemon.fifo_fd(self.paths.fifo) if daemon else None
        if descriptor is not None:
            if self.reader.adopt(descriptor):
                self._take_late_lines(self.reader.pipes[0].read())
            in_use = fifo.identity(descriptor)
            self.connected = any(pipe.identity == in_use for pipe in self.reader.pipes)
            self.reader.release(in_use)
        if before != self.connected:
            self._set_blind()

    # -- timers --

    def _tick(self) -> None:
        if self._ensure_fifo():
            log.warning("the notify FIFO had been removed or replaced; it was made anew")
            self._check_connection()
            self._want("resync")
        if self._read_config():
            self._want("resync", RELOAD)
        self.recorder.read_settings()
        self.drain.tend()
        self.evidence.tidy()
        self.tracker.tick(Moment.now())

    def _slow_tick(self) -> None:
        if self.life.daemon is None and self.life.check(search=True) == life.FOUND:
            self._daemon_found()
        self._check_connection()

    def _resync(self) -> None:
        if not self.connected or time.monotonic() - self.asker.answered >= CALM_RESYNC:
            self._want("resync")

    def _ensure_fifo(self) -> bool:
        problem = None
        try:
            return self.reader.ensure()
        except OSError as err:
            problem = str(err)
        finally:
            if problem != self.fifo_problem and problem:
                log.error("no notify FIFO: %s", problem)
            self.fifo_problem = problem
        return False

    def _read_config(self) -> bool:
        mark = dump.mark(self.paths.config)
        if mark == self._config_mark:
            return False
        before, self._config_mark = self._config_mark, mark
        at = None if before is None else Moment.now()
        self.tracker.configured(layout.read(self.paths), at)
        return True

    def _write_status(self) -> None:
        self._status_written = time.monotonic()
        self._status_due = self._status_written + STATUS
        watch_status.write(self.paths, watch_report.of(self))

    def _close(self) -> None:
        self.reader.close()
        self.kernel.close()
        self.life.close()
        self.asker.cancel()
        self.recorder.add(self.evidence.take(self.tracker.take(), daemon=None))
        self.recorder.close()
        self._write_status()
        if self._lock is not None:
            os.close(self._lock)


def main(paths: node_paths.Paths = node_paths.DEFAULT) -> int:
    """Run the watch as a service; return its exit status."""
    handler = logging.StreamHandler()
    if os.environ.get("JOURNAL_STREAM"):
        handler.setFormatter(Priority())
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    try:
        watch = Watch(paths)
    except (SpoolError, OSError) as err:
        log.error("cannot start: %s", err)
        return 1
    signal.signal(signal.SIGTERM, watch.stop)
    signal.signal(signal.SIGINT, watch.stop)
    watch.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
