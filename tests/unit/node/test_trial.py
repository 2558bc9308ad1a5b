"""A script that would send an instance to FAULT is found before keepalived relies on it."""

import pytest

from keepalived_core import conf
from keepalived_core.node import trial

GOOD, BAD = "/usr/bin/true", "/usr/bin/false"


def tree(script=GOOD, track="c", options="", group=""):
    tracked = f"track_script {{\n {track}\n}}" if track else ""
    return conf.parse(
        f"vrrp_script c {{\n script {script}\n interval 2\n{options}\n}}\n"
        + group
        + "vrrp_instance VI {\n interface eth0\n virtual_router_id 51\n virtual_ipaddress {\n"
        + f" 192.0.2.1/24\n}}\n{tracked}\n}}\n"
    )


GROUP = "vrrp_sync_group G {\n group {\n VI\n }\n track_script {\n c\n }\n}\n"

#: (what, what runs now, what shall run, state now, fatal, notes)
CASES = [
    ("a new script that is content", tree(track=""), tree(), "MASTER", 0, 0),
    ("a new script that fails", tree(track=""), tree(BAD), "MASTER", 1, 0),
    ("tracked anew, and it fails", tree(BAD, track=""), tree(BAD), "BACKUP", 1, 0),
    ("in the sync group", tree(track=""), tree(BAD, "", group=GROUP), "MASTER", 1, 0),
    ("changed, and it fails now", tree(), tree(BAD), "MASTER", 1, 0),
    ("changed, and it failed before", tree("/usr/bin/test -e /none"), tree(BAD), "MASTER", 0, 1),
    ("an instance that is in FAULT already", tree(track=""), tree(BAD), "FAULT", 0, 0),
    ("with a weight it moves at most", tree(track=""), tree(BAD, "c weight 5"), "MASTER", 0, 1),
    ("the script's own weight", tree(track=""), tree(BAD, options=" weight -5"), "MASTER", 0, 1),
    ("turned round, and it is content", tree(track=""), tree(GOOD, "c reverse"), "MASTER", 1, 0),
    ("turned round, and it fails", tree(track=""), tree(BAD, "c reverse"), "MASTER", 0, 0),
    ("not changed, so not run", tree(BAD), tree(BAD, options=" rise 3"), "MASTER", 0, 0),
    ("no configuration before", None, tree(BAD), "", 1, 0),
]


@pytest.mark.parametrize(
    ("what", "old", "new", "state", "fatal", "notes"), CASES, ids=[row[0] for row in CASES]
)
def test_what_a_changed_script_would_do(what, old, new, state, fatal, notes):
    tried = trial.attempt(old, new, {"VI": state})
    assert (len(tried.fatal), len(tried.notes)) == (fatal, notes), tried
    if fatal:
        assert "VI would go to FAULT: c" in tried.fatal[0]


#: (options of the script, seconds until keepalived knows what a changed one says)
SECONDS = [("", 4.0), (" fall 3", 8.0), (" timeout 5", 7.0), (" fall 100", trial.LONGEST_SECONDS)]


@pytest.mark.parametrize(("options", "seconds"), SECONDS)
def test_how_long_a_changed_script_is_waited_for(options, seconds):
    assert trial.attempt(tree(track=""), tree(options=options), {}).seconds == seconds
    assert trial.attempt(tree(options=options), tree(options=options), {}).seconds == 0
