"""A VRRP password reaches keepalived.conf and nothing else."""

import json

import pytest
from support import CONFIG, apply, classic, failures, set_pillar

from lab.bus import EventTap

pytestmark = [pytest.mark.lab, pytest.mark.root]

FIRST, SECOND = "hunter2a", "hunter3b"

#: Where a secret could have come to lie on the master and on a node.
MASTER_PLACES = ["/var/cache/salt/master/jobs", "/var/log/salt"]
NODE_PLACES = [
    "/var/log/salt",
    "/var/lib/salt-keepalived/spool.db",
    "/run/salt-keepalived",
    "/run/log/journal",
    "/var/log/journal",
]


def with_password(word):
    authentication = {"auth_type": "PASS", "auth_pass": word}
    return classic(**{"config/vrrp_instance/VI_PUBLIC/authentication": authentication})


def found_in(node, places, word):
    """The files below *places* that hold *word*, binary ones included."""
    existing = [p for p in places if node.run(["test", "-e", p], check=False).returncode == 0]
    done = node.run(["grep", "-rlaF", word, *existing], check=False)
    return done.stdout.split()


def test_the_password_is_in_the_file_and_in_no_return_event_log_or_job_cache(healthy):
    returns = []
    with EventTap(healthy) as bus:
        for word in (FIRST, SECOND):
            set_pillar(healthy, with_password(word))
            returns.append(apply(healthy, test=True))
            # until all nodes have the new password, they do not accept each other's adverts
            result = apply(healthy, allowed=True)
            assert failures(result) == {}
            returns.append(result)
            for node in healthy.controllers:
                text = node.read_file(CONFIG)
                assert f"auth_pass {word}" in text
                assert "****" not in text, "Salt 3008 masks pillar that is read the wrong way"
        for verb in ("render", "plan", "status", "journal", "config_test", "lint"):
            returns.append(healthy.salt("controller*", f"keepalived.{verb}"))
        bus.pump()
        seen = json.dumps([returns, bus.seen])
    changed = returns[3]["controller1"]
    diff = next(s for s in changed.values() if s["__id__"] == "keepalived-config")["changes"]
    assert "only a secret changed" in diff["diff"]
    for word in (FIRST, SECOND):
        assert word not in seen
        assert found_in(healthy.master, MASTER_PLACES, word) == []
        for node in healthy.controllers:
            assert found_in(node, NODE_PLACES, word) == []


#: A broken pillar around the secret: the message must not quote it.
BROKEN = [
    ("too many words", "hunter2a hunter2a"),
    ("a quote inside", 'hunter2a"'),
    ("not a text", ["hunter2a"]),
]


@pytest.mark.parametrize(("what", "value"), BROKEN, ids=[row[0] for row in BROKEN])
def test_a_mistake_in_a_secret_is_named_without_it(healthy, what, value):
    set_pillar(healthy, with_password(value))
    result = apply(healthy, "keepalived.config")
    assert "hunter2a" not in json.dumps(result), what
