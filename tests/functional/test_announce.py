"""An announcement on a real wire: what a neighbour's kernel makes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

UTILS = Path(__file__).resolve().parents[2] / "salt/_utils"
MAC = "02:00:00:00:00:51"
STALE = "02:00:00:00:00:99"

pytestmark = pytest.mark.root

#: In namespaces of their own: the host with the addresses, and a neighbour whose entry is stale.
SCRIPT = f"""
set -e
ip link set lo up
ip link add own0 type veth peer name far0
ip link set own0 address {MAC} up
unshare -n sleep 60 & other=$!
trap 'kill $other' EXIT
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/$$/ns/net)" ]; do sleep 0.05; done
ip link set far0 netns $other
there() {{ nsenter -t $other -n "$@"; }}
there sysctl -q net.ipv6.conf.far0.accept_dad=0
there ip link set far0 up
there ip address add 192.0.2.1/24 dev far0
there ip address add 2001:db8::1/64 dev far0 nodad
ip address add 192.0.2.100/24 dev own0
ip address add 2001:db8::100/64 dev own0 nodad
there ip neighbour replace 192.0.2.100 lladdr {STALE} dev far0 nud reachable
there ip neighbour replace 2001:db8::100 lladdr {STALE} dev far0 nud reachable
sleep 1.2
PYTHONPATH={UTILS} {sys.executable} -c '
from keepalived_core.node import announce
print(announce.announce([("192.0.2.100", "own0"), ("2001:db8::100", "own0"), ("192.0.2.9", "lo")]))'
there ip neighbour show 192.0.2.100 dev far0
there ip neighbour show 2001:db8::100 dev far0
"""


def test_a_neighbour_with_an_older_answer_learns_the_new_one() -> None:
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", SCRIPT],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    sent, *entries = done.stdout.splitlines()
    assert "192.0.2.9" not in sent  # no interface of Ethernet
    assert len(entries) == 2, done.stdout
    for address, entry in zip(["192.0.2.100", "2001:db8::100"], entries, strict=True):
        assert address in sent
        assert entry.startswith(address)
        assert MAC in entry, done.stdout
