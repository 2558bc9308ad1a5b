"""How a drain decides, against a keepalived that is a few lines: which way, and when not at all."""

import dataclasses
import time

import pytest

from keepalived_core import conf
from keepalived_core.node import drain, drain_file, drain_track, drain_view, planned
from keepalived_core.node.drain import DrainError, Peers
from keepalived_core.node.drain_view import Seen
from keepalived_core.node.paths import Paths

VIP = "10.0.0.1/24"
TEXT = """
vrrp_instance VI {{
    interface eth1
    virtual_router_id 1
    priority {priority}
    advert_int 0.01
    {more}
}}
"""


class Keepalived:
    """What the number in the file makes of one instance.  peer: one stands by; deaf: it does not
    look at the file."""

    def __init__(self, paths, tree, state="MASTER", priority=150, peer=True, deaf=False):
        self.paths, self.tree, self.state, self.peer, self.deaf = paths, tree, state, peer, deaf
        self.priority = priority

    def look(self, *_):
        number = 0 if self.deaf else drain_file.value(self.paths) or 0
        state, effective = self.state, self.priority
        if state in ("MASTER", "BACKUP") and number:
            hard = "VI" in drain_track.faulting(self.tree, str(self.paths.drain))
            if number <= -254 or hard:
                state = "FAULT"
            else:
                effective = 1
                state = "BACKUP" if self.peer else state
        return {"VI": Seen(state, state == "MASTER", self.priority, effective, (VIP,))}


@pytest.fixture
def site(tmp_path, monkeypatch):
    """site(**keepalived): its paths, with a configuration that follows the drain file."""
    monkeypatch.setattr(drain, "TAKEN_SECONDS", 0.2)
    monkeypatch.setattr(drain, "SLACK", 0.2)
    monkeypatch.setattr(drain_view, "DUMP_PAUSE", 0.01)
    monkeypatch.setattr(drain_view.addresses, "snapshot", dict)
    monkeypatch.setattr(drain.process, "find", lambda _paths: None)
    paths = Paths.under(tmp_path)

    def make(more="", tracked=True, **about):
        tree = conf.parse(TEXT.format(priority=about.get("priority", 150), more=more))
        if tracked:
            drain_track.add(tree, None, str(paths.drain))
        paths.config.parent.mkdir(parents=True)
        paths.config.write_text(conf.render(tree))
        fake = Keepalived(paths, tree, **about)
        monkeypatch.setattr(drain, "look", fake.look)
        monkeypatch.setattr(drain_view, "look", fake.look)
        return paths

    return make


YES, NO = {"VI": True}, {"VI": False}
NOPREEMPT, PATIENT, SLOW = Peers(nopreempt=True), Peers(preempt_delay=5), Peers(preempt_delay=300)
#: (what, keepalived, the peers, how, mode, state after)
DRAINED = [
    ("a master", {}, Peers(), {}, "weight", "BACKUP"),
    ("the runner has looked", {}, Peers(), {"peers_healthy": YES}, "weight", "BACKUP"),
    ("a backup", {"state": "BACKUP"}, NOPREEMPT, {}, "weight", "BACKUP"),
    ("one that does not run", {"state": "STOP"}, Peers(), {}, "weight", "STOP"),
    ("nopreempt", {}, NOPREEMPT, {"peers_healthy": YES}, "fault", "FAULT"),
    ("a long preempt_delay", {}, SLOW, {"peers_healthy": YES}, "fault", "FAULT"),
    ("own nopreempt, peers unknown", {"more": "nopreempt"}, None, {"peers_healthy": YES}, "fault",
     "FAULT"),
    ("the owner", {"priority": 255}, Peers(), {"peers_healthy": YES}, "weight", "FAULT"),
    ("asked for fault", {}, Peers(), {"mode": "fault", "peers_healthy": YES}, "fault", "FAULT"),
    ("forced fault", {}, NOPREEMPT, {"force": True}, "fault", "FAULT"),
    ("forced, no peer", {"peer": False}, Peers(), {"force": True}, "weight", "MASTER"),
    ("forced, sick peers", {}, Peers(), {"force": True, "peers_healthy": NO}, "weight", "BACKUP"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "about", "peers", "how", "mode", "after"), DRAINED, ids=[row[0] for row in DRAINED]
)
def test_the_way_follows_from_who_holds_it_and_what_the_peers_may(
    site, what, about, peers, how, mode, after
):
    paths = site(**about)
    said = drain.drain("disk", peers={"VI": peers} if peers else {}, paths=paths, **how)
    assert (said["mode"], said["instances"]["VI"]["after"]) == (mode, after)
    assert drain_file.value(paths) == drain_file.VALUES[mode]
    assert planned.active(paths) is not None


#: (what, keepalived, the peers, how, words of the refusal)
REFUSED = [
    ("nobody takes over", {"peer": False}, Peers(), {}, ["no healthy peer took over VI", VIP]),
    ("peers known to be sick", {}, Peers(), {"peers_healthy": NO}, ["no healthy peer would"]),
    ("fault, peers unknown", {}, NOPREEMPT, {}, ["salt-run keepalived.drain", "on no node", VIP]),
    ("fault, peers sick", {}, NOPREEMPT, {"peers_healthy": NO}, ["would take over", "on no node"]),
    ("the owner, peers unknown", {"priority": 255}, Peers(), {}, ["priority 255"]),
    ("it does not listen", {"deaf": True}, Peers(), {}, ["did not take", "not drained"]),
    ("it does not listen to a fault", {"deaf": True}, NOPREEMPT, {"peers_healthy": YES},
     ["did not take"]),
    ("no track file", {"tracked": False}, Peers(), {"force": True}, ["state.apply", "drain_file"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "about", "peers", "how", "words"), REFUSED, ids=[row[0] for row in REFUSED]
)
def test_a_refusal_leaves_nothing_and_says_what_would_be_lost(site, what, about, peers, how, words):
    paths = site(**about)
    with pytest.raises(DrainError) as refused:
        drain.drain(peers={"VI": peers}, paths=paths, **how)
    for word in words:
        assert word in refused.value.reason
    assert drain_file.read(paths) is None
    assert not drain_file.value(paths)


def test_a_drain_that_cannot_be_hardened_stays_as_it_was(site):
    paths = site()
    drain.drain("disk", peers={"VI": Peers()}, paths=paths)
    (before,) = [drain_file.read(paths)]
    with pytest.raises(ValueError, match="no way to drain"):
        drain.drain(mode="gently", paths=paths)
    with pytest.raises(ValueError, match="over already"):
        drain.drain(expires="2020-01-01T00:00:00Z", paths=paths)
    assert drain_file.read(paths) == before
    # again, with an end: the same drain, since when it was and for the same reason
    said = drain.drain(expires="1h", peers={"VI": Peers()}, paths=paths)
    after = drain_file.read(paths)
    assert (after.since, after.reason) == (before.since, "disk")
    assert 3500 < after.until - time.time() < 3700
    assert said["until"] == drain_file.text(after.until)


def test_a_drain_whose_time_is_over_is_ended_by_the_next_verb(site):
    paths = site()
    drain.drain("disk", expires="1h", peers={"VI": Peers()}, paths=paths)
    record = drain_file.read(paths)
    drain_file.write(dataclasses.replace(record, until=time.time() - 1), paths)
    said = drain.drain("another", peers={"VI": Peers()}, paths=paths)
    assert (said["reason"], said["instances"]["VI"]["before"]) == ("another", "MASTER")
    assert drain.undrain(paths=paths)["did"]
    assert drain.undrain(paths=paths)["did"] == ""


def test_a_frozen_keepalived_is_not_asked_to_move(site, monkeypatch):
    paths = site()
    frozen = type("Frozen", (), {"frozen": staticmethod(lambda: True)})
    monkeypatch.setattr(drain.process, "find", lambda _paths: frozen)
    with pytest.raises(DrainError, match="frozen"):
        drain.drain(paths=paths)


def test_the_peers_part_is_the_worst_of_all_of_them():
    trees = {
        "n2": conf.parse(TEXT.format(priority=100, more="preempt_delay 5")),
        "n3": conf.parse(TEXT.format(priority=90, more="nopreempt")),
    }
    assert drain.peers_of(trees) == {"VI": Peers(nopreempt=True, preempt_delay=5.0)}
    assert not PATIENT.wait_for_ever()


#: (advert_int and more, the peers' preempt_delay, seconds a ready peer needs at most)
HANDOVERS = [
    ("advert_int 1", 0, 4),
    ("advert_int 0.1", 0, 0.4),
    ("", 0, 4),
    ("advert_int 2\n    down_timer_adverts 5", 0, 12),
    ("advert_int 1", 10, 14),
]


@pytest.mark.parametrize(("more", "delay", "seconds"), HANDOVERS)
def test_a_peer_is_given_the_time_that_the_protocol_gives_it(more, delay, seconds):
    tree = conf.parse(f"vrrp_instance VI {{\n    {more}\n}}\n")
    found = drain._handover(tree, {"VI": Peers(preempt_delay=delay)})
    assert found == pytest.approx(seconds + drain.SLACK)
