"""The status of a real cluster: who answers on the wire, and why it is split."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support import VIP, wait_one_holder, wait_until

from lab.lab import Lab

pytestmark = [pytest.mark.lab, pytest.mark.root, pytest.mark.timeout(240)]

HOME, NEXT, THIRD = "controller3", "controller2", "controller1"
Change = Callable[[Lab], Any]


def at_client(lab: Lab, what: str) -> None:
    """Give the client the address, or take it away."""
    device = "$(ip -o -4 address | awk '/192.168.1.250/ {print $2}')"
    lab.client_command(["sh", "-c", f"ip address {what} {VIP}/32 dev {device}"])


def filtered(lab: Lab, node: str, family: str, *rule: str) -> None:
    """Drop what comes in on a node and fits the rule."""
    nft = lab.node(node).run
    nft(["nft", "add", "table", family, "test"])
    hook = "{ type filter hook input priority -300; }"
    nft(["nft", "add", "chain", family, "test", "input", hook])
    nft(["nft", "add", "rule", family, "test", "input", *rule, "drop"])


def unfiltered(lab: Lab, node: str, family: str) -> None:
    lab.node(node).run(["nft", "delete", "table", family, "test"])


#: name: (what is broken, how it is mended, verdict, class of the cause, the nodes it is about)
FAULTS: dict[str, tuple[Change, Change, str, str, list[str]]] = {
    "another machine has the address": (
        lambda lab: at_client(lab, "add"),
        lambda lab: at_client(lab, "del"),
        "split brain",
        "stranger",
        [],
    ),
    "the owner answers nobody who asks for the address": (
        lambda lab: filtered(lab, HOME, "arp", "arp", "daddr", "ip", VIP),
        lambda lab: unfiltered(lab, HOME, "arp"),
        "hollow master",
        "no_answer",
        [HOME],
    ),
    "a firewall drops adverts": (
        lambda lab: filtered(lab, NEXT, "inet", "ip", "protocol", "112"),
        lambda lab: unfiltered(lab, NEXT, "inet"),
        "split brain",
        "one_way",
        [NEXT],
    ),
    "the owner's keepalived is frozen": (
        lambda lab: lab.freeze(HOME),
        lambda lab: lab.thaw(HOME),
        "split brain",
        "frozen",
        [HOME],
    ),
}


@pytest.fixture
def mended(healthy: Lab, request: pytest.FixtureRequest) -> Iterator[Lab]:
    yield healthy
    FAULTS[request.node.callspec.id][1](healthy)
    wait_one_holder(healthy, HOME, timeout=30)


def status(lab: Lab) -> tuple[dict[str, Any], dict[str, Any]]:
    """All of it, and its one instance."""
    said = lab.salt_run("keepalived.status", "controllers")
    (instance,) = said["clusters"][0]["instances"]
    return said, instance


def test_the_owner_of_a_healthy_cluster_claims_it_has_it_and_answers(healthy: Lab) -> None:
    said, instance = status(healthy)

    assert (said["verdict"], said["retcode"]) == ("ok", 0)
    shown = {
        row["node"]: (row["claim"], row["holds_vip"], row["answers"]) for row in instance["nodes"]
    }
    assert shown == {
        HOME: ("MASTER", True, True),
        NEXT: ("BACKUP", False, False),
        THIRD: ("BACKUP", False, False),
    }
    (wire,) = instance["wire"]
    assert [each["nodes"] for each in wire["answers"]] == [[HOME]]


@pytest.mark.parametrize(
    ("fault", "_mend", "verdict", "word", "nodes"), FAULTS.values(), ids=FAULTS
)
def test_a_fault_has_its_verdict_and_its_cause(
    mended: Lab, fault: Change, _mend: Change, verdict: str, word: str, nodes: list[str]
) -> None:
    fault(mended)

    def told() -> dict[str, Any] | None:
        said, instance = status(mended)
        print(said["verdict"], instance["cause"])
        known = (said["verdict"], (instance["cause"] or {}).get("class")) == (verdict, word)
        return {**instance, "retcode": said["retcode"]} if known else None

    instance = wait_until(told, 60, f"{verdict} by {word}")
    assert instance["retcode"] == 2
    assert instance["cause"]["nodes"] == nodes
    assert instance["next"]
