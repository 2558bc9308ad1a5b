"""Make a running keepalived read its file again, and know when it has.

A reload is asynchronous, and the dump shows too little of a configuration to tell by: a changed
script or peer is not in it.  What changes with every reload, on every release and without a word
in the configuration, are the sockets of the VRRP process: it closes and opens them when it has
read the new file.  So their inode numbers before and after are the proof.

``reload_file`` (2.2.0) is not used.  It must stand in the configuration that runs already, it is
removed when the *parent* has read the file (measured on 2.2.7: the VRRP process comes later), and
it is removed as well when ``reload_check_config`` has refused the new one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

from . import appointment, dump, process
from .apply import ApplyError
from .paths import DEFAULT, Paths

#: A reload is done in 0.3 s for ordinary files; 2500 instances need 4 s (measured on 2.2.7).  With
#: reload_check_config the file is read once more before that.
RELOAD_SECONDS = 15.0
#: keepalived starts within 5 ms to 35 ms of the second it was told (measured on 2.2.7), after its
#: own test of the file; when nothing has happened after this long, it did not understand us.
LATE_SECONDS = 1.5
#: Less than this and the second may be over before keepalived has been told.
SOON_SECONDS = 0.5
#: A job that waits for longer is a mistake, mostly milliseconds for seconds.
FAR_SECONDS = 300.0
_STEP = 0.02


class NotYet(ApplyError):
    """Nothing was reloaded, and what was prepared is still good."""


@dataclass(frozen=True)
class Mark:
    """What changes with every reload: inode numbers.

    ``sockets``: of the VRRP process; ``files``: of the copy of its configuration that each
    process holds (2.2.x and later).
    """

    sockets: frozenset[str]
    files: frozenset[int]

    def passed(self, now: Mark) -> bool:
        """Whether a reload was completed between this mark and *now*."""
        if self.sockets:
            return self.sockets != now.sockets
        return self.files != now.files or bool(now.sockets)

    @property
    def blind(self) -> bool:
        """Whether there is nothing to see a reload by (no instance runs, an old release)."""
        return not self.sockets and not self.files


def mark(daemon: process.Daemon) -> Mark:
    """The mark of *daemon* now; never raises."""
    files: set[int] = set()
    sockets: set[str] = set()
    for pid in daemon.children:
        for name, target in _descriptors(pid):
            if target.startswith("/memfd:/keepalived/"):
                with contextlib.suppress(OSError):
                    files.add(os.stat(process.PROC / str(pid) / "fd" / name).st_ino)
            elif target.startswith("socket:") and pid == daemon.vrrp:
                sockets.add(target)
    return Mark(frozenset(sockets), frozenset(files))


def settle(daemon: process.Daemon, paths: Paths = DEFAULT, timeout: float = 10.0) -> None:
    """Wait until a reload that somebody else has begun is over.

    :raises ApplyError: when keepalived is stopped (frozen), or is not done in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        if daemon.frozen():
            raise ApplyError(
                f"keepalived (pid {daemon.pid}) is stopped (SIGSTOP or a debugger): it would not "
                f"see a change; continue it with kill -CONT {daemon.pid}. Nothing was changed"
            )
        if not _testing(daemon):
            try:
                dump.read_json(paths)
                return
            except (dump.NoAnswer, dump.NotReady):
                # It answers when it has read its file; one without instances never does.
                if time.monotonic() > deadline or not mark(daemon).sockets:
                    return
            except dump.DumpUnavailable:
                return  # no JSON: then the sockets will tell
        if time.monotonic() > deadline:
            raise ApplyError(
                f"keepalived (pid {daemon.pid}) has been busy with another reload for "
                f"{timeout:g} s; nothing was changed: try again when it is done"
            )
        time.sleep(_STEP)


def hup(daemon: process.Daemon) -> None:
    """Ask for a reload now.  :raises ApplyError: when it has gone."""
    try:
        os.kill(daemon.pid, signal.SIGHUP)
    except ProcessLookupError:
        raise ApplyError(f"keepalived (pid {daemon.pid}) died before the reload") from None


def at_second(
    daemon: process.Daemon,
    second: int,
    before: Mark,
    time_file: Path | None,
    paths: Paths = DEFAULT,
) -> str:
    """Have *daemon* reload at the beginning of *second* (since the epoch); return when it began.

    :param time_file: the running configuration's ``reload_time_file``, if it has one: then
        keepalived reloads by itself, even if this process is gone by then.
    :returns: by what means: ``reload_time_file`` or ``SIGHUP``.
    :raises NotYet: when that second is over, or too near, or was called off.
    :raises ApplyError: when keepalived has gone.
    """
    check_second(second)
    told = time_file is not None and _tell(time_file, second)
    try:
        sleep_until(second, paths)
    except NotYet:
        if time_file is not None:
            time_file.unlink(missing_ok=True)
        raise
    if not told:
        hup(daemon)
        return "SIGHUP"
    assert time_file is not None
    while time.time() < second + LATE_SECONDS:
        if not time_file.exists() or before.passed(mark(daemon)):
            return "reload_time_file"
        time.sleep(_STEP)
    time_file.unlink(missing_ok=True)
    hup(daemon)
    return "SIGHUP"


def check_second(second: int) -> None:
    """:raises NotYet: when *second* (since the epoch) is over, or too near to be kept."""
    left = second - time.time()
    if left < SOON_SECONDS:
        raise NotYet(
            f"the second {second} is {'over' if left < 0 else 'too near'} ({left:.1f} s from now); "
            "nothing was reloaded: name a later one, and see that the nodes' clocks agree"
        )
    if left > FAR_SECONDS:
        raise NotYet(
            f"the second {second} is {left:.0f} s from now; nothing was reloaded: name one within "
            f"{FAR_SECONDS:g} s, and see that the nodes' clocks agree"
        )


def sleep_until(second: int, paths: Paths = DEFAULT) -> None:
    """Until the wall clock says so, also when it is set meanwhile.

    :raises NotYet: when the master has called it off.
    """
    try:
        appointment.keep(second, paths)
    except appointment.CalledOff as err:
        raise NotYet(str(err)) from err


def wait(daemon: process.Daemon, before: Mark, timeout: float = RELOAD_SECONDS) -> None:
    """Wait until *daemon* has read its file again.

    :raises ApplyError: when it died, or did not reload in time.
    """
    deadline = time.monotonic() + timeout
    while True:
        if not daemon.alive():
            raise ApplyError(f"keepalived (pid {daemon.pid}) died during the reload")
        if before.blind or before.passed(mark(daemon)):
            return
        if daemon.vrrp and process.ended(daemon.vrrp):
            raise ApplyError(f"keepalived's VRRP process (pid {daemon.vrrp}) died of the reload")
        if time.monotonic() > deadline:
            raise ApplyError(
                f"keepalived (pid {daemon.pid}) lives, but it has not reloaded within {timeout:g} s"
                " (with reload_check_config it refuses a file that its own test finds wrong; "
                "its log says why)"
            )
        time.sleep(_STEP)


def _tell(time_file: Path, second: int) -> bool:
    text = time.strftime("%Y-%m-%d %H:%M:%SZ\n", time.gmtime(second))
    try:
        time_file.write_text(text, encoding="ascii")
    except OSError:
        return False
    return True


def _testing(daemon: process.Daemon) -> bool:
    """Whether its parent process runs ``keepalived -t`` on itself (reload_check_config)."""
    for pid in process.children(daemon.pid):
        if pid == daemon.vrrp:
            continue
        try:
            words = (process.PROC / str(pid) / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if any(word == b"-t" or word.startswith(b"--config-test") for word in words):
            return True
    return False


def _descriptors(pid: int) -> list[tuple[str, str]]:
    folder = process.PROC / str(pid) / "fd"
    found = []
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            with contextlib.suppress(OSError):
                found.append((name, os.readlink(folder / name)))
    return found
