"""The hub in a real master: events of two real minions in, one true timeline out.

Events are sent as the relay sends them, with a minion's own key.  A second minion forges in all
the ways that Salt leaves open.
"""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import pytest

salt_logging = pytest.importorskip("salt._logging")
salt_event = pytest.importorskip("salt.utils.event")
salt_channel = pytest.importorskip("salt.channel.client")
manager = pytest.importorskip("saltfactories.manager")

from keepalived_core.cluster import hub_session, secret  # noqa: E402
from keepalived_core.cluster.store_read import Reader  # noqa: E402
from tests.unit.cluster.hub_nodes import Node, tag  # noqa: E402

REPO = pathlib.Path(__file__).resolve().parents[2]
NODE = pathlib.Path(__file__).resolve().parent / "hub_node"
VICTIMS = [f"victim-{way}" for way in "ABCDEFGHI"]
PILLAR = f"""
keepalived:
  cluster: controllers
  config:
    vrrp_instance:
      VI_1: {{interface: eth1}}
  nodes: {json.dumps({name: {} for name in ["n1", "n2", *VICTIMS]})}
"""


class Site:
    """A master with the hub, two minions, what is on the bus, and the file."""

    def __init__(self, master, minions, nodes: dict[str, LiveNode], key: bytes) -> None:
        self.master = master
        self.secret = key
        self.nodes = nodes
        (route,) = master.config["keepalived"]["alerts"]["routes"].values()
        #: Where the master's alerts go; nobody listens there.
        self.alerts_port = int(route["webhook"].rpartition(":")[2].partition("/")[0])
        self._channels = {
            name: salt_channel.ReqChannel.factory(
                {
                    **minion.config,
                    "master_uri": f"tcp://127.0.0.1:{master.config['ret_port']}",
                    "__role": "minion",
                }
            )
            for name, minion in minions.items()
        }
        self.heard: list[tuple[str, dict]] = []
        self._stop = threading.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def close(self) -> None:
        self._stop.set()
        self._thread.join(10)
        for channel in self._channels.values():
            channel.close()

    def load(self, sender: str, load: dict) -> None:
        """Send to the master with a minion's key, whatever it is."""
        load = {"id": sender, "cmd": "_minion_event", **load}
        self._channels[sender].send(load, tries=1, timeout=30)

    def deliver(self, sender: str, *rows: dict) -> None:
        """As the relay does."""
        self.load(sender, {"events": [{"tag": tag(row), "data": row} for row in rows]})

    def until(self, what, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < deadline, f"{what}: {self.log()[-4000:]}"
            time.sleep(0.1)

    def reader(self) -> Reader:
        return Reader.open(pathlib.Path(self.master.config["cachedir"]) / "keepalived/timeline.db")

    def stored(self, minion: str) -> list[int]:
        reader = self.reader()
        if reader is None:
            return []
        with reader:
            return [row["seq"] for row in reader.rows(minion, last=10_000)]

    def hub(self) -> dict:
        reader = self.reader()
        if reader is None:
            return {}
        with reader:
            return reader.hub()

    def rejected(self) -> dict[str, tuple[str | None, str, int]]:
        with self.reader() as reader:
            return {
                each.minion: (each.culprit, each.reason, each.count) for each in reader.rejected()
            }

    def log(self) -> str:
        return pathlib.Path(self.master.config["log_file"]).read_text(encoding="utf-8")

    def lines(self, *words: str) -> list[str]:
        return [line for line in self.log().splitlines() if all(word in line for word in words)]

    def run(self, *arguments: str) -> tuple[int, dict]:
        script = self.master.salt_run_cli().get_script_path()
        command = [self.master.python_executable, script, "-c", self.master.config_dir]
        done = subprocess.run(
            [*command, "-l", "quiet", *arguments, "--out=json"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, json.loads(done.stdout)

    def _listen(self) -> None:
        config = self.master.config
        with salt_event.get_master_event(config, config["sock_dir"], listen=True) as bus:
            self._ready.set()
            while not self._stop.is_set():
                found = bus.get_event(wait=0.2, full=True)
                if found:
                    self.heard.append((found["tag"], found["data"]))


class LiveNode(Node):
    """A node whose spool the minion's stand-in can read."""

    def __init__(self, minion: str, key: bytes, root: pathlib.Path) -> None:
        super().__init__(minion, key)
        self.clock = time.time()
        self.slow = 0.0
        self.file = root / f"{minion}.json"
        self.publish()

    def write(self, to: str, **more) -> dict:
        row = self.row(to, time.time() - self.clock, **more)
        self.publish()
        return row

    def publish(self) -> None:
        spool = {
            "stream_id": self.stream_id,
            "rows": self.spool,
            "heartbeat": self.heartbeat(time.time() - self.clock),
            "slow": self.slow,
        }
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(json.dumps(spool), encoding="utf-8")
        os.replace(fresh, self.file)


@pytest.fixture(scope="module")
def site(_salt_factories_config, event_listener):
    salt_logging.shutdown_temp_handler()
    root = pathlib.Path(tempfile.mkdtemp(prefix="kahub-"))
    pillar = root / "pillar"
    pillar.mkdir()
    (pillar / "top.sls").write_text("base: {'*': [node]}\n", encoding="utf-8")
    (pillar / "node.sls").write_text(PILLAR, encoding="utf-8")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
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
            "log_level_logfile": "info",
            "worker_threads": 3,
            "engines": [{"keepalived_hub": {}}],
            "keepalived": {
                "secret_file": str(root / "events.secret"),
                "alerts": {"routes": {"late": {"webhook": f"http://127.0.0.1:{port}/T0KEN-4711"}}},
            },
        },
    )
    minions = {
        name: master.salt_minion_daemon(
            name,
            overrides={
                "module_dirs": [str(NODE)],
                "hub_test_spool": str(root / f"{name}.json"),
                "enable_fqdns_grains": False,
            },
        )
        for name in ("n1", "n2")
    }
    key = secret.create(root / "events.secret").value
    nodes = {name: LiveNode(name, key, root) for name in minions}
    with master.started(), minions["n1"].started(), minions["n2"].started():
        keys = pathlib.Path(master.config["pki_dir"]) / "minions"
        for name in VICTIMS:
            shutil.copy(keys / "n1", keys / name)
        made = Site(master, minions, nodes, key)
        made.until(lambda: made.hub().get("members") == 2 + len(VICTIMS))
        yield made
        made.close()
    shutil.rmtree(root, ignore_errors=True)


def test_what_a_node_sends_is_in_the_timeline(site: Site) -> None:
    n1, n2 = site.nodes["n1"], site.nodes["n2"]
    site.deliver("n1", n1.write("BACKUP"), n1.write("MASTER"))
    site.deliver("n2", n2.write("BACKUP"))
    site.until(lambda: (site.stored("n1"), site.stored("n2")) == ([1, 2], [1]))

    code, data = site.run("keepalived.timeline")

    assert code == 0
    assert (data["kind"], data["schema"], data["source"]) == ("timeline", 1, "hub")
    assert [(row["node"], row["to"]) for row in data["rows"]] == [
        ("n1", "BACKUP"),
        ("n1", "MASTER"),
        ("n2", "BACKUP"),
    ]
    assert all(row["signed"] and not row["late"] for row in data["rows"])
    settled = "keepalived/controllers/event/settled"

    def told() -> list[dict]:
        return [data for label, data in list(site.heard) if label == settled]

    site.until(lambda: sum(len(data["events"]) for data in told()) == 3)
    assert sorted(
        (each["id"], str(each["from"]), each["to"]) for data in told() for each in data["events"]
    ) == [("n1", "BACKUP", "MASTER"), ("n1", "None", "BACKUP"), ("n2", "None", "BACKUP")]
    own = hub_session.signing.node_key(site.secret, hub_session.HUB_ID)
    assert all(hub_session.is_genuine(data, (own,)) for data in told())


def test_what_is_lost_on_the_way_is_fetched_by_a_job(site: Site) -> None:
    n1 = site.nodes["n1"]
    start = len(n1.spool)
    for state in ("FAULT", "BACKUP", "MASTER", "FAULT"):
        n1.write(state)
    # the two in the middle are lost, and the last one: only a heartbeat tells
    site.deliver("n1", n1.spool[start], n1.heartbeat(time.time() - n1.clock))
    site.until(lambda: site.stored("n1") == list(range(1, start + 5)))


def test_a_hub_that_is_killed_catches_up(site: Site) -> None:
    n1, n2 = site.nodes["n1"], site.nodes["n2"]
    site.deliver("n1", n1.write("BACKUP"))
    pid = site.hub()["pid"]
    os.kill(pid, signal.SIGKILL)
    for number in range(30):
        row = n1.write("MASTER" if number % 2 else "FAULT")
        site.deliver("n1", row)
        n2.write("MASTER" if number % 2 else "FAULT")  # and of n2 nothing arrives at all
    site.until(lambda: site.hub()["pid"] != pid)
    site.until(lambda: site.stored("n1") == list(range(1, len(n1.spool) + 1)))
    site.until(lambda: site.stored("n2") == list(range(1, len(n2.spool) + 1)))

    code, status = site.run("keepalived.hub_status")

    assert (code, status["running"]) == (0, True)
    lag = {each["node"]: each["lag"] for each in status["nodes"]}
    assert (lag["n1"], lag["n2"]) == (0, 0)


def forged(victim: str, by: bytes | None) -> dict:
    return Node(victim, by).row("MASTER", 0)


def ways(site: Site) -> dict[str, dict]:
    """What n1 sends in the names of others: facts of Salt 3008, none of them prevented by it."""
    plain = {victim[-1]: forged(victim, None) for victim in VICTIMS}
    # n1 has a key, only not this node's
    own = {victim[-1]: forged(victim, b"n1's own") for victim in VICTIMS}
    derived = {"cluster": "controllers", "id": "n2", "instance": "VI_1", "to": "MASTER"}

    def one(data: dict, label: str | None = None) -> dict:
        return {"tag": label or tag(data), "data": data}

    settled = "keepalived/controllers/event/settled"
    return {
        "A: a list": {"events": [one(plain["A"])]},
        "B: alone, which shows the sender": one(plain["B"]),
        "C: with another id in the load": {"id": "victim-C", **one(own["C"])},
        "D: as if the master had wrapped it": {
            "events": [
                one({"id": "victim-D", "cmd": "_minion_event", "data": own["D"]}, tag(own["D"]))
            ]
        },
        "E: a runner's return, alone": one(plain["E"], "salt/run/20260101000000000000/ret"),
        "F: the same in a list": {"events": [one(plain["F"], "salt/run/20260101000000000000/ret")]},
        "H: the start of a minion": {
            "events": [one({"id": "victim-H"}, "salt/minion/victim-H/start")]
        },
        "I: a tag put together by the master": {
            "pretag": "salt/beacon/victim-I/keepalived",
            "events": [one(plain["I"], "VI_1/MASTER")],
        },
        "what the hub itself fires, in a list": {"events": [one(derived, settled)]},
        "what the hub itself fires, alone": one(derived, settled),
    }


def test_nothing_forged_is_believed_and_each_is_told_once(site: Site) -> None:
    before = {minion: site.stored(minion) for minion in ("n1", "n2")}
    for _ in range(3):
        for way, load in ways(site).items():
            try:
                site.load("n1", load)
            except Exception as error:  # the master may refuse C altogether
                assert way.startswith("C"), (way, error)
    site.until(lambda: len(site.lines("in the name of victim-I is not believed")) == 1)

    assert {victim: site.stored(victim) for victim in VICTIMS} == {victim: [] for victim in VICTIMS}
    assert {minion: site.stored(minion) for minion in ("n1", "n2")} == before
    expected = {
        "victim-A": (None, "not believed: it is unsigned", 3),
        "victim-B": ("n1", "sent by one minion in the name of another", 3),
        "victim-D": (None, "not believed: its signature is not its node's", 3),
        "victim-I": (None, "not believed: it is unsigned", 3),
    }

    def counted() -> dict:
        found = site.rejected()
        return {victim: found.get(victim) for victim in expected}

    # The hub writes its counters down from time to time.
    site.until(lambda: counted() == expected)
    found = site.rejected()
    assert {victim: found.get(victim) for victim in expected} == expected
    # Salt puts the id right, or refuses the load
    assert found.get("victim-C", ("n1",))[0] == "n1"
    # E, F and H are not of the kind that anything of ours believes
    assert not {"victim-E", "victim-F", "victim-H"} & set(found)
    for victim in expected:
        assert len(site.lines(f"in the name of {victim} is not believed")) == 1
    assert len(site.lines("in the name of this hub, which did not fire it", "sent as n1")) == 1
    assert len(site.lines("in the name of this hub, which did not fire it")) == 2
    _, data = site.run("keepalived.timeline", "last=10000")
    assert not [row for row in data["rows"] if row["node"] in VICTIMS]


def test_a_forged_return_of_the_hubs_own_job_is_not_believed(site: Site) -> None:
    """G: every minion sees the jobs, and may answer in another's name before it does."""
    n2 = site.nodes["n2"]
    n2.slow = 3.0
    start = len(n2.spool)
    true = [n2.write("MASTER"), n2.write("FAULT")]
    fake = {**true[0], "to": "BACKUP", "signature": Node("n1", b"x").row("MASTER", 0)["signature"]}
    site.deliver("n2", true[1])

    def job() -> str | None:
        for label, data in list(site.heard):
            ours = label.endswith("/new") and data.get("fun") == "keepalived.journal_rows"
            if ours and data["minions"] == ["n2"] and n2.stream_id in str(data["arg"]):
                return data["jid"]
        return None

    site.heard.clear()
    site.until(job)
    jid = job()
    answer = {
        "id": "n2", "jid": jid, "fun": "keepalived.journal_rows", "fun_args": [], "retcode": 0,
        "success": True, "return": [fake], "cmd": "_return",
    }  # fmt: skip
    site.load("n1", {"events": [{"tag": f"salt/job/{jid}/ret/n2", "data": answer}]})
    site.until(lambda: "n2" in site.rejected())
    n2.slow = 0.0
    n2.publish()
    site.until(lambda: site.stored("n2") == list(range(1, start + 3)))
    with site.reader() as reader:
        assert reader.row("n2", (n2.stream_id, start + 1))["to"] == "MASTER"
    assert site.rejected()["n2"][1] == "not believed: its signature is not its node's"
    assert len(site.lines("in the name of n2 is not believed")) == 1


def test_a_true_event_sent_again_by_another_counts_once(site: Site) -> None:
    n2 = site.nodes["n2"]
    row = n2.write("BACKUP")
    site.deliver("n2", row)
    site.until(lambda: len(n2.spool) in site.stored("n2"))
    before = site.stored("n2")
    site.deliver("n1", row, row)
    site.load("n1", {"tag": tag(row), "data": row})
    site.until(lambda: site.lines("sent by one minion in the name of another", "of n2", "as n1"))
    assert site.stored("n2") == before
    with site.reader() as reader:
        assert reader.counters()["repeated"] >= 2


def test_without_a_hub_the_nodes_are_asked_and_that_is_said(site: Site) -> None:
    _, data = site.run("keepalived.timeline", "source=nodes", "last=3")
    assert data["source"] == "nodes"
    assert len(data["rows"]) == 3
