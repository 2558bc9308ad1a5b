"""A master with the reactor, a minion n1, a webhook and a chat; the minion's node is the test's."""

from __future__ import annotations

import http.server
import itertools
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from datetime import datetime, timezone

import pytest

salt_logging = pytest.importorskip("salt._logging")
salt_event = pytest.importorskip("salt.utils.event")
manager = pytest.importorskip("saltfactories.manager")

REPO = pathlib.Path(__file__).resolve().parents[2]
NODE = pathlib.Path(__file__).resolve().parent / "reactor_node"
SECRET = "T0KEN-4711"
CHECK = {"ok": False, "rc": 1, "seconds": 0.01, "reason": "exit status 1", "command": ["false"]}

PILLAR = f"""
keepalived:
  cluster: controllers
  config:
    vrrp_script:
      chk_haproxy: {{script: /usr/bin/killall -0 haproxy}}
    vrrp_instance:
      VI_PUBLIC: {{interface: eth1, track_script: [chk_haproxy]}}
  nodes: {{n1: {{}}, n2: {{}}}}
  remediation:
    chk_haproxy: {{restart_service: haproxy, cooldown: 3600}}
    chk_once: {{restart_service: once, cooldown: 3600}}
    chk_stuck: {{restart_service: stuck}}
  password: {SECRET}-PILLAR
"""


class Webhook(http.server.ThreadingHTTPServer):
    """Takes every POST and keeps its JSON."""

    def __init__(self) -> None:
        self.posts: list[dict] = []
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Bus:
    """The master's bus: fires events, and keeps what the project fires."""

    def __init__(self, config: dict) -> None:
        self.config = config
        self.heard: list[tuple[str, dict]] = []
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)

    def fire(self, tag: str, data: dict) -> None:
        bus = salt_event.get_master_event(self.config, self.config["sock_dir"], listen=False)
        with bus:
            assert bus.fire_event(data, tag)

    def wait(self, what: str, incident: str, seconds: float = 30) -> dict:
        """The data of the event with this end of its tag about this incident."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for tag, data in list(self.heard):
                if tag.endswith(what) and data.get("incident") == incident:
                    return data
            time.sleep(0.02)
        raise AssertionError(f"no {what} for {incident}; heard {[tag for tag, _ in self.heard]}")

    def tags(self, incident: str) -> list[str]:
        return [tag for tag, data in self.heard if data.get("incident") == incident]

    def _listen(self) -> None:
        bus = salt_event.get_master_event(self.config, self.config["sock_dir"], listen=True)
        with bus:
            self._ready.set()
            while not self._stop.is_set():
                found = bus.get_event(wait=0.2, tag="keepalived/", full=True)
                if found:
                    self.heard.append((found["tag"], found["data"]))


class Site:
    """One master, one minion n1, a webhook, and what the minion's node is like."""

    def __init__(self, master, webhook: Webhook, chat: Webhook, world: pathlib.Path) -> None:
        self.master = master
        self.webhook = webhook
        self.chat = chat
        self.bus = Bus(master.config)
        self._world = world
        self._numbers = itertools.count(1)

    def node_is(self, **changes: object) -> None:
        world = {
            "state": "FAULT",
            "checks": {},
            "mends": {},
            "restarts": [],
            "journal": [],
            **changes,
        }
        fresh = self._world.with_suffix(".fresh")
        fresh.write_text(json.dumps(world), encoding="utf-8")
        os.replace(fresh, self._world)

    def restarts(self) -> list[str]:
        return json.loads(self._world.read_text(encoding="utf-8"))["restarts"]

    def event(self, **changes: object) -> tuple[str, dict]:
        """A new FAULT of n1, as the beacon sends it."""
        data = {
            "schema": 1,
            "type": "instance",
            "id": "n1",
            "cluster": "controllers",
            "stream_id": "0123456789abcdef",
            "seq": next(self._numbers),
            "instance": "VI_PUBLIC",
            "from": "MASTER",
            "to": "FAULT",
            "reason": "chk_haproxy failed",
            "vips": ["192.168.1.220"],
            "vip_present": False,
            "source": "fifo",
            "time": datetime.now(timezone.utc).isoformat(timespec="microseconds"),
            "planned": False,
            **changes,
        }
        return f"salt/beacon/n1/keepalived/{data['instance']}/{data['to']}", data

    def posts(self, incident: str) -> list[dict]:
        return [post for post in self.webhook.posts if post["incident"] == incident]

    def log(self) -> str:
        return pathlib.Path(self.master.config["log_file"]).read_text(encoding="utf-8")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """salt-run, as a person calls it."""
        script = self.master.salt_run_cli().get_script_path()
        folder = self.master.config_dir
        return subprocess.run(
            [self.master.python_executable, script, "-c", folder, "-l", "quiet", *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def incident(event: tuple[str, dict]) -> str:
    data = event[1]
    return f"{data['id']}/{data['instance']}/{data['stream_id']}/{data['seq']}"


def run_site(_salt_factories_config, event_listener):
    # Salt keeps log lines for a console that this process never gives it, and complains at exit.
    salt_logging.shutdown_temp_handler()
    # Short, for the paths of unix sockets are limited to 108 characters.
    root = pathlib.Path(tempfile.mkdtemp(prefix="kareact-"))
    webhook, chat = Webhook(), Webhook()
    for server in (webhook, chat):
        threading.Thread(target=server.serve_forever, daemon=True).start()
    (root / "secrets.yml").write_text(
        f"chat: json://127.0.0.1:{chat.server_port}/{SECRET}\n", encoding="utf-8"
    )
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead_port = closed.getsockname()[1]
    world = root / "world.json"
    pillar = root / "pillar"
    pillar.mkdir()
    (pillar / "top.sls").write_text("base: {n1: [node]}\n", encoding="utf-8")
    (pillar / "node.sls").write_text(PILLAR, encoding="utf-8")
    reactor = REPO / "salt/keepalived/reactor"
    factories = manager.FactoriesManager(
        **{
            **_salt_factories_config,
            "root_dir": root,
            "event_listener": event_listener,
            "slow_stop": False,
            # A proxy of the machine would be asked for the webhook.
            "environ": {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        }
    )
    master = factories.salt_master_daemon(
        "m",
        overrides={
            "open_mode": True,
            "module_dirs": [str(REPO / "salt")],
            "pillar_roots": {"base": [str(pillar)]},
            "file_roots": {"base": [str(REPO / "salt")]},
            "log_level_logfile": "info",
            "worker_threads": 3,
            "reactor": [
                {"salt/beacon/*/keepalived/*": ["salt://keepalived/reactor/alert.sls"]},
                {"salt/beacon/*/keepalived/*/FAULT": [str(reactor / "remediate.sls")]},
            ],
            "keepalived": {
                "alerts": {
                    "webhook": {"url": f"http://127.0.0.1:{webhook.server_port}/hook?key={SECRET}"},
                    "mail": {
                        "to": ["ops@example.com"],
                        "from": "salt@example.com",
                        "host": "127.0.0.1",
                        "port": dead_port,
                    },
                    "log": True,
                    "routes": {
                        # through apprise, its URL from sdb
                        "chat": {
                            "apprise": "sdb://alerts/chat",
                            "severity": ["warning", "critical"],
                            "clusters": ["contr*"],
                            "template": {"subject": "{{ kind }} of {{ instance }}"},
                        },
                        "elsewhere": {"apprise": "sdb://alerts/chat", "clusters": ["edge"]},
                    },
                }
            },
            "alerts": {"driver": "yaml", "files": [str(root / "secrets.yml")]},
        },
    )
    minion = master.salt_minion_daemon(
        "n1",
        overrides={
            "module_dirs": [str(NODE)],
            "reactor_test_world": str(world),
            "enable_fqdns_grains": False,
            # Were the stand-in not found, nothing real shall take its place.
            "disable_modules": ["systemd_service", "debian_service"],
        },
    )
    with master.started(), minion.started():
        made = Site(master, webhook, chat, world)
        made.node_is()
        yield made
        made.bus.close()
    for server in (webhook, chat):
        server.shutdown()
        server.server_close()
    shutil.rmtree(root, ignore_errors=True)
