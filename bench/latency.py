"""How long from a transition on a node to its event on the master's bus, by four ways.

One master and two minions on this machine, over loopback; the spool is filled as the watch does it
(a transition is a call of the recorder, commit to disk included).  The four take turns, so that the
machine is equally busy for all.  What a notify script would do is ``salt-call event.send``.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO / "salt" / "_utils"))

from keepalived_core.node import settings, watch_lock  # noqa: E402
from keepalived_core.node.event import Moment  # noqa: E402
from keepalived_core.node.paths import Paths  # noqa: E402
from keepalived_core.node.recorder import Recorder  # noqa: E402
from keepalived_core.node.spool import Spool  # noqa: E402

ROUNDS = 100
#: A notify script costs a second of CPU each time.
SCRIPT_ROUNDS = 10
OWN = ("/var/lib/salt-keepalived", "/run/salt-keepalived")


class Bus:
    """When which event came to the master's bus, by the mark that it carries."""

    def __init__(self, opts: dict[str, Any]) -> None:
        import salt.utils.event

        self.came: dict[str, float] = {}
        self._bus = salt.utils.event.get_master_event(opts, opts["sock_dir"], listen=True)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            found = self._bus.get_event(wait=1, tag="", full=True)
            if found:
                data = found["data"]
                inner = data.get("data")
                mark = data.get("mark") or (isinstance(inner, dict) and inner.get("mark"))
                if mark:
                    self.came.setdefault(mark, time.monotonic())

    def wait(self, mark: str) -> float:
        deadline = time.monotonic() + 60
        while mark not in self.came:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{mark} did not come within a minute")
            time.sleep(0.0005)
        return self.came[mark]


class Bench:
    """A master, n1 with a relay, n2 with the beacon alone."""

    def __init__(self, root: Path, stack: ExitStack) -> None:
        import salt.channel.client
        import salt.config
        import salt.minion

        self.root = root
        ports = [_free_port() for _ in range(2)]
        _write(
            root / "m" / "master",
            {
                "interface": "127.0.0.1", "publish_port": ports[0], "ret_port": ports[1],
                "root_dir": str(root / "m"), "auto_accept": True, "worker_threads": 3,
                "user": "root", "log_level_logfile": "quiet", "id": "m",
            },
        )  # fmt: skip
        self._start(stack, "salt-master", root / "m")
        self.bus = Bus(salt.config.master_config(str(root / "m" / "master")))
        self.watches = {}
        for name, engines in (("n1", [{"keepalived_relay": {}}]), ("n2", [])):
            folder = root / name
            _write(
                folder / "minion",
                {
                    "master": "127.0.0.1", "publish_port": ports[0], "master_port": ports[1],
                    "root_dir": str(folder), "id": name, "engines": engines, "user": "root",
                    "beacons": {"keepalived": [{"limit": 500}]},
                    "module_dirs": [str(REPO / "salt")], "enable_fqdns_grains": False,
                    "log_level_logfile": "quiet",
                },
            )  # fmt: skip
            for path in OWN:
                (folder / path[1:]).mkdir(parents=True)
            paths = dataclasses.replace(Paths.under(folder))
            settings.write("bench", name, paths)
            # else the beacon would stand in for the watch
            watch_lock.take(paths)
            self.watches[name] = Recorder(paths)
            stack.callback(self.watches[name].close)
            self._start(stack, "salt-minion", folder, bind=True)
        opts = salt.config.minion_config(str(root / "n1" / "minion"), cache_minion_id=False)
        opts["__role"] = "minion"
        opts.update(salt.minion.resolve_dns(opts))
        _until(lambda: (root / "n1/etc/salt/pki/minion/minion_master.pub").exists())
        _until(lambda: _leased(Paths.under(root / "n1")))
        self.channel = stack.enter_context(salt.channel.client.ReqChannel.factory(opts))
        self._marks = (f"mark-{number}" for number in itertools.count())

    def relay(self) -> float:
        return self._spooled("n1")

    def beacon(self) -> float:
        return self._spooled("n2")

    def bare(self) -> float:
        mark = next(self._marks)
        begin = time.monotonic()
        load = {
            "cmd": "_minion_event",
            "id": "n1",
            "events": [{"tag": "bench", "data": {"mark": mark}}],
        }
        self.channel.send(load, timeout=60, tries=1)
        return self.bus.wait(mark) - begin

    def script(self) -> float:
        mark = next(self._marks)
        begin = time.monotonic()
        subprocess.run(
            [_script("salt-call"), "-c", str(self.root / "n1"), "-l", "quiet", "event.send",
             "bench", json.dumps({"mark": mark})],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        return self.bus.wait(mark) - begin

    def _spooled(self, name: str) -> float:
        mark = next(self._marks)
        begin = time.monotonic()
        self.watches[name].add(
            [{"type": "instance", "instance": "VI", "from": "BACKUP", "to": "MASTER",
              "mark": mark, "at": Moment.now()}]
        )  # fmt: skip
        return self.bus.wait(mark) - begin

    def _start(self, stack: ExitStack, program: str, folder: Path, bind: bool = False) -> None:
        command = [_script(program), "-c", str(folder), "-l", "quiet"]
        if bind:
            binds = [f"mount --bind {folder}{path} {path}" for path in OWN]
            script = " && ".join([*binds, 'exec "$@"'])
            command = [
                "unshare",
                "-m",
                "--propagation",
                "private",
                "sh",
                "-c",
                script,
                "sh",
                *command,
            ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(process.wait, 30)
        stack.callback(process.terminate)


def main() -> None:
    """Print the table."""
    if os.geteuid():
        print("skipped: needs root")
        return
    with _rig() as bench:
        ways: dict[str, tuple[Callable[[], float], int]] = {
            "bare acknowledged send": (bench.bare, ROUNDS),
            "relay": (bench.relay, ROUNDS),
            "beacon": (bench.beacon, ROUNDS),
            "salt-call event.send": (bench.script, SCRIPT_ROUNDS),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for way, _ in ways.values():
            way()  # the first one signs in
        for turn in range(ROUNDS):
            for name, (way, rounds) in ways.items():
                if turn < rounds:
                    times[name].append(way())
        print(f"{'ms':24} {'n':>4} {'min':>8} {'p50':>8} {'p95':>8} {'max':>8}  of bare p50")
        bare = statistics.median(times["bare acknowledged send"])
        for name, found in times.items():
            p50, p95 = statistics.median(found), statistics.quantiles(found, n=20)[-1]
            shown = " ".join(f"{value * 1e3:8.1f}" for value in (min(found), p50, p95, max(found)))
            print(f"{name:24} {len(found):4} {shown}  {p50 / bare:8.1f}")


@contextmanager
def _rig() -> Iterator[Bench]:
    made = [path for path in OWN if not os.path.isdir(path)]
    root = Path(tempfile.mkdtemp(prefix="kalat-"))
    try:
        for path in made:
            os.mkdir(path)
        with ExitStack() as stack:
            yield Bench(root, stack)
    finally:
        for path in made:
            os.rmdir(path)
        shutil.rmtree(root, ignore_errors=True)


def _leased(paths: Paths) -> bool:
    with Spool.open(paths.spool) as spool:
        return spool.holder() is not None


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 90
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError("master and minions did not come up within 90 s")
        time.sleep(0.1)


def _write(path: Path, config: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config))


def _script(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


if __name__ == "__main__":
    main()
