"""Incidents end to end: a real master and three real minions, the hub's event in, an effect out.

The minions' keepalived is that of ``policy_node``, and the hub's file is written by the test, so
nothing here touches the machine.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import pathlib
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from reactor_site import Bus, Webhook

from keepalived_core import signing
from keepalived_core.cluster import clock
from keepalived_core.cluster import secret as secrets
from keepalived_core.cluster.hub_session import HUB_ID
from keepalived_core.cluster.rows import Batch
from keepalived_core.cluster.store import Store

salt_logging = pytest.importorskip("salt._logging")
manager = pytest.importorskip("saltfactories.manager")

REPO = pathlib.Path(__file__).resolve().parents[2]
NODE = pathlib.Path(__file__).resolve().parent / "policy_node"
NODES = {"n1": 101, "n2": 102, "n3": 103}
CLUSTER = "controllers"

PILLAR = """
keepalived:
  cluster: controllers
  config:
    vrrp_instance: {VI_PUBLIC: {interface: eth1}}
  nodes: {n1: {}, n2: {}, n3: {}}
  policy:
    budget: 100
    cooldown: 1
    incidents:
      split_brain: {action: drain}
"""


@dataclasses.dataclass
class Site:
    """One master with its secret and a hub's file, three minions, and a webhook."""

    master: Any
    root: pathlib.Path
    webhook: Webhook
    bus: Bus
    numbers: Any = dataclasses.field(default_factory=lambda: itertools.count(1))

    def nodes_are(self, **changed: Any) -> None:
        """n3 is MASTER and the others stand by, but for what is said of a node."""
        for name, priority in NODES.items():
            node = {
                "state": "MASTER" if name == "n3" else "BACKUP",
                "priority": priority,
                "drained": False,
                "reason": None,
                "planned": 0,
                "slow": 0,
                "effects": [],
                **changed.get(name, {}),
            }
            (self.root / "world" / f"{name}.json").write_text(json.dumps(node), "utf-8")

    def effects(self) -> list[str]:
        found = []
        for name in NODES:
            node = json.loads((self.root / "world" / f"{name}.json").read_text("utf-8"))
            found += [f"{effect} of {name}" for effect in node["effects"]]
        return found

    def incident(self, kind: str = "split_brain", **changes: Any) -> dict[str, Any]:
        """One that the hub has just opened: it stands in the file."""
        now = time.time()
        found = {
            "schema": 1,
            "id": f"i{next(self.numbers):010d}",
            "cluster": CLUSTER,
            "instance": "VI_PUBLIC",
            "instances": ["VI_PUBLIC"],
            "kind": kind,
            "was": [],
            "state": "open",
            "opened": clock.render(now),
            "resolved": None,
            "as_of": clock.render(now),
            "seconds": 0.0,
            "seconds_without_owner": 0.0,
            "seconds_several_owners": 0.0,
            "exact": True,
            "owners": {"VI_PUBLIC": ["n2", "n3"]},
            "not_ready": {},
            "nodes": ["n2", "n3"],
            "cause": {"class": "no_adverts", "text": "adverts are lost"},
            "planned": False,
            "actions": [],
            "opening_row": {"node": "n2", "stream_id": "s", "seq": 1},
            **changes,
        }
        self.keep(found)
        return found

    def keep(self, *incidents: dict[str, Any]) -> None:
        path = pathlib.Path(self.master.config["cachedir"]) / "keepalived" / "timeline.db"
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        store = Store.create(path)
        batch = Batch(incidents=[{**each, "rows": [], "rows_left_out": 0} for each in incidents])
        # it is seen to be alive for as long as the tests take
        store.save([batch], {"alive": time.time() + 3600}, lambda _: 1.0, lambda _: [])
        store.close()

    def signed(self, incident: dict[str, Any], name: str = HUB_ID) -> dict[str, Any]:
        known = secrets.read(secrets.location(self.master.config))
        return {
            **incident,
            "signature": signing.sign(incident, signing.node_key(known[0].value, name)),
        }

    def open(self, incident: dict[str, Any], signature: str = HUB_ID) -> None:
        tag = f"keepalived/{CLUSTER}/{incident['kind']}/opened"
        self.bus.fire(tag, self.signed(incident, signature))

    def texts(self, incident: dict[str, Any]) -> list[str]:
        return [post["text"] for post in self.webhook.posts if post["incident"] == incident["id"]]

    def run(self, *arguments: str) -> dict[str, Any]:
        done = self.master.salt_run_cli().run(*arguments, "--out=json")
        return json.loads(done.stdout)


SPLIT = {"n2": {"state": "MASTER"}}


@pytest.fixture(scope="module")
def site(_salt_factories_config, event_listener):
    salt_logging.shutdown_temp_handler()
    root = pathlib.Path(tempfile.mkdtemp(prefix="kapol-"))
    webhook = Webhook()
    threading.Thread(target=webhook.serve_forever, daemon=True).start()
    for name in ("pillar", "world"):
        (root / name).mkdir()
    (root / "pillar/top.sls").write_text("base: {'n*': [node]}\n", encoding="utf-8")
    (root / "pillar/node.sls").write_text(PILLAR, encoding="utf-8")
    factories = manager.FactoriesManager(
        **{
            **_salt_factories_config,
            "root_dir": root,
            "event_listener": event_listener,
            "slow_stop": False,
            "environ": {**os.environ, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"},
        }
    )
    alert = "salt://keepalived/reactor/alert.sls"
    remediate = "salt://keepalived/reactor/remediate.sls"
    master = factories.salt_master_daemon(
        "m",
        overrides={
            "open_mode": True,
            "module_dirs": [str(REPO / "salt")],
            "pillar_roots": {"base": [str(root / "pillar")]},
            "file_roots": {"base": [str(REPO / "salt")]},
            "log_level_logfile": "info",
            "worker_threads": 3,
            "reactor": [
                {"keepalived/*/*/opened": [alert, remediate]},
                {"keepalived/*/*/resolved": [alert]},
            ],
            "keepalived": {
                "alerts": {"webhook": {"url": f"http://127.0.0.1:{webhook.server_port}/hook"}}
            },
        },
    )
    minions = [
        master.salt_minion_daemon(
            name,
            overrides={
                "module_dirs": [str(NODE)],
                "policy_test_world": str(root / "world"),
                "enable_fqdns_grains": False,
                "disable_modules": ["systemd_service", "debian_service"],
            },
        )
        for name in NODES
    ]
    secrets.create(secrets.location(master.config))
    with master.started(), minions[0].started(), minions[1].started(), minions[2].started():
        made = Site(master, root, webhook, Bus(master.config))
        made.nodes_are()
        made.keep()
        yield made
        made.bus.close()
    webhook.shutdown()
    webhook.server_close()
    shutil.rmtree(root, ignore_errors=True)


def test_a_split_brain_is_told_and_the_lower_owner_is_drained(site: Site) -> None:
    site.nodes_are(**SPLIT)
    incident = site.incident()
    site.open(incident)

    done = site.bus.wait("remediation/succeeded", incident["id"])
    site.bus.wait("alert/sent", incident["id"])

    assert site.effects() == ["drain fault of n2"]
    assert (done["minion"], done["action"]) == ("n2", "drain")
    (text,) = site.texts(incident)
    assert text.startswith(f"VI_PUBLIC ({CLUSTER}): SPLIT BRAIN since {incident['opened']}")
    actions = site.run("keepalived.explain", incident["id"])["incident"]["actions"]
    assert [(each["kind"], each["what"]) for each in actions if each["kind"] == "remediation"] == [
        ("remediation", "started"),
        ("remediation", "succeeded"),
    ]
    # the mark is taken off again
    assert not [
        name
        for name in NODES
        if json.loads((site.root / "world" / f"{name}.json").read_text("utf-8"))["planned"]
    ]


def test_i10_an_incident_that_comes_many_times_at_once_has_one_effect(site: Site) -> None:
    site.nodes_are(**SPLIT)
    incident = site.incident()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: site.open(incident), range(8)))
    site.bus.wait("remediation/succeeded", incident["id"])
    site.bus.wait("alert/sent", incident["id"])
    site.nodes_are(**SPLIT)
    site.open(incident)
    settle(site)

    assert site.effects() == []
    assert len(site.texts(incident)) == 1
    assert sorted(site.bus.tags(incident["id"])) == [
        f"keepalived/{CLUSTER}/alert/sent",
        f"keepalived/{CLUSTER}/remediation/started",
        f"keepalived/{CLUSTER}/remediation/succeeded",
    ]


def settle(site: Site) -> None:
    """Wait until the reactor is through with all it got."""
    incident = site.incident("no_master")
    site.open(incident)
    site.bus.wait("alert/sent", incident["id"])
    site.bus.wait("remediation/skipped", incident["id"])
    time.sleep(1)


def test_what_the_hub_did_not_sign_or_does_not_know_has_no_effect(site: Site) -> None:
    site.nodes_are(**SPLIT)
    heard = len(site.bus.heard)
    by_node = site.incident()
    site.open(by_node, signature="n1")
    bare = site.incident()
    site.bus.fire(f"keepalived/{CLUSTER}/split_brain/opened", bare)
    other_tag = site.incident("flapping")
    site.bus.fire(f"keepalived/{CLUSTER}/split_brain/opened", site.signed(other_tag))
    settle(site)

    assert site.effects() == []
    ids = {by_node["id"], bare["id"], other_tag["id"]}
    said = [
        tag
        for tag, data in site.bus.heard[heard:]
        if data.get("incident") in ids and not tag.endswith("/opened")
    ]
    assert said == []


def test_an_old_event_that_is_played_again_has_no_effect(site: Site) -> None:
    site.nodes_are(**SPLIT)
    incident = site.incident(state="resolved", resolved=clock.render(time.time()))
    site.open({**incident, "state": "open", "resolved": None})

    skipped = site.bus.wait("remediation/skipped", incident["id"])

    assert skipped["reason"] == "it is resolved by now"
    assert site.effects() == []


def test_a_node_that_lies_gets_nobody_drained(site: Site) -> None:
    """n2 says that it is MASTER, with the best priority; n1 does not stand ready."""
    site.nodes_are(n1={"state": "FAULT"}, n2={"state": "MASTER", "priority": 250})
    incident = site.incident()
    site.open(incident)

    skipped = site.bus.wait("remediation/skipped", incident["id"])
    deadline = time.monotonic() + 10
    while len(site.texts(incident)) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)

    assert skipped["reason"] == "n3 has VI_PUBLIC, and besides it 2 nodes must be well: n2"
    assert site.effects() == []
    assert any("needs you: nothing was done" in text for text in site.texts(incident))


def test_i10_a_master_that_is_killed_in_mid_action_does_not_repeat_it(site: Site) -> None:
    site.nodes_are(n2={"state": "MASTER", "slow": 5})
    incident = site.incident()
    site.open(incident)
    site.bus.wait("remediation/started", incident["id"])
    deadline = time.monotonic() + 20
    while not site.effects() and time.monotonic() < deadline:
        time.sleep(0.05)
    site.bus.close()
    site.master.terminate()
    assert site.effects() == ["drain fault of n2"]
    site.master.start()
    site.bus = Bus(site.master.config)
    site.nodes_are(**SPLIT)
    wait_for_all(site)
    site.open(incident)
    later = site.incident()
    site.open(later)

    skipped = site.bus.wait("remediation/skipped", later["id"])

    # nor is anything else done while nobody knows what came of it
    assert skipped["reason"] == "drain on n2 is under way"
    assert site.effects() == []
    assert not [tag for tag in site.bus.tags(incident["id"]) if "/remediation/" in tag]


def wait_for_all(site: Site) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        status = site.run("keepalived.status")
        if status["clusters"] and status["clusters"][0]["answered"] == len(NODES):
            return
    raise AssertionError("the minions do not come back")


def test_i12_a_maintenance_silences_and_what_is_wrong_after_it_is_told(site: Site) -> None:
    begun = site.run("keepalived.silence", CLUSTER, "for=1h", "reason=new switch")
    assert [each["cluster"] for each in begun["silences"]] == [CLUSTER]
    site.nodes_are(**SPLIT)
    incident = site.incident()
    site.open(incident)

    skipped = site.bus.wait("remediation/skipped", incident["id"])
    trail = wait_for_trail(site, incident["id"], "alert")
    assert skipped["reason"].startswith("silenced until")
    assert trail["what"] == "skipped"
    assert trail["reason"].startswith("silenced until")
    assert site.texts(incident) == []
    assert site.effects() == []

    ended = site.run("keepalived.unsilence", CLUSTER)

    assert ended["silences"] == []
    (post,) = [each for each in site.webhook.posts if each["incident"].startswith("silence/")]
    assert "VI_PUBLIC is SPLIT BRAIN: n2 and n3 all claim MASTER" in post["text"]
    assert f"incident {incident['id']} (split brain of VI_PUBLIC) is open" in post["text"]
    assert "1 alert kept back meanwhile" in post["text"]
    assert post["text"] in ended["message"]


def wait_for_trail(site: Site, name: str, kind: str) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        rows = site.run("keepalived.reactions", "last=50")["rows"]
        for row in rows:
            if row.get("incident") == name and row["kind"] == kind:
                return row
    raise AssertionError(f"no {kind} of {name} in the trail")


WRONG = {
    "no reason": (["controllers", "for=2h"], "a reason is missing"),
    "too long": (["controllers", "for=8d", "reason=x"], "give 1m to 7d"),
    "no length": (["controllers", "reason=x"], "for=None is no length"),
    "another cluster": (["controlers", "for=2h", "reason=x"], "There is no cluster controlers"),
    "another word": (["controllers", "until=2h", "reason=x"], "silence takes no until"),
}


@pytest.mark.parametrize(("arguments", "text"), WRONG.values(), ids=WRONG)
def test_a_silence_that_is_mistyped_says_what_would_be_right(
    site: Site, arguments: list[str], text: str
) -> None:
    done = site.master.salt_run_cli().run("keepalived.silence", *arguments, "--out=json")

    assert done.returncode == 1
    assert text in json.loads(done.stdout)["message"]
    assert site.run("keepalived.silences")["silences"] == []


def test_a_silence_with_test_changes_nothing(site: Site) -> None:
    said = site.run("keepalived.silence", CLUSTER, "for=2h", "reason=x", "test=True")

    assert said["message"] == "Nothing was changed: test=True."
    assert site.run("keepalived.silences")["silences"] == []
