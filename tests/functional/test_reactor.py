"""The reactor end to end: a real master and a real minion, an event in, an effect out.

The minion's keepalived and its services are those of ``reactor_node``, so nothing here touches
the machine.
"""

from __future__ import annotations

import json
import pathlib
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from reactor_site import CHECK, SECRET, Bus, Site, incident, run_site


@pytest.fixture(scope="module")
def site(_salt_factories_config, event_listener):
    yield from run_site(_salt_factories_config, event_listener)


def haproxy_down(**more: object) -> dict:
    checks = {"chk_haproxy": {**CHECK, "instances": ["VI_PUBLIC"]}}
    return {"checks": checks, "mends": {"haproxy": ["chk_haproxy"]}, **more}


def test_a_fault_is_told_and_repaired(site: Site) -> None:
    site.node_is(**haproxy_down())
    event = site.event()
    site.bus.fire(*event)

    done = site.bus.wait("remediation/succeeded", incident(event))
    told = site.bus.wait("alert/sent", incident(event))

    assert site.restarts() == ["haproxy"]
    assert (done["minion"], done["check"], done["service"]) == ("n1", "chk_haproxy", "haproxy")
    assert done["peers"] == {"n2": "unknown"}
    repair = [tag for tag in site.bus.tags(incident(event)) if "/remediation/" in tag]
    assert repair == [
        "keepalived/controllers/remediation/started",
        "keepalived/controllers/remediation/succeeded",
    ]
    (post,) = site.posts(incident(event))
    assert post["event"]["to"] == "FAULT"
    assert post["cluster"] == "controllers"
    assert told["routes"]["webhook"] == "sent"
    assert told["routes"]["log"] == "sent"
    assert told["routes"]["mail"].startswith("failed: ConnectionRefusedError")
    assert told["routes"]["chat"] == "sent"
    assert "elsewhere" not in told["routes"]
    (message,) = [each for each in site.chat.posts if each["title"] == "FAULT of VI_PUBLIC"]
    assert message["message"] == post["text"]
    assert message["type"] == "warning"


def test_the_cool_down_outlives_the_master(site: Site) -> None:
    site.bus.close()
    site.master.terminate()
    site.master.start()
    site.bus = Bus(site.master.config)
    site.node_is(**haproxy_down())
    assert wait_for_answer(site)
    event = site.event()
    site.bus.fire(*event)

    skipped = site.bus.wait("remediation/skipped", incident(event))

    assert skipped["reason"].startswith("cool-down: haproxy was restarted")
    assert site.restarts() == []
    site.bus.wait("alert/sent", incident(event))


def wait_for_answer(site: Site) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        status = json.loads(site.run("keepalived.status", "--out=json").stdout)
        if status["clusters"] and status["clusters"][0]["answered"]:
            return True
    return False


def test_an_event_that_comes_many_times_at_once_counts_once(site: Site) -> None:
    checks = {"chk_once": {**CHECK, "instances": ["VI_PUBLIC"]}}
    site.node_is(checks=checks, mends={"once": ["chk_once"]})
    event = site.event()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: site.bus.fire(*event), range(8)))
    site.bus.wait("remediation/succeeded", incident(event))
    site.bus.wait("alert/sent", incident(event))
    site.bus.fire(*event)
    settle(site)

    assert site.restarts() == ["once"]
    assert len(site.posts(incident(event))) == 1
    assert sorted(site.bus.tags(incident(event))) == [
        "keepalived/controllers/alert/sent",
        "keepalived/controllers/remediation/started",
        "keepalived/controllers/remediation/succeeded",
    ]


def settle(site: Site) -> None:
    """Wait until the reactor is through with all it got: its last event is done, and with ten
    threads at work the ones before it are at least begun; then give those a moment."""
    event = site.event(to="STOP")
    site.bus.fire(*event)
    site.bus.wait("alert/sent", incident(event))
    time.sleep(1)


def test_a_service_that_cannot_be_restarted_is_reported(site: Site) -> None:
    site.node_is(checks={"chk_stuck": {**CHECK, "instances": ["VI_PUBLIC"]}})
    event = site.event()
    site.bus.fire(*event)

    failed = site.bus.wait("remediation/failed", incident(event))

    assert site.restarts() == ["stuck"]
    assert "Job for stuck.service failed" in failed["reason"]


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        (haproxy_down(state="BACKUP"), "VI_PUBLIC is BACKUP now"),
        (
            {"checks": {"chk_haproxy": {**CHECK, "ok": True, "rc": 0, "instances": ["VI_PUBLIC"]}}},
            "passes now: chk_haproxy",
        ),
        (
            {"checks": {"chk_other": {**CHECK, "instances": ["VI_PUBLIC"]}}},
            "pillar keepalived:remediation does not name it",
        ),
    ],
)
def test_what_the_node_does_not_confirm_is_left_alone(site: Site, node: dict, reason: str) -> None:
    site.node_is(**node)
    event = site.event()
    site.bus.fire(*event)

    assert site.bus.wait("remediation/skipped", incident(event))["reason"] == reason
    assert site.restarts() == []


FIRE_IT = "n1\nevil:\n  local.cmd.run:\n    - tgt: '*'\n    - args: [{cmd: touch /tmp/owned}]"
HOSTILE = {
    "an id that is YAML": ("salt/beacon/n1/keepalived/VI_PUBLIC/FAULT", {"id": FIRE_IT}),
    "a tag that is YAML": (f"salt/beacon/{FIRE_IT}/keepalived/VI_PUBLIC/FAULT", {"id": FIRE_IT}),
    "every minion": ("salt/beacon/*/keepalived/VI_PUBLIC/FAULT", {"id": "*"}),
    "a compound expression": (
        "salt/beacon/n1 or G@os:*/keepalived/VI_PUBLIC/FAULT",
        {"id": "n1 or G@os:*"},
    ),
    "Jinja": (
        "salt/beacon/{{ salt.cmd.run('id') }}/keepalived/VI_PUBLIC/FAULT",
        {"id": "{{ salt.cmd.run('id') }}"},
    ),
    "Jinja in the instance": (
        "salt/beacon/n1/keepalived/%7B%7B7*7%7D%7D/FAULT",
        {"instance": "{{7*7}}"},
    ),
    "another minion's tag": ("salt/beacon/n1/keepalived/VI_PUBLIC/FAULT", {"id": "n2"}),
    "a minion without a key": ("salt/beacon/n2/keepalived/VI_PUBLIC/FAULT", {"id": "n2"}),
    "an instance that is not in the pillar": (
        "salt/beacon/n1/keepalived/VI_OTHER/FAULT",
        {"instance": "VI_OTHER"},
    ),
    "characters that YAML does not take": (
        "salt/beacon/n1/keepalived/VI_PUBLIC/FAULT",
        {"stream_id": "\x7f\x85\u2028\ufffe\U0001f600"},
    ),
    "a key longer than YAML takes": ("salt/beacon/n1/keepalived/x/FAULT", {"k" * 5000: 1}),
    "a beacon that failed": ("salt/beacon/n1/keepalived/", None),
    "no data": ("salt/beacon/n1/keepalived/VI_PUBLIC/FAULT", None),
}


def test_a_crafted_event_does_nothing_but_leave_one_line_in_the_log(site: Site) -> None:
    # the alerts of the tests before are on their way yet
    settle(site)
    site.node_is(**haproxy_down())
    before, posts = len(site.log()), len(site.webhook.posts)
    heard = len(site.bus.heard)
    for tag, changes in HOSTILE.values():
        data = {} if changes is None else {**site.event()[1], **changes}
        site.bus.fire(tag, data)
    settle(site)

    log = site.log()[before:]
    warnings = [line for line in log.splitlines() if "for an event:" in line and "WARN" in line]
    assert len(warnings) == len(HOSTILE), "\n".join(warnings)
    assert all(line.isascii() and line.isprintable() for line in warnings)
    assert "Failed to render" not in log
    assert "Traceback" not in log
    assert site.restarts() == []
    # What settle() itself caused is all there is.
    assert len(site.webhook.posts) - posts == 1
    assert len(site.bus.heard) - heard == 1


def test_a_heartbeat_is_no_reason_to_do_or_to_log_anything(site: Site) -> None:
    site.node_is(**haproxy_down())
    before, heard = len(site.log()), len(site.bus.heard)
    _, data = site.event(type="node", instance="node", to="heartbeat")
    site.bus.fire("salt/beacon/n1/keepalived/node/heartbeat", data)
    settle(site)

    log = site.log()[before:]
    assert "for an event:" not in log
    assert "Failed to render" not in log
    assert "Traceback" not in log
    assert len(site.bus.heard) - heard == 1


def test_status_says_what_is_true_and_what_is_not_known(site: Site) -> None:
    site.node_is(state="FAULT")

    done = site.run("keepalived.status", "--out=json")

    data = json.loads(done.stdout)
    (cluster,) = data["clusters"]
    (instance,) = cluster["instances"]
    assert {row["node"]: row["claim"] for row in instance["nodes"]} == {
        "n1": "FAULT",
        "n2": "unknown",
    }
    assert instance["verdict"] == data["verdict"] == "unknown"
    assert done.returncode == data["retcode"] == 3


def test_status_is_a_table_for_people(site: Site) -> None:
    site.node_is(state="FAULT")

    done = site.run("keepalived.status")

    lines = done.stdout.splitlines()
    assert lines[0] == "controllers  1 of 2 nodes answered"
    assert lines[1].startswith("VI_PUBLIC  vrid 52  192.168.1.220/24  UNKNOWN: ")
    assert [line.split()[:2] for line in lines[2:5]] == [
        ["node", "claim"],
        ["n1", "FAULT"],
        ["n2", "unknown"],
    ]
    assert "\x1b" not in done.stdout


def test_timeline_reads_the_nodes_journals(site: Site) -> None:
    rows = [
        site.event(time=f"2026-11-22T03:04:0{second}.000000Z", vip_present=held, to=to)[1]
        for second, held, to in ((1, True, "MASTER"), (2, False, "FAULT"), (5, True, "MASTER"))
    ]
    site.node_is(journal=rows)

    data = json.loads(site.run("keepalived.timeline", "last=2", "--out=json").stdout)
    wrong = site.run("keepalived.timeline", "since=yesterday")

    assert [row["to"] for row in data["rows"]] == ["FAULT", "MASTER"]
    assert data["missing"] == {"n2": "no answer"}
    assert wrong.returncode == 1
    assert "since='yesterday' is no time: give a span back from now" in wrong.stdout


def test_the_trail_is_kept_and_nobody_else_may_read_it(site: Site) -> None:
    rows = json.loads(site.run("keepalived.reactions", "last=200", "--out=json").stdout)["rows"]

    whats = {(row["kind"], row["what"]) for row in rows}
    ledger = pathlib.Path(site.master.config["cachedir"]) / "keepalived" / "react.db"
    assert {("alert", "sent"), ("remediation", "succeeded")} <= whats
    assert ledger.stat().st_mode & 0o777 == 0o600
    assert ledger.parent.stat().st_mode & 0o777 == 0o700


def test_the_routes_are_shown_and_tested_without_their_secrets(site: Site) -> None:
    shown = site.run("keepalived.alerts", "--out=json")
    tested = site.run("keepalived.alert_test", "chat")

    routes = {each["route"]: each for each in json.loads(shown.stdout)["routes"]}
    assert (routes["chat"]["to"], routes["chat"]["failures"]) == ("json://…", 0)
    assert routes["mail"]["why"].startswith("ConnectionRefusedError: Connection refused from")
    assert shown.returncode == 1
    assert tested.returncode == 0, tested.stdout
    assert site.chat.posts[-1]["message"].startswith("This is a test of this route")
    every_word = shown.stdout + shown.stderr + tested.stdout + tested.stderr
    assert SECRET not in every_word + site.run("keepalived.status").stdout


def test_no_secret_is_in_the_log_on_the_bus_or_in_a_file_that_others_read(site: Site) -> None:
    assert SECRET not in site.log()
    cache = pathlib.Path(site.master.config["cachedir"]) / "keepalived"
    for file in cache.iterdir():
        assert SECRET.encode() not in file.read_bytes()
    assert SECRET not in json.dumps(site.bus.heard)
