"""Incidents in a real master: from rows of two minions to the bus, the store and the screen."""

from __future__ import annotations

import http.server
import json
import os
import signal
import threading
import time
from typing import ClassVar

import pytest

pytest.importorskip("saltfactories.manager")

from keepalived_core.cluster import hub_session
from tests.functional.test_hub import Site, site  # noqa: F401


def live_until(site: Site, what, seconds: float = 90) -> None:  # noqa: F811
    """Both nodes go on sending heartbeats."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, f"{what}: {site.log()[-4000:]}"
        for name, node in site.nodes.items():
            node.publish()
            site.deliver(name, node.heartbeat(time.time() - node.clock))
        time.sleep(1)


def told(site: Site) -> list[tuple[str, dict]]:  # noqa: F811
    return [
        (label, data) for label, data in list(site.heard) if label.startswith("keepalived/")
        and label.split("/")[2] == "failover"
    ]  # fmt: skip


def test_a_failover_is_told_once_although_the_hub_is_killed(site: Site) -> None:  # noqa: F811
    n1, n2 = site.nodes["n1"], site.nodes["n2"]
    site.deliver("n1", n1.write("BACKUP"))
    site.deliver("n2", n2.write("BACKUP"), n2.write("MASTER"))
    began = time.monotonic()
    live_until(site, lambda: time.monotonic() - began > 3)
    site.deliver("n2", n2.write("FAULT", reason="chk_haproxy failed"))
    time.sleep(0.6)
    site.deliver("n1", n1.write("MASTER"))
    live_until(site, lambda: told(site))

    ((label, data),) = told(site)
    code, screen = site.run("keepalived.incidents")
    (incident,) = screen["incidents"]

    own = hub_session.signing.node_key(site.secret, hub_session.HUB_ID)
    assert label == "keepalived/controllers/failover/opened"
    assert hub_session.is_genuine(data, (own,))
    assert (code, incident["id"]) == (1, data["id"])
    assert incident["cause"]["text"] == "n2 is FAULT: chk_haproxy failed"
    assert incident["seconds_without_owner"] == pytest.approx(0.6, abs=0.2)

    pid = site.hub()["pid"]
    os.kill(pid, signal.SIGKILL)
    site.deliver("n2", n2.write("BACKUP"))
    live_until(site, lambda: site.hub()["pid"] != pid)
    live_until(site, lambda: len(told(site)) > 1)

    assert [label.split("/")[3] for label, _ in told(site)] == ["opened", "resolved"]
    code, screen = site.run("keepalived.explain", incident["id"])
    assert code == 0
    assert screen["incident"]["state"] == "resolved"
    assert [(row["node"], row["to"]) for row in screen["rows"] if not row["context"]] == [
        ("n2", "FAULT"),
        ("n1", "MASTER"),
        ("n2", "BACKUP"),
    ]
    assert site.run("keepalived.incidents", "open_only=True")[0] == 0


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes every POST and keeps its JSON."""

    taken: ClassVar[list[dict]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def test_an_alert_waits_for_its_receiver_although_the_hub_is_killed(site: Site) -> None:  # noqa: F811
    row = site.nodes["n1"].write("FAULT", reason="chk_haproxy failed")
    label = "salt/beacon/n1/keepalived/VI_1/FAULT"

    _, done = site.run("keepalived.react", "alert", label, json.dumps(row))
    assert done["result"] == "failed"
    assert done["routes"]["late"].startswith("failed: ConnectionRefusedError")
    _, shown = site.run("keepalived.alerts")
    assert (shown["clock"], shown["routes"][0]["waiting"]) == (True, 1)
    os.kill(site.hub()["pid"], signal.SIGKILL)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", site.alerts_port), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    live_until(site, lambda: Receiver.taken)
    live_until(site, lambda: any(name.endswith("/alert/sent") for name, _ in site.heard))
    server.shutdown()
    server.server_close()

    (post,) = Receiver.taken
    assert post["incident"] == done["incident"]
    (sent,) = [data for name, data in site.heard if name.endswith("/alert/sent")]
    assert (sent["incident"], sent["routes"]) == (done["incident"], {"late": "sent"})
    _, shown = site.run("keepalived.alerts")
    assert (shown["routes"][0]["waiting"], shown["routes"][0]["failures"]) == (0, 0)
    assert shown["retcode"] == 0
    assert "T0KEN" not in site.log() + json.dumps(site.heard)
