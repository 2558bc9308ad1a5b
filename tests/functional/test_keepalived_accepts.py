"""The installed keepalived reads what we write, without a word.

Each test runs ``keepalived -t`` in a network namespace of its own that has an ``eth1``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from keepalived_core import conf, pillar
from keepalived_core.check.lint import lint

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root"),
    pytest.mark.skipif(shutil.which("keepalived") is None, reason="keepalived is not installed"),
]

Check = Callable[[str], tuple[int, str]]


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    name = f"accepts-{uuid.uuid4().hex[:8]}"
    for command in (
        ["netns", "add", name],
        ["-n", name, "link", "add", "eth1", "type", "veth", "peer", "name", "far1"],
        ["-n", name, "link", "set", "eth1", "up"],
        ["-n", name, "link", "set", "far1", "up"],
        ["-n", name, "address", "add", "192.168.1.2/24", "dev", "eth1"],
        ["-n", name, "address", "add", "2001:db8::2/64", "dev", "eth1", "nodad"],
    ):
        subprocess.run(["ip", *command], check=True, timeout=10)
    yield name
    subprocess.run(["ip", "netns", "delete", name], check=True, timeout=10)


@pytest.fixture
def check(namespace: str, tmp_path: Path) -> Check:
    """(exit status, messages) of ``keepalived -t`` on a text."""

    def run(text: str) -> tuple[int, str]:
        path = tmp_path / "keepalived.conf"
        path.write_text(text, encoding="utf-8", errors="surrogateescape")
        path.chmod(0o640)
        done = subprocess.run(
            ["ip", "netns", "exec", namespace, "keepalived", "-t", "-f", str(path)],
            capture_output=True,
            text=True,
            timeout=20,
        )
        return done.returncode, done.stderr

    return run


def classic(**instance: object) -> dict:
    """The three controllers, their one address, their one check."""
    return {
        "config": {
            "global_defs": {"enable_script_security": True, "script_user": "root"},
            "vrrp_script": {"chk_haproxy": {"script": "/usr/bin/test -e /", "interval": 2}},
            "vrrp_instance": {
                "VI_PUBLIC": {
                    "interface": "eth1",
                    "state": "BACKUP",
                    "virtual_router_id": 52,
                    "virtual_ipaddress": ["192.168.1.220 dev eth1"],
                    "track_script": ["chk_haproxy"],
                    **instance,
                }
            },
        },
        "nodes": {"controller1": {}, "controller2": {}, "controller3": {}},
    }


def with_priorities(given: object) -> dict:
    return {**classic(), "priorities": {"VI_PUBLIC": given}}


VARIANTS = {
    "101, 102, 103": with_priorities({"controller1": 101, "controller2": 102, "controller3": 103}),
    "three times 101, nopreempt": classic(priority=101, nopreempt=True),
    "three times 101": classic(priority=101),
    "an ordered list": with_priorities(["controller3", "controller1", "controller2"]),
    "unicast": classic(
        priority=101,
        unicast_src_ip="192.168.1.2",
        unicast_peer=["192.168.1.3", "192.168.1.4"],
    ),
    "authentication": classic(authentication={"auth_type": "PASS", "auth_pass": "a#b {c}!"}),
    "IPv6": classic(virtual_ipaddress=["fe80::220", "2001:db8::220/64"]),
    "notify scripts": classic(
        notify="/usr/bin/test -e /", notify_master=["/usr/bin/test x", "root"]
    ),
    "many options": classic(
        advert_int=0.5,
        version=3,
        preempt_delay=5,
        garp_master_delay=1,
        smtp_alert=False,
        track_interface={"far1": {"weight": 10}},
        virtual_ipaddress_excluded=["2001:db8::221/64"],
        virtual_routes=["10.9.0.0/16 via 192.168.1.1 dev eth1"],
    ),
}
NODES = ("controller1", "controller2", "controller3")


@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("data", VARIANTS.values(), ids=VARIANTS.keys())
def test_rendered_pillar_is_accepted_without_a_message(check: Check, data: dict, node: str) -> None:
    text = conf.render(pillar.to_tree(data, node), header=["Managed by Salt"])
    assert check(text) == (0, "")
    assert [found for found in lint(conf.parse(text)) if found.severity != "info"] == []


def test_the_guides_file_with_the_missing_brace(check: Check) -> None:
    text = conf.render(pillar.to_tree(classic(priority=101), "controller1"))
    damaged = text + "\nvrrp_sync_group VG1\n    group {\n        VI_PUBLIC\n    }\n}\n"
    status, messages = check(damaged)
    line = damaged.split("\n").index("vrrp_sync_group VG1") + 1
    assert status != 0 and "Missing '{'" in messages
    with pytest.raises(conf.ConfError) as error:
        conf.parse(damaged)
    assert error.value.line == line
    assert "vrrp_sync_group VG1" in error.value.reason and "'{'" in error.value.reason


# Words that a careless writer breaks; keepalived shows them in its complaint about the interface.
WORDS = ["a#b", "a!b", "a{b", "a}b", "a b", "a'b", "a$b", "$A/b", "é", "a\\b", "@a", "~a"]


@pytest.mark.parametrize("word", WORDS)
def test_quoted_words_reach_keepalived_whole(check: Check, word: str) -> None:
    data = classic(track_interface=[f'"{word}"'])
    text = conf.render(pillar.to_tree(data, "controller1"))
    status, messages = check(text)
    assert status != 0
    assert f"tracked interface {word} doesn't exist" in messages


@pytest.mark.parametrize(
    "damage", ["vrrp_instance A {", "}", 'global_defs {\nrouter_id "a\n}', "vrrp_instance B"]
)
def test_what_we_call_damaged_keepalived_refuses_too(check: Check, damage: str) -> None:
    with pytest.raises(conf.ConfError):
        conf.parse(damage)
    status, messages = check(damage + "\n")
    assert status != 0 or messages


# A file that lint calls wrong, to hold our word against the daemon's.
REFUSED = {
    "KA101": "prioritty 5",
    "KA102": "priority",
    "KA103": "priority 256",
    "KA201": "track_script {\nnone\n}",
    "KA301": "virtual_ipaddress {\n2001:db8::9\n}",
    "KA302": "nopreempt\nstate MASTER",
    "KA303": "authentication {\nauth_type PASS\nauth_pass ninechars\n}",
    "KA304": "version 3\nauthentication {\nauth_type PASS\nauth_pass x\n}",
    "KA113": "virtual_ipaddress {\n10.0.0.300\n}",
}


@pytest.mark.parametrize("code, body", REFUSED.items(), ids=REFUSED.keys())
def test_errors_of_lint_are_errors_of_keepalived(check: Check, code: str, body: str) -> None:
    text = (
        "vrrp_instance A {\ninterface eth1\nvirtual_router_id 1\n"
        f"virtual_ipaddress {{\n192.168.1.9\n}}\n{body}\n}}\n"
    )
    assert code in {found.code for found in lint(conf.parse(text)) if found.severity == "error"}
    assert check(text)[0] != 0


def test_rendering_changes_nothing_for_keepalived(
    namespace: str, corpus: dict[str, tuple[str, dict[str, str]]], tmp_path: Path
) -> None:
    """Real files, as written and as we write them: the same exit status, the same messages."""

    def said(text: str, folder: Path) -> tuple[int, set[str]]:
        (folder / "keepalived.conf").write_bytes(text.encode("utf-8", "surrogateescape"))
        done = subprocess.run(
            ["ip", "netns", "exec", namespace, "keepalived", "-t", "-f", "keepalived.conf"],
            capture_output=True,
            cwd=folder,
            timeout=20,
        )
        messages = done.stderr.decode("utf-8", "replace").splitlines()
        return done.returncode, {
            re.sub(r"^\([^)]*Line \d+\) |line \d+", "", one) for one in messages
        }

    def differs(number: int, name: str) -> bool:
        folder = tmp_path / str(number)
        folder.mkdir()
        text = corpus[name][0]
        return said(text, folder) != said(conf.render(conf.parse(text, strict=False)), folder)

    # On the files with 124 keepalived itself never ends.
    names = [name for name, (_, row) in corpus.items() if row["rc_2_2_7"] != "124"]
    with ThreadPoolExecutor(os.cpu_count()) as workers:
        found = list(workers.map(differs, range(len(names)), names))
    print(f"{len(names)} files compared")
    assert [name for name, differs in zip(names, found, strict=True) if differs] == []
