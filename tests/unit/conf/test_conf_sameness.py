"""Two files that mean the same, and two that do not."""

import pytest

from keepalived_core import conf

BASE = """\
global_defs {
    router_id a
    enable_script_security
}
vrrp_script chk {
    script "/usr/bin/true"
    interval 2
}
vrrp_instance A {
    state BACKUP
    interface eth0
    priority 100
    advert_int 1
    smtp_alert true
    virtual_ipaddress {
        10.0.0.1
        10.0.0.2/32 dev eth1
    }
    track_script {
        chk
    }
}
vrrp_instance B {
    virtual_ipaddress {
        2001:db8::1
    }
}
"""

SAME = {
    "comments": lambda text: "# x\n" + text.replace("state BACKUP", "state BACKUP ! y"),
    "layout": lambda text: text.replace("\n    ", "\n\t\t").replace(" {\n", "\n{\n"),
    "quotes": lambda text: text.replace("eth0", '"eth0"').replace(
        '"/usr/bin/true"', "/usr/bin/true"
    ),
    "order of keywords": lambda text: text.replace(
        "    state BACKUP\n    interface eth0\n", "    interface eth0\n    state BACKUP\n"
    ),
    "last wins": lambda text: text.replace("priority 100", "priority 5\n    priority 100"),
    "mask of a host": lambda text: text.replace("10.0.0.1\n", "10.0.0.1/32\n").replace(
        "8::1", "8::1/128"
    ),
    "case of IPv6": lambda text: text.replace("2001:db8", "2001:DB8"),
    "form of numbers": lambda text: text.replace("advert_int 1", "advert_int 1.0"),
    "words for true": lambda text: text.replace("smtp_alert true", "smtp_alert"),
    "split value block": lambda text: text.replace(
        "10.0.0.1\n", "10.0.0.1\n    }\n    virtual_ipaddress {\n"
    ),
    "two global_defs": lambda text: text.replace(
        "router_id a\n", "router_id a\n}\nglobal_defs {\n"
    ),
    "words keepalived ignores": lambda text: text.replace("priority 100", "priority 100 200"),
}
OTHER = {
    "global_defs below": lambda text: (
        text.partition("vrrp_script")[1]
        + text.partition("vrrp_script")[2]
        + text.partition("vrrp_script")[0]
    ),
    "definition below its use": lambda text: (
        text.replace("vrrp_script chk", "vrrp_script other")
        + 'vrrp_script chk {\n    script "/usr/bin/true"\n    interval 2\n}\n'
    ),
    "a value": lambda text: text.replace("priority 100", "priority 101"),
    "order of addresses": lambda text: (
        text.replace("10.0.0.1\n", "10.0.0.9\n")
        .replace("10.0.0.2/32", "10.0.0.1/32")
        .replace("10.0.0.9", "10.0.0.2")
    ),
    "a mask": lambda text: text.replace("10.0.0.2/32", "10.0.0.2/24"),
    "an option": lambda text: text.replace("dev eth1", "dev eth2"),
    "order of instances": lambda text: (
        text.replace("vrrp_instance A", "vrrp_instance C")
        .replace("vrrp_instance B", "vrrp_instance A")
        .replace("vrrp_instance C", "vrrp_instance B")
    ),
    "a flag": lambda text: text.replace("state BACKUP", "state BACKUP\n    nopreempt"),
    "false": lambda text: text.replace("smtp_alert true", "smtp_alert false"),
    "a name": lambda text: text.replace("vrrp_instance B", "vrrp_instance Bb"),
    "a condition": lambda text: text.replace("    state", "@low    state"),
    "an unknown word": lambda text: text.replace("    state", "    foo\n    state"),
    "a definition": lambda text: "$A=1\n" + text,
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME.keys())
def test_this_changes_nothing_for_the_daemon(change):
    changed = change(BASE)
    assert changed != BASE
    assert conf.equal(conf.parse(BASE), conf.parse(changed))


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER.keys())
def test_this_changes_something(change):
    changed = change(BASE)
    assert changed != BASE
    assert not conf.equal(conf.parse(BASE), conf.parse(changed))


def test_order_of_different_keywords_does_not_count():
    scripts = "notify_master /a\nnotify_backup /b\n"
    group = "vrrp_sync_group G {\ngroup {\nA\n}\n}\n"
    instance = "vrrp_instance A {\n%s}\n"
    one = conf.parse(group + instance % scripts)
    other = conf.parse(instance % "notify_backup /b\nnotify_master /a\n" + group)
    assert conf.equal(one, other)


COMMANDS = [
    ('script "/x a b"', "script '/x a b'", True),
    ('script "/x a b"', 'script "/x  a  b"', True),
    ('script "/x a b"', "script /x a b", False),
    ('script "/x a b"', "script \"/x 'a b'\"", False),
    ("script /x", "script /x a b", True),
]


@pytest.mark.parametrize("one, other, same", COMMANDS)
def test_commands_are_compared_as_keepalived_splits_them(one, other, same):
    trees = [conf.parse(f"vrrp_script s {{\n{line}\n}}\n") for line in (one, other)]
    assert conf.equal(*trees) is same
