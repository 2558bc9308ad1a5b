"""Delivery with a real master and a real minion: outages, restarts and deaths lose no event."""

from __future__ import annotations

import os
import statistics
import time

import pytest

from keepalived_core.node import event_key
from keepalived_core.node.journal import journal

pytestmark = pytest.mark.root
# Bounds are for a machine that is busy with other things; what was seen is printed.
DRAINED = 15
#: Seconds that the master is away, and between two transitions meanwhile.
AWAY, PAUSE = (300, 1.0) if os.environ.get("SALT_KEEPALIVED_LONG") else (20, 0.2)
SAMPLES = 30


def check_complete(site, first: int, last: int) -> int:
    """Every event from first to last is on the bus, in order; returns how many came twice."""
    numbers = [number for number, _ in site.arrivals() if first <= number <= last]
    assert sorted(set(numbers)) == list(range(first, last + 1))
    seen = []
    for number in numbers:
        if number not in seen:
            seen.append(number)
    assert seen == sorted(seen), "out of order"
    return len(numbers) - len(seen)


def test_the_relay_is_nearly_as_quick_as_a_bare_acknowledged_send(delivery, capsys):
    site = delivery
    site.wait_for(site.happen())
    relayed, bare = [], []
    with site.channel(site.n1) as channel:
        for turn in range(SAMPLES):
            number = site.happen()
            relayed.append(site.wait_for(number) - site.sent[number])
            begin = time.monotonic()
            tag = f"bench/{turn}"
            load = {
                "cmd": "_minion_event",
                "id": "n1",
                "events": [{"tag": tag, "data": {"turn": turn}}],
            }
            assert channel.send(load, timeout=10, tries=1) is None
            while not (found := [when for name, _, when in site.bus.heard if name == tag]):
                assert time.monotonic() - begin < 30
                time.sleep(0.0005)
            bare.append(found[0] - begin)
            time.sleep(0.05)
    with capsys.disabled():
        print()
        for name, times in (("relay, watch to bus", relayed), ("bare acknowledged send", bare)):
            p95 = statistics.quantiles(times, n=20)[-1]
            print(
                f"{name:24} p50 {statistics.median(times) * 1e3:6.1f} ms  p95 {p95 * 1e3:6.1f} ms"
            )
    # a beacon takes half a second; the exact figures are bench/latency's business
    assert statistics.median(relayed) < 0.25


def test_events_are_signed_with_the_nodes_key_when_they_arrive(delivery):
    from keepalived_core import signing

    site = delivery
    site.ask("n1", "keepalived.watch_install")
    site.watch.read_settings()
    number = site.happen()
    site.wait_for(number)
    key = event_key.read(site.paths)
    (row,) = [data for _, data, _ in site.bus.heard if data.get("number") == number]
    assert signing.verify(row, [key])
    assert {name: row[name] for name in row if name != "_stamp"} == journal(site.paths, last=1)[0]


@pytest.mark.timeout(900)
def test_a_master_that_is_away_misses_nothing_not_even_the_last_event(delivery, capsys):
    site = delivery
    first = site.happen()
    site.wait_for(first)
    site.stop_master()
    gone = time.monotonic()
    while time.monotonic() - gone < AWAY:
        last = site.happen()
        time.sleep(PAUSE)
    back = site.start_master()
    drained = site.wait_for(last, 120) - back
    twice = check_complete(site, first, last)
    with capsys.disabled():
        print(
            f"\noutage of {back - gone:.0f} s: {last - first} events, 0 lost, 0 out of order, "
            f"{twice} twice, drained {drained:+.1f} s after the master answered a bare send"
        )
    assert drained < DRAINED
    late = [data for _, data, _ in site.bus.heard if data.get("number") == first + 1]
    assert late[0]["time"] < late[0]["_stamp"]


def test_a_relay_that_is_killed_is_replaced_by_the_beacon_and_then_by_itself(delivery, capsys):
    site = delivery
    site.wait_for(first := site.happen())
    before = site.relay_pid()
    site.kill_relay()
    number = site.happen()
    took = site.wait_for(number, 20) - site.sent[number]
    # a refresh makes the beacon anew, and its memory is gone
    site.ask("n1", "saltutil.refresh_beacons")
    site.wait_for(second := site.happen(), 20)
    deadline = time.monotonic() + 60
    while site.relay_pid() in (None, before) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert site.relay_pid() not in (None, before)
    site.wait_for(last := site.happen(), 20)
    assert second < last
    twice = check_complete(site, first, last)
    with capsys.disabled():
        print(f"\nrelay killed: the beacon delivered after {took:.2f} s, {twice} twice")


def test_what_happens_while_the_minion_is_away_comes_when_it_is_back(delivery):
    site = delivery
    site.wait_for(first := site.happen())
    site.n1.terminate()
    for _ in range(5):
        last = site.happen()
    site.n1.start()
    site.wait_for(last, 60)
    check_complete(site, first, last)


def test_the_node_answers_the_hub_with_what_it_sent(delivery):
    site = delivery
    site.wait_for(site.happen())
    stored = journal(site.paths, last=3)
    stream, seq = stored[0]["stream_id"], stored[0]["seq"]
    *rows, beat = site.ask("n1", "keepalived.journal_rows", stream, f"after={seq - 1}", "limit=3")
    assert rows == stored
    assert (beat["to"], beat["seq"]) == ("heartbeat", stored[-1]["seq"])
    assert any(one["stream_id"] == stream for one in site.heartbeats())
