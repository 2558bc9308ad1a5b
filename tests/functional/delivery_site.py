"""A master and its minions as they are in life, for keys and delivery; the watch is the test's.

The minion n1 has relay and beacon.  It runs in a mount namespace where /var/lib/salt-keepalived and
/run/salt-keepalived are directories of the test, so nothing here touches the machine.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import attr
import salt._logging
import salt.channel.client
import salt.config
import salt.minion
import salt.utils.event
from saltfactories.daemons.minion import SaltMinion
from saltfactories.manager import FactoriesManager

from keepalived_core.node import settings, watch_lock
from keepalived_core.node.event import Moment
from keepalived_core.node.paths import Paths
from keepalived_core.node.recorder import Recorder

REPO = pathlib.Path(__file__).resolve().parents[2]
OWN = ("/var/lib/salt-keepalived", "/run/salt-keepalived", "/usr/local/lib/salt-keepalived")
PILLAR = """
keepalived:
  cluster: controllers
  config: {vrrp_instance: {VI_1: {interface: eth0}}}
  nodes: {n1: {}, n2: {}}
"""
TOP = "base: {'n*': [node]}\n"


@attr.s(kw_only=True, slots=True)
class NodeMinion(SaltMinion):
    """A minion whose OWN directories are below ``root``."""

    root = attr.ib()

    def cmdline(self, *args: str, **kwargs: object) -> list[str]:
        binds = [f"mount --bind {self.root}{path} {path}" for path in OWN]
        script = " && ".join([*binds, 'exec "$@"'])
        command = super().cmdline(*args, **kwargs)
        return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *command]


class Bus:
    """What is on the master's bus, and when it came there (``time.monotonic``)."""

    def __init__(self, config: dict) -> None:
        self.heard: list[tuple[str, dict, float]] = []
        self.up = threading.Event()
        self._config = config
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def _listen(self) -> None:
        # connects the moment there is a bus: before the master takes anything from a minion
        while not self._stop.is_set():
            bus = salt.utils.event.get_master_event(
                self._config, self._config["sock_dir"], listen=False
            )
            with bus:
                if not bus.connect_pub(timeout=0.1):
                    continue
                self.up.set()
                while not self._stop.is_set():
                    found = bus.get_event(wait=0.2, tag="", full=True)
                    if found and ("/keepalived/" in found["tag"] or "bench" in found["tag"]):
                        self.heard.append((found["tag"], found["data"], time.monotonic()))


class Site:
    """The master, its minions, and what n1's watch would do."""

    def __init__(self, factories: FactoriesManager, root: pathlib.Path) -> None:
        self.root = root
        self._folder = root / "n1"
        self._made = []
        for path in OWN:
            (self._folder / path[1:]).mkdir(parents=True)
            if not os.path.isdir(path):
                os.mkdir(path)
                self._made.append(path)
        self.paths = dataclasses.replace(
            Paths.under(self._folder), lib_dir=self._folder / OWN[2][1:]
        )
        pillar = root / "pillar"
        pillar.mkdir()
        (pillar / "top.sls").write_text(TOP)
        (pillar / "node.sls").write_text(PILLAR)
        module_dirs = [str(REPO / "salt")]
        self.master = factories.salt_master_daemon(
            "m",
            overrides={
                "auto_accept": True,
                # hands the minions the master's whole configuration
                "pillar_opts": True,
                "module_dirs": module_dirs,
                "pillar_roots": {"base": [str(pillar)]},
                "file_roots": {"base": [str(REPO / "salt")]},
                "ext_pillar": [{"keepalived": {}}],
                "log_level_logfile": "debug",
                "worker_threads": 3,
            },
        )
        minion = {
            "module_dirs": module_dirs,
            "enable_fqdns_grains": False,
            "log_level_logfile": "debug",
        }
        self.n1 = self.master.salt_minion_daemon(
            "n1",
            factory_class=NodeMinion,
            root=self._folder,
            overrides={
                **minion,
                "engines": [{"keepalived_relay": {}}],
                "beacons": {"keepalived": [{"limit": 500}]},
            },
        )
        self.n2 = self.master.salt_minion_daemon("n2", overrides=minion)
        self.bus = Bus(self.master.config)
        self._buses = [self.bus]
        self._numbers = itertools.count(1)
        self.sent: dict[int, float] = {}
        settings.write("controllers", "n1", paths=self.paths)
        # else n1's beacon would stand in for the watch
        self._lock = watch_lock.take(self.paths)
        self.watch = Recorder(self.paths)

    def close(self) -> None:
        self.bus.close()
        self.watch.close()
        for path in self._made:
            os.rmdir(path)

    @property
    def secret(self) -> pathlib.Path:
        return pathlib.Path(self.master.config["pki_dir"]) / "keepalived-events.secret"

    def run(self, *arguments: str, config: str | None = None) -> subprocess.CompletedProcess[str]:
        """salt-run, as a person calls it."""
        script = self.master.salt_run_cli().get_script_path()
        folder = config or self.master.config_dir
        return subprocess.run(
            [self.master.python_executable, script, "-c", folder, "-l", "quiet", "--out=json",
             *arguments],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def ask(self, minion: str, *arguments: str):
        """What a minion answers to a job; waits until it is there (again)."""
        deadline = time.monotonic() + 90
        while self.master.salt_cli(timeout=5).run("test.ping", minion_tgt=minion).data is not True:
            assert time.monotonic() < deadline, f"{minion} does not answer"
        return self.master.salt_cli(timeout=30).run(*arguments, minion_tgt=minion).data

    def happen(self, to: str = "MASTER") -> int:
        """A transition on n1, as the watch takes it; returns its number."""
        number = next(self._numbers)
        self.sent[number] = time.monotonic()
        self.watch.add(
            [{"type": "instance", "instance": "VI_1", "from": "BACKUP", "to": to,
              "number": number, "at": Moment.now()}]
        )  # fmt: skip
        return number

    def arrivals(self) -> list[tuple[int, float]]:
        """(number, when) of n1's transitions in the order of the bus, repetitions too."""
        return [
            (data["number"], when)
            for bus in self._buses
            for tag, data, when in list(bus.heard)
            if tag.startswith("salt/beacon/n1/keepalived/VI_1/")
        ]

    def heartbeats(self) -> list[dict]:
        return [data for _, data, _ in self.bus.heard if data.get("to") == "heartbeat"]

    def wait_for(self, number: int, seconds: float = 30) -> float:
        """Wait until a transition is on the bus; returns when it came."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for found, when in self.arrivals():
                if found == number:
                    return when
            time.sleep(0.01)
        raise AssertionError(f"{number} did not arrive; the last were {self.arrivals()[-5:]}")

    def stop_master(self) -> None:
        self.master.terminate()
        self.bus.close()

    def start_master(self) -> float:
        """Start it; returns when it first acknowledged something (``time.monotonic``).

        That is asked by n2, which has no relay: how long a master takes to come up is its own
        business, and on a busy machine it is long.
        """
        self.bus = Bus(self.master.config)
        self._buses.append(self.bus)
        up: list[float] = []
        asker = threading.Thread(target=self._when_up, args=(up,), daemon=True)
        asker.start()
        self.master.start()
        asker.join(60)
        assert up, "the master is there and answers nobody"
        return up[0]

    def _when_up(self, up: list[float]) -> None:
        load = {"cmd": "_minion_event", "id": "n2", "events": [{"tag": "up", "data": {}}]}
        with self.channel(self.n2, acceptance_wait_time=0.1, auth_timeout=2) as channel:
            channel.send(load, timeout=2, tries=60)
        up.append(time.monotonic())

    def relay_pid(self) -> int | None:
        """The process of n1's relay, by the lease it holds."""
        from keepalived_core.node.spool import Spool

        with Spool.open(self.paths.spool) as spool:
            holder = spool.holder()
        return int(holder.owner.partition(":")[0]) if holder else None

    def kill_relay(self) -> None:
        pid = self.relay_pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)

    def logs(self) -> str:
        return "".join(
            pathlib.Path(daemon.config["log_file"]).read_text(errors="replace")
            for daemon in (self.master, self.n1, self.n2)
        )

    def channel(self, minion, **settings):
        """An acknowledged way to the master as any program of that minion could open it."""
        opts = {**minion.config, "__role": "minion", **settings}
        opts.update(salt.minion.resolve_dns(opts))
        return salt.channel.client.ReqChannel.factory(opts)


def run_site(config: dict, event_listener):
    """A generator for a fixture: the site, up and with a secret, and all of it gone afterwards."""
    # Salt keeps log lines for a console that this process never gives it, and complains at exit.
    salt._logging.shutdown_temp_handler()
    # Short, for the paths of unix sockets are limited to 108 characters.
    root = pathlib.Path(tempfile.mkdtemp(prefix="kadel-"))
    factories = FactoriesManager(
        **{**config, "root_dir": root, "event_listener": event_listener, "slow_stop": False}
    )
    site = Site(factories, root)
    try:
        made = site.run("keepalived.key_init")
        assert made.returncode == 0, made.stdout + made.stderr
        assert json.loads(made.stdout)["file"] == str(site.secret)
        with site.master.started(), site.n1.started(), site.n2.started():
            yield site
    finally:
        site.close()
        shutil.rmtree(root, ignore_errors=True)
