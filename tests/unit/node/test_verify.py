"""What counts as harm after a reload, and what does not."""

import pytest

from keepalived_core import deploy
from keepalived_core.node import pending, process, verify
from keepalived_core.node.state import Instance

DAEMON = process.Daemon(pid=1, starttime=1)


def one(state="MASTER", **stats):
    return Instance("VI", state=state, advert_interval=1.0, stats=stats)


def harm(was, now, kind="safe", loose=False, over=True, known=()):
    before = verify.Before(DAEMON, {"VI": was} if was else {}, frozenset(known))
    seen = {"VI": was or now}
    return verify.harm(before, seen, {"VI": now}, verify.Rules({"VI": kind}, loose), over)


#: (what, before, now, how it is called; None: no harm)
SAFE = [
    ("a master stays", one(), one(), None),
    ("a backup stays", one("BACKUP"), one("BACKUP"), None),
    ("a master fails", one(), one("FAULT"), "went from MASTER to FAULT"),
    ("a backup fails", one("BACKUP"), one("FAULT"), "went from BACKUP to FAULT"),
    ("one that had failed", one("FAULT"), one("FAULT"), None),
    ("one that recovers", one("FAULT"), one("BACKUP"), None),
    ("a new one that starts in FAULT", None, one("FAULT"), None),
    ("a new one", None, one("BACKUP"), None),
    ("a master steps down", one(), one("BACKUP"), "no longer MASTER"),
    ("a backup steps up", one("BACKUP"), one("MASTER"), "became MASTER"),
    (
        "a backup rejects what it hears",
        one("BACKUP", advert_rcvd=5),
        one("BACKUP", advert_rcvd=7, auth_failure=2),
        "auth_failure +2",
    ),
    (
        "a master hears another",
        one(advert_rcvd=5),
        one(advert_rcvd=7),
        "another node sends adverts",
    ),
    ("a master heard one that was under way", one(advert_rcvd=5), one(advert_rcvd=6), None),
]


@pytest.mark.parametrize(("what", "was", "now", "words"), SAFE, ids=[row[0] for row in SAFE])
def test_a_safe_change_moves_nothing(what, was, now, words):
    found = harm(was, now)
    assert (words is None and not found) or (words and words in found[0]), found


#: (what, the kind of the change, somebody allowed it)
FREE = [("a class that moves", "moves", False), ("an accepted change", "safe", True)]


@pytest.mark.parametrize(("what", "kind", "loose"), FREE, ids=[row[0] for row in FREE])
def test_where_addresses_may_move_only_a_fault_at_the_end_is_harm(what, kind, loose):
    assert harm(one(), one("BACKUP"), kind, loose) == []
    assert harm(one("BACKUP"), one("BACKUP", addr_list_err=3), kind, loose) == []
    assert harm(one(), one("FAULT"), kind, loose, over=False) == []
    assert harm(one(), one("FAULT"), kind, loose, over=True)


def test_what_was_wrong_before_is_nothing_new():
    was, now = one("BACKUP", addr_list_err=9), one("BACKUP", addr_list_err=11)
    assert harm(was, now)
    assert harm(was, now, known={("VI", "addr_list_err")}) == []


def test_a_backup_that_hears_nothing_any_more_is_noticed():
    before = verify.Before(DAEMON, {"VI": one("BACKUP", advert_rcvd=5)})
    seen = {"VI": one("BACKUP", advert_rcvd=6)}
    assert verify.unheard(before, seen, seen, verify.Rules()) == ["VI"]
    assert verify.unheard(before, seen, {"VI": one("BACKUP", advert_rcvd=7)}, verify.Rules()) == []
    never = verify.Before(DAEMON, {"VI": one("BACKUP", advert_rcvd=0)})
    assert verify.unheard(never, seen, seen, verify.Rules()) == []


#: (what, kinds, loose, seconds of the changed tracks, how long it is looked on at advert_int 1)
WINDOWS = [
    ("two adverts of a safe change", {"VI": "safe"}, False, 0.0, 2.0),
    ("an election, where addresses move", {"VI": "moves"}, False, 0.0, 4.2),
    ("an election, where that was accepted", {}, True, 0.0, 4.2),
    ("until the script has run", {}, False, 7.0, 7.0),
    ("but not for ever", {}, False, 900.0, 30.0),
]


@pytest.mark.parametrize(("what", "kinds", "loose", "tracks", "seconds"), WINDOWS)
def test_it_is_looked_on_for_as_long_as_something_can_happen(what, kinds, loose, tracks, seconds):
    assert verify.Rules(kinds, loose, tracks).window({"VI": one()}) == pytest.approx(seconds)


def test_what_was_put_back_is_compared_with_what_was_there(monkeypatch):
    before = verify.Before(DAEMON, {"VI": one("BACKUP")})
    for state, wrong in (("FAULT", True), ("BACKUP", False), ("MASTER", False), ("INIT", True)):
        monkeypatch.setattr(verify, "_dump", lambda paths, state=state: {"VI": one(state)})
        monkeypatch.setattr(verify, "_hollow", lambda now: [])
        assert bool(verify.not_as_before(before)) is wrong, state


@pytest.mark.parametrize(
    ("version", "counts"),
    [(None, True), ((2, 2, 7), True), ((2, 3, 2), True), ((2, 3, 3), False), ((2, 4, 0), False)],
)
def test_another_list_of_addresses_is_a_rejection_up_to_2_3_2(version, counts):
    before, seen = verify.Before(DAEMON, {"VI": one("BACKUP")}), {"VI": one("BACKUP")}
    rules = verify.Rules(rejected=verify.rejections(version))
    now = {"VI": one("BACKUP", addr_list_err=3)}
    assert bool(verify.harm(before, seen, now, rules)) is counts


def test_what_counts_as_rejected_is_asked_of_the_release_that_is_installed(monkeypatch):
    newer = process.Version((2, 3, 3), "2.3.3", True, frozenset())
    monkeypatch.setattr(deploy.process, "version", lambda: newer)
    record = pending.Record("/etc/keepalived/keepalived.conf", 0.0, None, None, "new")
    assert "addr_list_err" not in deploy._rules(record).rejected
